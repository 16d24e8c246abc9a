package takeover

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rs/zerolog"

	"vserver/queries"
	"vserver/service"
	"vserver/service/config"
	"vserver/service/core"
)

// Options are what a takeover is told.
type Options struct {
	// Zone is that of the old server, for the times that it wrote in its own.
	Zone *time.Location
	// Complete gives roles the rules that later releases gave to roles of their names.
	Complete bool
	Log      zerolog.Logger
	// Progress is told how far a step is; nil: nobody looks.
	Progress func(step string, done, total int64)
}

// The steps that Progress is told.
const (
	stepCarry = "carrying rows"
	stepProve = "proving"
)

func (o Options) tell(step string) func(done, total int64) {
	if o.Progress == nil {
		return nil
	}
	return func(done, total int64) { o.Progress(step, done, total) }
}

// zoneName names the zone to people.
func (o Options) zoneName() string {
	if o.Zone != time.Local {
		return o.Zone.String()
	}
	name, _ := time.Now().Zone()
	return "this machine (" + name + ")"
}

// Wanted reports whether a configuration leads to the database of a 3.x server, or to one whose takeover was cut off
// within its last step.
func Wanted(ctx context.Context, inst config.Instance) (bool, error) {
	wanted, _, err := WantedBefore(ctx, inst)
	return wanted, err
}

// WantedBefore is Wanted for a server that is about to start, which need not look for itself what its database is.
func WantedBefore(ctx context.Context, inst config.Instance) (bool, *queries.Sighting, error) {
	src := service.Source(inst)
	if src.Engine == queries.SQLite {
		if at, err := siteOf(src.Path); err == nil && at.unfinished() {
			return true, nil, nil
		}
	}
	id, seen, err := queries.See(ctx, src)
	return id.Kind == queries.KindReference, seen, err
}

// Look says what a takeover would do, and changes nothing.
func Look(ctx context.Context, inst config.Instance, o Options) (Report, error) {
	if inst.Database.Engine == config.SQLite {
		if at, err := siteOf(inst.Database.Path); err == nil && at.parted() {
			return Report{}, fmt.Errorf("a way back to %s was cut off: run vserver takeover --back again first", at.file)
		}
	}
	old, err := queries.OpenOld(ctx, service.Source(inst), false)
	if err != nil {
		return Report{}, err
	}
	defer func() { _ = old.Close() }()
	c, err := convert(ctx, old, nil, o.Zone, o.tell("reading"))
	if err != nil {
		return Report{}, err
	}
	r := c.reported(inst, o)
	if inst.Database.Engine == config.SQLite {
		at, err := siteOf(inst.Database.Path)
		if err != nil {
			return r, err
		}
		r.Needs.Free, err = at.free()
		if err != nil {
			return r, err
		}
		r.Holder = holderOf(at.file)
	} else if r.Holder, err = queries.OthersOf(ctx, service.Source(inst)); err != nil {
		return r, err
	}
	return r, nil
}

// reported is what a conversion found.
func (c *conversion) reported(inst config.Instance, o Options) Report {
	return Report{
		Database: inst.Database.String(), Generation: c.old.Generation, Zone: o.zoneName(),
		Tables: c.tables, Changes: c.notes.list(), Lacking: append([]Lacking{}, c.lacking...), Needs: needs(c.old.Bytes, c.total),
	}
}

// needs estimates what a takeover of so many bytes and rows takes.
func needs(bytes, rows int64) Needs {
	const (
		rowsASecond  = 25_000
		bytesASecond = 40 << 20
		spare        = 16 << 20
	)
	return Needs{Bytes: bytes + bytes/4 + spare, Seconds: 1 + rows/rowsASecond + bytes/bytesASecond}
}

// Do takes the database of an instance over.
func Do(ctx context.Context, inst config.Instance, o Options) (r Report, err error) {
	begun := time.Now()
	if inst.Database.Engine == config.SQLite {
		r, err = takeFile(ctx, inst, o)
	} else {
		r, err = takeSchema(ctx, inst, o)
	}
	r.Seconds = time.Since(begun).Seconds()
	return r, err
}

// build fills a new database from an old one, and proves it.
func build(ctx context.Context, inst config.Instance, old *queries.Old, src queries.Source, o Options) (*conversion, error) {
	to, err := queries.NewLoader(ctx, src)
	if err != nil {
		return nil, fmt.Errorf("making the new database: %w", err)
	}
	c, err := convert(ctx, old, to, o.Zone, o.tell(stepCarry))
	if err == nil && old.Engine == queries.Postgres {
		err = to.AddTextsOf(ctx, old, c.told(o.tell("carrying texts"), int64(len(c.results.ids))))
	}
	if err == nil {
		err = complete(ctx, to, c)
	}
	counted := to.Counted()
	if err = errors.Join(err, to.Close()); err != nil {
		return nil, err
	}
	if err := old.Compare(ctx, src, counted, c.told(o.tell(stepProve), int64(len(c.results.ids)))); err != nil {
		return nil, fmt.Errorf("proving the new database: %w", err)
	}
	return c, open(ctx, inst, src, c, o)
}

// told passes on how much is done of a total.
func (c *conversion) told(tell func(done, total int64), total int64) func(int64) {
	return func(done int64) {
		if tell != nil {
			tell(min(done, total), total)
		}
	}
}

// complete makes what is made of rows, and has ids go on above the highest ever seen.
func complete(ctx context.Context, to *queries.Loader, c *conversion) error {
	if err := to.Finish(ctx); err != nil {
		return err
	}
	for table, id := range c.highest {
		if err := to.GoOnAbove(ctx, table, id); err != nil {
			return err
		}
	}
	return to.Prove(ctx)
}

// open has the new database opened as a server does at its start: rules and roles are completed, secrets sealed.
func open(ctx context.Context, inst config.Instance, src queries.Source, c *conversion, o Options) (err error) {
	at, err := service.OpenAt(ctx, inst, src, false, zerolog.Nop())
	if err != nil {
		return fmt.Errorf("opening the new database: %w", err)
	}
	defer func() { err = errors.Join(err, at.Close()) }()
	if _, err := at.Core.SealSecrets(ctx); errors.Is(err, core.ErrNoKey) {
		c.notes.add(kind{"second factors", "they stay as they were stored, readable: " + err.Error()}, inst.Name)
	} else if err != nil {
		return err
	}
	if !o.Complete {
		return nil
	}
	if err := at.Core.CompleteRoles(ctx, c.complete); err != nil {
		return err
	}
	for _, l := range c.lacking {
		c.notes.add(kind{"roles without rules that later releases gave to roles of their name", "completed, as --complete-roles asks"}, named(l.ID, l.Name))
	}
	c.lacking = nil
	return nil
}
