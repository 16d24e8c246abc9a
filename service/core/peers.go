package core

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"vserver/queries"
	"vserver/service/bus"
	"vserver/service/fault"
)

// Membership is how a server stands among those on one PostgreSQL (/docs/reliability#replicas).
type Membership struct {
	Place, Name string // of queries.Peer
	Secret      string // a fingerprint of what signs the tokens
	Generated   bool   // the server has made that itself
	// Lease is how long others take it for alive after it was heard of last; 0: 15 s.
	Lease time.Duration
}

const (
	leaseFor = 15 * time.Second
	// renewals is how often a lease is renewed before it would end.
	renewals = 3
	// lookPause is the longest time between two looks for messages while there are others; rights that were
	// taken away have to stop working within a second (/docs/security#u6).
	lookPause = 400 * time.Millisecond
	// trustFor is for how long what was cached about callers holds without a look.
	trustFor = time.Second
	// gatherFor is how long messages gather that are announced together.
	gatherFor = 10 * time.Millisecond
	// keptFor is how long messages are kept, which is how long a server may have heard nothing.
	keptFor = 10 * time.Minute
	// proofTime is how long a notification of a server may take to come back to it.
	proofTime = 2 * time.Second
	// askTime is how long one question to the database may take.
	askTime = 5 * time.Second
	// knownPause is the time between two looks whether the others know of this one.
	knownPause = 50 * time.Millisecond
	// joins and leaves are what a server says that comes or goes.
	joins, leaves = "join", "leave"
)

// peers are the servers on one PostgreSQL, as one of them sees the others. What it stores it tells them by rows,
// which they read in the order of transactions; as long as it is alone it writes none.
type peers struct {
	core *Core
	as   Membership

	id       atomic.Int64 // of this server; another one after others took it for dead
	others   atomic.Bool  // there are some
	deciding atomic.Int64 // transactions that end without a row, because there seemed to be none
	since    time.Time
	looked   atomic.Int64 // when this server last saw what the others say, in nanoseconds since that
	leased   atomic.Int64 // when its lease was last renewed, likewise

	mu      sync.Mutex
	outbox  []bus.Message // that no transaction stands behind
	pending bool          // something has to be announced
	stirred chan struct{} // holds one when outbox or pending has something

	// Only of KeepPeers.
	listener *queries.Listener
	mark     string // what was read so far
	timeline int64
	own      map[int64]bool // ids that this server has or had
	newest   int64          // the newest other one that is told everything
	contact  time.Time      // since when the database answers
	unproven bool
	folded   time.Time
}

func (c *Core) newPeers(as Membership) *peers {
	as.Lease = cmp.Or(as.Lease, leaseFor)
	return &peers{core: c, as: as, since: time.Now(), stirred: make(chan struct{}, 1), own: map[int64]bool{}, contact: time.Now()}
}

// Join makes this server one of those on a database of PostgreSQL, or refuses, saying why; on SQLite it does
// nothing. When it returns, the others tell it what they do. It comes before anything listens.
func (c *Core) Join(ctx context.Context, as Membership) error {
	if c.db.Engine != queries.Postgres {
		return nil
	}
	p := c.newPeers(as)
	if err := p.enter(ctx); err != nil {
		return err
	}
	if err := p.listen(ctx); err != nil {
		return err
	}
	c.peers = p
	return p.known(ctx)
}

// enter begins a lease.
func (p *peers) enter(ctx context.Context) error {
	id, err := p.core.db.Join(ctx, queries.Peer{Place: p.as.Place, Name: p.as.Name, Secret: p.as.Secret, Generated: p.as.Generated}, p.as.Lease, p.refuse)
	if err != nil {
		return fmt.Errorf("becoming a server of the database: %w", err)
	}
	p.id.Store(id)
	p.own[id] = true
	return nil
}

// refuse has a server not begin whose tokens the others would not take, or theirs it.
func (p *peers) refuse(others []queries.Peer) error {
	for _, o := range others {
		switch {
		case o.Secret == p.as.Secret:
		case p.as.Generated:
			return fault.New(fault.Invalid, "%s works on the database already, and this server has made a jwt_secret_key of its own, which that one does not know: set jwt_secret_key, the same for all servers of the database", o.Name)
		case o.Generated:
			return fault.New(fault.Invalid, "%s works on the database already, with a jwt_secret_key that it has made itself: set jwt_secret_key there, the same as here, and start it again", o.Name)
		default:
			return fault.New(fault.Invalid, "%s works on the database already, with another jwt_secret_key: it has to be the same for all servers of the database", o.Name)
		}
	}
	return nil
}

