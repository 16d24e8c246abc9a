package cli_test

import (
	"context"
	"database/sql"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"vserver/queries"
	"vserver/queries/dbtest"
	"vserver/service/promise"
)

// TestReliability_R12_KillInAMigration kills `vserver migrate up` with SIGKILL at any
// moment. The snapshot that was taken first restores, whole and with the old schema,
// and the next run completes.
func TestReliability_R12_KillInAMigration(t *testing.T) {
	rounds := 4
	if promise.Long() {
		rounds = 300
	}
	s := newVictim(t)
	if s.src.Engine == queries.Postgres && rounds == 4 {
		rounds = 3 // going back to the old schema takes long there
	}
	m := migration{victim: s}
	m.age(t)
	whole := m.migrate(t, time.Hour)
	m.complete(t)
	if whole < 100*time.Millisecond {
		t.Fatalf("the migration takes %s: that is no load", whole)
	}
	killed := 0
	for round := 0; round < rounds || killed < rounds/2 && round < 5*rounds; round++ {
		m.age(t)
		// Spread over the whole run, and a little beyond.
		at := whole * time.Duration(round%rounds) / time.Duration(rounds)
		at += time.Duration(rand.Int64N(int64(whole) / int64(rounds)))
		if took := m.migrate(t, at); took >= at {
			killed++
		} else {
			whole = took // the machine has more time for it than before
		}
		m.restores(t)
		m.migrate(t, time.Hour)
		m.complete(t)
	}
	if s.src.Engine == queries.SQLite && m.snapshots == 0 { // on a machine that is slower now than it was at first
		m.age(t)
		m.migrateToSnapshot(t)
		m.restores(t)
		m.migrate(t, time.Hour)
		m.complete(t)
	}
	t.Logf("killed %d of %d runs of %s, %d had a snapshot, %d of them had changed the schema", killed, rounds, whole, m.snapshots, m.changed)
	if killed < rounds/2 {
		t.Error("most runs were over before they were killed")
	}
	if s.src.Engine == queries.SQLite && m.snapshots == 0 {
		t.Error("no run came as far as its snapshot")
	}
}

// migration is a database that is brought up to date again and again.
type migration struct {
	*victim
	old                []byte        // the SQLite file as an old release has left it
	snapshots, changed int           // runs that left a snapshot, and had changed the schema then
	cores              time.Duration // that the last run took
}

const oldTasks, oldResults = 10_000, 30_000

