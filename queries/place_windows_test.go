package queries_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"vserver/queries"
	"vserver/service/private"
)

// TestAdvisory_U15_DatabaseFilesHaveAListOfTheirOwn: database, log, index, what names the server and
// copies are for their account alone from the moment they are made, and made so where they are not.
func TestAdvisory_U15_DatabaseFilesHaveAListOfTheirOwn(t *testing.T) {
	dir := t.TempDir()
	path, to, safety := filepath.Join(dir, "p.sqlite"), filepath.Join(dir, "copy.sqlite"), filepath.Join(dir, "kept.sqlite")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if !private.Shared(path) {
		t.Skip("NOT TESTED: files are private in this folder anyway")
	}
	src := queries.Source{Engine: queries.SQLite, Path: path}
	release, err := queries.Occupy(src, "a server")
	if err != nil {
		t.Fatal(err)
	}
	db := openLite(t, path)
	if err := writeName(t, db, "a"); err != nil || !slices.Equal(db.Restricted, []string{path}) {
		t.Fatal(err, db.Restricted)
	}
	if _, err := queries.BackupSQLite(t.Context(), path, to); err != nil {
		t.Fatal(err)
	}
	wantOwnLists(t, append(queries.SQLiteFiles(path), path+"-server", to)...)
	release()
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if kept, err := queries.RestoreSQLite(t.Context(), to, path, safety); err != nil || !kept {
		t.Fatal(kept, err)
	}
	wantOwnLists(t, path, safety)
}

func wantOwnLists(t *testing.T, files ...string) {
	t.Helper()
	for _, file := range files {
		if _, err := os.Stat(file); err != nil || private.Shared(file) {
			t.Errorf("%s: %v, or others have rights to it", file, err)
		}
	}
}
