package shell

import (
	"context"
	"fmt"

	"go.starlark.net/starlark"

	"vserver/queries"
	"vserver/service/core"
)

// accounts is what users and nodes have in common. Its objects are users and nodes.
func accounts() *model {
	return &model{
		name: "Authenticatable", table: "authenticatable",
		columns: columnsOf[queries.Account]("id type ip last_seen status"),
		methods: []method{
			{"get", true, getAccount},
			{"hash", true, hashOf(hashed)},
		},
	}
}

// getAccount is get; a row becomes the user or node that it is part of.
func getAccount(c call) (starlark.Value, error) {
	var wanted starlark.Value = starlark.None
	if err := c.unpack("id?", &wanted); err != nil {
		return nil, err
	}
	var id *int64
	if err := into(&id, wanted); err != nil {
		return nil, err
	}
	found, err := c.db.FindAccounts(c.ctx, id)
	if err != nil {
		return nil, fmt.Errorf("reading from authenticatable: %w", err)
	}
	var list []*object
	for _, row := range found {
		model := "User"
		if row.Type == "node" {
			model = "Node"
		}
		o, err := c.load(c.models[model], row.ID)
		if err != nil {
			return nil, err
		}
		if o != nil {
			list = append(list, o)
		}
	}
	switch {
	case id == nil:
		return listOf(list), nil
	case len(list) == 0:
		return starlark.None, nil
	}
	return list[0], nil
}

func nodeConfigs() *model {
	return &model{
		name: "NodeConfig", table: "nodeconfig",
		columns:   columnsOf[queries.NodeConfig]("id node_id key value"),
		relations: []relation{{name: "node", target: "Node", key: "node_id"}},
		line:      "<NodeConfig {id}: {key}={value}, node: {node.name}>",
		rows: table[queries.NodeConfig]{
			query: func(q *queries.Queries, ctx context.Context, f filter) ([]queries.NodeConfig, error) {
				return q.FindNodeConfig(ctx, f.number("id"))
			},
			held: (*core.Tx).HoldNodeConfig, add: (*core.Tx).AddNodeConfig, save: (*core.Tx).SaveNodeConfig, removeByID: (*core.Tx).RemoveNodeConfig,
		},
	}
}
