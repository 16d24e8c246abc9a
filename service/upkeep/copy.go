package upkeep

import (
	"context"
	"fmt"

	"vserver/queries"
	"vserver/service"
	"vserver/service/config"
	"vserver/service/core"
)

// CopyOptions are what a copy decides beside its target.
type CopyOptions struct {
	File string                                // a backup of SQLite to copy in place of the instance's database
	Told func(table string, done, total int64) // hears of every thousand rows
	Show func(to string)                       // hears that it begins, and where it goes
}

// Moved is a copy of a database that was made and proven.
type Moved struct {
	queries.Copied

	To string `json:"to"` // without its password
	// Settings are the lines of the configuration that have it used.
	Settings map[string]string `json:"settings"`
	// KeyFault is why the second factors in the copy cannot be used with those; empty when they can.
	KeyFault string `json:"key_fault,omitempty"`
}

// Copy copies an instance's database, or a backup of it, into an empty one, of either engine. No server
// may use the database meanwhile: this process takes the instance's address for the time.
func Copy(ctx context.Context, locations config.Locations, inst config.Instance, uri config.Secret, o CopyOptions) (Moved, error) {
	target, err := targetOf(locations, inst, uri)
	if err != nil {
		return Moved{}, err
	}
	from, release, err := copiedFrom(ctx, inst, o.File)
	if err != nil {
		return Moved{}, err
	}
	defer release()
	o.Show(target.Database.String())
	return CopyInto(ctx, inst, target, from, o.Told)
}

// targetOf is an instance with its database in another place.
func targetOf(locations config.Locations, inst config.Instance, uri config.Secret) (config.Instance, error) {
	to, err := locations.Database(uri, inst.DataDir)
	if err != nil {
		return inst, fmt.Errorf("--to %w", err)
	}
	inst.Database = to
	return inst, nil
}

// EmptyTarget is an instance with its database in another place, where nothing may be yet but a copy that was cut off.
func EmptyTarget(ctx context.Context, locations config.Locations, inst config.Instance, uri config.Secret) (config.Instance, error) {
	target, err := targetOf(locations, inst, uri)
	if err != nil {
		return target, err
	}
	id, err := queries.RequireOwn(ctx, service.Source(target))
	switch id.Kind {
	case queries.KindUnfinished:
		return target, nil
	case queries.KindOurs:
		return target, &queries.FullError{Place: target.Database.String()}
	default:
		return target, err
	}
}

// CopyInto copies a database to that of the target, and says how the instance comes to use it.
func CopyInto(ctx context.Context, inst, target config.Instance, from queries.Source, told func(table string, done, total int64)) (Moved, error) {
	to := target.Database
	made, err := queries.CopyDatabase(ctx, from, service.Source(target), told)
	if err != nil {
		return Moved{}, fmt.Errorf("copying the database: %w", err)
	}
	moved := Moved{Copied: made, To: to.String(), Settings: map[string]string{"uri": to.String()}}
	if core.HasSealed(made.Secrets) {
		moved.KeyFault = keyFollows(inst, target, moved.Settings)
	}
	return moved, nil
}

// copiedFrom is what is copied, which nobody else uses until release is called.
func copiedFrom(ctx context.Context, inst config.Instance, backup string) (from queries.Source, release func(), err error) {
	if backup != "" {
		from = queries.Source{Engine: queries.SQLite, Path: backup}
		id, err := queries.Identify(ctx, from)
		switch {
		case err != nil:
			return from, nil, fmt.Errorf("reading the backup: %w", err)
		case id.Kind == queries.KindForeign && id.What == queries.PostgresDump:
			return from, nil, fmt.Errorf("%s is a dump of Postgres: restore it into an empty database of Postgres, and copy that one", backup)
		}
		return from, func() {}, noBackup(ctx, backup)
	}
	from = service.Source(inst)
	if err := service.RefuseForeign(ctx, inst); err != nil {
		return from, nil, err
	}
	others, err := queries.OthersConnected(ctx, from)
	if err == nil && others > 0 {
		err = stopFirst(fmt.Errorf("%w: %d other connections", queries.ErrInUse, others))
	}
	if err != nil {
		return from, nil, err
	}
	release, err = occupied(ctx, inst)
	return from, release, err
}

// keyFollows adds the setting by which a server on the copy finds the key of the second factors, where it
// would look elsewhere.
func keyFollows(inst, target config.Instance, settings map[string]string) (fault string) {
	path, own := inst.KeyFile()
	if !own {
		if path == "" && inst.Config.SecretKey == "" {
			return "the configuration names no key of the second factors: set secret_key or secret_key_file to the one that they were sealed with"
		}
		return "" // the configuration goes on naming it
	}
	if there, _ := target.KeyFile(); there != path {
		settings["secret_key_file"] = path
	}
	return ""
}
