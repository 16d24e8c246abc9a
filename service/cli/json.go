package cli

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"
)

// jsonFlag gives a command the option for output that programs read.
func jsonFlag(cmd *cobra.Command, to *bool) {
	cmd.Flags().BoolVar(to, "json", false, "print one JSON value on the standard output, and messages on the standard error output")
}

// forPrograms moves messages out of the way of a JSON value.
func (p *program) forPrograms() {
	p.console = console{out: p.err}
}

// json prints a value for programs.
func (p *program) json(value any) error {
	encoder := json.NewEncoder(p.out)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return fmt.Errorf("printing JSON: %w", err)
	}
	return nil
}
