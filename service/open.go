package service

import (
	"context"
	"fmt"
	"os"

	"github.com/rs/zerolog"

	"vserver/queries"
	"vserver/service/bus"
	"vserver/service/config"
	"vserver/service/core"
	"vserver/service/vpn"
)

// Sighting is what a database was seen to be.
type Sighting = queries.Sighting

// Opened is an instance's database with its use cases. Whoever opens it serves it,
// imports into it or looks at it; none of them needs the others.
type Opened struct {
	Core *core.Core
	DB   *queries.DB
	Bus  *bus.Bus
}

// Source is where an instance's data lies.
func Source(inst config.Instance) queries.Source {
	return queries.Source{
		Engine: queries.Engine(inst.Database.Engine), Path: inst.Database.Path, DSN: inst.Database.DSN.Reveal(), Direct: inst.Database.Direct.Reveal(), Pooler: queries.Pooler(inst.Config.Pooler),
	}
}

// BeAlone makes this process the one server of an instance's SQLite database until release is
// called, or whatever else wants to be alone there; what says which of them. The error is a
// queries.ServedError that names who is there already.
func BeAlone(inst config.Instance, what string) (release func(), err error) {
	return queries.Occupy(Source(inst), fmt.Sprintf("%s %s, environment %s (process %d, configuration %s)",
		what, inst.Name, inst.Config.Environment, os.Getpid(), inst.File))
}

// RefuseForeign refuses an instance's database, with a queries.ForeignError, when it is neither empty nor
// of this program (/docs/operating#foreign).
func RefuseForeign(ctx context.Context, inst config.Instance) error {
	return refuseAnother(ctx, Source(inst))
}

func refuseAnother(ctx context.Context, src queries.Source) error {
	if _, err := queries.RequireOwn(ctx, src); err != nil {
		return fmt.Errorf("opening the database: %w", queries.Named(err))
	}
	return nil
}

// RequireStandby refuses a PostgreSQL without a synchronous standby where the configuration wants one
// (/docs/reliability#failover).
func RequireStandby(ctx context.Context, inst config.Instance) error {
	if inst.Config.Sync != config.SyncRequired || inst.Database.Engine != config.Postgres {
		return nil
	}
	if err := queries.RequireSynchronousStandby(ctx, inst.Database.DSN.Reveal()); err != nil {
		return fmt.Errorf("opening the database: %w", err)
	}
	return nil
}

// ServerOf names the server of an instance's SQLite database; it is empty when there is
// none.
func ServerOf(inst config.Instance) string { return queries.ServedBy(Source(inst)) }

// OpenInstance opens the database of an instance and does all that a first start does to it
// (/docs/permissions#start), so that every command may be the first to touch it.
// rootFromAnywhere is core.Settings.RootFromAnywhere. The caller closes it.
func OpenInstance(ctx context.Context, inst config.Instance, rootFromAnywhere bool, log zerolog.Logger) (*Opened, error) {
	return OpenAt(ctx, inst, Source(inst), rootFromAnywhere, log)
}

// OpenAt is OpenInstance for a database that is not yet in its place, or of which more is known.
func OpenAt(ctx context.Context, inst config.Instance, src queries.Source, rootFromAnywhere bool, log zerolog.Logger) (*Opened, error) {
	log.Debug().Str("engine", string(inst.Database.Engine)).Str("host", inst.Database.Host).
		Str("name", inst.Database.Name).Msg("Opening the database")
	db, err := queries.Open(ctx, src)
	if err != nil {
		return nil, fmt.Errorf("opening the database: %w", err)
	}
	if db.Snapshot != "" {
		log.Info().Msgf("The schema of the database was changed for this release; as it was before it is kept in %s", db.Snapshot)
	}
	for _, file := range db.Restricted {
		log.Warn().Msgf("Other accounts of this machine had rights to %s: they have none any more", file)
	}
	news := bus.New(log)
	c, err := core.New(ctx, db, news, log, core.Settings{
		MaxFailedAttempts: inst.Config.PasswordPolicy.MaxFailedAttempts,
		LockFor:           inst.Config.PasswordPolicy.Inactivation,
		RootPassword:      inst.Config.RootPassword.Reveal(),
		RootFromAnywhere:  rootFromAnywhere,
		SecondFactor:      inst.Config.TwoFactorAuth,
		Key:               KeyOf(inst),
		TextLimit:         inst.Config.Limits.PayloadBytes(),
		Mail:              inst.Config.SMTP.Configured,
		RecoveryLife:      inst.Config.EmailTokenLife,
		VPN:               portalOf(inst.Config),
	})
	if err != nil {
		_ = db.Close()
		return nil, err
	}
	return &Opened{Core: c, DB: db, Bus: news}, nil
}

// portalOf returns the portal of the configuration, nil when there is none.
func portalOf(c config.Config) *vpn.Portal {
	if c.VPN == nil {
		return nil
	}
	return vpn.New(*c.VPN)
}

// Close ends what is being written and closes the database.
func (o *Opened) Close() error { return o.DB.Close() }
