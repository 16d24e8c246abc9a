package cli

import "github.com/spf13/cobra"

// filesCommand tells where the files of a server are.
func (p *program) filesCommand() *cobra.Command {
	var f instanceFlags
	var forPrograms bool
	cmd := &cobra.Command{
		Use:   "files",
		Short: "List the files that a server is using",
		Args:  nothing,
		RunE: func(*cobra.Command, []string) error {
			if forPrograms {
				p.forPrograms()
			}
			inst, err := f.find(p)
			if err != nil {
				return err
			}
			if forPrograms {
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
	jsonFlag(cmd, &forPrograms)
	return cmd
}
