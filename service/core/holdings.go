package core

import (
	"context"
	"fmt"
	"slices"

	"vserver/queries"
	"vserver/service/access"
)

// holdings say through which roles rules are held. Rules have the ids of the database.
type holdings struct {
	rules    map[access.Rule]int64
	roles    map[int64]queries.Role
	of       map[int64][]int64 // rules by role
	defaults []queries.Role    // in the order of their ids
}

// readHoldings reads all rules and roles.
func (c *Core) readHoldings(ctx context.Context) (holdings, error) {
	rules, err1 := c.db.AllRules(ctx)
	roles, err2 := c.db.FindRoles(ctx, queries.FindRolesParams{})
	if err := firstError(err1, err2); err != nil {
		return holdings{}, fmt.Errorf("reading rules and roles: %w", err)
	}
	h := holdings{rules: map[access.Rule]int64{}, roles: map[int64]queries.Role{}}
	for _, r := range rules {
		if n := access.Number(r.Name, r.Scope, r.Operation); n > 0 {
			h.rules[access.Rules[n-1]] = r.ID
		}
	}
	var ids []int64
	for _, r := range roles {
		ids = append(ids, r.ID)
		h.roles[r.ID] = r
		if everybodys(r) {
			h.defaults = append(h.defaults, r)
		}
	}
	var err error
	if h.of, err = byOwner(c.db.RulesOfRoles(ctx, idSet(ids))); err != nil {
		return h, fmt.Errorf("reading the rules of roles: %w", err)
	}
	return h, nil
}

// has reports whether a role has a rule.
func (h holdings) has(role int64, rule access.Rule) bool {
	id, known := h.rules[rule]
	return known && slices.Contains(h.of[role], id)
}

// defaultRolesWith are the names of the default roles that have a rule.
func (h holdings) defaultRolesWith(rule access.Rule) []string {
	names := []string{}
	for _, r := range h.defaults {
		if h.has(r.ID, rule) {
			names = append(names, value(r.Name))
		}
	}
	return names
}

// held is how one caller holds rules.
type held struct {
	holdings
	actor access.Actor
	roles []queries.Role
	extra []int64 // rules beside the roles
}

// heldBy reads the roles and rules of a caller.
func (c *Core) heldBy(ctx context.Context, h holdings, a access.Actor) (held, error) {
	by := held{holdings: h, actor: a}
	if a.Kind != access.User {
		name := map[access.Kind]string{access.Node: access.RoleNode, access.Container: access.RoleContainer}[a.Kind]
		for _, r := range h.defaults {
			if value(r.Name) == name {
				by.roles = append(by.roles, r)
				break
			}
		}
		return by, nil
	}
	set := idSet([]int64{a.ID})
	roles, err1 := byOwner(c.db.RolesOfUsers(ctx, set))
	extra, err2 := byOwner(c.db.ExtraRulesOfUsers(ctx, set))
	if err := firstError(err1, err2); err != nil {
		return by, fmt.Errorf("reading what a user holds: %w", err)
	}
	for _, id := range roles[a.ID] {
		by.roles = append(by.roles, h.roles[id])
	}
	by.extra = extra[a.ID]
	return by, nil
}

// of says how the caller holds a rule.
func (h held) of(r access.Rule) HeldRule {
	how := HeldRule{ID: h.rules[r], Rule: r, Held: h.actor.Rules.Has(r.Resource, r.Scope, r.Operation), Roles: []HeldRole{}}
	how.Direct = slices.Contains(h.extra, how.ID)
	for _, role := range h.roles {
		if h.has(role.ID, r) {
			how.Roles = append(how.Roles, role)
		}
	}
	return how
}
