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

// Result is what one organization has to do, or has done, for a task.
type Result struct {
	ID                             int64
	TaskID, OrganizationID         *int64
	Status                         *string
	AssignedAt, StartedAt, EndedAt *time.Time
	Input, Output, Log             *string // opaque texts (SECURITY T04)
	Node                           *ResultNode
	Ports                          []Port
	Task                           *Task // when it was asked for and the caller may see it
}

// ResultNode is the node of a result's organization in its collaboration.
type ResultNode struct {
	ID               int64
	Name, IP, Status *string
}

// ResultFilter narrows a list; nil and false narrow nothing. The bounds of times are
// included.
type ResultFilter struct {
	TaskID, OrganizationID, NodeID *int64
	Port                           *int64 // of an algorithm
	Open                           bool   // without an end
	AssignedFrom, AssignedTill     *time.Time
	StartedFrom, StartedTill       *time.Time
	EndedFrom, EndedTill           *time.Time
	run                            *int64
}

// none tells whether nothing is filtered by: then counters know the number of rows.
func (f ResultFilter) none() bool { return f == ResultFilter{} }

// selective tells whether a filter has an index of its own. Organization and
// collaboration of a node have one together, when only what is open is asked for.
func (f ResultFilter) selective() bool {
	return f.TaskID != nil || f.Port != nil || f.run != nil || f.OrganizationID != nil && f.NodeID == nil
}

// Results lists those that the caller may see, newest first, contract 20 §8.1, and
// how many there are in all. With tasks it shows their tasks in full, as far as the
// caller may see them.
func (c *Core) Results(ctx context.Context, g access.Grant, f ResultFilter, p Page, tasks bool) ([]Result, int64, error) {
	r, err := c.reach(ctx, g)
	if err != nil {
		return nil, 0, err
	}
	f.run = r.run
	if f.NodeID != nil {
		if r, err = c.ofNode(ctx, r, &f); err != nil {
			return nil, 0, err
		}
	}
	rows, err := newest(r, p, f.selective(), resultsOf,
		func(b bounds) ([]queries.Result, error) { return c.db.ListResults(ctx, f.list(b)) },
		func(r queries.Result) int64 { return r.ID })
	if err != nil {
		return nil, 0, fmt.Errorf("listing results: %w", err)
	}
	total, err := p.total(len(rows), func() (int64, error) { return c.countResults(ctx, r, f) })
	if err != nil {
		return nil, 0, fmt.Errorf("counting results: %w", err)
	}
	list, err := c.results(ctx, rows)
	if err == nil && tasks {
		err = c.embedTasks(ctx, access.Judge(g.Actor(), access.Tasks, access.View), list)
	}
	return list, total, err
}

func resultsOf(row queries.CollaborationsInReachRow) int64 { return row.ResultCount }

// ofNode narrows a list to what a node has to do: the results of its organization in
// its collaboration.
func (c *Core) ofNode(ctx context.Context, r reach, f *ResultFilter) (reach, error) {
	node, err := c.db.PlaceOfNode(ctx, *f.NodeID)
	if queries.Missing(err) {
		return reach{}, nil
	}
	if err != nil {
		return r, fmt.Errorf("reading the place of a node: %w", err)
	}
	if node.CollaborationID == nil || node.OrganizationID == nil ||
		f.OrganizationID != nil && *f.OrganizationID != *node.OrganizationID {
		return reach{}, nil
	}
	f.OrganizationID = node.OrganizationID
	return c.only(ctx, r, node.CollaborationID)
}

func (f ResultFilter) list(b bounds) queries.ListResultsParams {
	a := queries.ListResultsParams{
		CollaborationID: b.collaboration, Within: b.within, RunID: f.run, TaskID: f.TaskID, OrganizationID: f.OrganizationID,
		Port: f.Port, AssignedFrom: at(f.AssignedFrom), AssignedTill: at(f.AssignedTill), StartedFrom: at(f.StartedFrom),
		StartedTill: at(f.StartedTill), FinishedFrom: at(f.EndedFrom), FinishedTill: at(f.EndedTill), Lim: b.limit, Off: b.offset,
	}
	if f.Open {
		a.Open = &f.Open
	}
	return a
}

