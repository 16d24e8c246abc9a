package queries_test

import (
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vserver/queries"
	"vserver/queries/dbtest"
)

// listing is every file of a folder with its times, mode and hash.
func listing(t *testing.T, dir string) string {
	t.Helper()
	var list strings.Builder
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil || d.IsDir() {
			fmt.Fprintln(&list, path)
			return err
		}
		text, err := os.ReadFile(path)
		fmt.Fprintf(&list, "%s %v %v %x\n", path, info.Mode(), info.ModTime(), sha256.Sum256(text))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list.String()
}

// identifies wants an answer about a source that leaves its folder as it is.
func identifies(t *testing.T, src queries.Source, want queries.Identity) {
	t.Helper()
	before := listing(t, filepath.Dir(src.Path))
	id, err := queries.Identify(t.Context(), src)
	want.What = id.What
	if err != nil || id != want {
		t.Errorf("%+v, %v; want %+v", id, err, want)
	}
	if after := listing(t, filepath.Dir(src.Path)); after != before {
		t.Errorf("it was changed:\n%s\n%s", before, after)
	}
	if want.Kind == queries.KindOurs || want.Kind == queries.KindEmpty {
		return
	}
	var foreign *queries.ForeignError
	if db, err := queries.Open(t.Context(), src); !errors.As(err, &foreign) || db != nil {
		t.Errorf("opened it: %v", err)
	}
	if after := listing(t, filepath.Dir(src.Path)); after != before {
		t.Errorf("an opening changed it:\n%s\n%s", before, after)
	}
}

func TestReferencesAreIdentifiedByStructure(t *testing.T) {
	for name, releases := range map[string]string{
		dbtest.Reference304: "3.0", dbtest.Reference330: "3.3 or 3.4", dbtest.Reference373: "3.6 or 3.7",
		dbtest.Reference3111: "3.11", dbtest.ReferenceUpgraded: "3.11", dbtest.ReferenceImported: "3.11",
	} {
		t.Run(name, func(t *testing.T) {
			identifies(t, dbtest.Reference(t, name), queries.Identity{Kind: queries.KindReference, Exists: true, Generation: releases})
		})
	}
}

// What a server that ended badly leaves beside its file counts, and stays.
func TestIdentifyCountsWhatIsLeftBeside(t *testing.T) {
	reference := queries.Identity{Kind: queries.KindReference, Exists: true, Generation: "3.6 or 3.7"}
	for name, cut := range map[string]struct {
		statements string
		want       queries.Identity
	}{
		"in a log": {"PRAGMA journal_mode=wal; PRAGMA wal_autocheckpoint=0; ALTER TABLE task ADD COLUMN created_at DATETIME; CREATE TABLE nodeconfig (id INTEGER)",
			queries.Identity{Kind: queries.KindReference, Exists: true, Generation: "3.11"}},
		"log mode":      {"PRAGMA journal_mode=wal; PRAGMA wal_autocheckpoint=0; UPDATE task SET name = 'x'", reference},
		"hot journal":   {"PRAGMA cache_size=1; PRAGMA cache_spill=1; BEGIN; ALTER TABLE task ADD COLUMN created_at DATETIME; UPDATE result SET input = input || 'x'; UPDATE \"user\" SET firstname = 'x'", reference},
		"emptied again": {"PRAGMA journal_mode=persist; UPDATE task SET name = 'x'", reference},
	} {
		t.Run(name, func(t *testing.T) {
			src := cutOff(t, dbtest.Reference(t, dbtest.Reference373), cut.statements)
			if beside, err := filepath.Glob(src.Path + "-*"); err != nil || len(beside) == 0 {
				t.Error("nothing is left over")
			}
			identifies(t, src, cut.want)
		})
	}
}

