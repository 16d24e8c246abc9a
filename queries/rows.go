package queries

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
	"github.com/ncruces/go-sqlite3"
)

// The columns that the engines store in forms of their own, by name: SQLite has neither truth values
// nor moments.
var (
	truthColumns  = []string{"encrypted", "generated", "initial_password", "orphan"}
	momentColumns = []string{
		"assigned_at", "at", "created_at", "due_at", "expires_at", "finished_at", "last_attempt", "last_login_attempt", "last_seen",
		"otp_pending_at", "started_at", "touched_at", "until",
	}
)

// reader reads whole tables of a database of this program, as they were at one moment.
type reader interface {
	tables(ctx context.Context) ([]string, error) // and views
	// columnsOf returns the columns of a table and those of its key.
	columnsOf(ctx context.Context, table string) (all, key []string, err error)
	number(ctx context.Context, table string) (int64, error)
	// each gives every row, in the order of the key, as an int64, bool, string, []byte, Time or nil for
	// each column. The slices are the caller's.
	each(ctx context.Context, table string, columns, key []string, take func([]any) error) error
	// sequences returns the highest id that each table ever gave out, of those that gave out any.
	sequences(ctx context.Context) (map[string]int64, error)
	close() error
}

// newReader opens a database for reading only.
func newReader(ctx context.Context, src Source) (reader, error) {
	if src.Engine == SQLite {
		c, err := openUntouched(src.Path, src.VFS)
		if err != nil {
			return nil, err
		}
		return liteReader{c}, nil
	}
	settings, err := postgresConfig(src.DSN)
	if err != nil {
		return nil, err
	}
	settings.RuntimeParams["timezone"] = "UTC"
	conn, err := pgx.ConnectConfig(ctx, settings)
	if err != nil {
		return nil, fmt.Errorf("connecting to Postgres: %w", err)
	}
	if _, err := conn.Exec(ctx, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"); err != nil {
		return nil, errors.Join(fmt.Errorf("reading the database: %w", err), conn.Close(context.WithoutCancel(ctx)))
	}
	return postgresReader{conn}, nil
}

// selecting is the statement that reads a table.
func selecting(table string, columns, key []string) string {
	quote := func(names []string) string {
		quoted := make([]string, len(names))
		for i, n := range names {
			quoted[i] = quotedName(n)
		}
		return strings.Join(quoted, ", ")
	}
	return "SELECT " + quote(columns) + " FROM " + quotedName(table) + " ORDER BY " + quote(key)
}

// liteReader reads a file that nobody writes to.
type liteReader struct{ *untouched }

func (r liteReader) tables(context.Context) ([]string, error) { return column(r.Conn, liteRelations) }

func (r liteReader) columnsOf(_ context.Context, table string) (all, key []string, err error) {
	if all, err = column(r.Conn, `SELECT name FROM pragma_table_info('`+table+`') ORDER BY name`); err != nil {
		return nil, nil, err
	}
	key, err = column(r.Conn, `SELECT name FROM pragma_table_info('`+table+`') WHERE pk > 0 ORDER BY pk`)
	return all, key, err
}

func (r liteReader) number(_ context.Context, table string) (n int64, err error) {
	err = r.step("SELECT COUNT(*) FROM "+quotedName(table), func(st *sqlite3.Stmt) error {
		n = st.ColumnInt64(0)
		return nil
	})
	return n, err
}

// step runs a query and shows each row.
func (r liteReader) step(query string, row func(*sqlite3.Stmt) error) error {
	st, _, err := r.Prepare(query)
	if err != nil {
		return err
	}
	for err == nil && st.Step() {
		err = row(st)
	}
	return errors.Join(err, st.Err(), st.Close())
}

func (r liteReader) each(ctx context.Context, table string, columns, key []string, take func([]any) error) error {
	rows := 0
	return r.step(selecting(table, columns, key), func(st *sqlite3.Stmt) error {
		if rows++; rows%rowsBetweenLooks == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		values := make([]any, len(columns))
		for i, c := range columns {
			var err error
			if values[i], err = liteValue(st, i, c); err != nil {
				return fmt.Errorf("reading table %s: column %s: %w", table, c, err)
			}
		}
		return take(values)
	})
}

// liteValue reads a value in the form that both engines share.
func liteValue(st *sqlite3.Stmt, i int, column string) (any, error) {
	switch st.ColumnType(i) {
	case sqlite3.INTEGER:
		if slices.Contains(truthColumns, column) {
			return st.ColumnInt64(i) != 0, nil
		}
		return st.ColumnInt64(i), nil
	case sqlite3.TEXT:
		if slices.Contains(momentColumns, column) {
			var t Time
			return t, t.Scan(st.ColumnText(i))
		}
		return st.ColumnText(i), nil
	case sqlite3.BLOB:
		return st.ColumnBlob(i, []byte{}), nil
	case sqlite3.NULL:
		return nil, nil
	case sqlite3.FLOAT:
	}
	return nil, errors.New("it holds a number with a fraction")
}

