package core

import (
	"context"
	"fmt"
	"time"

	"vserver/queries"
	"vserver/service/access"
	"vserver/service/fault"
)

// LocksOf gives the locks of those among some users who are locked, by id, as far as the
// caller may edit them (/docs/users#locks).
func (c *Core) LocksOf(ctx context.Context, g access.Grant[access.ViewUsers], users ...User) (map[int64]Failed, error) {
	var ids []int64
	edits := access.Embedded[access.EditUsers](g)
	for _, u := range users {
		if edits.CoversUser(u.ID, u.OrganizationID) {
			ids = append(ids, u.ID)
		}
	}
	locks := map[int64]Failed{}
	if len(ids) == 0 {
		return locks, nil
	}
	set := idSet(ids)
	list, err := c.failedAmong(ctx, &set)
	if err != nil {
		return nil, err
	}
	for _, f := range list {
		if f.Locked() {
			locks[f.UserID] = f
		}
	}
	return locks, nil
}

// UnlockUser takes back all wrong passwords of another user (/docs/users#unlock). Who could
// unlock itself, or somebody with more rights, could guess passwords without end.
func (c *Core) UnlockUser(ctx context.Context, g access.Grant[access.EditUsers], id int64) error {
	err := c.once(ctx, func(ctx context.Context, t *Tx) error {
		u, err := t.userInCharge(ctx, g, id, nil, "You cannot unlock your own account: its lock ends by itself")
		if err != nil {
			return err
		}
		return firstError(t.forgiveAll(ctx, u.ID), t.noteUser(ctx, eventUserUnlocked, u.ID))
	})
	if err != nil {
		return fmt.Errorf("unlocking a user: %w", err)
	}
	return nil
}

// userInCharge holds a user of whom the caller may do what gives power over the account:
// another one, who holds nothing that the caller does not. A fault of the body counts once the
// row and the permission are there; the text is for oneself.
func (t *Tx) userInCharge(ctx context.Context, g access.Grant[access.EditUsers], id int64, faulty error, oneself string) (queries.User, error) {
	found, err := findUser(ctx, t.Queries, id, textNoUser)
	if err == nil {
		err = inCharge(ctx, t.Queries, g, found, faulty, oneself)
	}
	if err != nil {
		return queries.User{}, err
	}
	return t.HoldUser(ctx, id)
}

func inCharge(ctx context.Context, q *queries.Queries, g access.AnyGrant, u queries.GetUserRow, faulty error, oneself string) error {
	if !g.CoversUser(u.ID, u.OrganizationID) {
		return fault.Deny()
	}
	if faulty != nil {
		return faulty
	}
	if g.Actor().IsSelf(u.ID) {
		return fault.New(fault.Invalid, "%s", oneself)
	}
	set, err := rulesHeldBy(ctx, q, u.ID)
	if err != nil {
		return err
	}
	return g.Actor().MustHold(set)
}

// SignOut ends all tokens and live connections of the caller (/docs/tokens#revoke).
func (c *Core) SignOut(ctx context.Context, g access.Grant[access.UserItself]) error {
	err := c.transact(ctx, func(ctx context.Context, t *Tx) error { return t.endSessions(ctx, g.Actor().ID) })
	if err != nil {
		return fmt.Errorf("signing out: %w", err)
	}
	return nil
}

// invitationLife is how long somebody may take who is invited (/docs/users#invite).
const invitationLife = 7 * 24 * time.Hour

// Invited is what came of an invitation. The token is there when no mail brings it.
type Invited struct {
	Token string
	Until time.Time
}

// Invite makes a token with which another user, who was never here, sets a password, and has
// it mailed or hands it out (/docs/users#invite).
func (c *Core) Invite(ctx context.Context, g access.Grant[access.EditUsers], id int64, byMail Sent[bool], from Origin) (made Invited, err error) {
	err = c.once(ctx, func(ctx context.Context, t *Tx) error {
		u, err := t.userInCharge(ctx, g, id, byMail.Fault, "You cannot invite yourself")
		if err != nil {
			return err
		}
		account, err := t.HoldAccount(ctx, id)
		if err != nil {
			return err
		}
		if account.LastSeen != nil {
			return fault.New(fault.Invalid, "The user has logged in already: a lost password is set anew with POST recover/lost")
		}
		made.Token, made.Until, err = t.issueFor(ctx, u.ID, ForPassword, invitationLife)
		if err == nil && byMail.Fields {
			err = t.mailInvitation(ctx, u, made, from)
			made.Token = ""
		}
		return firstError(err, t.noteUser(ctx, eventUserInvited, id))
	}, &made)
	if err != nil {
		return Invited{}, fmt.Errorf("inviting a user: %w", err)
	}
	return made, nil
}

func (t *Tx) mailInvitation(ctx context.Context, u queries.User, made Invited, from Origin) error {
	if !t.core.set.Mail {
		return fault.New(fault.Invalid, "This server sends no mail: invite by link")
	}
	may, err := t.mailable(ctx, u, Invitation)
	if err == nil && !may {
		err = fault.New(fault.Invalid, "The user has no address, or was sent an invitation within the last hour")
	}
	if err != nil {
		return err
	}
	// An earlier one that still waits has a token that is worth nothing any more.
	if err := t.EndMailsOfUser(ctx, u.ID, string(Invitation)); err != nil {
		return err
	}
	facts := MailFacts{Token: made.Token, Lasts: invitationLife, At: t.Now.Time}
	return t.queueMail(ctx, queries.Mail{Kind: string(Invitation), Language: from.Language, ExpiresAt: queries.At(made.Until)}, u, facts)
}
