package core

import (
	"context"
	"errors"
	"slices"
	"time"

	"vserver/queries"
	"vserver/service/fault"
)

// duty is what a server does in the background again and again.
type duty struct {
	every time.Duration
	do    func(context.Context) error
	fails string // what the log says when it fails
}

// dutyPause is the time between the start and the first duties: who waited for the server to come back is served first.
const dutyPause = 500 * time.Millisecond

func (c *Core) duties() []duty {
	return []duty{
		{sweepPause, c.sweepTexts, "Texts without a result could not be deleted"},
		{eventPause, func(ctx context.Context) error { return c.ForgetEvents(ctx, time.Now().Add(-eventLife)) },
			"Old events could not be deleted"},
		{tallyPause, func(ctx context.Context) error { return c.Tally(ctx, untallied, leftUntallied) },
			"Rows could not be tallied, lists count them meanwhile"},
		{namesPause, c.fillNamePages, "Names of tasks could not be written, lists look for them among the tasks meanwhile"},
		{keyPause, func(ctx context.Context) error { return c.ForgetRequestKeys(ctx, time.Now().Add(-keyLife), mostKeys) },
			"Old keys of requests could not be deleted"},
	}
}

// Tend does the duties until ctx ends, one after another: together they would need a connection and a deep stack each,
// which a server that rests would hold for good. None of them is urgent, so that one with much to do may keep the others
// waiting.
func (c *Core) Tend(ctx context.Context) { c.takeTurns(ctx, dutyPause, c.duties()) }

func (c *Core) takeTurns(ctx context.Context, pause time.Duration, duties []duty) {
	due := slices.Repeat([]time.Time{time.Now().Add(pause)}, len(duties))
	for {
		next := time.NewTimer(time.Until(slices.MinFunc(due, time.Time.Compare)))
		select {
		case <-ctx.Done():
			next.Stop()
			return
		case <-next.C:
		}
		for i, d := range duties {
			if time.Until(due[i]) <= 0 && ctx.Err() == nil {
				c.perform(ctx, d)
				due[i] = time.Now().Add(d.every)
			}
		}
	}
}

// perform does a duty. One that panics keeps the others from nothing.
func (c *Core) perform(ctx context.Context, d duty) {
	err := fault.Caught(func() error { return d.do(ctx) })
	var p *fault.Panic
	switch {
	case errors.As(err, &p):
		c.log.Error().Func(p.Detail).Msg(d.fails + ": it panicked, and will be tried again")
	case err != nil && !errors.Is(err, queries.ErrBusy) && ctx.Err() == nil:
		c.log.Warn().Err(err).Msg(d.fails + ", it will be tried again")
	}
}
