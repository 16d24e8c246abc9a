package cli

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"vserver/service/config"
	"vserver/service/terminal"
	"vserver/service/upkeep"
)

// backupCommand copies an instance's database.
func (p *program) backupCommand() *cobra.Command {
	var yes bool
	cmd := p.onInstance(&cobra.Command{
		Use:   "backup TARGET",
		Short: "Copy the database to a file or into a folder, and check the copy",
		Long: "Copy the database to a file or into a folder, and check the copy.\n\n" +
			"The server may run meanwhile. In a folder the copy is named after the configuration,\n" +
			"the environment and the time. An SQLite database becomes one SQLite file; for Postgres\n" +
			"the program pg_dump is run, and shown. Only the owner may read the copy. An older backup of\n" +
			"that name is replaced with --yes alone, or when somebody agrees, and kept as TARGET.previous.\n" +
			"The key that seals second factors is not in the copy; where it is, is shown.",
		Args: oneArgument("TARGET"),
	}, &instanceFlags{}, func(ctx context.Context, inst config.Instance, args []string) (any, error) {
		p.Info("Copying the database %s", inst.Database)
		made, err := upkeep.Backup(ctx, inst, args[0], time.Now(), upkeep.BackupOptions{
			Show: p.running, Replace: func(file string) error { return p.consent(yes, "replace the backup "+file) },
		})
		if err != nil {
			return nil, err
		}
		p.Info("Copied and checked: %s, %d bytes, schema version %d", made.File, made.Size, made.Version)
		if made.Key != "" {
			p.Info("The key of the second factors is not in it, keep a copy of it in another place: %s", made.Key)
		}
		return made, nil
	})
	yesFlag(cmd, &yes)
	return cmd
}

// yesFlag adds the option that agrees to what is asked otherwise.
func yesFlag(cmd *cobra.Command, yes *bool) {
	cmd.Flags().BoolVarP(yes, "yes", "y", false, "replace or remove what is there without being asked")
}

// consent asks somebody at a terminal before data is replaced or removed. Elsewhere
// --yes has to be given.
func (p *program) consent(yes bool, what string) error {
	if yes {
		return nil
	}
	if !p.in.Terminal {
		return fmt.Errorf("to %s, give --yes", what)
	}
	answer, err := p.in.Ask(p.Console, terminal.Question{
		Title: strings.ToUpper(what[:1]) + what[1:] + "?", Confirm: true, Standard: terminal.No,
	})
	if err == nil && answer != terminal.Yes {
		err = terminal.ErrCancelled
	}
	return err
}

// restoreCommand puts a backup in the place of an instance's database.
func (p *program) restoreCommand() *cobra.Command {
	return p.onInstance(&cobra.Command{
		Use:   "restore FILE_",
		Short: "Put a backup in the place of the database",
		Long: "Put a backup in the place of the database.\n\n" +
			"The server must be stopped. The backup is checked first, and what the database held\n" +
			"is kept in a file beside it, for Postgres in the data folder. The key that seals second\n" +
			"factors is not touched; when the backup was made with another one, that is told.",
		Args: oneFile,
	}, &instanceFlags{}, func(ctx context.Context, inst config.Instance, args []string) (any, error) {
		if err := p.idle(inst); err != nil {
			return nil, err
		}
		p.Info("Checking %s", args[0])
		done, err := upkeep.Restore(ctx, inst, args[0], time.Now(), p.running)
		if err != nil {
			return nil, err
		}
		if done.Safety != "" {
			p.Info("What the database held is kept in %s", done.Safety)
		}
		p.Info("Restored the database %s, schema version %d", inst.Database, done.Version)
		if done.KeyFault != "" {
			p.Warn("The next start with two_factor_auth will be refused: %s", done.KeyFault)
		}
		return done, nil
	})
}

// running shows a command that runs on behalf of the user.
func (p *program) running(command string) { p.Info("Running: %s", command) }

// oneArgument wants exactly one argument.
func oneArgument(name string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		switch len(args) {
		case 0:
			return misused("Missing argument '%s'.", name)
		case 1:
			return nil
		}
		return misused("Got unexpected extra argument (%s)", strings.Join(args[1:], " "))
	}
}
