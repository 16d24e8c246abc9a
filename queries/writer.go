package queries

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/ncruces/go-sqlite3/driver"
)

// batch is the most transactions that share one commit.
const batch = 256

var errClosed = errors.New("the database is closed")

// writer is the one goroutine that writes to SQLite. Transactions that wait at the
// same time share one BEGIN IMMEDIATE and one COMMIT: the disk is asked once for all
// of them, and every caller is answered after that.
type writer struct {
	conn  *sql.Conn
	on    *lite
	jobs  chan *job
	looks chan chan look
	quit  chan struct{}
	ended sync.WaitGroup

	done Batches
}

// Batches counts what was committed.
type Batches struct{ Commits, Transactions atomic.Int64 }

type job struct {
	ctx  context.Context
	f    func(context.Context, *Tx) error
	tx   *Tx
	err  error
	lost any // what f panicked with
	done chan struct{}
}

func newWriter(c *sql.Conn) *writer {
	w := &writer{conn: c, on: newLite(c), jobs: make(chan *job, batch), looks: make(chan chan look), quit: make(chan struct{})}
	w.ended.Add(1)
	go w.run()
	return w
}

// do hands f to the writer and waits for the commit. Once f has begun, the caller's
// context no longer stops it: an interrupted statement would undo its neighbours.
func (w *writer) do(ctx context.Context, f func(context.Context, *Tx) error) error {
	j := &job{ctx: ctx, f: f, done: make(chan struct{})}
	select {
	case w.jobs <- j:
	case <-w.quit:
		return errClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-j.done:
	case <-w.quit:
		w.ended.Wait()
		select {
		case <-j.done:
		default:
			return errClosed
		}
	}
	if j.lost != nil {
		panic(j.lost)
	}
	if j.err == nil {
		j.tx.committed()
	}
	return Named(j.err)
}

// close waits for what has begun; transactions that come later fail.
func (w *writer) close() error {
	close(w.quit)
	w.ended.Wait()
	return errors.Join(w.on.close(), w.conn.Close())
}

func (w *writer) run() {
	defer w.ended.Done()
	for {
		select {
		case j := <-w.jobs:
			w.commit(w.gather(j))
		case answer := <-w.looks:
			answer <- w.look()
		case <-w.quit:
			return
		}
	}
}

// gather takes what waits already, without waiting for more.
func (w *writer) gather(first *job) []*job {
	jobs := []*job{first}
	for len(jobs) < batch {
		select {
		case j := <-w.jobs:
			jobs = append(jobs, j)
		default:
			return jobs
		}
	}
	return jobs
}

// commit runs the jobs in one transaction and answers each. Savepoints cost SQLite
// a copy of every page that they touch, so several jobs run without them first, and
// again with them only when one has failed.
func (w *writer) commit(jobs []*job) {
	err := w.attempt(jobs, false)
	if err == nil && len(jobs) > 1 && slices.ContainsFunc(jobs, func(j *job) bool { return j.err != nil }) {
		err = w.attempt(jobs, true)
	}
	written := int64(0)
	for _, j := range jobs {
		if err != nil && j.err == nil {
			j.err = err
		}
		if j.err == nil {
			written++
		}
	}
	if written > 0 {
		w.done.Commits.Add(1)
		w.done.Transactions.Add(written)
	}
	for _, j := range jobs {
		close(j.done)
	}
}

// attempt runs the jobs in one transaction; the error is one of all of them. Without
// savepoints the failure of one leaves nothing of any, which is no error yet.
func (w *writer) attempt(jobs []*job, apart bool) error {
	err := w.exec("BEGIN IMMEDIATE")
	failed := false
	for _, j := range jobs {
		if err == nil && (apart || !failed) {
			err = w.one(j, apart)
			failed = failed || j.err != nil
		}
	}
	if err == nil && (apart || !failed) {
		err = w.exec("COMMIT")
		failed = err != nil
	} else {
		failed = true
	}
	if failed && !w.idle() {
		_ = w.exec("ROLLBACK")
	}
	return err
}

// one runs a job; the error is one that ended the whole transaction.
func (w *writer) one(j *job, apart bool) error {
	if j.err = j.ctx.Err(); j.err != nil {
		return nil
	}
	if apart {
		if err := w.exec("SAVEPOINT job"); err != nil {
			return err
		}
	}
	j.run(w.on)
	if j.err != nil && w.idle() {
		return fmt.Errorf("the shared transaction was undone: %w", j.err)
	}
	if !apart {
		return nil
	}
	if j.err != nil {
		if err := w.exec("ROLLBACK TO job"); err != nil {
			return err
		}
	}
	return w.exec("RELEASE job")
}

func (j *job) run(on DBTX) {
	defer func() {
		if j.lost = recover(); j.lost != nil {
			j.err = errors.New("the transaction panicked")
		}
	}()
	j.tx = &Tx{Queries: New(on), Now: Now()}
	j.err = j.f(context.WithoutCancel(j.ctx), j.tx)
}

// idle tells whether no transaction is open; SQLite gives one up by itself when the
// disk is full or fails.
func (w *writer) idle() bool {
	gone := true
	_ = w.conn.Raw(func(c any) error {
		gone = c.(driver.Conn).Raw().GetAutocommit()
		return nil
	})
	return gone
}

func (w *writer) exec(statement string) error {
	if _, err := w.on.ExecContext(context.Background(), statement); err != nil {
		return fmt.Errorf("%s: %w", statement, err)
	}
	return nil
}
