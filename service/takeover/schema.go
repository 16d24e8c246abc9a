package takeover

import (
	"context"
	"errors"
	"fmt"
	"time"

	"vserver/queries"
	"vserver/service"
	"vserver/service/config"
)

// takeSchema takes the tables of a 3.x server on Postgres over.
func takeSchema(ctx context.Context, inst config.Instance, o Options) (r Report, err error) {
	src := service.Source(inst)
	if err := unusedSchema(ctx, inst, src); err != nil {
		return r, err
	}
	old, err := queries.OpenOld(ctx, src, true)
	if err != nil {
		return r, err
	}
	defer func() { _ = old.Close() }() // after the exchange there is nothing to undo
	if err := queries.Stage(ctx, src); err != nil {
		return r, err
	}
	c, err := build(ctx, inst, old, queries.Staged(src), o)
	if err != nil {
		return r, errors.Join(err, queries.Unstage(context.WithoutCancel(ctx), src))
	}
	r = c.reported(inst, o)
	kept, err := old.Exchange(ctx, src, "v3_"+time.Now().Format("20060102"))
	if err != nil {
		_ = old.Close()
		return r, errors.Join(err, queries.Unstage(context.WithoutCancel(ctx), src))
	}
	r.Kept = "schema " + kept
	return r, nil
}

// unusedSchema refuses a database that somebody else uses.
func unusedSchema(ctx context.Context, inst config.Instance, src queries.Source) error {
	who, err := queries.OthersOf(ctx, src)
	if err != nil {
		return err
	}
	if who != "" {
		return fmt.Errorf("%w: %s: stop the old server, and whatever else is connected, then try again", queries.ErrInUse, who)
	}
	return addressFree(ctx, inst)
}
