package cli

import (
	"context"
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"vserver/service"
	"vserver/service/config"
	"vserver/service/instance"
)

// versionFlags are the options of `vserver version`.
type versionFlags struct {
	instanceFlags
	program bool
}

// versionCommand prints the versions of a running server and of this program.
func (p *program) versionCommand() *cobra.Command {
	var f versionFlags
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Show the versions of a running server and of this program",
		Args:  nothing,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.versions(cmd, f)
		},
	}
	f.running(cmd)
	cmd.Flags().BoolVar(&f.program, "program", false, "only tell about this program; no server needs to run")
	p.jsonFlag(cmd)
	return cmd
}

// versions prints, for a server that does not run, only the version of this program.
func (p *program) versions(cmd *cobra.Command, f versionFlags) error {
	if f.program {
		return p.programVersion()
	}
	locations := config.ThisMachine(p.getenv)
	in := scopes(cmd, f.instanceFlags)
	if f.name == "" && f.file == "" && len(instance.FindAll(locations, in...)) == 0 {
		p.Warn("No servers are running: this is the version of the program alone")
		p.warnOfHidden(locations)
		return p.programVersion()
	}
	r, err := p.serving(in, f.instanceFlags, "Select the server you wish to inspect:")
	if err != nil {
		return err
	}
	if r.PID == 0 {
		p.Error(fmt.Sprintf("Server %s is not running! Cannot provide version...", p.Bad(r.FullName())))
		p.warnOfHidden(locations)
		return nil
	}
	return p.serverVersion(cmd.Context(), r)
}

// serverVersion prints what the server answers beside the version of this program, in
// the form of /docs/commands#version.
func (p *program) serverVersion(ctx context.Context, r instance.Running) error {
	server, err := instance.NewClient(r.URL, r.Certificate).Version(ctx)
	if err != nil {
		return fmt.Errorf("Server %s does not answer: %w", r.FullName(), err)
	}
	own, _ := service.Version()
	if p.forPrograms {
		return p.finish(map[string]string{"server": server, "cli": own}, nil)
	}
	_, err = fmt.Fprintf(p.out, "{'server': '%s', 'cli': '%s'}\n", server, own)
	return err
}

// programVersion prints the version of this program.
func (p *program) programVersion() error {
	version, commit := service.Version()
	if commit == "" {
		commit = "unknown"
	}
	platform := runtime.GOOS + "/" + runtime.GOARCH
	if p.forPrograms {
		return p.finish(map[string]string{
			"cli": version, "commit": commit, "platform": platform, "go": runtime.Version(), "emulates": service.Emulates,
		}, nil)
	}
	_, err := fmt.Fprintf(p.out, "vserver %s\ncommit  %s\nbuilt   for %s by %s\nspeaks  as release %s of the reference\n",
		version, commit, platform, runtime.Version(), service.Emulates)
	return err
}
