//go:build unix

package cli_test

import (
	"database/sql"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pressly/goose/v3"

	"vserver/queries"
	"vserver/schema"
	"vserver/service/promise"
)

// TestTextsOfAnOldDatabase brings a database up to date that has many short results and some
// long ones in its rows: within the promised time, with a snapshot before, and again after
// it was interrupted in the middle and killed.
func TestTextsOfAnOldDatabase(t *testing.T) {
	const promised = 60 * time.Second
	short, long := int64(5_000), int64(1<<20)
	if promise.Long() {
		short, long = 1_000_000, 60<<20
	}
	s := newVictim(t)
	db := plain(t, s.src)
	defer func() { _ = db.Close() }()
	backTo(t, s.src.Engine, db, 4) // the schema with texts in rows of text
	fillTexts(t, s.src.Engine, db, short, long)
	m := migration{victim: s}
	if s.src.Engine == queries.SQLite {
		m.keep(t, db)
	}
	began := time.Now()
	m.upgrade(t, nil)
	took := time.Since(began)
	t.Logf("%d short results and %d of %d bytes took %s, and %s of a core", short, longResults, long, took, m.cores)
	if took > promise.Within(promised) {
		t.Errorf("the migration takes %s", took)
	}
	m.hasTexts(t, short, long)
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGKILL} {
		m.again(t, db)
		asked := m.upgrade(t, func(p *os.Process) {
			<-time.After(took / 2)
			_ = p.Signal(sig)
		})
		if asked > promise.Within(10*time.Second) {
			t.Errorf("the end by %s took %s", sig, asked)
		}
		state, err := queries.LookAtSchema(t.Context(), s.src)
		t.Logf("%s: ended within %s at schema version %d", sig, asked, state.Has)
		if err != nil {
			t.Fatal(err)
		}
		m.upgrade(t, nil)
		m.hasTexts(t, short, long)
	}
}

// longResults is how many results are longer than a chunk.
const longResults = 4

// resultsOfTask is how many results a task has: each one changes the row of its task, and Postgres goes through all
// that one transaction has made of a row.
const resultsOfTask = 1000

// backTo goes back to an older schema.
func backTo(t *testing.T, engine queries.Engine, db *sql.DB, version int64) {
	t.Helper()
	files, dialect := fs.FS(schema.SQLite), goose.DialectSQLite3
	if engine == queries.Postgres {
		files, dialect = schema.Postgres, goose.DialectPostgres
	}
	folder, err := fs.Sub(files, string(engine))
	if err != nil {
		t.Fatal(err)
	}
	p, err := goose.NewProvider(dialect, db, folder)
	if err == nil {
		_, err = p.DownTo(t.Context(), version)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// fillTexts makes results with texts of 1,000 bytes and some long ones.
func fillTexts(t *testing.T, engine queries.Engine, db *sql.DB, short, long int64) {
	t.Helper()
	do := func(statement string, args ...any) {
		t.Helper()
		if _, err := db.ExecContext(t.Context(), statement, args...); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	text := "printf('%01000d', id)"
	if engine == queries.Postgres {
		text = "lpad(id::text, 1000, '0')"
	}
	do(`INSERT INTO organization (name) VALUES ('o')`)
	do(`INSERT INTO collaboration (name) VALUES ('c')`)
	for made := int64(0); made < short+longResults; made += resultsOfTask {
		do(`INSERT INTO task (name, image, collaboration_id, run_id) SELECT 'a task', 'an image', (SELECT MAX(id) FROM collaboration), 1`)
		do(fmt.Sprintf(`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
			INSERT INTO result (task_id, organization_id, status) SELECT (SELECT MAX(id) FROM task), (SELECT MAX(id) FROM organization), 'completed' FROM n`,
			min(resultsOfTask, short+longResults-made)))
	}
	do(fmt.Sprintf(`INSERT INTO payload (result_id, input, result) SELECT id, 'aW4=', %s FROM result WHERE id <= %d`, text, short))
	for id := short + 1; id <= short+longResults; id++ {
		do(`INSERT INTO payload (result_id, input, result) VALUES ($1, 'aW4=', $2)`, id, strings.Repeat(fmt.Sprintf("%010d", id), int(long/10)))
	}
}

// keep closes a database of SQLite and keeps a copy of its file.
func (m *migration) keep(t *testing.T, db *sql.DB) {
	t.Helper()
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "cp", m.src.Path, filepath.Join(filepath.Dir(m.config), "old")).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// again has the old database once more.
func (m *migration) again(t *testing.T, db *sql.DB) {
	t.Helper()
	if m.src.Engine == queries.Postgres {
		backTo(t, m.src.Engine, db, 4)
		return
	}
	m.clear(t)
	if out, err := exec.CommandContext(t.Context(), "cp", filepath.Join(filepath.Dir(m.config), "old"), m.src.Path).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// upgrade runs the command, and something beside that ends it; it gives how long it went on
// after that.
func (m *migration) upgrade(t *testing.T, beside func(*os.Process)) time.Duration {
	t.Helper()
	cmd := m.command("migrate", "up", "--config", m.config, "--environment", "test")
	cmd.Env = append(os.Environ(), "XDG_DATA_DIRS="+filepath.Dir(m.config))
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	asked := time.Now()
	if beside != nil {
		beside(cmd.Process)
		asked = time.Now()
	}
	if err := cmd.Wait(); err != nil && beside == nil {
		t.Fatalf("%v: %s", err, out.String())
	}
	m.cores = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	return time.Since(asked)
}

// hasTexts wants the newest schema, with all texts where they belong, and a snapshot.
func (m *migration) hasTexts(t *testing.T, short, long int64) {
	t.Helper()
	db := plain(t, m.src)
	defer func() { _ = db.Close() }()
	octets := "CAST('%s' AS BLOB)"
	if m.src.Engine == queries.Postgres {
		octets = "convert_to('%s', 'UTF8')"
	}
	middle := short / 2
	last := fmt.Sprintf("%010d", short+longResults)
	for query, want := range map[string]int64{
		"SELECT COUNT(*) FROM payload":                                                  short + longResults,
		"SELECT SUM(octet_length(result)) FROM payload":                                 1000 * short,
		"SELECT COUNT(*) FROM stream WHERE part = 'result' AND encoded IS NULL":         longResults,
		"SELECT SUM(bytes) FROM stream":                                                 longResults * (long / 10 * 10),
		"SELECT SUM(octet_length(bytes)) FROM chunk":                                    longResults * (long / 10 * 10),
		"SELECT COUNT(*) FROM chunk WHERE octet_length(bytes) NOT BETWEEN 1 AND 262144": 0,
		fmt.Sprintf("SELECT COUNT(*) FROM payload WHERE result_id = %d AND result = "+octets, middle, fmt.Sprintf("%01000d", middle)): 1,
		fmt.Sprintf("SELECT COUNT(*) FROM chunk c JOIN stream s ON s.id = c.stream_id WHERE s.result_id = %d AND c.number = 0 AND substr(c.bytes, 1, 20) = "+octets,
			short+longResults, last+last): 1,
	} {
		if n := count(t, db, query); n != want {
			t.Errorf("%s: %d, want %d", query, n, want)
		}
	}
	if m.src.Engine == queries.Postgres {
		return
	}
	if err := queries.ProveSQLite(m.src.Path); err != nil {
		t.Error(err)
	}
	if found, err := filepath.Glob(m.src.Path + ".snapshot-*schema-4"); err != nil || len(found) == 0 {
		t.Errorf("there is no snapshot: %v, %v", found, err)
	}
}
