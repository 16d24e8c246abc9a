package queries

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"vserver/service/fault"
)

// commitLimit is the most transactions that share one commit.
const commitLimit = 256

var errClosed = errors.New("the database is closed")

// writer is the one goroutine that writes to SQLite. Transactions that wait at the
// same time share one BEGIN IMMEDIATE and one COMMIT: the disk is asked once for all
// of them, and every caller is answered after that.
type writer struct {
	at    *place
	pool  *sql.DB // of the one connection
	conn  *sql.Conn
	on    *lite
	jobs  chan *job
	looks chan chan look
	quit  chan struct{}
	ended sync.WaitGroup

	closing sync.Once
	lost    atomic.Bool // the connection is of no use, and there is no other yet

	done CommitCount
}

// CommitCount counts what was committed.
type CommitCount struct{ Commits, Transactions atomic.Int64 }

type job struct {
	ctx  context.Context
	f    func(context.Context, *Tx) error
	tx   *Tx
	err  error
	done chan struct{}
}

func newWriter(ctx context.Context, pool *sql.DB, at *place) (*writer, error) {
	w := &writer{at: at, pool: pool, jobs: make(chan *job, commitLimit), looks: make(chan chan look), quit: make(chan struct{})}
	if err := w.connect(ctx); err != nil {
		return nil, err
	}
	w.ended.Add(1)
	go w.run()
	return w, nil
}

func (w *writer) connect(ctx context.Context) error {
	conn, err := w.pool.Conn(ctx)
	if err == nil {
		err = w.settle(ctx, conn)
	}
	w.lost.Store(err != nil)
	if err != nil {
		return fmt.Errorf("connecting to write: %w", err)
	}
	w.conn, w.on = conn, newLite(conn)
	return nil
}

// settle makes the files of the database with a first look into it, and remembers them.
func (w *writer) settle(ctx context.Context, conn *sql.Conn) error {
	var tables int64
	err := conn.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema").Scan(&tables)
	if err == nil {
		err = w.at.remember()
	}
	if err != nil {
		return errors.Join(err, conn.Close())
	}
	return nil
}

// reconnect takes another connection in the place of one that is of no use. What the
// old one says about its end is of no use either.
func (w *writer) reconnect() error {
	if !w.lost.Load() {
		_, _ = w.on.close(), w.conn.Close()
		w.at.forgetLog()
	}
	return w.connect(context.Background())
}

// discard makes the connection one of no use.
func (w *writer) discard() {
	if !w.lost.Load() {
		_ = w.conn.Raw(func(c any) error {
			c.(*guardedConn).broken.Store(true)
			return nil
		})
	}
}

// broken reports whether the driver panicked, so that another connection is needed.
func (w *writer) broken() bool {
	broken := w.lost.Load()
	if !broken {
		_ = w.conn.Raw(func(c any) error {
			broken = !c.(*guardedConn).IsValid()
			return nil
		})
	}
	return broken
}

// do has the writer run f and waits for the commit. Once f has begun, the caller's
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
	if j.err == nil {
		return j.tx.committed()
	}
	return Named(j.err)
}

// close waits for what has begun; transactions that come later fail.
func (w *writer) close() error {
	w.closing.Do(func() { close(w.quit) })
	w.ended.Wait()
	if w.lost.Load() {
		return nil
	}
	return errors.Join(w.on.close(), w.conn.Close())
}

func (w *writer) run() {
	defer w.ended.Done()
	for {
		select {
		case j := <-w.jobs:
			w.steadily(w.gather(j))
		case answer := <-w.looks:
			answer <- w.look()
		case <-w.quit:
			return
		}
	}
}

// steadily commits jobs. A panic of the writer itself is the error of all of them, and what
// its connection was about nobody knows: it takes another one for the next.
func (w *writer) steadily(jobs []*job) {
	defer func() {
		if p := recover(); p != nil {
			w.discard()
			w.answer(jobs, fault.Recovered(p))
		}
	}()
	w.commit(jobs)
}

// gather takes what waits already, without waiting for more.
func (w *writer) gather(first *job) []*job {
	jobs := []*job{first}
	for len(jobs) < commitLimit {
		select {
		case j := <-w.jobs:
			jobs = append(jobs, j)
		default:
			return jobs
		}
	}
	return jobs
}

// commit runs the jobs and answers each. Where the driver panics in one of them, the
// others are run again on another connection.
func (w *writer) commit(jobs []*job) {
	left, err := jobs, error(nil)
	if w.broken() {
		err = w.reconnect()
	}
	for err == nil && len(left) > 0 {
		if err = w.together(left); !w.broken() {
			break
		}
		others := slices.DeleteFunc(slices.Clone(left), func(j *job) bool { return panicked(j.err) })
		if again := w.reconnect(); again != nil || len(others) == len(left) {
			err = errors.Join(errBroken, err, again)
			break
		}
		left, err = others, nil
	}
	w.answer(jobs, err)
}

// answer lets the callers of the jobs go on; err is that of all whose job has none.
func (w *writer) answer(jobs []*job, err error) {
	written := int64(0)
	for _, j := range jobs {
		if j.err == nil {
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

func panicked(err error) bool {
	var p *fault.Panic
	return errors.As(err, &p)
}

// together runs jobs in one transaction. Savepoints cost SQLite a copy of every page
// that they touch, so several jobs run without them first, and again with them only
// when one has failed.
func (w *writer) together(jobs []*job) error {
	err := w.attempt(jobs, false)
	if err == nil && len(jobs) > 1 && slices.ContainsFunc(jobs, func(j *job) bool { return j.err != nil }) {
		err = w.attempt(jobs, true)
	}
	return err
}

// attempt runs the jobs in one transaction; the error is one of all of them. Without
// savepoints the failure of one leaves nothing of any, which is no error yet.
func (w *writer) attempt(jobs []*job, apart bool) error {
	err := w.at.gone()
	if err == nil {
		err = w.exec("BEGIN IMMEDIATE")
	}
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
	if failed && !w.broken() && !w.idle() {
		_ = w.exec("ROLLBACK")
	}
	return err
}

// one runs a job; the error is one that ended the whole transaction.
func (w *writer) one(j *job, apart bool) error {
	if apart {
		if err := w.exec("SAVEPOINT job"); err != nil {
			return err
		}
	}
	j.run(w.on)
	if w.broken() {
		return errBroken
	}
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
	j.tx = &Tx{Queries: New(on), Now: Now()}
	j.err = recovering(j.ctx, func(ctx context.Context, tx *Tx) error {
		if err := ctx.Err(); err != nil {
			return err // it gave up waiting
		}
		return j.f(context.WithoutCancel(ctx), tx)
	}, j.tx)
}

// idle reports whether no transaction is open; SQLite gives one up by itself when the
// disk is full or fails.
func (w *writer) idle() bool {
	gone := true
	_ = w.conn.Raw(func(c any) error {
		gone = c.(*guardedConn).Raw().GetAutocommit()
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
