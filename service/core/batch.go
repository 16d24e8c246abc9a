package core

import (
	"context"
	"fmt"

	"vserver/queries"
)

// Batch runs f in one transaction for those who hold the database itself and judge
// no permission: the import and the shell. What was cached about callers is
// forgotten after the commit, here and by every server on the database (WatchOthers).
func (c *Core) Batch(ctx context.Context, f func(ctx context.Context, q *queries.Tx) error) error {
	return c.inTx(ctx, func(ctx context.Context, t *tx) error {
		t.rightsChanged()
		// First, so that whoever compares before writing sees what the one before
		// has written: batches take turns on Postgres as well.
		if err := t.CountChange(ctx); err != nil {
			return fmt.Errorf("counting a change: %w", err)
		}
		return f(ctx, t.Tx)
	})
}

// Wipe removes everything within a transaction of Batch and makes anew what a first
// start makes (contract 40 §4.10); rootHash is what HashRootPassword gave. The
// caller has checked that the configuration allows it.
func (c *Core) Wipe(ctx context.Context, q *queries.Tx, rootHash string) error {
	if err := c.db.Wipe(ctx, q); err != nil {
		return fmt.Errorf("emptying the database: %w", err)
	}
	return c.prepare(ctx, &tx{Tx: q, core: c}, rootHash)
}
