package shell

import (
	"context"
	"fmt"

	"go.starlark.net/starlark"

	"vserver/queries"
)

// resultRow is a result with its large texts, which are read when they are asked for.
type resultRow struct {
	queries.Result
	texts queries.Payload
}

func results() *model {
	apart := func(name string, at func(*resultRow) any) column {
		c := field(name, at)
		c.apart = true
		return c
	}
	return &model{
		name: "Result", table: "result",
		columns: []column{
			idColumn(func(r *resultRow) *int64 { return &r.ID }),
			apart("input", func(r *resultRow) any { return &r.texts.Input }),
			field("task_id", func(r *resultRow) any { return &r.TaskID }),
			field("organization_id", func(r *resultRow) any { return &r.OrganizationID }),
			apart("result", func(r *resultRow) any { return &r.texts.Result }),
			field("assigned_at", func(r *resultRow) any { return &r.AssignedAt }),
			field("started_at", func(r *resultRow) any { return &r.StartedAt }),
			field("finished_at", func(r *resultRow) any { return &r.FinishedAt }),
			field("status", func(r *resultRow) any { return &r.Status }),
			apart("log", func(r *resultRow) any { return &r.texts.Log }),
		},
		relations: []relation{
			{name: "task", target: "Task", key: "task_id"},
			{name: "organization", target: "Organization", key: "organization_id"},
			{name: "ports", target: "AlgorithmPort", by: "result_id"},
		},
		virtuals: []virtual{
			{"complete", func(_ *session, o *object) (starlark.Value, error) { return starlark.Bool(finished(o)), nil }, nil},
			{"node", nodeOfResult, nil},
		},
		show: showResult,
		rows: resultRows.any(),
	}
}

var resultRows = typed[resultRow]{
	find: func(ctx context.Context, q *queries.Queries, f filter) ([]resultRow, error) {
		found, err := q.ShellResults(ctx, queries.ShellResultsParams{
			ID: f.number("id"), TaskID: f.number("task_id"), OrganizationID: f.number("organization_id"),
		})
		list := make([]resultRow, len(found))
		for i, r := range found {
			list[i].Result = r
		}
		return list, err
	},
	insert: func(ctx context.Context, tx *queries.Tx, r *resultRow) (int64, error) {
		if r.AssignedAt == nil {
			r.AssignedAt = &tx.Now
		}
		return tx.ShellAddResult(ctx, r.AssignedAt)
	},
	hold: func(ctx context.Context, tx *queries.Tx, id int64) (resultRow, error) {
		r, err := tx.ShellHoldResult(ctx, id)
		return resultRow{Result: r}, err
	},
	update: func(ctx context.Context, tx *queries.Tx, r *resultRow, set names) error {
		if set["input"] || set["result"] || set["log"] {
			err := tx.ShellSavePayload(ctx, queries.ShellSavePayloadParams{
				ResultID: r.ID, Input: r.texts.Input, Result: r.texts.Result, Log: r.texts.Log,
			})
			if err != nil {
				return err
			}
		}
		return tx.ShellSaveResult(ctx, queries.ShellSaveResultParams{
			TaskID: r.TaskID, OrganizationID: r.OrganizationID, AssignedAt: r.AssignedAt, StartedAt: r.StartedAt,
			FinishedAt: r.FinishedAt, Status: r.Status, ID: r.ID,
		})
	},
	remove: func(ctx context.Context, tx *queries.Tx, id int64) error { return tx.ShellDeleteResult(ctx, id) },
	rest: func(ctx context.Context, q *queries.Queries, r *resultRow) error {
		texts, err := q.ShellPayload(ctx, r.ID)
		if queries.Missing(err) {
			return nil
		}
		r.texts = texts
		return err
	},
}

func finished(o *object) bool { return o.row.(*resultRow).FinishedAt != nil }

// nodeOfResult gives the node of the result's organization in the task's
// collaboration, or None.
func nodeOfResult(s *session, o *object) (starlark.Value, error) {
	found, err := s.db.NodesOfResults(s.ctx, only(o.id()))
	if err != nil {
		return nil, fmt.Errorf("reading the node of a result: %w", err)
	}
	if len(found) == 0 {
		return starlark.None, nil
	}
	return s.first(s.models["Node"], filter{"id": found[0].ID})
}

func showResult(s *session, o *object) string {
	collaboration := "None"
	if task, err := s.related(o, o.model.relation("task")); err != nil {
		collaboration = "?"
	} else if t, ok := task.(*object); ok {
		collaboration = s.nameOf(t, "collaboration", "name")
	}
	return fmt.Sprintf("<Result %s: '%s', organization: %s, collaboration: %s, is_complete: %s>", str(o.idValue()),
		s.nameOf(o, "task", "name"), s.nameOf(o, "organization", "name"), collaboration, str(starlark.Bool(finished(o))))
}

func ports() *model {
	type row = queries.Port
	return &model{
		name: "AlgorithmPort", table: "algorithmport",
		columns: []column{
			idColumn(func(r *row) *int64 { return &r.ID }),
			field("port", func(r *row) any { return &r.Port }),
			field("result_id", func(r *row) any { return &r.ResultID }),
			field("label", func(r *row) any { return &r.Label }),
		},
		relations: []relation{{name: "result", target: "Result", key: "result_id"}},
		show: func(s *session, o *object) string {
			return fmt.Sprintf("<AlgorithmPort %s: port: %s, label: %s, result: %s>",
				str(o.idValue()), s.shown(o, "port"), s.shown(o, "label"), s.shown(o, "result_id"))
		},
		rows: typed[row]{
			find: func(ctx context.Context, q *queries.Queries, f filter) ([]row, error) {
				return q.ShellPorts(ctx, f.number("id"), f.number("result_id"))
			},
			insert: func(ctx context.Context, tx *queries.Tx, _ *row) (int64, error) { return tx.ShellAddPort(ctx) },
			hold:   func(ctx context.Context, tx *queries.Tx, id int64) (row, error) { return tx.ShellHoldPort(ctx, id) },
			update: func(ctx context.Context, tx *queries.Tx, r *row, _ names) error {
				return tx.ShellSavePort(ctx, queries.ShellSavePortParams{Port: r.Port, ResultID: r.ResultID, Label: r.Label, ID: r.ID})
			},
			remove: func(ctx context.Context, tx *queries.Tx, id int64) error { return tx.ShellDeletePort(ctx, id) },
		}.any(),
	}
}
