package queries

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Admission is what a new task is judged by. Until the end of the transaction nobody changes it.
type Admission struct {
	Collaboration Collaboration
	Members       []NodesForTaskRow
	Policies      []PoliciesForTaskRow
	Parent        *ParentOfTaskRow // nil: it is gone, or was not asked for
}

// Admitting says what to read for an Admission.
type Admitting struct {
	Collaboration int64
	Policies      bool
	Parent        *int64
}

// Admission reads what a new task is judged by; the error is that of a missing row when the
// collaboration is. Creations do not wait for each other, but whoever holds the collaboration does for them.
func (t *Tx) Admission(ctx context.Context, of Admitting) (a Admission, err error) {
	if t.pipe != nil {
		return t.pipe.askAdmission(ctx, of)
	}
	a.Collaboration, err = t.GetCollaboration(ctx, of.Collaboration)
	if err == nil {
		a.Members, err = t.NodesForTask(ctx, of.Collaboration)
	}
	if err == nil && of.Policies {
		a.Policies, err = t.PoliciesForTask(ctx, &of.Collaboration)
	}
	if err == nil && of.Parent != nil {
		var parent ParentOfTaskRow
		if parent, err = t.ParentOfTask(ctx, *of.Parent); err == nil {
			a.Parent = &parent
		} else if Missing(err) {
			err = nil
		}
	}
	return a, err
}

func (p *pipeline) askAdmission(ctx context.Context, of Admitting) (a Admission, err error) {
	b := &pgx.Batch{}
	b.Queue(shareCollaboration, int32(collaborationLocks), lockKey(of.Collaboration))
	if of.Parent != nil {
		b.Queue(ShareTask, *of.Parent)
	}
	var found []admissionRow
	b.Queue(admission, of.Collaboration, of.Policies).Query(rowsInto(func(rows []admissionRow) { found = rows }))
	if of.Parent != nil {
		b.Queue(ParentOfTask, *of.Parent).Query(rowsInto(func(rows []ParentOfTaskRow) {
			if len(rows) > 0 {
				a.Parent = &rows[0]
			}
		}))
	}
	if err := p.send(ctx, b); err != nil {
		return a, err
	}
	if len(found) == 0 {
		return a, pgx.ErrNoRows
	}
	found[0].into(&a)
	return a, nil
}

// admission is one query for what takes three on SQLite: each costs Postgres more than what it reads.
const admission = `SELECT c.id, c.name, c.encrypted, m.organizations, m.nodes, p.nodes, p.organizations, p.keys, p.values
FROM collaboration c, LATERAL (
	SELECT array_agg(m.organization_id) AS organizations, array_agg(n.id) AS nodes FROM member m
	LEFT JOIN node n ON n.organization_id = m.organization_id AND n.collaboration_id = m.collaboration_id
	WHERE m.collaboration_id = c.id) m, LATERAL (
	SELECT array_agg(p.node_id ORDER BY p.id) AS nodes, array_agg(n.organization_id ORDER BY p.id) AS organizations,
		array_agg(p.key ORDER BY p.id) AS keys, array_agg(p.value ORDER BY p.id) AS values
	FROM node n JOIN nodeconfig p ON p.node_id = n.id
	WHERE $2 AND n.collaboration_id = c.id AND n.organization_id IS NOT NULL AND p.key IN ('allowed_users', 'allowed_orgs')) p
WHERE c.id = $1`

type admissionRow struct {
	Collaboration
	Members, Nodes                   []*int64
	PolicyNodes, PolicyOrganizations []*int64
	PolicyKeys, PolicyValues         []*string
}

func (r admissionRow) into(a *Admission) {
	a.Collaboration = r.Collaboration
	for i, m := range r.Members {
		a.Members = append(a.Members, NodesForTaskRow{OrganizationID: *m, NodeID: r.Nodes[i]})
	}
	for i, n := range r.PolicyNodes {
		a.Policies = append(a.Policies, PoliciesForTaskRow{NodeID: *n, OrganizationID: *r.PolicyOrganizations[i], Key: r.PolicyKeys[i], Value: r.PolicyValues[i]})
	}
}

// rowsInto reads the rows of a query of a batch.
func rowsInto[T any](take func([]T)) func(pgx.Rows) error {
	return func(rows pgx.Rows) error {
		list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[T])
		take(list)
		return err
	}
}

// Assigned is an organization that gets a result of a new task.
type Assigned struct {
	OrganizationID int64
	Input          *Opaque
}

// NewTask is a task with all that is written at its creation.
type NewTask struct {
	*Task             // gets its id, and the next run id when it has neither one nor a parent
	To     []Assigned // no organization twice
	Event  string     // the type of the event that is noted, empty for none
	IsLast bool       // the transaction writes nothing after it
}

