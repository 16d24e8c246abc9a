package core

import (
	"context"
	"fmt"
	"time"

	"vserver/queries"
)

// KeepRun notes that a run id was chosen by hand, so that no other task gets it later: run ids
// never go back, because nodes name shared folders after the run (/docs/tasks#create).
func (t *Tx) KeepRun(ctx context.Context, run int64) error {
	if err := t.RaiseRun(ctx, run); err != nil {
		return fmt.Errorf("keeping a run id: %w", err)
	}
	return nil
}

// HighestRun returns the highest run id ever given out, 0 before the first.
func (c *Core) HighestRun(ctx context.Context) (int64, error) {
	n, err := c.db.LastRun(ctx)
	if err != nil {
		return 0, fmt.Errorf("reading the highest run: %w", err)
	}
	return n, nil
}

// extentPause is the time between two looks for counts in many rows.
const extentPause = time.Second

// TendExtents keeps the numbers of tasks and results quick to read, until ctx ends.
func (c *Core) TendExtents(ctx context.Context) {
	if c.db.Engine != queries.Postgres {
		return
	}
	tick := time.NewTicker(extentPause)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := c.db.FoldExtents(ctx); err != nil && ctx.Err() == nil {
			c.log.Warn().Err(err).Msg("The numbers of tasks could not be summed up, it will be tried again")
		}
	}
}
