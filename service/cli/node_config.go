package cli

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"vserver/service"
	"vserver/service/config"
	"vserver/service/upkeep"
)

// nodeConfigFlags are the options of `vserver node-config`.
type nodeConfigFlags struct {
	instanceFlags
	collaboration, out, server string
	force                      bool
}

// nodeConfigCommand writes configurations for the nodes of a collaboration.
func (p *program) nodeConfigCommand() *cobra.Command {
	var f nodeConfigFlags
	cmd := p.onInstance(&cobra.Command{
		Use:   "node-config",
		Short: "Write a configuration for the node of each organization of a collaboration",
		Long: "Write a configuration for the node of each organization of a collaboration, for a test\n" +
			"set-up on one machine. Each node gets a new API key: organizations without a node get\n" +
			"one, and of the nodes that are there the former keys work no longer.\n\n" +
			"Nodes run in containers. They reach a server on the same machine at " + upkeep.ServerOnLinux + "\n" +
			"on Linux, and at " + upkeep.ServerOnDockerDesktop + " with Docker Desktop. The server has to\n" +
			"listen there: set ip of its configuration to 0.0.0.0.",
		Args: nothing,
		PreRunE: func(*cobra.Command, []string) error {
			if f.collaboration == "" || f.out == "" {
				return misused("--collaboration and --out are needed")
			}
			return nil
		},
	}, &f.instanceFlags, func(ctx context.Context, inst config.Instance, _ []string) (any, error) {
		return p.nodeConfig(ctx, inst, f)
	})
	flags := cmd.Flags()
	flags.StringVar(&f.collaboration, "collaboration", "", "`NAME` of the collaboration")
	flags.StringVar(&f.out, "out", "", "`DIR` to write to, made when missing")
	flags.StringVar(&f.server, "server-url", "", "`URL` of the server as nodes see it, without port (default that of this machine)")
	flags.BoolVar(&f.force, "force", false, "replace files that are there")
	return cmd
}

func (p *program) nodeConfig(ctx context.Context, inst config.Instance, f nodeConfigFlags) (result any, err error) {
	opened, err := service.OpenInstance(ctx, inst, rootFromAnywhere(f.environment), p.Logger())
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, opened.Close()) }()
	files, err := upkeep.WriteNodeConfigs(ctx, config.ThisMachine(p.getenv), inst, opened.Core, upkeep.NodeConfigOptions{
		Collaboration: f.collaboration, Folder: f.out, ServerURL: f.server, Replace: f.force,
	})
	for _, n := range files {
		p.Info("Wrote %s", n.File)
	}
	if err != nil {
		return nil, err
	}
	if ip := inst.Config.IP; ip == "" || ip == "127.0.0.1" || ip == "localhost" {
		p.Warn("The server listens on this machine only: set ip of its configuration to 0.0.0.0 for nodes in containers")
	}
	return files, nil
}
