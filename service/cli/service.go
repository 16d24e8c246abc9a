package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"vserver/service/config"
	"vserver/service/daemon"
)

// serviceCommand has an instance looked after by the operating system.
func (p *program) serviceCommand() *cobra.Command {
	return group(&cobra.Command{
		Use:   "service",
		Short: "Let the operating system start a server and keep it running",
		Long: "Let the operating system start a server and keep it running: systemd on Linux, launchd on\n" +
			"macOS, the service manager of Windows. With --user it is a service of this user.",
	},
		p.serviceInstallCommand(), p.serviceUninstallCommand(), p.serviceStatusCommand(), p.serviceListCommand(),
		p.serviceVerb("start", "Start the service", "started", daemon.Manager.Start),
		p.serviceVerb("stop", "Stop the service", "stopped", daemon.Manager.Stop),
		p.serviceVerb("restart", "Stop the service if it runs, and start it", "started", daemon.Manager.Restart),
		p.serviceAccountCommand(), p.serviceUnitCommand(),
	)
}

// serviceOf finds the service that the options name. Its configuration may be gone.
func (p *program) serviceOf(f *instanceFlags) (name string, m daemon.Manager, err error) {
	locations := config.ThisMachine(p.getenv)
	name = f.name
	if f.file != "" {
		base := filepath.Base(f.file)
		name = strings.TrimSuffix(base, filepath.Ext(base))
	}
	if name == "" {
		if name, _, err = p.choose(locations, f.scope, true); err != nil {
			return "", nil, err
		}
	}
	if err := config.CheckName(name); err != nil {
		return "", nil, err
	}
	m, err = daemon.ManagerOf(locations, f.scope, name)
	return daemon.UnitName(locations.GOOS, f.scope, name), m, err
}

func (p *program) serviceVerb(verb, short, done string, call func(daemon.Manager) error) *cobra.Command {
	var f instanceFlags
	cmd := &cobra.Command{
		Use:   verb,
		Short: short,
		Args:  nothing,
		RunE: func(*cobra.Command, []string) error {
			name, m, err := p.serviceOf(&f)
			if err != nil {
				return err
			}
			if err := call(m); err != nil {
				return forbidden(err)
			}
			p.Info("Service %s is %s", name, done)
			return p.serviceNow(name, m)
		},
	}
	f.shared(cmd)
	p.jsonFlag(cmd)
	return cmd
}

// serviceNow prints for programs how a service is by now.
func (p *program) serviceNow(name string, m daemon.Manager) error {
	if !p.forPrograms {
		return nil
	}
	state, err := m.Status()
	if err != nil {
		return err
	}
	return p.finish(serviceState{name, state}, nil)
}

// serviceState is a service as programs read it.
type serviceState struct {
	Service string       `json:"service"`
	State   daemon.State `json:"state"`
}

// forbidden adds to an error what most often mends it.
func forbidden(err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%w: do it as administrator (sudo), or with --user for a service of your own", err)
	}
	return err
}

func (p *program) serviceInstallCommand() *cobra.Command {
	var f instanceFlags
	var now bool
	cmd := &cobra.Command{
		Use:   "install",
		Short: "Make a service of an instance, which starts with the machine",
		Long: "Make a service of an instance, which starts with the machine (with --user: when its user logs\n" +
			"in). The service of the system runs as the user " + daemon.Account + ", which is made and given the\n" +
			"instance's data and log. Installing again writes the service anew and keeps it running.",
		Args: nothing,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.registerService(cmd.Context(), &f, now) },
	}
	f.shared(cmd)
	p.jsonFlag(cmd)
	cmd.Flags().BoolVar(&now, "now", false, "start it as well")
	return cmd
}

func (p *program) registerService(ctx context.Context, f *instanceFlags, now bool) error {
	u, inst, err := p.unit(f)
	if err != nil {
		return err
	}
	m, err := daemon.NewManager(u)
	if err != nil {
		return err
	}
	for _, text := range p.hidden(u) {
		p.Warn("%s", text)
	}
	remarks, err := daemon.Register(ctx, daemon.ThisMachine(), m, u, inst)
	if err != nil {
		return forbidden(err)
	}
	for _, text := range remarks {
		p.Warn("%s", text)
	}
	p.Info("Service %s is installed", u.Name)
	if u.Scope == config.User && u.GOOS == "linux" {
		p.Info("It runs while you are logged in; for longer: loginctl enable-linger")
	}
	if now {
		if err := m.Start(); err != nil {
			return err
		}
		p.Info("Service %s is started", u.Name)
	}
	return p.serviceNow(u.Name, m)
}

