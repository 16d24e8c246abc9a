package core

import (
	"context"
	"fmt"

	"vserver/queries"
	"vserver/service/access"
	"vserver/service/fault"
)

// Members lists the organizations of a collaboration that the caller may see by
// themselves (/docs/collaborations#members) and /docs/security#t07.
func (c *Core) Members(ctx context.Context, g access.Grant[access.ViewCollaborations], id int64, p Page) ([]Organization, int64, error) {
	if _, err := c.visibleCollaboration(ctx, g, id, "collaboration (id=%d) can not be found"); err != nil {
		return nil, 0, err
	}
	return c.Organizations(ctx, access.Embedded[access.ViewOrganizations](g), OrganizationFilter{CollaborationID: &id}, p)
}

// visibleMembers is what a change of the members answers with: who may see no
// organization sees an empty list, the change is done.
func (c *Core) visibleMembers(ctx context.Context, g access.AnyGrant, id int64) ([]Organization, error) {
	list, _, err := c.Organizations(ctx, access.Embedded[access.ViewOrganizations](g), OrganizationFilter{CollaborationID: &id}, Page{})
	if fault.Is(err, fault.Denied) {
		return nil, nil
	}
	return list, err
}

// AddMember adds an organization to a collaboration (/docs/collaborations#add-member),
// and returns the members.
func (c *Core) AddMember(ctx context.Context, g access.Grant[access.EditCollaborations], id int64, in Sent[int64]) ([]Organization, error) {
	err := c.once(ctx, func(ctx context.Context, t *Tx) error {
		if _, err := lockCollaboration(ctx, t, id, noCollaborationToChange); err != nil {
			return err
		}
		if !g.Has(access.Global) {
			return fault.Deny()
		}
		if in.Fault != nil {
			return in.Fault
		}
		if err := organizationExists(ctx, t, in.Fields); err != nil {
			return err
		}
		return firstError(t.Join(ctx, id, in.Fields), t.noteCollaboration(ctx, eventCollaborationChanged, id))
	})
	if err != nil {
		return nil, fmt.Errorf("adding a member: %w", err)
	}
	return c.visibleMembers(ctx, g, id)
}

func organizationExists(ctx context.Context, t *Tx, id int64) error {
	_, err := t.GetOrganization(ctx, id)
	if queries.Missing(err) {
		return fault.New(fault.Missing, "organization with id=%d is not found", id)
	}
	return err
}

// RemoveMember takes an organization out of a collaboration
// (/docs/collaborations#remove-member), and returns the remaining members. Its node
// stays, without access.
func (c *Core) RemoveMember(ctx context.Context, g access.Grant[access.DeleteCollaborations], id int64, in Sent[int64]) ([]Organization, error) {
	err := c.once(ctx, func(ctx context.Context, t *Tx) error {
		if _, err := lockCollaboration(ctx, t, id, noCollaborationToChange); err != nil {
			return err
		}
		if in.Fault == nil {
			if err := organizationExists(ctx, t, in.Fields); err != nil {
				return err
			}
		}
		if !g.Has(access.Global) {
			return fault.Deny()
		}
		if in.Fault != nil {
			return in.Fault
		}
		was, err := t.Part(ctx, id, in.Fields)
		if err == nil && !was {
			return fault.New(fault.Invalid, "organization id=%d is not part of collaboration id=%d", in.Fields, id)
		}
		return firstError(err, t.noteCollaboration(ctx, eventCollaborationChanged, id))
	})
	if err != nil {
		return nil, fmt.Errorf("removing a member: %w", err)
	}
	return c.visibleMembers(ctx, g, id)
}

// Join makes organizations members of a collaboration; those that do not exist are left
// out.
func (t *Tx) Join(ctx context.Context, collaboration int64, organizations ...int64) error {
	t.rightsChanged()
	return t.InsertMembers(ctx, collaboration, idSet(organizations))
}

// Part takes an organization out of a collaboration and reports whether it was a member.
func (t *Tx) Part(ctx context.Context, collaboration, organization int64) (bool, error) {
	t.rightsChanged()
	n, err := t.DeleteMember(ctx, organization, collaboration)
	return n > 0, err
}
