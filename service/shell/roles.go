package shell

import (
	"context"
	"fmt"

	"go.starlark.net/starlark"

	"vserver/queries"
)

func roles() *model {
	type row = queries.Role
	return &model{
		name: "Role", table: "role",
		columns: []column{
			idColumn(func(r *row) *int64 { return &r.ID }),
			field("name", func(r *row) any { return &r.Name }),
			field("description", func(r *row) any { return &r.Description }),
			field("organization_id", func(r *row) any { return &r.OrganizationID }),
		},
		relations: []relation{
			{name: "rules", target: "Rule", by: "role_id", link: &rulesOfRole},
			{name: "organization", target: "Organization", key: "organization_id"},
			{name: "users", target: "User", by: "role_id", link: rolesOfUser.reversed()},
		},
		methods: []method{{"get_by_name", true, byText("name", "name")}},
		show: func(s *session, o *object) string {
			users, err := int64(0), error(nil)
			if o.id() != 0 {
				users, err = s.db.ShellCountHolders(s.ctx, o.id())
			}
			return fmt.Sprintf("<Role %s: '%s', description: %s, %s user(s)>",
				str(o.idValue()), s.shown(o, "name"), s.shown(o, "description"), counted(users, err))
		},
		rows: typed[row]{
			find: func(ctx context.Context, q *queries.Queries, f filter) ([]row, error) {
				return q.ShellRoles(ctx, queries.ShellRolesParams{
					ID: f.number("id"), Name: f.text("name"), OrganizationID: f.number("organization_id"),
					UserID: f.number("user_id"), RuleID: f.number("rule_id"),
				})
			},
			insert: func(ctx context.Context, tx *queries.Tx, _ *row) (int64, error) { return tx.ShellAddRole(ctx) },
			hold:   func(ctx context.Context, tx *queries.Tx, id int64) (row, error) { return tx.ShellHoldRole(ctx, id) },
			update: func(ctx context.Context, tx *queries.Tx, r *row, _ names) error {
				return tx.ShellSaveRole(ctx, queries.ShellSaveRoleParams{
					Name: r.Name, Description: r.Description, OrganizationID: r.OrganizationID, ID: r.ID,
				})
			},
			remove: func(ctx context.Context, tx *queries.Tx, id int64) error { return tx.DeleteRole(ctx, id) },
		}.any(),
	}
}

var rulesOfRole = link{
	add: func(ctx context.Context, tx *queries.Tx, role, rule int64) error {
		return tx.AddRulesToRole(ctx, role, only(rule))
	},
	remove: func(ctx context.Context, tx *queries.Tx, role, rule int64) error {
		_, err := tx.RemoveRulesFromRole(ctx, role, only(rule))
		return err
	},
}

func rules() *model {
	type row = queries.Rule
	return &model{
		name: "Rule", table: "rule",
		columns: []column{
			idColumn(func(r *row) *int64 { return &r.ID }),
			field("name", func(r *row) any { return &r.Name }),
			enumerated(field("operation", func(r *row) any { return &r.Operation }), operations),
			enumerated(field("scope", func(r *row) any { return &r.Scope }), scopes),
			field("description", func(r *row) any { return &r.Description }),
		},
		relations: []relation{
			{name: "roles", target: "Role", by: "rule_id", link: rulesOfRole.reversed()},
			{name: "users", target: "User", by: "rule_id", link: rulesOfUser.reversed()},
		},
		methods: []method{{"get_by_", true, getRule}},
		show: func(s *session, o *object) string {
			return fmt.Sprintf("<Rule %s: '%s', operation: %s, scope: %s>",
				str(o.idValue()), s.shown(o, "name"), s.shown(o, "operation"), s.shown(o, "scope"))
		},
		rows: typed[row]{
			find: func(ctx context.Context, q *queries.Queries, f filter) ([]row, error) {
				return q.ShellRules(ctx, queries.ShellRulesParams{
					ID: f.number("id"), Name: f.text("name"), Operation: f.text("operation"), Scope: f.text("scope"),
					UserID: f.number("user_id"), RoleID: f.number("role_id"),
				})
			},
			insert: func(ctx context.Context, tx *queries.Tx, r *row) (int64, error) {
				return tx.ShellAddRule(ctx, queries.ShellAddRuleParams{Name: r.Name, Operation: r.Operation, Scope: r.Scope})
			},
			hold: func(ctx context.Context, tx *queries.Tx, id int64) (row, error) { return tx.ShellHoldRule(ctx, id) },
			update: func(ctx context.Context, tx *queries.Tx, r *row, _ names) error {
				return tx.ShellSaveRule(ctx, queries.ShellSaveRuleParams{
					Name: r.Name, Operation: r.Operation, Scope: r.Scope, Description: r.Description, ID: r.ID,
				})
			},
			remove: func(ctx context.Context, tx *queries.Tx, id int64) error { return tx.ShellDeleteRule(ctx, id) },
		}.any(),
	}
}

// getRule finds a rule by name, scope and operation. The classes Scope and Operation
// themselves stand for any of their members (contract 40 §10.4 S5).
func getRule(c call) (starlark.Value, error) {
	var name string
	var scope, operation starlark.Value
	if err := c.unpack("name", &name, "scope", &scope, "operation", &operation); err != nil {
		return nil, err
	}
	f := filter{"name": name}
	for column, v := range map[string]starlark.Value{"scope": scope, "operation": operation} {
		if _, isEnum := v.(*module); !isEnum {
			f[column] = memberName(v)
		}
	}
	return c.first(c.model, f)
}
