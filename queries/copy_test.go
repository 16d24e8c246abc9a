package queries_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"vserver/queries"
	"vserver/queries/dbtest"
)

// rowsOfEveryTable fill a database of SQLite: texts of all kinds, moments with and without a fraction, bytes
// and none, and ids that were given out and are gone.
const rowsOfEveryTable = `
INSERT INTO secret VALUES ('a key', x'00ff10'), ('empty', x'');
INSERT INTO counter VALUES ('run', 4000000000000);
INSERT INTO request_key (id, name, account_id, at, request, outcome) VALUES (3, x'00ff', 1, '2024-02-29T23:59:59.000001Z', x'10', x''), (4, x'01', 99, '2024-02-29T00:00:00.000000Z', x'', x'00ff10');
INSERT INTO organization (id, name, domain, address1, public_key) VALUES (1, 'root', NULL, '', NULL), (7, 'Øst "x" ''y'' $1 ? — 病院', 'd', 'line
two' || char(9), x'2d2d00'), (9, NULL, NULL, NULL, x'');
INSERT INTO organization (id) VALUES (40); DELETE FROM organization WHERE id = 40;
INSERT INTO collaboration (id, name, encrypted) VALUES (2, 'study', 1), (3, NULL, 0);
INSERT INTO member VALUES (1, 2), (7, 2), (7, 3);
INSERT INTO authenticatable (id, type, ip, last_seen, status, refresh_generation, access_era) VALUES
  (1, 'user', NULL, NULL, NULL, 0, 0), (2, 'node', '::1', '2024-02-29T23:59:59.000001Z', 'online', 7, 8), (3, 'user', '10.0.0.1', '2024-02-29T00:00:00.000000Z', 'offline', 1, 2);
INSERT INTO authenticatable (id, type) VALUES (99, 'user'); DELETE FROM authenticatable WHERE id = 99;
INSERT INTO "user" (id, username, password, email, organization_id, failed_login_attempts, last_login_attempt, otp_secret, initial_password, otp_pending_at) VALUES
  (1, 'root', '$2b$12$x', NULL, 1, 0, NULL, NULL, 1, NULL), (3, 'Ünï', NULL, 'a@b', 7, NULL, '2023-01-01T00:00:00.100000Z', 'sealed', 0, '2023-01-02T00:00:00.000000Z');
INSERT INTO node (id, name, api_key, collaboration_id, organization_id) VALUES (2, 'n', 'digest', 2, 7);
INSERT INTO nodeconfig (node_id, key, value) VALUES (2, 'k', 'v'), (2, 'k', NULL);
INSERT INTO role (id, name, description, organization_id) VALUES (1, 'Root', 'all', NULL), (2, 'Root', NULL, 7);
INSERT INTO rule (id, name, operation, scope, description) VALUES (5, 'task', 'VIEW', 'GLOBAL', ''), (6, 'task', 'EDIT', 'OWN', 'x');
INSERT INTO user_role VALUES (1, 1), (3, 2);
INSERT INTO user_rule VALUES (3, 6);
INSERT INTO role_rule VALUES (1, 5), (1, 6);
INSERT INTO task (id, name, description, image, collaboration_id, run_id, parent_id, database, initiator_id, init_user_id, created_at) VALUES
  (10, 't', NULL, 'i', 2, 1, NULL, 'default', 7, 3, '2024-05-06T07:08:09.123456Z'), (11, NULL, '', NULL, NULL, NULL, 10, NULL, NULL, NULL, NULL);
INSERT INTO result (id, task_id, organization_id, collaboration_id, assigned_at, started_at, finished_at, status) VALUES
  (20, 10, 7, 2, '2024-05-06T07:08:09.123456Z', '2024-05-06T07:08:10.000000Z', NULL, 'active'), (21, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO payload (result_id, input, result, log) VALUES (20, NULL, x'00ff', x''), (21, x'7b7d', NULL, NULL);
INSERT INTO stream (id, result_id, part, bytes, encoded, touched_at) VALUES (3, 20, 'input', 5, NULL, '1970-01-01T00:00:00.000000Z'), (4, NULL, NULL, 0, 12, '2024-05-06T07:08:09.000000Z');
INSERT INTO chunk VALUES (3, 0, x'0102'), (3, 1, x'030405'), (4, 0, x'00');
INSERT INTO algorithmport (port, result_id, label) VALUES (8888, 20, 'l'), (NULL, NULL, NULL);
INSERT INTO event (at, type, task_id, user_id, status) VALUES ('2024-05-06T07:08:09.123456Z', 'task', 10, 3, NULL);
INSERT INTO leftover (origin, reason, content) VALUES ('Member', 'twice', '{}');
INSERT INTO node_old_key VALUES (2, '$2b$12$x');
UPDATE node SET client = 'python';
UPDATE role SET orphan = 1 WHERE id = 2;
INSERT INTO failed_login VALUES (3, '10.0.0.0/24', 3, '2024-05-06T07:08:09.000000Z');
INSERT INTO recovery VALUES (3, 'password', 'digest', '2024-05-06T07:08:09.000000Z');
INSERT INTO recovery_request (purpose, username, email, user_id, network, language) VALUES ('password', 'u', NULL, 3, 'n', 'en');
INSERT INTO mail (user_id, kind, network, language, recipient, content, created_at, expires_at, due_at, tries, doubts) VALUES
  (3, 'lock', 'n', 'nl', 'a@b', 'sealed', '2024-05-06T07:08:09.000000Z', '2024-05-07T07:08:09.000000Z', NULL, 2, 1);
`

