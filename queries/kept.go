package queries

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"sync"
)

// keptAnswers is how many answers are kept at a time.
const keptAnswers = 128

// answers are those of SQLite that are given again as long as nobody has committed, this process or another: those of
// queries that read much to say little. A connection of their own, made when it is needed first, tells of commits.
type answers struct {
	pool *sql.DB

	mu   sync.Mutex
	conn *sql.Conn
	at   mark
	by   map[string]any
}

// mark is a version of the data as one connection numbers it.
type mark struct {
	conn    *sql.Conn
	version int64
}

// Kept returns what read returns, or has returned for the key at the version that the database has now. Callers get
// the same value, which they do not change. On Postgres it is read each time: there is no such version.
func Kept[T any](ctx context.Context, db *DB, key string, read func() (T, error)) (T, error) {
	if db.kept == nil {
		return read()
	}
	at, answer, err := db.kept.look(ctx, key)
	if err != nil {
		return read()
	}
	if answer != nil {
		return answer.(T), nil
	}
	// What is read may be newer than the mark: then nobody is given it again, because that has changed.
	value, err := read()
	if err == nil {
		db.kept.keep(at, key, value)
	}
	return value, err
}

// KeptCount is Count for lists that take long to count.
func (db *DB) KeptCount(ctx context.Context, list string, arg any) (int64, error) {
	count := func() (int64, error) { return db.Count(ctx, list, arg) }
	key, err := askedAs(list, fieldsOf(arg))
	if err != nil {
		return count()
	}
	return Kept(ctx, db, key, count)
}

// askedAs names a query with the values of its parameters.
func askedAs(query string, args []any) (string, error) {
	for _, a := range args {
		value, err := driver.DefaultParameterConverter.ConvertValue(a)
		if err != nil {
			return "", fmt.Errorf("reading a parameter: %w", err)
		}
		query += fmt.Sprintf("\x00%T%q", value, fmt.Sprint(value))
	}
	return query, nil
}

// look returns the mark of the data as it is, and what is kept for a key at it.
func (k *answers) look(ctx context.Context, key string) (at mark, answer any, err error) {
	ctx = context.WithoutCancel(ctx) // who goes away ends no connection that others use
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.conn == nil {
		if k.conn, err = k.pool.Conn(ctx); err != nil {
			return at, nil, fmt.Errorf("looking for changes: %w", err)
		}
	}
	at.conn = k.conn
	if err = k.conn.QueryRowContext(ctx, "PRAGMA data_version").Scan(&at.version); err != nil {
		_ = k.conn.Close()
		k.conn = nil
		return at, nil, fmt.Errorf("looking for changes: %w", err)
	}
	if at != k.at {
		k.at = at
		clear(k.by)
	}
	return at, k.by[key], nil
}

// keep keeps an answer that was read at a mark or later.
func (k *answers) keep(at mark, key string, answer any) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if at != k.at {
		return
	}
	if len(k.by) >= keptAnswers {
		clear(k.by)
	}
	k.by[key] = answer
}

func (k *answers) close() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.conn == nil {
		return nil
	}
	err := k.conn.Close()
	k.conn = nil
	return err
}
