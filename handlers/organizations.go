package handlers

import (
	"encoding/base64"
	"net/http"

	"vserver/service/access"
	"vserver/service/core"
)

func (s *Server) organizationRoutes() []route {
	const all = access.User | access.Node | access.Container
	return []route{
		{method: "GET", path: "/organization", who: all, lasting: true, judges: core.ListsOrganizations, endpoint: requires[access.ViewOrganizations](s.handleListOrganizations)},
		{method: "POST", path: "/organization", who: access.User, once: true, judges: core.CreatesAnywhere, endpoint: requires[access.CreateOrganizations](s.handleCreateOrganization)},
		{method: "GET", path: "/organization/:id", who: all, lasting: true, judges: core.ViewsOrganization, endpoint: requires[access.ViewOrganizations](s.handleGetOrganization)},
		{method: "PATCH", path: "/organization/:id", who: access.User | access.Node, once: true, judges: core.ReachesOrganization, endpoint: requires[access.EditOrganizations](s.handleChangeOrganization)},
		{method: "GET", path: "/organization/:id/collaboration", who: access.User | access.Node, lasting: true, judges: core.ReachesOrganization, endpoint: requires[access.ViewCollaborations](s.handleListCollaborationsOfOrganization)},
		{method: "GET", path: "/organization/:id/node", who: access.User | access.Node, lasting: true, judges: core.ReachesOrganization, endpoint: requires[access.ViewNodes](s.handleListNodesOfOrganization)},
	}
}

// organizationJSON is an organization on the wire (/docs/organizations#object).
type organizationJSON struct {
	ID             int64   `json:"id"`
	Name           *string `json:"name"`
	Domain         *string `json:"domain"`
	Address1       *string `json:"address1"`
	Address2       *string `json:"address2"`
	Zipcode        *string `json:"zipcode"`
	Country        *string `json:"country"`
	PublicKey      string  `json:"public_key"` // base64, "" when there is none
	Collaborations []link  `json:"collaborations"`
	Nodes          []link  `json:"nodes"`
	Users          []link  `json:"users"`
	Results        []link  `json:"results"`
	Roles          []int64 `json:"roles"`
}

func (s *Server) organizationJSON(o core.Organization) organizationJSON {
	return organizationJSON{
		ID: o.ID, Name: o.Name, Domain: o.Domain, Address1: o.Address1, Address2: o.Address2,
		Zipcode: o.Zipcode, Country: o.Country, PublicKey: base64.StdEncoding.EncodeToString(o.PublicKey),
		Collaborations: s.links("collaboration", o.Collaborations), Nodes: s.links("node", o.Nodes),
		Users: s.links("user", o.Users), Results: s.links("result", o.Results), Roles: plain(o.Roles),
	}
}

func (s *Server) handleListOrganizations(k *call, g access.Grant[access.ViewOrganizations]) error {
	p, err := k.page()
	if err != nil {
		return err
	}
	f := k.filters()
	filter := core.OrganizationFilter{Name: f.text("name"), Country: f.text("country"), CollaborationID: f.id("collaboration_id")}
	if f.err() != nil {
		return f.err()
	}
	rows, total, err := s.core.Organizations(k.ctx, g, filter, p)
	if err != nil {
		return err
	}
	return list(k, p, each(rows, s.organizationJSON), total)
}

func (s *Server) handleGetOrganization(k *call, g access.Grant[access.ViewOrganizations]) error {
	o, err := s.core.Organization(k.ctx, g, k.id("id"))
	if err != nil {
		return err
	}
	results := o.Results
	o.Results = nil
	return k.replyLinked(s.organizationJSON(o), "results", "result", results)
}

func (s *Server) handleCreateOrganization(k *call, g access.Grant[access.CreateOrganizations]) error {
	b, err := k.body()
	if err != nil {
		return err
	}
	fields := organizationFields(b)
	if b.err() != nil {
		return b.err()
	}
	for _, f := range []struct {
		name string
		to   **string
	}{
		{"name", &fields.Name},
		{"domain", &fields.Domain},
		{"address1", &fields.Address1},
		{"zipcode", &fields.Zipcode},
		{"country", &fields.Country},
	} {
		if _, sent := b.fields[f.name]; !sent {
			*f.to = new(string) // absent is empty, an explicit null stays null
		}
	}
	o, err := s.core.CreateOrganization(k.ctx, g, fields)
	if err != nil {
		return err
	}
	return k.reply(http.StatusCreated, s.organizationJSON(o))
}

func (s *Server) handleChangeOrganization(k *call, g access.Grant[access.EditOrganizations]) error {
	o, err := s.core.ChangeOrganization(k.ctx, g, k.id("id"), sent(k.body, organizationFields))
	if err != nil {
		return err
	}
	return k.reply(http.StatusOK, s.organizationJSON(o))
}

// The lists below an organization are bare arrays without pages (/docs/wire#paging).

func (s *Server) handleListCollaborationsOfOrganization(k *call, g access.Grant[access.ViewCollaborations]) error {
	rows, err := s.core.CollaborationsOfOrganization(k.ctx, g, k.id("id"))
	if err != nil {
		return err
	}
	return k.reply(http.StatusOK, each(rows, s.collaborationJSON))
}

func (s *Server) handleListNodesOfOrganization(k *call, g access.Grant[access.ViewNodes]) error {
	rows, err := s.core.NodesOfOrganization(k.ctx, g, k.id("id"))
	if err != nil {
		return err
	}
	return k.reply(http.StatusOK, each(rows, s.nodeJSON))
}

func organizationFields(b *body) core.OrganizationFields {
	return core.OrganizationFields{
		Name: b.text("name", shortText), Address1: b.text("address1", shortText), Address2: b.text("address2", shortText),
		Zipcode: b.text("zipcode", shortText), Country: b.text("country", shortText),
		PublicKey: b.key("public_key"), Domain: b.text("domain", shortText),
	}
}

// key reads a public key (/docs/organizations#keys). Nil when absent or null, not nil and
// empty for the empty text, which clears the key.
func (b *body) key(field string) []byte {
	s := b.text(field, longText)
	if s == nil {
		return nil
	}
	key, err := core.ParsePublicKey(*s)
	if err != nil {
		b.refuse(field, "%s", err)
		return nil
	}
	return key
}
