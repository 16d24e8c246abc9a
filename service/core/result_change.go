package core

import (
	"context"
	"fmt"
	"slices"
	"time"

	"vserver/queries"
	"vserver/service/access"
	"vserver/service/fault"
)

// ResultFields are what a node can write; nil leaves the stored value as it is.
type ResultFields struct {
	StartedAt, EndedAt *time.Time
	Status             *string
	Output, Log        *Opaque
}

// ChangeResult writes what a node says about a result of its own
// (/docs/results#change). A finished result takes nothing more.
func (c *Core) ChangeResult(ctx context.Context, g access.Grant[access.NodeItself], id int64, in Sent[ResultFields]) (Result, error) {
	var row queries.GetResultRow
	err := c.transact(ctx, func(ctx context.Context, t *Tx) error {
		stored, err := t.ownResult(ctx, g, id, "This is not your result to PATCH!")
		if err != nil {
			return err
		}
		finished := fault.New(fault.Invalid, "Cannot update an already finished result!")
		if stored.FinishedAt != nil {
			return finished
		}
		if err := firstError(in.Fault, fitsEncryption("result", in.Fields.Output, value(stored.Encrypted))); err != nil {
			return err
		}
		changed, err := t.writeResult(ctx, id, stored.Status, in.Fields)
		if err != nil {
			return err
		}
		if !changed {
			return finished // somebody else finished it since it was read
		}
		t.emit(CollaborationRoom(*stored.CollaborationID), "status_update", map[string]int64{"result_id": id})
		row, err = t.GetResult(ctx, id)
		return err
	})
	if err != nil {
		return Result{}, fmt.Errorf("changing a result: %w", err)
	}
	list, err := c.wholeResults(ctx, []queries.Result{row.Result})
	if err != nil {
		return Result{}, err
	}
	return list[0], nil
}

// ownResult reads a result that a node may write: one of its organization in its
// collaboration, as long as the one is a member of the other (/docs/results#change).
func (t *Tx) ownResult(ctx context.Context, g access.Grant[access.NodeItself], id int64, denied string) (queries.ResultForPatchRow, error) {
	row, err := t.ResultForPatch(ctx, id)
	if queries.Missing(err) {
		return row, noResult(id)
	}
	if err != nil {
		return row, fmt.Errorf("reading a result: %w", err)
	}
	if !row.Member || !g.Actor().WorksFor(row.OrganizationID, row.CollaborationID) {
		return row, fault.New(fault.Denied, "%s", denied)
	}
	return row, nil
}

// writeResult reports whether it wrote. Nodes before 3.6 finish a result without a
// word about its status: it is completed then, unless something has failed (/docs/results#life).
func (t *Tx) writeResult(ctx context.Context, id int64, status *string, f ResultFields) (bool, error) {
	if f.EndedAt != nil && f.Status == nil && slices.Contains([]string{"pending", "initializing", "active"}, value(status)) {
		completed := "completed"
		f.Status = &completed
	}
	n, err := t.AdvanceResult(ctx, queries.AdvanceResultParams{
		StartedAt: storedTime(f.StartedAt), FinishedAt: storedTime(f.EndedAt), Status: f.Status, ID: id,
	})
	if err != nil || n == 0 || f.Output == nil && f.Log == nil {
		return n > 0, err
	}
	return true, t.UpsertPayload(ctx, queries.UpsertPayloadParams{ResultID: id, Result: f.Output, Log: f.Log})
}

// AddResult stores a new result.
func (t *Tx) AddResult(ctx context.Context, r *queries.Result) (err error) {
	r.ID, err = t.InsertResult(ctx, queries.InsertResultParams{
		TaskID: r.TaskID, OrganizationID: r.OrganizationID, CollaborationID: r.CollaborationID, AssignedAt: r.AssignedAt,
		StartedAt: r.StartedAt, FinishedAt: r.FinishedAt, Status: r.Status,
	})
	return err
}

// SaveResult writes a result. Its collaboration follows its task.
func (t *Tx) SaveResult(ctx context.Context, r queries.Result) error {
	return t.UpdateResult(ctx, queries.UpdateResultParams{
		TaskID: r.TaskID, OrganizationID: r.OrganizationID, AssignedAt: r.AssignedAt, StartedAt: r.StartedAt,
		FinishedAt: r.FinishedAt, Status: r.Status, ID: r.ID,
	})
}

// RemoveResult deletes a result with its texts; its ports stay.
func (t *Tx) RemoveResult(ctx context.Context, id int64) error { return t.DeleteResult(ctx, id) }

// SavePayload replaces the large texts of a result.
func (t *Tx) SavePayload(ctx context.Context, p queries.Payload) error {
	return firstError(t.DeletePayload(ctx, p.ResultID), t.UpsertPayload(ctx, queries.UpsertPayloadParams(p)))
}
