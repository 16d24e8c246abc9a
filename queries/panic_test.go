package queries_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"vserver/queries"
	"vserver/queries/dbtest"
	"vserver/service/fault"
	"vserver/service/promise"
)

// TestAdvisory_U16_PanicIsItsCallersAlone has a transaction panic that shares its commit with
// others, in its own code and within the driver. Its caller gets an error, the others
// are stored, and the database works as before and closes in time.
func TestAdvisory_U16_PanicIsItsCallersAlone(t *testing.T) {
	var template dbtest.Template
	src := template.Copy(t)
	disk := dbtest.NewDisk(t)
	if src.Engine == queries.SQLite {
		src.VFS = disk.Name
	}
	db, err := queries.Open(t.Context(), src)
	if err != nil {
		t.Fatal(err)
	}
	fill(t, db)
	for name, doing := range map[string]func(ctx context.Context, tx *queries.Tx) error{
		"in its own code": func(context.Context, *queries.Tx) error { panic("a fault of ours") },
		"reading": func(ctx context.Context, tx *queries.Tx) error {
			disk.PanicAt(dbtest.Reading, 1)
			_, err := tx.Count(ctx, queries.ListOrganizations, queries.ListOrganizationsParams{Name: new("%9%")})
			return err
		},
	} {
		if src.Engine == queries.Postgres && name == "reading" {
			continue // the disk is below SQLite only
		}
		t.Run(name, func(t *testing.T) {
			reopen(t, &db, src)
			errs := sharing(t, db, name, doing)
			var p *fault.Panic
			if !errors.As(errs[1], &p) || p.Stack == "" {
				t.Errorf("the transaction that panicked: %v", errs[1])
			}
			if errs[0] != nil || errs[2] != nil {
				t.Errorf("its neighbours: %v, %v", errs[0], errs[2])
			}
			works(t, db, name, 2)
		})
	}
	closes(t, db)
}

// TestPanicAtTheCommit has the driver panic where several transactions are made
// durable at once: none of them is acknowledged, and the next ones succeed.
func TestPanicAtTheCommit(t *testing.T) {
	var template dbtest.Template
	src := template.Copy(t)
	if src.Engine != queries.SQLite {
		t.Skip("skipped: the disk is below SQLite only")
	}
	disk := dbtest.NewDisk(t)
	src.VFS = disk.Name
	db, err := queries.Open(t.Context(), src)
	if err != nil {
		t.Fatal(err)
	}
	for i, err := range sharing(t, db, "commit", func(context.Context, *queries.Tx) error {
		disk.PanicAt(dbtest.Writing, 1)
		return nil
	}) {
		if err == nil {
			t.Errorf("transaction %d is acknowledged", i)
		}
	}
	// Whether the commit was done nobody can know; half of it cannot be.
	works(t, db, "commit", 0, 2)
	closes(t, db)
}

