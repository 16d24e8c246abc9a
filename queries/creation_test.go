package queries

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// onEngines runs a test on a new database of each engine, with a collaboration of two members that have nodes.
func onEngines(t *testing.T, test func(t *testing.T, db *DB)) {
	t.Helper()
	fill := func(t *testing.T, db *DB) {
		t.Helper()
		for _, s := range []string{
			`INSERT INTO collaboration (id, encrypted) VALUES (7, FALSE)`, `INSERT INTO organization (id) VALUES (1), (2)`,
			`INSERT INTO member (organization_id, collaboration_id) VALUES (1, 7), (2, 7)`,
			`INSERT INTO counter (name, value) VALUES ('run', 0)`,
		} {
			write(t, db, s)
		}
	}
	t.Run("SQLite", func(t *testing.T) {
		db, err := Open(t.Context(), Source{Engine: SQLite, Path: t.TempDir() + "/q.sqlite"})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		fill(t, db)
		test(t, db)
	})
	t.Run("Postgres", func(t *testing.T) {
		_, db := freshPostgres(t)
		fill(t, db)
		test(t, db)
	})
}

func write(t *testing.T, db *DB, statement string) {
	t.Helper()
	err := db.InTx(t.Context(), func(ctx context.Context, tx *Tx) error {
		_, err := tx.db.ExecContext(ctx, statement)
		return err
	})
	if err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// create makes a task for both organizations and returns it with the ids of its results.
func create(ctx context.Context, db *DB, judge func(Admission) error) (task Task, results []int64, err error) {
	seven, input := int64(7), Opaque("aW4=")
	err = db.InTx(ctx, func(ctx context.Context, tx *Tx) error {
		by, err := tx.Admission(ctx, Admitting{Collaboration: seven, Policies: true})
		if err == nil && judge != nil {
			err = judge(by)
		}
		if err != nil {
			return err
		}
		task = Task{CollaborationID: &seven, CreatedAt: &tx.Now, Status: "pending"}
		results, err = tx.CreateTask(ctx, NewTask{
			Task: &task, Event: "task-created", IsLast: true, To: []Assigned{{OrganizationID: 2, Input: &input}, {OrganizationID: 1}},
		})
		return err
	})
	return task, results, err
}

func TestCreationIsWhole(t *testing.T) { onEngines(t, creationIsWhole) }

func creationIsWhole(t *testing.T, db *DB) {
	t.Helper()
	write(t, db, `INSERT INTO authenticatable (id, type) VALUES (3, 'node')`)
	write(t, db, `INSERT INTO node (id, organization_id, collaboration_id) VALUES (3, 2, 7)`)
	write(t, db, `INSERT INTO nodeconfig (node_id, key, value) VALUES (3, 'allowed_users', '5'), (3, 'other', '6'), (3, 'allowed_orgs', NULL)`)
	task, results, err := create(t.Context(), db, func(a Admission) error {
		var members, policies string
		for _, m := range a.Members {
			members += fmt.Sprint(m.OrganizationID, m.NodeID != nil, ";")
		}
		for _, p := range a.Policies {
			policies += fmt.Sprint(p.NodeID, p.OrganizationID, *p.Key, p.Value != nil, ";")
		}
		if members != "1 false;2 true;" || policies != "3 2allowed_userstrue;3 2allowed_orgsfalse;" {
			return fmt.Errorf("members %s policies %s", members, policies)
		}
		return nil
	})
	if err != nil || task.ID != 1 || *task.RunID != 1 || fmt.Sprint(results) != "[1 2]" {
		t.Fatalf("%+v, results %v, %v", task, results, err)
	}
	first, err1 := db.GetResult(t.Context(), 1)
	input, err2 := db.GetPayload(t.Context(), 1)
	_, none := db.GetPayload(t.Context(), 2)
	if err := errors.Join(err1, err2); err != nil || *first.Result.OrganizationID != 2 || *first.Result.Status != "pending" || *input.Input != "aW4=" || !Missing(none) {
		t.Errorf("%+v, %+v, %v, %v", first, input, err, none)
	}
	var noted string
	const events = `SELECT type || ' of ' || task_id || ' in ' || in_collaboration || COALESCE(' and ' || result_id, '') FROM event`
	if err := db.pool.QueryRowContext(t.Context(), events).Scan(&noted); err != nil || noted != "task-created of 1 in 7" {
		t.Errorf("the event is %q, %v", noted, err)
	}
	refused := errors.New("refused")
	if _, _, err := create(t.Context(), db, func(Admission) error { return refused }); !errors.Is(err, refused) {
		t.Error(err)
	}
	counts, err := db.CollaborationCounts(t.Context(), 7)
	if err != nil || counts.TaskCount != 1 || counts.ResultCount != 2 {
		t.Errorf("%+v, %v", counts, err)
	}
}

// TestRunsAreGivenOnce has several create tasks while runs are written by hand.
func TestRunsAreGivenOnce(t *testing.T) { onEngines(t, runsOnce) }

func runsOnce(t *testing.T, db *DB) {
	t.Helper()
	const writers, each = 6, 12
	var given sync.Map
	var crew sync.WaitGroup
	for range writers {
		crew.Go(func() {
			for range each {
				task, _, err := create(t.Context(), db, nil)
				if err != nil {
					t.Error(err)
				} else if was, twice := given.LoadOrStore(*task.RunID, task.ID); twice {
					t.Errorf("run %d is that of task %d and of %d", *task.RunID, was, task.ID)
				}
			}
		})
	}
	var highest int64
	for step := int64(1); step <= 8; step++ {
		highest = 100 * step
		write(t, db, fmt.Sprintf(`INSERT INTO task (run_id) VALUES (%d)`, highest))
		if task, _, err := create(t.Context(), db, nil); err != nil || *task.RunID <= highest {
			t.Errorf("after run %d the next one is %v, %v", highest, task.RunID, err)
		} else {
			given.Store(*task.RunID, task.ID)
		}
	}
	crew.Wait()
	write(t, db, `UPDATE task SET run_id = 5000 WHERE id = 1`)
	task, _, err := create(t.Context(), db, nil)
	if err != nil || *task.RunID != 5001 {
		t.Errorf("after run 5000: %v, %v", task.RunID, err)
	}
	if n, err := db.LastRun(t.Context()); err != nil || n != 5001 {
		t.Errorf("the highest run is %d, %v", n, err)
	}
}

// TestCreationsWaitForWhoHoldsTheCollaboration: what a task is judged by is that of after the change, also when many create
// tasks all the time; and who holds the collaboration gets it although they do.
func TestCreationsWaitForWhoHoldsTheCollaboration(t *testing.T) { onEngines(t, creationsWait) }

func creationsWait(t *testing.T, db *DB) {
	t.Helper()
	const writers, turns = 4, 20
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var changed atomic.Int64 // the turn whose change is committed
	var crew sync.WaitGroup
	end := make(chan struct{})
	for range writers {
		crew.Go(func() {
			for {
				select {
				case <-end:
					return
				default:
				}
				before := changed.Load()
				_, _, err := create(ctx, db, func(a Admission) error {
					if a.Collaboration.Name == nil && before > 0 {
						return errors.New("a change that was committed is not seen")
					}
					if a.Collaboration.Name != nil && *a.Collaboration.Name < fmt.Sprintf("%03d", before) {
						return fmt.Errorf("%s is seen after %03d", *a.Collaboration.Name, before)
					}
					if members, encrypted := len(a.Members), a.Collaboration.Encrypted; encrypted != (members == 1) {
						return fmt.Errorf("half of a change is seen: %d members, encrypted %v", members, encrypted)
					}
					return nil
				})
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for turn := int64(1); turn <= turns; turn++ {
		err := db.InTx(ctx, func(ctx context.Context, tx *Tx) error {
			c, err := tx.HoldCollaboration(ctx, 7)
			if err != nil {
				return err
			}
			tasks, err := tx.CollaborationCounts(ctx, 7)
			name := fmt.Sprintf("%03d", turn)
			err = errors.Join(err, tx.UpdateCollaboration(ctx, UpdateCollaborationParams{ID: 7, Name: &name, Encrypted: !c.Encrypted}))
			if c.Encrypted {
				err = errors.Join(err, tx.InsertMembers(ctx, 7, `{"2":0}`))
			} else if _, gone := tx.DeleteMember(ctx, 2, 7); gone != nil {
				err = errors.Join(err, gone)
			}
			again, late := tx.CollaborationCounts(ctx, 7)
			if err = errors.Join(err, late); err == nil && again != tasks {
				err = fmt.Errorf("tasks were made meanwhile: %+v, %+v", tasks, again)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		changed.Store(turn)
	}
	close(end)
	crew.Wait()
}

// TestExtentsAreFolded while tasks are made and deleted.
func TestExtentsAreFolded(t *testing.T) { onEngines(t, extentsFolded) }

func extentsFolded(t *testing.T, db *DB) {
	t.Helper()
	const tasks = 3 * fullExtent / 4
	var crew sync.WaitGroup
	for range 2 {
		crew.Go(func() {
			for range tasks {
				if _, _, err := create(t.Context(), db, nil); err != nil {
					t.Error(err)
				}
			}
		})
		crew.Go(func() {
			for range 5 {
				if err := db.FoldExtents(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	crew.Wait()
	write(t, db, `DELETE FROM result WHERE id <= 10`)
	if err := db.FoldExtents(t.Context()); err != nil {
		t.Error(err)
	}
	var rows, have, results int64
	err := db.pool.QueryRowContext(t.Context(), `SELECT COUNT(*), SUM(tasks), SUM(results) FROM extent WHERE collaboration_id = 7`).Scan(&rows, &have, &results)
	if err != nil || rows > fullExtent || have != 2*tasks || results != 4*tasks-10 {
		t.Errorf("%d rows for %d tasks and %d results, %v", rows, have, results, err)
	}
}
