package queries_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"vserver/queries"
	"vserver/queries/dbtest"
	"vserver/service/promise"
)

// emptyPlace is where a loader may make a database.
func emptyPlace(t *testing.T) queries.Source {
	t.Helper()
	src := new(dbtest.Template).Copy(t)
	if src.Engine == queries.SQLite {
		return queries.Source{Engine: queries.SQLite, Path: filepath.Join(t.TempDir(), "new.sqlite")}
	}
	db, err := dbtest.SQL(src)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.ExecContext(t.Context(), `CREATE SCHEMA fresh`); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		db, err := dbtest.SQL(src)
		if err == nil {
			_, err = db.ExecContext(context.Background(), `DROP SCHEMA fresh CASCADE`)
		}
		if err != nil {
			t.Error(err)
		}
		_ = db.Close()
	})
	return queries.Source{Engine: queries.Postgres, DSN: src.DSN + "&search_path=fresh"}
}

// filledTables are tables of a loader.
type filledTables struct {
	l                                         *queries.Loader
	organization, collaboration, task, result *queries.LoadTable
	payload                                   *queries.LoadTable
}

func loadTables(t *testing.T, src queries.Source) filledTables {
	t.Helper()
	l, err := queries.NewLoader(t.Context(), src)
	if err != nil {
		t.Fatal(err)
	}
	table := func(name string, columns ...string) *queries.LoadTable {
		made, err := l.Table(name, columns...)
		if err != nil {
			t.Fatal(err)
		}
		return made
	}
	return filledTables{
		l: l, organization: table("organization", "id", "name", "public_key"), collaboration: table("collaboration", "id", "name", "encrypted"),
		task:    table("task", "id", "name", "collaboration_id", "initiator_id", "created_at"),
		result:  table("result", "id", "task_id", "collaboration_id", "organization_id", "status", "assigned_at"),
		payload: table("payload", "result_id", "input", "result", "log"),
	}
}

// schemaOf lists what a database has beside rows.
func schemaOf(t *testing.T, src queries.Source) []string {
	t.Helper()
	query := `SELECT type || ' ' || name || ' ' || coalesce(sql, '') FROM sqlite_schema
		UNION ALL SELECT 'stat ' || tbl || ' ' || coalesce(idx, '') || ' ' || stat FROM sqlite_stat1`
	if src.Engine == queries.Postgres {
		query = `SELECT replace(indexdef, schemaname || '.', '') FROM pg_indexes WHERE schemaname = current_schema()
			UNION ALL SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = current_schema()::regnamespace
			UNION ALL SELECT tgrelid::regclass || ' ' || tgname || ' ' || tgenabled::text FROM pg_trigger JOIN pg_class c ON c.oid = tgrelid
				WHERE NOT tgisinternal AND c.relnamespace = current_schema()::regnamespace`
	}
	db, err := dbtest.SQL(src)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var list []string
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			t.Fatal(err)
		}
		list = append(list, line)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	slices.Sort(list)
	return list
}

