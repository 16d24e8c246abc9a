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

// Task is a task with the ids of what belongs to it, each list in ascending order.
type Task struct {
	queries.Task
	Children []int64
	States   []State // of its results
	// Results are all of its results when they were asked for and the caller may
	// see them; nil: the wire shows links.
	Results []Result
}

// StatusUnknown is the status of a task without results.
const StatusUnknown = "unknown"

// taskStatuses are all that a task can have (/docs/tasks#status).
var taskStatuses = []string{StatusUnknown, "failed", "active", "initializing", "pending", "completed"}

// State is the part of a result that its task shows.
type State struct {
	ResultID   int64
	FinishedAt *queries.Time
}

// Complete reports whether all results are finished; a task without results is.
func (t Task) Complete() bool {
	return !slices.ContainsFunc(t.States, func(s State) bool { return s.FinishedAt == nil })
}

// FinishedAt is the end of the last result, nil while one runs or when there is
// none (/docs/tasks#object).
func (t Task) FinishedAt() *time.Time {
	if !t.Complete() || len(t.States) == 0 {
		return nil
	}
	last := slices.MaxFunc(t.States, func(a, b State) int { return a.FinishedAt.Compare(b.FinishedAt.Time) })
	return moment(last.FinishedAt)
}

// CreatedOn is when the task was created, nil when nobody noted it.
func (t Task) CreatedOn() *time.Time { return moment(t.CreatedAt) }

// moment returns a stored moment as the wire takes it.
func moment(t *queries.Time) *time.Time {
	if t == nil {
		return nil
	}
	return &t.Time
}

// TaskFilter narrows a list; nil narrows nothing.
type TaskFilter struct {
	InitiatorID, InitUserID, CollaborationID, ParentID, RunID, ResultID *int64
	Name, Image, Description, Database, Status                          *string    // LIKE
	CreatedAfter, CreatedBefore                                         *time.Time // the second one is not included

	statuses []string // what matches Status, when it is given
}

// none reports whether nothing but the collaboration is filtered by: then counters
// know the number of rows.
func (f TaskFilter) none() bool {
	return f.narrow() == 0
}

// narrow is the number of filters beside the collaboration.
func (f TaskFilter) narrow() int {
	n := 0
	for _, id := range []*int64{f.InitiatorID, f.InitUserID, f.ParentID, f.RunID, f.ResultID} {
		if id != nil {
			n++
		}
	}
	for _, text := range []*string{f.Name, f.Image, f.Description, f.Database, f.Status} {
		if text != nil {
			n++
		}
	}
	for _, moment := range []*time.Time{f.CreatedAfter, f.CreatedBefore} {
		if moment != nil {
			n++
		}
	}
	return n
}

// How many rows of a long list are held at once; tasks with their results are larger.
const (
	partRows  = 500
	partTasks = 50
)

// Tasks lists those that the caller may see, newest first (/docs/tasks#list). With
// results it shows their results in full, as far as the caller may see them.
func (c *Core) Tasks(ctx context.Context, g access.Grant[access.ViewTasks], f TaskFilter, p Page, results bool) (List[Task], error) {
	r, err := c.visibilityOf(ctx, g)
	if err != nil {
		return List[Task]{}, err
	}
	if r, err = c.narrowTo(ctx, r, f.CollaborationID); err != nil {
		return List[Task]{}, err
	}
	if r.run != nil {
		if f.RunID != nil && *f.RunID != *r.run {
			return List[Task]{}, nil
		}
		f.RunID = r.run
	}
	if f.Status != nil {
		if f.statuses = matching(*f.Status, taskStatuses); len(f.statuses) == 0 {
			return List[Task]{}, nil
		}
	}
	if list, ok, err := c.namedTasks(ctx, g, r, f, p, results); ok || err != nil {
		return list, err
	}
	by, err := c.indexOfTasks(ctx, r, f)
	if err != nil || by.empty {
		return List[Task]{}, err
	}
	read := func(w window) ([]queries.Task, error) {
		return newest(r, w, by.selective, tasksOf,
			func(b bounds) ([]queries.Task, error) { return by.readers(c.db, &b).ListTasks(ctx, f.list(b)) }, taskID)
	}
	reader := c.taskReader(ctx, g, results, read, func() (int64, error) { return c.countTasks(ctx, r, f, by.selective) })
	reader.seek = func(place int64, backwards bool) (int64, error) {
		b := r.everywhere(by.selective)
		return by.readers(c.db, &b).Seek(ctx, queries.ListTasks, f.list(b), place, backwards)
	}
	list, err := reader.readPage(p)
	if err != nil {
		return list, fmt.Errorf("listing tasks: %w", err)
	}
	return list, nil
}

