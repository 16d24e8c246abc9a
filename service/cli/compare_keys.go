package cli

import (
	"github.com/spf13/cobra"

	"vserver/service/core"
)

// compareKeys is the name of compareKeysCommand.
const compareKeys = "compare-key"

// compareKeysCommand is what a server starts to search for the API keys that a 3.x server has left.
func (p *program) compareKeysCommand() *cobra.Command {
	return &cobra.Command{
		Use:    compareKeys,
		Short:  "Compare API keys with hashes, as the server asks on standard input",
		Args:   nothing,
		Hidden: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return core.CompareKeys(cmd.InOrStdin(), p.out)
		},
	}
}
