package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"vserver/service/config"
	"vserver/service/instance"
	"vserver/service/upkeep"
)

// migrateCommand shows and does changes of the database's schema.
func (p *program) migrateCommand() *cobra.Command {
	return group(&cobra.Command{
		Use:   "migrate",
		Short: "Show or do the changes that this release needs in the database",
	}, p.migrateStatusCommand(), p.migrateUpCommand())
}

func (p *program) migrateStatusCommand() *cobra.Command {
	return p.onInstance(&cobra.Command{
		Use:   "status",
		Short: "Show the version of the database's schema and what is to be changed",
		Args:  nothing,
	}, &instanceFlags{}, func(ctx context.Context, inst config.Instance, _ []string) (any, error) {
		return p.compareSchema(ctx, inst)
	})
}

// compareSchema shows what a database has and this program knows.
func (p *program) compareSchema(ctx context.Context, inst config.Instance) (any, error) {
	state, err := upkeep.ReadSchema(ctx, inst)
	if err != nil {
		return nil, err
	}
	return state, p.schemaState(inst, state)
}

// schemaState prints the state; a schema that is too new makes the command fail.
func (p *program) schemaState(inst config.Instance, s upkeep.SchemaState) error {
	if !s.Exists {
		p.Info("There is no database %s yet", inst.Database)
		return nil
	}
	p.Info("Database %s has schema version %d, this program knows up to %d", inst.Database, s.Has, s.Knows)
	switch {
	case s.Has > s.Knows:
		return errors.New("the database is newer than this program: install the release that wrote it, or a newer one")
	case len(s.Pending) == 0:
		p.Info("There is nothing to change")
	default:
		p.Info("To change: %s", strings.Join(s.Pending, ", "))
	}
	return nil
}

func (p *program) migrateUpCommand() *cobra.Command {
	return p.onInstance(&cobra.Command{
		Use:   "up",
		Short: "Bring the database's schema up to date, after a snapshot",
		Long: "Bring the database's schema up to date, as the start of a server does.\n\n" +
			"Of an SQLite database a snapshot is kept beside it first, the last three of them;\n" +
			"for Postgres make a backup yourself. The server must be stopped.",
		Args: nothing,
	}, &instanceFlags{}, func(ctx context.Context, inst config.Instance, _ []string) (any, error) {
		if err := p.idle(inst); err != nil {
			return nil, err
		}
		if _, err := p.takeOverFirst(ctx, inst); err != nil {
			return nil, err
		}
		snapshot, err := upkeep.Migrate(ctx, inst)
		if err != nil {
			return nil, err
		}
		if snapshot != "" {
			p.Info("The database as it was is kept in %s", snapshot)
		}
		return p.compareSchema(ctx, inst)
	})
}

// idle refuses to touch the database of a server that runs.
func (p *program) idle(inst config.Instance) error {
	if r, ok := instance.Find(config.ThisMachine(p.getenv), inst); ok {
		return fmt.Errorf("Server %s is running: stop it first", r.Name)
	}
	return nil
}
