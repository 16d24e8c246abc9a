package queries_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"vserver/queries"
	"vserver/service/fault"
)

// openLite opens an SQLite database for a test, whatever the others run on.
func openLite(t *testing.T, path string) *queries.DB {
	t.Helper()
	db, err := queries.Open(t.Context(), queries.Source{Engine: queries.SQLite, Path: path})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func writeName(t *testing.T, db *queries.DB, name string) error {
	t.Helper()
	return db.InTx(t.Context(), func(ctx context.Context, tx *queries.Tx) error { return organization(ctx, tx, name) })
}

// wantPrivate wants these files there, for their account alone.
func wantPrivate(t *testing.T, files ...string) {
	t.Helper()
	for _, file := range files {
		if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", file, info, err)
		}
	}
}

// TestAdvisory_U15_DatabaseFilesArePrivate: database, log and index are for their account alone from
// the moment they are made, whatever the umask, and are made so where they are not.
func TestAdvisory_U15_DatabaseFilesArePrivate(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("skipped: rights are no modes on Windows")
	}
	path := filepath.Join(t.TempDir(), "p.sqlite")
	db := openLite(t, path)
	if err := writeName(t, db, "a"); err != nil {
		t.Fatal(err)
	}
	files := []string{path, path + "-wal", path + "-shm"}
	wantPrivate(t, files...)
	for _, file := range files {
		if err := os.Chmod(file, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	again := openLite(t, path)
	wantPrivate(t, files...)
	if len(again.Restricted) != 3 {
		t.Errorf("told of %v", again.Restricted)
	}
	if third := openLite(t, path); third.Restricted != nil {
		t.Errorf("told of %v, and there was nothing to do", third.Restricted)
	}
}

// TestRestoredDatabaseIsPrivate: so is what a restore leaves.
func TestRestoredDatabaseIsPrivate(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("skipped: rights are no modes on Windows")
	}
	for name, damage := range map[string]bool{"over a sound one": false, "over a damaged one": true} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path, backup, safety := filepath.Join(dir, "p.sqlite"), filepath.Join(dir, "b.sqlite"), filepath.Join(dir, "s.sqlite")
			if err := openLite(t, path).Close(); err != nil {
				t.Fatal(err)
			}
			if _, err := queries.BackupSQLite(t.Context(), path, backup); err != nil {
				t.Fatal(err)
			}
			if damage {
				if err := os.WriteFile(path, []byte(strings.Repeat("damaged ", 1000)), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.Chmod(path, 0o644); err != nil {
				t.Fatal(err)
			}
			if _, err := queries.RestoreSQLite(t.Context(), backup, path, safety); err != nil {
				t.Fatal(err)
			}
			wantPrivate(t, path, backup, safety)
		})
	}
}

// TestDatabaseThatIsGoneTakesNoWrites: a file that is removed or replaced under an open
// database makes it unhealthy and refuses writes, instead of storing them where nobody
// finds them; the files of another database in its place are not touched.
func TestDatabaseThatIsGoneTakesNoWrites(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("skipped: Windows removes no open file")
	}
	for _, part := range []string{"", "-wal", "-shm"} {
		for _, replaced := range []bool{false, true} {
			t.Run(fmt.Sprintf("database%s,replaced=%t", part, replaced), func(t *testing.T) {
				path := filepath.Join(t.TempDir(), "p.sqlite")
				db := openLite(t, path)
				if err := writeName(t, db, "before"); err != nil {
					t.Fatal(err)
				}
				aside := path + ".aside"
				if err := os.Rename(path+part, aside); err != nil {
					t.Fatal(err)
				}
				if replaced {
					if err := os.WriteFile(path+part, []byte("another"), 0o600); err != nil {
						t.Fatal(err)
					}
				}
				if err := db.Ping(t.Context()); !errors.Is(err, queries.ErrGone) {
					t.Errorf("health: %v", err)
				}
				if err := writeName(t, db, "lost"); !errors.Is(err, queries.ErrGone) || !fault.Is(err, fault.Busy) {
					t.Errorf("a write: %v", err)
				}
				if _, err := db.ForeignChanges(t.Context()); !errors.Is(err, queries.ErrGone) {
					t.Errorf("the look for changes of others: %v", err)
				}
				if replaced {
					closes(t, db)
					if text, err := os.ReadFile(path + part); string(text) != "another" {
						t.Errorf("the file in its place: %.20q, %v", text, err)
					}
					return
				}
				if err := os.Rename(aside, path+part); err != nil {
					t.Fatal(err)
				}
				if err := errors.Join(db.Ping(t.Context()), writeName(t, db, "after")); err != nil {
					t.Errorf("with the file back: %v", err)
				}
			})
		}
	}
}

// TestWhatIsNoDatabaseKeepsItsMode: a path that leads to a folder or to somebody's file is
// refused, and stays as it was.
func TestWhatIsNoDatabaseKeepsItsMode(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "folder")
	text := filepath.Join(t.TempDir(), "notes.txt")
	if err := errors.Join(os.Mkdir(folder, 0o755), os.WriteFile(text, []byte(strings.Repeat("no database ", 500)), 0o644)); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]os.FileMode{folder: 0o755, text: 0o644} {
		if db, err := queries.Open(t.Context(), queries.Source{Engine: queries.SQLite, Path: path}); err == nil {
			t.Errorf("%s is opened: %v", path, db.Close())
		}
		info, err := os.Stat(path)
		if err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != want {
			t.Errorf("%s has the mode %v, %v", path, info.Mode(), err)
		}
	}
}
