package core

import (
	"context"
	"fmt"

	"vserver/queries"
	"vserver/service/access"
	"vserver/service/fault"
)

// Port is a port at which an algorithm listens; who asks knows its result.
type Port = queries.Port

// PortFilter narrows a list; nil narrows nothing.
type PortFilter struct {
	ResultID, TaskID, RunID *int64
}

// Ports lists those of the results that the caller may see, newest first
// (/docs/ports#list), and how many there are in all.
func (c *Core) Ports(ctx context.Context, g access.Grant[access.ViewPorts], f PortFilter, p Page) ([]Port, int64, error) {
	r, err := c.visibilityOf(ctx, g)
	if err != nil {
		return nil, 0, err
	}
	if r.run != nil {
		if f.RunID != nil && *f.RunID != *r.run {
			return nil, 0, nil
		}
		f.RunID = r.run
	}
	arg := queries.ListPortsParams{
		Within: r.within(), ResultID: f.ResultID, TaskID: f.TaskID, RunID: f.RunID, Lim: p.limit(), Off: p.offset(),
	}
	return pageOf(ctx, c, p, queries.ListPorts, arg, c.db.ListPorts)
}

// Port returns one (/docs/ports#get).
func (c *Core) Port(ctx context.Context, g access.Grant[access.ViewPorts], id int64) (Port, error) {
	row, err := c.db.GetPort(ctx, id)
	if queries.Missing(err) {
		return Port{}, fault.New(fault.Missing, "Port id=%d not found!", id)
	}
	if err != nil {
		return Port{}, fmt.Errorf("reading a port: %w", err)
	}
	ok, err := c.mayView(ctx, g, row.CollaborationID, row.RunID)
	if err == nil && !ok {
		err = fault.Deny()
	}
	return row.Port, err
}

// PortFields are what a node says about a port.
type PortFields struct {
	Port, ResultID int64
	Label          *string
}

// textNotYourPort is the fault of a node that writes ports of somebody else's result.
const textNotYourPort = "You lack the permissions to do that!"

// CreatePort notes a port at which an algorithm listens (/docs/ports#create).
func (c *Core) CreatePort(ctx context.Context, g access.Grant[access.NodeItself], f PortFields) (Port, error) {
	row := Port{Port: &f.Port, ResultID: &f.ResultID, Label: f.Label}
	err := c.once(ctx, func(ctx context.Context, t *Tx) error {
		_, err := ownResult(ctx, t.Queries, g, f.ResultID, textNotYourPort)
		if err != nil {
			return err
		}
		return t.AddPort(ctx, &row)
	}, &row)
	if err != nil {
		return row, fmt.Errorf("creating a port: %w", err)
	}
	return row, nil
}

// DeletePorts forgets all ports of a result (/docs/ports#delete).
func (c *Core) DeletePorts(ctx context.Context, g access.Grant[access.NodeItself], result int64) error {
	err := c.once(ctx, func(ctx context.Context, t *Tx) error {
		if _, err := ownResult(ctx, t.Queries, g, result, textNotYourPort); err != nil {
			return err
		}
		return t.DeletePortsOfResult(ctx, &result)
	})
	if err != nil {
		return fmt.Errorf("deleting ports: %w", err)
	}
	return nil
}

// AddPort stores a new port.
func (t *Tx) AddPort(ctx context.Context, p *Port) (err error) {
	p.ID, err = t.InsertPort(ctx, queries.InsertPortParams{Port: p.Port, ResultID: p.ResultID, Label: p.Label})
	return err
}

// SavePort writes a port.
func (t *Tx) SavePort(ctx context.Context, p Port) error {
	return t.UpdatePort(ctx, queries.UpdatePortParams{Port: p.Port, ResultID: p.ResultID, Label: p.Label, ID: p.ID})
}

// RemovePort deletes a port.
func (t *Tx) RemovePort(ctx context.Context, id int64) error { return t.DeletePort(ctx, id) }
