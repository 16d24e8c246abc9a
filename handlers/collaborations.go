package handlers

import (
	"encoding/json"
	"net/http"

	"vserver/service/access"
	"vserver/service/core"
)

func (s *Server) collaborationRoutes() []route {
	const all = access.User | access.Node | access.Container
	const noun = access.Collaborations
	return []route{
		{method: "GET", path: "/collaboration", who: access.User, resource: noun, operation: access.View, handle: s.listCollaborations},
		{method: "POST", path: "/collaboration", who: access.User, resource: noun, operation: access.Create, handle: s.createCollaboration},
		{method: "GET", path: "/collaboration/:id", who: all, resource: noun, operation: access.View, handle: s.getCollaboration},
		{method: "PATCH", path: "/collaboration/:id", who: access.User, resource: noun, operation: access.Edit, handle: s.changeCollaboration},
		{method: "DELETE", path: "/collaboration/:id", who: access.User, resource: noun, operation: access.Delete, handle: s.deleteCollaboration},
		{method: "GET", path: "/collaboration/:id/organization", who: all, resource: noun, operation: access.View, handle: s.listMembers},
		{method: "POST", path: "/collaboration/:id/organization", who: access.User, resource: noun, operation: access.Edit, handle: s.addMember},
		{method: "DELETE", path: "/collaboration/:id/organization", who: access.User, resource: noun, operation: access.Delete, handle: s.removeMember},
		{method: "GET", path: "/collaboration/:id/node", who: access.User, resource: noun, operation: access.View, handle: s.listNodesOfCollaboration},
		{method: "POST", path: "/collaboration/:id/node", who: access.User, resource: noun, operation: access.Edit, handle: s.moveNode},
		{method: "DELETE", path: "/collaboration/:id/node", who: access.User, resource: noun, operation: access.Edit, handle: s.detachNode},
	}
}

// collaborationJSON is a collaboration on the wire, contract 20 §2.3.
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

func (s *Server) listCollaborations(k *call) error {
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
	rows, total, err := s.core.Collaborations(k.ctx, k.grant, filter, p)
	if err != nil {
		return err
	}
	return list(k, p, each(rows, s.collaborationJSON), total)
}

func (s *Server) createCollaboration(k *call) error {
	b, err := k.parserBody()
	if err != nil {
		return err
	}
	fields := newCollaboration(b)
	if b.err() != nil {
		return b.err()
	}
	c, err := s.core.CreateCollaboration(k.ctx, k.grant, fields)
	if err != nil {
		return err
	}
	return k.reply(http.StatusOK, s.collaborationJSON(c))
}

// newCollaboration reads what a new one needs, contract 20 §5.2, in the order in which
// faults are reported.
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

// textBlank is the reason for a missing name or collaboration, contract 20 §5.2 and
// §6.2.
const textBlank = "This field cannot be left blank!"

// quoted gives the text of a JSON string, "" for any other value.
func quoted(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

func (s *Server) getCollaboration(k *call) error {
	c, err := s.core.Collaboration(k.ctx, k.grant, k.id("id"))
	if err != nil {
		return err
	}
	return k.reply(http.StatusOK, s.collaborationJSON(c))
}

func (s *Server) changeCollaboration(k *call) error {
	in := sent(k.body, func(b *body) core.CollaborationFields {
		return core.CollaborationFields{
			Name: b.text("name", shortText), Encrypted: b.boolean("encrypted"), OrganizationIDs: b.ids("organization_ids"),
		}
	})
	c, err := s.core.ChangeCollaboration(k.ctx, k.grant, k.id("id"), in)
	if err != nil {
		return err
	}
	return k.reply(http.StatusOK, s.collaborationJSON(c))
}

func (s *Server) deleteCollaboration(k *call) error {
	id := k.id("id")
	if err := s.core.DeleteCollaboration(k.ctx, k.grant, id); err != nil {
		return err
	}
	return k.say("Collaboration id=%d successfully deleted", id)
}

func (s *Server) listMembers(k *call) error {
	p, err := k.page()
	if err != nil {
		return err
	}
	rows, total, err := s.core.Members(k.ctx, k.grant, k.id("id"), p)
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

func (s *Server) addMember(k *call) error {
	rows, err := s.core.AddMember(k.ctx, k.grant, k.id("id"), sentID(k))
	if err != nil {
		return err
	}
	return k.reply(http.StatusOK, each(rows, s.organizationJSON))
}

func (s *Server) removeMember(k *call) error {
	rows, err := s.core.RemoveMember(k.ctx, k.grant, k.id("id"), sentID(k))
	if err != nil {
		return err
	}
	return k.reply(http.StatusOK, each(rows, s.organizationJSON))
}

func (s *Server) listNodesOfCollaboration(k *call) error {
	p, err := k.page()
	if err != nil {
		return err
	}
	rows, total, err := s.core.NodesOfCollaboration(k.ctx, k.grant, k.id("id"), p)
	if err != nil {
		return err
	}
	return list(k, p, each(rows, s.simpleNodeJSON), total)
}

func (s *Server) moveNode(k *call) error {
	rows, err := s.core.MoveNode(k.ctx, k.grant, k.id("id"), sentID(k))
	if err != nil {
		return err
	}
	return k.reply(http.StatusCreated, each(rows, s.simpleNodeJSON))
}

func (s *Server) detachNode(k *call) error {
	id, in := k.id("id"), sentID(k)
	if err := s.core.DetachNode(k.ctx, k.grant, id, in); err != nil {
		return err
	}
	return k.say("node id=%d removed from collaboration id=%d", in.Fields, id)
}
