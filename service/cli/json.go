package cli

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"
)

// jsonFlag gives a command the option for output that programs read.
func (p *program) jsonFlag(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&p.forPrograms, "json", false, "print one JSON value on the standard output, and messages on the standard error output")
}

// makeWay moves messages out of the way of a JSON value.
func (p *program) makeWay(*cobra.Command, []string) {
	if p.forPrograms {
		p.console = console{out: p.err}
	}
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
