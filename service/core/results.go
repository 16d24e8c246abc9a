package core

import (
	"context"
	"fmt"
	"slices"
	"sync"
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
	Input, Output, Log             *Text
	Node                           *ResultNode
	Ports                          []Port
	Task                           *Task // when it was asked for and the caller may see it
}

// Opaque is a text that the server stores and hands out unchanged (/docs/security#t04).
type Opaque = queries.Opaque

// AddHalf adds half of a surrogate pair to what becomes an Opaque.
func AddHalf(b []byte, half rune) []byte { return queries.AppendHalf(b, half) }

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

// none reports whether nothing is filtered by: then counters know the number of rows.
func (f ResultFilter) none() bool { return f == ResultFilter{} }

// selective reports whether a filter has an index of its own. Organization and
// collaboration of a node have one together, when only what is open is asked for.
func (f ResultFilter) selective() bool {
	return f.TaskID != nil || f.Port != nil || f.run != nil || f.OrganizationID != nil && f.NodeID == nil
}

// Results lists those that the caller may see, newest first (/docs/results#list). With
// tasks it shows their tasks in full, as far as the caller may see them.
func (c *Core) Results(ctx context.Context, g access.Grant[access.ViewResults], f ResultFilter, p Page, tasks bool) (List[Result], error) {
	r, err := c.visibilityOf(ctx, g)
	if err != nil {
		return List[Result]{}, err
	}
	f.run = r.run
	if f.NodeID != nil {
		if r, err = c.ofNode(ctx, r, &f); err != nil {
			return List[Result]{}, err
		}
	}
	by, err := c.indexOfResults(ctx, r, f)
	if err != nil || by.empty {
		return List[Result]{}, err
	}
	read := func(w window) ([]queries.Result, error) {
		return newest(r, w, by.selective, resultsOf,
			func(b bounds) ([]queries.Result, error) { return by.readers(c.db, &b).ListResults(ctx, f.list(b)) }, resultID)
	}
	reader := c.resultReader(ctx, g, tasks, read, func() (int64, error) { return c.countResults(ctx, r, f, by.selective) })
	reader.seek = func(place int64, backwards bool) (int64, error) {
		b := r.everywhere(by.selective)
		return by.readers(c.db, &b).Seek(ctx, queries.ListResults, f.list(b), place, backwards)
	}
	list, err := reader.readPage(p)
	if err != nil {
		return list, fmt.Errorf("listing results: %w", err)
	}
	return list, nil
}

// TasksOfNode lists the tasks that a node has not ended yet, the oldest first. What it has started counts: a result
// that is ready while the connection of a node is away is forgotten by the node, which has to compute it again.
func (c *Core) TasksOfNode(ctx context.Context, g access.Grant[access.NodeItself], most int64) ([]int64, error) {
	node := g.Actor()
	tasks, err := c.db.OpenTasks(ctx, queries.OpenTasksParams{CollaborationID: &node.CollaborationID, OrganizationID: &node.OrganizationID, Lim: most})
	if err != nil {
		return nil, fmt.Errorf("looking for open tasks of node %d: %w", node.ID, err)
	}
	return tasks, nil
}

// indexOfResults chooses the index that a list is read by.
func (c *Core) indexOfResults(ctx context.Context, r visibility, f ResultFilter) (listIndex, error) {
	if f.TaskID != nil || f.Port != nil || f.run != nil || f.OrganizationID == nil || f.NodeID != nil || f.Open {
		return listIndex{selective: f.selective()}, nil
	}
	return chooseIndex(ctx, r, r.rows(resultsOf), []tallied{c.ofOrganization(*f.OrganizationID)})
}

// ofOrganization is the filter for an organization's results.
func (c *Core) ofOrganization(id int64) tallied {
	return tallied{"organization_id", &c.talliedResults, func(ctx context.Context, within *string, till int64) (talliedSum, error) {
		n, err := c.db.CountResultsOfOrganization(ctx, queries.CountResultsOfOrganizationParams{OrganizationID: idText(id), Within: within, Tallied: till})
		return talliedSum(n), err
	}}
}

func resultID(r queries.Result) int64 { return r.ID }

// resultReader is a list of results in parts, none with more text than may be held
// at once.
func (c *Core) resultReader(ctx context.Context, g access.AnyGrant, tasks bool,
	read func(window) ([]queries.Result, error), count func() (int64, error),
) listReader[queries.Result, Result] {
	sight := sync.OnceValues(func() (visibility, error) { return c.visibilityOf(ctx, access.Embedded[access.ViewTasks](g)) })
	return listReader[queries.Result, Result]{
		read: func(w window) ([]queries.Result, bool, error) {
			w.limit = min(w.limit, partRows)
			rows, err := read(w)
			if err != nil || len(rows) < 2 {
				return rows, int64(len(rows)) == w.limit, err
			}
			fit, err := c.fitting(ctx, rows)
			return rows[:fit], fit < len(rows) || int64(len(rows)) == w.limit, err
		},
		id: resultID,
		show: func(rows []queries.Result) ([]Result, error) {
			if tasks {
				return c.resultsWithTasks(ctx, sight, rows)
			}
			return c.wholeResults(ctx, rows, true)
		},
		count: count,
	}
}

