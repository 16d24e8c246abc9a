package cli

import "github.com/spf13/cobra"

// filesCommand tells where the files of a server are.
func (p *program) filesCommand() *cobra.Command {
	var f instanceFlags
	cmd := &cobra.Command{
		Use:   "files",
		Short: "List the files that a server is using",
		Args:  nothing,
		RunE: func(*cobra.Command, []string) error {
			inst, err := f.find(p)
			if err != nil {
				return err
			}
			if p.forPrograms {
				return p.json(map[string]string{
					"configuration": inst.File, "log": inst.LogFile, "database": inst.Database.Display.Reveal(),
				})
			}
			p.info("Configuration file = %s", inst.File)
			p.info("Log file           = %s", inst.LogFile)
			p.info("Database           = %s", inst.Database.Display.Reveal())
			return nil
		},
	}
	f.shared(cmd)
	p.jsonFlag(cmd)
	return cmd
}
