package shell

import (
	"context"
	"fmt"

	"go.starlark.net/starlark"

	"vserver/queries"
	"vserver/service/core"
)

func tasks() *model {
	type row = queries.Task
	return &model{
		name: "Task", table: "task",
		columns: []column{
			idColumn(func(r *row) *int64 { return &r.ID }),
			field("name", func(r *row) any { return &r.Name }),
			field("description", func(r *row) any { return &r.Description }),
			field("image", func(r *row) any { return &r.Image }),
			field("collaboration_id", func(r *row) any { return &r.CollaborationID }),
			field("run_id", func(r *row) any { return &r.RunID }),
			field("parent_id", func(r *row) any { return &r.ParentID }),
			field("database", func(r *row) any { return &r.Database }),
			field("initiator_id", func(r *row) any { return &r.InitiatorID }),
			field("init_user_id", func(r *row) any { return &r.InitUserID }),
		},
		relations: []relation{
			{name: "collaboration", target: "Collaboration", key: "collaboration_id"},
			{name: "parent", target: "Task", key: "parent_id"},
			{name: "results", target: "Result", by: "task_id"},
			{name: "initiator", target: "Organization", key: "initiator_id"},
			{name: "init_user", target: "User", key: "init_user_id"},
			{name: "children", target: "Task", by: "parent_id"},
		},
		virtuals: []virtual{
			{"complete", func(s *session, o *object) (starlark.Value, error) {
				t, err := s.task(o)
				return starlark.Bool(t.Complete()), err
			}, nil},
			{"status", func(s *session, o *object) (starlark.Value, error) {
				t, err := s.task(o)
				return starlark.String(t.Status()), err
			}, nil},
			{"created_at", func(_ *session, o *object) (starlark.Value, error) { return outOf(&o.row.(*row).CreatedAt), nil }, nil},
			{"finished_at", func(s *session, o *object) (starlark.Value, error) {
				t, err := s.task(o)
				if at := t.FinishedAt(); at != nil {
					return datetime{*at}, err
				}
				return starlark.None, err
			}, nil},
		},
		methods: []method{
			{"next_run_id", true, nextRun},
			{"results_for_node", false, resultsForNode},
		},
		show: func(s *session, o *object) string {
			return fmt.Sprintf("<Task %s: '%s', collaboration:%s>", str(o.idValue()), s.shown(o, "name"), s.nameOf(o, "collaboration", "name"))
		},
		rows: taskRows.any(),
	}
}

var taskRows = typed[queries.Task]{
	find: func(ctx context.Context, q *queries.Queries, f filter) ([]queries.Task, error) {
		return q.ShellTasks(ctx, queries.ShellTasksParams{
			ID: f.number("id"), CollaborationID: f.number("collaboration_id"), ParentID: f.number("parent_id"),
			InitiatorID: f.number("initiator_id"), InitUserID: f.number("init_user_id"),
		})
	},
	insert: func(ctx context.Context, tx *queries.Tx, _ *queries.Task) (int64, error) {
		return tx.ShellAddTask(ctx, &tx.Now)
	},
	hold: func(ctx context.Context, tx *queries.Tx, id int64) (queries.Task, error) {
		return tx.ShellHoldTask(ctx, id)
	},
	update: func(ctx context.Context, tx *queries.Tx, r *queries.Task, _ names) error {
		if r.RunID != nil {
			if err := tx.RaiseRun(ctx, *r.RunID); err != nil {
				return err
			}
		}
		return tx.ShellSaveTask(ctx, queries.ShellSaveTaskParams{
			Name: r.Name, Description: r.Description, Image: r.Image, CollaborationID: r.CollaborationID, RunID: r.RunID,
			ParentID: r.ParentID, Database: r.Database, InitiatorID: r.InitiatorID, InitUserID: r.InitUserID, ID: r.ID,
		})
	},
	remove: func(ctx context.Context, tx *queries.Tx, id int64) error { return tx.ShellDeleteTask(ctx, id) },
}

// task gives a task with the states of its results, as the use cases judge it.
func (s *session) task(o *object) (core.Task, error) {
	t := core.Task{Task: *o.row.(*queries.Task)}
	if o.id() == 0 {
		return t, nil
	}
	states, err := s.db.StatesOfTasks(s.ctx, only(o.id()))
	if err != nil {
		return t, fmt.Errorf("reading the states of a task: %w", err)
	}
	for _, r := range states {
		t.States = append(t.States, core.State{ResultID: r.ID, Status: r.Status, FinishedAt: r.FinishedAt})
	}
	return t, nil
}

// nextRun gives the run id after the highest one, and takes none.
func nextRun(c call) (starlark.Value, error) {
	if err := c.unpack(); err != nil {
		return nil, err
	}
	highest, err := c.core.HighestRun(c.ctx)
	return starlark.MakeInt64(highest + 1), err
}

// resultsForNode gives the results that are for the organization of a node.
func resultsForNode(c call) (starlark.Value, error) {
	node, err := c.one("node", "Node")
	if err != nil {
		return nil, err
	}
	organization := node.row.(*nodeRow).OrganizationID
	if organization == nil {
		return starlark.NewList(nil), nil
	}
	list, err := c.find(c.models["Result"], filter{"task_id": c.object.id(), "organization_id": *organization})
	return listOf(list), err
}