// partBytes is how much of the texts that lie in rows is held at once, when one result alone
// has no more.
const partBytes = 512 << 10

// fitting returns how many of the rows, at least one, may be in memory together with their
// texts. It does not read the texts.
func (c *Core) fitting(ctx context.Context, rows []queries.Result) (int, error) {
	sum, err := c.db.BytesOfPayloads(ctx, idSet(idsOf(rows)))
	if err != nil {
		return 0, fmt.Errorf("reading the size of results: %w", err)
	}
	if sum <= partBytes {
		return len(rows), nil
	}
	sizes, err := c.sizesOfTexts(ctx, rows)
	if err != nil {
		return 0, err
	}
	return countFitting(rows, sizes), nil
}

func countFitting(rows []queries.Result, sizes map[int64]queries.SizesOfPayloadsRow) int {
	sum := int64(0)
	for i, r := range rows {
		s := sizes[r.ID]
		if sum += max(s.Input, 0) + max(s.Result, 0) + max(s.Log, 0); sum > partBytes && i > 0 {
			return i
		}
	}
	return len(rows)
}

// sizesOfTexts reads the lengths of the texts that lie in rows.
func (c *Core) sizesOfTexts(ctx context.Context, rows []queries.Result) (map[int64]queries.SizesOfPayloadsRow, error) {
	sizes, err := c.db.SizesOfPayloads(ctx, idSet(idsOf(rows)))
	if err != nil {
		return nil, fmt.Errorf("reading the sizes of results: %w", err)
	}
	by := make(map[int64]queries.SizesOfPayloadsRow, len(sizes))
	for _, s := range sizes {
		by[s.ResultID] = s
	}
	return by, nil
}

func idsOf(rows []queries.Result) []int64 {
	ids := make([]int64, len(rows))
	for i, r := range rows {
		ids[i] = r.ID
	}
	return ids
}

func resultsOf(row queries.CollaborationsInReachRow) int64 { return row.ResultCount }

// ofNode narrows a list to what a node has to do: the results of its organization in
// its collaboration.
func (c *Core) ofNode(ctx context.Context, r visibility, f *ResultFilter) (visibility, error) {
	node, err := c.db.PlaceOfNode(ctx, *f.NodeID)
	if queries.Missing(err) {
		return visibility{}, nil
	}
	if err != nil {
		return r, fmt.Errorf("reading the place of a node: %w", err)
	}
	if node.CollaborationID == nil || node.OrganizationID == nil ||
		f.OrganizationID != nil && *f.OrganizationID != *node.OrganizationID {
		return visibility{}, nil
	}
	f.OrganizationID = node.OrganizationID
	return c.narrowTo(ctx, r, node.CollaborationID)
}

func (f ResultFilter) list(b bounds) queries.ListResultsParams {
	a := queries.ListResultsParams{
		CollaborationID: b.collaboration, Within: b.within, RunID: f.run, TaskID: f.TaskID, OrganizationID: f.OrganizationID,
		Port: f.Port, AssignedFrom: storedTime(f.AssignedFrom), AssignedTill: storedTime(f.AssignedTill), StartedFrom: storedTime(f.StartedFrom),
		StartedTill: storedTime(f.StartedTill), FinishedFrom: storedTime(f.EndedFrom), FinishedTill: storedTime(f.EndedTill),
		Before: b.cursor, Lim: b.limit, Off: b.offset,
	}
	if f.Open {
		a.Open = &f.Open
	}
	return a
}

// countResults reads the counters where they know the number, else it counts.
func (c *Core) countResults(ctx context.Context, r visibility, f ResultFilter, selective bool) (int64, error) {
	if f.none() && r.all {
		return c.db.CountAllResults(ctx)
	}
	if of := f.OrganizationID; of != nil && f == (ResultFilter{OrganizationID: of}) {
		return c.ofOrganization(*of).count(ctx, r.within())
	}
	return counted(r, selective, resultsOf, f.none(), func(b bounds) (int64, error) {
		return c.db.KeptCount(ctx, queries.ListResults, f.list(b))
	})
}

