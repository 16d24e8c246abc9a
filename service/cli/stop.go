package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"vserver/service/config"
	"vserver/service/daemon"
	"vserver/service/instance"
)

// stopCommand stops servers.
func (p *program) stopCommand() *cobra.Command {
	var f instanceFlags
	var all bool
	cmd := &cobra.Command{
		Use:   "stop",
		Short: "Stop a server, or all of them",
		Long: "Stop a server: it finishes what is under way, for 15 seconds at most.\n" +
			"With --all every server of both scopes is stopped, or of the one scope that is given.",
		Args: nothing,
		RunE: func(cmd *cobra.Command, _ []string) error {
			chosen, err := p.toStop(cmd, f, all)
			if err != nil {
				return err
			}
			stopped, err := p.stopEach(cmd.Context(), chosen)
			return p.finish(stopped, err)
		},
	}
	f.named(cmd)
	cmd.Flags().BoolVar(&all, "all", false, "stop all servers")
	cmd.Flags().StringP("environment", "e", "", withoutEffect("`ENVIRONMENT` of the server"))
	p.jsonFlag(cmd)
	return cmd
}

// toStop finds the servers to stop; what does not run is told, not an error (contract
// 40 §4.3).
func (p *program) toStop(cmd *cobra.Command, f instanceFlags, all bool) ([]instance.Running, error) {
	locations := config.ThisMachine(p.getenv)
	asked := scopes(cmd, f)
	running := instance.FindAll(locations, asked...)
	switch {
	case len(instance.FindAll(locations, config.System, config.User)) == 0:
		p.Warn("No servers are currently running.")
		return nil, nil
	case all:
		return running, nil
	case f.name == "" && len(running) == 0:
		p.Warn("No servers of the %s folders are currently running.", f.scope)
		return nil, nil
	case f.name == "":
		r, err := p.chooseRunning("Select the server you wish to stop:", running)
		return []instance.Running{r}, err
	}
	if r, ok := instance.Find(locations, f.scope, f.name); ok {
		return []instance.Running{r}, nil
	}
	p.Error(p.Bad(f.name) + " is not running!")
	p.elsewhere(locations, f)
	return nil, nil
}

// elsewhere says when a server of that name runs in the other scope.
func (p *program) elsewhere(locations config.Locations, f instanceFlags) {
	other := config.User
	if f.scope == config.User {
		other = config.System
	}
	if _, ok := instance.Find(locations, other, f.name); ok {
		p.Info("A server %s runs at the other level: add --%s", f.name, other)
	}
}

// stopped is what programs learn about a server that was stopped.
type stopped struct {
	Name   string       `json:"name"`
	Scope  config.Scope `json:"scope"`
	Forced bool         `json:"forced"` // it did not end when asked
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
		done = append(done, stopped{r.Name, r.Scope, forced})
	}
	return done, errors.Join(faults...)
}

// endServer has the service manager stop a server that it runs: otherwise it would start
// it again.
func (p *program) endServer(ctx context.Context, r instance.Running) (forced bool, err error) {
	locations := config.ThisMachine(p.getenv)
	manager, state, err := p.findService(locations, r.Scope, r.Name)
	if err != nil {
		return false, fmt.Errorf("asking for the service of %s: %w", r.Name, err)
	}
	if state == daemon.Active {
		return false, forbidden(manager.Stop())
	}
	return instance.Stop(ctx, locations, r, instance.StopTime)
}
