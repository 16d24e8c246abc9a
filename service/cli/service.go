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
		p.serviceInstallCommand(), p.serviceStatusCommand(), p.serviceListCommand(),
		p.serviceVerb("uninstall", "Stop the service and forget it; data and configuration stay", "uninstalled", daemon.Unregister),
		p.serviceVerb("start", "Start the service", "started", daemon.Manager.Start),
		p.serviceVerb("stop", "Stop the service", "stopped", daemon.Manager.Stop),
		p.serviceVerb("restart", "Stop the service if it runs, and start it", "started", daemon.Manager.Restart),
		p.serviceAccountCommand(), p.serviceUnitCommand(),
	)
}

// onService completes a command that works on the service of one instance, whose
// configuration may be gone. The result of run is what programs read.
func (p *program) onService(cmd *cobra.Command, run func(name string, m daemon.Manager) (result any, err error)) *cobra.Command {
	var f instanceFlags
	cmd.Args = nothing
	cmd.RunE = func(*cobra.Command, []string) error {
		instance, err := p.instanceName(&f)
		if err != nil {
			return err
		}
		locations := config.ThisMachine(p.getenv)
		m, err := daemon.ManagerOf(locations, f.scope, instance)
		if err != nil {
			return err
		}
		return p.finish(run(daemon.UnitName(locations.GOOS, f.scope, instance), m))
	}
	f.shared(cmd)
	p.jsonFlag(cmd)
	return cmd
}

// instanceName is the name that the options give, or somebody chooses. A file says which
// service is meant, whatever that is called.
func (p *program) instanceName(f *instanceFlags) (name string, err error) {
	locations := config.ThisMachine(p.getenv)
	name = f.name
	if f.file != "" {
		name = cmp.Or(p.getenv("VANTAGE6_CONFIG_NAME"), stem(f.file))
		name, err = daemon.NameFor(locations, f.scope, absolute(locations, f.file), f.environment, name)
	} else if name == "" {
		name, _, err = p.choose(locations, f.scope, true)
	}
	if err != nil {
		return "", err
	}
	return name, config.CheckName(name)
}

// stem is the name of a configuration file without its ending.
func stem(file string) string {
	base := filepath.Base(file)
	return strings.TrimSuffix(base, filepath.Ext(base))
}

func (p *program) serviceVerb(verb, short, done string, call func(daemon.Manager) error) *cobra.Command {
	return p.onService(&cobra.Command{Use: verb, Short: short}, func(name string, m daemon.Manager) (any, error) {
		if err := call(m); err != nil {
			return nil, forbidden(err)
		}
		p.Info("Service %s is %s", name, done)
		return p.serviceNow(name, m)
	})
}

// serviceNow is how a service is by now, for programs.
func (p *program) serviceNow(name string, m daemon.Manager) (any, error) {
	if !p.forPrograms {
		return nil, nil
	}
	state, err := m.Status()
	if err != nil {
		return nil, err
	}
	return serviceState{name, state}, nil
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
	cmd := p.onInstance(&cobra.Command{
		Use:   "install",
		Short: "Make a service of an instance, which starts with the machine",
		Long: "Make a service of an instance, which starts with the machine (with --user: when its user logs\n" +
			"in). The service of the system runs as the user " + daemon.Account + ", which is made and given the\n" +
			"instance's data and log. Installing again writes the service anew and keeps it running.",
		Args: nothing,
	}, &f, func(ctx context.Context, inst config.Instance, _ []string) (any, error) {
		return p.registerService(ctx, inst, f, now)
	})
	cmd.Flags().BoolVar(&now, "now", false, "start it as well")
	return cmd
}

func (p *program) registerService(ctx context.Context, inst config.Instance, f instanceFlags, now bool) (any, error) {
	if err := daemon.CheckVacant(config.ThisMachine(p.getenv), inst); err != nil {
		return nil, err
	}
	u, err := p.unit(inst, f)
	if err != nil {
		return nil, err
	}
	m, err := daemon.NewManager(u)
	if err != nil {
		return nil, err
	}
	for _, text := range u.NotSeen(p.getenv) {
		p.Warn("%s", text)
	}
	remarks, err := daemon.Register(ctx, daemon.ThisMachine(), m, u, inst)
	if err != nil {
		return nil, forbidden(err)
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
			return nil, err
		}
		p.Info("Service %s is started", u.Name)
	}
	return p.serviceNow(u.Name, m)
}

// unit makes the unit of an instance, for this program.
func (p *program) unit(inst config.Instance, f instanceFlags) (daemon.Unit, error) {
	executable, err := os.Executable()
	if err != nil {
		return daemon.Unit{}, fmt.Errorf("finding this program: %w", err)
	}
	return daemon.NewUnit(config.ThisMachine(p.getenv), inst, daemon.UnitOptions{
		Executable: executable, ByFile: f.file != "", Environment: f.environment,
	}), nil
}

func (p *program) serviceStatusCommand() *cobra.Command {
	return p.onService(&cobra.Command{
		Use:   "status",
		Short: "Tell whether the service runs; the exit code is 0 when it does, else 1",
	}, func(name string, m daemon.Manager) (any, error) {
		state, err := m.Status()
		if err != nil {
			return nil, err
		}
		if state == daemon.Active {
			p.Info("Service %s is %s", name, state)
		} else {
			p.Warn("Service %s is %s", name, state)
			err = errReported
		}
		return serviceState{name, state}, err
	})
}

func (p *program) serviceListCommand() *cobra.Command {
	var f instanceFlags
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the installed services: name, state, environment, file and program, with tabs between",
		Args:  nothing,
		RunE: func(*cobra.Command, []string) error {
			all, err := daemon.ListServices(config.ThisMachine(p.getenv), f.scope)
			if err != nil {
				return err
			}
			if p.forPrograms {
				return p.finish(append([]daemon.Service{}, all...), nil)
			}
			for _, s := range all {
				if _, err := fmt.Fprintf(p.out, "%s\t%s\t%s\t%s\t%s\n",
					s.Instance, s.State, cmp.Or(s.Environment, "-"), cmp.Or(s.Config, "-"), cmp.Or(s.Program, "-")); err != nil {
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
				inst, err := f.find(p)
				if err == nil {
					u, err = p.unit(inst, f)
				}
				if err != nil {
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
