package takeover

import (
	"context"
	"errors"
	"fmt"
	"os"

	"vserver/queries"
	"vserver/service"
	"vserver/service/config"
	"vserver/service/upkeep"
)

// To takes the database of an instance over into another place, of either engine, which has to be empty. The old one is
// left as it is, and where it is.
func To(ctx context.Context, locations config.Locations, inst config.Instance, uri config.Secret, o Options) (r Report, m upkeep.Moved, err error) {
	target, err := upkeep.EmptyTarget(ctx, locations, inst, uri)
	if err != nil {
		return r, m, err
	}
	into := func(from queries.Source) error {
		m, err = upkeep.CopyInto(ctx, inst, target, from, func(_ string, done, total int64) {
			if o.Progress != nil {
				o.Progress("copying", done, total)
			}
		})
		return err
	}
	if inst.Database.Engine == config.SQLite {
		r, err = fileTo(ctx, inst, o, into)
	} else {
		r, err = schemaTo(ctx, inst, o, into)
	}
	return r, m, err
}

// fileTo builds a new database beside an SQLite file, to be copied, and removes it.
func fileTo(ctx context.Context, inst config.Instance, o Options, into func(queries.Source) error) (r Report, err error) {
	at, err := siteOf(inst.Database.Path)
	if err != nil {
		return r, err
	}
	if at.unfinished() || at.parted() {
		return r, fmt.Errorf("a takeover of %s was cut off within its last step: vserver takeover --back puts the old one in its place first", at.file)
	}
	src := queries.Source{Engine: queries.SQLite, Path: at.file}
	release, err := queries.Occupy(src, fmt.Sprintf("a takeover (process %d)", os.Getpid()))
	if err != nil {
		return r, err
	}
	defer release()
	old, before, err := at.openUnused(ctx, inst)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, old.Close(), at.clear()) }()
	fresh := queries.Source{Engine: queries.SQLite, Path: at.fresh}
	c, err := at.buildFresh(ctx, inst, old, before, o)
	if err != nil {
		return r, err
	}
	return c.reported(inst, o), into(fresh)
}

// schemaTo does so beside tables of Postgres.
func schemaTo(ctx context.Context, inst config.Instance, o Options, into func(queries.Source) error) (r Report, err error) {
	src := service.Source(inst)
	if err := unusedSchema(ctx, inst, src); err != nil {
		return r, err
	}
	old, err := queries.OpenOld(ctx, src, true)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, old.Close()) }()
	if err := queries.Stage(ctx, src); err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, queries.Unstage(context.WithoutCancel(ctx), src)) }()
	c, err := build(ctx, inst, old, queries.Staged(src), o)
	if err != nil {
		return r, err
	}
	return c.reported(inst, o), into(queries.Staged(src))
}
