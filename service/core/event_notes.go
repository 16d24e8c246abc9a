package core

import (
	"context"
	"fmt"
	"time"

	"vserver/queries"
)

// The types of events (/docs/events#types).
const (
	eventTaskCreated          = "task-created"
	eventTaskStarted          = "task-started"
	eventTaskEnded            = "task-ended"
	eventTaskKilled           = "task-killed"
	eventTaskFinished         = "task-finished"
	eventNodeOnline           = "node-online"
	eventNodeOffline          = "node-offline"
	eventNodeCreated          = "node-created"
	eventNodeChanged          = "node-changed"
	eventNodeKeyReset         = "node-key-reset"
	eventUserCreated          = "user-created"
	eventUserChanged          = "user-changed"
	eventUserUnlocked         = "user-unlocked"
	eventUserInvited          = "user-invited"
	eventOrganizationCreated  = "organization-created"
	eventOrganizationChanged  = "organization-changed"
	eventCollaborationCreated = "collaboration-created"
	eventCollaborationChanged = "collaboration-changed"
	eventTaskDeleted          = "task-deleted"
	eventNodeDeleted          = "node-deleted"
	eventUserDeleted          = "user-deleted"
	eventCollaborationDeleted = "collaboration-deleted"
)

// EventTypes lists the types.
func EventTypes() []string {
	return []string{
		eventTaskCreated, eventTaskStarted, eventTaskEnded, eventTaskKilled, eventTaskFinished,
		eventNodeOnline, eventNodeOffline, eventNodeCreated, eventNodeChanged, eventNodeKeyReset,
		eventUserCreated, eventUserChanged, eventUserUnlocked, eventUserInvited,
		eventOrganizationCreated, eventOrganizationChanged, eventCollaborationCreated, eventCollaborationChanged,
		eventTaskDeleted, eventNodeDeleted, eventUserDeleted, eventCollaborationDeleted,
	}
}

const (
	// eventLife is how long events are kept (/docs/events#kept).
	eventLife = 30 * 24 * time.Hour
	// eventsPer and mostEvents bound what one object may fill the table with: a node that
	// comes and goes all the time, somebody who changes a name over and over.
	eventsPer  = time.Hour
	mostEvents = 120
	// eventPause is the time between two looks for events that are too old.
	eventPause = 10 * time.Minute
)

func (t *Tx) noteKilled(ctx context.Context, tasks []int64) error {
	return t.InsertKillEvents(ctx, queries.InsertKillEventsParams{At: t.Now, Type: eventTaskKilled, Ids: idSet(tasks)})
}

// holdTask holds the task of a result that changes it, before the result is held: of the last two that end at once one
// then sees the other. Who kills a task holds both in this order.
func (t *Tx) holdTask(ctx context.Context, id *int64) error {
	if id == nil {
		return nil
	}
	if _, err := t.HoldTask(ctx, *id); err != nil && !queries.Missing(err) {
		return fmt.Errorf("holding the task of a result: %w", err)
	}
	return nil
}

// noteResult notes that an organization began or ended its part of a task, and the task
// with it.
func (t *Tx) noteResult(ctx context.Context, was queries.ResultForPatchRow, is queries.Result) error {
	if is.TaskID == nil {
		return nil
	}
	note := queries.InsertTaskEventParams{At: t.Now, TaskID: is.TaskID, ResultID: &is.ID, Status: is.Status}
	switch {
	case was.FinishedAt == nil && is.FinishedAt != nil:
		note.Type = eventTaskEnded
		return firstError(t.InsertTaskEvent(ctx, note), t.InsertTaskEnd(ctx, queries.InsertTaskEndParams{
			At: t.Now, Type: eventTaskFinished, TaskID: *is.TaskID,
		}))
	case was.StartedAt == nil && is.StartedAt != nil:
		note.Type = eventTaskStarted
		return t.InsertTaskEvent(ctx, note)
	}
	return nil
}

// notePresence notes that a node comes or goes; it needs the status of before.
func (t *Tx) notePresence(ctx context.Context, account int64, status string) error {
	kind := eventNodeOffline
	if status == online {
		kind = eventNodeOnline
	}
	return t.InsertPresenceEvent(ctx, queries.InsertPresenceEventParams{
		At: t.Now, Type: kind, NodeID: account, Status: status, Since: t.lately(), Most: mostEvents,
	})
}

func (t *Tx) lately() queries.Time { return queries.At(t.Now.Add(-eventsPer)) }

func (t *Tx) note(ctx context.Context, e queries.InsertEventParams) error {
	e.At, e.Since, e.Most = t.Now, t.lately(), mostEvents
	return t.InsertEvent(ctx, e)
}

func (t *Tx) noteNode(ctx context.Context, kind string, node int64) error {
	return t.note(ctx, queries.InsertEventParams{Type: kind, NodeID: &node})
}

func (t *Tx) noteUser(ctx context.Context, kind string, user int64) error {
	return t.note(ctx, queries.InsertEventParams{Type: kind, UserID: &user})
}

func (t *Tx) noteOrganization(ctx context.Context, kind string, organization int64) error {
	return t.note(ctx, queries.InsertEventParams{Type: kind, OrganizationID: &organization})
}

func (t *Tx) noteCollaboration(ctx context.Context, kind string, collaboration int64) error {
	return t.note(ctx, queries.InsertEventParams{Type: kind, CollaborationID: &collaboration})
}

// noteDeleted notes that something is gone; its name and places outlive it (/docs/events#types).
func (t *Tx) noteDeleted(ctx context.Context, e queries.InsertDeletionEventParams) error {
	e.At = t.Now
	return t.InsertDeletionEvent(ctx, e)
}

// ForgetEvents deletes the events before a moment, some at a time.
func (c *Core) ForgetEvents(ctx context.Context, before time.Time) error {
	for gone := int64(1); gone > 0; {
		err := c.transact(ctx, func(ctx context.Context, t *Tx) (err error) {
			gone, err = t.DeleteOldEvents(ctx, queries.At(before))
			return err
		})
		if err != nil {
			return fmt.Errorf("deleting old events: %w", err)
		}
	}
	return nil
}
