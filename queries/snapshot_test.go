package queries_test

import (
	"database/sql"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/pressly/goose/v3"

	"vserver/queries"
	"vserver/schema"
)

// old makes a database as the first release has left it.
func old(t *testing.T, path string) {
	t.Helper()
	files, err := fs.Sub(schema.SQLite, "sqlite")
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite3", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	p, err := goose.NewProvider(goose.DialectSQLite3, db, files)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.UpTo(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
}

func look(t *testing.T, path string) queries.SchemaState {
	t.Helper()
	s, err := queries.LookAtSchema(t.Context(), queries.Source{Engine: queries.SQLite, Path: path})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSnapshotBeforeMigration(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.sqlite")
	if s := look(t, path); s.Exists || s.Has != 0 || int64(len(s.Pending)) != s.Knows {
		t.Errorf("no database: %+v", s)
	}
	old(t, path)
	if s := look(t, path); !s.Exists || s.Has != 1 || int64(len(s.Pending)) != s.Knows-1 {
		t.Errorf("old database: %+v", s)
	}
	unfinished := filepath.Join(filepath.Dir(path), ".x.sqlite.snapshot-20260101T000000.000000000Z-schema-1.1234")
	if err := os.WriteFile(unfinished, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for again := range 5 {
		db, err := queries.Open(t.Context(), queries.Source{Engine: queries.SQLite, Path: path})
		if err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(unfinished); err == nil {
			t.Error("a snapshot that was cut off is still there")
		}
		if s := look(t, path); len(s.Pending) != 0 {
			t.Errorf("after opening: %+v", s)
		}
		if v, err := queries.VerifySQLite(db.Snapshot); v != 1 || err != nil {
			t.Errorf("the snapshot has version %d: %v", v, err)
		}
		kept, err := filepath.Glob(path + ".snapshot-*")
		if want := min(again+1, 3); len(kept) != want || err != nil || kept[want-1] != db.Snapshot {
			t.Errorf("kept %v of %d, the last is %s", kept, again+1, db.Snapshot)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		old(t, path)
	}
}

func TestNoSnapshotWithoutMigration(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.sqlite")
	for range 2 {
		db, err := queries.Open(t.Context(), queries.Source{Engine: queries.SQLite, Path: path})
		if err != nil {
			t.Fatal(err)
		}
		if db.Snapshot != "" {
			t.Errorf("made %s", db.Snapshot)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestFreeSpace(t *testing.T) {
	if n, err := queries.FreeSpace(t.TempDir()); n == 0 || err != nil {
		t.Error(n, err)
	}
	if _, err := queries.FreeSpace(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a folder that is not there has space")
	}
}
