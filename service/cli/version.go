package cli

import (
	"fmt"
	"runtime"

	"github.com/spf13/cobra"

	"vserver/service"
)

// versionCommand says what this program is.
func (p *program) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Show the version of this program",
		Args:  nothing,
		RunE: func(*cobra.Command, []string) error {
			version, commit := service.Version()
			if commit == "" {
				commit = "unknown"
			}
			_, err := fmt.Fprintf(p.out, "vserver %s\ncommit  %s\nbuilt   for %s/%s by %s\nspeaks  as release %s of the reference\n",
				version, commit, runtime.GOOS, runtime.GOARCH, runtime.Version(), service.Emulates)
			return err
		},
	}
}