// countResults reads the counters where they know the number, else it counts.
func (c *Core) countResults(ctx context.Context, r reach, f ResultFilter) (int64, error) {
	if f.none() && r.all {
		return c.db.CountAllResults(ctx)
	}
	return counted(r, f.selective(), resultsOf, f.none(), func(b bounds) (int64, error) {
		a := f.list(b)
		return c.db.CountResults(ctx, queries.CountResultsParams{
			CollaborationID: a.CollaborationID, Within: a.Within, RunID: a.RunID, TaskID: a.TaskID, OrganizationID: a.OrganizationID,
			Port: a.Port, Open: a.Open, AssignedFrom: a.AssignedFrom, AssignedTill: a.AssignedTill, StartedFrom: a.StartedFrom,
			StartedTill: a.StartedTill, FinishedFrom: a.FinishedFrom, FinishedTill: a.FinishedTill,
		})
	})
}

// ResultsOfTask lists the results of one task, oldest first, contract 20 §7.5, and
// how many there are in all.
func (c *Core) ResultsOfTask(ctx context.Context, g access.Grant, task int64, p Page) ([]Result, int64, error) {
	if _, err := c.seenTask(ctx, g, task, "Task id=%d not found"); err != nil {
		return nil, 0, err
	}
	rows, err := c.db.ResultsOfTask(ctx, queries.ResultsOfTaskParams{TaskID: &task, Lim: p.limit(), Off: p.offset()})
	if err != nil {
		return nil, 0, fmt.Errorf("listing the results of a task: %w", err)
	}
	total, err := p.total(len(rows), func() (int64, error) { return c.db.CountResultsOfTask(ctx, &task) })
	if err != nil {
		return nil, 0, fmt.Errorf("counting the results of a task: %w", err)
	}
	list, err := c.results(ctx, rows)
	return list, total, err
}

// Result gives one, contract 20 §8.2, with its task in full when it is asked for and
// the caller may see it.
func (c *Core) Result(ctx context.Context, g access.Grant, id int64, task bool) (Result, error) {
	row, err := c.db.GetResult(ctx, id)
	if queries.Missing(err) {
		return Result{}, noResult(id)
	}
	if err != nil {
		return Result{}, fmt.Errorf("reading a result: %w", err)
	}
	ok, err := c.sees(ctx, g, row.Result.CollaborationID, row.RunID)
	if err != nil {
		return Result{}, err
	}
	if !ok {
		return Result{}, fault.Deny()
	}
	list, err := c.results(ctx, []queries.Result{row.Result})
	if err == nil && task {
		err = c.embedTasks(ctx, access.Judge(g.Actor(), access.Tasks, access.View), list)
	}
	if err != nil {
		return Result{}, err
	}
	return list[0], nil
}

func noResult(id int64) error { return fault.New(fault.Missing, "Result id=%d not found!", id) }

// results adds what the rows of a page show beside themselves, with one query a
// relation. The large texts are read here and nowhere else.
func (c *Core) results(ctx context.Context, rows []queries.Result) ([]Result, error) {
	list := make([]Result, len(rows))
	if len(rows) == 0 {
		return list, nil
	}
	ids := make([]int64, len(rows))
	place := make(map[int64]*Result, len(rows))
	for i, r := range rows {
		ids[i] = r.ID
		list[i] = Result{
			ID: r.ID, TaskID: r.TaskID, OrganizationID: r.OrganizationID, Status: r.Status,
			AssignedAt: moment(r.AssignedAt), StartedAt: moment(r.StartedAt), EndedAt: moment(r.FinishedAt),
		}
		place[r.ID] = &list[i]
	}
	set := idSet(ids)
	payloads, err1 := c.db.PayloadsOfResults(ctx, set)
	nodes, err2 := c.db.NodesOfResults(ctx, set)
	ports, err3 := c.db.PortsOfResults(ctx, set)
	if err := first(err1, err2, err3); err != nil {
		return nil, fmt.Errorf("reading what belongs to results: %w", err)
	}
	for _, p := range payloads {
		r := place[p.ResultID]
		r.Input, r.Output, r.Log = p.Input, p.Result, p.Log
	}
	for _, n := range nodes {
		place[n.ResultID].Node = &ResultNode{ID: n.ID, Name: n.Name, IP: n.IP, Status: n.Status}
	}
	for _, p := range ports {
		r := place[*p.ResultID]
		r.Ports = append(r.Ports, p)
	}
	return list, nil
}

