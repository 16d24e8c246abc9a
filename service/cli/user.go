package cli

import (
	"cmp"
	"context"
	"errors"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"vserver/service"
	"vserver/service/config"
	"vserver/service/core"
)

// userCommand looks after accounts whose users cannot get in.
func (p *program) userCommand() *cobra.Command {
	return group(&cobra.Command{
		Use:   "user",
		Short: "Let users in again: locks after wrong passwords, lost passwords and second factors",
	}, p.userListCommand(), p.userUnlockCommand(), p.userResetPasswordCommand(), p.userSetPasswordCommand(),
		p.userResetFactorCommand())
}

func (p *program) userListCommand() *cobra.Command {
	var f instanceFlags
	return p.onInstance(&cobra.Command{
		Use:   "list",
		Short: "List the accounts with wrong passwords: how many, from where, and until when they are locked",
		Long: "List the accounts with wrong passwords: how many, from where, and until when they are locked.\n\n" +
			"An account is locked for one address, or as a whole after ten times as many wrong\n" +
			"passwords from anywhere. The server may run meanwhile, or not.",
		Args: nothing,
	}, &f, func(ctx context.Context, inst config.Instance, _ []string) (any, error) {
		var list []core.Failed
		err := p.withCore(ctx, inst, f, func(c *core.Core) (err error) {
			list, err = c.FailedAccounts(ctx)
			return err
		})
		if err != nil {
			return nil, err
		}
		return p.failedAccounts(list), nil
	})
}

func (p *program) userUnlockCommand() *cobra.Command {
	var f instanceFlags
	return p.onInstance(&cobra.Command{
		Use:   "unlock NAME_",
		Short: "Forget the wrong passwords of a user, who is not locked any more",
		Long: "Forget the wrong passwords of a user, who is not locked any more, from any address.\n\n" +
			"The server may run meanwhile, or not: it notices at the next log-in. The password stays\n" +
			"as it is.",
		Args: oneName,
	}, &f, func(ctx context.Context, inst config.Instance, args []string) (any, error) {
		var was core.Failed
		err := p.withCore(ctx, inst, f, func(c *core.Core) (err error) {
			was, err = c.Unlock(ctx, args[0])
			return err
		})
		if err != nil {
			return nil, err
		}
		if was.Locked() {
			p.Info("User %q is not locked any more: %d wrong passwords are forgotten", was.Username, was.Failures)
		} else {
			p.Info("User %q was not locked: %d wrong passwords are forgotten", was.Username, was.Failures)
		}
		return failedOf(was), nil
	})
}

// oneName wants one argument that names a user.
func oneName(_ *cobra.Command, args []string) error {
	if len(args) == 0 || args[0] == "" {
		return misused("Missing argument 'NAME_'.")
	}
	if len(args) > 1 {
		return misused("Got unexpected extra argument (%s)", strings.Join(args[1:], " "))
	}
	return nil
}

// withCore opens the database of an instance for as long as f runs.
func (p *program) withCore(ctx context.Context, inst config.Instance, f instanceFlags, do func(*core.Core) error) (err error) {
	opened, err := service.OpenInstance(ctx, inst, rootFromAnywhere(f.environment), p.Logger())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, opened.Close()) }()
	return do(opened.Core)
}

// failedJSON is an account with wrong passwords, as programs read it.
type failedJSON struct {
	Username    string           `json:"username"`
	Failures    int64            `json:"failures"`
	Last        *time.Time       `json:"last"`
	Locked      bool             `json:"locked"`       // for anybody
	LockedUntil *time.Time       `json:"locked_until"` // as a whole
	From        []failedFromJSON `json:"from"`
}

type failedFromJSON struct {
	Address     *string    `json:"address"` // null where it is not known
	Failures    int64      `json:"failures"`
	Last        time.Time  `json:"last"`
	LockedUntil *time.Time `json:"locked_until"`
}

func failedOf(f core.Failed) failedJSON {
	j := failedJSON{
		Username: f.Username, Failures: f.Failures, Last: f.Last, Locked: f.Locked(), LockedUntil: f.Until,
		From: make([]failedFromJSON, len(f.From)),
	}
	for i, from := range f.From {
		j.From[i] = failedFromJSON{Failures: from.Failures, Last: from.Last, LockedUntil: from.Until}
		if from.Network != "" {
			j.From[i].Address = &from.Network
		}
	}
	return j
}

// failedAccounts prints accounts with wrong passwords.
func (p *program) failedAccounts(list []core.Failed) []failedJSON {
	all, locked := make([]failedJSON, len(list)), 0
	for i, f := range list {
		all[i] = failedOf(f)
		if f.Locked() {
			locked++
		}
		p.Info("User %q: wrong passwords %d%s", f.Username, f.Failures, lockedUntil("everybody", f.Until))
		for _, from := range f.From {
			p.Info("  from %s: %d, the last at %s%s", cmp.Or(from.Network, "an unknown address"), from.Failures, moment(from.Last), lockedUntil("it", from.Until))
		}
	}
	p.Info("Users with wrong passwords: %d, locked: %d", len(list), locked)
	return all
}

func lockedUntil(whom string, at *time.Time) string {
	if at == nil {
		return ""
	}
	return ", locked for " + whom + " until " + moment(*at)
}

// moment is a time as people and programs read it.
func moment(at time.Time) string { return at.UTC().Format(time.RFC3339) }
