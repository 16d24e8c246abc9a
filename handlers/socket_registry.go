package handlers

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
	"time"

	"vserver/service/bus"
	"vserver/service/core"
	"vserver/service/live"
)

// judgePause is the least time between two judgements of everybody; rights that were
// taken away have to stop working within a second (/docs/security#u6).
const judgePause = 100 * time.Millisecond

// leftRooms are the rooms that a connection must not be in any more.
type leftRooms struct {
	mu   sync.Mutex
	from map[string]bool
}

// registry is the list of everybody who was let in, by account.
type registry struct {
	mu      sync.Mutex
	changes uint64 // of rights, so far
	by      map[int64]map[*connection]struct{}
	stale   chan struct{} // holds one when rights changed since everybody was judged
}

func newRegistry() registry {
	return registry{by: map[int64]map[*connection]struct{}{}, stale: make(chan struct{}, 1)}
}

// age names the moment before a judgement.
func (r *registry) age() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.changes
}

// enter puts a connection in the registry unless rights changed since age.
func (r *registry) enter(v *connection, age uint64) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.changes != age {
		return false
	}
	if r.by[v.ID] == nil {
		r.by[v.ID] = map[*connection]struct{}{}
	}
	r.by[v.ID][v] = struct{}{}
	return true
}

// exit takes a connection out of the registry; nil was never in it.
func (r *registry) exit(v *connection) {
	if v == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.by[v.ID], v)
	if len(r.by[v.ID]) == 0 {
		delete(r.by, v.ID)
	}
}

// present lists everybody, and the accounts that they belong to.
func (r *registry) present() (all []*connection, accounts []int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, connections := range r.by {
		accounts = append(accounts, id)
		for v := range connections {
			all = append(all, v)
		}
	}
	return all, accounts
}

// changed notes that rights changed, and has everybody judged anew.
func (r *registry) changed() {
	r.mu.Lock()
	r.changes++
	r.mu.Unlock()
	select {
	case r.stale <- struct{}{}:
	default: // somebody is waiting for it already
	}
}

// of lists the connections of accounts.
func (r *registry) of(accounts []int64) []*live.Socket {
	r.mu.Lock()
	defer r.mu.Unlock()
	var list []*live.Socket
	for _, id := range accounts {
		for v := range r.by[id] {
			list = append(list, v.socket)
		}
	}
	return list
}

// dropSilent ends the connection of an account that was heard longest ago, and reports whether there was one.
func (l *sockets) dropSilent(account int64) bool {
	all := l.of([]int64{account})
	if len(all) == 0 {
		return false
	}
	slices.MinFunc(all, func(a, b *live.Socket) int { return a.LastHeard().Compare(b.LastHeard()) }).Drop()
	return true
}

// receive takes what the use cases and other replicas publish. It waits for nobody.
func (l *sockets) receive(m bus.Message) {
	switch m.Topic {
	case core.TopicEmit:
		if m.Name == core.EventNewTask {
			l.announceTask(m)
			return
		}
		if err := l.tasks.Emit(m.Key, m.Name, m.Data); err != nil {
			l.s.log.Error().Err(err).Msgf("An event %s went to nobody", m.Name)
		}
	case core.TopicNotice:
		if err := l.tasks.EmitSoon(m.Key, m.Except, m.Name, m.Data); err != nil {
			l.s.log.Error().Err(err).Msgf("A notice %s went to nobody", m.Name)
		}
	case core.TopicRights:
		l.changed()
	case core.TopicResync:
		l.changed()
		all, _ := l.present()
		for _, v := range all {
			v.socket.Renew()
		}
	case core.TopicClose:
		l.changed()
		var accounts []int64
		if err := json.Unmarshal(m.Data, &accounts); err != nil {
			l.s.log.Error().Err(err).Msg("Live connections to close could not be read")
		}
		for _, k := range l.of(accounts) {
			k.Drop() // a node that moved has to come back by itself
		}
	}
}

// judgeOnChanges judges everybody anew whenever rights changed, until ctx ends.
func (l *sockets) judgeOnChanges(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-l.stale:
		}
		if err := l.judgeAll(ctx); err != nil && ctx.Err() == nil {
			l.s.log.Warn().Err(err).Msg("Rooms could not be judged after a change of rights, it will be tried again")
			l.changed()
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(judgePause):
		}
	}
}

// judgeAll ends the connections of accounts that are gone or changed place, and takes
// the others out of rooms that they may not be in any more (/docs/live#rooms).
func (l *sockets) judgeAll(ctx context.Context) error {
	all, accounts := l.present()
	if len(all) == 0 {
		return nil
	}
	now, err := l.s.core.Standings(ctx, accounts)
	if err != nil {
		return err
	}
	for _, v := range all {
		if standing, ok := now[v.ID]; !ok || v.moved(standing) {
			v.socket.Drop()
		} else {
			v.leaveRooms(standing)
		}
	}
	return nil
}
