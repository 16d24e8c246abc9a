package core

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"vserver/queries"
	"vserver/service/fault"
)

// SetSecondFactor stores a secret that an authenticator has already, in place of the one that
// the user had; nil and the empty text take the second factor away. Recovery codes go, and where
// there was a second factor, all tokens of the user end and the user is told
// (/docs/security#t03).
func (t *Tx) SetSecondFactor(ctx context.Context, user int64, secret *string) error {
	u, err := t.HoldUser(ctx, user)
	if err != nil {
		return err
	}
	had := u.OtpSecret != nil
	if err := t.replaceFactor(ctx, u, value(secret)); err != nil || !had {
		return err
	}
	return firstError(t.endSessions(ctx, user), t.notifySecondFactorChanged(ctx, u, Origin{}))
}

// replaceFactor stores a secret of a user, who is held, sealed, or none for the empty text.
func (t *Tx) replaceFactor(ctx context.Context, u queries.User, secret string) error {
	u.OtpSecret, u.OtpPending, u.OtpPendingAt, u.OtpStep = nil, nil, nil, nil
	if secret = strings.TrimRight(strings.TrimSpace(secret), "="); secret != "" {
		if _, err := stepOf(secret, "", t.Now.Time, 0); err != nil {
			return fault.New(fault.Invalid, "otp_secret must be base32")
		}
		s, err := t.readKey(ctx)
		if err != nil {
			return err
		}
		stored := s.seal(u.ID, secret)
		u.OtpSecret = &stored
	}
	return firstError(t.saveFactor(ctx, u), t.DeleteRecoveryCodes(ctx, u.ID), t.DeleteRecoveries(ctx, u.ID, string(ForSecondFactor)))
}

// ResetSecondFactor gives a token's user a new secret (/docs/tokens#recovery). The token stands
// for its first code: the former secret and its recovery codes are worth nothing any more, and
// all log-ins of the user end.
func (c *Core) ResetSecondFactor(ctx context.Context, token string, from Origin) (*SetUp, error) {
	secret := newSecret()
	var shown *SetUp
	err := c.transact(ctx, func(ctx context.Context, t *Tx) error {
		u, err := t.redeem(ctx, ForSecondFactor, token)
		if err != nil {
			return err
		}
		shown = setUp(u, secret)
		err = firstError(t.replaceFactor(ctx, u, secret), t.endSessions(ctx, u.ID), t.notifySecondFactorChanged(ctx, u, from))
		return err
	})
	if errors.Is(err, ErrNoKey) {
		c.log.Error().Err(err).Msg("A second factor could not be reset")
		return nil, fault.New(fault.Invalid, "This server cannot keep second factors: its administrator has to give it a key")
	}
	if err != nil {
		return nil, fmt.Errorf("resetting a second factor: %w", err)
	}
	return shown, nil
}

// ForgetSecondFactor takes the second factor of a user away, for those who hold the database
// itself: the next log-in sets up a new one. It reports whether there was one.
func (c *Core) ForgetSecondFactor(ctx context.Context, username string) (had bool, err error) {
	err = c.transact(ctx, func(ctx context.Context, t *Tx) error {
		u, err := t.heldByName(ctx, username)
		if err != nil {
			return err
		}
		had = u.OtpSecret != nil
		return firstError(t.SetSecondFactor(ctx, u.ID, nil), t.CountChange(ctx))
	})
	if err != nil {
		return false, fmt.Errorf("forgetting a second factor: %w", err)
	}
	return had, nil
}

// ForgetSecondFactors takes those of all users away, and returns how many had one. When the key
// that they are sealed with is lost, another one may be used from then on. Running servers have
// to be started anew then.
func (c *Core) ForgetSecondFactors(ctx context.Context) (n int64, err error) {
	lost := CheckKey(ctx, c.db, c.set.Key)
	if lost != nil && (!errors.Is(lost, ErrNoKey) || errors.Is(lost, fs.ErrPermission)) {
		return 0, lost
	}
	err = c.transact(ctx, func(ctx context.Context, t *Tx) error {
		if n, err = t.CountSecondFactors(ctx); err != nil {
			return err
		}
		ids, err := t.UsersWithSecondFactor(ctx)
		if err != nil {
			return err
		}
		for _, id := range ids {
			if err := t.SetSecondFactor(ctx, id, nil); err != nil {
				return err
			}
		}
		if lost != nil {
			err = t.DeleteSecret(ctx, keyProof)
		}
		return firstError(err, t.CountChange(ctx))
	})
	if err != nil {
		return 0, fmt.Errorf("forgetting second factors: %w", err)
	}
	return n, nil
}