func (r liteReader) sequences(context.Context) (map[string]int64, error) {
	at := map[string]int64{}
	return at, r.step("SELECT name, seq FROM sqlite_sequence WHERE seq > 0", func(st *sqlite3.Stmt) error {
		if name := st.ColumnText(0); name != versionTable {
			at[name] = st.ColumnInt64(1)
		}
		return nil
	})
}

func (r liteReader) close() error { return r.Close() }

// postgresReader reads what one transaction sees.
type postgresReader struct{ conn *pgx.Conn }

func (r postgresReader) tables(ctx context.Context) ([]string, error) {
	rows, err := r.conn.Query(ctx, postgresRelations)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

func (r postgresReader) columnsOf(ctx context.Context, table string) (all, key []string, err error) {
	const columns = `SELECT attname FROM pg_attribute WHERE attrelid = CAST($1 AS regclass) AND attnum > 0 AND NOT attisdropped ORDER BY attname`
	const keys = `SELECT a.attname FROM pg_index i CROSS JOIN unnest(i.indkey) WITH ORDINALITY AS k (attnum, place)
		JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
		WHERE i.indrelid = CAST($1 AS regclass) AND i.indisprimary ORDER BY k.place`
	for query, list := range map[string]*[]string{columns: &all, keys: &key} {
		rows, err := r.conn.Query(ctx, query, quotedName(table))
		if err == nil {
			*list, err = pgx.CollectRows(rows, pgx.RowTo[string])
		}
		if err != nil {
			return nil, nil, err
		}
	}
	slices.Sort(all) // whatever the order of the database
	return all, key, nil
}

func (r postgresReader) number(ctx context.Context, table string) (n int64, err error) {
	err = r.conn.QueryRow(ctx, "SELECT COUNT(*) FROM "+quotedName(table)).Scan(&n)
	return n, err
}

func (r postgresReader) each(ctx context.Context, table string, columns, key []string, take func([]any) error) error {
	given, err := r.runsGiven(ctx, table)
	if err != nil {
		return err
	}
	rows, err := r.conn.Query(ctx, selecting(table, columns, key))
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		values, err := rows.Values()
		if err != nil {
			return fmt.Errorf("reading table %s: %w", table, err)
		}
		for i, v := range values {
			switch v := v.(type) {
			case int32:
				values[i] = int64(v)
			case time.Time:
				values[i] = At(v)
			}
		}
		if table == "counter" && values[slices.Index(columns, "name")] == "run" {
			at := slices.Index(columns, "value")
			values[at] = max(values[at].(int64), given)
		}
		if err := take(values); err != nil {
			return err
		}
	}
	return rows.Err()
}

// runsGiven is the highest run id that was given out, which counts as the counter of SQLite does.
func (r postgresReader) runsGiven(ctx context.Context, table string) (n int64, err error) {
	if table == "counter" {
		err = r.conn.QueryRow(ctx, lastRun).Scan(&n)
	}
	return n, err
}

func (r postgresReader) sequences(ctx context.Context) (map[string]int64, error) {
	const given = `SELECT c.relname, COALESCE(p.last_value, 0) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
		JOIN pg_sequences p ON format('%I.%I', p.schemaname, p.sequencename)::regclass
			= pg_get_serial_sequence(format('%I.%I', CAST(c.relnamespace AS regnamespace)::text, c.relname), a.attname)::regclass
		WHERE a.attidentity <> '' AND c.relkind = 'r' AND pg_table_is_visible(c.oid)`
	rows, err := r.conn.Query(ctx, given)
	if err != nil {
		return nil, err
	}
	at := map[string]int64{}
	var name string
	var last int64
	_, err = pgx.ForEachRow(rows, []any{&name, &last}, func() error {
		if last > 0 && name != versionTable {
			at[name] = last
		}
		return nil
	})
	return at, err
}

func (r postgresReader) close() error { return r.conn.Close(context.Background()) }

// digest is one of all rows of a table, in whatever order they come.
type digest struct {
	rows int64
	sum  [4]uint64
}

// add counts a row. Each value has its kind and its length before it, so that no two rows are alike.
func (d *digest) add(values []any) error {
	h := sha256.New()
	part := func(kind byte, value []byte) {
		head := binary.AppendUvarint([]byte{kind}, uint64(len(value)))
		h.Write(head)
		h.Write(value)
	}
	for _, v := range values {
		switch v := v.(type) {
		case nil:
			part('0', nil)
		case int64:
			part('i', binary.AppendVarint(nil, v))
		case bool:
			part('?', fmt.Append(nil, v))
		case string:
			part('t', []byte(v))
		case []byte:
			part('b', v)
		case Time:
			part('@', []byte(v.UTC().Format(timeLayout)))
		default:
			return fmt.Errorf("a value is an unexpected %T", v)
		}
	}
	sum := h.Sum(nil)
	for i := range d.sum {
		d.sum[i] += binary.LittleEndian.Uint64(sum[8*i:])
	}
	d.rows++
	return nil
}

// untakable says which column of a row Postgres would not take, empty when it takes all.
func untakable(columns []string, values []any) string {
	for i, v := range values {
		if text, ok := v.(string); ok && (!utf8.ValidString(text) || strings.Contains(text, "\x00")) {
			return columns[i]
		}
	}
	return ""
}
