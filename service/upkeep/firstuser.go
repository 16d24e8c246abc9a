package upkeep

import (
	"context"
	"errors"
	"fmt"

	"github.com/rs/zerolog"

	"vserver/queries"
	"vserver/service"
	"vserver/service/config"
)

// MakeFirstUser does to a database what a first start does, so that its first user has
// the root password of the configuration from the beginning. It reports whether there
// was no user before: an existing one keeps the password it has.
func MakeFirstUser(ctx context.Context, inst config.Instance, log zerolog.Logger) (made bool, err error) {
	db, err := queries.Open(ctx, service.Source(inst))
	if err != nil {
		return false, fmt.Errorf("opening the database: %w", err)
	}
	users, err := db.CountUsers(ctx)
	if err = errors.Join(err, db.Close()); err != nil || users > 0 {
		return false, err
	}
	opened, err := service.OpenInstance(ctx, inst, false, log)
	if err != nil {
		return false, err
	}
	return true, opened.Close()
}
