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

// Roles lists those that the caller may see, contract 10 §9.2, and how many there
// are in all.
func (c *Core) Roles(ctx context.Context, g access.Grant, f RoleFilter, p Page) ([]Role, int64, error) {
	a := g.Actor()
	arg := queries.ListRolesParams{
		CallerID: a.ID, WithDefaults: f.WithDefaults, RuleID: f.RuleID, UserID: f.UserID,
		Organizations: idSet(f.OrganizationIDs), Belonging: several(len(f.OrganizationIDs)),
		Names: patterns(f.Names), Named: several(len(f.Names)),
		Descriptions: patterns(f.Descriptions), Described: several(len(f.Descriptions)),
		Lim: p.limit(), Off: p.offset(),
	}
	switch {
	case g.Has(access.Global):
	case g.Has(access.Organization):
		arg.Within = &a.OrganizationID
	default:
		arg.HeldBy = &a.ID
	}
	rows, err := c.db.ListRoles(ctx, arg)
	if err != nil {
		return nil, 0, fmt.Errorf("listing roles: %w", err)
	}
	total, err := p.total(len(rows), func() (int64, error) {
		return c.db.CountRoles(ctx, queries.CountRolesParams{
			HeldBy: arg.HeldBy, Within: arg.Within, CallerID: arg.CallerID, Named: arg.Named, Names: arg.Names,
			Described: arg.Described, Descriptions: arg.Descriptions, Belonging: arg.Belonging,
			Organizations: arg.Organizations, WithDefaults: arg.WithDefaults, RuleID: arg.RuleID, UserID: arg.UserID,
		})
	})
	if err != nil {
		return nil, 0, fmt.Errorf("counting roles: %w", err)
	}
	list, err := c.withRulesAndUsers(ctx, g, rows)
	return list, total, err
}

// several is the parameter that turns a filter with many values on: nil for none.
func several(values int) *int64 {
	if values == 0 {
		return nil
	}
	n := int64(values)
	return &n
}

// patterns gives LIKE patterns in the form that queries take a list in.
func patterns(list []string) string {
	keys := map[string]int{}
	for _, s := range list {
		keys[*like(&s)] = 0
	}
	return string(mustJSON(keys))
}

// Role gives one, contract 10 §9.3.
func (c *Core) Role(ctx context.Context, g access.Grant, id int64) (Role, error) {
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
	return c.oneRole(ctx, g, row)
}

// RulesOfRole lists the rules of one, contract 10 §9.7.
func (c *Core) RulesOfRole(ctx context.Context, g access.Grant, id int64, p Page) ([]Rule, int64, error) {
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
	return c.Rules(ctx, g, RuleFilter{RoleID: &id}, p)
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

// seesRole tells whether a list of the caller's shows the role.
func (c *Core) seesRole(ctx context.Context, g access.Grant, r queries.Role) (bool, error) {
	if g.Has(access.Global) || g.Has(access.Organization) && (r.OrganizationID == nil || g.Actor().BelongsTo(r.OrganizationID)) {
		return true, nil
	}
	holds, err := c.db.HoldsRole(ctx, g.Actor().ID, r.ID)
	if err != nil {
		return false, fmt.Errorf("reading who holds a role: %w", err)
	}
	return holds, nil
}

// CreateRole makes one, contract 10 §9.4.
func (c *Core) CreateRole(ctx context.Context, g access.Grant, f RoleFields) (Role, error) {
	if access.Reserved(value(f.Name)) {
		return Role{}, fault.New(fault.Invalid, "Cannot create role '%s' as it is a reserved role name.", *f.Name)
	}
	a := g.Actor()
	if f.OrganizationID == nil {
		f.OrganizationID = &a.OrganizationID
	}
	row := queries.Role{Name: f.Name, Description: f.Description, OrganizationID: f.OrganizationID}
	err := c.inTx(ctx, func(ctx context.Context, t *tx) error {
		if err := admitRules(ctx, t, g, f.Rules, "Rule id=%d not found."); err != nil {
			return err
		}
		if err := admitRole(ctx, t, g, *f.OrganizationID); err != nil {
			return err
		}
		var err error
		row.ID, err = t.CreateRole(ctx, queries.CreateRoleParams{Name: f.Name, Description: f.Description, OrganizationID: f.OrganizationID})
		if err != nil {
			return err
		}
		return t.AddRulesToRole(ctx, row.ID, idSet(f.Rules))
	})
	if err != nil {
		return Role{}, fmt.Errorf("creating a role: %w", err)
	}
	return c.oneRole(ctx, g, row)
}

// admitRole decides whether the caller may make a role for an organization.
func admitRole(ctx context.Context, t *tx, g access.Grant, organization int64) error {
	_, err := t.GetOrganization(ctx, organization)
	switch {
	case queries.Missing(err):
		return fault.New(fault.Missing, `organization "%d" does not exist!`, organization)
	case err != nil:
		return fmt.Errorf("reading the organization of a role: %w", err)
	case !g.Has(access.Global) && organization != g.Actor().OrganizationID:
		return fault.New(fault.Denied, "You cannot create roles for other organizations!")
	case !g.Any(access.Global, access.Organization):
		return fault.New(fault.Denied, "You lack the permission to create roles!")
	}
	return nil
}

// admitRules wants every rule to be there (else the fault is text with its id), and
// the caller to hold all of them.
func admitRules(ctx context.Context, t *tx, g access.Grant, ids []int64, text string) error {
	known, err := knownRules(ctx, t.Queries, ids)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if _, ok := known[id]; !ok {
			return fault.New(fault.Missing, text, id)
		}
	}
	return g.Actor().MustHold(together(known, ids))
}

