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
	cmd := &cobra.Command{
		Use:   "migrate",
		Short: "Show or do the changes that this release needs in the database",
		Args:  noSuchCommand,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },

		SuggestionsMinimumDistance: 2,
	}
	cmd.AddCommand(p.migrateStatusCommand(), p.migrateUpCommand())
	return cmd
}

func (p *program) migrateStatusCommand() *cobra.Command {
	var f instanceFlags
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show the version of the database's schema and what is to be changed",
		Args:  nothing,
		RunE: func(cmd *cobra.Command, _ []string) error {
			inst, err := f.find(p)
			if err != nil {
				return err
			}
			state, err := upkeep.CompareSchema(cmd.Context(), inst)
			if err != nil {
				return err
			}
			return p.schemaState(inst, state)
		},
	}
	f.shared(cmd)
	p.jsonFlag(cmd)
	return cmd
}

// schemaState tells the state; a schema that is too new makes the command fail.
func (p *program) schemaState(inst config.Instance, s upkeep.SchemaState) (err error) {
	if p.forPrograms {
		defer func() { err = errors.Join(err, p.json(s)) }()
	}
	if !s.Exists {
		p.info("There is no database %s yet", inst.Database)
		return nil
	}
	p.info("Database %s has schema version %d, this program knows up to %d", inst.Database, s.Has, s.Knows)
	switch {
	case s.Has > s.Knows:
		return errors.New("the database is newer than this program: install the release that wrote it, or a newer one")
	case len(s.Pending) == 0:
		p.info("There is nothing to change")
	default:
		p.info("To change: %s", strings.Join(s.Pending, ", "))
	}
	return nil
}

func (p *program) migrateUpCommand() *cobra.Command {
	var f instanceFlags
	cmd := &cobra.Command{
		Use:   "up",
		Short: "Bring the database's schema up to date, after a snapshot",
		Long: "Bring the database's schema up to date, as the start of a server does.\n\n" +
			"Of an SQLite database a snapshot is kept beside it first, the last three of them;\n" +
			"for Postgres make a backup yourself. The server must be stopped.",
		Args: nothing,
		RunE: func(cmd *cobra.Command, _ []string) error {
			inst, err := f.find(p)
			if err != nil {
				return err
			}
			return p.migrateUp(cmd.Context(), inst)
		},
	}
	f.shared(cmd)
	p.jsonFlag(cmd)
	return cmd
}

func (p *program) migrateUp(ctx context.Context, inst config.Instance) error {
	if err := p.idle(inst); err != nil {
		return err
	}
	snapshot, err := upkeep.Migrate(ctx, inst)
	if err != nil {
		return err
	}
	if snapshot != "" {
		p.info("The database as it was is kept in %s", snapshot)
	}
	state, err := upkeep.CompareSchema(ctx, inst)
	if err != nil {
		return err
	}
	return p.schemaState(inst, state)
}

// idle refuses to touch the database of a server that runs.
func (p *program) idle(inst config.Instance) error {
	if r, ok := instance.Find(config.ThisMachine(p.getenv), inst.Scope, inst.Name); ok {
		return fmt.Errorf("Server %s is running: stop it first", r.Name)
	}
	return nil
}
