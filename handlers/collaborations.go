package handlers

import (
	"encoding/json"
	"net/http"

	"vserver/service/access"
	"vserver/service/core"
)

func (s *Server) collaborationRoutes() []route {
	const all = access.User | access.Node | access.Container
	return []route{
		{method: "GET", path: "/collaboration", who: access.User, lasting: true, judges: core.ListsCollaborations, endpoint: requires[access.ViewCollaborations](s.handleListCollaborations)},
		{method: "POST", path: "/collaboration", who: access.User, once: true, judges: core.CreatesAnywhere, endpoint: requires[access.CreateCollaborations](s.handleCreateCollaboration)},
		{method: "GET", path: "/collaboration/:id", who: all, lasting: true, judges: core.ViewsCollaboration, endpoint: requires[access.ViewCollaborations](s.handleGetCollaboration)},
		{method: "PATCH", path: "/collaboration/:id", who: access.User, once: true, judges: core.ChangesCollaboration, endpoint: requires[access.EditCollaborations](s.handleChangeCollaboration)},
		{method: "DELETE", path: "/collaboration/:id", who: access.User, once: true, judges: core.ChangesCollaboration, endpoint: requires[access.DeleteCollaborations](s.handleDeleteCollaboration)},
		{method: "GET", path: "/collaboration/:id/organization", who: all, lasting: true, judges: core.ViewsMembers, endpoint: requires[access.ViewCollaborations](s.handleListMembers)},
		{method: "POST", path: "/collaboration/:id/organization", who: access.User, once: true, judges: core.ChangesCollaboration, endpoint: requires[access.EditCollaborations](s.handleAddMember)},
		{method: "DELETE", path: "/collaboration/:id/organization", who: access.User, once: true, judges: core.ChangesCollaboration, endpoint: requires[access.DeleteCollaborations](s.handleRemoveMember)},
		{method: "GET", path: "/collaboration/:id/node", who: access.User, lasting: true, judges: core.ViewsNodesOfCollaboration, endpoint: requires[access.ViewCollaborations](s.handleListNodesOfCollaboration)},
		{method: "POST", path: "/collaboration/:id/node", who: access.User, once: true, judges: core.ChangesCollaboration, endpoint: requires[access.EditCollaborations](s.handleMoveNode)},
		{method: "DELETE", path: "/collaboration/:id/node", who: access.User, once: true, judges: core.ChangesCollaboration, endpoint: requires[access.EditCollaborations](s.handleDetachNode)},
	}
}

// collaborationJSON is a collaboration on the wire (/docs/collaborations#object).
type collaborationJSON struct {
	ID            int64   `json:"id"`
	Name          *string `json:"name"`
	Encrypted     bool    `json:"encrypted"`
	Organizations []link  `json:"organizations"`
	Nodes         []link  `json:"nodes"`
	Tasks         []link  `json:"tasks"`
}

func (s *Server) collaborationJSON(c core.Collaboration) collaborationJSON {
	return collaborationJSON{
		ID: c.ID, Name: c.Name, Encrypted: c.Encrypted, Organizations: s.links("organization", c.Organizations),
		Nodes: s.links("node", c.Nodes), Tasks: s.links("task", c.Tasks),
	}
}

func (s *Server) handleListCollaborations(k *call, g access.Grant[access.ViewCollaborations]) error {
	p, err := k.page()
	if err != nil {
		return err
	}
	f := k.filters()
	filter := core.CollaborationFilter{
		Name: f.text("name"), Encrypted: f.boolean("encrypted"), OrganizationID: f.id("organization_id"),
	}
	if f.err() != nil {
		return f.err()
	}
	rows, total, err := s.core.Collaborations(k.ctx, g, filter, p)
	if err != nil {
		return err
	}
	return list(k, p, each(rows, s.collaborationJSON), total)
}

func (s *Server) handleCreateCollaboration(k *call, g access.Grant[access.CreateCollaborations]) error {
	b, err := k.parserBody()
	if err != nil {
		return err
	}
	fields := newCollaboration(b)
	if b.err() != nil {
		return b.err()
	}
	c, err := s.core.CreateCollaboration(k.ctx, g, fields)
	if err != nil {
		return err
	}
	return k.reply(http.StatusOK, s.collaborationJSON(c))
}