// ChangeRole writes the fields that are given, contract 10 §9.5.
func (c *Core) ChangeRole(ctx context.Context, g access.Grant, id int64, in Sent[RoleFields]) (Role, error) {
	var row queries.Role
	err := c.inTx(ctx, func(ctx context.Context, t *tx) error {
		role, err := findRole(ctx, t.Queries, id, textNoRole)
		if err != nil {
			return err
		}
		if err := first(mayChangeRole(g, role, in.Fields), in.Fault, renamed("name", role.Name, in.Fields.Name)); err != nil {
			return err
		}
		if in.Fields.Rules != nil {
			if err := replaceRules(ctx, t, g, id, in.Fields.Rules); err != nil {
				return err
			}
		}
		row, err = t.UpdateRole(ctx, queries.UpdateRoleParams{Name: in.Fields.Name, Description: in.Fields.Description, ID: id})
		return err
	})
	if err != nil {
		return Role{}, fmt.Errorf("changing a role: %w", err)
	}
	return c.oneRole(ctx, g, row)
}

// mayChangeRole is the order of contract 10 §9.5: names first, then permission.
func mayChangeRole(g access.Grant, r queries.Role, f RoleFields) error {
	switch {
	case access.Reserved(value(f.Name)):
		return fault.New(fault.Invalid, "Cannot change role name into '%s' as that is a reserved role name.", *f.Name)
	case access.Reserved(value(r.Name)):
		return defaultRole(r)
	case g.Has(access.Global):
		return nil
	case !g.Has(access.Organization):
		return fault.New(fault.Denied, "You do not have permission to edit roles!")
	case !g.Actor().BelongsTo(r.OrganizationID):
		return fault.New(fault.Denied, "You can't edit roles from another organization")
	}
	return nil
}

// defaultRole refuses to change a role that everybody counts on.
func defaultRole(r queries.Role) error {
	return fault.New(fault.Invalid, "This role ('%s') is a default role. Its name cannot be changed.", value(r.Name))
}

// replaceRules makes the rules of a role those of a list. The caller has to hold
// what comes and what goes.
func replaceRules(ctx context.Context, t *tx, g access.Grant, role int64, ids []int64) error {
	if err := admitRules(ctx, t, g, ids, "rule with id=%d not found!"); err != nil {
		return err
	}
	has, err := byOwner(t.RulesOfRoles(ctx, idSet([]int64{role})))
	if err != nil {
		return fmt.Errorf("reading the rules of a role: %w", err)
	}
	gone := without(has[role], ids)
	if err := mustHoldRules(ctx, t, g, gone); err != nil {
		return err
	}
	t.rightsChanged()
	if _, err := t.RemoveRulesFromRole(ctx, role, idSet(gone)); err != nil {
		return err
	}
	return t.AddRulesToRole(ctx, role, idSet(ids))
}

// mustHoldRules wants the caller to hold rules that exist.
func mustHoldRules(ctx context.Context, t *tx, g access.Grant, ids []int64) error {
	sets, err := knownRules(ctx, t.Queries, ids)
	if err != nil {
		return err
	}
	return g.Actor().MustHold(together(sets, ids))
}

// DeleteRole removes one and takes it from all its holders, contract 10 §9.6.
func (c *Core) DeleteRole(ctx context.Context, g access.Grant, id int64) error {
	err := c.inTx(ctx, func(ctx context.Context, t *tx) error {
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
		t.rightsChanged()
		return t.Queries.DeleteRole(ctx, id)
	})
	if err != nil {
		return fmt.Errorf("deleting a role: %w", err)
	}
	return nil
}

