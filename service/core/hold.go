package core

import (
	"context"
	"time"

	"vserver/service/fault"
)

const (
	// holdFor is how long what a node says of a result is held while it cannot be stored:
	// nodes repeat a request that broke off, and give up after one that was refused
	// (/docs/results#held).
	holdFor = time.Minute
	// holdPause is the time between two tries.
	holdPause = 500 * time.Millisecond
)

// HoldUntil is how long a request of a node that begins now may be held.
func (c *Core) HoldUntil() time.Time { return time.Now().Add(c.set.HoldFor) }

// Hold tries again until a moment what the storage does not take: it is full, or away.
func (c *Core) Hold(ctx context.Context, until time.Time, try func(context.Context) error) error {
	for told := false; ; {
		err := try(ctx)
		state := StorageFault(err)
		passes := fault.Is(state, fault.Full) || fault.Is(state, fault.Busy) || fault.Is(state, fault.Unknown)
		if !passes || !time.Now().Before(until) {
			return err
		}
		if !told {
			told = true
			c.log.Warn().Err(err).Msg("What a node says of a result cannot be stored: it is held until it can be")
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(holdPause):
		}
	}
}
