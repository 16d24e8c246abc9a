package core

import (
	"context"
	"fmt"
)

// NextRun takes the next run id. Run ids never go back, because nodes name shared
// folders after the run (/docs/tasks#create).
func (t *Tx) NextRun(ctx context.Context) (int64, error) {
	run, err := t.TakeRun(ctx)
	if err != nil {
		return 0, fmt.Errorf("numbering a run: %w", err)
	}
	return run, nil
}

// KeepRun notes that a run id was chosen by hand, so that no other task gets it later.
func (t *Tx) KeepRun(ctx context.Context, run int64) error {
	if err := t.RaiseRun(ctx, run); err != nil {
		return fmt.Errorf("keeping a run id: %w", err)
	}
	return nil
}

// HighestRun returns the highest run id ever given out, 0 before the first.
func (c *Core) HighestRun(ctx context.Context) (int64, error) {
	n, err := c.db.GetHighestRun(ctx)
	if err != nil {
		return 0, fmt.Errorf("reading the highest run: %w", err)
	}
	return n, nil
}