func mayDeleteRole(g access.Grant, r queries.Role) error {
	switch {
	case g.Has(access.Global) && r.OrganizationID == nil && access.Reserved(value(r.Name)):
		return fault.New(fault.Invalid, "This role ('%s') is a default role. It cannot be deleted.", value(r.Name))
	case g.Has(access.Global):
		return nil
	case !g.Has(access.Organization):
		return fault.New(fault.Denied, "You do not have permission to delete roles!")
	case !g.Actor().BelongsTo(r.OrganizationID):
		return fault.New(fault.Denied, "You can't delete a role from another organization")
	}
	return nil
}

// AddRuleToRole gives a role one more rule, contract 10 §9.8.
func (c *Core) AddRuleToRole(ctx context.Context, g access.Grant, role, rule int64) error {
	err := c.inTx(ctx, func(ctx context.Context, t *tx) error {
		if err := mayTune(ctx, t, g, role, rule); err != nil {
			return err
		}
		t.rightsChanged()
		return t.Queries.AddRuleToRole(ctx, role, rule)
	})
	if err != nil {
		return fmt.Errorf("adding a rule to a role: %w", err)
	}
	return nil
}

// RemoveRuleFromRole takes a rule from a role, contract 10 §9.9.
func (c *Core) RemoveRuleFromRole(ctx context.Context, g access.Grant, role, rule int64) error {
	err := c.inTx(ctx, func(ctx context.Context, t *tx) error {
		if err := mayTune(ctx, t, g, role, rule); err != nil {
			return err
		}
		n, err := t.RemoveRulesFromRole(ctx, role, idSet([]int64{rule}))
		if err == nil && n == 0 {
			return fault.New(fault.Missing, "Rule id=%d not found in Role=%d!", rule, role)
		}
		t.rightsChanged()
		return err
	})
	if err != nil {
		return fmt.Errorf("removing a rule from a role: %w", err)
	}
	return nil
}

// mayTune decides whether the caller may give a role the rule or take it away.
func mayTune(ctx context.Context, t *tx, g access.Grant, role, rule int64) error {
	r, err := findRole(ctx, t.Queries, role, "Role id=%d not found!")
	if err != nil {
		return err
	}
	set, err := knownRules(ctx, t.Queries, []int64{rule})
	if err != nil {
		return err
	}
	if len(set) == 0 {
		return fault.New(fault.Missing, textNoRule, rule)
	}
	own := g.Has(access.Organization) && g.Actor().BelongsTo(r.OrganizationID)
	if !own && !g.Has(access.Global) {
		return fault.New(fault.Denied, "You lack permissions to do that")
	}
	if r.OrganizationID == nil && access.Locked(value(r.Name)) {
		return defaultRole(r)
	}
	return g.Actor().MustHold(set[rule])
}

// setsOfRoles gives what each of the roles allows.
func setsOfRoles(ctx context.Context, q *queries.Queries, roles []int64) (map[int64]access.Set, error) {
	ids, err1 := byOwner(q.RulesOfRoles(ctx, idSet(roles)))
	rows, err2 := q.AllRules(ctx)
	if err := first(err1, err2); err != nil {
		return nil, fmt.Errorf("reading the rules of roles: %w", err)
	}
	known := allowed(rows)
	sets := make(map[int64]access.Set, len(ids))
	for role, rules := range ids {
		sets[role] = together(known, rules)
	}
	return sets, nil
}

func (c *Core) oneRole(ctx context.Context, g access.Grant, row queries.Role) (Role, error) {
	list, err := c.withRulesAndUsers(ctx, g, []queries.Role{row})
	if err != nil {
		return Role{}, err
	}
	return list[0], nil
}

// withRulesAndUsers adds the related ids with one query a relation for the whole
// list.
func (c *Core) withRulesAndUsers(ctx context.Context, g access.Grant, rows []queries.Role) ([]Role, error) {
	ids := make([]int64, len(rows))
	for i := range rows {
		ids[i] = rows[i].ID
	}
	a := g.Actor()
	set := idSet(ids)
	rules, err1 := byOwner(c.db.RulesOfRoles(ctx, set))
	users, err2 := byOwner(c.db.HoldersOfRoles(ctx, queries.HoldersOfRolesParams{Ids: set, Within: sightOfUsers(a), CallerID: a.ID}))
	if err := first(err1, err2); err != nil {
		return nil, fmt.Errorf("reading what belongs to roles: %w", err)
	}
	list := make([]Role, len(rows))
	for i, r := range rows {
		list[i] = Role{Role: r, Rules: rules[r.ID], Users: users[r.ID]}
	}
	return list, nil
}
