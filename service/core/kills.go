package core

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"vserver/queries"
	"vserver/service/access"
	"vserver/service/fault"
)

// killed is an entry of `kill_list` (/docs/tasks#kill).
type killed struct {
	TaskID         int64 `json:"task_id"`
	ResultID       int64 `json:"result_id"`
	OrganizationID int64 `json:"organization_id"`
}

// subtree holds a task with all below it, so that no container adds one there
// meanwhile, and gives their ids.
func (t *Tx) subtree(ctx context.Context, id int64) ([]int64, error) {
	if err := t.HoldSubtree(ctx, id); err != nil {
		return nil, fmt.Errorf("holding tasks: %w", err)
	}
	ids, err := t.TasksOfSubtree(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("reading the tasks below a task: %w", err)
	}
	return ids, nil
}

// killTasks ends every unfinished result of the tasks and tells the nodes of the
// collaboration after the commit. When nothing runs nothing is sent, because nodes take
// an empty list for everything (/docs/tasks#kill).
func (t *Tx) killTasks(ctx context.Context, collaboration *int64, tasks []int64) error {
	rows, err := t.KillResultsOfTasks(ctx, &t.Now, idSet(tasks))
	if err != nil {
		return fmt.Errorf("ending the results of tasks: %w", err)
	}
	if len(rows) == 0 || collaboration == nil {
		return nil
	}
	list, ended := make([]killed, len(rows)), map[int64]bool{}
	for i, r := range rows {
		list[i] = killed{TaskID: value(r.TaskID), ResultID: r.ID, OrganizationID: value(r.OrganizationID)}
		ended[value(r.TaskID)] = true
	}
	if err := t.noteKilled(ctx, slices.Sorted(maps.Keys(ended))); err != nil {
		return err
	}
	slices.SortFunc(list, func(a, b killed) int { return cmp.Compare(a.ResultID, b.ResultID) })
	t.emit(CollaborationRoom(*collaboration), "kill_containers", struct {
		KillList        []killed `json:"kill_list"`
		CollaborationID int64    `json:"collaboration_id"`
	}{list, *collaboration})
	return nil
}

// KillTask ends what runs of a task and below it (/docs/tasks#kill).
func (c *Core) KillTask(ctx context.Context, g access.Grant[access.CreateEvents], id int64) error {
	err := c.once(ctx, func(ctx context.Context, t *Tx) error {
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
		if err := mustReach(ctx, t.Queries, g, row.CollaborationID, access.Collaboration); err != nil {
			return err
		}
		tasks, err := t.subtree(ctx, id)
		if err != nil {
			return err
		}
		return t.killTasks(ctx, row.CollaborationID, tasks)
	})
	if err != nil {
		return fmt.Errorf("killing a task: %w", err)
	}
	return nil
}

func (t *Tx) alreadyFinished(ctx context.Context, id int64) error {
	row, err := t.GetTask(ctx, id) // as it is now
	if err != nil {
		return err
	}
	return fault.New(fault.Invalid, "Task %d already finished with status '%s', so cannot kill it!", id, row.Status)
}

// KillNode asks a node to end everything that runs on it (/docs/tasks#kill-node).
// Nothing is stored: the node says what it ended.
func (c *Core) KillNode(ctx context.Context, g access.Grant[access.CreateEvents], id int64) error {
	err := c.once(ctx, func(ctx context.Context, t *Tx) error {
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
func (t *Tx) mustCommand(ctx context.Context, g access.Grant[access.CreateEvents], organization *int64, collaboration int64) error {
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

// deleteTasks removes tasks, in which nothing runs any more, with their results,
// payloads and ports (/docs/security#t06).
func (t *Tx) deleteTasks(ctx context.Context, tasks []int64) error {
	set := idSet(tasks)
	if err := firstError(t.DeletePortsOfTasks(ctx, set), t.DeleteResultsOfTasks(ctx, set), t.DeleteTasks(ctx, set)); err != nil {
		return fmt.Errorf("deleting tasks: %w", err)
	}
	return nil
}
