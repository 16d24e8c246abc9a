package core

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"vserver/queries"
)

// statusKilled is the status of a result whose container was told to stop.
const statusKilled = "killed by user"

// killed is an entry of `kill_list`, contract 20 §9.1.
type killed struct {
	TaskID         int64 `json:"task_id"`
	ResultID       int64 `json:"result_id"`
	OrganizationID int64 `json:"organization_id"`
}

// killTasks ends every unfinished result of the tasks and of all tasks below them,
// and tells the nodes of the collaboration after the commit. It gives the number of
// results that it ended; when there was none, nothing is sent, because nodes take
// an empty list for everything (contract 20 §9.1).
func (t *tx) killTasks(ctx context.Context, collaboration *int64, tasks ...int64) (int, error) {
	set := idSet(tasks)
	if err := t.HoldSubtree(ctx, set); err != nil {
		return 0, fmt.Errorf("holding tasks: %w", err)
	}
	rows, err := t.KillSubtree(ctx, &t.Now, set)
	if err != nil {
		return 0, fmt.Errorf("ending the results of tasks: %w", err)
	}
	if collaboration != nil {
		emitKilled(t, *collaboration, rows)
	}
	return len(rows), nil
}

// killCollaboration is killTasks for all tasks of a collaboration.
func (t *tx) killCollaboration(ctx context.Context, collaboration int64) (int, error) {
	rows, err := t.KillCollaboration(ctx, &t.Now, &collaboration)
	if err != nil {
		return 0, fmt.Errorf("ending the results of a collaboration: %w", err)
	}
	emitKilled(t, collaboration, rows)
	return len(rows), nil
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
