package core

import (
	"bytes"
	"context"
	"fmt"

	"vserver/queries"
	"vserver/service/access"
	"vserver/service/fault"
)

// ChangePassword sets the caller's own password, contract 10 §6.5. A wrong current
// one counts like a failed log-in, and while the account is locked every one is
// wrong (SECURITY T20). It never takes failures back: with a second factor, only
// a whole log-in does. The user's refresh tokens end (SECURITY T03).
func (c *Core) ChangePassword(ctx context.Context, g access.Grant, current, fresh string) error {
	id := g.Actor().ID
	u, err := c.db.CredentialsOfUser(ctx, id)
	if err != nil {
		return fmt.Errorf("reading a user: %w", err)
	}
	if err := c.confirm(ctx, u, current); err != nil {
		return err
	}
	if bytes.Equal(cut(current), cut(fresh)) {
		return fault.New(fault.Invalid, "New password is the same as current password!")
	}
	if err := CheckPolicy(fresh); err != nil {
		return err
	}
	hash, err := c.hash(ctx, fresh)
	if err != nil {
		return err
	}
	err = c.inTx(ctx, func(ctx context.Context, t *tx) error {
		t.rightsChanged() // the generation of tokens is kept with the rights
		return first(t.SetPassword(ctx, &hash, id), t.RevokeRefreshTokens(ctx, id))
	})
	if err != nil {
		return fmt.Errorf("changing a password: %w", err)
	}
	return nil
}

// confirm wants the user's current password, whatever it costs takes as long when
// the account is locked.
func (c *Core) confirm(ctx context.Context, u queries.User, current string) error {
	locked := c.locked(u)
	if locked {
		u.Password = nil
	}
	ok, err := c.matches(ctx, u.Password, current)
	if err != nil || ok {
		return err
	}
	if !locked {
		if err := c.countFailure(ctx, u.ID); err != nil {
			return err
		}
	}
	return fault.New(fault.Unauthorized, "Your current password is not correct!")
}

// countFailure counts a wrong password.
func (c *Core) countFailure(ctx context.Context, user int64) error {
	most := int64(c.set.MaxFailedAttempts)
	err := c.inTx(ctx, func(ctx context.Context, t *tx) error {
		return t.CountFailedLogin(ctx, queries.CountFailedLoginParams{Most: &most, At: &t.Now, ID: user})
	})
	if err != nil {
		return fmt.Errorf("counting a wrong password: %w", err)
	}
	return nil
}
