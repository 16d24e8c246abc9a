package core

import (
	"context"
	"fmt"

	"vserver/queries"
	"vserver/service/access"
	"vserver/service/fault"
)

// Role is a role with the ids of its rules and of its holders, as far as the caller
// may view them, each list in ascending order. A role without organization is a
// default role.
type Role struct {
	queries.Role
	Rules, Users []int64
}

// RoleFilter narrows a list; what is empty narrows nothing. Several values of one
// field are alternatives.
type RoleFilter struct {
	Names, Descriptions []string // LIKE
	OrganizationIDs     []int64
	WithDefaults        bool // with OrganizationIDs: the default roles as well
	RuleID, UserID      *int64
}

// RoleFields are what can be written; nil leaves the stored value as it is. The
// organization counts on creation only; nil is the caller's.
type RoleFields struct {
	Name, Description *string
	Rules             []int64
	OrganizationID    *int64
}

const textNoRole = "Role with id=%d not found."

// Roles lists those that the caller may see (/docs/roles#list), and how many there
// are in all.
func (c *Core) Roles(ctx context.Context, g access.Grant[access.ViewRoles], f RoleFilter, p Page) ([]Role, int64, error) {
	a := g.Actor()
	arg := queries.ListRolesParams{
		CallerID: a.ID, WithDefaults: f.WithDefaults, RuleID: f.RuleID, UserID: f.UserID,
		Organizations: idSet(f.OrganizationIDs), Belonging: filterCount(len(f.OrganizationIDs)),
		Names: likePatterns(f.Names), Named: filterCount(len(f.Names)),
		Descriptions: likePatterns(f.Descriptions), Described: filterCount(len(f.Descriptions)),
		Lim: p.limit(), Off: p.offset(),
	}
	switch {
	case g.Has(access.Global):
	case g.Has(access.Organization):
		arg.Within = &a.OrganizationID
	default:
		arg.HeldBy = &a.ID
	}
	rows, total, err := pageOf(ctx, c, p, queries.ListRoles, arg, c.db.ListRoles)
	if err != nil {
		return nil, 0, fmt.Errorf("listing roles: %w", err)
	}
	list, err := c.wholeRoles(ctx, g, rows)
	return list, total, err
}

// filterCount is the parameter that turns a filter with many values on: nil for none.
func filterCount(values int) *int64 {
	if values == 0 {
		return nil
	}
	n := int64(values)
	return &n
}

// likePatterns returns LIKE patterns in the form that queries take a list in.
func likePatterns(list []string) string {
	keys := map[string]int{}
	for _, s := range list {
		keys[*like(&s)] = 0
	}
	return string(mustJSON(keys))
}

// Role returns one (/docs/roles#get).
func (c *Core) Role(ctx context.Context, g access.Grant[access.ViewRoles], id int64) (Role, error) {
	row, err := findRole(ctx, c.db.Queries, id, textNoRole)
	if err != nil {
		return Role{}, err
	}
	ok, err := c.seesRole(ctx, g, row)
	if err != nil {
		return Role{}, err
	}
	if !ok {
		return Role{}, fault.New(fault.Denied, "You do not have permission to view this.")
	}
	return c.wholeRole(ctx, g, row)
}

// RulesOfRole lists the rules of one (/docs/roles#rules-of-role).
func (c *Core) RulesOfRole(ctx context.Context, g access.Grant[access.ViewRoles], id int64, p Page) ([]Rule, int64, error) {
	row, err := findRole(ctx, c.db.Queries, id, "Role id=%d not found!")
	if err != nil {
		return nil, 0, err
	}
	ok, err := c.seesRole(ctx, g, row)
	if err != nil {
		return nil, 0, err
	}
	if !ok {
		return nil, 0, fault.New(fault.Denied, "You lack permissions to do that")
	}
	return c.listRules(ctx, g, RuleFilter{RoleID: &id}, p)
}

// findRole reads a role; text, with the id, is the fault when there is none.
func findRole(ctx context.Context, q *queries.Queries, id int64, text string) (queries.Role, error) {
	row, err := q.GetRole(ctx, id)
	if queries.Missing(err) {
		return row, fault.New(fault.Missing, text, id)
	}
	if err != nil {
		return row, fmt.Errorf("reading a role: %w", err)
	}
	return row, nil
}

// seesRole reports whether a list of the caller's shows the role.
func (c *Core) seesRole(ctx context.Context, g access.AnyGrant, r queries.Role) (bool, error) {
	if g.Covers(r.OrganizationID) || g.Has(access.Organization) && everybodys(r) {
		return true, nil
	}
	holds, err := c.db.HoldsRole(ctx, g.Actor().ID, r.ID)
	if err != nil {
		return false, fmt.Errorf("reading who holds a role: %w", err)
	}
	return holds, nil
}

// everybodys reports whether a role is one for users of every organization. One whose organization is
// gone is not (/docs/takeover#roles).
func everybodys(r queries.Role) bool { return r.OrganizationID == nil && !r.Orphan }

