package cli

import (
	"net"

	"github.com/spf13/cobra"

	"vserver/service"
)

// runCommand serves in the foreground.
func (p *program) runCommand() *cobra.Command {
	var f instanceFlags
	var ip string
	var port uint16
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Serve in the foreground until interrupted",
		Args:  nothing,
		RunE: func(cmd *cobra.Command, _ []string) error {
			inst, err := f.find(p)
			if err != nil {
				return err
			}
			if ip != "" {
				inst.Config.IP = ip
			}
			if cmd.Flags().Changed("port") {
				inst.Config.Port = int(port)
			}
			err = service.Run(cmd.Context(), inst, service.RunOptions{
				Console: p.out, OpenRoot: f.openRoot(), Getenv: p.getenv,
				Ready: func(at net.Addr) { p.info("Server %s is ready on %s, it logs to %s", inst.Name, at, inst.LogFile) },
			})
			if err == nil {
				p.info("Server %s has ended", inst.Name)
			}
			return err
		},
	}
	f.shared(cmd)
	cmd.Flags().StringVar(&ip, "ip", "", "`ADDRESS` to listen on (default: ip of the configuration)")
	cmd.Flags().Uint16VarP(&port, "port", "p", 0, "`PORT` to listen on, 0 for any free one (default: port of the configuration)")
	return cmd
}
