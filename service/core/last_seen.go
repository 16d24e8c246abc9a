package core

import (
	"context"
	"fmt"
	"sync"

	"vserver/queries"
)

// seen collects when accounts were last heard of, to be written in batches: a read
// request must not wait for a write (contract 10 §2.6).
type seen struct {
	mu sync.Mutex
	at map[int64]queries.Time
}

func newSeen() *seen { return &seen{at: map[int64]queries.Time{}} }

// Saw notes that a user or node was heard of now; FlushSeen writes it.
func (c *Core) Saw(account int64) {
	c.seen.mu.Lock()
	defer c.seen.mu.Unlock()
	c.seen.at[account] = queries.Now()
}

// FlushSeen writes what Saw noted since the last time.
func (c *Core) FlushSeen(ctx context.Context) error {
	c.seen.mu.Lock()
	at := c.seen.at
	c.seen.at = map[int64]queries.Time{}
	c.seen.mu.Unlock()
	if len(at) == 0 {
		return nil
	}
	err := c.db.InTx(ctx, func(ctx context.Context, tx *queries.Tx) error {
		for id, t := range at {
			if err := tx.SetLastSeen(ctx, &t, id); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("writing when accounts were last seen: %w", err)
	}
	return nil
}
