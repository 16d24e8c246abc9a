package shell

import (
	"context"
	"fmt"

	"go.starlark.net/starlark"

	"vserver/queries"
	"vserver/service/core"
)

// resultRow is a result with its large texts, each of which is read when it is asked for.
type resultRow struct {
	queries.Result
	Texts queries.Payload
}

func results() *model {
	return &model{
		name: "Result", table: "result",
		columns: columnsOf[resultRow]("id input task_id organization_id result assigned_at started_at finished_at status log",
			column{name: "input", deferred: true}, column{name: "result", deferred: true}, column{name: "log", deferred: true}),
		relations: []relation{
			{name: "task", target: "Task", key: "task_id"},
			{name: "organization", target: "Organization", key: "organization_id"},
			{name: "ports", target: "AlgorithmPort", by: "result_id"},
		},
		virtuals: []virtual{
			{"complete", func(_ *session, o *object) (starlark.Value, error) {
				return starlark.Bool(o.row.(*resultRow).FinishedAt != nil), nil
			}, nil},
			{"node", nodeOfResult, nil},
		},
		line: "<Result {id}: '{task.name}', organization: {organization.name}, collaboration: {task.collaboration.name}, is_complete: {complete}>",
		rows: resultRows,
	}
}

var resultRows = table[resultRow]{
	query: func(q *queries.Queries, ctx context.Context, f filter) ([]resultRow, error) {
		found, err := filtered((*queries.Queries).FindResults)(q, ctx, f)
		list := make([]resultRow, len(found))
		for i, r := range found {
			list[i].Result = r
		}
		return list, err
	},
	held: func(t *core.Tx, ctx context.Context, id int64) (resultRow, error) {
		r, err := t.HoldResult(ctx, id)
		return resultRow{Result: r}, err
	},
	add: func(t *core.Tx, ctx context.Context, r *resultRow) error {
		if r.AssignedAt == nil {
			r.AssignedAt = &t.Now
		}
		return t.AddResult(ctx, &r.Result)
	},
	save:       func(t *core.Tx, ctx context.Context, r resultRow) error { return t.SaveResult(ctx, r.Result) },
	removeByID: (*core.Tx).RemoveResult,
	with: func(t *core.Tx, ctx context.Context, r *resultRow, set names) error {
		for name, text := range r.texts() {
			if !set[name] {
				continue
			}
			if err := t.SaveText(ctx, r.ID, name, *text); err != nil {
				return err
			}
		}
		return nil
	},
	deferred: func(q *queries.Queries, ctx context.Context, r *resultRow, column string) (err error) {
		*r.texts()[column], err = core.StoredText(ctx, q, r.ID, column)
		return err
	},
}

// texts are the large texts by their names.
func (r *resultRow) texts() map[string]**core.Opaque {
	return map[string]**core.Opaque{"input": &r.Texts.Input, "result": &r.Texts.Result, "log": &r.Texts.Log}
}

// nodeOfResult returns the node of the result's organization in the task's
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

func ports() *model {
	return &model{
		name: "AlgorithmPort", table: "algorithmport",
		columns:   columnsOf[queries.Port]("id port result_id label"),
		relations: []relation{{name: "result", target: "Result", key: "result_id"}},
		line:      "<AlgorithmPort {id}: port: {port}, label: {label}, result: {result_id}>",
		rows: table[queries.Port]{
			query: filtered((*queries.Queries).ListPorts),
			held:  (*core.Tx).HoldPort, add: (*core.Tx).AddPort, save: (*core.Tx).SavePort, removeByID: (*core.Tx).RemovePort,
		},
	}
}
