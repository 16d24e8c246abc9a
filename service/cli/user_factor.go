package cli

import (
	"context"

	"github.com/spf13/cobra"

	"vserver/service/config"
	"vserver/service/core"
)

// factorFlags are the options of `vserver user reset-2fa`.
type factorFlags struct {
	instanceFlags
	remove, all, yes bool
}

func (p *program) userResetFactorCommand() *cobra.Command {
	var f factorFlags
	cmd := p.onInstance(&cobra.Command{
		Use:   "reset-2fa [NAME_]",
		Short: "Print a token with which a user sets up a new second factor, or take it away",
		Long: "Print a token with which a user sets up a new second factor, once and within the time that\n" +
			"email_token_validity_minutes says: with POST recover/2fa/reset, or in Python with\n" +
			"client.util.set_two_factor_auth(token). It takes the place of an earlier one, and the former\n" +
			"second factor works until it is used. This is for servers without mail, and for users without\n" +
			"an address; see to it that nobody but the user gets the token.\n\n" +
			"With --remove the user has no second factor any more, and who has the password sets up a new\n" +
			"one at the next log-in. With --all this is so for all users, for when the key that their second\n" +
			"factors are sealed with is lost. The server may run meanwhile, or not; with another key it has to\n" +
			"be started anew.",
		Args: func(cmd *cobra.Command, args []string) error {
			if !f.all {
				return oneName(cmd, args)
			}
			return nothing(cmd, args)
		},
	}, &f.instanceFlags, func(ctx context.Context, inst config.Instance, args []string) (any, error) {
		switch {
		case f.all:
			return p.forgetFactors(ctx, inst, f)
		case f.remove:
			return p.forgetFactor(ctx, inst, f, args[0])
		}
		return p.printToken(ctx, inst, f.instanceFlags, core.ForSecondFactor, args[0])
	})
	cmd.Flags().BoolVar(&f.remove, "remove", false, "take the second factor away, and print no token")
	cmd.Flags().BoolVar(&f.all, "all", false, "take the second factors of all users away")
	yesFlag(cmd, &f.yes)
	return cmd
}

// removedJSON is whose second factors were taken away, as programs read it.
type removedJSON struct {
	Username string `json:"username,omitempty"` // empty: of all users
	Removed  int64  `json:"removed"`
}

func (p *program) forgetFactor(ctx context.Context, inst config.Instance, f factorFlags, name string) (any, error) {
	j := removedJSON{Username: name}
	err := p.withCore(ctx, inst, f.instanceFlags, func(c *core.Core) error {
		had, err := c.ForgetSecondFactor(ctx, name)
		if had {
			j.Removed = 1
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if j.Removed == 0 {
		p.Info("User %q had no second factor", name)
	} else {
		p.Info("User %q has no second factor any more, all log-ins of the user end", name)
	}
	return j, nil
}

func (p *program) forgetFactors(ctx context.Context, inst config.Instance, f factorFlags) (any, error) {
	if err := p.consent(f.yes, "take away the second factors of all users"); err != nil {
		return nil, err
	}
	var j removedJSON
	err := p.withCore(ctx, inst, f.instanceFlags, func(c *core.Core) (err error) {
		j.Removed, err = c.ForgetSecondFactors(ctx)
		return err
	})
	if err != nil {
		return nil, err
	}
	p.Info("Second factors that are taken away: %d", j.Removed)
	return j, nil
}
