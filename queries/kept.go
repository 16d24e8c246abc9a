package queries

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
)

const (
	// keptAnswers is how many answers are kept at a time, and keptBytes how long they may be together.
	keptAnswers = 512
	keptBytes   = 8 << 20
	// keptLength is how long an answer may be that is kept.
	keptLength = 256 << 10
)

// answers are those of SQLite that are given again as long as nobody has committed, this process or another: those of
// queries that read much to say little, and what is made of them. A connection of their own, made when it is needed
// first, tells of commits.
type answers struct {
	pool *sql.DB
	at   *place

	mu    sync.Mutex
	conn  *sql.Conn
	index *os.File // of the log, whose head tells of commits as well; nil: only the connection does
	mark  mark
	by    map[any]any
	bytes int
}

// mark is a version of the data as one connection knows it.
type mark struct {
	conn    *sql.Conn
	version string
}

// Kept returns what read returns, or has returned for the key at the version that the database has now. Callers get
// the same value, which they do not change. On Postgres it is read each time: there is no such version.
func Kept[T any](ctx context.Context, db *DB, key string, read func() (T, error)) (T, error) {
	if db.kept == nil {
		return read()
	}
	answer, keep := db.Again(ctx, key)
	if answer != nil {
		return answer.(T), nil
	}
	value, err := read()
	if err == nil {
		keep(value, 0)
	}
	return value, err
}

// Again returns what was kept for a key at the version that the database has now, nil for nothing. keep keeps what is
// found out from now on, which is so many bytes long. It may be newer than the version that was looked at: then nobody
// is given it again, because that has changed.
func (db *DB) Again(ctx context.Context, key any) (answer any, keep func(answer any, length int)) {
	if db.kept == nil {
		return nil, func(any, int) {}
	}
	at, answer, err := db.kept.look(ctx, key)
	if err != nil {
		return nil, func(any, int) {}
	}
	return answer, func(answer any, length int) { db.kept.keep(at, key, answer, length) }
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
func (k *answers) look(ctx context.Context, key any) (at mark, answer any, err error) {
	ctx = context.WithoutCancel(ctx) // who goes away ends no connection that others use
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.conn == nil {
		err = k.connect(ctx)
	}
	if err == nil {
		at.conn = k.conn
		at.version, err = k.version(ctx)
	}
	if err != nil {
		_ = k.leave()
		return at, nil, fmt.Errorf("looking for changes: %w", err)
	}
	if at != k.mark {
		k.mark, k.bytes = at, 0
		clear(k.by)
	}
	return at, k.by[key], nil
}

// connect has a connection tell of commits. As long as it is there nobody removes the log and its index.
func (k *answers) connect(ctx context.Context) (err error) {
	if k.conn, err = k.pool.Conn(ctx); err != nil {
		return err
	}
	if _, err = k.version(ctx); err != nil { // it has not looked into the log before
		return err
	}
	if runtime.GOOS != "linux" && runtime.GOOS != "darwin" {
		return nil // elsewhere the driver keeps a copy of the index for itself
	}
	if k.index, err = os.Open(k.at.path + shmSuffix); err == nil && !k.at.has(k.index) {
		err = errors.Join(ErrGone, k.index.Close())
	}
	if err != nil {
		k.index = nil
	}
	return nil
}

// indexHead is the length of the head of a log's index: SQLite writes it last of all in a commit, with a number that
// rises and a checksum, and looks there itself for commits of others (https://sqlite.org/walformat.html#the_wal_index_header).
const indexHead = 48

func (k *answers) version(ctx context.Context) (version string, err error) {
	if k.index == nil {
		err = k.conn.QueryRowContext(ctx, "PRAGMA data_version").Scan(&version)
		return version, err
	}
	head := make([]byte, indexHead)
	_, err = k.index.ReadAt(head, 0)
	return string(head), err
}

// keep keeps an answer that was found out at a mark or later.
func (k *answers) keep(at mark, key, answer any, length int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if at != k.mark || length > keptLength {
		return
	}
	if len(k.by) >= keptAnswers || k.bytes+length > keptBytes {
		clear(k.by)
		k.bytes = 0
	}
	k.by[key] = answer
	k.bytes += length
}

func (k *answers) close() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.leave()
}

// leave gives the connection up.
func (k *answers) leave() (err error) {
	if k.index != nil {
		err = k.index.Close()
	}
	if k.conn != nil {
		err = errors.Join(err, k.conn.Close())
	}
	k.conn, k.index = nil, nil
	return err
}
