package queries

import (
	"context"
	"fmt"

	"vserver/service/fault"
)

// ForeignChanges returns a number that is another one than before when somebody else has
// committed meanwhile: on SQLite any other process, on Postgres whoever counts changes
// with CountChange. What this process commits on SQLite does not change it.
func (db *DB) ForeignChanges(ctx context.Context) (int64, error) {
	if db.writer != nil {
		return db.writer.version(ctx)
	}
	n, err := db.CountedChanges(ctx)
	if err != nil {
		return 0, fmt.Errorf("reading the number of changes: %w", err)
	}
	return n, nil
}

// look is an answer to the question for the version of the data.
type look struct {
	version int64
	err     error
}

// version asks the one connection that writes: SQLite tells each connection of the
// commits of all others. The question waits for the transactions under way and takes
// no lock.
func (w *writer) version(ctx context.Context) (int64, error) {
	answer := make(chan look, 1)
	select {
	case w.looks <- answer:
	case <-w.quit:
		return 0, errClosed
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	l := <-answer
	return l.version, l.err
}

// look answers also after the driver panicked, so that the database is found in order
// again when nobody writes.
func (w *writer) look() (l look) {
	defer func() {
		if p := recover(); p != nil {
			w.discard()
			l.err = fault.Recovered(p)
		}
	}()
	if l.err = w.at.gone(); l.err == nil && w.broken() {
		l.err = w.reconnect()
	}
	if l.err != nil {
		return l
	}
	err := w.conn.QueryRowContext(context.Background(), "PRAGMA data_version").Scan(&l.version)
	if err != nil {
		l.err = fmt.Errorf("reading the version of the data: %w", Named(err))
	}
	return l
}