// unit makes the unit of the instance that the options name, for this program.
func (p *program) unit(f *instanceFlags) (u daemon.Unit, inst config.Instance, err error) {
	if inst, err = f.find(p); err != nil {
		return u, inst, err
	}
	executable, err := os.Executable()
	if err != nil {
		return u, inst, fmt.Errorf("finding this program: %w", err)
	}
	u = daemon.NewUnit(config.ThisMachine(p.getenv), inst, daemon.UnitOptions{
		Executable: executable, ByFile: f.file != "", Environment: f.environment,
	})
	return u, inst, nil
}

// hidden names what this command sees and the service will not.
func (p *program) hidden(u daemon.Unit) []string {
	var texts []string
	for _, name := range []string{"VSERVER_JWT_SECRET_KEY", "VSERVER_ROOT_PASSWORD"} {
		for _, n := range []string{name, name + "_FILE"} {
			if p.getenv(n) != "" && u.Secrets != "" {
				texts = append(texts, fmt.Sprintf("%s is set here, but the service does not see it: write it to %s", n, u.Secrets))
			}
		}
	}
	if u.Scope == config.System && (strings.HasPrefix(u.Executable, "/home/") || strings.HasPrefix(u.Executable, "/root/")) {
		texts = append(texts, fmt.Sprintf("%s lies in a home folder, where %s may not be able to run it", u.Executable, u.Account))
	}
	return texts
}

func (p *program) serviceUninstallCommand() *cobra.Command {
	return p.serviceVerb("uninstall", "Stop the service and forget it; data and configuration stay", "uninstalled", daemon.Unregister)
}

func (p *program) serviceStatusCommand() *cobra.Command {
	var f instanceFlags
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Tell whether the service runs; the exit code is 0 when it does, else 1",
		Args:  nothing,
		RunE: func(*cobra.Command, []string) error {
			name, m, err := p.serviceOf(&f)
			if err != nil {
				return err
			}
			state, err := m.Status()
			if err != nil {
				return err
			}
			if state == daemon.Active {
				p.Info("Service %s is %s", name, state)
			} else {
				p.Warn("Service %s is %s", name, state)
				err = errReported
			}
			return p.finish(serviceState{name, state}, err)
		},
	}
	f.shared(cmd)
	p.jsonFlag(cmd)
	return cmd
}

func (p *program) serviceListCommand() *cobra.Command {
	var f instanceFlags
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the installed services: name, state, environment and file, with tabs between",
		Args:  nothing,
		RunE: func(*cobra.Command, []string) error {
			all, err := daemon.List(config.ThisMachine(p.getenv), f.scope)
			if err != nil {
				return err
			}
			if p.forPrograms {
				return p.finish(append([]daemon.Service{}, all...), nil)
			}
			for _, s := range all {
				if _, err := fmt.Fprintf(p.out, "%s\t%s\t%s\t%s\n", s.Instance, s.State, cmp.Or(s.Environment, "-"), cmp.Or(s.Config, "-")); err != nil {
					return err
				}
			}
			return nil
		},
	}
	f.scope = config.System
	scope(cmd.Flags(), &f.scope, config.System, "services of the system (default)")
	scope(cmd.Flags(), &f.scope, config.User, "services of this user")
	p.jsonFlag(cmd)
	return cmd
}

// serviceAccountCommand is for install.sh and the packages, so that there is one way to
// make the account.
func (p *program) serviceAccountCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "account",
		Short:  "Make the account and the folders of services of the system",
		Args:   nothing,
		Hidden: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return forbidden(daemon.ThisMachine().MakeAccount(cmd.Context(), config.ThisMachine(p.getenv)))
		},
	}
}

// serviceUnitCommand shows the text of a unit; packages are built with it.
func (p *program) serviceUnitCommand() *cobra.Command {
	var f instanceFlags
	var program string
	cmd := &cobra.Command{
		Use:    "unit",
		Short:  "Print what the service manager would be given",
		Args:   nothing,
		Hidden: true,
		RunE: func(*cobra.Command, []string) error {
			u := daemon.PackageUnit(program)
			if program == "" {
				var err error
				if u, _, err = p.unit(&f); err != nil {
					return err
				}
			}
			text, err := u.Text()
			if err == nil {
				_, err = fmt.Fprint(p.out, text)
			}
			return err
		},
	}
	f.shared(cmd)
	cmd.Flags().StringVar(&program, "package", "", "print the unit of packages that put the program at `PATH`")
	return cmd
}
