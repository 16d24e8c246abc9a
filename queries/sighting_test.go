package queries_test

import (
	"os"
	"path/filepath"
	"testing"

	"vserver/queries"
)

// TestSightingHoldsUntilAFileChanges: what a database was seen to be is believed as long as nobody wrote to it or put
// another one in its place. Then a foreign one is found out, and left as it is.
func TestSightingHoldsUntilAFileChanges(t *testing.T) {
	album := withTables("CREATE TABLE album (id INTEGER)")
	written := func(t *testing.T, path string) {
		other := filepath.Join(t.TempDir(), "other.sqlite")
		album(t, other)
		text, err := os.ReadFile(other)
		if err != nil {
			t.Fatal(err)
		}
		withBytes(string(text))(t, path)
	}
	foreign := queries.Identity{Kind: queries.KindForeign, Exists: true}
	for what, c := range map[string]struct {
		change func(t *testing.T, path string)
		want   queries.Identity
	}{
		"written to":           {written, foreign},
		"another in its place": {func(t *testing.T, path string) { replaceLike(t, path, written) }, foreign},
		"removed":              {func(t *testing.T, path string) { withBytes("")(t, path) }, queries.Identity{Kind: queries.KindEmpty, Exists: true}},
		"a log beside it": {func(t *testing.T, path string) {
			likeBefore(t, path, written)
			withBytes("")(t, path+"-wal")
		}, foreign},
		"a journal beside it": {func(t *testing.T, path string) {
			likeBefore(t, path, written)
			withBytes("")(t, path+"-journal")
		}, foreign},
	} {
		t.Run(what, func(t *testing.T) {
			src := queries.Source{Engine: queries.SQLite, Path: filepath.Join(t.TempDir(), "own.sqlite")}
			db, err := queries.Open(t.Context(), src)
			if err != nil {
				t.Fatal(err)
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			id, seen, err := queries.See(t.Context(), src)
			if err != nil || id.Kind != queries.KindOurs || seen == nil {
				t.Fatalf("%+v, %v, %v", id, seen, err)
			}
			src.Seen = seen
			if again, err := queries.Identify(t.Context(), src); err != nil || again != id {
				t.Errorf("%+v, %v", again, err)
			}
			c.change(t, src.Path)
			identifies(t, src, c.want)
		})
	}
}

// likeBefore changes a file, whose size and time stay as they were.
func likeBefore(t *testing.T, path string, change func(*testing.T, string)) {
	t.Helper()
	was, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	change(t, path)
	if err := os.Truncate(path, was.Size()); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(path, was.ModTime(), was.ModTime()); err != nil {
		t.Fatal(err)
	}
}

// replaceLike puts another file in the place of one, of the same size and time.
func replaceLike(t *testing.T, path string, make func(*testing.T, string)) {
	t.Helper()
	first, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	was, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	beside := path + ".new"
	withBytes(string(first))(t, beside)
	if err := os.Chtimes(beside, was.ModTime(), was.ModTime()); err != nil {
		t.Fatal(err)
	}
	likeBefore(t, beside, make)
	if err := os.Rename(beside, path); err != nil {
		t.Fatal(err)
	}
}

// TestOnlyOwnDatabasesAreSeenOnce: whatever else a database is, it is looked at each time.
func TestOnlyOwnDatabasesAreSeenOnce(t *testing.T) {
	src := queries.Source{Engine: queries.SQLite, Path: filepath.Join(t.TempDir(), "own.sqlite")}
	for _, kind := range []queries.Kind{queries.KindEmpty, queries.KindForeign} {
		if id, seen, err := queries.See(t.Context(), src); err != nil || id.Kind != kind || seen != nil {
			t.Errorf("%s: %+v, %v, %v", kind, id, seen, err)
		}
		withBytes("a letter")(t, src.Path)
	}
}

// TestOwnDatabasesBearALabel: a database is labelled when it is opened, one of an older program as well, and known by that
// from then on.
func TestOwnDatabasesBearALabel(t *testing.T) {
	src := queries.Source{Engine: queries.SQLite, Path: filepath.Join(t.TempDir(), "own.sqlite")}
	knows := queries.KnownSchema(queries.SQLite)
	for _, c := range []struct {
		before string
		want   int64 // the version that is found
	}{
		{"", 0},
		{"PRAGMA application_id=0", knows},
		{"PRAGMA application_id=1", knows},
		{"UPDATE goose_db_version SET version_id = version_id", 0},
	} {
		db, err := queries.Open(t.Context(), src)
		if err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		if c.before != "" {
			withTables(c.before)(t, src.Path)
		}
		want := queries.Identity{Kind: queries.KindOurs, Exists: true, Version: c.want}
		if id, seen, err := queries.See(t.Context(), src); err != nil || id != want || seen == nil {
			t.Errorf("after %q: %+v, %v, %v", c.before, id, seen, err)
		}
		want.Version = knows
		identifies(t, src, want)
	}
}
