package core

import (
	"context"
	"errors"

	"vserver/service/access"
)

// storeAttendance stores whether an account has a live connection to this server, where there may be others, and reports
// whether one who leaves has one to another server.
func (t *Tx) storeAttendance(ctx context.Context, account int64, status string) (elsewhere bool, err error) {
	p := t.core.peers
	switch {
	case p == nil:
		return false, nil
	case status == online:
		return false, t.Attend(ctx, account, p.id.Load())
	}
	return t.EndAttendance(ctx, account, p.id.Load())
}

// attendAgain stores anew who is connected here, after others have forgotten it.
func (c *Core) attendAgain(ctx context.Context) error {
	var errs []error
	for _, id := range c.presence.present() {
		a := c.presence.hold(id, 0)
		a.turn.Lock()
		a.stored = ""
		_, err := c.settle(ctx, id, a)
		errs = append(errs, err)
		a.turn.Unlock()
		c.presence.release(id, a)
	}
	return errors.Join(errs...)
}

// present lists the accounts with a connection.
func (p *presence) present() []int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	var list []int64
	for id, a := range p.by {
		if a.connections > 0 {
			list = append(list, id)
		}
	}
	return list
}

// announceAbsent tells rooms that nodes went whose server died.
func (c *Core) announceAbsent(ctx context.Context, accounts []int64) error {
	rooms, err := c.Standings(ctx, accounts)
	if err != nil {
		return err
	}
	for _, id := range accounts {
		who, err := c.Identify(ctx, access.Node, id)
		if err != nil {
			continue // a user, or gone
		}
		c.announceOffline(who.Actor, rooms[id].Rooms)
	}
	c.log.Info().Msgf("%d accounts are offline: their server is gone", len(accounts))
	return nil
}
