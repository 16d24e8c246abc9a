package shell

import (
	"context"

	"go.starlark.net/starlark"

	"vserver/queries"
	"vserver/service/core"
)

func roles() *model {
	return &model{
		name: "Role", table: "role",
		columns: columnsOf[queries.Role]("id name description organization_id"),
		relations: []relation{
			{name: "rules", target: "Rule", by: "role_id", link: &rulesOfRole},
			{name: "organization", target: "Organization", key: "organization_id"},
			{name: "users", target: "User", by: "role_id", link: rolesOfUser.reversed()},
		},
		methods: []method{{"get_by_name", true, byText("name", "name")}},
		line:    "<Role {id}: '{name}', description: {description}, {#users} user(s)>",
		rows: table[queries.Role]{
			query: filtered((*queries.Queries).FindRoles), held: (*core.Tx).HoldRole,
			add: (*core.Tx).AddRole, save: (*core.Tx).SaveRole, removeByID: (*core.Tx).RemoveRole,
		},
	}
}

var rulesOfRole = link{
	add: func(ctx context.Context, t *core.Tx, role, rule int64) error { return t.GrantToRole(ctx, role, rule) },
	remove: func(ctx context.Context, t *core.Tx, role, rule int64) error {
		_, err := t.RevokeFromRole(ctx, role, rule)
		return err
	},
}

func rules() *model {
	return &model{
		name: "Rule", table: "rule",
		columns: columnsOf[queries.Rule]("id name operation scope description", enumerated("operation", operations), enumerated("scope", scopes)),
		relations: []relation{
			{name: "roles", target: "Role", by: "rule_id", link: rulesOfRole.reversed()},
			{name: "users", target: "User", by: "rule_id", link: rulesOfUser.reversed()},
		},
		methods: []method{{"get_by_", true, getRule}},
		line:    "<Rule {id}: '{name}', operation: {operation}, scope: {scope}>",
		rows: table[queries.Rule]{
			query: filtered((*queries.Queries).ListRules), held: (*core.Tx).HoldRule,
			add: (*core.Tx).AddRule, save: (*core.Tx).SaveRule, removeByID: (*core.Tx).RemoveRule,
		},
	}
}

// getRule finds a rule by name, scope and operation. The classes Scope and Operation
// themselves stand for any of their members (/docs/shell#snippets).
func getRule(c call) (starlark.Value, error) {
	var name string
	var scope, operation starlark.Value
	if err := c.unpack("name", &name, "scope", &scope, "operation", &operation); err != nil {
		return nil, err
	}
	f := filter{"name": name}
	for column, v := range map[string]starlark.Value{"scope": scope, "operation": operation} {
		if v != scopes && v != operations {
			f[column] = memberName(v)
		}
	}
	return c.first(c.model, f)
}