// cutOff copies a database with what lies beside it in the middle of its use.
func cutOff(t *testing.T, src queries.Source, statements string) queries.Source {
	t.Helper()
	db, err := sql.Open("sqlite3", "file:"+src.Path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(t.Context(), statements); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, suffix := range []string{"", "-wal", "-shm", "-journal"} {
		if text, err := os.ReadFile(src.Path + suffix); err == nil {
			if err := os.WriteFile(filepath.Join(dir, "cut.sqlite"+suffix), text, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	return queries.Source{Engine: queries.SQLite, Path: filepath.Join(dir, "cut.sqlite")}
}

func TestIdentifyKnowsWhatIsNoDatabaseOfOurs(t *testing.T) {
	for name, c := range map[string]struct {
		make func(t *testing.T, path string)
		want queries.Kind
		says string
	}{
		"absent":             {func(*testing.T, string) {}, queries.KindEmpty, ""},
		"empty file":         {withBytes(""), queries.KindEmpty, ""},
		"without tables":     {withTables("PRAGMA user_version=7; CREATE TABLE a (b); DROP TABLE a; VACUUM"), queries.KindEmpty, ""},
		"text":               {withBytes("uri: sqlite:///x\n"), queries.KindForeign, "a file with text"},
		"dump":               {withBytes("PGDMP\x01\x0e"), queries.KindForeign, "a dump of Postgres"},
		"compressed":         {withBytes("\x1f\x8b\x08\x00"), queries.KindForeign, "gzip"},
		"Gitea":              {withTables("CREATE TABLE repository (id); CREATE TABLE access_token (id); CREATE TABLE issue (id); CREATE TABLE \"user\" (id)"), queries.KindForeign, "the tables of Gitea or Forgejo (access_token, issue, repository and 1 more)"},
		"4.x":                {withTables("CREATE TABLE authenticatable (id); CREATE TABLE role_rule_association (id); CREATE TABLE run (id); CREATE TABLE result (id); CREATE TABLE task (id); CREATE TABLE \"user\" (id)"), queries.KindForeign, "not of release 3.x"},
		"goose of others":    {withTables("CREATE TABLE goose_db_version (id, version_id); CREATE TABLE album (id)"), queries.KindForeign, "another program (album, goose_db_version)"},
		"interrupted of us":  {withTables("CREATE TABLE goose_db_version (id, version_id)"), queries.KindOurs, ""},
		"touched by release": {touched, queries.KindReference, "release 3.6 or 3.7"},
	} {
		t.Run(name, func(t *testing.T) {
			src := queries.Source{Engine: queries.SQLite, Path: filepath.Join(t.TempDir(), "a b%.sqlite")}
			c.make(t, src.Path)
			id, err := queries.Identify(t.Context(), src)
			if err != nil || !strings.Contains(id.What, c.says) {
				t.Errorf("%+v, %v", id, err)
			}
			id.Kind = c.want
			identifies(t, src, id)
		})
	}
	src := queries.Source{Engine: queries.SQLite, Path: t.TempDir()}
	if id, err := queries.Identify(t.Context(), src); err != nil || id.What != "a folder" {
		t.Errorf("%+v, %v", id, err)
	}
}

// withBytes makes a file.
func withBytes(text string) func(*testing.T, string) {
	return func(t *testing.T, path string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// withTables makes a database.
func withTables(statements string) func(*testing.T, string) {
	return func(t *testing.T, path string) {
		db, err := dbtest.SQL(queries.Source{Engine: queries.SQLite, Path: path})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = db.Close() }()
		if _, err := db.ExecContext(t.Context(), statements); err != nil {
			t.Fatal(err)
		}
	}
}

// touched is what an earlier release left that took a 3.x database for a new one.
func touched(t *testing.T, path string) {
	src := dbtest.Reference(t, dbtest.Reference373)
	text, err := os.ReadFile(src.Path)
	if err != nil {
		t.Fatal(err)
	}
	withBytes(string(text))(t, path)
	withTables("PRAGMA journal_mode=wal; CREATE TABLE goose_db_version (id INTEGER PRIMARY KEY AUTOINCREMENT, version_id INTEGER, is_applied INTEGER)")(t, path)
}

func TestIdentifyKnowsOurOwn(t *testing.T) {
	var own dbtest.Template
	src := own.Copy(t)
	id, err := queries.Identify(t.Context(), src)
	if err != nil || id.Kind != queries.KindOurs || id.Version != queries.KnownSchema(src.Engine) {
		t.Errorf("%+v, %v", id, err)
	}
	if src.Engine == queries.SQLite { // also the copy of a server at work
		identifies(t, cutOff(t, src, "PRAGMA journal_mode=wal; PRAGMA wal_autocheckpoint=0; INSERT INTO organization (name) VALUES ('x')"), id)
	}
}

func TestIdentifyOnPostgres(t *testing.T) {
	src := dbtest.Postgres(t)
	if id, err := queries.Identify(t.Context(), src); err != nil || id.Kind != queries.KindEmpty {
		t.Errorf("%+v, %v", id, err)
	}
	other := dbtest.Postgres(t)
	db, err := dbtest.SQL(other)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.ExecContext(t.Context(), "CREATE TABLE album (id INTEGER)"); err != nil {
		t.Fatal(err)
	}
	for what, src := range map[string]queries.Source{
		"the tables of another program (album)": other,
		"release 3.6 or 3.7":                    dbtest.ReferencePostgres(t),
	} {
		db, err := queries.Open(t.Context(), src)
		var foreign *queries.ForeignError
		if db != nil || !errors.As(err, &foreign) || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v", what, err)
		}
		if again, err := queries.Identify(t.Context(), src); err != nil || again != foreign.Identity {
			t.Errorf("%s: it was changed: %+v, %v", what, again, err)
		}
	}
}
