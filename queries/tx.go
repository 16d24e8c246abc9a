package queries

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"vserver/service/fault"
)

// Tx is a transaction: the queries within it, its moment, and what waits for its
// commit.
type Tx struct {
	*Queries
	// Now is the one moment that all rows of this transaction carry.
	Now   Time
	pipe  *pipeline // of Postgres; nil on SQLite
	after []func()
}

// OnCommit keeps f until the transaction is durable; a transaction that fails
// forgets it. Events go out this way, so that nobody hears of what was rolled back.
func (t *Tx) OnCommit(f func()) { t.after = append(t.after, f) }

// committed calls what was kept. One that panics keeps none of the others from being called;
// its panic is the error, although the transaction is durable.
func (t *Tx) committed() (err error) {
	for _, f := range t.after {
		err = errors.Join(err, recovering(context.Background(), func(context.Context, *Tx) error { f(); return nil }, t))
	}
	return err
}

// InTx runs f in one transaction that is durable when InTx returns nil, and undone
// when f or the commit fails. f may run twice: on Postgres when the first try lost
// against another transaction, on SQLite when one that shared its commit failed. f must not call InTx.
func (db *DB) InTx(ctx context.Context, f func(ctx context.Context, tx *Tx) error) error {
	if db.writer != nil {
		return db.writer.do(ctx, f)
	}
	const tries = 4
	var err error
	for i := range tries {
		if err = db.inPostgres(ctx, f); err != nil && db.line.broke(err) && i == 0 {
			continue // a connection that broke while nobody used it: others are looked at before they are used
		}
		// What f checked may be gone, or be there, by the time it writes: a second look lets it say so itself.
		outdated := i == 0 && (InUse(err) || Taken(err))
		if !again(err) && !outdated {
			break
		}
	}
	return Named(err)
}

// commitWait is how long the answer to a commit is waited for. PostgreSQL itself may wait without
// end, for a standby that is gone, and no time-out of its own ends that.
const commitWait = 30 * time.Second

var errCommitWait = errors.New("there was no answer in time")

// inPostgres has a context of its own for the connection: who goes away before the commit undoes the
// transaction, but a commit that has begun goes on, so that others hear of what it stores.
func (db *DB) inPostgres(ctx context.Context, f func(ctx context.Context, tx *Tx) error) error {
	within, cut := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cut(nil)
	stay := context.AfterFunc(ctx, func() { cut(context.Cause(ctx)) })
	defer stay()
	conn, err := db.pool.Conn(within)
	if err != nil {
		return fmt.Errorf("beginning a transaction: %w", cmp.Or(ctx.Err(), err))
	}
	p := &pipeline{conn: conn, toCommit: func() (context.Context, error) {
		if !stay() {
			return nil, fmt.Errorf("before the commit: %w", ctx.Err())
		}
		return within, nil
	}, wait: cmp.Or(db.commitWait, commitWait), tooLong: func() { cut(errCommitWait) }}
	defer p.leave(ctx)
	tx := &Tx{Queries: New(p), Now: Now(), pipe: p}
	if err := recovering(ctx, f, tx); err != nil {
		return err
	}
	if p.begun && !p.ended {
		if err := p.commit(&p.last); err != nil {
			return err
		}
	}
	return tx.committed()
}

// recovering runs f; its panic becomes an error, as on SQLite.
func recovering(ctx context.Context, f func(context.Context, *Tx) error, tx *Tx) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fault.Recovered(p)
		}
	}()
	return f(ctx, tx)
}
