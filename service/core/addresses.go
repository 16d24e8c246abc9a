package core

import (
	"context"
	"fmt"

	"vserver/queries"
	"vserver/service/access"
	"vserver/service/fault"
)

// Address is where an algorithm listens in the VPN.
type Address = queries.AddressesOfTasksRow

// AddressFilter says whose addresses a container asks for beside those of its own task,
// or in their place.
type AddressFilter struct {
	Label                          *string // nil: any
	IncludeChildren, IncludeParent bool
	OnlyChildren, OnlyParent       bool
}

// check refuses what contradicts itself (/docs/vpn#addresses).
func (f AddressFilter) check() error {
	const text = "Using %s and %s simultaneously is not possible! Specify one or the other."
	switch {
	case f.OnlyChildren && f.OnlyParent:
		return fault.New(fault.Invalid, text, "only_children", "only_parent")
	case f.OnlyChildren && f.IncludeParent:
		return fault.New(fault.Invalid, text, "only_children", "include_parent")
	case f.OnlyParent && f.IncludeChildren:
		return fault.New(fault.Invalid, text, "only_parent", "include_children")
	}
	return nil
}

// Addresses lists where the algorithms of the calling container's task, of its subtasks
// and of its parent listen, by ascending id of their ports (/docs/vpn#addresses). An
// address without node has no IP.
func (c *Core) Addresses(ctx context.Context, g access.Grant[access.ViewPorts], f AddressFilter) ([]Address, error) {
	r, err := c.visibilityOf(ctx, g)
	if err != nil {
		return nil, err
	}
	if err := f.check(); err != nil {
		return nil, err
	}
	task, err := c.db.GetTask(ctx, g.Actor().TaskID)
	if queries.Missing(err) {
		return nil, invalidContainer()
	}
	if err != nil {
		return nil, fmt.Errorf("reading the task of a container: %w", err)
	}
	if !r.covers(task.CollaborationID, task.RunID) {
		return nil, nil
	}
	var ids []int64
	if !f.OnlyChildren && (!f.OnlyParent || task.ParentID == nil) {
		ids = append(ids, task.ID)
	}
	if (f.IncludeParent || f.OnlyParent) && task.ParentID != nil {
		ids = append(ids, *task.ParentID)
	}
	arg := queries.AddressesOfTasksParams{Ids: idSet(ids), Label: f.Label}
	if f.IncludeChildren || f.OnlyChildren {
		arg.ChildrenOf = &task.ID
	}
	rows, err := c.db.AddressesOfTasks(ctx, arg)
	if err != nil {
		return nil, fmt.Errorf("reading addresses: %w", err)
	}
	return rows, nil
}
