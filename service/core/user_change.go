package core

import (
	"context"
	"fmt"
	"slices"

	"vserver/queries"
	"vserver/service/access"
	"vserver/service/fault"
)

// UserChanges are what a request wants changed; nil leaves the stored value as it
// is. Roles and Rules replace all that the user has.
type UserChanges struct {
	Username, Firstname, Lastname, Email *string
	Password                             bool // one was sent, which is refused
	Roles, Rules                         []int64
}

// userChange is a change under way: who asks, of whom, for what.
type userChange struct {
	*Tx
	grant access.Grant[access.EditUsers]
	user  queries.GetUserRow
	to    UserChanges
}

// ChangeUser writes the fields that are given, all or none (/docs/users#change).
func (c *Core) ChangeUser(ctx context.Context, g access.Grant[access.EditUsers], id int64, in Sent[UserChanges]) (User, error) {
	var row queries.GetUserRow
	err := c.once(ctx, func(ctx context.Context, t *Tx) error {
		u, err := findUser(ctx, t.Queries, id, textNoUser)
		if err != nil {
			return err
		}
		if !g.CoversUser(u.ID, u.OrganizationID) {
			return fault.Deny()
		}
		if in.Fault != nil {
			return in.Fault
		}
		if err := (&userChange{Tx: t, grant: g, user: u, to: in.Fields}).apply(ctx); err != nil {
			return err
		}
		if err := t.noteUser(ctx, eventUserChanged, id); err != nil {
			return err
		}
		row, err = t.GetUser(ctx, id)
		return err
	}, &row)
	if queries.Taken(err) || queries.InUse(err) {
		return User{}, fault.Wrap(fault.Invalid, err, "User could not be updated with those parameters.")
	}
	if err != nil {
		return User{}, fmt.Errorf("changing a user: %w", err)
	}
	return c.wholeUser(ctx, row)
}

// apply checks and writes, in the order of the contract.
func (u *userChange) apply(ctx context.Context) error {
	if u.to.Password {
		return fault.New(fault.Invalid, "You cannot change your password here!")
	}
	for _, step := range []func(context.Context) error{u.checkUsername, u.checkEmail, u.replaceRoles, u.replaceRules} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	row, err := u.HoldUser(ctx, u.user.ID)
	if err != nil {
		return err
	}
	put(&row.Username, u.to.Username)
	put(&row.Firstname, u.to.Firstname)
	put(&row.Lastname, u.to.Lastname)
	put(&row.Email, u.to.Email)
	return u.SaveUser(ctx, row)
}

// self reports whether the caller changes its own account.
func (u *userChange) self() bool { return u.grant.Actor().IsSelf(u.user.ID) }

func (u *userChange) checkUsername(ctx context.Context) error {
	name := u.to.Username
	switch {
	case name == nil:
		return nil
	case *name == "":
		return fault.New(fault.Invalid, "Empty username is not allowed!")
	case *name == value(u.user.Username):
		return nil
	}
	if err := checkNewName("username", u.user.Username, name); err != nil {
		return err
	}
	taken, err := u.UsernameTaken(ctx, name, u.user.ID)
	switch {
	case err != nil:
		return fmt.Errorf("looking for a username: %w", err)
	case taken:
		return fault.New(fault.Invalid, "User with that username already exists")
	case !u.self():
		return fault.New(fault.Invalid, "You cannot change the username of another user")
	}
	return nil
}

// checkEmail lets an address of another user be changed only by who holds all that
// the user holds: mail is the way to a new password (/docs/users#change).
func (u *userChange) checkEmail(ctx context.Context) error {
	email := u.to.Email
	switch {
	case email == nil:
		return nil
	case *email == "":
		return fault.New(fault.Invalid, "Empty email is not allowed!")
	case *email == value(u.user.Email):
		return nil
	}
	if !u.self() {
		set, err := rulesHeldBy(ctx, u.Queries, u.user.ID)
		if err == nil {
			err = u.grant.Actor().MustHold(set)
		}
		if err != nil {
			return err
		}
	}
	taken, err := u.EmailTaken(ctx, email, u.user.ID)
	if err != nil {
		return fmt.Errorf("looking for an email: %w", err)
	}
	if taken {
		return fault.New(fault.Invalid, "User with that email already exists.")
	}
	return nil
}

