package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"vserver/service"
	"vserver/service/config"
)

// configCommand groups what there is to do with configuration files.
func (p *program) configCommand() *cobra.Command {
	return group(&cobra.Command{
		Use:   "config",
		Short: "Check, show or explain configuration files",
	}, p.configCheckCommand(), p.configExampleCommand(), p.configShowCommand())
}

// configExampleCommand prints the file that explains every key.
func (p *program) configExampleCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "example",
		Short: "Print a configuration file that explains every key",
		Args:  nothing,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprint(p.out, config.Example())
			return err
		},
	}
}

// configCheckCommand looks for everything that is wrong with a file.
func (p *program) configCheckCommand() *cobra.Command {
	var f instanceFlags
	cmd := &cobra.Command{
		Use:   "check [FILE]",
		Short: "Tell everything that is wrong with a configuration file",
		Long: "Tell everything that is wrong with a configuration file, with the line and the key of each fault.\n" +
			"Every environment is read as a start would, and what a start would refuse on this machine is\n" +
			"refused: an address of another machine, a certificate that cannot be used, a file that is a\n" +
			"folder. Whether a port is free and a database answers only vserver doctor looks at. The exit code\n" +
			"is 1 when there is a fault; warnings alone leave it at 0.",
		Args: cobra.ArbitraryArgs,
		RunE: func(_ *cobra.Command, args []string) error {
			if f.file != "" { // as with every other command
				args = append(args, f.file)
			}
			path, err := p.fileToCheck(f, args)
			if err != nil {
				return err
			}
			return p.reportFindings(path)
		},
	}
	f.named(cmd)
	cmd.Flags().StringVarP(&f.file, "config", "c", "", "`PATH` of the file, instead of FILE")
	p.jsonFlag(cmd)
	return cmd
}

// fileToCheck finds the file, which need not be one that can be used.
func (p *program) fileToCheck(f instanceFlags, args []string) (string, error) {
	switch {
	case len(args) > 1:
		return "", misused("Got unexpected extra argument (%s)", strings.Join(args[1:], " "))
	case len(args) == 1 && f.name != "":
		return "", misused("Name a file or an instance, not both.")
	case len(args) == 1:
		if info, err := os.Stat(args[0]); err != nil {
			return "", fmt.Errorf("config %s not found", args[0])
		} else if info.IsDir() {
			return "", fmt.Errorf("config %s is a folder: name a file in it", args[0])
		}
		return args[0], nil
	}
	locations := config.ThisMachine(p.getenv)
	if f.name == "" {
		var err error
		if f.name, _, err = p.choose(locations, f.scope, true); err != nil {
			return "", err
		}
	}
	for _, dir := range []string{locations.Folders(f.scope, f.name).Config, locations.WorkDir} {
		path := filepath.Join(dir, f.name+".yaml")
		if _, err := os.Stat(path); err == nil {
			return path, config.CheckName(f.name)
		}
	}
	_, err := locations.Resolve(config.Wanted{Name: f.name, Scope: f.scope})
	return "", err
}

// reportFindings prints what a check finds; a fault makes the command fail.
func (p *program) reportFindings(path string) error {
	report, err := config.ThisMachine(p.getenv).Check(path, service.Refusals)
	if err != nil {
		return err
	}
	found := struct {
		File     string           `json:"file"`
		Usable   []string         `json:"usable"` // environments that can be started
		Faults   config.Faults    `json:"faults"`
		Warnings []config.Warning `json:"warnings"`
	}{path, append([]string{}, report.Usable...), append(config.Faults{}, report.Faults...), append([]config.Warning{}, report.Warnings...)}
	for _, w := range report.Warnings {
		p.Warn("%s", w)
	}
	for _, fault := range report.Faults {
		p.Error(fault.Error())
	}
	if len(report.Usable) > 0 {
		p.Info("%s: can be started: %s", path, strings.Join(report.Usable, ", "))
	}
	if len(report.Faults) > 0 {
		err = errReported
	}
	return p.finish(found, err)
}
