package core

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/google/uuid"

	"vserver/queries"
	"vserver/service/access"
	"vserver/service/fault"
)

// Node is a node with its presence and the configuration it shares.
type Node struct {
	ID                              int64
	Name, IP                        *string
	Client                          *string // what it said it was when it logged in last
	Status                          *string // "online" or "offline", nil before the first connection
	LastSeen                        *time.Time
	OrganizationID, CollaborationID *int64
	Config                          []queries.NodeConfig
}

// NodeFilter narrows a list; nil narrows nothing.
type NodeFilter struct {
	Name                            *string // LIKE
	OrganizationID, CollaborationID *int64
	Status, IP                      *string
	SeenFrom, SeenTill              *time.Time // bounds included
}

// NodeFields are what can be written; nil and the id 0 leave the stored value as it
// is.
type NodeFields struct {
	Name                            *string
	OrganizationID, CollaborationID *int64
	IP                              *string // of the VPN
	ClearIP                         bool    // without IP: forget it
}

// Nodes lists those that the caller may see (/docs/nodes#list), and how many there are
// in all.
func (c *Core) Nodes(ctx context.Context, g access.Grant[access.ViewNodes], f NodeFilter, p Page) ([]Node, int64, error) {
	sight, err := c.boundsOfNodes(ctx, g)
	if err != nil {
		return nil, 0, err
	}
	arg := queries.ListNodesParams{
		Name: like(f.Name), OrganizationID: f.OrganizationID, CollaborationID: f.CollaborationID,
		Status: f.Status, IP: f.IP, SeenFrom: storedTime(f.SeenFrom), SeenTill: storedTime(f.SeenTill),
		OnlyID: sight.OnlyID, OwnedBy: sight.OwnerID, Lim: p.limit(), Off: p.offset(),
	}
	rows, total, err := pageOf(ctx, c, p, queries.ListNodes, arg, c.db.ListNodes)
	if err != nil {
		return nil, 0, fmt.Errorf("listing nodes: %w", err)
	}
	list, err := c.wholeNodes(ctx, rows)
	return list, total, err
}

// storedTime returns a moment in the form that queries take.
func storedTime(t *time.Time) *queries.Time {
	if t == nil {
		return nil
	}
	q := queries.At(*t)
	return &q
}

// boundsOfNodes bounds the nodes that a caller may view. Those of a node depend on whether
// its organization is still a member of its collaboration.
func (c *Core) boundsOfNodes(ctx context.Context, g access.AnyGrant) (access.NodeSight, error) {
	a, member := g.Actor(), false
	if a.Kind == access.Node {
		var err error
		if member, err = c.db.IsMember(ctx, a.OrganizationID, a.CollaborationID); err != nil {
			return access.NodeSight{}, fmt.Errorf("looking for a member: %w", err)
		}
	}
	return g.NodeSight(member)
}

// NodesOfOrganization lists the nodes of an organization (/docs/organizations#nodes).
func (c *Core) NodesOfOrganization(ctx context.Context, g access.Grant[access.ViewNodes], id int64) ([]Node, error) {
	if err := c.mustReachOrganization(ctx, g, id); err != nil {
		return nil, err
	}
	list, _, err := c.Nodes(ctx, g, NodeFilter{OrganizationID: &id}, Page{})
	return list, err
}

// Node returns one (/docs/nodes#get).
func (c *Core) Node(ctx context.Context, g access.Grant[access.ViewNodes], id int64) (Node, error) {
	row, err := c.db.GetNode(ctx, id)
	if queries.Missing(err) {
		return Node{}, fault.New(fault.Missing, "Node id=%d is not found!", id)
	}
	if err != nil {
		return Node{}, fmt.Errorf("reading a node: %w", err)
	}
	sight, err := c.boundsOfNodes(ctx, g)
	if err != nil {
		return Node{}, err
	}
	if !sight.Covers(row.ID, row.OrganizationID) {
		return Node{}, fault.Deny()
	}
	return c.wholeNode(ctx, row)
}