// ResultsOfTask lists the results of one task, oldest first (/docs/results#of-task).
func (c *Core) ResultsOfTask(ctx context.Context, g access.Grant[access.ViewResults], task int64, p Page) (List[Result], error) {
	if _, err := c.visibleTask(ctx, g, task, "Task id=%d not found"); err != nil {
		return List[Result]{}, err
	}
	read := func(w window) ([]queries.Result, error) {
		return c.db.ListResultsOfTask(ctx, queries.ListResultsOfTaskParams{TaskID: &task, After: w.cursor, Lim: w.limit, Off: w.offset})
	}
	count := func() (int64, error) {
		return c.db.Count(ctx, queries.ListResultsOfTask, queries.ListResultsOfTaskParams{TaskID: &task})
	}
	reader := c.resultReader(ctx, g, false, read, count)
	reader.up = true
	reader.seek = func(place int64, backwards bool) (int64, error) {
		return c.db.Seek(ctx, queries.ListResultsOfTask, queries.ListResultsOfTaskParams{TaskID: &task}, place, backwards)
	}
	list, err := reader.readPage(p)
	if err != nil {
		return list, fmt.Errorf("listing the results of a task: %w", err)
	}
	return list, nil
}

// Result returns one (/docs/results#get), with its task in full when it is asked for and
// the caller may see it.
func (c *Core) Result(ctx context.Context, g access.Grant[access.ViewResults], id int64, task bool) (Result, error) {
	row, err := c.db.GetResult(ctx, id)
	if queries.Missing(err) {
		return Result{}, noResult(id)
	}
	if err != nil {
		return Result{}, fmt.Errorf("reading a result: %w", err)
	}
	ok, err := c.mayView(ctx, g, row.Result.CollaborationID, row.RunID)
	if err != nil {
		return Result{}, err
	}
	if !ok {
		return Result{}, fault.Deny()
	}
	var list []Result
	if rows := []queries.Result{row.Result}; task {
		list, err = c.resultsWithTasks(ctx, func() (visibility, error) { return c.visibilityOf(ctx, access.Embedded[access.ViewTasks](g)) }, rows)
	} else {
		list, err = c.wholeResults(ctx, rows, true)
	}
	if err != nil {
		return Result{}, err
	}
	return list[0], nil
}

func noResult(id int64) error { return fault.New(fault.Missing, "Result id=%d not found!", id) }

// wholeResults adds what the rows of a page show beside themselves, with one query a
// relation. Texts are read where they fit into memory, which is known of rows that were
// chosen so; the others come in pieces.
func (c *Core) wholeResults(ctx context.Context, rows []queries.Result, chosen bool) ([]Result, error) {
	list := make([]Result, len(rows))
	if len(rows) == 0 {
		return list, nil
	}
	place := make(map[int64]*Result, len(rows))
	for i, r := range rows {
		list[i] = Result{
			ID: r.ID, TaskID: r.TaskID, OrganizationID: r.OrganizationID, Status: r.Status,
			AssignedAt: moment(r.AssignedAt), StartedAt: moment(r.StartedAt), EndedAt: moment(r.FinishedAt),
		}
		place[r.ID] = &list[i]
	}
	beside, err := c.besideResults(ctx, rows)
	err0 := c.addTextsTo(ctx, place, rows, beside.Streams, chosen)
	err1 := c.addNodesTo(ctx, list, rows)
	var ports []queries.Port
	var err2 error
	if beside.Ports {
		ports, err2 = c.db.PortsOfResults(ctx, idSet(idsOf(rows)))
	}
	if err := firstError(err, err0, err1, err2); err != nil {
		return nil, fmt.Errorf("reading what belongs to results: %w", err)
	}
	for _, p := range ports {
		r := place[*p.ResultID]
		r.Ports = append(r.Ports, p)
	}
	return list, nil
}

// besideResults looks what there may be beside the rows of results. For a few it is asked for at once.
func (c *Core) besideResults(ctx context.Context, rows []queries.Result) (queries.BesideResultsRow, error) {
	if len(rows) < besideRows {
		return queries.BesideResultsRow{Ports: true, Streams: true}, nil
	}
	ids := idsOf(rows)
	return c.db.BesideResults(ctx, slices.Min(ids), slices.Max(ids))
}

// addNodesTo adds nodes to results. Many have the same one, which is asked for once.
func (c *Core) addNodesTo(ctx context.Context, list []Result, rows []queries.Result) error {
	type where struct{ organization, collaboration int64 }
	var ids []int64
	of, first := make([]int64, len(rows)), map[where]int64{} // results that stand for all of their node
	for i, r := range rows {
		if r.OrganizationID == nil || r.CollaborationID == nil {
			continue
		}
		at := where{*r.OrganizationID, *r.CollaborationID}
		id, known := first[at]
		if !known {
			id, ids = r.ID, append(ids, r.ID)
			first[at] = id
		}
		of[i] = id
	}
	nodes, err := c.db.NodesOfResults(ctx, idSet(ids))
	if err != nil {
		return err
	}
	by := make(map[int64]*ResultNode, len(nodes))
	for _, n := range nodes {
		by[n.ResultID] = &ResultNode{ID: n.ID, Name: n.Name, IP: n.IP, Status: n.Status}
	}
	for i := range list {
		list[i].Node = by[of[i]]
	}
	return nil
}

