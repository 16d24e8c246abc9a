package cli

import (
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"vserver/service/config"
)

// strictCompletion makes the library's command for completion refuse what it does not
// know, as all others do.
func strictCompletion(root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	if cmd, _, err := root.Find([]string{"completion"}); err == nil && cmd != root {
		cmd.Args = noSuchCommand
		cmd.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
		cmd.SuggestionsMinimumDistance = root.SuggestionsMinimumDistance
		for _, shell := range cmd.Commands() {
			shell.Args = nothing
		}
	}
}

// completeInstances lets a shell complete the options that choose an instance.
func completeInstances(cmd *cobra.Command) {
	for name, complete := range map[string]cobra.CompletionFunc{
		"name":        completeNames,
		"environment": cobra.FixedCompletions(config.EnvironmentNames, cobra.ShellCompDirectiveNoFileComp),
		"config": func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return []string{"yaml"}, cobra.ShellCompDirectiveFilterFileExt
		},
	} {
		if cmd.Flags().Lookup(name) != nil {
			_ = cmd.RegisterFlagCompletionFunc(name, complete) // fails only for a second function
		}
	}
}

// completeNames offers the names of the configurations in the scope of the line.
func completeNames(cmd *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
	scope := config.System
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if v, ok := f.Value.(scopeValue); ok {
			scope = v.word
		}
	})
	all, err := config.ThisMachine(os.Getenv).List(scope)
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var names []string
	for _, l := range all {
		if l.Err == nil && strings.HasPrefix(l.Name, begun) {
			names = append(names, l.Name)
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
