package queries

import (
	"context"
	"errors"
	"fmt"
	"io"
)

// ShortText is the length up to which an input, a result or a log lies in the row of its
// result; longer ones are streams of chunks.
const ShortText = 262144

// Loader fills an empty database with rows that have their ids already, faster than
// transactions of the server could. What is made of rows (indexes, references, triggers, counters) is
// left out until Finish makes it; before that the database is of no use to anybody, and one that was cut
// off is removed. One goroutine at a time may use it.
type Loader struct {
	into    sink
	tables  []*LoadTable
	streams int64
	stream  *LoadTable
	chunk   *LoadTable
}

// sink is a database that is being filled.
type sink interface {
	// prepare returns what takes the rows of a table.
	prepare(table string, columns []string) (func(values []any) error, error)
	complete(ctx context.Context, kept ...string) error
	raise(ctx context.Context, table string, id int64) error
	check(ctx context.Context) error
	end() error
}

// LoadTable takes the rows of one table.
type LoadTable struct {
	Name string
	Rows int64 // so far
	take func(values []any) error
}

// NewLoader makes a database to be filled. That of SQLite is a file that is not there yet, that of
// Postgres a schema without tables: the first one of its search path.
func NewLoader(ctx context.Context, src Source) (*Loader, error) {
	var into sink
	var err error
	if src.Engine == Postgres {
		into, err = newPostgresSink(ctx, src.DSN)
	} else {
		into, err = newLiteSink(ctx, src)
	}
	if err != nil {
		return nil, err
	}
	l := &Loader{into: into}
	if l.stream, err = l.Table("stream", "id", "result_id", "part", "bytes", "touched_at"); err == nil {
		l.chunk, err = l.Table("chunk", "stream_id", "number", "bytes")
	}
	if err != nil {
		return nil, errors.Join(err, into.end())
	}
	return l, nil
}

// Table prepares a table to be filled. Its rows may refer to others that come later.
func (l *Loader) Table(name string, columns ...string) (*LoadTable, error) {
	take, err := l.into.prepare(name, columns)
	if err != nil {
		return nil, fmt.Errorf("preparing table %s: %w", name, err)
	}
	t := &LoadTable{Name: name, take: take}
	l.tables = append(l.tables, t)
	return t, nil
}

// Add adds a row. A value is nil, an int64, a bool, a string, a []byte or a Time; slices belong to the
// loader from then on.
func (t *LoadTable) Add(values ...any) error {
	if err := t.take(values); err != nil {
		return fmt.Errorf("filling table %s: %w", t.Name, err)
	}
	t.Rows++
	return nil
}

// AddLong adds a text that is too long for the row of its result, piece by piece, and returns its
// length. With streams of its own the caller may not fill the tables of streams.
func (l *Loader) AddLong(result int64, part string, text io.Reader) (length int64, err error) {
	l.streams++
	for number := int64(0); ; number++ {
		piece := make([]byte, pieceBytes)
		n, err := io.ReadFull(text, piece)
		if n > 0 {
			length += int64(n)
			if err := l.chunk.Add(l.streams, number, piece[:n]); err != nil {
				return length, err
			}
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			break
		}
		if err != nil {
			return length, fmt.Errorf("reading the %s of result %d: %w", part, result, err)
		}
	}
	return length, l.stream.Add(l.streams, result, part, length, epoch)
}

// statusOfRows sets the status of tasks, which triggers keep from then on.
const statusOfRows = `UPDATE task SET status = s.status FROM (
	SELECT r.task_id, CASE WHEN COUNT(r.status) = 0 THEN 'unknown' ELSE
		CASE MIN(CASE r.status WHEN 'active' THEN 1 WHEN 'initializing' THEN 2 WHEN 'pending' THEN 3 WHEN 'completed' THEN 4 ELSE 0 END)
			WHEN 0 THEN 'failed' WHEN 1 THEN 'active' WHEN 2 THEN 'initializing' WHEN 3 THEN 'pending' ELSE 'completed' END END AS status
	FROM result r GROUP BY r.task_id) s
	WHERE s.task_id = task.id AND s.status <> task.status`

// countersOfRows sets what triggers keep from then on.
const countersOfRows = `INSERT INTO extent (collaboration_id, tasks, results)
	SELECT c.id, (SELECT COUNT(*) FROM task t WHERE t.collaboration_id = c.id), (SELECT COUNT(*) FROM result r WHERE r.collaboration_id = c.id)
	FROM collaboration c`

// Finish makes what is made of rows. The ids of each table go on above its highest one.
func (l *Loader) Finish(ctx context.Context) error {
	if err := l.into.complete(ctx, countersOfRows, statusOfRows); err != nil {
		return fmt.Errorf("finishing the new database: %w", err)
	}
	return nil
}

// GoOnAbove has the next id of a table be higher than this one, after Finish.
func (l *Loader) GoOnAbove(ctx context.Context, table string, id int64) error {
	if err := l.into.raise(ctx, table, id); err != nil {
		return fmt.Errorf("setting the next id of table %s: %w", table, err)
	}
	return nil
}

// Prove checks what the engine can check, pages and references, after Finish.
func (l *Loader) Prove(ctx context.Context) error {
	if err := l.into.check(ctx); err != nil {
		return fmt.Errorf("checking the new database: %w", err)
	}
	return nil
}

// Close ends the filling and has all be on the disk. Without Finish before, the caller
// removes the database.
func (l *Loader) Close() error { return l.into.end() }

// Counted are the rows that each table was given.
func (l *Loader) Counted() map[string]int64 {
	rows := map[string]int64{}
	for _, t := range l.tables {
		rows[t.Name] += t.Rows
	}
	return rows
}