// fullDatabase has rows in every table.
func fullDatabase(t *testing.T) queries.Source {
	t.Helper()
	src := filePlace(t)
	db, err := queries.Open(t.Context(), src)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	onSQL(t, src, rowsOfEveryTable)
	raw, err := dbtest.SQL(src)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = raw.Close() }()
	columns := texted(t, raw, "SELECT group_concat(name, ', ') FROM pragma_table_info('recovery_code')")[0]
	if !strings.Contains(columns, "user_id") {
		t.Fatal(columns)
	}
	onSQL(t, src, "INSERT INTO recovery_code (user_id, digest) VALUES (3, 'a'), (3, 'b')")
	return src
}

func filePlace(t *testing.T) queries.Source {
	t.Helper()
	return queries.Source{Engine: queries.SQLite, Path: filepath.Join(t.TempDir(), "made here", "d 1%.sqlite")}
}

func onSQL(t *testing.T, src queries.Source, statements string) {
	t.Helper()
	db, err := dbtest.SQL(src)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.ExecContext(t.Context(), statements); err != nil {
		t.Fatal(err)
	}
}

// texted returns the rows of a query as texts.
func texted(t *testing.T, db *sql.DB, query string) (lines []string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	names, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	for rows.Next() {
		values := make([]any, len(names))
		for i := range values {
			values[i] = new(any)
		}
		if err := rows.Scan(values...); err != nil {
			t.Fatal(err)
		}
		var line []string
		for _, v := range values {
			line = append(line, fmt.Sprintf("%#v", *v.(*any)))
		}
		lines = append(lines, strings.Join(line, "|"))
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return lines
}

var ofOneMoment = regexp.MustCompile(`(?m)^\\(un)?restrict .*$|^\d+\t\d+\tt\t\d{4}-\d\d-\d\d .*$|time.Date\(.*`)

// dumped is all that a database holds, the moments of its migrations aside.
func dumped(t *testing.T, src queries.Source) string {
	t.Helper()
	if src.Engine == queries.Postgres {
		out, err := exec.CommandContext(t.Context(), "pg_dump", "--no-owner", "--dbname="+src.DSN).CombinedOutput()
		if err != nil {
			t.Skipf("NOT TESTED: copies of Postgres, since pg_dump does not work: %v %s", err, out)
		}
		return ofOneMoment.ReplaceAllString(string(out), "")
	}
	db, err := dbtest.SQL(src)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var all []string
	for _, table := range texted(t, db, `SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'goose_db_version' ORDER BY name`) {
		rows := texted(t, db, "SELECT * FROM "+table)
		if table == `"sqlite_sequence"` {
			rows = slices.DeleteFunc(rows, func(row string) bool { return strings.HasSuffix(row, "|0") })
		}
		slices.Sort(rows)
		all = append(append(all, "-- "+table), rows...)
	}
	return strings.Join(append(all, schemaOf(t, src)...), "\n")
}

// copied copies a database, which has to succeed and to leave the source as it is.
func copied(t *testing.T, from, to queries.Source) queries.Copied {
	t.Helper()
	before := dumped(t, from)
	if from.Engine == queries.SQLite {
		before += listing(t, filepath.Dir(from.Path))
	}
	var last int64
	made, err := queries.CopyDatabase(t.Context(), from, to, func(_ string, done, total int64) {
		if done < last || done > total {
			t.Errorf("%d rows after %d, of %d", done, last, total)
		}
		last = done
	})
	if err != nil {
		t.Fatal(err)
	}
	after := dumped(t, from)
	if from.Engine == queries.SQLite {
		after += listing(t, filepath.Dir(from.Path))
	}
	if before != after {
		t.Errorf("the source was changed:\n%s\n%s", before, after)
	}
	if made.Rows != last {
		t.Errorf("%+v, told of %d", made, last)
	}
	return made
}

// same compares dumps.
func same(t *testing.T, what, want, got string) {
	t.Helper()
	if want == got {
		return
	}
	a, b := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			t.Errorf("%s: line %d:\n%s\n%s", what, i, a[i], b[i])
			return
		}
	}
	t.Errorf("%s: %d lines and %d", what, len(a), len(b))
}

