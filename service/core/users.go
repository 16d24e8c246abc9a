package core

import (
	"context"
	"fmt"
	"time"

	"vserver/queries"
	"vserver/service/access"
	"vserver/service/fault"
)

// User is a user with the ids of what belongs to it, each list in ascending order.
// Nothing of it is secret.
type User struct {
	ID                                   int64
	Username, Firstname, Lastname, Email *string
	OrganizationID                       *int64
	LastSeen                             *time.Time // nil: never
	Status                               *string    // nil: never connected
	Roles, Rules                         []int64    // Rules are those beside the roles'
	CreatedTasks                         []int64    // the newest 1,000 (/docs/wire#limits)
}

// UserFilter narrows a list; nil narrows nothing. The texts are LIKE patterns.
type UserFilter struct {
	Username, Firstname, Lastname, Email *string
	OrganizationID                       *int64
	RoleID, RuleID                       *int64 // RuleID: held beside the roles
	SeenFrom, SeenTill                   *time.Time
}

// Users lists those that the caller may view (/docs/users#list), and how many there
// are in all.
func (c *Core) Users(ctx context.Context, g access.Grant[access.ViewUsers], f UserFilter, p Page) ([]User, int64, error) {
	if !g.Any(access.Global, access.Organization) {
		return nil, 0, fault.Deny()
	}
	arg := queries.ListUsersParams{
		Within: g.UserSight(), Username: like(f.Username), Firstname: like(f.Firstname), Lastname: like(f.Lastname),
		Email: like(f.Email), OrganizationID: f.OrganizationID, RoleID: f.RoleID, RuleID: f.RuleID,
		SeenFrom: storedTime(f.SeenFrom), SeenTill: storedTime(f.SeenTill), Lim: p.limit(), Off: p.offset(),
	}
	rows, total, err := pageOf(ctx, c, p, queries.ListUsers, arg, c.db.ListUsers)
	if err != nil {
		return nil, 0, fmt.Errorf("listing users: %w", err)
	}
	list, err := c.wholeUsers(ctx, rows)
	return list, total, err
}

// User returns one (/docs/users#get). One's own needs no rule.
func (c *Core) User(ctx context.Context, g access.Grant[access.ViewUsers], id int64) (User, error) {
	row, err := c.visibleUser(ctx, g, id)
	if err != nil {
		return User{}, err
	}
	return c.wholeUser(ctx, row)
}

// visibleUser returns one that the caller may see.
func (c *Core) visibleUser(ctx context.Context, g access.AnyGrant, id int64) (queries.GetUserRow, error) {
	row, err := findUser(ctx, c.db.Queries, id, "user id=%d is not found")
	if err == nil && !seesUser(g, row) {
		err = fault.Deny()
	}
	return row, err
}

func seesUser(g access.AnyGrant, u queries.GetUserRow) bool {
	return g.Actor().IsSelf(u.ID) || g.Covers(u.OrganizationID)
}

// findUser reads a user; text, with the id, is the fault when there is none.
func findUser(ctx context.Context, q *queries.Queries, id int64, text string) (queries.GetUserRow, error) {
	row, err := q.GetUser(ctx, id)
	if queries.Missing(err) {
		return row, fault.New(fault.Missing, text, id)
	}
	if err != nil {
		return row, fmt.Errorf("reading a user: %w", err)
	}
	return row, nil
}

// rulesHeldBy returns everything that a user holds, through roles and beside them.
func rulesHeldBy(ctx context.Context, q *queries.Queries, user int64) (access.Set, error) {
	set, err := rules(q.RulesOfUser(ctx, user))
	if err != nil {
		return 0, fmt.Errorf("reading the rules of a user: %w", err)
	}
	return set, nil
}

// DeleteUser removes one (/docs/users#delete). Its tasks stay.
func (c *Core) DeleteUser(ctx context.Context, g access.Grant[access.DeleteUsers], id int64) error {
	err := c.once(ctx, func(ctx context.Context, t *Tx) error {
		u, err := findUser(ctx, t.Queries, id, textNoUser)
		if err != nil {
			return err
		}
		if err := mayDeleteUser(ctx, t, g, u); err != nil {
			return err
		}
		return firstError(t.RemoveAccounts(ctx, id), t.noteDeleted(ctx, queries.InsertDeletionEventParams{
			Type: eventUserDeleted, Name: u.Username, OfOrganization: u.OrganizationID,
		}))
	})
	if err != nil {
		return fmt.Errorf("deleting a user: %w", err)
	}
	return nil
}

const textNoUser = "user id=%d not found"

func mayDeleteUser(ctx context.Context, t *Tx, g access.Grant[access.DeleteUsers], u queries.GetUserRow) error {
	if !g.CoversUser(u.ID, u.OrganizationID) {
		return fault.Deny()
	}
	if !g.Actor().IsSelf(u.ID) {
		set, err := rulesHeldBy(ctx, t.Queries, u.ID)
		if err == nil {
			err = g.Actor().MustHold(set)
		}
		if err != nil {
			return err
		}
	}
	return keepsRoot(ctx, t, u.ID)
}

// keepsRoot refuses to take the role Root from its last holder. Whoever takes it
// from another one meanwhile waits.
func keepsRoot(ctx context.Context, t *Tx, user int64) error {
	name := access.RoleRoot
	if err := t.HoldDefaultRole(ctx, &name); err != nil {
		return fmt.Errorf("holding the role of administrators: %w", err)
	}
	return isNotLastRoot(ctx, t.Queries, user)
}

