package core

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"vserver/queries"
	"vserver/service/fault"
)

// NodesOnline counts the nodes that are online, for the operator.
func (c *Core) NodesOnline(ctx context.Context) (int64, error) {
	online := "online"
	n, err := c.db.Count(ctx, queries.ListNodes, queries.ListNodesParams{Status: &online})
	if err != nil {
		return 0, fmt.Errorf("counting the nodes that are online: %w", err)
	}
	return n, nil
}

// NodeKey is a node with an API key that was made this moment.
type NodeKey struct {
	NodeID       int64
	Organization string
	Reset        bool // the node was there, and its former key works no longer
	APIKey       string
}

// NodeKeys makes a new API key for the node of each organization of a collaboration, for
// those who hold the database itself and judge no permission. Nodes that exist keep
// all but their key, tokens and connections. Nothing is changed unless save, which is
// told of the keys and whether the collaboration is encrypted, succeeds.
func (c *Core) NodeKeys(ctx context.Context, collaboration string, save func(keys []NodeKey, encrypted bool) error) error {
	err := c.transact(ctx, func(ctx context.Context, t *Tx) error {
		row, err := collaborationNamed(ctx, t, collaboration)
		if err != nil {
			return err
		}
		members, err := t.OrganizationsOfCollaborations(ctx, idSet([]int64{row.ID}))
		if err != nil {
			return err
		}
		var keys []NodeKey
		for _, m := range members {
			key, err := keyOfMember(ctx, t, row, m.ID)
			if err != nil {
				return err
			}
			keys = append(keys, key)
		}
		t.rightsChanged()
		if err := save(keys, row.Encrypted); err != nil {
			return err
		}
		return t.CountChange(ctx)
	})
	if err != nil {
		return fmt.Errorf("making keys for the nodes: %w", err)
	}
	return nil
}

// collaborationNamed finds a collaboration by exactly its name.
func collaborationNamed(ctx context.Context, t *Tx, name string) (queries.Collaboration, error) {
	rows, err := t.ListCollaborations(ctx, queries.ListCollaborationsParams{Lim: Page{}.limit()})
	if err != nil {
		return queries.Collaboration{}, err
	}
	for _, row := range rows {
		if value(row.Name) == name {
			return lockCollaboration(ctx, t, row.ID, "collaboration id=%d does not exist")
		}
	}
	return queries.Collaboration{}, fault.New(fault.Missing, "there is no collaboration %s", name)
}

// keyOfMember makes a node, or sets a new key for the one that exists.
func keyOfMember(ctx context.Context, t *Tx, collaboration queries.Collaboration, member int64) (NodeKey, error) {
	organization, err := t.GetOrganization(ctx, member)
	if err != nil {
		return NodeKey{}, err
	}
	made := NodeKey{Organization: value(organization.Name), APIKey: uuid.NewString()}
	digest := t.core.DigestAPIKey(made.APIKey)
	made.NodeID, err = t.NodeOf(ctx, &member, &collaboration.ID)
	if err == nil {
		made.Reset = true
		return made, t.renewKey(ctx, made.NodeID, digest)
	}
	if !queries.Missing(err) {
		return made, err
	}
	name := made.Organization + " - " + value(collaboration.Name) + " Node"
	n := queries.Node{Name: &name, ApiKey: &digest, CollaborationID: &collaboration.ID, OrganizationID: &member}
	err = t.AddNodes(ctx, &n)
	made.NodeID = n.ID
	return made, err
}

func (t *Tx) renewKey(ctx context.Context, node int64, digest string) error {
	n, err := t.HoldNode(ctx, node)
	if err != nil {
		return err
	}
	n.ApiKey = &digest
	return firstError(t.SaveNode(ctx, n), t.KeySet(ctx, node))
}
