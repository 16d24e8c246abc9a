package cli

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"vserver/service/config"
	"vserver/service/instance"
	"vserver/service/terminal"
)

// running adds the options to a command that choose a running server.
func (f *instanceFlags) running(cmd *cobra.Command) {
	f.named(cmd)
	flags := cmd.Flags()
	flags.StringVarP(&f.file, "config", "c", "", "`PATH` of the configuration that the server runs with, at any level; wins over --name")
	flags.StringVarP(&f.environment, "environment", "e", "", "`ENVIRONMENT` of the server, where several of that name or file run")
	completeInstances(cmd)
}

// named adds the options to a command that name a server without its file.
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

// choose offers the configurations of a scope, one for each environment
// (/docs/commands#choose). When nobody answers, they have been shown.
func (p *program) choose(locations config.Locations, scope config.Scope, ask bool) (name, environment string, err error) {
	all, err := locations.List(scope)
	if err != nil {
		return "", "", err
	}
	q := terminal.Question{Title: "Select the configuration you want to use:"}
	var names []string
	var useless []error
	for _, l := range all {
		if l.Err != nil {
			useless = append(useless, l.Err)
			continue
		}
		names = append(names, l.Name)
		for _, e := range l.Environments {
			q.Options = append(q.Options, terminal.Option{Label: fmt.Sprintf("%-25s%s", l.Name, e), Value: l.Name + " " + e})
		}
	}
	if len(names) == 0 {
		err := errors.New("No configurations could be found! Name a file with --config")
		return "", "", errors.Join(append([]error{err}, useless...)...)
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

// finder is instance.FindAll, or instance.FindOnMachine.
type finder func(config.Locations, ...config.Scope) []instance.Running

// meant lists the servers that run and that the command line may mean.
func (f *instanceFlags) meant(locations config.Locations, find finder, in []config.Scope) []instance.Running {
	if f.file != "" {
		in = []config.Scope{config.System, config.User}
	}
	file := config.RealPath(absolute(locations, f.file))
	running := slices.DeleteFunc(find(locations, in...), func(r instance.Running) bool {
		if f.file != "" {
			return r.Config != file
		}
		return f.name != "" && (r.Name != f.name || r.Scope != f.scope)
	})
	within := slices.DeleteFunc(slices.Clone(running), func(r instance.Running) bool { return r.Environment != f.environment })
	if len(within) > 0 && (f.name != "" || f.file != "") {
		return within
	}
	return running
}

func absolute(locations config.Locations, path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(locations.WorkDir, path)
}

// chooseRunning offers servers that run. When nobody answers, they have been shown.
func (p *program) chooseRunning(f instanceFlags, title string, running []instance.Running) (instance.Running, error) {
	q := terminal.Question{Title: title}
	for _, r := range running {
		value := r.FullName()
		if shared(running, r) {
			value += " " + r.Environment + " " + r.Config
		}
		label := fmt.Sprintf("%s  %s", r.FullName(), r.Describe())
		q.Options = append(q.Options, terminal.Option{Label: label, Value: value})
	}
	answer, err := p.in.Ask(p.Console, q)
	if errors.Is(err, terminal.ErrNoAnswer) {
		text := "name a server with --name"
		if f.name != "" || f.file != "" {
			text = fmt.Sprintf("several servers are called %s: say which with --config and --environment", running[0].Name)
		}
		err = errors.New(text)
	}
	for i, o := range q.Options {
		if o.Value == answer {
			return running[i], err
		}
	}
	return instance.Running{}, err
}

// shared reports whether several servers have the full name of one.
func shared(running []instance.Running, one instance.Running) bool {
	return slices.ContainsFunc(running, func(r instance.Running) bool {
		return r.PID != one.PID && r.FullName() == one.FullName()
	})
}

// warnOfHidden tells that servers may run which this account cannot see.
func (p *program) warnOfHidden(locations config.Locations) {
	if why := instance.Unseen(locations); why != nil {
		p.Warn("Servers of the system are not seen: %s", why)
	}
}