// known waits until every other server tells this one what it does. One that is dead is not waited for.
func (p *peers) known(ctx context.Context) error {
	for {
		others, err := p.renewLease(ctx)
		if err != nil {
			return err
		}
		waiting := slices.ContainsFunc(others, func(o queries.Peer) bool { return o.ID < p.id.Load() && o.Knows < p.id.Load() })
		if !waiting {
			return nil
		}
		if err := p.core.db.Announce(ctx, joins); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(knownPause):
		}
	}
}

// renewLease renews the lease. Whoever came is told everything from now on, and knows it when nothing is under way
// that was begun without it.
func (p *peers) renewLease(ctx context.Context) ([]queries.Peer, error) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	at := time.Since(p.since)
	others, alive, err := p.core.db.Renew(ctx, p.id.Load(), p.newest, p.as.Lease)
	if err != nil {
		return nil, err
	}
	if !alive {
		return nil, p.revive(ctx)
	}
	p.leased.Store(int64(at))
	newest := p.newest
	for _, o := range others {
		newest = max(newest, o.ID)
	}
	if len(others) > 0 && !p.others.Load() {
		p.others.Store(true)
		if err := p.look(ctx); err != nil { // from here on
			return nil, err
		}
	}
	if newest > p.newest {
		for p.deciding.Load() > 0 {
			select {
			case <-ctx.Done():
				return others, nil // the next time
			case <-time.After(time.Millisecond):
			}
		}
		p.newest = newest
		if others, _, err = p.core.db.Renew(ctx, p.id.Load(), newest, p.as.Lease); err != nil {
			return nil, err
		}
	}
	if len(others) == 0 {
		p.others.Store(false)
	}
	return others, nil
}

// revive begins again after others took this server for dead: they have stored its accounts as offline.
func (p *peers) revive(ctx context.Context) error {
	p.core.log.Warn().Msg("Other servers of the database have taken this one for dead: it begins again")
	if err := errors.Join(p.enter(ctx), p.known(ctx)); err != nil {
		return err
	}
	p.resync()
	return p.core.attendAgain(ctx)
}

// within reports whether a moment of looked or leased is not longer ago than that.
func (p *peers) within(at *atomic.Int64, most time.Duration) bool {
	return time.Since(p.since)-time.Duration(at.Load()) < most
}

// alone reports whether there is no other server: none begins as long as the lease of this one lasts, unless
// this one has told that it knows of it.
func (p *peers) alone() bool { return !p.others.Load() && p.within(&p.leased, p.as.Lease) }

// current reports whether what was cached about callers holds: this server is alone, or saw lately what the
// others have changed.
func (p *peers) current() bool { return p == nil || p.alone() || p.within(&p.looked, trustFor) }

// KeepPeers keeps this server one of those on its database until ctx ends, and then ends its lease.
func (c *Core) KeepPeers(ctx context.Context) {
	p := c.peers
	if p == nil {
		return
	}
	var telling sync.WaitGroup
	telling.Go(func() { p.tell(ctx) })
	for failing := false; ctx.Err() == nil; {
		err := p.turn(ctx)
		if ctx.Err() != nil {
			break
		}
		if failing != (err != nil) {
			failing = err != nil
			p.report(err)
		}
		if err != nil {
			p.cutOff()
			select {
			case <-ctx.Done():
			case <-time.After(lookPause):
			}
		}
	}
	telling.Wait()
	p.leave()
}

func (p *peers) report(err error) {
	if err == nil {
		p.core.log.Info().Msg("Other servers of the database can be heard again")
		return
	}
	p.core.log.Warn().Err(err).Msg("Other servers of the database cannot be heard, it will be tried again")
}

// cutOff closes what cannot be trusted any more.
func (p *peers) cutOff() {
	if p.listener != nil {
		_ = p.listener.Close()
		p.listener = nil
	}
}

