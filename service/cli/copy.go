package cli

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"vserver/service/config"
	"vserver/service/upkeep"
)

// copyFlags are the options of `vserver copy`.
type copyFlags struct {
	instanceFlags
	to, from string
}

// copyCommand copies a database into an empty one of either engine.
func (p *program) copyCommand() *cobra.Command {
	var f copyFlags
	cmd := p.onInstance(&cobra.Command{
		Use:   "copy",
		Short: "Copy the database into an empty one, also from SQLite to PostgreSQL and back",
		Long: "Copy the database into an empty one, also from SQLite to PostgreSQL and back, prove the copy\n" +
			"row by row, and show the lines of the configuration to change. The database itself is only\n" +
			"read, and stays. The server must be stopped.\n\n" +
			"A copy that is cut off can be repeated: of SQLite a file has its name only when it is whole, and\n" +
			"in PostgreSQL no server uses what is unfinished. A password that URI lacks is taken from\n" +
			"PGPASSWORD or a file .pgpass, and then not seen by those who list processes.",
		Args: nothing,
		PreRunE: func(*cobra.Command, []string) error {
			if f.to == "" {
				return misused("--to is needed")
			}
			return nil
		},
	}, &f.instanceFlags, func(ctx context.Context, inst config.Instance, _ []string) (any, error) {
		if f.from == "" {
			if err := p.idle(inst); err != nil {
				return nil, err
			}
		}
		return p.copyDatabase(ctx, inst, f)
	})
	flags := cmd.Flags()
	flags.StringVar(&f.to, "to", "", "`URI` of the new database, as in the configuration")
	flags.StringVar(&f.from, "from", "", "`FILE` of a backup of SQLite to copy in place of the database")
	return cmd
}

func (p *program) copyDatabase(ctx context.Context, inst config.Instance, f copyFlags) (any, error) {
	from := inst.Database.String()
	if f.from != "" {
		from = f.from
	}
	bar := p.meter("rows")
	made, err := upkeep.Copy(ctx, config.ThisMachine(p.getenv), inst, config.Secret(f.to), upkeep.CopyOptions{
		File: f.from, Told: func(_ string, done, total int64) { bar.draw("copying", done, total) },
		Show: func(to string) { p.Info("Copying %s to %s", from, to) },
	})
	if err != nil {
		return nil, err
	}
	p.showMoved(inst, made)
	return made, nil
}

// showMoved prints what was copied, and what to change in the configuration.
func (p *program) showMoved(inst config.Instance, made upkeep.Moved) {
	p.Info("Copied and proven: %d rows of %d tables, schema version %d", made.Rows, len(made.Tables), made.Version)
	if len(made.LeftOut) > 0 {
		p.Warn("Not copied, since they are not of this server: %s", strings.Join(made.LeftOut, ", "))
	}
	p.Info("To use the copy, set in %s, environment %s:", inst.File, inst.Config.Environment)
	for _, key := range slices.Backward(slices.Sorted(maps.Keys(made.Settings))) {
		_, _ = fmt.Fprintf(p.Console.Out, "    %s: %s\n", key, made.Settings[key])
	}
	if strings.Contains(made.To, "***") {
		p.Info("with the password in place of ***")
	}
	if made.KeyFault != "" {
		p.Warn("A start with two_factor_auth will be refused: %s", made.KeyFault)
	}
}
