package core

import (
	"context"
	"fmt"

	"vserver/queries"
)

// What the shell needs beside Batch.

// HashNewPassword gives the stored form of a password, at the cost that is set.
func (c *Core) HashNewPassword(ctx context.Context, password string) (string, error) {
	return c.hash(ctx, password)
}

// PasswordMatches compares a password with a stored form; nil matches nothing.
func (c *Core) PasswordMatches(ctx context.Context, stored *string, password string) (bool, error) {
	return c.matches(ctx, stored, password)
}

// HighestRun gives the highest run id ever given out, 0 before the first.
func (c *Core) HighestRun(ctx context.Context) (int64, error) {
	n, err := c.db.HighestRun(ctx, runCounter)
	if err != nil {
		return 0, fmt.Errorf("reading the highest run: %w", err)
	}
	return n, nil
}

// KeepRun notes within a transaction of Batch that a run id was chosen by hand, so
// that no task gets it later.
func KeepRun(ctx context.Context, q *queries.Tx, run int64) error {
	if err := q.RaiseRun(ctx, run, runCounter); err != nil {
		return fmt.Errorf("keeping a run id: %w", err)
	}
	return nil
}
