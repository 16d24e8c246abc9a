package core

import (
	"context"
	"fmt"

	"vserver/queries"
	"vserver/service/access"
	"vserver/service/fault"
)

// Collaboration is a collaboration with the ids of what belongs to it, each list in
// ascending order.
type Collaboration struct {
	queries.Collaboration
	Organizations, Nodes []int64
	Tasks                []int64 // the newest 1,000 (/docs/wire#limits)
}

// CollaborationFilter narrows a list; nil narrows nothing.
type CollaborationFilter struct {
	Name           *string // LIKE
	Encrypted      *bool
	OrganizationID *int64 // a member
}

// CollaborationFields are what can be written; nil leaves the stored value as it is,
// on creation false. Organizations that do not exist are left out.
type CollaborationFields struct {
	Name            *string
	Encrypted       *bool
	OrganizationIDs []int64 // replaces the members; empty removes all
}

// Collaborations lists those that the caller may see (/docs/collaborations#list), and
// how many there are in all.
func (c *Core) Collaborations(ctx context.Context, g access.Grant[access.ViewCollaborations], f CollaborationFilter, p Page) ([]Collaboration, int64, error) {
	if f.OrganizationID != nil && !g.Has(access.Global) && *f.OrganizationID != g.Actor().OrganizationID {
		return nil, 0, fault.New(fault.Denied, "You lack the permission to request collaborations for this organization!")
	}
	sight, err := g.Sight()
	if err != nil {
		return nil, 0, err
	}
	arg := queries.ListCollaborationsParams{
		Name: like(f.Name), Encrypted: f.Encrypted, OrganizationID: f.OrganizationID,
		OnlyID: sight.CollaborationID, MemberID: sight.OrganizationID, Lim: p.limit(), Off: p.offset(),
	}
	rows, total, err := pageOf(ctx, c, p, queries.ListCollaborations, arg, c.db.ListCollaborations)
	if err != nil {
		return nil, 0, fmt.Errorf("listing collaborations: %w", err)
	}
	list, err := c.wholeCollaborations(ctx, rows)
	return list, total, err
}

// CollaborationsOfOrganization lists those that an organization is a member of
// (/docs/organizations#collaborations).
func (c *Core) CollaborationsOfOrganization(ctx context.Context, g access.Grant[access.ViewCollaborations], id int64) ([]Collaboration, error) {
	if err := c.mustReachOrganization(ctx, g, id); err != nil {
		return nil, err
	}
	list, _, err := c.Collaborations(ctx, g, CollaborationFilter{OrganizationID: &id}, Page{})
	return list, err
}

// mustReachOrganization judges a caller who asks for what belongs to an organization
// (/docs/organizations#collaborations and /docs/organizations#nodes): the own one, and
// for users with the global rule any.
func (c *Core) mustReachOrganization(ctx context.Context, g access.AnyGrant, id int64) error {
	_, err := c.db.GetOrganization(ctx, id)
	if queries.Missing(err) {
		return fault.New(fault.Missing, "organization id=%d not found", id)
	}
	if err != nil {
		return fmt.Errorf("reading an organization: %w", err)
	}
	if !g.CoversOrganization(id) {
		return fault.Deny()
	}
	return nil
}

// Collaboration returns one (/docs/collaborations#get).
func (c *Core) Collaboration(ctx context.Context, g access.Grant[access.ViewCollaborations], id int64) (Collaboration, error) {
	row, err := c.visibleCollaboration(ctx, g, id, "collaboration having id=%d not found")
	if err != nil {
		return Collaboration{}, err
	}
	return c.wholeCollaboration(ctx, row)
}

// visibleCollaboration returns one that the caller may see: the "view one" decision of
// /docs/collaborations#see with the bounds of /docs/permissions#reach. The text is that
// of the missing row.
func (c *Core) visibleCollaboration(ctx context.Context, g access.AnyGrant, id int64, missing string) (queries.Collaboration, error) {
	row, err := c.db.GetCollaboration(ctx, id)
	if queries.Missing(err) {
		return row, fault.New(fault.Missing, missing, id)
	}
	if err != nil {
		return row, fmt.Errorf("reading a collaboration: %w", err)
	}
	ok, err := c.seesCollaboration(ctx, g, id)
	if err == nil && !ok {
		err = fault.Deny()
	}
	return row, err
}