// TestPanicOfAReader has the driver panic in more readers than the pool has
// connections; reading goes on.
func TestPanicOfAReader(t *testing.T) {
	var template dbtest.Template
	src := template.Copy(t)
	if src.Engine != queries.SQLite {
		t.Skip("skipped: the disk is below SQLite only")
	}
	disk := dbtest.NewDisk(t)
	src.VFS = disk.Name
	db, err := queries.Open(t.Context(), src)
	if err != nil {
		t.Fatal(err)
	}
	fill(t, db)
	panics := 0
	for range 40 {
		disk.PanicAt(dbtest.Reading, 2) // preparing and reading
		_, err := db.Count(t.Context(), queries.ListOrganizations, queries.ListOrganizationsParams{Name: new("%9%")})
		var p *fault.Panic
		if errors.As(err, &p) {
			panics++
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if panics < 20 {
		t.Fatalf("%d of 40 readers panicked: that is no test", panics)
	}
	disk.Heal()
	works(t, db, "reader", 0)
	closes(t, db)
}

// fill makes more rows than one page holds.
func fill(t *testing.T, db *queries.DB) {
	t.Helper()
	err := db.InTx(t.Context(), func(ctx context.Context, tx *queries.Tx) error {
		for i := range 2000 {
			if err := organization(ctx, tx, fmt.Sprintf("filling %d", i)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// reopen opens the database again, with connections that have read nothing yet.
func reopen(t *testing.T, db **queries.DB, src queries.Source) {
	t.Helper()
	closes(t, *db)
	again, err := queries.Open(t.Context(), src)
	if err != nil {
		t.Fatal(err)
	}
	*db = again
}

// sharing runs three transactions that share one commit on SQLite; the second does
// what is given, within the context that is given.
func sharing(t *testing.T, db *queries.DB, name string, doing func(context.Context, *queries.Tx) error, within ...context.Context) [3]error {
	t.Helper()
	of := [3]context.Context{t.Context(), slices.Concat(within, []context.Context{t.Context()})[0], t.Context()}
	begun, release := make(chan struct{}), make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() {
		err := db.InTx(t.Context(), func(context.Context, *queries.Tx) error {
			close(begun)
			<-release
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	})
	<-begun
	var errs [3]error
	for i := range errs {
		all.Go(func() {
			errs[i] = db.InTx(of[i], func(ctx context.Context, tx *queries.Tx) error {
				if i == 1 {
					return doing(ctx, tx)
				}
				return organization(ctx, tx, fmt.Sprintf("%s: neighbour %d", name, i))
			})
		})
	}
	waiting(db, len(errs))
	close(release)
	all.Wait()
	return errs
}

// waiting waits until so many transactions wait for the writer of SQLite.
func waiting(db *queries.DB, n int) {
	for end := time.Now().Add(promise.Patience); db.Waiting() < n && db.Commits() != nil; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			return
		}
	}
}

// works wants the database healthy, to take writes, and to have one of these numbers of
// neighbours.
func works(t *testing.T, db *queries.DB, name string, neighbours ...int64) {
	t.Helper()
	if err := db.Ping(t.Context()); err != nil {
		t.Errorf("health: %v", err)
	}
	err := db.InTx(t.Context(), func(ctx context.Context, tx *queries.Tx) error {
		return organization(ctx, tx, name+": afterwards")
	})
	if err != nil {
		t.Errorf("the next write: %v", err)
	}
	n, err := db.Count(t.Context(), queries.ListOrganizations, queries.ListOrganizationsParams{Name: new(name + ": neighbour%")})
	if err != nil || !slices.Contains(neighbours, n) {
		t.Errorf("%d neighbours are stored, %v; want %d", n, err, neighbours)
	}
}

// closes wants the database closed as soon as a server has to be gone.
func closes(t *testing.T, db *queries.DB) {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- db.Close() }()
	select {
	case err := <-done:
		if err != nil {
			t.Errorf("closing: %v", err)
		}
	case <-time.After(promise.Within(10 * time.Second)):
		t.Fatal("the database does not close")
	}
}

func organization(ctx context.Context, tx *queries.Tx, name string) error {
	_, err := tx.InsertOrganization(ctx, queries.InsertOrganizationParams{Name: &name})
	return err
}

// TestPanicAfterTheCommitIsItsCallersAlone: what waits for a commit is done although one
// of it panics, the caller gets an error, and the database works on.
func TestPanicAfterTheCommitIsItsCallersAlone(t *testing.T) {
	var template dbtest.Template
	db := template.OpenCopy(t)
	done := 0
	err := db.InTx(t.Context(), func(_ context.Context, tx *queries.Tx) error {
		tx.OnCommit(func() { done++ })
		tx.OnCommit(func() { panic("a fault of ours") })
		tx.OnCommit(func() { done++ })
		return nil
	})
	var p *fault.Panic
	if !errors.As(err, &p) || done != 2 {
		t.Errorf("%d of 2 were done, %v", done, err)
	}
	works(t, db, "after the commit", 0)
}

// TestPanicOfTheWriterItself has the one goroutine panic that writes to SQLite: outside of any
// transaction, and at what one caller gave it. Callers get an error, and it writes on.
func TestPanicOfTheWriterItself(t *testing.T) {
	var template dbtest.Template
	src := template.Copy(t)
	if src.Engine != queries.SQLite {
		t.Skip("skipped: Postgres has no such writer")
	}
	db, err := queries.Open(t.Context(), src)
	if err != nil {
		t.Fatal(err)
	}
	mend := db.Confuse()
	var p *fault.Panic
	err = db.InTx(t.Context(), func(ctx context.Context, tx *queries.Tx) error { return organization(ctx, tx, "confused") })
	if !errors.As(err, &p) {
		t.Errorf("the transaction at that moment: %v", err)
	}
	if _, err := db.ForeignChanges(t.Context()); !errors.As(err, &p) {
		t.Errorf("the question at that moment: %v", err)
	}
	mend()
	works(t, db, "confused", 0)
	if _, err := db.ForeignChanges(t.Context()); err != nil {
		t.Errorf("the next question: %v", err)
	}
	errs := sharing(t, db, "context", func(context.Context, *queries.Tx) error { return nil }, panicking{t.Context()})
	if !errors.As(errs[1], &p) || errs[0] != nil || errs[2] != nil {
		t.Errorf("the caller whose context panics, and its neighbours: %v", errs)
	}
	works(t, db, "context", 2)
	closes(t, db)
}

// panicking is a context that panics when it is asked whether it has ended.
type panicking struct{ context.Context }

// Err panics.
func (panicking) Err() error { panic("a test wanted a panic of a context") }
