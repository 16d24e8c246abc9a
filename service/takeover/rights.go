package takeover

import (
	"context"
	"maps"
	"slices"

	"vserver/service/access"
)

// triple is what a rule is about.
type triple struct{ name, scope, operation string }

func (c *conversion) convertRules(ctx context.Context) error {
	columns := []string{"id", "name", "operation", "scope", "description"}
	seen := map[triple]int64{}
	c.triples = map[int64]triple{}
	return c.rows(ctx, "rule", columns, func(v []any) bool {
		id := v[0].(int64)
		name, _ := v[1].(string)
		operation, _ := v[2].(string)
		scope, _ := v[3].(string)
		if name == "" || !slices.Contains(operations, operation) || !slices.Contains(scopes, scope) {
			c.leaveRow("rule", "it is about nothing that there is", columns, v)
			return false
		}
		t := triple{name, scope, operation}
		if first, twice := seen[t]; twice {
			c.ruleFor[id] = first
			c.leaveRow("rule", "another one is the same, and stands for it", columns, v)
			return false
		}
		if access.Number(name, scope, operation) == 0 {
			c.notes.add(kind{"rules that no release has any more", "they stay, and allow nothing, as in the last release"}, named(id, name+" "+scope+" "+operation))
		}
		seen[t], c.triples[id], c.rules[id], c.ruleFor[id] = id, t, true, id
		description, _ := c.text(v[4], "rule.description", id).(string)
		c.put("rule", id, name, operation, scope, description)
		return true
	})
}

// What a rule may be about.
var (
	operations = []string{"VIEW", "EDIT", "CREATE", "DELETE"}
	scopes     = []string{"OWN", "ORGANIZATION", "COLLABORATION", "GLOBAL"}
)

// convertRoles tells the default roles from those whose organization is gone: both have none. The old server looked
// the former up by name and took the first.
func (c *conversion) convertRoles(ctx context.Context) error {
	first := map[string]bool{}
	return c.rows(ctx, "role", []string{"id", "name", "description", "organization_id"}, func(v []any) bool {
		id := v[0].(int64)
		name := c.text(v[1], "role.name", id)
		organization := c.reference(v[3], in(c.organizations), "role.organization_id", id)
		text, _ := name.(string)
		standard := organization == nil && v[3] == nil && access.Reserved(text) && !first[text]
		if standard {
			first[text] = true
		}
		if standard && text == access.RoleRoot {
			c.rootRole = id
		}
		orphan := organization == nil && !standard
		if orphan {
			c.notes.add(kind{"roles of an organization that is gone, or of none", "their holders keep them; they are no roles of everybody"}, named(id, name))
		}
		c.roles[id], c.roleNames[id], c.orphans[id] = true, name, orphan
		if standard || organization != nil && text == access.RoleSuper {
			c.complete = append(c.complete, id)
		}
		c.put("role", id, name, c.text(v[2], "role.description", id), organization, orphan)
		return true
	})
}

// convertHoldings carries who holds which role and rule.
func (c *conversion) convertHoldings(ctx context.Context) error {
	rule := func(id int64) (int64, bool) {
		of, there := c.ruleFor[id]
		return of, there
	}
	rooted := false
	holder := func(id int64) (int64, bool) {
		c.current = id
		return itself(c.users)(id)
	}
	role := func(id int64) (int64, bool) {
		rooted = rooted || c.users[c.current] && id == c.rootRole
		return itself(c.roles)(id)
	}
	err := c.pairs(ctx, "Permission", "user_role", [2]string{"user_id", "role_id"}, [2]func(int64) (int64, bool){holder, role})
	if !rooted {
		c.noteNoRoot()
	}
	if err == nil {
		err = c.pairs(ctx, "UserPermission", "user_rule", [2]string{"user_id", "rule_id"}, [2]func(int64) (int64, bool){itself(c.users), rule})
	}
	if err != nil {
		return err
	}
	held := map[int64]access.Set{}
	counting := func(id int64) (int64, bool) {
		c.current = id
		return itself(c.roles)(id)
	}
	noting := func(id int64) (int64, bool) {
		of, there := rule(id)
		if t := c.triples[of]; there {
			held[c.current] |= access.Of(access.Number(t.name, t.scope, t.operation))
		}
		return of, there
	}
	err = c.pairs(ctx, "role_rule_association", "role_rule", [2]string{"role_id", "rule_id"}, [2]func(int64) (int64, bool){counting, noting})
	if err == nil {
		c.findLacking(held)
	}
	return err
}

// noteNoRoot tells that nobody may administer the server. The old one made another user with a password that everybody
// knows then.
func (c *conversion) noteNoRoot() {
	const todo = `one of them gets it in vserver shell: user = db.User.get_by_username("NAME"), user.roles.append(db.Role.get_by_name("Root")), user.save()`
	for _, id := range slices.Sorted(maps.Keys(c.users)) {
		c.notes.add(kind{"users, of whom none has the role Root", todo}, named(id, c.firstNames[id]))
	}
}

// findLacking compares roles with what the last release gives to roles of their names. Fixed ones are completed by
// every start.
func (c *conversion) findLacking(held map[int64]access.Set) {
	for _, id := range c.complete {
		name, _ := c.roleNames[id].(string)
		want, fixed := access.All, false
		for _, d := range access.DefaultRoles() {
			if d.Name == name {
				want, fixed = d.Rules, d.Fixed
			}
		}
		if fixed {
			continue
		}
		lacking := Lacking{ID: id, Name: name, Lacks: []string{}}
		for i, r := range access.Rules {
			if bit := access.Of(int64(i + 1)); want&bit != 0 && held[id]&bit == 0 {
				lacking.Lacks = append(lacking.Lacks, string(r.Resource)+" "+r.Scope.String()+" "+r.Operation.String())
			}
		}
		if len(lacking.Lacks) > 0 {
			c.lacking = append(c.lacking, lacking)
		}
	}
}
