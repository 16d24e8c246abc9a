package cli

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"vserver/handlers"
	"vserver/service"
	"vserver/service/config"
	"vserver/service/daemon"
	"vserver/service/fault"
	"vserver/service/instance"
	"vserver/service/terminal"
	"vserver/service/upkeep"
)

// runFlags are the options of `vserver run`.
type runFlags struct {
	instanceFlags
	addressFlags
	console string
}

// addressFlags are the options that change where a server listens.
type addressFlags struct {
	ip        string
	port      uint16
	portGiven bool
}

// add adds the options to a command. Whether there is a port is known once it runs.
func (f *addressFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.ip, "ip", "", "`ADDRESS` to listen on (default: ip of the configuration)")
	flags.Uint16VarP(&f.port, "port", "p", 0, "`PORT` to listen on, 0 for any free one (default: port of the configuration)")
	cmd.PreRunE = func(cmd *cobra.Command, _ []string) error {
		f.portGiven = cmd.Flags().Changed("port")
		if f.ip == "" {
			return nil
		}
		if err := config.CheckAnswer("ip", f.ip); err != nil {
			return misused("Invalid value for '--ip': %s", err)
		}
		f.ip = strings.Trim(f.ip, "[]")
		return nil
	}
}

// portOr returns the port of the options, or the configured one when there is none.
func (f *addressFlags) portOr(configured int) int {
	if f.portGiven {
		return int(f.port)
	}
	return configured
}

// runCommand serves in the foreground.
func (p *program) runCommand() *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Serve in the foreground until interrupted",
		Args:  nothing,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if daemon.StartedByManager() {
				return daemon.RunForManager(cmd.Context(), func(ctx context.Context) error {
					return p.told(fault.Caught(func() error { return p.run(ctx, f) }))
				})
			}
			return p.run(cmd.Context(), f)
		},
	}
	f.shared(cmd)
	f.add(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.console, "console", "", "`FILE` to write to instead of the terminal, rotated as it grows")
	_ = flags.MarkHidden("console") // `vserver start` uses it; the flag is there
	return cmd
}

// told says at once what went wrong: a service may have no other time for it.
func (p *program) told(err error) error {
	if err == nil {
		return nil
	}
	p.Error(worded(err))
	return errReported
}

func (p *program) run(ctx context.Context, f runFlags) error {
	if f.console != "" {
		file, err := instance.OpenConsole(f.console)
		if err != nil {
			return err
		}
		// It stays open until the process ends, for the last words.
		p.out, p.err, p.Console = file, file, terminal.Console{Out: file}
	}
	inst, err := f.find(p)
	if err != nil {
		return err
	}
	if f.ip != "" {
		inst.Config.IP = f.ip
	}
	inst.Config.Port = f.portOr(inst.Config.Port)
	return p.serve(ctx, inst, f)
}

// serve runs the instance as its only server.
func (p *program) serve(ctx context.Context, inst config.Instance, f runFlags) error {
	claim, err := p.occupy(inst, f.console)
	if err != nil {
		return err
	}
	defer claim.Release()
	ctx, cancel := claim.Context(ctx)
	defer cancel()
	seen, err := p.takeOverFirst(ctx, inst)
	if err != nil {
		return err
	}
	var warned warnings
	err = service.Run(ctx, inst, service.RunOptions{
		Console: p.out, Warned: warned.add, RootFromAnywhere: rootFromAnywhere(f.environment), Getenv: p.getenv,
		Upkeep:      p.upkeep(),
		CompareKeys: p.comparesKeys(),
		Seen:        seen,
		Ready: func(at net.Addr) {
			p.Info("Server %s is ready on %s, it logs to %s", inst.Name, at, inst.LogFile)
			if err := claim.Serving(inst.Config, at, warned.take()); err != nil {
				p.Warn("Other commands do not find this server: %s", err)
			}
		},
	})
	if err == nil {
		p.Info("Server %s has ended", inst.Name)
	}
	return err
}

// comparesKeys is the command of compareKeysCommand; none where this program cannot be found.
func (p *program) comparesKeys() []string {
	if p.self == "" {
		return nil
	}
	return []string{p.self, compareKeys}
}

// upkeep is what who holds every rule may have done over the API.
func (p *program) upkeep() service.Upkeep {
	return service.Upkeep{
		Examine: func(ctx context.Context, inst config.Instance) (list []handlers.ServerFinding) {
			for _, f := range upkeep.Examine(ctx, config.ThisMachine(p.getenv), inst, time.Now()) {
				found := handlers.ServerFinding{Check: f.Check, Verdict: string(f.Verdict), Text: f.Text}
				if f.Advice != "" {
					found.Advice = &f.Advice
				}
				list = append(list, found)
			}
			return list
		},
		Backup: func(ctx context.Context, inst config.Instance, folder string) (string, error) {
			made, err := upkeep.Backup(ctx, inst, folder, time.Now(), upkeep.BackupOptions{})
			return made.File, err
		},
	}
}

// warnings gathers those of a start, for `vserver start` to show.
type warnings struct {
	mu    sync.Mutex
	taken bool
	texts []string
}

func (w *warnings) add(text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.taken {
		w.texts = append(w.texts, text)
	}
}

// take ends the gathering.
func (w *warnings) take() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.taken = true
	return w.texts
}

// occupy makes this process the server of the instance. Where no record of it can be
// left, the server still runs, but other commands do not find it.
func (p *program) occupy(inst config.Instance, console string) (*instance.Claim, error) {
	claim, err := instance.Acquire(config.ThisMachine(p.getenv), inst, console)
	var already instance.AlreadyRunning
	if err == nil || errors.As(err, &already) || console != "" {
		return claim, err
	}
	p.Warn("Other commands do not find this server: %s", err)
	return nil, nil
}
