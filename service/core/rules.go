package core

import (
	"context"
	"fmt"

	"vserver/queries"
	"vserver/service/access"
	"vserver/service/fault"
)

// Rule is a rule with the users who hold it beside their roles, as far as the
// caller may view them, in ascending order.
type Rule struct {
	queries.Rule
	Users []int64
}

// RuleFilter narrows a list; nil narrows nothing. Operation and Scope are names of
// the wire.
type RuleFilter struct {
	Name, Operation, Scope *string
	RoleID                 *int64
}

// Rules lists the rules (/docs/roles#rule-list). Every user may.
func (c *Core) Rules(ctx context.Context, g access.Grant[access.UserItself], f RuleFilter, p Page) ([]Rule, int64, error) {
	return c.listRules(ctx, g, f, p)
}

// listRules is Rules for everybody who may see what the filter asks for.
func (c *Core) listRules(ctx context.Context, g access.AnyGrant, f RuleFilter, p Page) ([]Rule, int64, error) {
	arg := queries.ListRulesParams{
		Name: f.Name, Operation: f.Operation, Scope: f.Scope, RoleID: f.RoleID, Lim: p.limit(), Off: p.offset(),
	}
	rows, total, err := pageOf(ctx, c, p, queries.ListRules, arg, c.db.ListRules)
	if err != nil {
		return nil, 0, fmt.Errorf("listing rules: %w", err)
	}
	list, err := c.wholeRules(ctx, g, rows)
	return list, total, err
}

// Rule returns one (/docs/roles#rule-get).
func (c *Core) Rule(ctx context.Context, g access.Grant[access.UserItself], id int64) (Rule, error) {
	row, err := c.db.GetRule(ctx, id)
	if queries.Missing(err) {
		return Rule{}, fault.New(fault.Missing, textNoRule, id)
	}
	if err != nil {
		return Rule{}, fmt.Errorf("reading a rule: %w", err)
	}
	list, err := c.wholeRules(ctx, g, []queries.Rule{row})
	if err != nil {
		return Rule{}, err
	}
	return list[0], nil
}

const textNoRule = "Rule id=%d not found!"

// wholeRules adds the users of the rules.
func (c *Core) wholeRules(ctx context.Context, g access.AnyGrant, rows []queries.Rule) ([]Rule, error) {
	ids := make([]int64, len(rows))
	for i := range rows {
		ids[i] = rows[i].ID
	}
	users, err := byOwner(c.db.HoldersOfRules(ctx, queries.HoldersOfRulesParams{
		Ids: idSet(ids), Within: access.Embedded[access.ViewUsers](g).UserSight(), CallerID: g.Actor().ID,
	}))
	if err != nil {
		return nil, fmt.Errorf("reading who holds rules: %w", err)
	}
	list := make([]Rule, len(rows))
	for i, r := range rows {
		list[i] = Rule{Rule: r, Users: users[r.ID]}
	}
	return list, nil
}

// knownRules returns what each of the rules allows; ids that no rule has are left
// out.
func knownRules(ctx context.Context, q *queries.Queries, ids []int64) (map[int64]access.Set, error) {
	rows, err := q.RulesByIDs(ctx, idSet(ids))
	if err != nil {
		return nil, fmt.Errorf("reading rules: %w", err)
	}
	return setsOfRules(rows), nil
}

func setsOfRules(rows []queries.Rule) map[int64]access.Set {
	sets := make(map[int64]access.Set, len(rows))
	for _, r := range rows {
		sets[r.ID] = access.Of(access.Number(r.Name, r.Scope, r.Operation))
	}
	return sets
}

// union joins the sets of ids.
func union(sets map[int64]access.Set, ids []int64) access.Set {
	var all access.Set
	for _, id := range ids {
		all |= sets[id]
	}
	return all
}

// difference returns the ids of one list that are not in the other.
func difference(ids, others []int64) []int64 {
	in := make(map[int64]bool, len(others))
	for _, id := range others {
		in[id] = true
	}
	var rest []int64
	for _, id := range ids {
		if !in[id] {
			rest = append(rest, id)
		}
	}
	return rest
}

// AddRule stores a new rule.
func (t *Tx) AddRule(ctx context.Context, r *queries.Rule) (err error) {
	r.ID, err = t.InsertRule(ctx, queries.InsertRuleParams{
		Name: r.Name, Operation: r.Operation, Scope: r.Scope, Description: r.Description,
	})
	return err
}

// SaveRule writes a rule.
func (t *Tx) SaveRule(ctx context.Context, r queries.Rule) error {
	t.rightsChanged()
	return t.UpdateRule(ctx, queries.UpdateRuleParams{
		Name: r.Name, Operation: r.Operation, Scope: r.Scope, Description: r.Description, ID: r.ID,
	})
}

// RemoveRule deletes a rule and takes it from all its holders.
func (t *Tx) RemoveRule(ctx context.Context, id int64) error {
	t.rightsChanged()
	return t.DeleteRule(ctx, id)
}
