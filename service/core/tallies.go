package core

import (
	"context"
	"fmt"
	"time"
)

// Tallies are the numbers of rows for values that lists are filtered by: those of all rows up to an id, which the
// database keeps from then on (/docs/wire#paging). What has come since is counted each time.
const (
	tallyPause = 10 * time.Second
	// A list of tasks or results counts no more rows than these and what comes within the pause.
	untallied = 10_000
	// leftUntallied are the newest rows, whose status still changes.
	leftUntallied = 5_000
	// tallyStep is how many ids are added at a time: nobody else writes meanwhile.
	tallyStep = 20_000
	// tallyRows is how many rows of tallies there may be before they are summed up.
	tallyRows = 20_000
)

// Tally adds rows to the tallies when there are more than some that are in none, but for the newest.
func (c *Core) Tally(ctx context.Context, more, left int64) error {
	due, err := c.db.TalliesDue(ctx)
	if err != nil {
		return fmt.Errorf("looking for what is to be tallied: %w", err)
	}
	for _, of := range []struct {
		table, counter string
		done, last     int64
		add            func(t *Tx, ctx context.Context, after, till int64) error
	}{
		{"task", "tallied_tasks", due.TalliedTasks, due.Tasks, func(t *Tx, ctx context.Context, after, till int64) error { return t.TallyTasks(ctx, after, till) }},
		{"result", "tallied_results", due.TalliedResults, due.Results, func(t *Tx, ctx context.Context, after, till int64) error { return t.TallyResults(ctx, after, till) }},
	} {
		if of.last-of.done <= more {
			continue
		}
		for till := of.done; till < of.last-left; {
			till = min(till+tallyStep, of.last-left)
			err := c.transact(ctx, func(ctx context.Context, t *Tx) error {
				if err := c.db.HoldRows(ctx, t.Tx, of.table); err != nil {
					return err
				}
				done, err := t.Tallied(ctx, of.counter) // another server may have been here
				if err != nil || done >= till {
					return err
				}
				return firstError(of.add(t, ctx, done, till), t.SetTallied(ctx, of.counter, till))
			})
			if err != nil {
				return fmt.Errorf("tallying rows of table %s: %w", of.table, err)
			}
		}
	}
	if due.Written <= tallyRows {
		return nil
	}
	return c.sumTallies(ctx)
}

// sumTallies makes one row of those for the same value.
func (c *Core) sumTallies(ctx context.Context) error {
	err := c.transact(ctx, func(ctx context.Context, t *Tx) error {
		if err := c.db.HoldRows(ctx, t.Tx, "tally"); err != nil {
			return err
		}
		till, err := t.LastTally(ctx)
		if err != nil {
			return err
		}
		if err := t.SumTallies(ctx, till); err != nil {
			return err
		}
		return t.DropTallies(ctx, till)
	})
	if err != nil {
		return fmt.Errorf("summing up tallies: %w", err)
	}
	return nil
}
