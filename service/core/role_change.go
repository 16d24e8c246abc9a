package core

import (
	"context"
	"fmt"

	"vserver/queries"
	"vserver/service/access"
	"vserver/service/fault"
)

// CreateRole makes one (/docs/roles#create).
func (c *Core) CreateRole(ctx context.Context, g access.Grant[access.CreateRoles], f RoleFields) (Role, error) {
	if access.Reserved(value(f.Name)) {
		return Role{}, fault.New(fault.Invalid, "Cannot create role '%s' as it is a reserved role name.", *f.Name)
	}
	a := g.Actor()
	if f.OrganizationID == nil {
		f.OrganizationID = &a.OrganizationID
	}
	row := queries.Role{Name: f.Name, Description: f.Description, OrganizationID: f.OrganizationID}
	err := c.once(ctx, func(ctx context.Context, t *Tx) error {
		if err := admitRules(ctx, t, g, f.Rules, "Rule id=%d not found."); err != nil {
			return err
		}
		if err := admitRole(ctx, t, g, *f.OrganizationID); err != nil {
			return err
		}
		if err := t.AddRole(ctx, &row); err != nil {
			return err
		}
		return t.GrantToRole(ctx, row.ID, f.Rules...)
	}, &row)
	if err != nil {
		return Role{}, fmt.Errorf("creating a role: %w", err)
	}
	return c.wholeRole(ctx, g, row)
}

// admitRole decides whether the caller may make a role for an organization.
func admitRole(ctx context.Context, t *Tx, g access.Grant[access.CreateRoles], organization int64) error {
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
func admitRules(ctx context.Context, t *Tx, g access.AnyGrant, ids []int64, text string) error {
	known, err := knownRules(ctx, t.Queries, ids)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if _, ok := known[id]; !ok {
			return fault.New(fault.Missing, text, id)
		}
	}
	return g.Actor().MustHold(union(known, ids))
}

// ChangeRole writes the fields that are given (/docs/roles#change).
func (c *Core) ChangeRole(ctx context.Context, g access.Grant[access.EditRoles], id int64, in Sent[RoleFields]) (Role, error) {
	var row queries.Role
	err := c.once(ctx, func(ctx context.Context, t *Tx) error {
		role, err := findRole(ctx, t.Queries, id, textNoRole)
		if err != nil {
			return err
		}
		if err := firstError(mayChangeRole(g, role, in.Fields), in.Fault, checkNewName("name", role.Name, in.Fields.Name)); err != nil {
			return err
		}
		if in.Fields.Rules != nil {
			if err := replaceRules(ctx, t, g, id, in.Fields.Rules); err != nil {
				return err
			}
		}
		if row, err = t.HoldRole(ctx, id); err != nil {
			return err
		}
		put(&row.Name, in.Fields.Name)
		put(&row.Description, in.Fields.Description)
		return t.SaveRole(ctx, row)
	}, &row)
	if err != nil {
		return Role{}, fmt.Errorf("changing a role: %w", err)
	}
	return c.wholeRole(ctx, g, row)
}

// mayChangeRole is the order of /docs/roles#change: names first, then permission.
func mayChangeRole(g access.Grant[access.EditRoles], r queries.Role, f RoleFields) error {
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
func replaceRules(ctx context.Context, t *Tx, g access.Grant[access.EditRoles], role int64, ids []int64) error {
	if err := admitRules(ctx, t, g, ids, "rule with id=%d not found!"); err != nil {
		return err
	}
	has, err := byOwner(t.RulesOfRoles(ctx, idSet([]int64{role})))
	if err != nil {
		return fmt.Errorf("reading the rules of a role: %w", err)
	}
	gone := difference(has[role], ids)
	if err := mustHoldRules(ctx, t, g, gone); err != nil {
		return err
	}
	if _, err := t.RevokeFromRole(ctx, role, gone...); err != nil {
		return err
	}
	return t.GrantToRole(ctx, role, ids...)
}

// mustHoldRules wants the caller to hold rules that exist.
func mustHoldRules(ctx context.Context, t *Tx, g access.Grant[access.EditRoles], ids []int64) error {
	sets, err := knownRules(ctx, t.Queries, ids)
	if err != nil {
		return err
	}
	return g.Actor().MustHold(union(sets, ids))
}

// AddRuleToRole adds a rule to a role (/docs/roles#add-rule).
func (c *Core) AddRuleToRole(ctx context.Context, g access.Grant[access.EditRoles], role, rule int64) error {
	err := c.once(ctx, func(ctx context.Context, t *Tx) error {
		if err := mayEditRulesOf(ctx, t, g, role, rule); err != nil {
			return err
		}
		return t.GrantToRole(ctx, role, rule)
	})
	if err != nil {
		return fmt.Errorf("adding a rule to a role: %w", err)
	}
	return nil
}

// RemoveRuleFromRole takes a rule from a role (/docs/roles#remove-rule).
func (c *Core) RemoveRuleFromRole(ctx context.Context, g access.Grant[access.DeleteRoles], role, rule int64) error {
	err := c.once(ctx, func(ctx context.Context, t *Tx) error {
		if err := mayEditRulesOf(ctx, t, g, role, rule); err != nil {
			return err
		}
		n, err := t.RevokeFromRole(ctx, role, rule)
		if err == nil && n == 0 {
			return fault.New(fault.Missing, textNoRuleInRole, rule, role)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("removing a rule from a role: %w", err)
	}
	return nil
}

const textNoRuleInRole = "Rule id=%d not found in Role=%d!"

// mayEditRulesOf decides whether the caller may give a role the rule or take it away.
func mayEditRulesOf(ctx context.Context, t *Tx, g access.AnyGrant, role, rule int64) error {
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
	if !g.Covers(r.OrganizationID) {
		return fault.New(fault.Denied, "You lack permissions to do that")
	}
	if everybodys(r) && access.Locked(value(r.Name)) {
		return defaultRole(r)
	}
	return g.Actor().MustHold(set[rule])
}
