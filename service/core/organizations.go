package core

import (
	"bytes"
	"context"
	"fmt"
	"reflect"

	"vserver/queries"
	"vserver/service/access"
	"vserver/service/fault"
)

// Organization is an organization with the ids of what belongs to it, each list in
// ascending order.
type Organization struct {
	queries.Organization
	Collaborations, Nodes, Users, Roles []int64
	Results                             []int64 // the newest 1,000 (/docs/wire#limits)
}

// OrganizationFilter narrows a list; nil narrows nothing.
type OrganizationFilter struct {
	Name            *string // LIKE
	Country         *string
	CollaborationID *int64
}

// OrganizationFields are the columns that can be written; nil leaves the stored
// value as it is, on creation empty.
type OrganizationFields struct {
	Name, Domain, Address1, Address2, Zipcode, Country *string
	PublicKey                                          []byte
}

// Organizations lists those that the caller may see (/docs/organizations#list), and how
// many there are in all.
func (c *Core) Organizations(ctx context.Context, g access.Grant[access.ViewOrganizations], f OrganizationFilter, p Page) ([]Organization, int64, error) {
	sight, err := g.OrganizationSight()
	if err != nil {
		return nil, 0, err
	}
	arg := queries.ListOrganizationsParams{
		Name: like(f.Name), Country: f.Country, CollaborationID: f.CollaborationID,
		OnlyID: sight.OnlyID, PartnerOf: sight.PartnerOf, Within: sight.Within, Lim: p.limit(), Off: p.offset(),
	}
	rows, total, err := pageOf(ctx, c, p, queries.ListOrganizations, arg, c.db.ListOrganizations)
	if err != nil {
		return nil, 0, fmt.Errorf("listing organizations: %w", err)
	}
	list, err := c.wholeOrganizations(ctx, rows)
	return list, total, err
}

// Organization returns one (/docs/organizations#get).
func (c *Core) Organization(ctx context.Context, g access.Grant[access.ViewOrganizations], id int64) (Organization, error) {
	row, err := c.db.GetOrganization(ctx, id)
	if queries.Missing(err) {
		return Organization{}, fault.New(fault.Missing, "Organization id=%d not found!", id)
	}
	if err != nil {
		return Organization{}, fmt.Errorf("reading an organization: %w", err)
	}
	ok, err := c.seesOrganization(ctx, g, id)
	if err != nil {
		return Organization{}, err
	}
	if !ok {
		return Organization{}, fault.New(fault.Denied, "You do not have permission to do that!")
	}
	return c.wholeOrganization(ctx, row)
}

// seesOrganization reports whether a list of the caller's shows the organization.
func (c *Core) seesOrganization(ctx context.Context, g access.AnyGrant, id int64) (bool, error) {
	sight, err := g.OrganizationSight()
	switch {
	case fault.Is(err, fault.Denied):
		return false, nil
	case g.Actor().BelongsTo(&id):
		return true, nil
	case sight.PartnerOf == nil:
		return sight.OnlyID == nil, nil
	}
	ok, err := c.db.ArePartners(ctx, queries.ArePartnersParams{Own: *sight.PartnerOf, Other: id, Within: sight.Within})
	if err != nil {
		return false, fmt.Errorf("comparing collaborations: %w", err)
	}
	return ok, nil
}

// CreateOrganization makes one (/docs/organizations#create).
func (c *Core) CreateOrganization(ctx context.Context, g access.Grant[access.CreateOrganizations], f OrganizationFields) (Organization, error) {
	if !g.Has(access.Global) {
		return Organization{}, fault.New(fault.Denied, "You lack the permissions to do that!")
	}
	if err := checkNewName("name", nil, f.Name); err != nil {
		return Organization{}, err
	}
	var row queries.Organization
	f.writeTo(&row)
	err := c.once(ctx, func(ctx context.Context, t *Tx) error {
		if err := firstError(t.AddOrganization(ctx, &row), t.CheckPublicKey(ctx, row)); err != nil {
			return err
		}
		return t.noteOrganization(ctx, eventOrganizationCreated, row.ID)
	}, &row)
	if err != nil {
		return Organization{}, fmt.Errorf("creating an organization: %w", err)
	}
	return c.wholeOrganization(ctx, row)
}

