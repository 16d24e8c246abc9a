package cli

import (
	"cmp"
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"vserver/service/config"
	"vserver/service/instance"
	"vserver/service/log"
)

// attachCommand shows what a server writes.
func (p *program) attachCommand() *cobra.Command {
	var f instanceFlags
	cmd := &cobra.Command{
		Use:   "attach",
		Short: "Show a server's log in this terminal",
		Long: "Show what a server has written to its console so far, then what it writes, until interrupted.\n" +
			"The server goes on. Of one that a service manager or a terminal runs, the log file is shown.",
		Args: nothing,
		RunE: func(cmd *cobra.Command, _ []string) error {
			r, err := p.serving(scopes(cmd, f), f, "Select the server you wish to inspect:")
			if err != nil {
				return err
			}
			if r.PID == 0 {
				if f.name != "" || f.file != "" {
					p.Error(r.FullName() + " was not running!?")
					p.warnOfHidden(config.ThisMachine(p.getenv))
				}
				return nil
			}
			return p.showOutput(cmd.Context(), r)
		},
	}
	f.running(cmd)
	return cmd
}

// serving finds the server that is named, or lets somebody choose. A record without
// process says that it does not run, which the user has been told of when no name was
// given.
func (p *program) serving(in []config.Scope, f instanceFlags, title string) (instance.Running, error) {
	locations := config.ThisMachine(p.getenv)
	running := f.meant(locations, instance.FindAll, in)
	named := f.name != "" || f.file != ""
	switch {
	case len(running) == 1 && named:
		return running[0], nil
	case len(running) > 0:
		return p.chooseRunning(f, title, running)
	case !named:
		p.Warn("No servers are currently running.")
		p.warnOfHidden(locations)
	}
	return instance.Running{Name: cmp.Or(f.name, stem(f.file)), Scope: f.scope}, nil
}

// showOutput shows what a server writes until somebody interrupts it or the server ends.
func (p *program) showOutput(ctx context.Context, r instance.Running) error {
	file := r.Console
	if file == "" {
		file = r.Log
	}
	if err := log.Follow(ctx, file, p.Uncoloured(p.Console.Out), r.Alive); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		p.Info("Closing log file. Keyboard Interrupt.")
		p.Info("Note that your server is still running! Shut it down with vserver stop")
		return nil
	default:
	}
	if crash := r.Crash(); len(crash) > 0 {
		for _, line := range crash {
			_, _ = fmt.Fprintln(p.Console.Out, line)
		}
		return fmt.Errorf("Server %s has ended because of a fault in the program", r.Name)
	}
	p.Info("Server %s has ended", r.Name)
	return nil
}
