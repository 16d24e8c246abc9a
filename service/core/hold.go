package core

import (
	"context"
	"time"

	"vserver/service/fault"
)

const (
	// holdFor is how long a request of a node is held while the storage is full or away:
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
		if !StoragePasses(err) || !time.Now().Before(until) {
			return err
		}
		if !told {
			told = true
			c.log.Warn().Err(err).Msg("A request of a node cannot be carried out: it is held until it can be")
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(holdPause):
		}
	}
}

// StoragePasses reports whether what failed may go well later, because the storage is full or away.
func StoragePasses(err error) bool {
	state := StorageFault(err)
	return fault.Is(state, fault.Full) || fault.Is(state, fault.Busy) || fault.Is(state, fault.Unknown)
}
