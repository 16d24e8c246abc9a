package cli

import (
	"github.com/spf13/cobra"

	"vserver/service/log"
)

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
			oldLogs := log.OldFiles(inst.LogFile)
			if p.forPrograms {
				return p.json(map[string]any{
					"configuration": inst.File, "log": inst.LogFile, "old_logs": append([]string{}, oldLogs...),
					"database": inst.Database.Display.Reveal(),
				})
			}
			p.info("Configuration file = %s", inst.File)
			p.info("Log file           = %s", inst.LogFile)
			for _, file := range oldLogs {
				p.info("Old log file       = %s", file)
			}
			p.info("Database           = %s", inst.Database.Display.Reveal())
			return nil
		},
	}
	f.shared(cmd)
	p.jsonFlag(cmd)
	return cmd
}
