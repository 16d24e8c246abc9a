package cli

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"vserver/service/config"
)

// instanceFlags are the options that choose an instance (contract 40 §3).
type instanceFlags struct {
	name, file, environment string
	scope                   config.Scope
}

// shared gives a command the options that choose an instance.
func (f *instanceFlags) shared(cmd *cobra.Command) {
	f.scope = config.System
	flags := cmd.Flags()
	flags.StringVarP(&f.name, "name", "n", "", "`NAME` of the configuration")
	flags.StringVarP(&f.file, "config", "c", "", "`PATH` of a configuration file; wins over --name")
	flags.StringVarP(&f.environment, "environment", "e", "", "`ENVIRONMENT` within the file: prod, acc, test, dev or application (default prod)")
	scope(flags, &f.scope, config.System, "use the system's folders (default)")
	scope(flags, &f.scope, config.User, "use the folders of this user")
}

// scope adds --system or --user; of several on a line the last one counts.
func scope(flags *pflag.FlagSet, to *config.Scope, word config.Scope, usage string) {
	flags.Var(scopeValue{to, word}, string(word), usage)
	flags.Lookup(string(word)).NoOptDefVal = "true"
}

// scopeValue sets the scope to one word.
type scopeValue struct {
	to   *config.Scope
	word config.Scope
}

// String is empty: the default is said in the usage.
func (v scopeValue) String() string { return "" }

// Type is that of an option without value.
func (v scopeValue) Type() string { return "bool" }

// Set takes the word.
func (v scopeValue) Set(text string) error {
	if text != "true" {
		return errors.New("takes no value")
	}
	*v.to = v.word
	return nil
}

// find finds, chooses and checks the instance.
func (f *instanceFlags) find(p *program) (config.Instance, error) {
	places := config.ThisMachine(p.getenv)
	inst, err := places.Resolve(config.Wanted{Name: f.name, File: f.file, Environment: f.environment, Scope: f.scope})
	if errors.Is(err, config.ErrNothingWanted) {
		return inst, unnamed(places, f.scope)
	}
	return inst, err
}

// unnamed says which instances there are to be named.
func unnamed(places config.Places, scope config.Scope) error {
	all, err := places.List(scope)
	if err != nil {
		return err
	}
	var names []string
	for _, l := range all {
		if l.Err == nil {
			names = append(names, l.Name)
		}
	}
	if len(names) == 0 {
		return errors.New("No configurations could be found! Name a file with --config")
	}
	return fmt.Errorf("name a configuration with --name or --config; the %s folders have: %s", scope, strings.Join(names, ", "))
}

// openRoot tells whether the environment dev or test was asked for by name, which
// lets the first user in from anywhere (SECURITY T22).
func (f *instanceFlags) openRoot() bool { return f.environment == "dev" || f.environment == "test" }
