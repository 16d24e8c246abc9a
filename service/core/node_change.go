package core

import (
	"context"
	"fmt"

	"vserver/queries"
	"vserver/service/access"
	"vserver/service/fault"
)

// NodesOfCollaboration lists the nodes of a collaboration that the caller may see by
// themselves (/docs/collaborations#nodes) and /docs/security#t07.
func (c *Core) NodesOfCollaboration(ctx context.Context, g access.Grant[access.ViewCollaborations], id int64, p Page) ([]Node, int64, error) {
	if _, err := c.visibleCollaboration(ctx, g, id, "collaboration id=%d can not be found"); err != nil {
		return nil, 0, err
	}
	return c.Nodes(ctx, access.Embedded[access.ViewNodes](g), NodeFilter{CollaborationID: &id}, p)
}

// visibleNodes is what a change of the nodes answers with: who may see no node sees
// an empty list, the change is done.
func (c *Core) visibleNodes(ctx context.Context, g access.AnyGrant, id int64) ([]Node, error) {
	list, _, err := c.Nodes(ctx, access.Embedded[access.ViewNodes](g), NodeFilter{CollaborationID: &id}, Page{})
	if fault.Is(err, fault.Denied) {
		return nil, nil
	}
	return list, err
}

// MoveNode brings a node into a collaboration, out of the one it was in
// (/docs/collaborations#move-node), and returns the nodes there. A node that moved has to
// log in again.
func (c *Core) MoveNode(ctx context.Context, g access.Grant[access.EditCollaborations], id int64, in Sent[int64]) ([]Node, error) {
	var n queries.Node
	err := c.once(ctx, func(ctx context.Context, t *Tx) (err error) {
		if n, err = nodeToPlace(ctx, t, g, id, in); err != nil {
			return err
		}
		if n.CollaborationID != nil && *n.CollaborationID == id {
			return fault.New(fault.Invalid, "node id=%d is already in collaboration id=%d", n.ID, id)
		}
		if err := mayGetNode(ctx, t, n.OrganizationID, id); err != nil {
			return err
		}
		t.closeSockets(n.ID)
		n.CollaborationID = &id
		return firstError(t.SaveNode(ctx, n), t.noteNode(ctx, eventNodeChanged, n.ID))
	})
	if queries.Taken(err) {
		return nil, hasNode(n.OrganizationID, id)
	}
	if err != nil {
		return nil, fmt.Errorf("moving a node: %w", err)
	}
	return c.visibleNodes(ctx, g, id)
}

// nodeToPlace does the checks that bringing a node into a collaboration and taking it
// out have in common.
func nodeToPlace(ctx context.Context, t *Tx, g access.Grant[access.EditCollaborations], id int64, in Sent[int64]) (queries.Node, error) {
	var n queries.Node
	if _, err := lockCollaboration(ctx, t, id, noCollaborationToChange); err != nil {
		return n, err
	}
	if !g.Has(access.Global) {
		return n, fault.Deny()
	}
	if in.Fault != nil {
		return n, in.Fault
	}
	return lockNode(ctx, t, in.Fields, "node id=%d not found")
}

// mayGetNode reports whether an organization may get a node in a collaboration: it is
// a member and has none yet, rules 3 and 4 of /docs/nodes#create.
func mayGetNode(ctx context.Context, t *Tx, organization *int64, collaboration int64) error {
	member, err := isMember(ctx, t, organization, collaboration)
	if err != nil {
		return err
	}
	if !member {
		return notMember(organization, collaboration)
	}
	_, err = t.NodeOf(ctx, organization, &collaboration)
	if err == nil {
		return hasNode(organization, collaboration)
	}
	if queries.Missing(err) {
		return nil
	}
	return err
}

func isMember(ctx context.Context, t *Tx, organization *int64, collaboration int64) (bool, error) {
	if organization == nil {
		return false, nil
	}
	return t.IsMember(ctx, *organization, collaboration)
}

func notMember(organization *int64, collaboration int64) error {
	return fault.New(fault.Invalid, "The organization id=%s is not part of collabotation id=%d. Add it first!",
		printedID(organization), collaboration)
}

func hasNode(organization *int64, collaboration int64) error {
	return fault.New(fault.Invalid, "Organization id=%s already has a node for collaboration id=%d",
		printedID(organization), collaboration)
}

// DetachNode takes a node out of a collaboration (/docs/collaborations#detach-node). It
// keeps its key but has access to nothing until it is placed again.
func (c *Core) DetachNode(ctx context.Context, g access.Grant[access.EditCollaborations], id int64, in Sent[int64]) error {
	err := c.once(ctx, func(ctx context.Context, t *Tx) error {
		n, err := nodeToPlace(ctx, t, g, id, in)
		if err != nil {
			return err
		}
		if value(n.CollaborationID) != id {
			return fault.New(fault.Invalid, "node id=%d is not part of collaboration id=%d", n.ID, id)
		}
		n.CollaborationID = nil
		t.closeSockets(n.ID)
		return firstError(t.SaveNode(ctx, n), t.noteNode(ctx, eventNodeChanged, n.ID))
	})
	if err != nil {
		return fmt.Errorf("detaching a node: %w", err)
	}
	return nil
}