// newCollaboration reads what a new one needs (/docs/collaborations#create), in the
// order in which faults are reported.
func newCollaboration(b *body) core.CollaborationFields {
	b.needOr("name", textBlank)
	f := core.CollaborationFields{Name: b.name("name")}
	b.need("organization_ids")
	if f.OrganizationIDs = b.ids("organization_ids"); len(f.OrganizationIDs) == 0 {
		b.refuse("organization_ids", missingField)
	}
	if s := quoted(b.fields["encrypted"]); s != "" && !decimal(s) {
		b.refuse("encrypted", "invalid literal for int() with base 10: '%s'", s)
	}
	f.Encrypted = b.boolean("encrypted")
	return f
}

// textBlank is the reason for a missing name or collaboration
// (/docs/collaborations#create and /docs/nodes#create).
const textBlank = "This field cannot be left blank!"

// quoted returns the text of a JSON string, "" for any other value.
func quoted(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

func (s *Server) handleGetCollaboration(k *call, g access.Grant[access.ViewCollaborations]) error {
	c, err := s.core.Collaboration(k.ctx, g, k.id("id"))
	if err != nil {
		return err
	}
	tasks := c.Tasks
	c.Tasks = nil
	return k.replyLinked(s.collaborationJSON(c), "tasks", "task", tasks)
}

func (s *Server) handleChangeCollaboration(k *call, g access.Grant[access.EditCollaborations]) error {
	in := sent(k.body, func(b *body) core.CollaborationFields {
		return core.CollaborationFields{
			Name: b.text("name", shortText), Encrypted: b.boolean("encrypted"), OrganizationIDs: b.ids("organization_ids"),
		}
	})
	c, err := s.core.ChangeCollaboration(k.ctx, g, k.id("id"), in)
	if err != nil {
		return err
	}
	return k.reply(http.StatusOK, s.collaborationJSON(c))
}

func (s *Server) handleDeleteCollaboration(k *call, g access.Grant[access.DeleteCollaborations]) error {
	id := k.id("id")
	if err := s.core.DeleteCollaboration(k.ctx, g, id); err != nil {
		return err
	}
	return k.say("Collaboration id=%d successfully deleted", id)
}

func (s *Server) handleListMembers(k *call, g access.Grant[access.ViewCollaborations]) error {
	p, err := k.page()
	if err != nil {
		return err
	}
	rows, total, err := s.core.Members(k.ctx, g, k.id("id"), p)
	if err != nil {
		return err
	}
	return list(k, p, each(rows, s.organizationJSON), total)
}

// sentID reads the id that a body names.
func sentID(k *call) core.Sent[int64] {
	return sent(k.body, func(b *body) int64 {
		b.needOr("id", "is required")
		if id := b.integer("id"); id != nil {
			return *id
		}
		return 0
	})
}

func (s *Server) handleAddMember(k *call, g access.Grant[access.EditCollaborations]) error {
	rows, err := s.core.AddMember(k.ctx, g, k.id("id"), sentID(k))
	if err != nil {
		return err
	}
	return k.reply(http.StatusOK, each(rows, s.organizationJSON))
}

func (s *Server) handleRemoveMember(k *call, g access.Grant[access.DeleteCollaborations]) error {
	rows, err := s.core.RemoveMember(k.ctx, g, k.id("id"), sentID(k))
	if err != nil {
		return err
	}
	return k.reply(http.StatusOK, each(rows, s.organizationJSON))
}

func (s *Server) handleListNodesOfCollaboration(k *call, g access.Grant[access.ViewCollaborations]) error {
	p, err := k.page()
	if err != nil {
		return err
	}
	rows, total, err := s.core.NodesOfCollaboration(k.ctx, g, k.id("id"), p)
	if err != nil {
		return err
	}
	return list(k, p, each(rows, s.simpleNodeJSON), total)
}

func (s *Server) handleMoveNode(k *call, g access.Grant[access.EditCollaborations]) error {
	rows, err := s.core.MoveNode(k.ctx, g, k.id("id"), sentID(k))
	if err != nil {
		return err
	}
	return k.reply(http.StatusCreated, each(rows, s.simpleNodeJSON))
}

func (s *Server) handleDetachNode(k *call, g access.Grant[access.EditCollaborations]) error {
	id, in := k.id("id"), sentID(k)
	if err := s.core.DetachNode(k.ctx, g, id, in); err != nil {
		return err
	}
	return k.say("node id=%d removed from collaboration id=%d", in.Fields, id)
}