func TestCopyOfSQLiteIsEqual(t *testing.T) {
	from, to := fullDatabase(t), filePlace(t)
	if err := os.MkdirAll(filepath.Dir(to.Path), 0o700); err != nil {
		t.Fatal(err)
	}
	made := copied(t, from, to)
	same(t, "the copy", dumped(t, from), dumped(t, to))
	if !slices.Equal(made.Secrets, []string{"a key", "empty"}) || made.Tables["organization"] != 3 {
		t.Errorf("%+v", made)
	}
	if left, _ := filepath.Glob(to.Path + "?*"); len(left) != 0 {
		t.Error("left over: ", left)
	}
	if _, err := queries.CopyDatabase(t.Context(), from, to, func(string, int64, int64) {}); !errors.As(err, new(*queries.FullError)) {
		t.Error(err)
	}
}

// TestCopyThereAndBackIsEqual, on both engines: rows, ids that come next, indexes, triggers, statistics.
func TestCopyThereAndBackIsEqual(t *testing.T) {
	first, there, back, again := fullDatabase(t), dbtest.Postgres(t), filePlace(t), dbtest.Postgres(t)
	copied(t, first, there)
	copied(t, there, back)
	same(t, "SQLite after Postgres", dumped(t, first), dumped(t, back))
	copied(t, back, again)
	same(t, "Postgres after SQLite", dumped(t, there), dumped(t, again))
	for _, src := range []queries.Source{back, again} {
		db, err := queries.Open(t.Context(), src)
		if err != nil {
			t.Fatal(err)
		}
		err = db.InTx(t.Context(), func(ctx context.Context, tx *queries.Tx) error {
			name := "new"
			id, err := tx.InsertOrganization(ctx, queries.InsertOrganizationParams{Name: &name})
			if err == nil && id != 41 {
				err = fmt.Errorf("its id is %v", id)
			}
			return err
		})
		if err = errors.Join(err, db.Close()); err != nil {
			t.Error(err)
		}
	}
}

