package core

import (
	"context"
	"fmt"
	"strings"
	"time"

	"vserver/queries"
	"vserver/service/fault"
)

// SetUp is what an authenticator has to scan.
type SetUp struct {
	Secret string // base32
	URI    string // the secret with names, for a QR code
}

func setUp(u queries.User, secret string) *SetUp {
	return &SetUp{secret, setUpURI(value(u.Username), secret)}
}

// pendingFor is how long a secret that was shown waits for its first code. Who logs in
// meanwhile is shown the same one, so that two log-ins at a time do not part an authenticator
// from the account; and it ends, so that nobody who had the password once knows the secret
// that the user scans later.
const pendingFor = time.Hour

// wrongCode is the answer to a code that is not right, or not any more.
func wrongCode() error {
	return fault.New(fault.Unauthorized, "Your two-factor authentication code is incorrect!")
}

// factor is the second factor of a user.
type factor struct {
	secret  string // that was confirmed; empty: there is none
	pending string // that waits for its first code; empty: there is none
	broken  error  // why the stored secret is of no use
}

// factorOf reads it out of the row of a user. A secret without any character is none: whoever
// took it for one would let everybody in.
func (s *sealer) factorOf(u queries.User, now time.Time) (f factor) {
	f.secret, f.broken = s.unseal(u.ID, strings.TrimSpace(value(u.OtpSecret)))
	if u.OtpPending == nil || u.OtpPendingAt == nil || now.Sub(u.OtpPendingAt.Time).Abs() >= pendingFor {
		return f
	}
	if pending, err := s.unseal(u.ID, *u.OtpPending); err == nil {
		f.pending = pending
	}
	return f
}

// confirmed reports whether a code is asked for.
func (f factor) confirmed() bool { return f.secret != "" || f.broken != nil }

// enter asks for the second factor of somebody who has the password, or checks it. The
// password alone takes no failures back.
func (c *Core) enter(ctx context.Context, u queries.User, code *string, from Origin) (LoggedIn, error) {
	s, err := c.sealer(ctx)
	if err != nil {
		return LoggedIn{}, err
	}
	f := s.factorOf(u, time.Now())
	switch {
	case f.confirmed() && code == nil:
		return LoggedIn{Asks: true}, nil
	case !f.confirmed() && f.pending == "":
		return c.beginSetUp(ctx, u.ID)
	case code == nil:
		return LoggedIn{SetUp: setUp(u, f.pending)}, nil
	}
	a := &attempt{core: c, from: from, code: codeText(*code), recovery: true}
	err = a.make(ctx, u)
	if err == nil && !a.right() {
		err = wrongCode()
		if a.locked {
			err = failedLogin()
		}
	}
	return LoggedIn{}, err
}

// beginSetUp makes the secret of a user who has none, or shows the one that somebody else
// has begun with meanwhile.
func (c *Core) beginSetUp(ctx context.Context, id int64) (in LoggedIn, err error) {
	err = c.transact(ctx, func(ctx context.Context, t *Tx) error {
		u, s, err := t.holdFactor(ctx, id)
		if err != nil {
			return err
		}
		f := s.factorOf(u, t.Now.Time)
		if in = (LoggedIn{Asks: f.confirmed()}); in.Asks {
			return nil
		}
		if f.pending == "" {
			f.pending = newSecret()
			stored := s.seal(id, f.pending)
			u.OtpSecret, u.OtpPending, u.OtpPendingAt, u.OtpStep = nil, &stored, &t.Now, nil
			err = t.saveFactor(ctx, u)
		}
		in.SetUp = setUp(u, f.pending)
		return err
	})
	if queries.Missing(err) {
		return LoggedIn{}, failedLogin()
	}
	if err != nil {
		return LoggedIn{}, fmt.Errorf("beginning to set up a second factor: %w", err)
	}
	return in, nil
}

// holdFactor holds a user whose second factor is looked at or changed.
func (t *Tx) holdFactor(ctx context.Context, id int64) (queries.User, *sealer, error) {
	u, err := t.HoldUser(ctx, id)
	if err != nil {
		return u, nil, err
	}
	s, err := t.readKey(ctx)
	return u, s, err
}

// saveFactor writes the second factor of a user who was held before.
func (t *Tx) saveFactor(ctx context.Context, u queries.User) error {
	return t.UpdateSecondFactor(ctx, queries.UpdateSecondFactorParams{
		OtpSecret: u.OtpSecret, OtpPending: u.OtpPending, OtpPendingAt: u.OtpPendingAt, OtpStep: u.OtpStep, ID: u.ID,
	})
}

// SecondFactorOf returns the secret of a user as an authenticator has it, empty for none.
func (t *Tx) SecondFactorOf(ctx context.Context, u queries.User) (string, error) {
	if !strings.HasPrefix(value(u.OtpSecret), sealedMark) {
		return value(u.OtpSecret), nil
	}
	s, err := t.readKey(ctx)
	if err != nil {
		return "", err
	}
	return s.unseal(u.ID, *u.OtpSecret)
}

// SecondFactorReady makes sure, before a server serves, that second factors can be used, and
// seals secrets that are stored as they are.
func (c *Core) SecondFactorReady(ctx context.Context) error {
	if !c.set.SecondFactor {
		return nil
	}
	if _, err := c.sealer(ctx); err != nil {
		return err
	}
	n, err := c.SealSecrets(ctx)
	if n > 0 {
		c.log.Info().Msgf("Sealed the second factors of %d users, which were stored as they are", n)
	}
	return err
}

// SealSecrets seals what is stored as it is, and returns of how many users. The error is ErrNoKey when
// there is something, and no key.
func (c *Core) SealSecrets(ctx context.Context) (int, error) {
	ids, err := c.db.UsersWithOpenSecret(ctx)
	if err != nil {
		return 0, fmt.Errorf("looking for secrets that are not sealed: %w", err)
	}
	for _, id := range ids {
		err := c.transact(ctx, func(ctx context.Context, t *Tx) error {
			u, s, err := t.holdFactor(ctx, id)
			if err != nil {
				return err
			}
			for _, secret := range []**string{&u.OtpSecret, &u.OtpPending} {
				if *secret != nil && **secret != "" && !strings.HasPrefix(**secret, sealedMark) {
					stored := s.seal(id, **secret)
					*secret = &stored
				}
			}
			return t.saveFactor(ctx, u)
		})
		if err != nil && !queries.Missing(err) {
			return 0, fmt.Errorf("sealing a secret: %w", err)
		}
	}
	return len(ids), nil
}