// seesCollaboration judges one that is there. The error is a missing permission only when the
// caller lacks the rule altogether.
func (c *Core) seesCollaboration(ctx context.Context, g access.AnyGrant, id int64) (bool, error) {
	sight, err := g.Sight()
	switch {
	case err != nil:
		return false, err
	case sight.CollaborationID != nil && *sight.CollaborationID != id:
		return false, nil
	case sight.OrganizationID == nil:
		return true, nil
	}
	member, err := c.db.IsMember(ctx, *sight.OrganizationID, id)
	if err != nil {
		return false, fmt.Errorf("looking for a member: %w", err)
	}
	return member, nil
}

// CreateCollaboration makes one with its members (/docs/collaborations#create).
func (c *Core) CreateCollaboration(ctx context.Context, g access.Grant[access.CreateCollaborations], f CollaborationFields) (Collaboration, error) {
	if !g.Has(access.Global) {
		return Collaboration{}, fault.Deny()
	}
	row := queries.Collaboration{Name: f.Name, Encrypted: value(f.Encrypted)}
	err := c.once(ctx, func(ctx context.Context, t *Tx) error {
		if err := t.AddCollaboration(ctx, &row); err != nil {
			return err
		}
		return firstError(t.Join(ctx, row.ID, f.OrganizationIDs...), t.noteCollaboration(ctx, eventCollaborationCreated, row.ID))
	}, &row)
	if queries.Taken(err) {
		return Collaboration{}, nameTaken(f.Name)
	}
	if err != nil {
		return Collaboration{}, fmt.Errorf("creating a collaboration: %w", err)
	}
	return c.wholeCollaboration(ctx, row)
}

func nameTaken(name *string) error {
	return fault.New(fault.Invalid, "Collaboration name '%s' already exists!", value(name))
}

// noCollaborationToChange is the text of a missing collaboration on most routes that
// change one (/docs/collaborations#change).
const noCollaborationToChange = "collaboration having collaboration_id=%d can not be found"

// lockCollaboration returns a collaboration and keeps it unchanged by others until the transaction
// ends. The text is that of the missing row.
func lockCollaboration(ctx context.Context, t *Tx, id int64, missing string) (queries.Collaboration, error) {
	row, err := t.HoldCollaboration(ctx, id)
	if queries.Missing(err) {
		return row, fault.New(fault.Missing, missing, id)
	}
	return row, err
}

// ChangeCollaboration writes the fields that are given (/docs/collaborations#change).
// The nodes of organizations that are no longer members stay, without access.
func (c *Core) ChangeCollaboration(ctx context.Context, g access.Grant[access.EditCollaborations], id int64, in Sent[CollaborationFields]) (Collaboration, error) {
	var row queries.Collaboration
	err := c.once(ctx, func(ctx context.Context, t *Tx) error {
		stored, err := lockCollaboration(ctx, t, id, noCollaborationToChange)
		if err != nil {
			return err
		}
		if !g.Has(access.Global) {
			return fault.Deny()
		}
		if err := firstError(in.Fault, checkNewName("name", stored.Name, in.Fields.Name)); err != nil {
			return err
		}
		if err := setMembers(ctx, t, id, in.Fields.OrganizationIDs); err != nil {
			return err
		}
		put(&stored.Name, in.Fields.Name)
		if in.Fields.Encrypted != nil {
			stored.Encrypted = *in.Fields.Encrypted
		}
		row = stored
		return firstError(t.SaveCollaboration(ctx, row), t.noteCollaboration(ctx, eventCollaborationChanged, id))
	}, &row)
	if queries.Taken(err) {
		return Collaboration{}, nameTaken(in.Fields.Name)
	}
	if err != nil {
		return Collaboration{}, fmt.Errorf("changing a collaboration: %w", err)
	}
	return c.wholeCollaboration(ctx, row)
}

// setMembers replaces the members of a collaboration; nil leaves them.
func setMembers(ctx context.Context, t *Tx, id int64, organizations []int64) error {
	if organizations == nil {
		return nil
	}
	if err := t.DeleteOtherMembers(ctx, id, idSet(organizations)); err != nil {
		return err
	}
	return t.Join(ctx, id, organizations...)
}

