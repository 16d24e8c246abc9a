package upkeep

import (
	"context"
	"fmt"
	"os"

	"vserver/queries"
	"vserver/service"
	"vserver/service/config"
	"vserver/service/core"
)

// keyPlace tells where the key of second factors is, empty when there is none yet.
func keyPlace(inst config.Instance) string {
	path, own := inst.KeyFile()
	switch {
	case path != "" && own:
		if _, err := os.Stat(path); err != nil {
			return ""
		}
	case path == "" && inst.Config.SecretKey != "":
		return "secret_key of the configuration"
	}
	return path
}

// keyFits reports whether the second factors in a database can be used with the key that there
// is. A database of another schema is not looked into.
func keyFits(ctx context.Context, inst config.Instance) error {
	return inDatabase(ctx, inst, func(db *queries.DB) error {
		return core.CheckKey(ctx, db, service.KeyOf(inst))
	})
}

// inDatabase opens a database that is there with the present schema, so that nothing is changed.
func inDatabase(ctx context.Context, inst config.Instance, look func(*queries.DB) error) error {
	s, err := ReadSchema(ctx, inst)
	if err != nil || s.Has == 0 || s.Has != s.Knows {
		return err
	}
	db, err := queries.Open(ctx, service.Source(inst))
	if err != nil {
		return fmt.Errorf("opening the database: %w", err)
	}
	defer func() { _ = db.Close() }()
	return look(db)
}

// secondFactor looks whether the second factors of users can be used, and who has one.
func (e examination) secondFactor(ctx context.Context) []Finding {
	if !e.inst.Config.TwoFactorAuth {
		return skipped("two_factor_auth is not on")
	}
	var users, with int64
	err := inDatabase(ctx, e.inst, func(db *queries.DB) (err error) {
		if err = core.CheckKey(ctx, db, service.KeyOf(e.inst)); err != nil {
			return err
		}
		if with, err = db.CountSecondFactors(ctx); err != nil {
			return fmt.Errorf("counting second factors: %w", err)
		}
		if users, err = db.CountUsers(ctx); err != nil {
			return fmt.Errorf("counting users: %w", err)
		}
		return nil
	})
	if err != nil {
		return failing("see what it says, and the check of the database", err)
	}
	found := sound("%d of %d users have confirmed a second factor", with, users)
	if key := keyPlace(e.inst); with > 0 && key != "" {
		found[0].Text += "; keep a copy of its key apart from the backups: " + key
	}
	return found
}
