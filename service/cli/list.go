package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"vserver/service/config"
	"vserver/service/instance"
)

// listCommand shows the configurations and whether they run.
func (p *program) listCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the available server instances",
		Args:  nothing,
		RunE: func(*cobra.Command, []string) error {
			found, failed, err := p.instances()
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
			return p.finish(found, nil)
		},
	}
	p.jsonFlag(cmd)
	return cmd
}

// listed is a row of the list.
type listed struct {
	Name         string       `json:"name"`
	Environments []string     `json:"environments"`
	Running      bool         `json:"running"`
	Scope        config.Scope `json:"scope"`
	File         string       `json:"file"`
	URL          string       `json:"url,omitempty"` // of the REST routes, while it runs
}

// instances finds the configurations of both scopes, and what is wrong with those
// that cannot be used. Servers that run with a file from elsewhere come last.
func (p *program) instances() (found []listed, failed []string, err error) {
	locations := config.ThisMachine(p.getenv)
	found = []listed{}
	for _, scope := range []config.Scope{config.System, config.User} {
		all, err := locations.List(scope)
		if err != nil {
			return nil, nil, err
		}
		for _, l := range all {
			if l.Err != nil {
				failed = append(failed, l.Err.Error())
				continue
			}
			r, running := instance.Find(locations, scope, l.Name)
			found = append(found, listed{l.Name, l.Environments, running, scope, l.File, r.URL})
		}
	}
	for _, r := range instance.FindAll(locations, config.System, config.User) {
		known := func(l listed) bool { return l.Name == r.Name && l.Scope == r.Scope }
		if !slices.ContainsFunc(found, known) {
			found = append(found, listed{r.Name, []string{r.Environment}, true, r.Scope, r.Config, r.URL})
		}
	}
	return found, failed, nil
}

// table prints the rows in the widths of contract 40 §4.6.
func (p *program) table(rows []listed) {
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
	}
	say("%s", line)
}
