package shell

import (
	"context"
	"fmt"

	"go.starlark.net/starlark"

	"vserver/queries"
	"vserver/service/access"
)

type nodeRow = queries.ShellNodesRow

func nodes() *model {
	return &model{
		name: "Node", table: "node",
		columns: []column{
			idColumn(func(r *nodeRow) *int64 { return &r.ID }),
			typeColumn(func(r *nodeRow) *string { return &r.Type }),
			field("ip", func(r *nodeRow) any { return &r.IP }),
			field("last_seen", func(r *nodeRow) any { return &r.LastSeen }),
			field("status", func(r *nodeRow) any { return &r.Status }),
			field("name", func(r *nodeRow) any { return &r.Name }),
			secret(field("api_key", func(r *nodeRow) any { return &r.ApiKey }), digested),
			field("collaboration_id", func(r *nodeRow) any { return &r.CollaborationID }),
			field("organization_id", func(r *nodeRow) any { return &r.OrganizationID }),
		},
		relations: []relation{
			{name: "collaboration", target: "Collaboration", key: "collaboration_id"},
			{name: "organization", target: "Organization", key: "organization_id"},
		},
		methods: []method{
			{"check_key", false, checkKey},
			{"exists", true, nodeExists},
			{"get_by_api_key", true, nodeByKey},
			{"get_online_nodes", true, onlineNodes},
			{"hash", true, hashOf(digested)},
		},
		show: func(s *session, o *object) string {
			return fmt.Sprintf("<Node %s: '%s', organization: %s, collaboration: %s, api_key: %s >", str(o.idValue()), s.shown(o, "name"),
				s.nameOf(o, "organization", "name"), s.nameOf(o, "collaboration", "name"), s.shown(o, "api_key"))
		},
		rows: nodeRows.any(),
	}
}

var nodeRows = typed[nodeRow]{
	blank: func() nodeRow { return nodeRow{Type: access.Node.String()} },
	find: func(ctx context.Context, q *queries.Queries, f filter) ([]nodeRow, error) {
		return q.ShellNodes(ctx, queries.ShellNodesParams{
			ID: f.number("id"), ApiKey: f.text("api_key"), Status: f.text("status"),
			OrganizationID: f.number("organization_id"), CollaborationID: f.number("collaboration_id"),
		})
	},
	insert: func(ctx context.Context, tx *queries.Tx, _ *nodeRow) (int64, error) {
		ids, err := tx.InsertAccounts(ctx, access.Node.String(), only(0))
		if err != nil {
			return 0, err
		}
		return ids[0], tx.ShellAddNode(ctx, ids[0])
	},
	hold: func(ctx context.Context, tx *queries.Tx, id int64) (nodeRow, error) {
		n, err := tx.ShellHoldNode(ctx, id)
		if err != nil {
			return nodeRow{}, err
		}
		a, err := tx.ShellHoldAccount(ctx, id)
		return nodeRow{
			ID: n.ID, Name: n.Name, ApiKey: n.ApiKey, CollaborationID: n.CollaborationID, OrganizationID: n.OrganizationID,
			Type: a.Type, IP: a.IP, LastSeen: a.LastSeen, Status: a.Status,
		}, err
	},
	update: updateNode,
	remove: removeAccount,
}

// updateNode ends all sessions of a node with a new key (SECURITY T03).
func updateNode(ctx context.Context, tx *queries.Tx, r *nodeRow, set names) error {
	if set["api_key"] {
		if err := tx.RevokeAllTokens(ctx, r.ID); err != nil {
			return err
		}
	}
	err := tx.ShellSaveNode(ctx, queries.ShellSaveNodeParams{
		Name: r.Name, ApiKey: r.ApiKey, CollaborationID: r.CollaborationID, OrganizationID: r.OrganizationID, ID: r.ID,
	})
	if err != nil {
		return err
	}
	return tx.ShellSaveAccount(ctx, queries.ShellSaveAccountParams{IP: r.IP, LastSeen: r.LastSeen, Status: r.Status, ID: r.ID})
}

func digested(s *session, clear string) (string, error) { return s.core.DigestAPIKey(clear), nil }

func checkKey(c call) (starlark.Value, error) {
	var clear string
	if err := c.unpack("key", &clear); err != nil {
		return nil, err
	}
	stored := c.object.row.(*nodeRow).ApiKey
	return starlark.Bool(stored != nil && *stored == c.core.DigestAPIKey(clear)), nil
}

func nodeByKey(c call) (starlark.Value, error) {
	var clear string
	if err := c.unpack("api_key", &clear); err != nil {
		return nil, err
	}
	return c.first(c.model, filter{"api_key": c.core.DigestAPIKey(clear)})
}

// nodeExists gives the node of an organization in a collaboration, or None.
func nodeExists(c call) (starlark.Value, error) {
	var organization, collaboration int64
	if err := c.unpack("organization_id", &organization, "collaboration_id", &collaboration); err != nil {
		return nil, err
	}
	return c.first(c.model, filter{"organization_id": organization, "collaboration_id": collaboration})
}

func onlineNodes(c call) (starlark.Value, error) {
	if err := c.unpack(); err != nil {
		return nil, err
	}
	online, err := c.find(c.model, filter{"status": "online"})
	return listOf(online), err
}
