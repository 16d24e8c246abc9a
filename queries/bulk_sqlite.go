package queries

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/ncruces/go-sqlite3"
	"github.com/pressly/goose/v3"
)

// epoch is the moment of streams that nobody wrote to since.
var epoch = Time{time.Unix(0, 0).UTC()}

// rowsBetweenLooks is how many rows are added between two looks at the context.
const rowsBetweenLooks = 1000

// liteSink fills a file that is not yet in its place, so nothing has to survive a crash: no
// journal, no waiting for the disk.
type liteSink struct {
	ctx   context.Context // that of the whole filling
	c     *sqlite3.Conn
	path  string
	made  []string // statements that make the indexes and triggers again
	stats [][3]string
	open  []*sqlite3.Stmt
	rows  int64
}

func newLiteSink(ctx context.Context, src Source) (_ *liteSink, err error) {
	if err := reserve(src.Path); err != nil {
		return nil, err
	}
	s := &liteSink{ctx: ctx, path: src.Path}
	defer func() {
		if err != nil { // the first error is the one to tell
			_ = s.end()
			_ = os.Remove(src.Path)
			err = fmt.Errorf("making %s: %w", src.Path, roomless(err, src.Path))
		}
	}()
	if err := s.makeTables(ctx, src); err != nil {
		return nil, err
	}
	if s.c, err = openLite(src.Path, readWrite); err != nil {
		return nil, err
	}
	s.c.SetInterrupt(ctx)
	err = s.c.Exec(`PRAGMA journal_mode=off; PRAGMA synchronous=off; PRAGMA locking_mode=exclusive;
		PRAGMA foreign_keys=off; PRAGMA cache_size=-32768`)
	if err == nil {
		err = s.strip()
	}
	if err == nil {
		err = s.c.Exec("BEGIN")
	}
	return s, err
}

// makeTables makes the tables.
func (s *liteSink) makeTables(ctx context.Context, src Source) error {
	db, err := openGuarded(sqliteDSN(src, "_txlock=immediate"), &place{path: src.Path})
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(1)
	return errors.Join(migrate(ctx, goose.DialectSQLite3, db, nil), db.Close())
}

// strip takes away the indexes and triggers, and remembers them.
func (s *liteSink) strip() error {
	st, _, err := s.c.Prepare(`SELECT tbl, idx, stat FROM sqlite_stat1 WHERE idx IS NOT NULL`)
	if err != nil {
		return err
	}
	for st.Step() {
		s.stats = append(s.stats, [3]string{st.ColumnText(0), st.ColumnText(1), st.ColumnText(2)})
	}
	if err := errors.Join(st.Err(), st.Close()); err != nil {
		return err
	}
	var gone []string
	st, _, err = s.c.Prepare(`SELECT type, name, sql FROM sqlite_schema WHERE type IN ('index', 'trigger') AND sql IS NOT NULL
		ORDER BY type, rowid`)
	if err != nil {
		return err
	}
	for st.Step() {
		gone = append(gone, "DROP "+st.ColumnText(0)+" "+quotedName(st.ColumnText(1)))
		s.made = append(s.made, st.ColumnText(2))
	}
	if err := errors.Join(st.Err(), st.Close()); err != nil {
		return err
	}
	return s.c.Exec(strings.Join(gone, ";"))
}

// quotedName writes a name as both engines take it, whatever is in it.
func quotedName(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// inserting is the statement that adds a row on SQLite.
func inserting(table string, columns []string) string {
	named := make([]string, len(columns))
	for i, c := range columns {
		named[i] = quotedName(c)
	}
	return "INSERT INTO " + quotedName(table) + " (" + strings.Join(named, ", ") + ") VALUES (?" + strings.Repeat(", ?", len(columns)-1) + ")"
}

func (s *liteSink) prepare(table string, columns []string) (func([]any) error, error) {
	st, _, err := s.c.PrepareFlags(inserting(table, columns), sqlite3.PREPARE_PERSISTENT)
	if err != nil {
		return nil, err
	}
	s.open = append(s.open, st)
	return func(values []any) error {
		for i, v := range values {
			if err := bind(st, i+1, v); err != nil {
				return err
			}
		}
		if s.rows++; s.rows%rowsBetweenLooks == 0 && s.ctx.Err() != nil {
			return s.ctx.Err()
		}
		return roomless(st.Exec(), s.path)
	}, nil
}

// bind sets a parameter.
func bind(st *sqlite3.Stmt, i int, value any) error {
	switch v := value.(type) {
	case nil:
		return st.BindNull(i)
	case int64:
		return st.BindInt64(i, v)
	case bool:
		return st.BindBool(i, v)
	case string:
		return st.BindText(i, v)
	case []byte:
		return st.BindBlob(i, v)
	case Time:
		return st.BindText(i, v.UTC().Format(timeLayout))
	}
	return fmt.Errorf("column %d has an unexpected %T", i, value)
}

func (s *liteSink) complete(_ context.Context, kept ...string) error {
	if err := s.closeStatements(); err != nil {
		return err
	}
	for _, statement := range slices.Concat([]string{"COMMIT"}, s.made, kept) {
		if err := s.c.Exec(statement); err != nil {
			return roomless(err, s.path)
		}
	}
	// Dropping an index forgot what the planner is told about it.
	for _, stat := range s.stats {
		if err := s.put(`DELETE FROM sqlite_stat1 WHERE tbl = ? AND idx = ?`, stat[0], stat[1]); err != nil {
			return err
		}
		if err := s.put(`INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (?, ?, ?)`, stat[0], stat[1], stat[2]); err != nil {
			return err
		}
	}
	return nil
}

// put runs one statement.
func (s *liteSink) put(statement string, values ...any) error {
	st, _, err := s.c.Prepare(statement)
	if err != nil {
		return err
	}
	for i, v := range values {
		err = errors.Join(err, bind(st, i+1, v))
	}
	if err == nil {
		err = st.Exec()
	}
	return roomless(errors.Join(err, st.Close()), s.path)
}

func (s *liteSink) raise(_ context.Context, table string, id int64) error {
	err := s.put(`INSERT INTO sqlite_sequence (name, seq) SELECT ?1, 0 WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = ?1)`, table)
	if err == nil {
		err = s.put(`UPDATE sqlite_sequence SET seq = ?2 WHERE name = ?1 AND seq < ?2`, table, id)
	}
	return err
}

func (s *liteSink) check(context.Context) error {
	_, err := proven(s.c)
	return err
}

func (s *liteSink) closeStatements() (err error) {
	for _, st := range s.open {
		err = errors.Join(err, st.Close())
	}
	s.open = nil
	return err
}

func (s *liteSink) end() error {
	if s.c == nil {
		return nil
	}
	err := s.closeStatements()
	s.c.SetInterrupt(context.Background())
	if s.c.GetAutocommit() {
		err = errors.Join(err, s.c.Exec("PRAGMA journal_mode=delete"))
	}
	err = errors.Join(err, s.c.Close())
	s.c = nil
	return errors.Join(err, onDisk(s.path))
}

// onDisk has the system write what it still holds of a file.
func onDisk(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("writing %s to the disk: %w", path, err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("writing %s to the disk: %w", path, err)
	}
	return nil
}
