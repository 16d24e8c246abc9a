package cli

import (
	"context"

	"github.com/spf13/cobra"

	"vserver/service/config"
	"vserver/service/log"
)

// filesCommand lists the files of a server.
func (p *program) filesCommand() *cobra.Command {
	return p.onInstance(&cobra.Command{
		Use:   "files",
		Short: "List the files that a server is using",
		Args:  nothing,
	}, &instanceFlags{}, func(_ context.Context, inst config.Instance, _ []string) (any, error) {
		oldLogs := log.OldFiles(inst.LogFile)
		p.Info("Configuration file = %s", inst.File)
		p.Info("Log file           = %s", inst.LogFile)
		for _, file := range oldLogs {
			p.Info("Old log file       = %s", file)
		}
		p.Info("Database           = %s", inst.Database.Display.Reveal())
		return map[string]any{
			"configuration": inst.File, "log": inst.LogFile, "old_logs": append([]string{}, oldLogs...),
			"database": inst.Database.Display.Reveal(),
		}, nil
	})
}
