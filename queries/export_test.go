package queries

import (
	"context"
	"database/sql"
	"time"
)

// Waiting returns how many transactions wait for the writer of SQLite.
func (db *DB) Waiting() int {
	if db.writer == nil {
		return 0
	}
	return len(db.writer.jobs)
}

// Confuse has the writer of SQLite panic at whatever it does, until the returned function
// is called.
func (db *DB) Confuse() (mend func()) {
	at := db.writer.at
	db.writer.at = nil
	return func() { db.writer.at = at }
}

// CountStatements counts what is read outside of transactions from now on.
func (db *DB) CountStatements() *Statements {
	s := &Statements{DBTX: db.Queries.db}
	db.Queries = New(s)
	return s
}

// Statements passes on what is read, and counts it.
type Statements struct {
	DBTX
	read int
}

// Take returns how many were read since the last time.
func (s *Statements) Take() int {
	defer func() { s.read = 0 }()
	return s.read
}

// QueryContext counts a query for rows.
func (s *Statements) QueryContext(ctx context.Context, q string, args ...any) (*sql.Rows, error) {
	s.read++
	return s.DBTX.QueryContext(ctx, q, args...)
}

// QueryRowContext counts a query for one row.
func (s *Statements) QueryRowContext(ctx context.Context, q string, args ...any) *sql.Row {
	s.read++
	return s.DBTX.QueryRowContext(ctx, q, args...)
}

// FormsOfColumns are the names of columns of truth values and of moments.
func FormsOfColumns() (truths, moments []string) { return truthColumns, momentColumns }

// WaitForCommits changes how long the answer to a commit is waited for.
func (db *DB) WaitForCommits(d time.Duration) { db.commitWait = d }

// SeenTimeline has a connection's server be one that another primary has followed.
func (db *DB) SeenTimeline(n int64) (was int64) { return db.line.timeline.Swap(n) }

// OwnNames are the names of what the schema makes.
const OwnNames = ownNames