// indexOfTasks chooses the index that a list is read by.
func (c *Core) indexOfTasks(ctx context.Context, r visibility, f TaskFilter) (listIndex, error) {
	if f.RunID != nil || f.ParentID != nil || f.ResultID != nil {
		return listIndex{selective: true}, nil
	}
	return chooseIndex(ctx, r, r.rows(tasksOf), c.tallies(f))
}

// tallies are the filters that tallies are kept for.
func (c *Core) tallies(f TaskFilter) []tallied {
	var list []tallied
	if len(f.statuses) == 1 {
		list = append(list, tallied{"status", &c.talliedTasks, func(ctx context.Context, within *string, till int64) (talliedSum, error) {
			n, err := c.db.CountTasksOfStatus(ctx, queries.CountTasksOfStatusParams{Status: f.statuses[0], Within: within, Tallied: till})
			return talliedSum(n), err
		}})
	}
	if f.InitiatorID != nil {
		list = append(list, tallied{"initiator_id", &c.talliedTasks, func(ctx context.Context, within *string, till int64) (talliedSum, error) {
			n, err := c.db.CountTasksOfInitiator(ctx, queries.CountTasksOfInitiatorParams{InitiatorID: idText(*f.InitiatorID), Within: within, Tallied: till})
			return talliedSum(n), err
		}})
	}
	if f.InitUserID != nil {
		list = append(list, tallied{"init_user_id", &c.talliedTasks, func(ctx context.Context, within *string, till int64) (talliedSum, error) {
			n, err := c.db.CountTasksOfInitUser(ctx, queries.CountTasksOfInitUserParams{InitUserID: idText(*f.InitUserID), Within: within, Tallied: till})
			return talliedSum(n), err
		}})
	}
	return list
}

func taskID(t queries.Task) int64 { return t.ID }

// taskReader is a list of tasks in parts.
func (c *Core) taskReader(ctx context.Context, g access.Grant[access.ViewTasks], results bool,
	read func(window) ([]queries.Task, error), count func() (int64, error),
) listReader[queries.Task, Task] {
	size := int64(partRows)
	if results {
		size = partTasks
	}
	return listReader[queries.Task, Task]{
		read: func(w window) ([]queries.Task, bool, error) {
			w.limit = min(w.limit, size)
			rows, err := read(w)
			return rows, int64(len(rows)) == w.limit, err
		},
		id:    taskID,
		show:  func(rows []queries.Task) ([]Task, error) { return c.wholeTasks(ctx, g, rows, results) },
		count: count,
	}
}

func tasksOf(row queries.CollaborationsInReachRow) int64 { return row.TaskCount }

func (f TaskFilter) list(b bounds) queries.ListTasksParams {
	a := queries.ListTasksParams{
		CollaborationID: b.collaboration, Within: b.within, RunID: f.RunID, ParentID: f.ParentID, InitiatorID: f.InitiatorID,
		InitUserID: f.InitUserID, ResultID: f.ResultID, Name: like(f.Name), Image: like(f.Image), Description: like(f.Description),
		Database:    like(f.Database),
		CreatedFrom: storedTime(f.CreatedAfter), CreatedTill: storedTime(f.CreatedBefore), Before: b.cursor, Lim: b.limit, Off: b.offset,
	}
	switch len(f.statuses) {
	case 0:
	case 1:
		a.Status = &f.statuses[0]
	default:
		set := wordSet(f.statuses)
		a.Statuses = &set
	}
	return a
}

