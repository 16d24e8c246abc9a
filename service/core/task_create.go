package core

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"vserver/queries"
	"vserver/service/access"
	"vserver/service/fault"
)

// NewTask is what a caller decides about a task; all else is derived (/docs/security#t08).
type NewTask struct {
	CollaborationID                    int64
	Name, Description, Image, Database *string
	Targets                            []Target
}

// Target is an organization that has to work on a task. An id of 0 names none.
type Target struct {
	OrganizationID int64
	Input          *Text
}

// statusPending is the status of a result that no node has picked up yet.
const statusPending = "pending"

// CreateTask makes a task with a result for each target, all or nothing, and tells
// the nodes after the commit (/docs/tasks#create).
func (c *Core) CreateTask(ctx context.Context, g access.Grant[access.CreateTasks], in NewTask) (Task, error) {
	var made Task
	err := c.once(ctx, func(ctx context.Context, t *Tx) error {
		task, err := t.admitTask(ctx, g, in)
		if err != nil {
			return err
		}
		states, err := t.writeTask(ctx, queries.NewTask{Task: &task, Event: eventTaskCreated, IsLast: !t.keyed && t.isAlone()}, in.Targets)
		if err != nil {
			return err
		}
		made = Task{Task: task, States: states}
		t.announceTask(made)
		return nil
	}, &made)
	if err != nil {
		return Task{}, fmt.Errorf("creating a task: %w", err)
	}
	return made, nil
}

// admitTask checks whether the task may be made, in the order of the contract, and
// derives what the caller does not decide.
func (t *Tx) admitTask(ctx context.Context, g access.Grant[access.CreateTasks], in NewTask) (queries.Task, error) {
	a := g.Actor()
	task := queries.Task{
		Name: in.Name, Description: in.Description, Image: in.Image, Database: in.Database,
		CollaborationID: &in.CollaborationID, InitiatorID: &a.OrganizationID, CreatedAt: &t.Now,
	}
	of := queries.Admitting{Collaboration: in.CollaborationID, Policies: a.Kind == access.User}
	if a.Kind == access.Container {
		of.Parent = &a.TaskID
	}
	by, err := t.Admission(ctx, of)
	if queries.Missing(err) {
		return task, fault.New(fault.Missing, noCollaborationForTask, in.CollaborationID)
	}
	if err != nil {
		return task, fmt.Errorf("reading what a task is judged by: %w", err)
	}
	err = firstThat(
		func() error { return checkTargets(by.Members, in.Targets) },
		func() error { return t.checkPolicies(ctx, a, in, by.Policies) },
		func() error { return participates(a, by.Members) },
		func() error { return origin(g, &task, by.Parent) },
		func() error { return targetsFit(in.Targets, by.Collaboration.Encrypted) },
	)
	return task, err
}

