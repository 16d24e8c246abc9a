package shell

import (
	"cmp"
	"context"

	"go.starlark.net/starlark"

	"vserver/queries"
	"vserver/service/access"
	"vserver/service/core"
)

type nodeRow = queries.FindNodesRow

func nodes() *model {
	return &model{
		name: "Node", table: "node",
		columns: columnsOf[nodeRow]("id type ip last_seen status name api_key collaboration_id organization_id", secret("api_key", digested)),
		relations: []relation{
			{name: "collaboration", target: "Collaboration", key: "collaboration_id"},
			{name: "organization", target: "Organization", key: "organization_id"},
		},
		methods: []method{
			{"check_key", false, withText("key", checkKey)},
			{"exists", true, nodeExists},
			{"get_by_api_key", true, withText("api_key", nodeByKey)},
			{"get_online_nodes", true, plain(onlineNodes)},
			{"hash", true, hashOf(digested)},
		},
		line: "<Node {id}: '{name}', organization: {organization.name}, collaboration: {collaboration.name}, api_key: {api_key} >",
		rows: nodeRows,
	}
}

var nodeRows = table[nodeRow]{
	defaults: nodeRow{Account: queries.Account{Type: access.Node.String()}},
	query:    filtered((*queries.Queries).FindNodes),
	held: func(t *core.Tx, ctx context.Context, id int64) (nodeRow, error) {
		n, err := t.HoldNode(ctx, id)
		a, accountErr := t.HoldAccount(ctx, id)
		return nodeRow{Node: n, Account: a}, cmp.Or(err, accountErr)
	},
	add:        func(t *core.Tx, ctx context.Context, r *nodeRow) error { return t.AddNodes(ctx, &r.Node) },
	save:       func(t *core.Tx, ctx context.Context, r nodeRow) error { return t.SaveNode(ctx, r.Node) },
	removeByID: removeAccount,
	with: func(t *core.Tx, ctx context.Context, r *nodeRow, set names) error {
		if set["api_key"] {
			if err := t.KeySet(ctx, r.Node.ID); err != nil {
				return err
			}
		}
		r.Account.ID = r.Node.ID
		return t.SaveAccount(ctx, r.Account)
	},
}

func digested(s *session, clear string) (string, error) { return s.core.DigestAPIKey(clear), nil }

func checkKey(c call, clear string) (starlark.Value, error) {
	stored := c.object.row.(*nodeRow).Node.ApiKey
	return starlark.Bool(stored != nil && *stored == c.core.DigestAPIKey(clear)), nil
}

func nodeByKey(c call, clear string) (starlark.Value, error) {
	return c.first(c.model, filter{"api_key": c.core.DigestAPIKey(clear)})
}

// nodeExists returns the node of an organization in a collaboration, or None.
func nodeExists(c call) (starlark.Value, error) {
	var organization, collaboration int64
	if err := c.unpack("organization_id", &organization, "collaboration_id", &collaboration); err != nil {
		return nil, err
	}
	return c.first(c.model, filter{"organization_id": organization, "collaboration_id": collaboration})
}

func onlineNodes(c call) (starlark.Value, error) {
	online, err := c.find(c.model, filter{"status": "online"})
	return listOf(online), err
}