// ChangeOrganization writes the fields that are given (/docs/organizations#change).
func (c *Core) ChangeOrganization(ctx context.Context, g access.Grant[access.EditOrganizations], id int64, in Sent[OrganizationFields]) (Organization, error) {
	var row queries.Organization
	err := c.once(ctx, func(ctx context.Context, t *Tx) error {
		stored, err := t.HoldOrganization(ctx, id)
		if queries.Missing(err) {
			return fault.New(fault.Missing, "Organization with id=%d not found", id)
		}
		if err != nil {
			return err
		}
		if !g.CoversOrganization(id) {
			return fault.Deny()
		}
		if err := firstError(in.Fault, checkNewName("name", stored.Name, in.Fields.Name)); err != nil {
			return err
		}
		row = stored
		in.Fields.writeTo(&row)
		if !bytes.Equal(row.PublicKey, stored.PublicKey) {
			err = t.CheckPublicKey(ctx, row)
		}
		if err != nil {
			return err
		}
		if reflect.DeepEqual(row, stored) {
			return nil // as when a node sends the key that is there
		}
		return firstError(t.SaveOrganization(ctx, row), t.noteOrganization(ctx, eventOrganizationChanged, id))
	}, &row)
	if err != nil {
		return Organization{}, fmt.Errorf("changing an organization: %w", err)
	}
	return c.wholeOrganization(ctx, row)
}

// writeTo puts the given fields into a row.
func (f OrganizationFields) writeTo(o *queries.Organization) {
	put(&o.Name, f.Name)
	put(&o.Domain, f.Domain)
	put(&o.Address1, f.Address1)
	put(&o.Address2, f.Address2)
	put(&o.Zipcode, f.Zipcode)
	put(&o.Country, f.Country)
	if f.PublicKey != nil {
		o.PublicKey = f.PublicKey
	}
}

// wholeOrganization adds the related ids with one query.
func (c *Core) wholeOrganization(ctx context.Context, row queries.Organization) (Organization, error) {
	of, err := queries.Kept(ctx, c.db, fmt.Sprint("organization ", row.ID), func() (of queries.RelationsOfOrganizationRow, length int, err error) {
		of, err = c.db.RelationsOfOrganization(ctx, row.ID)
		return of, len(of.Collaborations) + len(of.Nodes) + len(of.Users) + len(of.Roles) + len(of.Results), err
	})
	if err != nil {
		return Organization{}, fmt.Errorf("reading what belongs to an organization: %w", err)
	}
	o := Organization{Organization: row}
	err = parseLists(map[*[]int64]string{
		&o.Collaborations: of.Collaborations, &o.Nodes: of.Nodes, &o.Users: of.Users, &o.Roles: of.Roles, &o.Results: of.Results,
	})
	return o, err
}

// wholeOrganizations adds the related ids with one query a relation for the whole list.
func (c *Core) wholeOrganizations(ctx context.Context, rows []queries.Organization) ([]Organization, error) {
	ids := make([]int64, len(rows))
	for i := range rows {
		ids[i] = rows[i].ID
	}
	set := idSet(ids)
	collaborations, err1 := byOwner(c.db.CollaborationsOfOrganizations(ctx, set))
	nodes, err2 := byOwner(c.db.NodesOfOrganizations(ctx, set))
	users, err3 := byOwner(c.db.UsersOfOrganizations(ctx, set))
	roles, err4 := byOwner(c.db.RolesOfOrganizations(ctx, set))
	if err := firstError(err1, err2, err3, err4); err != nil {
		return nil, fmt.Errorf("reading what belongs to organizations: %w", err)
	}
	list := make([]Organization, len(rows))
	for i, r := range rows {
		results, err := c.db.NewestResultsOfOrganization(ctx, &r.ID)
		if err != nil {
			return nil, fmt.Errorf("reading results of an organization: %w", err)
		}
		list[i] = Organization{
			Organization: r, Collaborations: collaborations[r.ID], Nodes: nodes[r.ID],
			Users: users[r.ID], Roles: roles[r.ID], Results: ascending(results),
		}
	}
	return list, nil
}

// AddOrganization stores a new organization.
func (t *Tx) AddOrganization(ctx context.Context, o *queries.Organization) (err error) {
	o.ID, err = t.InsertOrganization(ctx, queries.InsertOrganizationParams{
		Name: o.Name, Domain: o.Domain, Address1: o.Address1, Address2: o.Address2, Zipcode: o.Zipcode,
		Country: o.Country, PublicKey: o.PublicKey,
	})
	return err
}

// SaveOrganization writes an organization.
func (t *Tx) SaveOrganization(ctx context.Context, o queries.Organization) error {
	return t.UpdateOrganization(ctx, queries.UpdateOrganizationParams{
		Name: o.Name, Domain: o.Domain, Address1: o.Address1, Address2: o.Address2, Zipcode: o.Zipcode,
		Country: o.Country, PublicKey: o.PublicKey, ID: o.ID,
	})
}

// RemoveOrganization deletes an organization that has no roles: without it these would
// be everybody's.
func (t *Tx) RemoveOrganization(ctx context.Context, id int64) error {
	t.rightsChanged()
	return t.DeleteOrganization(ctx, id)
}
