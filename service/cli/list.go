package cli

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"vserver/service/config"
	"vserver/service/instance"
)

// listCommand shows the configurations and whether they run.
func (p *program) listCommand() *cobra.Command {
	var running bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the available server instances",
		Args:  nothing,
		RunE: func(*cobra.Command, []string) error {
			if running {
				return p.listRunning()
			}
			locations := config.ThisMachine(p.getenv)
			found, failed, err := instance.ListInstances(locations)
			if err != nil {
				return err
			}
			if !p.forPrograms {
				p.table(found)
			}
			if len(failed) > 0 {
				p.Warn("Failed imports: %d", len(failed))
			}
			for _, text := range failed {
				p.Debug("%s", text)
			}
			p.warnOfHidden(locations)
			return p.finish(found, nil)
		},
	}
	cmd.Flags().BoolVar(&running, "running", false,
		"only what runs: name, level, environment, file and program, with tabs between")
	p.jsonFlag(cmd)
	return cmd
}

// listRunning prints the servers that run, for scripts.
func (p *program) listRunning() error {
	all := instance.FindOnMachine(config.ThisMachine(p.getenv), config.System, config.User)
	if p.forPrograms {
		return p.finish(append([]instance.Running{}, all...), nil)
	}
	for _, r := range all {
		if _, err := fmt.Fprintf(p.out, "%s\t%s\t%s\t%s\t%s\n", r.Name, r.Scope, r.Environment, r.Config, cmp.Or(r.Program, "-")); err != nil {
			return err
		}
	}
	return nil
}

// table prints the rows in fixed widths (/docs/commands#list).
func (p *program) table(rows []instance.Listed) {
	const name, environments, status = 25, 32, 16
	line := strings.Repeat("-", 85)
	say := func(format string, args ...any) { _, _ = fmt.Fprintf(p.out, format+"\n", args...) }
	say("")
	say("%-*s%-*s%-*sSystem/User", name, "Name", environments, "Environments", status, "Status")
	say("%s", line)
	for _, r := range rows {
		scope, state, colour := "System ", "Offline", p.Bad
		if r.Scope == config.User {
			scope = "User   "
		}
		if r.Running {
			state, colour = "Online", p.Good
		}
		// Colours take no place on the screen, so the blanks come behind them.
		padding := strings.Repeat(" ", status-len(state))
		say("%-*s%-*s%s%s %s", name, r.Name, environments, "['"+strings.Join(r.Environments, "', '")+"']", colour(state), padding, scope)
		if !r.Running {
			say("  %s", r.File)
		}
		for _, server := range r.Servers {
			say("  %s", server.Describe())
		}
	}
	say("%s", line)
}
