package queries

import (
	"context"
	"database/sql/driver"
	"fmt"
	"sync"
)

const (
	// keptAnswers is how many answers are kept at a time, and keptBytes how long they may be with their keys: the ids of
	// a million results find room.
	keptAnswers = 512
	keptBytes   = 16 << 20
	// idBytes is how long a number is.
	idBytes = 8
	// mostSkipped is how many questions at most are not looked for where what is kept is of no use.
	mostSkipped = 50
)

// teller tells apart the versions of the data: the same one is told again only as long as nobody has committed.
type teller interface {
	version(ctx context.Context) (string, error)
	close() error
}

// answers are those that are given again as long as nobody has committed, this process or another: those of queries
// that read much to say little, and what is made of them.
type answers struct {
	teller
	costly bool // the teller asks the database

	mu    sync.Mutex
	mark  string // the version of what is kept
	by    map[any]any
	bytes int
	// What is costly is done seldom while it is of no use: so many questions are left out yet, and the next time.
	skips, next int
}

// Kept returns what read returns, or has returned for the key at the version that the database has now; read tells how
// many bytes it takes, too. Callers get the same value, which they do not change. On Postgres it is read each time: to
// find out the version costs as much.
func Kept[T any](ctx context.Context, db *DB, key string, read func() (value T, length int, err error)) (T, error) {
	keep := func(any, int) {}
	if !db.kept.costly {
		var answer any
		if answer, keep = db.Again(ctx, key); answer != nil {
			return answer.(T), nil
		}
	}
	value, length, err := read()
	if err == nil {
		keep(value, len(key)+length)
	}
	return value, err
}

// Again returns what was kept for a key at the version that the database has now, nil for nothing. keep keeps what is
// found out from now on, which is so many bytes long with the key. It may be newer than the version that was looked at:
// then nobody is given it again, because that has changed.
func (db *DB) Again(ctx context.Context, key any) (answer any, keep func(answer any, length int)) {
	if db.kept.skip() {
		return nil, func(any, int) {}
	}
	mark, answer, err := db.kept.look(ctx, key)
	if err != nil {
		return nil, func(any, int) {}
	}
	return answer, func(answer any, length int) { db.kept.keep(mark, key, answer, length) }
}

// KeptCount is Count for lists that take long to count.
func (db *DB) KeptCount(ctx context.Context, list string, arg any) (int64, error) {
	key, err := askedAs(list, fieldsOf(arg))
	if err != nil {
		return db.Count(ctx, list, arg)
	}
	return Kept(ctx, db, key, func() (n int64, length int, err error) {
		n, err = db.Count(ctx, list, arg)
		return n, idBytes, err
	})
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

// look returns the version of the data as it is, and what is kept for a key at it.
func (k *answers) look(ctx context.Context, key any) (mark string, answer any, err error) {
	mark, err = k.version(context.WithoutCancel(ctx)) // who goes away ends no connection that others use
	k.mu.Lock()
	defer k.mu.Unlock()
	if err == nil && mark != k.mark {
		k.mark, k.bytes = mark, 0
		clear(k.by)
	}
	if err == nil {
		answer = k.by[key]
	}
	if answer != nil {
		k.next = 0
	} else {
		k.skips, k.next = k.next, min(2*k.next+1, mostSkipped)
	}
	return mark, answer, err
}

// skip reports whether a question is not looked for.
func (k *answers) skip() bool {
	if !k.costly {
		return false
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.skips--
	return k.skips >= 0
}

// keep keeps an answer that was found out at a mark or later.
func (k *answers) keep(mark string, key, answer any, length int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if mark != k.mark || length > keptBytes {
		return
	}
	if len(k.by) >= keptAnswers || k.bytes+length > keptBytes {
		clear(k.by)
		k.bytes = 0
	}
	k.by[key] = answer
	k.bytes += length
}