func isNotLastRoot(ctx context.Context, q *queries.Queries, user int64) error {
	name := access.RoleRoot
	holders, err := q.HoldersOfDefaultRole(ctx, &name)
	if err != nil {
		return fmt.Errorf("reading who holds the role of administrators: %w", err)
	}
	if len(holders) == 1 && holders[0] == user {
		return fault.New(fault.Invalid, "This is the last user with the role %s: give the role to another user first", name)
	}
	return nil
}

func (c *Core) wholeUser(ctx context.Context, row queries.GetUserRow) (User, error) {
	list, err := c.wholeUsers(ctx, []queries.ListUsersRow{queries.ListUsersRow(row)})
	if err != nil {
		return User{}, err
	}
	return list[0], nil
}

// wholeUsers adds the related ids with one query a relation for the whole list.
func (c *Core) wholeUsers(ctx context.Context, rows []queries.ListUsersRow) ([]User, error) {
	ids := make([]int64, len(rows))
	for i := range rows {
		ids[i] = rows[i].ID
	}
	set := idSet(ids)
	roles, err1 := byOwner(c.db.RolesOfUsers(ctx, set))
	extra, err2 := byOwner(c.db.ExtraRulesOfUsers(ctx, set))
	tasks, err3 := newestTasks(c.db.NewestTasksOfUsers(ctx, set))
	if err := firstError(err1, err2, err3); err != nil {
		return nil, fmt.Errorf("reading what belongs to users: %w", err)
	}
	list := make([]User, len(rows))
	for i, r := range rows {
		list[i] = User{
			ID: r.ID, Username: r.Username, Firstname: r.Firstname, Lastname: r.Lastname, Email: r.Email,
			OrganizationID: r.OrganizationID, Status: r.Status,
			Roles: roles[r.ID], Rules: extra[r.ID], CreatedTasks: tasks[r.ID],
		}
		if r.LastSeen != nil {
			list[i].LastSeen = &r.LastSeen.Time
		}
	}
	return list, nil
}

// newestTasks reads the tasks of users out of their lists.
func newestTasks(rows []queries.NewestTasksOfUsersRow, err error) (map[int64][]int64, error) {
	tasks := make(map[int64][]int64, len(rows))
	for _, r := range rows {
		var bad error
		tasks[r.OwnerID], bad = parseIDs(r.Ids)
		err = firstError(err, bad)
	}
	return tasks, err
}

// AddUsers stores new users with their accounts.
func (t *Tx) AddUsers(ctx context.Context, users ...*queries.User) error {
	ids, err := t.addAccounts(ctx, access.User, len(users))
	if err != nil {
		return err
	}
	list := make(map[int64]*queries.User, len(users))
	for i, u := range users {
		u.ID = ids[i]
		list[u.ID] = u
	}
	if err := t.InsertUsers(ctx, string(mustJSON(list))); err != nil {
		return err
	}
	for _, u := range users {
		if u.LastLoginAttempt == nil {
			continue
		}
		if err := t.SaveUser(ctx, *u); err != nil { // moments have no text that both engines read
			return err
		}
	}
	return nil
}

// SaveUser writes a user, but for the second factor, which SetSecondFactor writes. A new
// password has to be announced to PasswordSet before. With a new address, tokens that went to
// the former one end.
func (t *Tx) SaveUser(ctx context.Context, u queries.User) error {
	t.rightsChanged() // name and organization are kept with the rights
	if err := t.EndRecoveriesOfMoved(ctx, u.ID, u.Email); err != nil {
		return err
	}
	return t.UpdateUser(ctx, queries.UpdateUserParams{
		Username: u.Username, Password: u.Password, Firstname: u.Firstname, Lastname: u.Lastname, Email: u.Email,
		OrganizationID: u.OrganizationID, FailedLoginAttempts: u.FailedLoginAttempts, LastLoginAttempt: u.LastLoginAttempt,
		InitialPassword: u.InitialPassword, ID: u.ID,
	})
}

// PasswordSet does what goes with a new password: it is not the one that everybody
// knows, and refresh tokens and those for a lost password end (/docs/security#t03).
func (t *Tx) PasswordSet(ctx context.Context, u *queries.User) error {
	u.InitialPassword = false
	return firstError(t.RevokeRefreshTokens(ctx, u.ID), t.DeleteRecoveries(ctx, u.ID, string(ForPassword)))
}

// Assign adds roles to users.
func (t *Tx) Assign(ctx context.Context, list ...queries.UserRole) error {
	t.rightsChanged()
	pairs := make(map[int]queries.UserRole, len(list))
	for i, p := range list {
		pairs[i] = p
	}
	return t.InsertRolesOfUsers(ctx, string(mustJSON(pairs)))
}

// rolesOf pairs a user with each of its roles.
func rolesOf(user int64, roles []int64) []queries.UserRole {
	list := make([]queries.UserRole, len(roles))
	for i, role := range roles {
		list[i] = queries.UserRole{UserID: user, RoleID: role}
	}
	return list
}

// Unassign takes roles from a user.
func (t *Tx) Unassign(ctx context.Context, user int64, roles ...int64) error {
	t.rightsChanged()
	return t.DeleteRolesOfUser(ctx, user, idSet(roles))
}

// GrantToUser adds rules to a user, beside its roles.
func (t *Tx) GrantToUser(ctx context.Context, user int64, rules ...int64) error {
	t.rightsChanged()
	return t.InsertRulesOfUser(ctx, user, idSet(rules))
}

// RevokeFromUser takes rules that a user has beside its roles.
func (t *Tx) RevokeFromUser(ctx context.Context, user int64, rules ...int64) error {
	t.rightsChanged()
	return t.DeleteRulesOfUser(ctx, user, idSet(rules))
}