// embedResults shows the results of tasks in full; tasks whose results the caller may
// not see keep their links (SECURITY T07).
func (c *Core) embedResults(ctx context.Context, g access.Grant, tasks []Task) error {
	r, err := c.reach(ctx, g)
	if fault.Is(err, fault.Denied) {
		return nil
	}
	if err != nil {
		return err
	}
	var ids []int64
	place := map[int64]*Task{}
	for i := range tasks {
		if t := &tasks[i]; r.covers(t.CollaborationID, t.RunID) {
			t.Results = []Result{}
			place[t.ID] = t
			ids = append(ids, t.ID)
		}
	}
	rows, err := c.db.ResultsOfTasks(ctx, idSet(ids))
	if err != nil {
		return fmt.Errorf("reading the results of tasks: %w", err)
	}
	list, err := c.results(ctx, rows)
	if err != nil {
		return err
	}
	for _, r := range list {
		t := place[*r.TaskID]
		t.Results = append(t.Results, r)
	}
	return nil
}

// embedTasks shows the tasks of results in full; results whose task the caller may
// not see keep their link (SECURITY T07).
func (c *Core) embedTasks(ctx context.Context, g access.Grant, results []Result) error {
	r, err := c.reach(ctx, g)
	if fault.Is(err, fault.Denied) {
		return nil
	}
	if err != nil {
		return err
	}
	var ids []int64
	for _, r := range results {
		if r.TaskID != nil {
			ids = append(ids, *r.TaskID)
		}
	}
	rows, err := c.db.TasksByID(ctx, idSet(ids))
	if err != nil {
		return fmt.Errorf("reading the tasks of results: %w", err)
	}
	list, err := c.tasks(ctx, g.Actor(), rows, false)
	if err != nil {
		return err
	}
	by := map[int64]*Task{}
	for i := range list {
		if t := &list[i]; r.covers(t.CollaborationID, t.RunID) {
			by[t.ID] = t
		}
	}
	for i := range results {
		if id := results[i].TaskID; id != nil {
			results[i].Task = by[*id]
		}
	}
	return nil
}

// ResultFields are what a node can write; nil leaves the stored value as it is.
type ResultFields struct {
	StartedAt, EndedAt  *time.Time
	Status, Output, Log *string
}

// ChangeResult writes what a node says about a result of its own, contract 20 §8.3.
// A finished result takes nothing more.
func (c *Core) ChangeResult(ctx context.Context, g access.Grant, id int64, in Sent[ResultFields]) (Result, error) {
	var row queries.GetResultRow
	err := c.inTx(ctx, func(ctx context.Context, t *tx) error {
		stored, err := t.ownResult(ctx, g.Actor(), id, "This is not your result to PATCH!")
		if err != nil {
			return err
		}
		finished := fault.New(fault.Invalid, "Cannot update an already finished result!")
		if stored.FinishedAt != nil {
			return finished
		}
		if err := first(in.Fault, fitsEncryption("result", in.Fields.Output, value(stored.Encrypted))); err != nil {
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
	list, err := c.results(ctx, []queries.Result{row.Result})
	if err != nil {
		return Result{}, err
	}
	return list[0], nil
}

// ownResult reads a result that a node may write: one of its organization in its
// collaboration, as long as the one is a member of the other (contract 20 §17 S1).
func (t *tx) ownResult(ctx context.Context, a access.Actor, id int64, denied string) (queries.ResultForPatchRow, error) {
	row, err := t.ResultForPatch(ctx, id)
	if queries.Missing(err) {
		return row, noResult(id)
	}
	if err != nil {
		return row, fmt.Errorf("reading a result: %w", err)
	}
	if !row.Member || value(row.OrganizationID) != a.OrganizationID || value(row.CollaborationID) != a.CollaborationID {
		return row, fault.New(fault.Denied, "%s", denied)
	}
	return row, nil
}

// writeResult tells whether it wrote. Nodes before 3.6 finish a result without a
// word about its status: it is completed then, unless something has failed (contract
// 20 §16.6).
func (t *tx) writeResult(ctx context.Context, id int64, status *string, f ResultFields) (bool, error) {
	if f.EndedAt != nil && f.Status == nil && slices.Contains([]string{"pending", "initializing", "active"}, value(status)) {
		completed := "completed"
		f.Status = &completed
	}
	n, err := t.UpdateResult(ctx, queries.UpdateResultParams{
		StartedAt: at(f.StartedAt), FinishedAt: at(f.EndedAt), Status: f.Status, ID: id,
	})
	if err != nil || n == 0 || f.Output == nil && f.Log == nil {
		return n > 0, err
	}
	return true, t.KeepOutput(ctx, queries.KeepOutputParams{ResultID: id, Result: f.Output, Log: f.Log})
}