// firstThat is the error of the first check that has one; those behind it are not made.
func firstThat(checks ...func() error) error {
	for _, check := range checks {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func targetsFit(targets []Target, encrypted bool) error {
	for _, target := range targets {
		if err := fitsEncryption("input", target.Input, encrypted); err != nil {
			return err
		}
	}
	return nil
}

// AdmitsTasksOf reports early whether the caller may make any task at all in a collaboration, with the fault that
// CreateTask has for it (/docs/tasks#create).
func (c *Core) AdmitsTasksOf(ctx context.Context, g access.Grant[access.CreateTasks], collaboration int64) error {
	if mayBeDone(ctx) {
		return nil
	}
	a := g.Actor()
	_, err := c.db.GetCollaboration(ctx, collaboration)
	if queries.Missing(err) {
		return fault.New(fault.Missing, noCollaborationForTask, collaboration)
	}
	if err != nil {
		return fmt.Errorf("looking for the collaboration of a task: %w", err)
	}
	members, err := c.db.NodesForTask(ctx, collaboration)
	if err != nil {
		return fmt.Errorf("looking for the members of a collaboration: %w", err)
	}
	if err := participates(a, members); err != nil {
		return err
	}
	if a.Kind == access.Container && !a.WorksIn(&collaboration) {
		return invalidContainer()
	}
	return nil
}

const noCollaborationForTask = "Collaboration id=%d not found!"

// participates wants the caller's organization to be a member.
func participates(a access.Actor, members []queries.NodesForTaskRow) error {
	if !slices.ContainsFunc(members, func(m queries.NodesForTaskRow) bool { return m.OrganizationID == a.OrganizationID }) {
		return fault.New(fault.Denied, "You can only create tasks for collaborations you are participating in!")
	}
	return nil
}

// checkTargets wants every target to be a member with a node, and none twice.
func checkTargets(members []queries.NodesForTaskRow, targets []Target) error {
	node := map[int64]bool{}
	for _, m := range members {
		node[m.OrganizationID] = m.NodeID != nil
	}
	var without []string
	seen := map[int64]bool{}
	doubled := int64(0)
	for _, target := range targets {
		id := target.OrganizationID
		has, member := node[id]
		if !member {
			return fault.New(fault.Invalid, "At least one of the supplied organizations in not within the collaboration.")
		}
		if seen[id] {
			doubled = id
		} else if !has {
			without = append(without, strconv.FormatInt(id, 10))
		}
		seen[id] = true
	}
	switch {
	case len(without) > 0:
		return fault.New(fault.Invalid, "Cannot create this task because there are no nodes registered for the following organization(s): %s.",
			strings.Join(without, ", "))
	case doubled != 0:
		return fault.New(fault.Invalid, "Cannot create this task because organization %d is listed more than once.", doubled)
	}
	return nil
}

// origin judges the caller and fills in where the task comes from: a user begins a
// new run, a container adds to that of its own task.
func origin(g access.Grant[access.CreateTasks], task *queries.Task, parent *queries.ParentOfTaskRow) error {
	a := g.Actor()
	if a.Kind == access.Container {
		return subtaskOf(a, task, parent)
	}
	if !g.Any(access.Global, access.Organization) {
		return fault.Deny()
	}
	task.InitUserID = &a.ID
	return nil
}

func invalidContainer() error { return fault.New(fault.Unauthorized, "Container-token is not valid") }

// subtaskOf lets a container make tasks of its own image in its own collaboration as
// long as its own task runs (/docs/tasks#subtasks, /docs/security#t08).
func subtaskOf(a access.Actor, task *queries.Task, parent *queries.ParentOfTaskRow) error {
	if parent == nil || !parent.Open || !a.MayContinue(value(task.Image), task.CollaborationID) {
		return invalidContainer()
	}
	task.ParentID, task.RunID, task.InitUserID = &a.TaskID, parent.RunID, parent.InitUserID
	return nil
}

// EventNewTask asks the nodes of a collaboration to fetch what waits for them of a task.
const EventNewTask = "new_task"

// announceTask announces a task in the collaboration; nodes fetch their results at
// `new_task` (/docs/tasks#events).
func (t *Tx) announceTask(task Task) {
	room := CollaborationRoom(*task.CollaborationID)
	t.emit(room, "task_created", struct {
		TaskID          int64  `json:"task_id"`
		RunID           *int64 `json:"run_id"`
		CollaborationID int64  `json:"collaboration_id"`
		InitOrgID       int64  `json:"init_org_id"`
	}{task.ID, task.RunID, *task.CollaborationID, *task.InitiatorID})
	t.emit(room, EventNewTask, task.ID)
}

// StartTask stores a task with a pending result for each target. Without a parent the task begins a new run.
func (t *Tx) StartTask(ctx context.Context, task *queries.Task, targets []Target) ([]State, error) {
	return t.writeTask(ctx, queries.NewTask{Task: task}, targets)
}

func (t *Tx) writeTask(ctx context.Context, n queries.NewTask, targets []Target) ([]State, error) {
	n.Status, n.To = StatusUnknown, make([]queries.Assigned, len(targets))
	if len(targets) > 0 {
		n.Status = statusPending // as all its results are
	}
	for i, target := range targets {
		n.To[i] = queries.Assigned{OrganizationID: target.OrganizationID, Input: target.Input.kept()}
		n.IsLast = n.IsLast && (target.Input == nil || target.Input.stream == 0)
	}
	ids, err := t.CreateTask(ctx, n)
	if err != nil {
		return nil, fmt.Errorf("storing a task: %w", err)
	}
	states := make([]State, len(ids))
	for i, id := range ids {
		states[i] = State{ResultID: id}
		if err := t.adopt(ctx, id, inputPart, targets[i].Input); err != nil {
			return nil, err
		}
	}
	return states, nil
}

// AddTask stores a new task. A run that was chosen by hand has to be announced to
// KeepRun beside. Its status follows from its results, which are added after it.
func (t *Tx) AddTask(ctx context.Context, task *queries.Task) (err error) {
	task.Status = cmp.Or(task.Status, StatusUnknown)
	task.ID, err = t.InsertTask(ctx, queries.InsertTaskParams{
		Name: task.Name, Description: task.Description, Image: task.Image, CollaborationID: task.CollaborationID, RunID: task.RunID,
		ParentID: task.ParentID, Database: task.Database, InitiatorID: task.InitiatorID, InitUserID: task.InitUserID, CreatedAt: task.CreatedAt,
		Status: task.Status,
	})
	return err
}

// SaveTask writes a task, all but the moment of its creation.
func (t *Tx) SaveTask(ctx context.Context, task queries.Task) error {
	return t.UpdateTask(ctx, queries.UpdateTaskParams{
		Name: task.Name, Description: task.Description, Image: task.Image, CollaborationID: task.CollaborationID, RunID: task.RunID,
		ParentID: task.ParentID, Database: task.Database, InitiatorID: task.InitiatorID, InitUserID: task.InitUserID, ID: task.ID,
	})
}

// RemoveTask ends a task and all below it, and deletes it with its results, payloads and
// ports. The tasks below it stay, without a parent.
func (t *Tx) RemoveTask(ctx context.Context, id int64) error {
	row, err := t.GetTask(ctx, id)
	if err != nil {
		return err
	}
	return t.dropTask(ctx, row)
}

func (t *Tx) dropTask(ctx context.Context, task queries.Task) error {
	ending, err := t.subtree(ctx, task.ID)
	if err == nil {
		err = t.killTasks(ctx, task.CollaborationID, ending)
	}
	if err != nil {
		return err
	}
	return t.deleteTasks(ctx, []int64{task.ID})
}
