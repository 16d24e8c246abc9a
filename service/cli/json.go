package cli

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"vserver/service/terminal"
)

// jsonFlag adds the option to a command for output that programs read.
func (p *program) jsonFlag(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&p.forPrograms, "json", false, "print one JSON value on the standard output, and messages on the standard error output")
}

// makeWay moves messages out of the way of a JSON value.
func (p *program) makeWay(*cobra.Command, []string) {
	if p.forPrograms {
		p.Console = terminal.Console{Out: p.err}
	}
}

// finish ends a command: it prints its result when the output is for programs, and
// returns its error. A command without result prints nothing.
func (p *program) finish(result any, err error) error {
	if !p.forPrograms || result == nil {
		return err
	}
	return errors.Join(err, p.printJSON(result))
}

func (p *program) printJSON(value any) error {
	encoder := json.NewEncoder(p.out)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return fmt.Errorf("printing JSON: %w", err)
	}
	return nil
}