// countTasks reads the counters where they know the number, else it counts.
func (c *Core) countTasks(ctx context.Context, r visibility, f TaskFilter, selective bool) (int64, error) {
	if f.none() && r.all {
		return c.db.CountAllTasks(ctx)
	}
	if known := c.tallies(f); len(known) == 1 && f.narrow() == 1 {
		return known[0].count(ctx, r.within())
	}
	return counted(r, selective, tasksOf, f.none(), func(b bounds) (int64, error) {
		return c.db.KeptCount(ctx, queries.ListTasks, f.list(b))
	})
}

// TasksOfCollaboration lists the tasks of one collaboration, oldest first
// (/docs/collaborations#tasks).
func (c *Core) TasksOfCollaboration(ctx context.Context, g access.Grant[access.ViewTasks], id int64, p Page) (List[Task], error) {
	if _, err := c.visibleCollaboration(ctx, g, id, "Collaboration id=%d can not be found"); err != nil {
		return List[Task]{}, err
	}
	read := func(w window) ([]queries.Task, error) {
		return c.db.ListTasksOfCollaboration(ctx, queries.ListTasksOfCollaborationParams{
			CollaborationID: &id, After: w.cursor, Lim: w.limit, Off: w.offset,
		})
	}
	reader := c.taskReader(ctx, g, false, read, func() (int64, error) {
		row, err := c.db.CollaborationCounts(ctx, id)
		return row.TaskCount, err
	})
	reader.up = true
	reader.seek = func(place int64, backwards bool) (int64, error) {
		return c.db.Seek(ctx, queries.ListTasksOfCollaboration, queries.ListTasksOfCollaborationParams{CollaborationID: &id}, place, backwards)
	}
	list, err := reader.readPage(p)
	if err != nil {
		return list, fmt.Errorf("listing the tasks of a collaboration: %w", err)
	}
	return list, nil
}

// Task returns one (/docs/tasks#get), with its results in full when they are asked for
// and the caller may see them.
func (c *Core) Task(ctx context.Context, g access.Grant[access.ViewTasks], id int64, results bool) (Task, error) {
	row, err := c.visibleTask(ctx, g, id, "task id=%d is not found")
	if err != nil {
		return Task{}, err
	}
	list, err := c.wholeTasks(ctx, g, []queries.Task{row}, results)
	if err != nil {
		return Task{}, err
	}
	return list[0], nil
}

// visibleTask returns a task within the reach of a grant. The text is that of the missing
// row.
func (c *Core) visibleTask(ctx context.Context, g access.AnyGrant, id int64, missing string) (queries.Task, error) {
	row, err := c.db.GetTask(ctx, id)
	if queries.Missing(err) {
		return row, fault.New(fault.Missing, missing, id)
	}
	if err != nil {
		return row, fmt.Errorf("reading a task: %w", err)
	}
	ok, err := c.mayView(ctx, g, row.CollaborationID, row.RunID)
	if err == nil && !ok {
		err = fault.Deny()
	}
	return row, err
}