// age makes the database that of the first release, with many tasks.
func (m *migration) age(t *testing.T) {
	t.Helper()
	if m.old != nil {
		m.clear(t)
		if err := os.WriteFile(m.src.Path, m.old, 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	db, err := dbtest.SQL(m.src)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	backTo(t, m.src.Engine, db, 1)
	if n := count(t, db, "SELECT COUNT(*) FROM result"); n == 0 {
		fillOld(t, db)
	}
	if m.src.Engine == queries.Postgres {
		return
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if m.old, err = os.ReadFile(m.src.Path); err != nil {
		t.Fatal(err)
	}
}

// clear removes an SQLite database with all that lies beside it.
func (m *migration) clear(t *testing.T) {
	t.Helper()
	files, err := filepath.Glob(m.src.Path + "*")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
	}
}

func fillOld(t *testing.T, db *sql.DB) {
	t.Helper()
	for _, statement := range []string{
		`INSERT INTO organization (name) VALUES ('o')`,
		`INSERT INTO collaboration (name) VALUES ('c')`,
		`WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
			INSERT INTO task (name, image, collaboration_id, run_id) SELECT 'a task', 'an image', (SELECT id FROM collaboration), i FROM n`,
		`INSERT INTO result (task_id, organization_id) SELECT t.id, (SELECT id FROM organization)
			FROM task t CROSS JOIN (SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3) AS x`,
	} {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

func count(t *testing.T, db *sql.DB, query string) (n int64) {
	t.Helper()
	if err := db.QueryRowContext(t.Context(), query).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

// migrate runs the command, kills it when it takes longer than that, and gives how
// long it ran.
func (m *migration) migrate(t *testing.T, longest time.Duration) time.Duration {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), longest)
	defer cancel()
	cmd := exec.CommandContext(ctx, m.bin, "migrate", "up", "--config", m.config, "--environment", "test")
	cmd.Env = append(os.Environ(), "XDG_DATA_DIRS="+filepath.Dir(m.config))
	began := time.Now()
	out, err := cmd.CombinedOutput()
	if err != nil && ctx.Err() == nil {
		t.Fatalf("migrate up: %v: %s", err, out)
	}
	return time.Since(began)
}

// migrateToSnapshot runs the command and kills it as soon as its snapshot is there.
func (m *migration) migrateToSnapshot(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), promise.Patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, m.bin, "migrate", "up", "--config", m.config, "--environment", "test")
	cmd.Env = append(os.Environ(), "XDG_DATA_DIRS="+filepath.Dir(m.config))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for ctx.Err() == nil {
		if found, _ := filepath.Glob(m.src.Path + ".snapshot-*"); len(found) == 1 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
}

// complete wants the newest schema, with what the migrations compute.
func (m *migration) complete(t *testing.T) {
	t.Helper()
	state, err := queries.LookAtSchema(t.Context(), m.src)
	if err != nil || len(state.Pending) != 0 || state.Has != state.Knows {
		t.Fatalf("after the next run: %+v, %v", state, err)
	}
	db, err := dbtest.SQL(m.src)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	for query, want := range map[string]int64{
		"SELECT SUM(results) FROM extent":                                               oldResults,
		"SELECT COUNT(*) FROM result r WHERE r.collaboration_id IS NOT NULL":            oldResults,
		"SELECT COUNT(*) FROM task t JOIN collaboration c ON c.id = t.collaboration_id": oldTasks,
	} {
		if n := count(t, db, query); n != want {
			t.Errorf("%s: %d, want %d", query, n, want)
		}
	}
	if m.src.Engine == queries.SQLite {
		if err := queries.ProveSQLite(m.src.Path); err != nil {
			t.Error(err)
		}
	}
}

// restores puts the snapshot of a killed run back, where there is one; without one the
// schema must be as it was.
func (m *migration) restores(t *testing.T) {
	t.Helper()
	if m.src.Engine == queries.Postgres {
		return // its migrations are transactions; backups are the operator's
	}
	state, err := queries.LookAtSchema(t.Context(), m.src)
	if err != nil {
		t.Fatal(err)
	}
	unfinished, err := filepath.Glob(filepath.Join(filepath.Dir(m.src.Path), ".*.snapshot-*[0-9]")) // not their journals
	if err != nil || len(unfinished) > 1 {
		t.Errorf("unfinished copies pile up: %v, %v", unfinished, err)
	}
	snapshots, err := filepath.Glob(m.src.Path + ".snapshot-*")
	switch {
	case err != nil:
		t.Fatal(err)
	case len(snapshots) == 0 && state.Has == 1:
		return
	case len(snapshots) != 1:
		t.Fatalf("%d snapshots at schema version %d", len(snapshots), state.Has)
	}
	m.snapshots++
	if state.Has > 1 {
		m.changed++
	}
	cmd := exec.CommandContext(t.Context(), m.bin, "restore", "--config", m.config, "--environment", "test", snapshots[0])
	cmd.Env = append(os.Environ(), "XDG_DATA_DIRS="+filepath.Dir(m.config))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("restore: %v: %s", err, out)
	}
	if version, err := queries.VerifySQLite(m.src.Path); version != 1 || err != nil {
		t.Errorf("the restored database has schema version %d: %v", version, err)
	}
	db, err := dbtest.SQL(m.src)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if n := count(t, db, "SELECT COUNT(*) FROM result"); n != oldResults {
		t.Errorf("%d results are restored, want %d", n, oldResults)
	}
}
