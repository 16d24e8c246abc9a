package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"vserver/service/config"
	"vserver/service/instance"
)

// healthCommand asks a server whether it works.
func (p *program) healthCommand() *cobra.Command {
	var f instanceFlags
	cmd := &cobra.Command{
		Use:   "health",
		Short: "Ask a server whether it works; the exit code tells",
		Long: "Ask a server of this machine whether it works. The exit code is 0 when it does and 1 when it\n" +
			"does not, or does not answer. A server that runs is asked where it listens, else where its\n" +
			"configuration says.",
		Args: nothing,
		RunE: func(cmd *cobra.Command, _ []string) error {
			at, err := p.address(f)
			if err != nil {
				return err
			}
			return p.reportHealth(cmd.Context(), at)
		},
	}
	f.shared(cmd)
	p.jsonFlag(cmd)
	return cmd
}

// address returns the server to ask. Without a name the only one that
// runs is meant.
func (p *program) address(f instanceFlags) (instance.Running, error) {
	locations := config.ThisMachine(p.getenv)
	if f.name == "" && f.file == "" {
		all := instance.FindAll(locations, config.System, config.User)
		if len(all) == 1 {
			return all[0], nil
		}
		if len(all) > 1 {
			return p.chooseRunning(f, "Select the server you wish to ask:", all)
		}
	}
	inst, err := f.find(p)
	if err != nil {
		return instance.Running{}, err
	}
	if r, ok := instance.Find(locations, inst); ok && r.URL != "" {
		return r, nil
	}
	r := instance.Running{Name: inst.Name, Scope: inst.Scope, URL: instance.URL(inst.Config, "")}
	if inst.Config.TLS != nil {
		r.Certificate = inst.Config.TLS.Cert
	}
	return r, nil
}

// reportHealth asks and tells; all that is wrong makes the command fail.
func (p *program) reportHealth(ctx context.Context, at instance.Running) error {
	parts, err := instance.NewClient(at.URL, at.Certificate).Health(ctx)
	var broken []string
	for part, works := range parts {
		if !works {
			broken = append(broken, part)
		}
	}
	switch {
	case err != nil:
		err = fmt.Errorf("Server %s does not answer at %s: %w", at.Name, at.URL, err)
	case len(broken) > 0:
		err = fmt.Errorf("Server %s answers at %s, but this does not work: %s", at.Name, at.URL, strings.Join(broken, ", "))
	default:
		p.Info("Server %s works and answers at %s", p.Good(at.Name), at.URL)
	}
	return p.finish(map[string]any{"name": at.Name, "url": at.URL, "healthy": err == nil, "parts": parts}, err)
}
