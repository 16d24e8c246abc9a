package core

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"vserver/queries"
	"vserver/service/bus"
	"vserver/service/fault"
)

// withPeers is Core.transact where there may be other servers: what it has to tell is stored with what it writes.
func (p *peers) withPeers(ctx context.Context, f func(ctx context.Context, t *Tx) error) error {
	var t *Tx
	told := false
	decided := func() {
		if t != nil && t.alone {
			p.deciding.Add(-1)
		}
	}
	err := p.core.db.InTx(ctx, func(ctx context.Context, q *queries.Tx) error {
		decided() // a try before
		t, told = &Tx{Tx: q, core: p.core}, false
		if err := f(ctx, t); err != nil || len(t.out) == 0 {
			return err
		}
		if t.isAlone() {
			return nil
		}
		told = true
		return t.AddMessage(ctx, p.id.Load(), string(mustJSON(t.out)))
	})
	decided()
	if err != nil && fault.Is(err, fault.Unknown) {
		p.core.bus.Publish(t.out...) // others hear of it if it is stored; here nobody can tell
	}
	if told && (err == nil || fault.Is(err, fault.Unknown)) {
		p.stir(func() { p.pending = true })
	}
	return err
}

// spread passes on what no transaction stands behind, here and to the other servers.
func (c *Core) spread(messages ...bus.Message) {
	c.bus.Publish(messages...)
	if p := c.peers; p != nil && p.others.Load() {
		p.stir(func() { p.outbox = append(p.outbox, messages...) })
	}
}

func (p *peers) stir(change func()) {
	p.mu.Lock()
	change()
	p.mu.Unlock()
	select {
	case p.stirred <- struct{}{}:
	default: // somebody is waiting for it already
	}
}

// tell announces what transactions have left, and tells what none stands behind, together with all that comes
// within a moment.
func (p *peers) tell(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			p.tellNow(context.WithoutCancel(ctx))
			return
		case <-p.stirred:
		}
		p.tellNow(ctx)
		select {
		case <-ctx.Done():
		case <-time.After(gatherFor):
		}
	}
}

func (p *peers) tellNow(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	p.mu.Lock()
	out, pending := p.outbox, p.pending
	p.outbox, p.pending = nil, false
	p.mu.Unlock()
	var err error
	switch {
	case len(out) > 0:
		err = p.core.db.TellMessage(ctx, p.id.Load(), string(mustJSON(out)))
	case pending:
		err = p.core.db.Announce(ctx, "")
	}
	if err != nil {
		p.core.log.Warn().Err(err).Msg("Other servers of the database could not be told of news: what is stored they find by themselves")
	}
}

// receive passes on here what another server told.
func (p *peers) receive(m queries.Told) {
	var list []bus.Message
	if err := json.Unmarshal([]byte(m.Body), &list); err != nil {
		p.core.log.Error().Err(err).Msgf("Message %d of another server could not be read", m.ID)
		return
	}
	p.core.bus.Publish(list...)
}

// SettleAbsent forgets servers that are dead, and stores and announces as offline who has a live connection to none
// that is there (/docs/live#presence).
func (c *Core) SettleAbsent(ctx context.Context) error {
	var gone []int64
	err := c.transact(ctx, func(ctx context.Context, t *Tx) (err error) {
		gone, err = t.EndAbsent(ctx, eventNodeOffline)
		return err
	})
	if err != nil {
		return fmt.Errorf("storing who is gone as offline: %w", err)
	}
	if len(gone) == 0 {
		return nil
	}
	return c.announceAbsent(ctx, gone)
}