// addTextsTo adds texts to results: the first that fit as a whole, the others and the long
// ones as what is read later.
func (c *Core) addTextsTo(ctx context.Context, place map[int64]*Result, rows []queries.Result, streams, chosen bool) error {
	fit := len(rows)
	if fit > 1 && !chosen {
		sizes, err := c.sizesOfTexts(ctx, rows)
		if err != nil {
			return err
		}
		fit = countFitting(rows, sizes)
		for _, r := range rows[fit:] {
			if s, ok := sizes[r.ID]; ok {
				to := place[r.ID]
				to.Input, to.Output, to.Log = later(r.ID, inputPart, s.Input), later(r.ID, outputPart, s.Result), later(r.ID, logPart, s.Log)
			}
		}
	}
	payloads, err1 := c.db.PayloadsOfResults(ctx, idSet(idsOf(rows[:fit])))
	var long []queries.Stream
	var err2 error
	if streams {
		long, err2 = c.db.StreamsOfResults(ctx, idSet(idsOf(rows)))
	}
	if err := firstError(err1, err2); err != nil {
		return err
	}
	for _, p := range payloads {
		r := place[p.ResultID]
		r.Input, r.Output, r.Log = whole(p.Input), whole(p.Result), whole(p.Log)
	}
	for _, s := range long {
		r := place[*s.ResultID]
		*map[part]**Text{inputPart: &r.Input, outputPart: &r.Output, logPart: &r.Log}[part(value(s.Part))] = streamed(s)
	}
	return nil
}

// embedResults shows the results of tasks in full; tasks whose results the caller may
// not see keep their links (/docs/security#t07).
func (c *Core) embedResults(ctx context.Context, g access.Grant[access.ViewResults], tasks []Task) error {
	r, err := c.visibilityOf(ctx, g)
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
	list, err := c.wholeResults(ctx, rows, false)
	if err != nil {
		return err
	}
	for _, r := range list {
		t := place[*r.TaskID]
		t.Results = append(t.Results, r)
	}
	return nil
}

// addTasksTo shows the tasks of results in full; results whose task the caller may
// not see keep their link (/docs/security#t07).
func addTasksTo(results []Result, tasks map[int64]*Task) {
	for i := range results {
		if id := results[i].TaskID; id != nil {
			results[i].Task = tasks[*id]
		}
	}
}

// tasksOfResults reads the tasks of results that the caller may see.
func (c *Core) tasksOfResults(ctx context.Context, sight func() (visibility, error), results []queries.Result) (map[int64]*Task, error) {
	r, err := sight()
	if fault.Is(err, fault.Denied) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	ids, open := make([]int64, 0, len(results)), map[int64]bool{}
	for _, r := range results {
		if r.TaskID != nil {
			ids = append(ids, *r.TaskID)
			open[*r.TaskID] = open[*r.TaskID] || r.FinishedAt == nil
		}
	}
	rows, err := c.db.TasksByID(ctx, idSet(ids))
	if err != nil {
		return nil, fmt.Errorf("reading the tasks of results: %w", err)
	}
	rows = slices.DeleteFunc(rows, func(t queries.Task) bool { return !r.covers(t.CollaborationID, t.RunID) })
	list, err := c.tasksWithin(ctx, rows, open)
	by := make(map[int64]*Task, len(list))
	for i := range list {
		by[list[i].ID] = &list[i]
	}
	return by, err
}

// besideRows is for how many results their tasks are read at the same time as what else belongs to them, and of these
// what most have not only if there is any.
const besideRows = 100

// resultsWithTasks adds to results what they show beside themselves, and their tasks.
func (c *Core) resultsWithTasks(ctx context.Context, sight func() (visibility, error), rows []queries.Result) ([]Result, error) {
	var tasks map[int64]*Task
	read := func() (err error) {
		tasks, err = c.tasksOfResults(ctx, sight, rows)
		return err
	}
	done := make(chan error, 1)
	if len(rows) >= besideRows {
		go func() { done <- fault.Caught(read) }()
	} else {
		done <- read()
	}
	list, err := c.wholeResults(ctx, rows, true)
	if err := firstError(<-done, err); err != nil {
		return nil, err
	}
	addTasksTo(list, tasks)
	return list, nil
}