// DeleteRole removes one and takes it from all its holders (/docs/roles#delete).
func (c *Core) DeleteRole(ctx context.Context, g access.Grant[access.DeleteRoles], id int64) error {
	err := c.once(ctx, func(ctx context.Context, t *Tx) error {
		role, err := findRole(ctx, t.Queries, id, textNoRole)
		if err != nil {
			return err
		}
		if err := mayDeleteRole(g, role); err != nil {
			return err
		}
		sets, err := setsOfRoles(ctx, t.Queries, []int64{id})
		if err != nil {
			return err
		}
		if err := g.Actor().MustHold(sets[id]); err != nil {
			return err
		}
		return t.RemoveRole(ctx, id)
	})
	if err != nil {
		return fmt.Errorf("deleting a role: %w", err)
	}
	return nil
}

func mayDeleteRole(g access.Grant[access.DeleteRoles], r queries.Role) error {
	switch {
	case g.Has(access.Global) && everybodys(r) && access.Reserved(value(r.Name)):
		return isDefaultRole(r)
	case g.Has(access.Global):
		return nil
	case !g.Has(access.Organization):
		return fault.New(fault.Denied, "You do not have permission to delete roles!")
	case !g.Actor().BelongsTo(r.OrganizationID):
		return fault.New(fault.Denied, "You can't delete a role from another organization")
	}
	return nil
}

func isDefaultRole(r queries.Role) error {
	return fault.New(fault.Invalid, "This role ('%s') is a default role. It cannot be deleted.", value(r.Name))
}

// setsOfRoles returns what each of the roles allows.
func setsOfRoles(ctx context.Context, q *queries.Queries, roles []int64) (map[int64]access.Set, error) {
	ids, err1 := byOwner(q.RulesOfRoles(ctx, idSet(roles)))
	rows, err2 := q.AllRules(ctx)
	if err := firstError(err1, err2); err != nil {
		return nil, fmt.Errorf("reading the rules of roles: %w", err)
	}
	known := setsOfRules(rows)
	sets := make(map[int64]access.Set, len(ids))
	for role, rules := range ids {
		sets[role] = union(known, rules)
	}
	return sets, nil
}

func (c *Core) wholeRole(ctx context.Context, g access.AnyGrant, row queries.Role) (Role, error) {
	list, err := c.wholeRoles(ctx, g, []queries.Role{row})
	if err != nil {
		return Role{}, err
	}
	return list[0], nil
}

// wholeRoles adds the related ids with one query a relation for the whole
// list.
func (c *Core) wholeRoles(ctx context.Context, g access.AnyGrant, rows []queries.Role) ([]Role, error) {
	ids := make([]int64, len(rows))
	for i := range rows {
		ids[i] = rows[i].ID
	}
	set := idSet(ids)
	rules, err1 := byOwner(c.db.RulesOfRoles(ctx, set))
	users, err2 := byOwner(c.db.HoldersOfRoles(ctx, queries.HoldersOfRolesParams{Ids: set, Within: access.Embedded[access.ViewUsers](g).UserSight(), CallerID: g.Actor().ID}))
	if err := firstError(err1, err2); err != nil {
		return nil, fmt.Errorf("reading what belongs to roles: %w", err)
	}
	list := make([]Role, len(rows))
	for i, r := range rows {
		list[i] = Role{Role: r, Rules: rules[r.ID], Users: users[r.ID]}
	}
	return list, nil
}

// AddRole stores a new role.
func (t *Tx) AddRole(ctx context.Context, r *queries.Role) (err error) {
	r.ID, err = t.InsertRole(ctx, queries.InsertRoleParams{Name: r.Name, Description: r.Description, OrganizationID: r.OrganizationID})
	return err
}

// SaveRole writes a role.
func (t *Tx) SaveRole(ctx context.Context, r queries.Role) error {
	t.rightsChanged() // the rights of containers are found by the name of their role
	return t.UpdateRole(ctx, queries.UpdateRoleParams{
		Name: r.Name, Description: r.Description, OrganizationID: r.OrganizationID, ID: r.ID,
	})
}

// RemoveRole deletes a role and takes it from all its holders.
func (t *Tx) RemoveRole(ctx context.Context, id int64) error {
	t.rightsChanged()
	return t.DeleteRole(ctx, id)
}

// GrantToRole adds rules to a role.
func (t *Tx) GrantToRole(ctx context.Context, role int64, rules ...int64) error {
	t.rightsChanged()
	return t.InsertRulesOfRole(ctx, role, idSet(rules))
}

// RevokeFromRole takes rules from a role and tells how many it had.
func (t *Tx) RevokeFromRole(ctx context.Context, role int64, rules ...int64) (int64, error) {
	t.rightsChanged()
	return t.DeleteRulesOfRole(ctx, role, idSet(rules))
}