// CreateTask writes a task with its pending results, and returns their ids.
func (t *Tx) CreateTask(ctx context.Context, n NewTask) ([]int64, error) {
	if t.pipe != nil {
		return t.pipe.storeTask(ctx, t.Now, n)
	}
	if n.RunID == nil && n.ParentID == nil {
		run, err := t.TakeRun(ctx)
		if err != nil {
			return nil, fmt.Errorf("numbering a run: %w", err)
		}
		n.RunID = &run
	}
	var err error
	n.ID, err = t.InsertTask(ctx, InsertTaskParams{
		Name: n.Name, Description: n.Description, Image: n.Image, CollaborationID: n.CollaborationID, RunID: n.RunID, ParentID: n.ParentID,
		Database: n.Database, InitiatorID: n.InitiatorID, InitUserID: n.InitUserID, CreatedAt: n.CreatedAt, Status: n.Status,
	})
	if err != nil {
		return nil, err
	}
	ids, err := t.assign(ctx, n)
	if err == nil && n.Event != "" {
		err = t.InsertTaskEvent(ctx, InsertTaskEventParams{At: t.Now, Type: n.Event, TaskID: &n.ID})
	}
	return ids, err
}

func (t *Tx) assign(ctx context.Context, n NewTask) ([]int64, error) {
	if len(n.To) == 0 {
		return nil, nil
	}
	rows, err := t.AssignTask(ctx, AssignTaskParams{
		TaskID: n.ID, CollaborationID: *n.CollaborationID, AssignedAt: &t.Now, Organizations: inOrder(n.To),
	})
	if err != nil {
		return nil, fmt.Errorf("assigning a task: %w", err)
	}
	by := make(map[int64]int64, len(rows))
	for _, r := range rows {
		by[*r.OrganizationID] = r.ID
	}
	ids := make([]int64, len(n.To))
	for i, to := range n.To {
		ids[i] = by[to.OrganizationID]
		if to.Input == nil {
			continue
		}
		if err := t.InsertInput(ctx, ids[i], to.Input); err != nil {
			return nil, fmt.Errorf("storing an input: %w", err)
		}
	}
	return ids, nil
}

// inOrder writes organizations as the keys of a JSON object.
func inOrder(to []Assigned) string {
	var b strings.Builder
	for i, a := range to {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(`"` + strconv.FormatInt(a.OrganizationID, 10) + `":0`)
	}
	return "{" + b.String() + "}"
}

// createTask is all of a creation in one statement: results refer to the row of the task before anybody sees either.
const createTask = `WITH added AS (
	INSERT INTO task (name, description, image, collaboration_id, run_id, parent_id, database, initiator_id, init_user_id, created_at, status)
	VALUES ($1, $2, $3, $4, CASE WHEN $5::bigint IS NULL AND $6::bigint IS NULL THEN nextval('run_number') ELSE $5 END, $6, $7, $8, $9, $10, $11) RETURNING id, run_id),
assigned AS (
	INSERT INTO result (task_id, organization_id, collaboration_id, assigned_at, status)
	SELECT t.id, o.id, $4, $10, 'pending' FROM added t, unnest($12::bigint[]) WITH ORDINALITY AS o (id, place) ORDER BY o.place
	RETURNING id, organization_id),
given AS (
	INSERT INTO payload (result_id, input)
	SELECT r.id, i.input FROM unnest($12::bigint[], $13::bytea[]) AS i (organization_id, input) JOIN assigned r ON r.organization_id = i.organization_id
	WHERE i.input IS NOT NULL),
noted AS (INSERT INTO event (at, type, task_id, in_collaboration) SELECT $10, $14, id, $4 FROM added WHERE $14 <> '')
SELECT t.id, t.run_id, r.id, r.organization_id FROM added t LEFT JOIN assigned r ON TRUE`

func (p *pipeline) storeTask(ctx context.Context, now Time, n NewTask) ([]int64, error) {
	organizations, inputs := make([]int64, len(n.To)), make([][]byte, len(n.To))
	place := make(map[int64]int, len(n.To))
	for i, to := range n.To {
		organizations[i], place[to.OrganizationID] = to.OrganizationID, i
		if to.Input != nil {
			inputs[i] = []byte(*to.Input)
		}
	}
	ids := make([]int64, len(n.To))
	b := &pgx.Batch{}
	b.Queue(createTask, n.Name, n.Description, n.Image, n.CollaborationID, n.RunID, n.ParentID, n.Database, n.InitiatorID, n.InitUserID,
		now.UTC(), n.Status, organizations, inputs, n.Event).Query(func(rows pgx.Rows) error {
		var result, organization *int64
		_, err := pgx.ForEachRow(rows, []any{&n.ID, &n.RunID, &result, &organization}, func() error {
			if result != nil {
				ids[place[*organization]] = *result
			}
			return nil
		})
		return err
	})
	if n.IsLast {
		return ids, p.commit(b)
	}
	return ids, p.send(ctx, b)
}
