package core

import (
	"context"
	"fmt"

	"vserver/queries"
	"vserver/service/access"
)

// The first user, made when there is no user at all.
const (
	rootName     = "root"
	rootPassword = "root"
	rootEmail    = "root@domain.ext"
)

// firstRun does what every start does before anything is served: rules, roles and
// the first user (/docs/tokens#first-user).
func (c *Core) firstRun(ctx context.Context) error {
	users, err := c.db.CountUsers(ctx)
	if err != nil {
		return fmt.Errorf("counting users: %w", err)
	}
	hash := ""
	if users == 0 {
		if hash, err = c.HashRootPassword(ctx); err != nil {
			return err
		}
	}
	return c.transact(ctx, func(ctx context.Context, t *Tx) (err error) {
		if c.digester, err = digestKey(ctx, t.Tx); err != nil {
			return err
		}
		return c.prepare(ctx, t, hash)
	})
}

// HashRootPassword returns the stored form of the first user's password.
func (c *Core) HashRootPassword(ctx context.Context) (string, error) {
	password := c.set.RootPassword
	if password == "" {
		password = rootPassword
	}
	return c.hash(ctx, 0, password)
}

// prepare makes what a database needs before it can serve; hash is the password of
// the first user, empty when there is a user already.
func (c *Core) prepare(ctx context.Context, t *Tx, hash string) error {
	if err := t.InsertRunCounter(ctx); err != nil {
		return fmt.Errorf("keeping the counter of runs: %w", err)
	}
	if err := keepRules(ctx, t); err != nil {
		return err
	}
	if err := keepRoles(ctx, t); err != nil {
		return err
	}
	return c.keepRoot(ctx, t, hash)
}

// keepRules adds the rules that are not there yet, in the order of their ids.
func keepRules(ctx context.Context, t *Tx) error {
	rows, err := t.AllRules(ctx)
	if err != nil {
		return fmt.Errorf("reading the rules: %w", err)
	}
	var there access.Set
	for _, r := range rows {
		there |= access.Of(access.Number(r.Name, r.Scope, r.Operation))
	}
	for _, r := range access.Rules {
		if there&access.Of(r.ID) != 0 {
			continue
		}
		err := t.AddRule(ctx, &queries.Rule{
			Name: string(r.Resource), Scope: r.Scope.String(), Operation: r.Operation.String(), Description: r.Description,
		})
		if err != nil {
			return fmt.Errorf("keeping rule %d: %w", r.ID, err)
		}
	}
	return nil
}

// keepRoles makes missing default roles and completes the fixed ones.
func keepRoles(ctx context.Context, t *Tx) error {
	rows, err := t.AllRules(ctx)
	if err != nil {
		return fmt.Errorf("reading the rules: %w", err)
	}
	for _, r := range access.DefaultRoles() {
		id, err := t.DefaultRoleByName(ctx, &r.Name)
		made := queries.Missing(err)
		if made {
			role := queries.Role{Name: &r.Name, Description: &r.Description}
			err = t.AddRole(ctx, &role)
			id = role.ID
		}
		if err == nil && (made || r.Fixed) {
			err = t.GrantToRole(ctx, id, rulesIn(rows, r.Rules)...)
		}
		if err != nil {
			return fmt.Errorf("keeping role %s: %w", r.Name, err)
		}
	}
	return nil
}

// CompleteRoles gives roles the rules that a new database has for their names: those of a default role, or all
// for one that an import made. Rules that somebody added stay.
func (c *Core) CompleteRoles(ctx context.Context, ids []int64) error {
	err := c.transact(ctx, func(ctx context.Context, t *Tx) error {
		rows, err := t.AllRules(ctx)
		if err != nil {
			return err
		}
		roles, err := t.RolesByIDs(ctx, idSet(ids))
		if err != nil {
			return err
		}
		for _, role := range roles {
			set := access.All
			for _, r := range access.DefaultRoles() {
				if r.Name == value(role.Name) {
					set = r.Rules
				}
			}
			if err := t.GrantToRole(ctx, role.ID, rulesIn(rows, set)...); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("completing roles: %w", err)
	}
	return nil
}

// rulesIn returns the ids of the rules of a set.
func rulesIn(rows []queries.Rule, set access.Set) []int64 {
	var ids []int64
	for _, r := range rows {
		if set&access.Of(access.Number(r.Name, r.Scope, r.Operation)) != 0 {
			ids = append(ids, r.ID)
		}
	}
	return ids
}

// keepRoot makes the first organization and user of an empty database. A root that
// was renamed or deleted does not come back (/docs/security#t22).
func (c *Core) keepRoot(ctx context.Context, t *Tx, hash string) error {
	users, err := t.CountUsers(ctx)
	if err != nil || users > 0 || hash == "" {
		return err
	}
	name, email := rootName, rootEmail
	org := queries.Organization{Name: &name}
	if err := t.AddOrganization(ctx, &org); err != nil {
		return fmt.Errorf("creating the first organization: %w", err)
	}
	u := queries.User{
		Username: &name, Password: &hash, Email: &email, OrganizationID: &org.ID, InitialPassword: c.set.RootPassword == "",
	}
	if err := t.AddUsers(ctx, &u); err != nil {
		return fmt.Errorf("creating the first user: %w", err)
	}
	role, root := int64(0), access.RoleRoot
	if role, err = t.DefaultRoleByName(ctx, &root); err != nil {
		return fmt.Errorf("finding the role of the first user: %w", err)
	}
	t.OnCommit(c.announceRoot)
	return t.Assign(ctx, queries.UserRole{UserID: u.ID, RoleID: role})
}

func (c *Core) announceRoot() {
	if c.set.RootPassword != "" {
		c.log.Warn().Msgf("There was no user yet: made user %q with the password that was set for it", rootName)
		return
	}
	c.log.Warn().Msgf("There was no user yet: made user %q with the well-known initial password", rootName)
}

// RemindOfInitialPassword warns while the first user still has the well-known password
// (/docs/tokens#first-user).
func (c *Core) RemindOfInitialPassword(ctx context.Context) error {
	name := rootName
	u, err := c.db.GetUserByUsername(ctx, &name)
	if queries.Missing(err) || err == nil && !u.InitialPassword {
		return nil
	}
	if err != nil {
		return fmt.Errorf("looking up the first user: %w", err)
	}
	from := "from this machine only"
	if c.set.RootFromAnywhere {
		from = "FROM ANYWHERE, since the environment dev or test was asked for by name"
	}
	c.log.Warn().Msgf("User %[1]q still has the well-known password %[1]q and gets in with it %[2]s: change it with PATCH password/change", rootName, from)
	return nil
}
