package queries

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/pressly/goose/v3"
)

const (
	// What one COPY takes: enough that its round trips do not count, little enough for memory.
	rowsAtOnce  = 5000
	bytesAtOnce = 4 << 20
	// rowBytes is what a row takes beside its texts.
	rowBytes = 200
)

// postgresSink fills a schema by COPY, while the next rows are read.
type postgresSink struct {
	conn    *pgx.Conn
	made    []string // statements that make the indexes and references again
	tables  []string
	filling []*batch
	waiting chan *batch
	done    chan struct{}
	failed  atomic.Pointer[error]
}

// batch are rows of one table.
type batch struct {
	table   string
	columns []string
	rows    [][]any
	bytes   int
}

func newPostgresSink(ctx context.Context, dsn string) (_ *postgresSink, err error) {
	pool, err := openPostgresPool(dsn)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(migrate(ctx, goose.DialectPostgres, pool, nil), pool.Close()); err != nil {
		return nil, err
	}
	settings, err := postgresConfig(dsn)
	if err != nil {
		return nil, err
	}
	s := &postgresSink{waiting: make(chan *batch), done: make(chan struct{})}
	if s.conn, err = pgx.ConnectConfig(ctx, settings); err != nil {
		return nil, fmt.Errorf("connecting to Postgres: %w", err)
	}
	if err := s.strip(ctx); err != nil {
		return nil, errors.Join(err, s.conn.Close(context.WithoutCancel(ctx)))
	}
	go s.copy(ctx, s.waiting)
	return s, nil
}

// Statements that take away, and make again, what is made of rows. Keys stay: rows come in their order.
const (
	postgresReferences = `SELECT format('ALTER TABLE %I DROP CONSTRAINT %I', t.relname, c.conname),
			format('ALTER TABLE %I ADD CONSTRAINT %I %s', t.relname, c.conname, pg_get_constraintdef(c.oid))
		FROM pg_constraint c JOIN pg_class t ON t.oid = c.conrelid
		WHERE c.contype = 'f' AND t.relnamespace = current_schema()::regnamespace ORDER BY c.oid`
	postgresIndexes = `SELECT format('DROP INDEX %I', x.relname), pg_get_indexdef(i.indexrelid)
		FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
		WHERE x.relnamespace = current_schema()::regnamespace
			AND NOT EXISTS (SELECT 1 FROM pg_constraint c WHERE c.conindid = i.indexrelid AND c.contype <> 'f') ORDER BY x.oid`
	postgresTables = `SELECT quote_ident(relname), '' FROM pg_class WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace ORDER BY oid`
)

// strip takes away indexes and references, and has triggers sleep.
func (s *postgresSink) strip(ctx context.Context) error {
	references, err := s.pairs(ctx, postgresReferences)
	if err != nil {
		return err
	}
	indexes, err := s.pairs(ctx, postgresIndexes)
	if err != nil {
		return err
	}
	tables, err := s.pairs(ctx, postgresTables)
	if err != nil {
		return err
	}
	// Nothing of it has to survive a crash before the last statement.
	gone := []string{"SET synchronous_commit = off"}
	for _, r := range append(references, indexes...) {
		gone = append(gone, r[0])
	}
	for _, r := range append(indexes, references...) {
		s.made = append(s.made, r[1])
	}
	for _, t := range tables {
		s.tables = append(s.tables, t[0])
		gone = append(gone, "ALTER TABLE "+t[0]+" DISABLE TRIGGER USER")
	}
	return s.run(ctx, gone)
}