// ChangeNode writes the fields that are given (/docs/nodes#change). A node that went to
// another organization or collaboration has to log in again.
func (c *Core) ChangeNode(ctx context.Context, g access.Grant[access.EditNodes], id int64, in Sent[NodeFields]) (Node, error) {
	var n queries.Node
	var row queries.GetNodeRow
	err := c.once(ctx, func(ctx context.Context, t *Tx) (err error) {
		if n, err = nodeToChange(ctx, t, g, id, "Node id=%d not found!"); err != nil {
			return err
		}
		if err := firstError(in.Fault, checkNewName("name", n.Name, in.Fields.Name)); err != nil {
			return err
		}
		if err := writeNode(ctx, t, g, &n, in.Fields); err != nil {
			return err
		}
		if g.Actor().Kind == access.User { // nodes write their address of the VPN at each start
			err = t.noteNode(ctx, eventNodeChanged, id)
		}
		if err != nil {
			return err
		}
		row, err = t.GetNode(ctx, id)
		return err
	}, &row)
	if queries.Taken(err) {
		return Node{}, placeTaken(n)
	}
	if err != nil {
		return Node{}, fmt.Errorf("changing a node: %w", err)
	}
	return c.wholeNode(ctx, row)
}

// writeNode leaves in n where the node goes.
func writeNode(ctx context.Context, t *Tx, g access.Grant[access.EditNodes], n *queries.Node, f NodeFields) error {
	moved, err := destination(ctx, t, g, n, f)
	if err != nil {
		return err
	}
	if moved {
		t.closeSockets(n.ID)
	}
	put(&n.Name, f.Name)
	if err := t.SaveNode(ctx, *n); err != nil || value(f.IP) == "" && !f.ClearIP {
		return err
	}
	account, err := t.HoldAccount(ctx, n.ID)
	if err != nil {
		return err
	}
	account.IP = f.IP
	if value(f.IP) == "" {
		account.IP = nil
	}
	return t.SaveAccount(ctx, account)
}

// destination puts the wanted organization and collaboration into n and reports whether
// they differ from the present ones: /docs/nodes#change.
func destination(ctx context.Context, t *Tx, g access.Grant[access.EditNodes], n *queries.Node, f NodeFields) (bool, error) {
	toOrganization, toCollaboration := differs(f.OrganizationID, n.OrganizationID), differs(f.CollaborationID, n.CollaborationID)
	switch {
	case !toOrganization && !toCollaboration:
		return false, nil
	case !g.MayMoveNode(toOrganization):
		return false, fault.Deny()
	}
	if toOrganization {
		n.OrganizationID = f.OrganizationID
		_, err := t.GetOrganization(ctx, *n.OrganizationID)
		if queries.Missing(err) {
			return false, fault.New(fault.Missing, "Organization id=%d not found!", *n.OrganizationID)
		}
		if err != nil {
			return false, err
		}
	}
	if toCollaboration {
		n.CollaborationID = f.CollaborationID
	}
	if n.CollaborationID == nil {
		return true, nil
	}
	if _, err := lockCollaboration(ctx, t, *n.CollaborationID, "collaboration id=%dnot found!"); err != nil {
		return false, err
	}
	return true, placeFree(ctx, t, *n)
}

// nonZero takes the id 0 for none.
func nonZero(id *int64) *int64 {
	if value(id) == 0 {
		return nil
	}
	return id
}

// differs reports whether an id is given that is not the present one.
func differs(want, has *int64) bool {
	return nonZero(want) != nil && (has == nil || *has != *want)
}

// placeFree reports whether the organization in n may have its node in the collaboration
// in n.
func placeFree(ctx context.Context, t *Tx, n queries.Node) error {
	member, err := isMember(ctx, t, n.OrganizationID, *n.CollaborationID)
	if err != nil {
		return err
	}
	if !member {
		return fault.New(fault.Invalid, "Organization id=%s of this node is not part of this collaboration id=%d",
			printedID(n.OrganizationID), *n.CollaborationID)
	}
	_, err = t.NodeOf(ctx, n.OrganizationID, n.CollaborationID)
	if err == nil {
		return placeTaken(n)
	}
	if queries.Missing(err) {
		return nil
	}
	return err
}

func placeTaken(n queries.Node) error {
	return fault.New(fault.Invalid, "A node with organization id=%s and collaboration id=%s already exists!",
		printedID(n.OrganizationID), printedID(n.CollaborationID))
}
