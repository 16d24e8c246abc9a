package cli

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"vserver/service/config"
	"vserver/service/upkeep"
)

// doctorCommand looks for what is wrong with an instance.
func (p *program) doctorCommand() *cobra.Command {
	var f instanceFlags
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Look for what is wrong with a configuration, its database and its surroundings",
		Long: "Look for what is wrong with a configuration, its database and its surroundings, and say\n" +
			"what to do about it. Nothing is changed, and the server may run meanwhile; a VPN portal keeps\n" +
			"the log-in in its list. The exit code is 1 when a check fails; warnings alone leave it 0.",
		Args: nothing,
		RunE: func(cmd *cobra.Command, _ []string) error {
			found, err := p.checkInstance(cmd.Context(), f)
			if err != nil {
				return err
			}
			return p.findings(found)
		},
	}
	f.shared(cmd)
	p.jsonFlag(cmd)
	return cmd
}

// checkInstance runs the checks; a configuration that cannot be used is a finding too.
func (p *program) checkInstance(ctx context.Context, f instanceFlags) ([]upkeep.Finding, error) {
	inst, err := f.find(p)
	if faults, ok := errors.AsType[config.Faults](err); ok {
		var found []upkeep.Finding
		for _, fault := range faults {
			found = append(found, upkeep.Finding{
				Check: "configuration", Verdict: upkeep.Failure, Text: fault.Error(), Advice: "correct the configuration",
			})
		}
		return found, nil
	}
	if err != nil {
		return nil, err
	}
	return upkeep.Examine(ctx, config.ThisMachine(p.getenv), inst, time.Now()), nil
}

// findings prints what was found; a failure makes the command fail.
func (p *program) findings(found []upkeep.Finding) error {
	var failed bool
	for _, f := range found {
		failed = failed || f.Verdict == upkeep.Failure
		if !p.forPrograms {
			p.finding(f)
		}
	}
	var err error
	if failed {
		err = errReported
	}
	return p.finish(found, err)
}

func (p *program) finding(f upkeep.Finding) {
	text := f.Check + ": " + f.Text
	if f.Advice != "" {
		text += "\n  -> " + f.Advice
	}
	switch f.Verdict {
	case upkeep.Failure:
		p.Error(text)
	case upkeep.Doubt:
		p.Warn("%s", text)
	case upkeep.Skipped:
		p.Info("%s (skipped)", text)
	default:
		p.Info("%s", text)
	}
}