// TestLoadedDatabaseIsOneOfItsOwn: indexes, references, triggers and statistics are those of a
// database that was never loaded, counters count, ids go on, and a long text lies in chunks.
func TestLoadedDatabaseIsOneOfItsOwn(t *testing.T) {
	src := emptyPlace(t)
	f := loadTables(t, src)
	at := queries.At(time.Date(2024, 5, 6, 7, 8, 9, 123456000, time.UTC))
	long := strings.Repeat("long ünïcode ", 50_000)
	for _, err := range []error{
		f.payload.Add(int64(9), []byte("in"), nil, []byte{}), // before the rows that it refers to
		f.organization.Add(int64(3), "o", []byte{0, 1}),
		f.collaboration.Add(int64(4), nil, true),
		f.task.Add(int64(70), "t", int64(4), int64(3), at),
		f.result.Add(int64(9), int64(70), int64(4), int64(3), "completed", at),
		f.result.Add(int64(12), nil, nil, nil, nil, nil),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if n, err := f.l.AddLong(9, "result", strings.NewReader(long)); err != nil || n != int64(len(long)) {
		t.Fatal(n, err)
	}
	for _, err := range []error{f.l.Finish(t.Context()), f.l.GoOnAbove(t.Context(), "task", 500), f.l.GoOnAbove(t.Context(), "result", 3), f.l.GoOnAbove(t.Context(), "role", 40), f.l.Prove(t.Context()), f.l.Close()} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if rows := f.l.Counted(); rows["result"] != 2 || rows["stream"] != 1 || rows["chunk"] != 3 {
		t.Errorf("counted %v", rows)
	}
	if got, want := schemaOf(t, src), schemaOf(t, new(dbtest.Template).Copy(t)); !slices.Equal(got, want) {
		t.Errorf("the schema is not that of a new database:\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	db, err := queries.Open(t.Context(), src)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	c, err := db.CollaborationCounts(t.Context(), 4)
	if err != nil || c.TaskCount != 1 || c.ResultCount != 1 {
		t.Errorf("the collaboration is %+v, %v", c, err)
	}
	wantLong(t, db, long)
	wantNextIDs(t, db, at)
}

func wantLong(t *testing.T, db *queries.DB, long string) {
	t.Helper()
	var got bytes.Buffer
	for n := range int64(3) {
		piece, err := db.ReadChunk(t.Context(), 1, n)
		if err != nil {
			t.Fatal(err)
		}
		got.Write(piece)
	}
	if got.String() != long {
		t.Error("the long text is another one")
	}
}

// wantNextIDs adds rows, which triggers count.
func wantNextIDs(t *testing.T, db *queries.DB, at queries.Time) {
	t.Helper()
	four := int64(4)
	err := db.InTx(t.Context(), func(ctx context.Context, tx *queries.Tx) error {
		task, err := tx.InsertTask(ctx, queries.InsertTaskParams{CollaborationID: &four, CreatedAt: &at})
		if err != nil {
			return err
		}
		result, err := tx.InsertResult(ctx, queries.InsertResultParams{TaskID: &task})
		if err == nil && (task != 501 || result != 13) {
			err = fmt.Errorf("the next task is %d, the next result %d", task, result)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
	if c, err := db.CollaborationCounts(t.Context(), 4); err != nil || c.TaskCount != 2 || c.ResultCount != 2 {
		t.Errorf("after more rows the collaboration is %+v, %v", c, err)
	}
}

// TestLoaderNamesWhatIsWrong: rows that the schema refuses and references to nothing are errors, and
// a context that ends ends it.
func TestLoaderNamesWhatIsWrong(t *testing.T) {
	t.Run("reference", func(t *testing.T) {
		f := loadTables(t, emptyPlace(t))
		err := f.task.Add(int64(1), nil, int64(77), nil, nil)
		if err == nil {
			err = errors.Join(f.l.Finish(t.Context()), f.l.Prove(t.Context()))
		}
		if err == nil || !strings.Contains(err.Error(), "task") {
			t.Errorf("a reference to nothing: %v", err)
		}
		if err := f.l.Close(); err != nil {
			t.Error(err)
		}
	})
	t.Run("twice", func(t *testing.T) {
		f := loadTables(t, emptyPlace(t))
		err := errors.Join(f.organization.Add(int64(1), nil, nil), f.organization.Add(int64(1), nil, nil))
		if err == nil {
			err = f.l.Finish(t.Context())
		}
		if !queries.Taken(err) {
			t.Errorf("an id that stands twice: %v", err)
		}
		_ = f.l.Close()
	})
	t.Run("occupied", func(t *testing.T) {
		src := queries.Source{Engine: queries.SQLite, Path: filepath.Join(t.TempDir(), "new.sqlite")}
		if err := os.WriteFile(src.Path, []byte("mine"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := queries.NewLoader(t.Context(), src); !errors.Is(err, os.ErrExist) {
			t.Errorf("a file that is there: %v", err)
		}
	})
}

// TestMillionResultsAreLoadedWithinAMinute, of 1 kB each, and a text of 100 MiB, in 200 MB of memory.
func TestMillionResultsAreLoadedWithinAMinute(t *testing.T) {
	if !promise.Long() {
		t.Skip("long")
	}
	const results = 1_000_000
	f := loadTables(t, emptyPlace(t))
	begun := time.Now()
	text := bytes.Repeat([]byte("0123456789abcdef"), 64)
	at := queries.Now()
	err := errors.Join(f.organization.Add(int64(1), "o", nil), f.collaboration.Add(int64(1), "c", true))
	for id := int64(1); id <= results && err == nil; id++ {
		if id%3 == 1 {
			err = f.task.Add(id/3+1, "t", int64(1), int64(1), at)
		}
		err = errors.Join(err, f.result.Add(id, (id-1)/3+1, int64(1), int64(1), "completed", at), f.payload.Add(id, text[:64], text, nil))
	}
	if err == nil {
		_, err = f.l.AddLong(1, "log", io.LimitReader(zeros{}, 100<<20))
	}
	filled := time.Since(begun)
	err = errors.Join(err, f.l.Finish(t.Context()))
	finished := time.Since(begun)
	err = errors.Join(err, f.l.Prove(t.Context()), f.l.Close())
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	t.Logf("filled %v, finished %v, proven %v, Go's memory %d MB", filled, finished, time.Since(begun), m.Sys>>20)
	if err != nil || time.Since(begun) > promise.Within(time.Minute) {
		t.Error(time.Since(begun), err)
	}
}

type zeros struct{}

// Read gives bytes without an end.
func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }
