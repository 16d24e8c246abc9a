package shell

import (
	"context"
	"fmt"

	"go.starlark.net/starlark"

	"vserver/queries"
)

func collaborations() *model {
	type row = queries.Collaboration
	return &model{
		name: "Collaboration", table: "collaboration",
		columns: []column{
			idColumn(func(r *row) *int64 { return &r.ID }),
			field("name", func(r *row) any { return &r.Name }),
			field("encrypted", func(r *row) any { return &r.Encrypted }),
		},
		relations: []relation{
			{name: "organizations", target: "Organization", by: "collaboration_id", link: memberships.reversed()},
			{name: "nodes", target: "Node", by: "collaboration_id"},
			{name: "tasks", target: "Task", by: "collaboration_id"},
		},
		methods: []method{
			{"find_by_name", true, byText("name", "name")},
			{"get_node_from_organization", false, nodeOfOrganization},
			{"get_nodes_from_organizations", false, nodesOfOrganizations},
			{"get_organization_ids", false, memberIDs("organizations")},
			{"get_task_ids", false, memberIDs("tasks")},
			{"name_exists", true, nameExists},
		},
		show: showCollaboration,
		rows: typed[row]{
			blank: func() row { return row{Encrypted: true} },
			find: func(ctx context.Context, q *queries.Queries, f filter) ([]row, error) {
				return q.ShellCollaborations(ctx, queries.ShellCollaborationsParams{
					ID: f.number("id"), Name: f.text("name"), OrganizationID: f.number("organization_id"),
				})
			},
			insert: func(ctx context.Context, tx *queries.Tx, _ *row) (int64, error) { return tx.ShellAddCollaboration(ctx) },
			hold:   func(ctx context.Context, tx *queries.Tx, id int64) (row, error) { return tx.HoldCollaboration(ctx, id) },
			update: func(ctx context.Context, tx *queries.Tx, r *row, _ names) error {
				return tx.ShellSaveCollaboration(ctx, queries.ShellSaveCollaborationParams{Name: r.Name, Encrypted: r.Encrypted, ID: r.ID})
			},
			remove: func(ctx context.Context, tx *queries.Tx, id int64) error { return tx.DeleteCollaboration(ctx, id) },
		}.any(),
	}
}

func showCollaboration(s *session, o *object) string {
	members, err := int64(0), error(nil)
	if o.id() != 0 {
		members, err = s.db.ShellCountMembers(s.ctx, o.id())
	}
	return fmt.Sprintf("<Collaboration %s: '%s', %s organization(s), %d task(s)>",
		str(o.idValue()), s.shown(o, "name"), counted(members, err), o.row.(*queries.Collaboration).TaskCount)
}

// memberIDs makes a method that gives the ids of related objects.
func memberIDs(relation string) func(call) (starlark.Value, error) {
	return func(c call) (starlark.Value, error) {
		if err := c.unpack(); err != nil {
			return nil, err
		}
		list, err := c.members(c.object, c.model.relation(relation))
		if err != nil {
			return nil, err
		}
		var ids []starlark.Value
		for e := range list.Elements() {
			if o, ok := e.(*object); ok {
				ids = append(ids, o.idValue())
			}
		}
		return starlark.NewList(ids), nil
	}
}

// nodesOfOrganizations gives the collaboration's nodes of organizations with given ids.
func nodesOfOrganizations(c call) (starlark.Value, error) {
	var ids starlark.Iterable
	if err := c.unpack("ids", &ids); err != nil {
		return nil, err
	}
	all, err := c.find(c.models["Node"], filter{"collaboration_id": c.object.id()})
	if err != nil {
		return nil, err
	}
	wanted := map[int64]bool{}
	for e := range starlark.Elements(ids) {
		if n, err := wholeNumber(e); err == nil {
			wanted[n] = true
		}
	}
	var list []*object
	for _, o := range all {
		if id := o.row.(*nodeRow).OrganizationID; id != nil && wanted[*id] {
			list = append(list, o)
		}
	}
	return listOf(list), nil
}

// nodeOfOrganization gives the collaboration's node of an organization, or None.
func nodeOfOrganization(c call) (starlark.Value, error) {
	organization, err := c.one("organization", "Organization")
	if err != nil {
		return nil, err
	}
	return c.first(c.models["Node"], filter{"collaboration_id": c.object.id(), "organization_id": organization.id()})
}

func nameExists(c call) (starlark.Value, error) {
	v, err := byText("name", "name")(c)
	return starlark.Bool(v != starlark.None), err
}
