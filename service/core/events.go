package core

import (
	"context"
	"fmt"
	"time"

	"vserver/queries"
	"vserver/service/access"
	"vserver/service/fault"
)

// Event is something that happened to a task, node, user, organization or collaboration:
// the one that it names. Of a task and of a node the places are named beside.
type Event struct {
	ID                              int64
	At                              time.Time
	Type                            string
	Name                            *string // of the object, as it is now
	Status                          *string // what the status of the task or of a result became
	TaskID, ResultID, RunID         *int64
	NodeID, UserID                  *int64
	OrganizationID, CollaborationID *int64
}

// EventFilter narrows a list; nil narrows nothing.
type EventFilter struct {
	Types                           []string
	CollaborationID, TaskID, NodeID *int64
	Since, Until                    *time.Time // the second one is not included
}

// mostCounted is up to how many events are counted: who pages on is told no more than that
// there are so many, because counting all would read all.
const mostCounted = 10_000

// Events lists what happened, newest first, to what the caller may see by itself
// (/docs/events#see), and how many there are, as far as they are counted.
func (c *Core) Events(ctx context.Context, g access.Grant[access.UserItself], f EventFilter, p Page) ([]Event, int64, error) {
	arg := queries.ListEventsParams{
		OfCollaboration: f.CollaborationID, OfTask: f.TaskID, OfNode: f.NodeID,
		Since: storedTime(f.Since), Until: storedTime(f.Until), Lim: p.limit(), Off: p.offset(),
	}
	if len(f.Types) > 0 {
		set := make(map[string]int, len(f.Types))
		for _, kind := range f.Types {
			set[kind] = 0
		}
		types := string(mustJSON(set))
		arg.Types = &types
	}
	if err := c.boundEvents(ctx, g, &arg); err != nil {
		return nil, 0, err
	}
	rows, err := c.db.ListEvents(ctx, arg)
	total := int64(len(rows))
	if err == nil && (p.Number > 1 || total == p.Size) {
		total, err = c.db.CountUpTo(ctx, queries.ListEvents, arg, mostCounted)
	}
	if err != nil {
		return nil, 0, fmt.Errorf("listing events: %w", err)
	}
	list := make([]Event, len(rows))
	for i, r := range rows {
		list[i] = Event{
			ID: r.ID, At: r.At.Time, Type: r.Type, Name: r.Name, Status: r.Status, TaskID: r.TaskID, ResultID: r.ResultID, RunID: r.RunID,
			NodeID: r.NodeID, UserID: r.UserID, OrganizationID: r.OrganizationID, CollaborationID: r.CollaborationID,
		}
	}
	return list, total, nil
}

// boundEvents bounds each kind of event as the list of its objects is bounded.
func (c *Core) boundEvents(ctx context.Context, g access.Grant[access.UserItself], arg *queries.ListEventsParams) error {
	var errs [5]error
	arg.Tasks, arg.TasksWithin, errs[0] = c.collaborationsSeen(ctx, access.Embedded[access.ViewTasks](g))
	arg.Results, arg.ResultsWithin, errs[1] = c.collaborationsSeen(ctx, access.Embedded[access.ViewResults](g))
	arg.Collaborations, arg.CollaborationsWithin, errs[2] = c.collaborationsSeen(ctx, access.Embedded[access.ViewCollaborations](g))
	nodes, err := c.boundsOfNodes(ctx, access.Embedded[access.ViewNodes](g))
	arg.Nodes, arg.NodesOf = err == nil, nodes.OwnerID
	errs[3] = err
	organizations, err := access.Embedded[access.ViewOrganizations](g).OrganizationSight()
	arg.Organizations, arg.Organization, arg.PartnerOf = err == nil, organizations.OnlyID, organizations.PartnerOf
	errs[4] = err
	arg.UsersOf, arg.Caller = access.Embedded[access.ViewUsers](g).UserSight(), g.Actor().ID
	for _, err := range errs {
		if err != nil && !fault.Is(err, fault.Denied) {
			return err
		}
	}
	return nil
}

// collaborationsSeen tells whether the caller sees something of a permission at all, and in
// which collaborations, as a set; nil for everywhere.
func (c *Core) collaborationsSeen(ctx context.Context, g access.AnyGrant) (bool, *string, error) {
	r, err := c.visibilityOf(ctx, g)
	if err != nil {
		return false, nil, err
	}
	return true, r.within(), nil
}
