package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"vserver/service/config"
	"vserver/service/daemon"
	"vserver/service/instance"
)

// startFlags are the options of `vserver start`.
type startFlags struct {
	instanceFlags
	addressFlags
	attach bool
}

// startCommand starts a server in the background.
func (p *program) startCommand() *cobra.Command {
	var f startFlags
	cmd := &cobra.Command{
		Use:   "start",
		Short: "Start a server in the background",
		Long: "Start a server in the background and wait until it answers. It goes on when the terminal is\n" +
			"closed. Where an operating system's service is installed for the instance, that one is started.",
		Args: nothing,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return p.start(cmd.Context(), f)
		},
	}
	f.shared(cmd)
	f.add(cmd)
	flags := cmd.Flags()
	flags.BoolVar(&f.attach, "attach", false, "then show what the server writes, until interrupted; the server goes on")
	flags.BoolFunc("detach", "leave the server alone once it answers (default)", func(string) error {
		f.attach = false
		return nil
	})
	p.jsonFlag(cmd)
	forContainers(cmd)
	flags.String("rabbitmq-image", "", withoutEffect("`IMAGE` of a message broker"))
	flags.Bool("with-ui", false, withoutEffect("start a web UI beside the server"))
	flags.Int("ui-port", 0, withoutEffect("`PORT` of that web UI"))
	return cmd
}

// start finds the instance, has it run and says where it answers.
func (p *program) start(ctx context.Context, f startFlags) error {
	inst, err := f.find(p)
	if err != nil {
		return err
	}
	locations := config.ThisMachine(p.getenv)
	p.Info("Starting server...")
	if r, ok := instance.Find(locations, inst); ok {
		return instance.AlreadyRunning{Running: r}
	}
	shown := map[string]bool{}
	for _, w := range inst.Warnings {
		p.Warn("%s", w)
		shown[w.String()] = true
	}
	r, err := p.launch(ctx, locations, inst, f)
	if err != nil {
		return p.notStarted(ctx, err)
	}
	for _, text := range r.Warnings {
		if !shown[text] {
			p.Warn("%s", text)
		}
	}
	p.Info("Server %s answers at %s", p.Good(r.Name), r.URL)
	p.Info("It logs to %s", r.Log)
	p.Info("Success! process id = %d", r.PID)
	if err := p.finish(r, nil); err != nil {
		return err
	}
	if f.attach {
		return p.showOutput(ctx, r)
	}
	return nil
}

// launch has the service manager start the instance's service when there is one, else
// starts a process.
func (p *program) launch(ctx context.Context, locations config.Locations, inst config.Instance, f startFlags) (instance.Running, error) {
	manager, state, err := p.findService(locations, inst)
	if err != nil {
		return instance.Running{}, fmt.Errorf("asking for the service of %s: %w", inst.Name, err)
	}
	if state == daemon.NotInstalled {
		inst.Config.IP, inst.Config.Port = cmp.Or(f.ip, inst.Config.IP), f.portOr(inst.Config.Port)
		if _, err := p.takeOverFirst(ctx, inst); err != nil {
			return instance.Running{}, err
		}
		return instance.Start(ctx, locations, inst, f.runArgs(locations, inst))
	}
	if f.ip != "" || f.portGiven {
		p.Warn("The installed service has its own options: those of this command do not count")
	}
	p.Info("Starting the service that is installed for it")
	if err := manager.Start(); err != nil {
		return instance.Running{}, forbidden(err)
	}
	return instance.Await(ctx, locations, inst)
}

// runArgs is the command line of the server itself, which finds the same instance.
func (f startFlags) runArgs(locations config.Locations, inst config.Instance) []string {
	args := []string{"run", "--" + string(inst.Scope), "--console", instance.ConsoleFile(locations, inst)}
	if f.file != "" {
		args = append(args, "--config", inst.File)
	} else {
		args = append(args, "--name", inst.Name)
	}
	if f.environment != "" { // asked for by name, which counts (/docs/security#t22)
		args = append(args, "--environment", f.environment)
	}
	if f.ip != "" {
		args = append(args, "--ip", f.ip)
	}
	if f.portGiven {
		args = append(args, "--port", strconv.Itoa(int(f.port)))
	}
	return args
}

// notStarted shows the last lines of a server that did not come up.
func (p *program) notStarted(ctx context.Context, err error) error {
	var failed instance.FailedStart
	if !errors.As(err, &failed) {
		return err
	}
	show := p.Uncoloured(p.Console.Out)
	for _, line := range failed.Output {
		_, _ = fmt.Fprintln(show, line)
	}
	if ctx.Err() != nil {
		failed.Why = "the start was interrupted; see vserver list for whether it comes up"
	}
	return failed
}

// forContainers accepts options of the reference about its containers.
func forContainers(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringP("image", "i", "", withoutEffect("`IMAGE` of a container"))
	flags.String("mount-src", "", withoutEffect("`FOLDER` of sources"))
	flags.Bool("keep", false, withoutEffect("keep the container"))
	flags.Bool("auto-remove", false, withoutEffect("remove the container"))
}

func withoutEffect(usage string) string {
	return usage + " (accepted for existing scripts, has no effect)"
}