// replaceRoles makes the user's roles those of the request.
func (u *userChange) replaceRoles(ctx context.Context) error {
	if u.to.Roles == nil {
		return nil
	}
	has, err := byOwner(u.RolesOfUsers(ctx, idSet([]int64{u.user.ID})))
	if err != nil {
		return fmt.Errorf("reading the roles of a user: %w", err)
	}
	gone := difference(has[u.user.ID], u.to.Roles)
	roles, sets, err := rolesWithSets(ctx, u.Queries, slices.Concat(has[u.user.ID], u.to.Roles))
	if err != nil {
		return err
	}
	if err := firstError(u.mayGive(roles, sets), u.mayTake(roles, sets, gone)); err != nil {
		return err
	}
	for _, id := range gone {
		if r := roles[id]; everybodys(r) && value(r.Name) == access.RoleRoot {
			if err := keepsRoot(ctx, u.Tx, u.user.ID); err != nil {
				return err
			}
		}
	}
	return firstError(u.Unassign(ctx, u.user.ID, gone...), u.Assign(ctx, rolesOf(u.user.ID, u.to.Roles)...))
}

// mayGive judges every role of the request, those too that the user has already.
func (u *userChange) mayGive(roles map[int64]queries.Role, sets map[int64]access.Set) error {
	for _, id := range u.to.Roles {
		if _, ok := roles[id]; !ok {
			return fault.New(fault.Missing, "Role=%d can not be found!", id)
		}
	}
	if u.self() {
		return fault.New(fault.Denied, "You can't changes your own roles!")
	}
	for _, id := range u.to.Roles {
		if err := u.grant.Actor().MustHold(sets[id]); err != nil {
			return err
		}
		if ofOtherOrganization(roles[id], u.user.OrganizationID) {
			return fault.New(fault.Denied,
				"You can't assign that role to that user as the role belongs to a different organization than the user ")
		}
	}
	return nil
}

func (u *userChange) mayTake(roles map[int64]queries.Role, sets map[int64]access.Set, gone []int64) error {
	for _, id := range gone {
		if r, lacks := u.grant.Actor().Rules.Lacks(sets[id]); lacks {
			return fault.New(fault.Denied, "You are trying to delete the role %s from this user but that is not allowed because they have "+
				"permissions you don't have: %s (and they do!)", value(roles[id].Name), access.NotHeld(r))
		}
	}
	return nil
}

// replaceRules makes the user's extra rules those of the request.
func (u *userChange) replaceRules(ctx context.Context) error {
	if u.to.Rules == nil {
		return nil
	}
	has, err := byOwner(u.ExtraRulesOfUsers(ctx, idSet([]int64{u.user.ID})))
	if err != nil {
		return fmt.Errorf("reading the rules of a user: %w", err)
	}
	gone := difference(has[u.user.ID], u.to.Rules)
	known, err := knownRules(ctx, u.Queries, slices.Concat(has[u.user.ID], u.to.Rules))
	if err != nil {
		return err
	}
	if err := u.mayExchange(known, gone); err != nil {
		return err
	}
	return firstError(u.RevokeFromUser(ctx, u.user.ID, gone...), u.GrantToUser(ctx, u.user.ID, u.to.Rules...))
}

func (u *userChange) mayExchange(known map[int64]access.Set, gone []int64) error {
	for _, id := range u.to.Rules {
		if _, ok := known[id]; !ok {
			return fault.New(fault.Missing, "Rule=%d can not be found!", id)
		}
	}
	if u.self() {
		return fault.New(fault.Denied, "You can't changes your own rules!")
	}
	a := u.grant.Actor()
	if err := a.MustHold(union(known, u.to.Rules)); err != nil {
		return err
	}
	if r, lacks := a.Rules.Lacks(union(known, gone)); lacks {
		return fault.New(fault.Denied, "%s. You can't delete permissions for another user that you don't have yourself!", access.NotHeld(r))
	}
	return nil
}
