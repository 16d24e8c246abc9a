package core

import (
	"context"
	"fmt"

	"vserver/queries"
	"vserver/service/access"
	"vserver/service/fault"
)

// NewUser is a user to be made. Organization 0 is the caller's.
type NewUser struct {
	Username, Firstname, Lastname, Password, Email string
	OrganizationID                                 int64
	Roles, Rules                                   []int64
}

// CreateUser makes one (/docs/users#create).
func (c *Core) CreateUser(ctx context.Context, g access.Grant[access.CreateUsers], in NewUser) (User, error) {
	if in.OrganizationID == 0 {
		in.OrganizationID = g.Actor().OrganizationID
	}
	hash, err := c.hashForNew(ctx, g, in)
	if err != nil {
		return User{}, err
	}
	var row queries.GetUserRow
	err = c.once(ctx, func(ctx context.Context, t *Tx) error {
		known, err := admitUser(ctx, t.Queries, g, in)
		if err != nil {
			return err
		}
		if row, err = t.storeUser(ctx, in, known, hash); err != nil {
			return err
		}
		return t.noteUser(ctx, eventUserCreated, row.ID)
	}, &row)
	if queries.Taken(err) || queries.InUse(err) {
		return User{}, fault.Wrap(fault.Invalid, err, "User could not be created with those parameters.")
	}
	if err != nil {
		return User{}, fmt.Errorf("creating a user: %w", err)
	}
	return c.wholeUser(ctx, row)
}

// hashForNew hashes the password of a new user. All is checked before that, because it takes long, and once more
// together with the writing.
func (c *Core) hashForNew(ctx context.Context, g access.Grant[access.CreateUsers], in NewUser) (string, error) {
	if mayBeDone(ctx) {
		return "", nil // nothing is written
	}
	if _, err := admitUser(ctx, c.db.Queries, g, in); err != nil {
		return "", err
	}
	if err := CheckPasswordPolicy(in.Password); err != nil {
		return "", err
	}
	return c.hash(ctx, g.Actor().ID, in.Password)
}

// rights are the roles and rules of a request that exist.
type rights struct{ roles, rules []int64 }

func (t *Tx) storeUser(ctx context.Context, in NewUser, known rights, hash string) (queries.GetUserRow, error) {
	u := queries.User{
		Username: &in.Username, Password: &hash, Firstname: &in.Firstname, Lastname: &in.Lastname, Email: &in.Email,
		OrganizationID: &in.OrganizationID,
	}
	if err := t.AddUsers(ctx, &u); err != nil {
		return queries.GetUserRow{}, err
	}
	err := firstError(t.Assign(ctx, rolesOf(u.ID, known.roles)...), t.GrantToUser(ctx, u.ID, known.rules...))
	return queries.GetUserRow{
		ID: u.ID, Username: u.Username, Firstname: u.Firstname, Lastname: u.Lastname, Email: u.Email, OrganizationID: u.OrganizationID,
	}, err
}

// admitUser decides whether the caller may make this user: permission before
// anything that tells whom there is (/docs/permissions#order).
func admitUser(ctx context.Context, q *queries.Queries, g access.Grant[access.CreateUsers], in NewUser) (rights, error) {
	if err := admitToOrganization(ctx, q, g, in.OrganizationID); err != nil {
		return rights{}, err
	}
	if err := checkUnused(ctx, q, in); err != nil {
		return rights{}, err
	}
	roles, err := admitRoles(ctx, q, g, in)
	if err != nil {
		return rights{}, err
	}
	known, err := knownRules(ctx, q, in.Rules)
	if err != nil {
		return rights{}, err
	}
	var rules []int64
	for id := range known {
		rules = append(rules, id)
	}
	return rights{roles, rules}, g.Actor().MustHold(union(known, rules))
}

func admitToOrganization(ctx context.Context, q *queries.Queries, g access.Grant[access.CreateUsers], organization int64) error {
	if !g.Covers(&organization) {
		return fault.Deny()
	}
	_, err := q.GetOrganization(ctx, organization)
	if queries.Missing(err) {
		return fault.New(fault.Missing, "Organization does not exist.")
	}
	if err != nil {
		return fmt.Errorf("reading the organization of a user: %w", err)
	}
	return nil
}

// checkUnused refuses a username or e-mail address that somebody has.
func checkUnused(ctx context.Context, q *queries.Queries, in NewUser) error {
	username, err1 := q.UsernameTaken(ctx, &in.Username, 0)
	email, err2 := q.EmailTaken(ctx, &in.Email, 0)
	switch err := firstError(err1, err2); {
	case err != nil:
		return fmt.Errorf("looking for the same user: %w", err)
	case username:
		return fault.New(fault.Invalid, "username already exists.")
	case email:
		return fault.New(fault.Invalid, "email already exists.")
	}
	return nil
}

// admitRoles returns the roles that exist, if the caller may hand out all of them.
func admitRoles(ctx context.Context, q *queries.Queries, g access.Grant[access.CreateUsers], in NewUser) ([]int64, error) {
	roles, sets, err := rolesWithSets(ctx, q, in.Roles)
	if err != nil {
		return nil, err
	}
	var known []int64
	for _, id := range in.Roles {
		r, ok := roles[id]
		if !ok {
			continue
		}
		if err := g.Actor().MustHold(sets[id]); err != nil {
			return nil, err
		}
		if ofOtherOrganization(r, &in.OrganizationID) {
			return nil, fault.New(fault.Denied,
				"You can't assign that role as the role belongs to a different organization than the user.")
		}
		known = append(known, id)
	}
	return known, nil
}

// ofOtherOrganization reports whether a role is another organization's. Default roles are nobody's.
func ofOtherOrganization(r queries.Role, organization *int64) bool {
	return r.Orphan || r.OrganizationID != nil && (organization == nil || *r.OrganizationID != *organization)
}

// rolesWithSets reads roles with what each allows; ids that no role has are left
// out.
func rolesWithSets(ctx context.Context, q *queries.Queries, ids []int64) (map[int64]queries.Role, map[int64]access.Set, error) {
	rows, err := q.RolesByIDs(ctx, idSet(ids))
	if err != nil {
		return nil, nil, fmt.Errorf("reading roles: %w", err)
	}
	roles := make(map[int64]queries.Role, len(rows))
	for _, r := range rows {
		roles[r.ID] = r
	}
	sets, err := setsOfRoles(ctx, q, ids)
	return roles, sets, err
}