// CreateNode makes a node and gives it with its API key (/docs/nodes#create). Of the
// key only a digest is stored.
func (c *Core) CreateNode(ctx context.Context, g access.Grant[access.CreateNodes], f NodeFields) (Node, string, error) {
	key := uuid.NewString()
	digest := c.DigestAPIKey(key)
	var made queries.Node
	var row queries.GetNodeRow
	err := c.once(ctx, func(ctx context.Context, t *Tx) error {
		collaboration, err := lockCollaboration(ctx, t, value(f.CollaborationID), "collaboration id=%d does not exist")
		if err != nil {
			return err
		}
		organization, err := ownerOfNew(ctx, t, g, f.OrganizationID, collaboration.ID)
		if err != nil {
			return err
		}
		if value(f.Name) == "" {
			name := value(organization.Name) + " - " + value(collaboration.Name) + " Node"
			f.Name = &name
		}
		made = queries.Node{Name: f.Name, ApiKey: &digest, CollaborationID: &collaboration.ID, OrganizationID: &organization.ID}
		if err := t.AddNodes(ctx, &made); err != nil {
			return err
		}
		if err := t.noteNode(ctx, eventNodeCreated, made.ID); err != nil {
			return err
		}
		row, err = t.GetNode(ctx, made.ID)
		return err
	}, &row, &key)
	if queries.Taken(err) {
		return Node{}, "", hasNode(made.OrganizationID, value(made.CollaborationID))
	}
	if err != nil {
		return Node{}, "", fmt.Errorf("creating a node: %w", err)
	}
	n, err := c.wholeNode(ctx, row)
	return n, key, err
}

// ownerOfNew finds the organization that a new node is for, the caller's own when none
// is asked for, and judges the caller: rules 2 to 4 of /docs/nodes#create.
func ownerOfNew(ctx context.Context, t *Tx, g access.Grant[access.CreateNodes], asked *int64, collaboration int64) (queries.Organization, error) {
	own := g.Actor().OrganizationID
	id := own
	if asked != nil {
		id = *asked
	}
	if !g.Has(access.Global) && !(g.Has(access.Organization) && id == own) {
		return queries.Organization{}, fault.Deny()
	}
	member, err := t.IsMember(ctx, id, collaboration)
	if err != nil {
		return queries.Organization{}, err
	}
	if !member {
		if asked == nil && !g.Has(access.Global) && own != 0 {
			asked = &own
		}
		return queries.Organization{}, notMember(asked, collaboration)
	}
	if err := mayGetNode(ctx, t, &id, collaboration); err != nil {
		return queries.Organization{}, err
	}
	return t.GetOrganization(ctx, id)
}

// printedID is an id as the reference prints it; there may be none.
func printedID(id *int64) string {
	if id == nil {
		return "None"
	}
	return strconv.FormatInt(*id, 10)
}

// lockNode returns a node and keeps it unchanged by others until the transaction ends.
// The text is that of the missing row.
func lockNode(ctx context.Context, t *Tx, id int64, missing string) (queries.Node, error) {
	n, err := t.HoldNode(ctx, id)
	if queries.Missing(err) {
		return n, fault.New(fault.Missing, missing, id)
	}
	return n, err
}

// nodeToChange returns a node that the caller may change, as lockNode does.
func nodeToChange(ctx context.Context, t *Tx, g access.AnyGrant, id int64, missing string) (queries.Node, error) {
	n, err := lockNode(ctx, t, id, missing)
	if err == nil && !g.CoversNode(n.ID, n.OrganizationID) {
		return n, fault.Deny()
	}
	return n, err
}

// DeleteNode removes a node with its account and configuration (/docs/nodes#delete).
// Its results stay.
func (c *Core) DeleteNode(ctx context.Context, g access.Grant[access.DeleteNodes], id int64) error {
	err := c.once(ctx, func(ctx context.Context, t *Tx) error {
		n, err := nodeToChange(ctx, t, g, id, "Node id=%d not found")
		if err != nil {
			return err
		}
		return firstError(t.RemoveAccounts(ctx, id), t.noteDeleted(ctx, queries.InsertDeletionEventParams{
			Type: eventNodeDeleted, Name: n.Name, InCollaboration: n.CollaborationID, OfOrganization: n.OrganizationID,
		}))
	})
	if err != nil {
		return fmt.Errorf("deleting a node: %w", err)
	}
	return nil
}