// TestCopyIsUnfinishedUntilItIsProven cuts a copy off in its middle, without time to tidy up.
func TestCopyIsUnfinishedUntilItIsProven(t *testing.T) {
	from := fullDatabase(t)
	to := dbtest.Postgres(t)
	onSQL(t, to, "CREATE FUNCTION theirs() RETURNS INTEGER LANGUAGE sql AS 'SELECT 1'")
	empty := dumped(t, to)
	ctx, cancel := context.WithCancel(t.Context())
	_, err := queries.CopyDatabase(ctx, from, to, func(table string, _, _ int64) {
		if table == "payload" {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	same(t, "after an error", empty, dumped(t, to))
	onSQL(t, to, "CREATE TABLE vserver_copy_unfinished (since TIMESTAMPTZ)")
	l, err := queries.NewLoader(t.Context(), to) // a copy that is killed goes no further than this
	if err == nil {
		err = l.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	id, err := queries.Identify(t.Context(), to)
	if err != nil || id.Kind != queries.KindUnfinished {
		t.Errorf("%+v, %v", id, err)
	}
	if db, err := queries.Open(t.Context(), to); db != nil || !strings.Contains(err.Error(), "is an unfinished copy of another database: repeat vserver copy") {
		t.Error(err)
	}
	copied(t, from, to)
	if db, err := queries.Open(t.Context(), to); err != nil {
		t.Error(err)
	} else if err := db.Close(); err != nil {
		t.Error(err)
	}
}

// TestCopySaysWhatItCannotDo, and leaves nothing of it.
func TestCopySaysWhatItCannotDo(t *testing.T) {
	older := fullDatabase(t)
	onSQL(t, older, "DELETE FROM goose_db_version WHERE version_id = (SELECT max(version_id) FROM goose_db_version)")
	left := filePlace(t)
	if err := os.MkdirAll(filepath.Dir(left.Path), 0o700); err != nil {
		t.Fatal(err)
	}
	withBytes("x")(t, left.Path+"-wal")
	for name, c := range map[string]struct {
		from, to queries.Source
		says     string
	}{
		"nothing there":   {filePlace(t), filePlace(t), "holds nothing to copy"},
		"3.x":             {dbtest.Reference(t, dbtest.Reference373), filePlace(t), "vserver takeover"},
		"into 3.x":        {fullDatabase(t), dbtest.Reference(t, dbtest.Reference373), "vserver takeover"},
		"older":           {older, filePlace(t), "bring it up to date first, with vserver migrate up"},
		"left over a log": {fullDatabase(t), left, "d 1%.sqlite-wal is left over from another database"},
	} {
		_, err := queries.CopyDatabase(t.Context(), c.from, c.to, func(string, int64, int64) {})
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCopyNamesWhatPostgresDoesNotTake(t *testing.T) {
	from, to := fullDatabase(t), dbtest.Postgres(t)
	onSQL(t, from, "UPDATE task SET description = 'a' || char(0) || 'b' WHERE id = 11")
	_, err := queries.CopyDatabase(t.Context(), from, to, func(string, int64, int64) {})
	if err == nil || !strings.Contains(err.Error(), "the text in column description of the row with id 11") {
		t.Error(err)
	}
	if id, err := queries.Identify(t.Context(), to); err != nil || id.Kind != queries.KindEmpty {
		t.Errorf("%+v, %v", id, err)
	}
}

// TestFormsOfColumnsAreKnown: every column whose form differs between the engines is read as such.
func TestFormsOfColumnsAreKnown(t *testing.T) {
	src := dbtest.Postgres(t)
	db, err := queries.Open(t.Context(), src)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	raw, err := dbtest.SQL(src)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = raw.Close() }()
	truths, moments := queries.FormsOfColumns()
	for kind, want := range map[string][]string{"boolean": truths, "timestamp with time zone": moments} {
		got := texted(t, raw, "SELECT DISTINCT column_name::text FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'goose_db_version' AND data_type = '"+kind+"' ORDER BY 1")
		for i := range got {
			got[i] = strings.Trim(got[i], `"`)
		}
		if !slices.Equal(got, want) {
			t.Errorf("columns of %s: %v, want %v", kind, got, want)
		}
	}
}

// TestConnectionsThatEndAreWaitedFor: who stops a server and begins at once is not told that it is still there.
func TestConnectionsThatEndAreWaitedFor(t *testing.T) {
	src := (&dbtest.Template{}).Copy(t)
	if src.Engine != queries.Postgres {
		t.Skip("skipped: nobody connects to SQLite")
	}
	c, err := pgx.Connect(t.Context(), src.DSN)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := queries.OthersConnected(t.Context(), src); n != 1 || err != nil {
		t.Errorf("one is connected, found %d: %v", n, err)
	}
	time.AfterFunc(100*time.Millisecond, func() { _ = c.Close(context.WithoutCancel(t.Context())) })
	if n, err := queries.OthersConnected(t.Context(), src); n != 0 || err != nil {
		t.Errorf("the last one goes, found %d: %v", n, err)
	}
}

// TestNamesOfThisProgramAreKnown: what the schema makes goes aside when the tables of a 3.x server come back.
func TestNamesOfThisProgramAreKnown(t *testing.T) {
	src := (&dbtest.Template{}).Copy(t)
	if src.Engine != queries.Postgres {
		t.Skip("skipped: a file of SQLite goes aside as a whole")
	}
	c, err := pgx.Connect(t.Context(), src.DSN)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close(context.WithoutCancel(t.Context())) }()
	const made = `SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND (c.relkind IN ('r', 'v')
			OR c.relkind = 'S' AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.deptype IN ('a', 'i') AND d.classid = 'pg_class'::regclass))
		UNION SELECT p.proname FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace
		UNION SELECT t.typname FROM pg_type t WHERE t.typnamespace = 'public'::regnamespace AND t.typtype = 'e'`
	rows, err := c.Query(t.Context(), made)
	if err != nil {
		t.Fatal(err)
	}
	names, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(names) < 30 {
		t.Fatalf("%d names: %v", len(names), err)
	}
	known := strings.Split(queries.OwnNames, ",")
	for _, name := range names {
		if !slices.Contains(known, name) {
			t.Errorf("the schema makes %s, which is not among the names of this program", name)
		}
	}
}
