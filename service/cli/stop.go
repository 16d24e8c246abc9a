package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"vserver/service/config"
	"vserver/service/daemon"
	"vserver/service/instance"
)

// stopFlags are the options of `vserver stop`.
type stopFlags struct {
	instanceFlags
	all, everyone bool
}

// stopCommand stops servers.
func (p *program) stopCommand() *cobra.Command {
	var f stopFlags
	cmd := &cobra.Command{
		Use:   "stop",
		Short: "Stop a server, or all of them",
		Long: "Stop a server: it finishes what is under way, for 15 seconds at most.\n" +
			"With --all every server that this account has started is stopped, for root also what runs this\n" +
			"program, whoever has started it: those of both levels, or of the one that is given. --everyone\n" +
			"stops those of others too.",
		Args: nothing,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if f.everyone && !f.all {
				return misused("--everyone goes with --all.")
			}
			chosen, err := p.toStop(cmd, f)
			if err != nil {
				return err
			}
			stopped, err := p.stopEach(cmd.Context(), chosen)
			return p.finish(stopped, err)
		},
	}
	f.running(cmd)
	cmd.Flags().BoolVar(&f.all, "all", false, "stop all servers of this account")
	cmd.Flags().BoolVar(&f.everyone, "everyone", false, "with --all: those as well that others have started")
	p.jsonFlag(cmd)
	return cmd
}

// toStop finds the servers to stop; what does not run is told, not an error (/docs/commands#start).
func (p *program) toStop(cmd *cobra.Command, f stopFlags) ([]instance.Running, error) {
	locations := config.ThisMachine(p.getenv)
	asked := scopes(cmd, f.instanceFlags)
	if len(instance.FindOnMachine(locations, config.System, config.User)) == 0 {
		p.Warn("No servers are currently running.")
		p.warnOfHidden(locations)
		return nil, nil
	}
	if f.all {
		return p.owned(instance.FindOnMachine(locations, asked...), f.everyone), nil
	}
	running := f.meant(locations, instance.FindOnMachine, asked)
	switch {
	case len(running) == 1 && (f.name != "" || f.file != ""):
		return running, nil
	case len(running) > 0:
		r, err := p.chooseRunning(f.instanceFlags, "Select the server you wish to stop:", running)
		return []instance.Running{r}, err
	case f.name == "" && f.file == "":
		p.Warn("No servers of the %s folders are currently running.", f.scope)
		p.warnOfHidden(locations)
		return nil, nil
	}
	p.Error(p.Bad(cmp.Or(f.file, f.name)) + " is not running!")
	p.warnOfHidden(locations)
	p.elsewhere(locations, f.instanceFlags)
	return nil, nil
}

// owned leaves out the servers of others, and says so.
func (p *program) owned(running []instance.Running, everyone bool) (own []instance.Running) {
	for _, r := range running {
		if everyone || r.Own() {
			own = append(own, r)
			continue
		}
		p.Warn("%s was started by somebody else and is left alone (--everyone stops it): %s", r.FullName(), r.Describe())
	}
	return own
}

// elsewhere says when a server of that name runs in the other scope.
func (p *program) elsewhere(locations config.Locations, f instanceFlags) {
	if f.file != "" {
		return
	}
	other := config.User
	if f.scope == config.User {
		other = config.System
	}
	f.scope = other
	if len(f.meant(locations, instance.FindOnMachine, []config.Scope{other})) > 0 {
		p.Info("A server %s runs at the other level: add --%s", f.name, other)
	}
}

// stopped is what programs learn about a server that was stopped.
type stopped struct {
	Name        string       `json:"name"`
	Scope       config.Scope `json:"scope"`
	Environment string       `json:"environment"`
	Config      string       `json:"config"`
	Forced      bool         `json:"forced"` // it did not end when asked
}

// stopEach stops servers one after the other; one that resists does not keep the
// others from being stopped.
func (p *program) stopEach(ctx context.Context, running []instance.Running) ([]stopped, error) {
	done, faults := []stopped{}, []error(nil)
	for _, r := range running {
		forced, err := p.endServer(ctx, r)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		if forced {
			p.Warn("It did not end within %s and was ended by force", instance.StopTime)
		}
		p.Info("Stopped the %s server.", p.Good(r.FullName()))
		done = append(done, stopped{r.Name, r.Scope, r.Environment, r.Config, forced})
	}
	return done, errors.Join(faults...)
}

// endServer has the service manager stop a server that it runs: otherwise it would start
// it again.
func (p *program) endServer(ctx context.Context, r instance.Running) (forced bool, err error) {
	locations := config.ThisMachine(p.getenv)
	manager, state, err := p.findService(locations, r.Instance())
	if err != nil {
		return false, fmt.Errorf("asking for the service of %s: %w", r.Name, err)
	}
	if state == daemon.Active {
		return false, forbidden(manager.Stop())
	}
	return instance.Stop(ctx, locations, r, instance.StopTime)
}
