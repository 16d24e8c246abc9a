package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"vserver/service/config"
	"vserver/service/instance"
	"vserver/service/terminal"
)

// named gives a command the options that name a server without its file.
func (f *instanceFlags) named(cmd *cobra.Command) {
	f.scope = config.System
	flags := cmd.Flags()
	flags.StringVarP(&f.name, "name", "n", "", "`NAME` of the server")
	scope(flags, &f.scope, config.System, "the server of the system's folders (default)")
	scope(flags, &f.scope, config.User, "the server of this user's folders")
	completeInstances(cmd)
}

// scopes are those that the command line asks for: both when it names none.
func scopes(cmd *cobra.Command, f instanceFlags) []config.Scope {
	for _, s := range []config.Scope{config.System, config.User} {
		if cmd.Flags().Changed(string(s)) {
			return []config.Scope{f.scope}
		}
	}
	return []config.Scope{config.System, config.User}
}

// choose offers the configurations of a scope, one for each environment (contract 40
// §3). When nobody can be asked, the error names them.
func (p *program) choose(locations config.Locations, scope config.Scope, ask bool) (name, environment string, err error) {
	all, err := locations.List(scope)
	if err != nil {
		return "", "", err
	}
	q := terminal.Question{Title: "Select the configuration you want to use:"}
	var names []string
	for _, l := range all {
		if l.Err != nil {
			continue
		}
		names = append(names, l.Name)
		for _, e := range l.Environments {
			q.Options = append(q.Options, terminal.Option{Label: fmt.Sprintf("%-25s%s", l.Name, e), Value: l.Name + " " + e})
		}
	}
	if len(names) == 0 {
		return "", "", errors.New("No configurations could be found! Name a file with --config")
	}
	answer := ""
	if err = terminal.ErrNoAnswer; ask {
		answer, err = p.in.Ask(p.Console, q)
	}
	if errors.Is(err, terminal.ErrNoAnswer) {
		return "", "", fmt.Errorf("name a configuration with --name or --config; the %s folders have: %s", scope, strings.Join(names, ", "))
	}
	name, environment, _ = strings.Cut(answer, " ")
	return name, environment, err
}

// chooseRunning offers servers that run.
func (p *program) chooseRunning(title string, running []instance.Running) (instance.Running, error) {
	q := terminal.Question{Title: title}
	for _, r := range running {
		q.Options = append(q.Options, terminal.Words(r.FullName())...)
	}
	answer, err := p.in.Ask(p.Console, q)
	if errors.Is(err, terminal.ErrNoAnswer) {
		err = errors.New("name a server with --name")
	}
	for _, r := range running {
		if r.FullName() == answer {
			return r, err
		}
	}
	return instance.Running{}, err
}
