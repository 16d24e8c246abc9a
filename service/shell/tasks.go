package shell

import (
	"context"
	"fmt"

	"go.starlark.net/starlark"

	"vserver/queries"
	"vserver/service/core"
)

func tasks() *model {
	return &model{
		name: "Task", table: "task",
		columns: columnsOf[queries.Task]("id name description image collaboration_id run_id parent_id database initiator_id init_user_id"),
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
				return starlark.String(t.Status), err
			}, nil},
			{"created_at", func(_ *session, o *object) (starlark.Value, error) {
				return outOf(&o.row.(*queries.Task).CreatedAt), nil
			}, nil},
			{"finished_at", func(s *session, o *object) (starlark.Value, error) {
				t, err := s.task(o)
				if at := t.FinishedAt(); at != nil {
					return datetime{Time: *at}, err
				}
				return starlark.None, err
			}, nil},
		},
		methods: []method{
			{"next_run_id", true, plain(nextRun)},
			{"results_for_node", false, resultsForNode},
		},
		line: "<Task {id}: '{name}', collaboration:{collaboration.name}>",
		rows: taskRows,
	}
}

var taskRows = table[queries.Task]{
	query: filtered((*queries.Queries).ListTasks), held: (*core.Tx).HoldTask,
	add: func(t *core.Tx, ctx context.Context, r *queries.Task) error {
		r.CreatedAt = &t.Now
		return t.AddTask(ctx, r)
	},
	save: (*core.Tx).SaveTask, removeByID: (*core.Tx).RemoveTask,
	with: func(t *core.Tx, ctx context.Context, r *queries.Task, _ names) error {
		if r.RunID == nil {
			return nil
		}
		return t.KeepRun(ctx, *r.RunID)
	},
}

// task returns a task with the states of its results, as the use cases judge it.
func (s *session) task(o *object) (core.Task, error) {
	t := core.Task{Task: *o.row.(*queries.Task)}
	if o.id() == 0 {
		t.Status = core.StatusUnknown
		return t, nil
	}
	now, err := s.db.GetTask(s.ctx, o.id())
	if err != nil && !queries.Missing(err) {
		return t, fmt.Errorf("reading the status of a task: %w", err)
	}
	t.Status = now.Status // results may have changed it since the object was read
	states, err := s.db.StatesOfTasks(s.ctx, only(o.id()))
	if err != nil {
		return t, fmt.Errorf("reading the states of a task: %w", err)
	}
	for _, r := range states {
		t.States = append(t.States, core.State{ResultID: r.ID, FinishedAt: r.FinishedAt})
	}
	return t, nil
}

// nextRun returns the run id after the highest one, and takes none.
func nextRun(c call) (starlark.Value, error) {
	highest, err := c.core.HighestRun(c.ctx)
	return starlark.MakeInt64(highest + 1), err
}

// resultsForNode returns the results that are for the organization of a node.
func resultsForNode(c call) (starlark.Value, error) {
	node, err := c.one("node", "Node")
	if err != nil {
		return nil, err
	}
	organization := node.row.(*nodeRow).Node.OrganizationID
	if organization == nil {
		return starlark.NewList(nil), nil
	}
	list, err := c.find(c.models["Result"], filter{"task_id": c.object.id(), "organization_id": *organization})
	return listOf(list), err
}
