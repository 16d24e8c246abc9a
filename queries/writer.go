package queries

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"

	"github.com/ncruces/go-sqlite3/driver"
)

// batch is the most transactions that share one commit.
const batch = 256

var errClosed = errors.New("the database is closed")

// writer is the one goroutine that writes to SQLite. Transactions that wait at the
// same time share one BEGIN IMMEDIATE and one COMMIT, each within a savepoint of
// its own: the disk is asked once for all of them, and every caller is answered
// after that.
type writer struct {
	conn  *sql.Conn
	on    *lite
	jobs  chan *job
	looks chan chan look
	quit  chan struct{}
	ended sync.WaitGroup
}

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
	return named(j.err)
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

// commit runs the jobs in one transaction and answers each.
func (w *writer) commit(jobs []*job) {
	err := w.exec("BEGIN IMMEDIATE")
	for _, j := range jobs {
		if err == nil {
			err = w.one(j, len(jobs) > 1)
		}
	}
	switch {
	case err != nil:
		_ = w.exec("ROLLBACK")
	case len(jobs) == 1 && jobs[0].err != nil:
		err = w.exec("ROLLBACK")
	default:
		if err = w.exec("COMMIT"); err != nil {
			_ = w.exec("ROLLBACK")
		}
	}
	for _, j := range jobs {
		if err != nil && j.err == nil {
			j.err = err
		}
		close(j.done)
	}
}

// one runs a job; the error is one that ended the whole transaction.
func (w *writer) one(j *job, shared bool) error {
	if j.err = j.ctx.Err(); j.err != nil {
		return nil
	}
	if shared {
		if err := w.exec("SAVEPOINT job"); err != nil {
			return err
		}
	}
	j.run(w.on)
	if j.err != nil && w.rolledBack() {
		return fmt.Errorf("the shared transaction was undone: %w", j.err)
	}
	if !shared {
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

// rolledBack tells whether SQLite gave up the transaction by itself, as it does
// when the disk is full or fails.
func (w *writer) rolledBack() bool {
	gone := true
	_ = w.conn.Raw(func(c any) error {
		gone = c.(driver.Conn).Raw().GetAutocommit()
		return nil
	})
	return gone
}

func (w *writer) exec(statement string) error {
	if _, err := w.conn.ExecContext(context.Background(), statement); err != nil {
		return fmt.Errorf("%s: %w", statement, err)
	}
	return nil
}