// ResetAPIKey makes a new API key for a node (/docs/nodes#reset-key). The old key, all
// tokens and the connections of the node end (/docs/security#t03).
func (c *Core) ResetAPIKey(ctx context.Context, g access.Grant[access.EditNodes], id int64) (string, error) {
	key := uuid.NewString()
	digest := c.DigestAPIKey(key)
	err := c.once(ctx, func(ctx context.Context, t *Tx) error {
		n, err := nodeToChange(ctx, t, g, id, "Node id=%d is not found!")
		if err != nil {
			return err
		}
		n.ApiKey = &digest
		return firstError(t.SaveNode(ctx, n), t.KeySet(ctx, id), t.noteNode(ctx, eventNodeKeyReset, id))
	}, &key)
	if err != nil {
		return "", fmt.Errorf("resetting an API key: %w", err)
	}
	return key, nil
}

func (c *Core) wholeNode(ctx context.Context, row queries.GetNodeRow) (Node, error) {
	list, err := c.wholeNodes(ctx, []queries.ListNodesRow{queries.ListNodesRow(row)})
	if err != nil {
		return Node{}, err
	}
	return list[0], nil
}

// wholeNodes adds what the nodes share of their configuration.
func (c *Core) wholeNodes(ctx context.Context, rows []queries.ListNodesRow) ([]Node, error) {
	var ids []int64
	for _, r := range rows {
		if r.Configured {
			ids = append(ids, r.ID)
		}
	}
	var shared []queries.NodeConfig
	if len(ids) > 0 {
		var err error
		if shared, err = c.db.ConfigOfNodes(ctx, idSet(ids)); err != nil {
			return nil, fmt.Errorf("reading the configuration of nodes: %w", err)
		}
	}
	config := map[int64][]queries.NodeConfig{}
	for _, s := range shared {
		config[s.NodeID] = append(config[s.NodeID], s)
	}
	list := make([]Node, len(rows))
	for i, r := range rows {
		list[i] = Node{
			ID: r.ID, Name: r.Name, IP: r.IP, Client: r.Client, Status: r.Status, OrganizationID: r.OrganizationID,
			CollaborationID: r.CollaborationID, Config: config[r.ID],
		}
		if r.LastSeen != nil {
			list[i].LastSeen = &r.LastSeen.Time
		}
	}
	return list, nil
}

// AddNodes stores new nodes with their accounts.
func (t *Tx) AddNodes(ctx context.Context, nodes ...*queries.Node) error {
	ids, err := t.addAccounts(ctx, access.Node, len(nodes))
	if err != nil {
		return err
	}
	list := make(map[int64]*queries.Node, len(nodes))
	for i, n := range nodes {
		n.ID = ids[i]
		list[n.ID] = n
	}
	return t.InsertNodes(ctx, string(mustJSON(list)))
}

// SaveNode writes a node. A new key has to be announced to KeySet beside.
func (t *Tx) SaveNode(ctx context.Context, n queries.Node) error {
	t.rightsChanged() // name and place are kept with the rights
	return t.UpdateNode(ctx, queries.UpdateNodeParams{
		Name: n.Name, ApiKey: n.ApiKey, CollaborationID: n.CollaborationID, OrganizationID: n.OrganizationID, ID: n.ID,
	})
}

// KeySet ends all tokens and connections of a node whose API key is a new one (/docs/security#t03).
func (t *Tx) KeySet(ctx context.Context, node int64) error {
	t.closeSockets(node)
	return t.RevokeAllTokens(ctx, node)
}

// AddNodeConfig stores a value of what a node shares of its configuration.
func (t *Tx) AddNodeConfig(ctx context.Context, c *queries.NodeConfig) (err error) {
	c.ID, err = t.InsertNodeConfig(ctx, queries.InsertNodeConfigParams{NodeID: c.NodeID, Key: c.Key, Value: c.Value})
	return err
}

// SaveNodeConfig writes a value of what a node shares of its configuration.
func (t *Tx) SaveNodeConfig(ctx context.Context, c queries.NodeConfig) error {
	return t.UpdateNodeConfig(ctx, queries.UpdateNodeConfigParams{NodeID: c.NodeID, Key: c.Key, Value: c.Value, ID: c.ID})
}

// RemoveNodeConfig deletes a value of what a node shares of its configuration.
func (t *Tx) RemoveNodeConfig(ctx context.Context, id int64) error {
	return t.DeleteNodeConfig(ctx, nil, &id)
}
