package core

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"vserver/queries"
	"vserver/service/access"
	"vserver/service/fault"
)

// killed is an entry of `kill_list`, contract 20 §9.1.
type killed struct {
	TaskID         int64 `json:"task_id"`
	ResultID       int64 `json:"result_id"`
	OrganizationID int64 `json:"organization_id"`
}

// killTasks ends every unfinished result of the tasks and of all tasks below them,
// and tells the nodes of the collaboration after the commit. When nothing
// runs nothing is sent, because nodes take an empty list for everything (contract 20
// §9.1).
func (t *tx) killTasks(ctx context.Context, collaboration *int64, tasks ...int64) error {
	set := idSet(tasks)
	if err := t.HoldSubtree(ctx, set); err != nil {
		return fmt.Errorf("holding tasks: %w", err)
	}
	rows, err := t.KillSubtree(ctx, &t.Now, set)
	if err != nil {
		return fmt.Errorf("ending the results of tasks: %w", err)
	}
	if collaboration != nil {
		emitKilled(t, *collaboration, rows)
	}
	return nil
}

// killCollaboration is killTasks for all tasks of a collaboration.
func (t *tx) killCollaboration(ctx context.Context, collaboration int64) error {
	rows, err := t.KillCollaboration(ctx, &t.Now, &collaboration)
	if err != nil {
		return fmt.Errorf("ending the results of a collaboration: %w", err)
	}
	emitKilled(t, collaboration, rows)
	return nil
}

// emitKilled sends `kill_containers` with one entry for each result.
func emitKilled[R ~struct {
	ID             int64
	TaskID         *int64
	OrganizationID *int64
}](t *tx, collaboration int64, rows []R,
) {
	if len(rows) == 0 {
		return
	}
	list := make([]killed, len(rows))
	for i, r := range rows {
		row := queries.KillSubtreeRow(r)
		list[i] = killed{TaskID: value(row.TaskID), ResultID: row.ID, OrganizationID: value(row.OrganizationID)}
	}
	slices.SortFunc(list, func(a, b killed) int { return cmp.Compare(a.ResultID, b.ResultID) })
	t.emit(CollaborationRoom(collaboration), "kill_containers", struct {
		KillList        []killed `json:"kill_list"`
		CollaborationID int64    `json:"collaboration_id"`
	}{list, collaboration})
}

// KillTask ends what runs of a task and below it, contract 20 §9.1.
func (c *Core) KillTask(ctx context.Context, g access.Grant[access.CreateEvents], id int64) error {
	err := c.inTx(ctx, func(ctx context.Context, t *tx) error {
		row, err := t.GetTask(ctx, id)
		if queries.Missing(err) {
			return fault.New(fault.Missing, "Task id=%d not found", id)
		}
		if err != nil {
			return err
		}
		open, err := t.IsSubtreeOpen(ctx, id)
		if err != nil {
			return err
		}
		if !open {
			return t.alreadyFinished(ctx, id)
		}
		if err := t.mustReach(ctx, g, row.CollaborationID, access.Collaboration); err != nil {
			return err
		}
		return t.killTasks(ctx, row.CollaborationID, id)
	})
	if err != nil {
		return fmt.Errorf("killing a task: %w", err)
	}
	return nil
}

func (t *tx) alreadyFinished(ctx context.Context, id int64) error {
	states, err := statesOf(ctx, t.Queries, idSet([]int64{id}))
	if err != nil {
		return err
	}
	return fault.New(fault.Invalid, "Task %d already finished with status '%s', so cannot kill it!", id, Task{States: states[id]}.Status())
}

// KillNode tells a node to end everything that runs on it, contract 20 §9.2. Nothing
// is stored: the node says what it ended.
func (c *Core) KillNode(ctx context.Context, g access.Grant[access.CreateEvents], id int64) error {
	err := c.inTx(ctx, func(ctx context.Context, t *tx) error {
		node, err := t.GetNode(ctx, id)
		if queries.Missing(err) {
			return fault.New(fault.Missing, "Node id=%d not found", id)
		}
		if err != nil {
			return err
		}
		if value(node.Status) != "online" || node.CollaborationID == nil {
			return fault.New(fault.Invalid, "Node %d is not online so cannot kill its tasks!", id)
		}
		if err := t.mustCommand(ctx, g, node.OrganizationID, *node.CollaborationID); err != nil {
			return err
		}
		t.emit(CollaborationRoom(*node.CollaborationID), "kill_containers", map[string]int64{
			"node_id": id, "collaboration_id": *node.CollaborationID,
		})
		return nil
	})
	if err != nil {
		return fmt.Errorf("killing the tasks of a node: %w", err)
	}
	return nil
}

// mustCommand refuses a user who may send events neither everywhere, nor as a member
// to this collaboration, nor to nodes of this organization.
func (t *tx) mustCommand(ctx context.Context, g access.Grant[access.CreateEvents], organization *int64, collaboration int64) error {
	if g.Covers(organization) {
		return nil
	}
	if g.Has(access.Collaboration) {
		member, err := t.IsMember(ctx, g.Actor().OrganizationID, collaboration)
		if err != nil || member {
			return err
		}
	}
	return fault.Deny()
}

// deleteTask removes a task with all tasks below it, their results, payloads and
// ports (SECURITY T06).
func (t *tx) deleteTask(ctx context.Context, id int64) error {
	err := t.DeletePortsOfSubtree(ctx, id)
	if err == nil {
		err = t.DeleteResultsOfSubtree(ctx, id)
	}
	if err == nil {
		err = t.DeleteSubtree(ctx, id)
	}
	if err != nil {
		return fmt.Errorf("deleting a task: %w", err)
	}
	return nil
}
