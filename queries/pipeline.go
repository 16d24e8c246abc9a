package queries

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// pipeline is a transaction on a connection to Postgres. It begins with the first statement, and a
// batch of statements, which may be the first or the last ones, takes one round trip.
type pipeline struct {
	conn         *sql.Conn
	begun, ended bool
	last         pgx.Batch // goes with the commit
	// toCommit says before the commit whether the caller is still there, and gives the context that goes on without.
	toCommit func() (context.Context, error)
	// wait is how long the answer to a commit is waited for; tooLong ends that.
	wait    time.Duration
	tooLong func()
}

// undoFor is how long the undoing of a transaction may take; after that its connection is closed.
const undoFor = 5 * time.Second

// leave undoes what is not committed and gives the connection back.
func (p *pipeline) leave(ctx context.Context) {
	if p.begun && !p.ended {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoFor)
		defer cancel()
		if _, err := p.conn.ExecContext(ctx, "ROLLBACK"); err != nil {
			_ = p.conn.Raw(func(any) error { return driver.ErrBadConn })
		}
	}
	_ = p.conn.Close()
}

// commit ends the transaction with a batch, which may be empty, in one round trip.
func (p *pipeline) commit(b *pgx.Batch) error {
	within, err := p.toCommit()
	if err != nil {
		return err
	}
	b.Queue("COMMIT").Exec(func(tag pgconn.CommandTag) error {
		if tag.String() == "ROLLBACK" {
			return pgx.ErrTxCommitRollback
		}
		p.ended = true
		return nil
	})
	limit := time.AfterFunc(p.wait, p.tooLong)
	defer limit.Stop()
	if err := p.send(within, b); err != nil {
		return fmt.Errorf("committing: %w", unsure(errors.Join(err, context.Cause(within))))
	}
	return nil
}

// send does a batch in one round trip. The first that is sent begins the transaction.
func (p *pipeline) send(ctx context.Context, b *pgx.Batch) error {
	if !p.begun {
		first := &pgx.QueuedQuery{SQL: "BEGIN"}
		b.QueuedQueries = append([]*pgx.QueuedQuery{first}, b.QueuedQueries...)
		p.begun = true
	}
	return p.conn.Raw(func(c any) error { return c.(*stdlib.Conn).Conn().SendBatch(ctx, b).Close() })
}

// begin begins the transaction when a statement comes alone.
func (p *pipeline) begin(ctx context.Context) error {
	if p.begun {
		return nil
	}
	if _, err := p.conn.ExecContext(ctx, "BEGIN"); err != nil {
		return fmt.Errorf("beginning a transaction: %w", err)
	}
	p.begun = true
	return nil
}

var errEnded = errors.New("the transaction has ended")

func (p *pipeline) ready(ctx context.Context) error {
	if p.ended {
		return errEnded
	}
	return p.begin(ctx)
}

// ExecContext runs a statement.
func (p *pipeline) ExecContext(ctx context.Context, q string, args ...any) (sql.Result, error) {
	if err := p.ready(ctx); err != nil {
		return nil, err
	}
	return p.conn.ExecContext(ctx, q, args...)
}

// PrepareContext prepares a statement.
func (p *pipeline) PrepareContext(ctx context.Context, q string) (*sql.Stmt, error) {
	if err := p.ready(ctx); err != nil {
		return nil, err
	}
	return p.conn.PrepareContext(ctx, q)
}

// QueryContext runs a query.
func (p *pipeline) QueryContext(ctx context.Context, q string, args ...any) (*sql.Rows, error) {
	if err := p.ready(ctx); err != nil {
		return nil, err
	}
	return p.conn.QueryContext(ctx, q, args...)
}

// QueryRowContext runs a query for one row. Where the transaction could not begin the query has the
// context of it, ended, so that it fails as well.
func (p *pipeline) QueryRowContext(ctx context.Context, q string, args ...any) *sql.Row {
	if err := p.ready(ctx); err != nil {
		ended, cancel := context.WithCancelCause(ctx)
		cancel(err)
		ctx = ended
	}
	return p.conn.QueryRowContext(ctx, q, args...)
}
