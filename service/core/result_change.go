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
	Output, Log        *Text
}

// ChangeResult writes what a node says about a result of its own
// (/docs/results#change). A finished result takes nothing more. Until a moment it is held
// while it cannot be stored.
func (c *Core) ChangeResult(ctx context.Context, g access.Grant[access.NodeItself], id int64, in Sent[ResultFields], until time.Time) (Result, error) {
	var row queries.GetResultRow
	unsure := false
	err := c.Hold(ctx, until, func(ctx context.Context) (err error) {
		row, err = c.storeResult(ctx, g, id, in, unsure)
		unsure = unsure || fault.Is(err, fault.Unknown)
		return err
	})
	if err != nil {
		return Result{}, fmt.Errorf("changing a result: %w", err)
	}
	var list []Result
	err = c.Hold(ctx, until, func(ctx context.Context) (err error) {
		list, err = c.wholeResults(ctx, []queries.Result{row.Result}, true)
		return err
	})
	if err != nil {
		return Result{}, err
	}
	return list[0], nil
}

// storeResult writes it. After a try whose outcome nobody knows the result may have ended by that: then
// nothing is left to do but what follows from it.
func (c *Core) storeResult(ctx context.Context, g access.Grant[access.NodeItself], id int64, in Sent[ResultFields], again bool) (queries.GetResultRow, error) {
	var row queries.GetResultRow
	err := c.once(ctx, func(ctx context.Context, t *Tx) error {
		stored, err := ownResult(ctx, t.Queries, g, id, notYours)
		if err != nil {
			return err
		}
		if again && in.Fault == nil && in.Fields.endedBy(stored) {
			t.emit(CollaborationRoom(*stored.CollaborationID), "status_update", map[string]int64{"result_id": id})
			row, err = t.GetResult(ctx, id)
			return err
		}
		if stored.FinishedAt != nil {
			return errFinished()
		}
		if err := firstError(in.Fault, fitsEncryption("result", in.Fields.Output, value(stored.Encrypted))); err != nil {
			return err
		}
		if in.Fields.EndedAt != nil || in.Fields.Status != nil {
			err = t.holdTask(ctx, stored.TaskID)
		}
		if err != nil {
			return err
		}
		changed, err := t.writeResult(ctx, id, stored.Status, in.Fields)
		if err != nil {
			return err
		}
		if !changed {
			return errFinished() // somebody else finished it since it was read
		}
		t.emit(CollaborationRoom(*stored.CollaborationID), "status_update", map[string]int64{"result_id": id})
		if row, err = t.GetResult(ctx, id); err != nil {
			return err
		}
		return t.noteResult(ctx, stored, row.Result)
	}, &row)
	return row, err
}

// AwaitsResult judges before the texts arrive whether a node may write a result.
func (c *Core) AwaitsResult(ctx context.Context, g access.Grant[access.NodeItself], id int64) error {
	if mayBeDone(ctx) {
		return nil
	}
	_, err := unfinished(ctx, c.db.Queries, g, id)
	return err
}

// unfinished reads a result of a node that still takes something.
func unfinished(ctx context.Context, q *queries.Queries, g access.Grant[access.NodeItself], id int64) (queries.ResultForPatchRow, error) {
	row, err := ownResult(ctx, q, g, id, notYours)
	if err == nil && row.FinishedAt != nil {
		err = errFinished()
	}
	return row, err
}

const notYours = "This is not your result to PATCH!"

// endedBy reports whether a result ended with these fields.
func (f ResultFields) endedBy(stored queries.ResultForPatchRow) bool {
	return f.EndedAt != nil && stored.FinishedAt != nil && stored.FinishedAt.Equal(queries.At(*f.EndedAt).Time)
}

func errFinished() error {
	return fault.New(fault.Invalid, "Cannot update an already finished result!")
}

// ownResult reads a result that a node may write: one of its organization in its
// collaboration, as long as the one is a member of the other (/docs/results#change).
func ownResult(ctx context.Context, q *queries.Queries, g access.Grant[access.NodeItself], id int64, denied string) (queries.ResultForPatchRow, error) {
	row, err := q.ResultForPatch(ctx, id)
	if queries.Missing(err) {
		return row, noResult(id)
	}
	if err != nil {
		return row, fmt.Errorf("reading a result: %w", err)
	}
	if !mayWrite(g, row) {
		return row, fault.New(fault.Denied, "%s", denied)
	}
	return row, nil
}

func mayWrite(g access.AnyGrant, r queries.ResultForPatchRow) bool {
	return r.Member && g.Actor().WorksFor(r.OrganizationID, r.CollaborationID)
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
	return true, t.replaceTexts(ctx, id, texts{output: f.Output, log: f.Log})
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
