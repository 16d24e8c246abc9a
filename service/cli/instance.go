package cli

import (
	"cmp"
	"context"
	"errors"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"vserver/service/config"
)

// instanceFlags are the options that choose an instance (/docs/commands#choose).
type instanceFlags struct {
	name, file, environment string
	scope                   config.Scope
	inputTaken              bool // the input is not for answers: nobody is asked for an instance
	// userLevel is what the option --user is called where that one names a user.
	userLevel string
}

// shared adds the options to a command that choose an instance.
func (f *instanceFlags) shared(cmd *cobra.Command) {
	f.scope = config.System
	flags := cmd.Flags()
	flags.StringVarP(&f.name, "name", "n", "", "`NAME` of the configuration")
	flags.StringVarP(&f.file, "config", "c", "", "`PATH` of a configuration file; wins over --name")
	flags.StringVarP(&f.environment, "environment", "e", "", "`ENVIRONMENT` within the file: prod, acc, test, dev or application (default prod)")
	scope(flags, &f.scope, config.System, "use the system's folders (default)")
	scopeCalled(flags, &f.scope, config.User, cmp.Or(f.userLevel, string(config.User)), "use the folders of this user")
	completeInstances(cmd)
}

// onInstance completes a command that works on one instance, with the options that
// choose it. The result of run is what programs read, nil for nothing.
func (p *program) onInstance(cmd *cobra.Command, f *instanceFlags, run func(ctx context.Context, inst config.Instance, args []string) (result any, err error)) *cobra.Command {
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		inst, err := f.find(p)
		if err != nil {
			return err
		}
		return p.finish(run(cmd.Context(), inst, args))
	}
	f.shared(cmd)
	p.jsonFlag(cmd)
	return cmd
}

// scope adds --system or --user; of several on a line the last one counts.
func scope(flags *pflag.FlagSet, to *config.Scope, word config.Scope, usage string) {
	scopeCalled(flags, to, word, string(word), usage)
}

// scopeCalled is scope for an option that is called otherwise.
func scopeCalled(flags *pflag.FlagSet, to *config.Scope, word config.Scope, name, usage string) {
	flags.Var(scopeValue{to, word}, name, usage)
	flags.Lookup(name).NoOptDefVal = "true"
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

// find finds, chooses and checks the instance; when none is named somebody is asked.
func (f *instanceFlags) find(p *program) (config.Instance, error) {
	locations := config.ThisMachine(p.getenv)
	if f.name == "" && f.file == "" {
		var err error
		if f.name, f.environment, err = p.choose(locations, f.scope, !f.inputTaken); err != nil {
			return config.Instance{}, err
		}
	}
	return locations.Resolve(config.Wanted{Name: f.name, File: f.file, Environment: f.environment, Scope: f.scope})
}

// rootFromAnywhere reports whether asking for an environment by name lets the first user
// in from anywhere (/docs/security#t22).
func rootFromAnywhere(environment string) bool {
	return environment == "dev" || environment == "test"
}
