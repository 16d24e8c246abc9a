package handlers

import (
	"net/http"
	"net/netip"

	"vserver/service/access"
	"vserver/service/core"
	"vserver/service/fault"
)

func (s *Server) nodeRoutes() []route {
	const all = access.User | access.Node | access.Container
	return []route{
		{method: "GET", path: "/node", who: access.User | access.Node, lasting: true, judges: core.ListsNodes, endpoint: requires[access.ViewNodes](s.handleListNodes)},
		{method: "POST", path: "/node", who: access.User, once: true, judges: core.CreatesForOrganization, endpoint: requires[access.CreateNodes](s.handleCreateNode)},
		{method: "GET", path: "/node/:id", who: all, lasting: true, judges: core.ViewsNode, endpoint: requires[access.ViewNodes](s.handleGetNode)},
		{method: "PATCH", path: "/node/:id", who: access.User | access.Node, once: true, judges: core.ChangesNode, endpoint: requires[access.EditNodes](s.handleChangeNode)},
		{method: "DELETE", path: "/node/:id", who: access.User, once: true, judges: core.ChangesNode, endpoint: requires[access.DeleteNodes](s.handleDeleteNode)},
		{method: "POST", path: "/recover/node", who: access.User, once: true, judges: core.CreatesForOrganization, endpoint: requires[access.EditNodes](s.handleResetAPIKey)},
	}
}

// nodeJSON is a node on the wire (/docs/nodes#object).
type nodeJSON struct {
	ID            int64         `json:"id"`
	Type          string        `json:"type"`
	Name          *string       `json:"name"`
	IP            *string       `json:"ip"`
	Status        *string       `json:"status"`
	LastSeen      *string       `json:"last_seen"`
	Organization  *link         `json:"organization"`
	Collaboration *link         `json:"collaboration"`
	Config        []settingJSON `json:"config"`
	APIKey        string        `json:"api_key,omitempty"` // only when it was made just now
	Client        *string       `json:"client,omitempty"`  // only when it was asked for
}

// settingJSON is one value of the configuration that a node shares.
type settingJSON struct {
	Key   *string `json:"key"`
	Value *string `json:"value"`
}

func (s *Server) nodeJSON(n core.Node) nodeJSON {
	config := make([]settingJSON, len(n.Config))
	for i, c := range n.Config {
		config[i] = settingJSON{c.Key, c.Value}
	}
	return nodeJSON{
		ID: n.ID, Type: access.Node.String(), Name: n.Name, IP: n.IP, Status: n.Status, LastSeen: moment(n.LastSeen),
		Organization: s.link("organization", n.OrganizationID), Collaboration: s.link("collaboration", n.CollaborationID),
		Config: config,
	}
}

// simpleNodeJSON is a node as it is listed within a collaboration.
type simpleNodeJSON struct {
	ID           int64   `json:"id"`
	Name         *string `json:"name"`
	IP           *string `json:"ip"`
	Status       *string `json:"status"`
	LastSeen     *string `json:"last_seen"`
	Organization *link   `json:"organization"`
	Config       []int64 `json:"config"`
}

func (s *Server) simpleNodeJSON(n core.Node) simpleNodeJSON {
	config := make([]int64, len(n.Config))
	for i, c := range n.Config {
		config[i] = c.ID
	}
	return simpleNodeJSON{
		ID: n.ID, Name: n.Name, IP: n.IP, Status: n.Status, LastSeen: moment(n.LastSeen),
		Organization: s.link("organization", n.OrganizationID), Config: config,
	}
}

func (s *Server) handleListNodes(k *call, g access.Grant[access.ViewNodes]) error {
	p, err := k.page()
	if err != nil {
		return err
	}
	f := k.filters()
	filter := core.NodeFilter{
		Name: f.text("name"), OrganizationID: f.id("organization_id"), CollaborationID: f.id("collaboration_id"),
		Status: f.text("status"), IP: f.text("ip"), SeenFrom: f.moment("last_seen_from"), SeenTill: f.moment("last_seen_till"),
	}
	if f.err() != nil {
		return f.err()
	}
	rows, total, err := s.core.Nodes(k.ctx, g, filter, p)
	if err != nil {
		return err
	}
	return list(k, p, each(rows, s.nodeWire(k)), total)
}

// nodeWire is nodeJSON with what was asked for beside (/docs/nodes#client).
func (s *Server) nodeWire(k *call) func(core.Node) nodeJSON {
	if !k.includes("client") {
		return s.nodeJSON
	}
	return func(n core.Node) nodeJSON {
		j := s.nodeJSON(n)
		j.Client = n.Client
		return j
	}
}

func (s *Server) handleCreateNode(k *call, g access.Grant[access.CreateNodes]) error {
	b, err := k.parserBody()
	if err != nil {
		return err
	}
	collaboration, err := b.whole(b.fields["collaboration_id"])
	if err != nil {
		b.refuse("collaboration_id", textBlank)
	}
	fields := core.NodeFields{
		CollaborationID: &collaboration, OrganizationID: b.integer("organization_id"), Name: b.name("name"),
	}
	if b.err() != nil {
		return b.err()
	}
	n, key, err := s.core.CreateNode(k.ctx, g, fields)
	if err != nil {
		return err
	}
	j := s.nodeJSON(n)
	j.APIKey = key
	return k.replySecret(http.StatusCreated, j)
}

func (s *Server) handleGetNode(k *call, g access.Grant[access.ViewNodes]) error {
	n, err := s.core.Node(k.ctx, g, k.id("id"))
	if err != nil {
		return err
	}
	return k.reply(http.StatusOK, s.nodeWire(k)(n))
}

func (s *Server) handleChangeNode(k *call, g access.Grant[access.EditNodes]) error {
	n, err := s.core.ChangeNode(k.ctx, g, k.id("id"), sent(k.body, nodeFields))
	if err != nil {
		return err
	}
	return k.reply(http.StatusOK, s.nodeJSON(n))
}

func nodeFields(b *body) core.NodeFields {
	clearIP := b.boolean("clear_ip")
	return core.NodeFields{
		Name: b.text("name", shortText), OrganizationID: b.integer("organization_id"), CollaborationID: b.integer("collaboration_id"),
		IP: b.address("ip"), ClearIP: clearIP != nil && *clearIP,
	}
}

// address reads an IPv4 or IPv6 address; nil when absent, null or empty.
func (b *body) address(field string) *string {
	s := b.text(field, shortText)
	if s == nil || *s == "" {
		return nil
	}
	if a, err := netip.ParseAddr(*s); err != nil || a.Zone() != "" {
		b.refuse(field, "has to be an IPv4 or IPv6 address")
		return nil
	}
	return s
}

func (s *Server) handleDeleteNode(k *call, g access.Grant[access.DeleteNodes]) error {
	id := k.id("id")
	if err := s.core.DeleteNode(k.ctx, g, id); err != nil {
		return err
	}
	return k.say("Successfully deleted node id=%d", id)
}

func (s *Server) handleResetAPIKey(k *call, g access.Grant[access.EditNodes]) error {
	b, err := k.tokenBody()
	if err != nil {
		return err
	}
	id := b.integer("id")
	if b.err() != nil {
		return b.err()
	}
	if id == nil || *id == 0 {
		return fault.New(fault.Invalid, "ID missing in JSON body")
	}
	key, err := s.core.ResetAPIKey(k.ctx, g, *id)
	if err != nil {
		return err
	}
	return k.replySecret(http.StatusOK, map[string]string{"api_key": key})
}
