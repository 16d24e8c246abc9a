package queries

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"

	"github.com/ncruces/go-sqlite3"
	sqlite "github.com/ncruces/go-sqlite3/driver"

	"vserver/service/fault"
)

// SQLite's driver panics where C would abort, for example when it has no memory
// left. A panic that passes through database/sql loses the connection for good, with
// its place in the pool and the locks that it holds. So panics become errors here,
// and the connection is of no use from then on: it is closed, never asked again.

// errBroken is what a connection answers after it panicked.
var errBroken = errors.New("the driver of the database panicked before")

// openGuarded opens a pool of connections to the database at a place, whose panics become
// errors and whose refusals by the system are explained.
func openGuarded(dsn string, at *place) (*sql.DB, error) {
	c, err := (&sqlite.SQLite{}).OpenConnector(dsn)
	if err != nil {
		return nil, fmt.Errorf("reading the name of the database: %w", err)
	}
	return sql.OpenDB(guardedConnector{c, at}), nil
}

type guardedConnector struct {
	driver.Connector
	at *place
}

// Connect opens a connection.
func (g guardedConnector) Connect(ctx context.Context) (_ driver.Conn, err error) {
	c := &guardedConn{at: g.at}
	defer c.afterPanic(&err)
	if err := g.at.gone(); err != nil {
		return nil, err
	}
	inner, err := g.Connector.Connect(ctx)
	if err != nil {
		return nil, explained(err, g.at.path)
	}
	c.sqliteConn = inner.(sqliteConn)
	if err := keepPlans(c.Raw()); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// sqliteConn is what the driver's connections can do.
type sqliteConn interface {
	sqlite.Conn
	driver.ExecerContext
	driver.NamedValueChecker
}

// guardedConn is a connection that panics no more than once.
type guardedConn struct {
	sqliteConn
	at     *place
	broken atomic.Bool
}

// afterPanic is deferred by whatever calls the driver.
func (c *guardedConn) afterPanic(err *error) {
	if p := recover(); p != nil {
		c.broken.Store(true)
		*err = fault.Recovered(p)
	}
}

// guarded runs a call of the driver, unless the connection is of no use.
func guarded[T any](c *guardedConn, call func() (T, error)) (v T, err error) {
	if c.broken.Load() {
		return v, errBroken
	}
	defer c.afterPanic(&err)
	v, err = call()
	return v, explained(err, c.at.path)
}

// IsValid has the pool drop a connection that is of no use.
func (c *guardedConn) IsValid() bool { return !c.broken.Load() }

// ResetSession has the pool take another connection than one that is of no use.
func (c *guardedConn) ResetSession(context.Context) error {
	if c.broken.Load() {
		return driver.ErrBadConn
	}
	return nil
}

// Close ends the connection. SQLite refuses that when a statement is left, and then
// its files and locks live until they are collected.
func (c *guardedConn) Close() (err error) {
	broken := c.broken.Load()
	defer func() {
		if broken && err != nil {
			c.sqliteConn = nil
			runtime.GC()
		}
	}()
	defer c.afterPanic(&err)
	if c.at.gone() != nil {
		// The last connection would remove the log and its index by their names, which
		// are those of another database by now.
		_, _ = c.Raw().FileControl("main", sqlite3.FCNTL_PERSIST_WAL, true)
	}
	return c.sqliteConn.Close()
}

// PrepareContext prepares a statement that is guarded as well.
func (c *guardedConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	return guarded(c, func() (driver.Stmt, error) {
		st, err := c.sqliteConn.PrepareContext(ctx, query)
		if err != nil {
			return nil, err
		}
		return &guardedStmt{st.(sqliteStmt), c}, nil
	})
}

// ExecContext runs a statement without arguments.
func (c *guardedConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	return guarded(c, func() (driver.Result, error) { return c.sqliteConn.ExecContext(ctx, query, args) })
}

// BeginTx begins a transaction that is guarded as well.
func (c *guardedConn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	return guarded(c, func() (driver.Tx, error) {
		tx, err := c.sqliteConn.BeginTx(ctx, opts)
		return guardedTx{tx, c}, err
	})
}

type guardedTx struct {
	driver.Tx
	conn *guardedConn
}

// Commit ends the transaction.
func (t guardedTx) Commit() error { return guardedCall(t.conn, t.Tx.Commit) }

// Rollback undoes the transaction.
func (t guardedTx) Rollback() error { return guardedCall(t.conn, t.Tx.Rollback) }

// guardedCall guards a call that has nothing but an error.
func guardedCall(c *guardedConn, call func() error) error {
	_, err := guarded(c, func() (struct{}, error) { return struct{}{}, call() })
	return err
}

// sqliteStmt is what the driver's statements can do.
type sqliteStmt interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
	driver.NamedValueChecker
}

type guardedStmt struct {
	sqliteStmt
	conn *guardedConn
}

// ExecContext runs the statement.
func (s *guardedStmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	return guarded(s.conn, func() (driver.Result, error) { return s.sqliteStmt.ExecContext(ctx, args) })
}

// QueryContext runs the statement; its rows are guarded as well.
func (s *guardedStmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	return guarded(s.conn, func() (driver.Rows, error) {
		rows, err := s.sqliteStmt.QueryContext(ctx, args)
		if err != nil {
			return nil, err
		}
		return &guardedRows{rows.(sqliteRows), s.conn}, nil
	})
}

// Close is tried on a broken connection as well: what a statement holds is given back.
func (s *guardedStmt) Close() (err error) {
	defer s.conn.afterPanic(&err)
	return s.sqliteStmt.Close()
}

// sqliteRows is what the driver's rows can do.
type sqliteRows interface {
	driver.Rows
	driver.RowsColumnTypeDatabaseTypeName
	driver.RowsColumnTypeNullable
	driver.RowsColumnTypeScanType
}

type guardedRows struct {
	sqliteRows
	conn *guardedConn
}

// Next reads a row.
func (r *guardedRows) Next(dest []driver.Value) error {
	return guardedCall(r.conn, func() error { return r.sqliteRows.Next(dest) })
}

// Close ends the reading, also on a broken connection.
func (r *guardedRows) Close() (err error) {
	defer r.conn.afterPanic(&err)
	return r.sqliteRows.Close()
}
