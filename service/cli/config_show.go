package cli

import (
	"context"

	"github.com/spf13/cobra"

	"vserver/service/config"
	"vserver/service/yaml"
)

// configShowCommand prints the settings that a server would run with.
func (p *program) configShowCommand() *cobra.Command {
	return p.onInstance(&cobra.Command{
		Use:   "show",
		Short: "Show the settings in effect, with defaults and without secrets",
		Long: "Show the settings that a server would run with: those of the chosen environment, with what the\n" +
			"process's environment changes and with defaults. Secrets are shown as ***.",
		Args: nothing,
	}, &instanceFlags{}, func(_ context.Context, inst config.Instance, _ []string) (any, error) {
		if p.forPrograms {
			return overview(inst), nil
		}
		text, err := yaml.Encode(overview(inst))
		if err == nil {
			_, err = p.out.Write(text)
		}
		return nil, err
	})
}

// overview lists the settings of an instance under the keys of its file, behind where
// it is kept. What the file can leave out stands there with its default.
func overview(inst config.Instance) yaml.Pairs {
	return yaml.Pairs{
		{Key: "name", Value: inst.Name},
		{Key: "scope", Value: inst.Scope},
		{Key: "file", Value: inst.File},
		{Key: "environment", Value: inst.Config.Environment},
		{Key: "data_folder", Value: inst.DataDir},
		{Key: "log_file", Value: inst.LogFile},
		{Key: "database", Value: inst.Database.String()},
		{Key: "settings", Value: inst.Config.InEffect()},
	}
}
