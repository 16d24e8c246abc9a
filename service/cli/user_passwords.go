package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"vserver/service/config"
	"vserver/service/core"
	"vserver/service/terminal"
)

func (p *program) userSetPasswordCommand() *cobra.Command {
	var f instanceFlags
	return p.onInstance(&cobra.Command{
		Use:   "set-password NAME_",
		Short: "Give a user a new password, and end all log-ins with the former one",
		Long: "Give a user a new password, which is asked for, or read from the standard input. All\n" +
			"log-ins of the user end, and wrong passwords are forgotten; a second factor stays. The\n" +
			"server may run meanwhile, or not. Where mail is configured the user is told.",
		Args: oneName,
	}, &f, func(ctx context.Context, inst config.Instance, args []string) (any, error) {
		password, err := p.in.Ask(p.Console, terminal.Question{
			Title: "New password:", Hidden: true, Check: core.CheckPasswordPolicy,
		})
		if err != nil {
			return nil, err
		}
		err = p.withCore(ctx, inst, f, func(c *core.Core) error { return c.SetPassword(ctx, args[0], password) })
		if err != nil {
			return nil, err
		}
		p.Info("User %q has the new password", args[0])
		return map[string]string{"username": args[0]}, nil
	})
}

// tokenJSON is a token that lets somebody back in, as programs read it.
type tokenJSON struct {
	Username string    `json:"username"`
	Token    string    `json:"token"`
	Until    time.Time `json:"until"`
}

func (p *program) userResetPasswordCommand() *cobra.Command {
	var f instanceFlags
	return p.onInstance(&cobra.Command{
		Use:   "reset-password NAME_",
		Short: "Print a token with which a user sets a new password",
		Long: "Print a token with which a user sets a new password, once and within the time that\n" +
			"email_token_validity_minutes says: with POST recover/reset, or in Python with\n" +
			"client.util.set_my_password(token, new_password). It takes the place of an earlier one. This\n" +
			"is for servers without mail, and for users without an address; see to it that nobody\n" +
			"but the user gets the token. The server may run meanwhile, or not.",
		Args: oneName,
	}, &f, func(ctx context.Context, inst config.Instance, args []string) (any, error) {
		return p.printToken(ctx, inst, f, core.ForPassword, args[0])
	})
}

// printToken prints a token for a user.
func (p *program) printToken(ctx context.Context, inst config.Instance, f instanceFlags, purpose core.Purpose, name string) (any, error) {
	j := tokenJSON{Username: name}
	err := p.withCore(ctx, inst, f, func(c *core.Core) (err error) {
		j.Token, j.Until, err = c.IssueToken(ctx, name, purpose)
		return err
	})
	if err != nil {
		return nil, err
	}
	j.Until = j.Until.UTC().Truncate(time.Second)
	p.Info("The token for user %q works once, until %s:", j.Username, moment(j.Until))
	p.Info("%s", j.Token)
	return j, nil
}
