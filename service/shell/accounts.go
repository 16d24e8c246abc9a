package shell

import (
	"context"
	"fmt"

	"go.starlark.net/starlark"

	"vserver/queries"
)

// accounts is what users and nodes have in common. Its objects are users and nodes.
func accounts() *model {
	type row = queries.Account
	return &model{
		name: "Authenticatable", table: "authenticatable",
		columns: []column{
			idColumn(func(r *row) *int64 { return &r.ID }),
			typeColumn(func(r *row) *string { return &r.Type }),
			field("ip", func(r *row) any { return &r.IP }),
			field("last_seen", func(r *row) any { return &r.LastSeen }),
			field("status", func(r *row) any { return &r.Status }),
		},
		methods: []method{
			{"get", true, getAccount},
			{"hash", true, hashOf(hashed)},
		},
	}
}

// typeColumn tells users from nodes.
func typeColumn[R any](at func(*R) *string) column {
	c := field("type", func(r *R) any { return at(r) })
	c.fixed = "it tells users from nodes"
	return c
}

// getAccount is get; a row becomes the user or node that it is part of.
func getAccount(c call) (starlark.Value, error) {
	var wanted starlark.Value = starlark.None
	if err := c.unpack("id?", &wanted); err != nil {
		return nil, err
	}
	var id *int64
	if err := optionally(&id, wanted, wholeNumber); err != nil {
		return nil, err
	}
	found, err := c.db.ShellAccounts(c.ctx, id)
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
	type row = queries.NodeConfig
	return &model{
		name: "NodeConfig", table: "nodeconfig",
		columns: []column{
			idColumn(func(r *row) *int64 { return &r.ID }),
			field("node_id", func(r *row) any { return &r.NodeID }),
			field("key", func(r *row) any { return &r.Key }),
			field("value", func(r *row) any { return &r.Value }),
		},
		relations: []relation{{name: "node", target: "Node", key: "node_id"}},
		show: func(s *session, o *object) string {
			return fmt.Sprintf("<NodeConfig %s: %s=%s, node: %s>",
				str(o.idValue()), s.shown(o, "key"), s.shown(o, "value"), s.nameOf(o, "node", "name"))
		},
		rows: typed[row]{
			find: func(ctx context.Context, q *queries.Queries, f filter) ([]row, error) {
				return q.ShellNodeConfigs(ctx, f.number("id"))
			},
			insert: func(ctx context.Context, tx *queries.Tx, r *row) (int64, error) {
				return tx.ShellAddNodeConfig(ctx, r.NodeID)
			},
			hold: func(ctx context.Context, tx *queries.Tx, id int64) (row, error) {
				return tx.ShellHoldNodeConfig(ctx, id)
			},
			update: func(ctx context.Context, tx *queries.Tx, r *row, _ names) error {
				return tx.ShellSaveNodeConfig(ctx, queries.ShellSaveNodeConfigParams{NodeID: r.NodeID, Key: r.Key, Value: r.Value, ID: r.ID})
			},
			remove: func(ctx context.Context, tx *queries.Tx, id int64) error { return tx.ShellDeleteNodeConfig(ctx, id) },
		}.any(),
	}
}