func (s *postgresSink) run(ctx context.Context, statements []string) error {
	for _, statement := range statements {
		if _, err := s.conn.Exec(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	return nil
}

// pairs returns the rows of a query with two columns.
func (s *postgresSink) pairs(ctx context.Context, query string) ([][2]string, error) {
	rows, err := s.conn.Query(ctx, query)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (pair [2]string, err error) {
		return pair, row.Scan(&pair[0], &pair[1])
	})
}

// copy sends batches until there are no more; after an error it only takes them.
func (s *postgresSink) copy(ctx context.Context, waiting <-chan *batch) {
	defer close(s.done)
	for b := range waiting {
		if s.failed.Load() != nil {
			continue
		}
		if _, err := s.conn.CopyFrom(ctx, pgx.Identifier{b.table}, b.columns, pgx.CopyFromRows(b.rows)); err != nil {
			err = fmt.Errorf("filling table %s: %w", b.table, err)
			s.failed.Store(&err)
		}
	}
}

func (s *postgresSink) prepare(table string, columns []string) (func([]any) error, error) {
	b := &batch{table: table, columns: columns}
	s.filling = append(s.filling, b)
	return func(values []any) error {
		b.bytes += rowBytes
		for i, v := range values {
			switch v := v.(type) {
			case Time:
				values[i] = v.UTC()
			case string:
				b.bytes += len(v)
			case []byte:
				b.bytes += len(v)
			}
		}
		b.rows = append(b.rows, values)
		if len(b.rows) < rowsAtOnce && b.bytes < bytesAtOnce {
			return nil
		}
		return s.send(b)
	}, nil
}

// send passes on the rows of a batch and empties it.
func (s *postgresSink) send(b *batch) error {
	if err := s.failed.Load(); err != nil {
		return *err
	}
	full := *b
	s.waiting <- &full
	b.rows, b.bytes = nil, 0
	return nil
}

// settle waits for all rows.
func (s *postgresSink) settle() error {
	if s.waiting == nil {
		return nil
	}
	for _, b := range s.filling {
		if err := s.send(b); err != nil {
			break // it is the one below
		}
	}
	s.stop()
	if err := s.failed.Load(); err != nil {
		return *err
	}
	return nil
}

// stop ends the sending; what is not yet sent is not missed.
func (s *postgresSink) stop() {
	if s.waiting != nil {
		close(s.waiting)
		s.waiting = nil
		<-s.done
	}
}

// runNumber has run ids go on above those of tasks, and above those that were given out.
const runNumber = `SELECT setval('run_number', h.run) FROM (SELECT MAX(n.run) AS run FROM (
	SELECT run_id AS run FROM task UNION ALL SELECT value FROM counter WHERE name = 'run') n) h WHERE h.run > 0`

func (s *postgresSink) complete(ctx context.Context, kept ...string) error {
	if err := s.settle(); err != nil {
		return err
	}
	last := slices.Concat(s.made, kept, []string{runNumber})
	for _, t := range s.tables {
		last = append(last, "ALTER TABLE "+t+" ENABLE TRIGGER USER")
	}
	for _, t := range s.tables {
		last = append(last, "ANALYZE "+t)
	}
	if err := s.run(ctx, last); err != nil {
		return err
	}
	const identities = `SELECT c.relname, a.attname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
		WHERE a.attidentity <> '' AND c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace`
	columns, err := s.pairs(ctx, identities)
	if err != nil {
		return err
	}
	for _, c := range columns {
		var highest int64
		if err := s.conn.QueryRow(ctx, "SELECT COALESCE(MAX("+quotedName(c[1])+"), 0) FROM "+quotedName(c[0])).Scan(&highest); err != nil {
			return err
		}
		if err := s.raise(ctx, c[0], highest); err != nil {
			return err
		}
	}
	return s.run(ctx, []string{"SET synchronous_commit = on"})
}

func (s *postgresSink) raise(ctx context.Context, table string, id int64) error {
	if id < 1 {
		return nil
	}
	_, err := s.conn.Exec(ctx, `SELECT setval(q.name, GREATEST($2, (SELECT COALESCE(p.last_value, 0) FROM pg_sequences p
			WHERE format('%I.%I', p.schemaname, p.sequencename)::regclass = q.name)))
		FROM (SELECT pg_get_serial_sequence($1, 'id')::regclass AS name) q`, quotedName(table), id)
	return err
}

// check has nothing to do: Postgres checked the references as they were made again.
func (s *postgresSink) check(context.Context) error { return nil }

func (s *postgresSink) end() error {
	s.stop()
	return s.conn.Close(context.Background())
}