// wholeTasks adds what belongs to the tasks of a page, with one query.
func (c *Core) wholeTasks(ctx context.Context, g access.AnyGrant, rows []queries.Task, results bool) ([]Task, error) {
	if len(rows) == 0 {
		return nil, nil
	}
	ids := make([]int64, len(rows))
	for i := range rows {
		ids[i] = rows[i].ID
	}
	set := idSet(ids)
	parts, err := c.db.PartsOfTasks(ctx, set)
	if err != nil {
		return nil, fmt.Errorf("reading what belongs to tasks: %w", err)
	}
	children, states := map[int64][]int64{}, map[int64][]State{}
	for _, p := range parts {
		if p.Below {
			children[p.OwnerID] = append(children[p.OwnerID], p.ID)
		} else {
			states[p.OwnerID] = append(states[p.OwnerID], State{ResultID: p.ID, FinishedAt: p.At})
		}
	}
	list := make([]Task, len(rows))
	for i, r := range rows {
		list[i] = Task{Task: r, Children: children[r.ID], States: states[r.ID]}
	}
	if results {
		err = c.embedResults(ctx, access.Embedded[access.ViewResults](g), list)
	}
	return list, err
}

// tasksWithin adds what tasks show within results. Of those that are open, one result that has not ended is all that is
// told of their results.
func (c *Core) tasksWithin(ctx context.Context, rows []queries.Task, open map[int64]bool) ([]Task, error) {
	var ids []int64
	others := rows[:0:0]
	for _, t := range rows {
		if open[t.ID] {
			ids = append(ids, t.ID)
		} else {
			others = append(others, t)
		}
	}
	list, err := c.wholeTasks(ctx, nil, others, false)
	if err != nil || len(ids) == 0 {
		return list, err
	}
	children, err := c.belowTasks(ctx, ids)
	if err != nil {
		return nil, fmt.Errorf("reading the tasks below others: %w", err)
	}
	unfinished := []State{{}}
	for _, t := range rows {
		if open[t.ID] {
			list = append(list, Task{Task: t, Children: children[t.ID], States: unfinished})
		}
	}
	return list, nil
}

// belowTasks returns the tasks below others. Of many it looks first whether there may be any.
func (c *Core) belowTasks(ctx context.Context, ids []int64) (map[int64][]int64, error) {
	if len(ids) >= besideRows {
		if some, err := c.db.BelowTasks(ctx, slices.Min(ids), slices.Max(ids)); err != nil || !some {
			return nil, err
		}
	}
	return byOwner(c.db.ChildrenOfTasks(ctx, idSet(ids)))
}

// DeleteTask kills what runs of a task and below it, and removes the task with its
// results (/docs/tasks#delete). The tasks below it stay.
func (c *Core) DeleteTask(ctx context.Context, g access.Grant[access.DeleteTasks], id int64) error {
	err := c.once(ctx, func(ctx context.Context, t *Tx) error {
		row, err := t.GetTask(ctx, id)
		if queries.Missing(err) {
			return fault.New(fault.Missing, "task id=%d not found", id)
		}
		if err != nil {
			return err
		}
		if err := mustReach(ctx, t.Queries, g, row.CollaborationID); err != nil {
			return err
		}
		// As a creation does: first the collaboration, then the task.
		if row.CollaborationID != nil {
			if _, err := t.HoldCollaboration(ctx, *row.CollaborationID); err != nil && !queries.Missing(err) {
				return err
			}
		}
		return firstError(t.dropTask(ctx, row), t.noteDeleted(ctx, queries.InsertDeletionEventParams{
			Type: eventTaskDeleted, Name: row.Name, InCollaboration: row.CollaborationID,
		}))
	})
	if err != nil {
		return fmt.Errorf("deleting a task: %w", err)
	}
	return nil
}

// mustReach refuses a user who may do something neither everywhere nor, as a member,
// in this collaboration.
func mustReach(ctx context.Context, q *queries.Queries, g access.AnyGrant, collaboration *int64, scopes ...access.Scope) error {
	if g.Has(access.Global) {
		return nil
	}
	if !g.Any(append(scopes, access.Organization)...) || collaboration == nil {
		return fault.Deny()
	}
	ok, err := q.IsMember(ctx, g.Actor().OrganizationID, *collaboration)
	if err != nil {
		return fmt.Errorf("looking for a member: %w", err)
	}
	if !ok {
		return fault.Deny()
	}
	return nil
}