// turn does what is due: listens, renews the lease, reads, and looks after those that are dead.
func (p *peers) turn(ctx context.Context) error {
	if p.listener == nil {
		if err := p.listen(ctx); err != nil {
			return err
		}
		p.contact = time.Now()
	}
	pause := p.as.Lease/renewals - time.Since(p.since) + time.Duration(p.leased.Load())
	if p.others.Load() {
		pause = min(pause, lookPause)
	}
	text, told, err := p.listener.Wait(ctx, max(pause, time.Millisecond))
	if err != nil {
		return err
	}
	if p.others.Load() {
		if err := p.look(ctx); err != nil {
			return err
		}
	}
	if text == joins || text == leaves || !p.within(&p.leased, p.as.Lease/renewals) {
		if _, err := p.renewLease(ctx); err != nil {
			return err
		}
		return p.tend(ctx, text == leaves)
	}
	if told && p.others.Load() {
		select { // what comes now is read together
		case <-ctx.Done():
		case <-time.After(gatherFor / 2):
		}
	}
	return nil
}

// tend ends those that are dead, unless it may be this server that could not hear them, and deletes old messages.
func (p *peers) tend(ctx context.Context, left bool) error {
	dead, err := p.core.db.HasDeadPeers(ctx)
	if err != nil {
		return err
	}
	if left || dead && time.Since(p.contact) > p.as.Lease {
		if err := p.core.SettleAbsent(ctx); err != nil {
			return err
		}
	}
	if time.Since(p.folded) < time.Minute {
		return nil
	}
	p.folded = time.Now()
	return p.core.db.FoldMessages(ctx, keptFor)
}

// listen connects, and goes on where this server was. When it may have missed something, everything that
// was derived from what it heard begins anew.
func (p *peers) listen(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	l, err := p.core.db.Listen(ctx)
	if err != nil {
		return err
	}
	p.listener = l
	gap := time.Since(p.since) - time.Duration(p.looked.Load())
	missed := p.mark == "" || l.Timeline != p.timeline || gap > keptFor/2
	p.timeline = l.Timeline
	first := p.mark == ""
	if missed {
		p.mark = ""
	}
	if !p.others.Load() {
		first = true // there was nobody to be missed
	}
	if err := p.look(ctx); err != nil {
		return err
	}
	if !first {
		if missed {
			p.resync()
		}
		p.core.bus.Publish(bus.Message{Topic: TopicRights})
	}
	return p.prove(ctx)
}

// resync ends all live connections: who comes back asks for what there is.
func (p *peers) resync() {
	p.core.log.Warn().Msg("Messages of other servers may have been missed: live connections begin anew")
	p.core.bus.Publish(bus.Message{Topic: TopicResync})
}

// prove looks whether a notification of this server reaches it. Without one messages come late, but they come.
func (p *peers) prove(ctx context.Context) error {
	text := fmt.Sprintf("proof %d %d", p.id.Load(), time.Now().UnixNano())
	if err := p.core.db.Announce(ctx, text); err != nil {
		return err
	}
	for end := time.Now().Add(proofTime); time.Now().Before(end); {
		got, _, err := p.listener.Wait(ctx, time.Until(end))
		if err != nil {
			return err
		}
		if got == text {
			p.unproven = false
			return nil
		}
	}
	if !p.unproven {
		p.unproven = true
		p.core.log.Warn().Msg("Notifications of PostgreSQL do not arrive: what other servers do is noticed up to half a second late. " +
			"Where a pooler lies between, let uri_listen lead past it")
	}
	return nil
}

// look reads what the others have told since the last time, and passes it on here.
func (p *peers) look(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	at := time.Since(p.since)
	list, next, err := p.listener.Read(ctx, p.mark)
	if err != nil {
		return err
	}
	p.mark = next
	for _, m := range list {
		if !p.own[m.Replica] {
			p.receive(m)
		}
	}
	p.looked.Store(int64(at))
	return nil
}

// leave ends the lease, so that nobody waits for it to end.
func (p *peers) leave() {
	ctx, cancel := context.WithTimeout(context.Background(), askTime)
	defer cancel()
	err := p.core.db.Leave(ctx, p.id.Load())
	if err == nil {
		err = p.core.db.Announce(ctx, leaves)
	}
	if p.listener != nil {
		err = errors.Join(err, p.listener.Close())
	}
	if err != nil {
		p.core.log.Warn().Err(err).Msg("The lease of this server could not be ended, it ends by itself")
	}
}
