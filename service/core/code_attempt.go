package core

import (
	"context"
	"fmt"
	"time"

	"vserver/queries"
)

// attempt is one try to prove a second factor with a code, and what came of it.
type attempt struct {
	core     *Core
	from     Origin
	code     string // as codeText has it
	recovery bool   // a recovery code will do as well
	// repeats reports whether a wrong code is the one before once more, which does not count
	// again; nil: each counts.
	repeats func() bool
	// then is done with it, when the code is right, in the same transaction; nil: nothing.
	then func(ctx context.Context, t *Tx, s *sealer) error

	user     queries.User // as held
	factor   factor
	at       queries.Time
	was, now tally
	locked   bool
	held     bool  // it is an unused recovery code
	step     int64 // of which period it is the code; 0: of none
	err      error // of a stored secret that makes no codes
}

// right reports whether the code may pass.
func (a *attempt) right() bool { return !a.locked && (a.step > 0 || a.held) }

// make judges a code in one transaction, so that guesses that come together count one by
// one, and spends it. A wrong one counts like a wrong password; while the account is locked none
// is right and nothing is counted. Where nothing can be written a code of a log-in is judged all
// the same, and kept in mind.
func (a *attempt) make(ctx context.Context, u queries.User) error {
	err := a.core.transact(ctx, func(ctx context.Context, t *Tx) error {
		s, err := a.begin(ctx, t, u.ID)
		if err != nil {
			return err
		}
		if a.was, a.now, err = t.changeTally(ctx, u.ID, a.from, a.judge); err != nil || !a.right() {
			return err
		}
		if err := a.spend(ctx, t, s); err != nil || a.then == nil {
			return err
		}
		return a.then(ctx, t, s)
	})
	switch {
	case queries.Missing(err):
		return failedLogin()
	case err != nil:
		if err := a.outside(ctx, u, err); err != nil {
			return err
		}
	}
	a.report()
	return nil
}

// begin reads all that a code is judged by. It may happen twice.
func (a *attempt) begin(ctx context.Context, t *Tx, id int64) (s *sealer, err error) {
	if a.user, s, err = t.holdFactor(ctx, id); err != nil {
		return nil, err
	}
	a.factor, a.held = s.factorOf(a.user, t.Now.Time), false
	if a.recovery && a.factor.secret != "" && len(a.code) == recoveryLength {
		a.held, err = t.HasRecoveryCode(ctx, id, s.digest(id, a.code))
	}
	return s, err
}

// judge is what a code does to what counts against the account.
func (a *attempt) judge(was tally) tally {
	a.at, a.step, a.err = queries.Now(), 0, a.factor.broken
	pair, whole := was.locked(a.core.set, a.from.network(), a.at.Time)
	if a.locked = pair || whole; a.locked {
		return was
	}
	if a.err == nil && !a.held {
		a.step, a.err = a.match()
	}
	switch {
	case a.right():
		return was.without(a.from.network())
	case a.repeats != nil && a.repeats():
		return was
	}
	return was.with(a.core.set, a.from.network(), a.at)
}

// match returns the period whose code it is, 0 for none.
func (a *attempt) match() (step int64, err error) {
	secret := a.factor.secret
	if secret == "" {
		secret = a.factor.pending
	}
	if secret == "" { // it waited too long
		return 0, nil
	}
	last := max(value(a.user.OtpStep), a.core.spent.last(a.user.ID))
	return stepOf(secret, a.code, a.at.Time, last)
}

// spend has the code accepted never again, and keeps the secret whose first one it is.
func (a *attempt) spend(ctx context.Context, t *Tx, s *sealer) error {
	u := a.user
	if a.held {
		return t.DeleteRecoveryCode(ctx, u.ID, s.digest(u.ID, a.code))
	}
	u.OtpStep = &a.step
	if a.factor.secret != "" {
		return t.saveFactor(ctx, u)
	}
	u.OtpSecret, u.OtpPending, u.OtpPendingAt = u.OtpPending, nil, nil
	return firstError(t.saveFactor(ctx, u), t.notifySecondFactorChanged(ctx, u, a.from))
}

// outside judges a code where the transaction failed. What has to be written whatever comes
// cannot be judged so.
func (a *attempt) outside(ctx context.Context, u queries.User, why error) error {
	s := a.core.sealing.Load()
	if s == nil || a.then != nil || len(a.code) == recoveryLength {
		return fmt.Errorf("checking a second factor: %w", why)
	}
	a.user, a.factor, a.held = u, s.factorOf(u, time.Now()), false
	if !a.factor.confirmed() {
		return fmt.Errorf("confirming a second factor: %w", why)
	}
	seen, err := a.core.tally(ctx, u)
	if err != nil {
		return err
	}
	a.core.log.Warn().Err(why).Msg("A log-in could not be written to the database: it is kept in memory until it can be")
	a.was, a.now = a.core.unwritten.change(u.ID, failuresOf(u), seen, func(was tally) tally {
		now := a.judge(was)
		if a.step > 0 {
			a.core.spent.add(u.ID, a.step)
		}
		return now
	})
	return nil
}

// report writes to the log what came of it.
func (a *attempt) report() {
	c, name := a.core, value(a.user.Username)
	if a.err != nil {
		c.log.Error().Err(a.err).Msgf("The second factor of %s cannot be used, no code is right: vserver user reset-2fa helps", shown(name))
	}
	switch {
	case a.locked:
		c.refuseCode(name, a.from, "the account is locked")
	case !a.right():
		c.refuseCode(name, a.from, "it is wrong, or was used before")
		c.reportLock(a.user, a.from, a.was, a.now, a.at.Time)
	case a.held:
		c.log.Warn().Msgf("%s logged in from %s with a recovery code, which is used up now", shown(name), a.from.Address)
	case a.factor.secret == "":
		c.log.Info().Msgf("%s confirmed a second factor from %s", shown(name), a.from.Address)
	}
}

// refuseCode is refuse for a code.
func (c *Core) refuseCode(name string, from Origin, why string) {
	c.refused.WrongCodes.Add(1)
	c.log.Warn().Msgf("Refused the code of %s from %s: %s", shown(name), from.Address, why)
}