// DeleteCollaboration removes one with all that belongs to it,
// /docs/collaborations#delete and /docs/security#t06: what still runs is killed, the
// nodes lose their connections.
func (c *Core) DeleteCollaboration(ctx context.Context, g access.Grant[access.DeleteCollaborations], id int64) error {
	err := c.once(ctx, func(ctx context.Context, t *Tx) error {
		gone, err := lockCollaboration(ctx, t, id, "collaboration id=%d is not found")
		if err != nil {
			return err
		}
		if !g.Has(access.Global) {
			return fault.Deny()
		}
		tasks, err := t.AllTasksOfCollaboration(ctx, &id)
		if err != nil {
			return err
		}
		if err := firstError(t.killTasks(ctx, &id, tasks), t.deleteTasks(ctx, tasks)); err != nil {
			return err
		}
		nodes, err := byOwner(t.NodesOfCollaborations(ctx, idSet([]int64{id})))
		if err != nil {
			return err
		}
		return firstError(t.RemoveAccounts(ctx, nodes[id]...), t.RemoveCollaboration(ctx, id),
			t.noteDeleted(ctx, queries.InsertDeletionEventParams{Type: eventCollaborationDeleted, Name: gone.Name}))
	})
	if err != nil {
		return fmt.Errorf("deleting a collaboration: %w", err)
	}
	return nil
}

// wholeCollaboration adds the related ids with one query.
func (c *Core) wholeCollaboration(ctx context.Context, row queries.Collaboration) (Collaboration, error) {
	of, err := queries.Kept(ctx, c.db, fmt.Sprint("collaboration ", row.ID), func() (of queries.RelationsOfCollaborationRow, length int, err error) {
		of, err = c.db.RelationsOfCollaboration(ctx, row.ID)
		return of, len(of.Organizations) + len(of.Nodes) + len(of.Tasks), err
	})
	if err != nil {
		return Collaboration{}, fmt.Errorf("reading what belongs to a collaboration: %w", err)
	}
	o := Collaboration{Collaboration: row}
	err = parseLists(map[*[]int64]string{&o.Organizations: of.Organizations, &o.Nodes: of.Nodes, &o.Tasks: of.Tasks})
	return o, err
}

// wholeCollaborations adds the related ids: one query for all organizations and one for
// all nodes, and for the tasks one bounded read of the index for each collaboration.
func (c *Core) wholeCollaborations(ctx context.Context, rows []queries.Collaboration) ([]Collaboration, error) {
	ids := make([]int64, len(rows))
	for i := range rows {
		ids[i] = rows[i].ID
	}
	set := idSet(ids)
	organizations, err1 := byOwner(c.db.OrganizationsOfCollaborations(ctx, set))
	nodes, err2 := byOwner(c.db.NodesOfCollaborations(ctx, set))
	if err := firstError(err1, err2); err != nil {
		return nil, fmt.Errorf("reading what belongs to collaborations: %w", err)
	}
	list := make([]Collaboration, len(rows))
	for i, r := range rows {
		list[i] = Collaboration{Collaboration: r, Organizations: organizations[r.ID], Nodes: nodes[r.ID]}
		tasks, err := c.db.NewestTasksOfCollaboration(ctx, &r.ID)
		if err != nil {
			return nil, fmt.Errorf("reading the tasks of a collaboration: %w", err)
		}
		list[i].Tasks = ascending(tasks)
	}
	return list, nil
}

// AddCollaboration stores a new collaboration.
func (t *Tx) AddCollaboration(ctx context.Context, c *queries.Collaboration) (err error) {
	t.rightsChanged()
	c.ID, err = t.InsertCollaboration(ctx, c.Name, c.Encrypted)
	return err
}

// SaveCollaboration writes a collaboration.
func (t *Tx) SaveCollaboration(ctx context.Context, c queries.Collaboration) error {
	return t.UpdateCollaboration(ctx, queries.UpdateCollaborationParams{Name: c.Name, Encrypted: c.Encrypted, ID: c.ID})
}

// RemoveCollaboration deletes a collaboration; nodes and tasks that it still has stay.
func (t *Tx) RemoveCollaboration(ctx context.Context, id int64) error {
	t.rightsChanged()
	return t.DeleteCollaboration(ctx, id)
}
