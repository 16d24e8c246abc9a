package shell

import (
	"go.starlark.net/starlark"

	"vserver/queries"
	"vserver/service/core"
)

func collaborations() *model {
	return &model{
		name: "Collaboration", table: "collaboration",
		columns: columnsOf[queries.Collaboration]("id name encrypted"),
		relations: []relation{
			{name: "organizations", target: "Organization", by: "collaboration_id", link: memberships.reversed()},
			{name: "nodes", target: "Node", by: "collaboration_id"},
			{name: "tasks", target: "Task", by: "collaboration_id"},
		},
		methods: []method{
			{"find_by_name", true, byText("name", "name")},
			{"get_node_from_organization", false, nodeOfOrganization},
			{"get_nodes_from_organizations", false, nodesOfOrganizations},
			{"get_organization_ids", false, plain(memberIDs("organizations"))},
			{"get_task_ids", false, plain(memberIDs("tasks"))},
			{"name_exists", true, nameExists},
		},
		virtuals: []virtual{{"task_count", func(s *session, o *object) (starlark.Value, error) {
			counts, err := s.db.CollaborationCounts(s.ctx, o.id())
			if queries.Missing(err) {
				err = nil // it is not stored yet
			}
			return starlark.MakeInt64(counts.TaskCount), err
		}, nil}},
		line: "<Collaboration {id}: '{name}', {#organizations} organization(s), {task_count} task(s)>",
		rows: table[queries.Collaboration]{
			defaults: queries.Collaboration{Encrypted: true},
			query:    filtered((*queries.Queries).FindCollaborations), held: (*core.Tx).HoldCollaboration,
			add: (*core.Tx).AddCollaboration, save: (*core.Tx).SaveCollaboration, removeByID: (*core.Tx).RemoveCollaboration,
		},
	}
}

// memberIDs makes a method that returns the ids of related objects.
func memberIDs(relation string) func(call) (starlark.Value, error) {
	return func(c call) (starlark.Value, error) {
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

// nodesOfOrganizations returns the collaboration's nodes of organizations with given ids.
func nodesOfOrganizations(c call) (starlark.Value, error) {
	var ids starlark.Iterable
	if err := c.unpack("ids", &ids); err != nil {
		return nil, err
	}
	var list []*object
	for e := range starlark.Elements(ids) {
		id, err := wholeNumber(e)
		if err != nil {
			return nil, err
		}
		found, err := c.find(c.models["Node"], filter{"collaboration_id": c.object.id(), "organization_id": id})
		if err != nil {
			return nil, err
		}
		list = append(list, found...)
	}
	return listOf(list), nil
}

// nodeOfOrganization returns the collaboration's node of an organization, or None.
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
