package core

import (
	"bytes"
	"context"
	"fmt"

	"vserver/service/access"
	"vserver/service/fault"
)

// ChangePassword sets the caller's own password (/docs/tokens#change). A wrong current
// one counts like a failed log-in, its repetition not, and while the account is locked every one is
// wrong (/docs/security#t20). It never takes failures back: with a second factor, only
// a whole log-in does. The user's refresh tokens end (/docs/security#t03).
func (c *Core) ChangePassword(ctx context.Context, g access.Grant[access.UserItself], current, fresh string, from Origin) error {
	id := g.Actor().ID
	u, err := c.db.CredentialsOfUser(ctx, id)
	if err != nil {
		return fmt.Errorf("reading a user: %w", err)
	}
	ok, err := c.proves(ctx, u, current, from, askerOf(id), c.wrongTries)
	switch {
	case err != nil:
		return err
	case !ok:
		return fault.New(fault.Unauthorized, "Your current password is not correct!")
	}
	if bytes.Equal(cut(current), cut(fresh)) {
		return fault.New(fault.Invalid, "New password is the same as current password!")
	}
	if err := CheckPasswordPolicy(fresh); err != nil {
		return err
	}
	hash, err := c.hash(ctx, id, fresh)
	if err != nil {
		return err
	}
	err = c.transact(ctx, func(ctx context.Context, t *Tx) error {
		u, err := t.HoldUser(ctx, id)
		if err != nil {
			return err
		}
		u.Password = &hash
		return firstError(t.PasswordSet(ctx, &u), t.SaveUser(ctx, u), t.notifyPasswordChanged(ctx, u, from))
	})
	if err != nil {
		return fmt.Errorf("changing a password: %w", err)
	}
	return nil
}
