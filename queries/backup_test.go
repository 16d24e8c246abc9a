package queries_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vserver/queries"
)

// lite makes an SQLite database with one organization in it.
func lite(t *testing.T, name string) (*queries.DB, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "odd ?%41#.sqlite")
	db, err := queries.Open(t.Context(), queries.Source{Engine: queries.SQLite, Path: path})
	if err != nil {
		t.Fatal(err)
	}
	addOrganization(t, db, name)
	return db, path
}

func addOrganization(t *testing.T, db *queries.DB, name string) {
	t.Helper()
	err := db.InTx(t.Context(), func(ctx context.Context, tx *queries.Tx) error {
		_, err := tx.InsertOrganization(ctx, queries.InsertOrganizationParams{Name: &name})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// run changes a file behind the program's back.
func run(t *testing.T, path, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite3", "file:"+path+"?_pragma=foreign_keys(off)")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.ExecContext(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}

func TestBackupWhileInUse(t *testing.T) {
	db, path := lite(t, "one")
	defer func() { _ = db.Close() }()
	to := filepath.Join(t.TempDir(), "copy")
	version, err := queries.BackupSQLite(t.Context(), path, to)
	if err != nil || version != queries.KnownSchema(queries.SQLite) {
		t.Fatalf("version %d, %v", version, err)
	}
	addOrganization(t, db, "two") // the database goes on
	files, _ := os.ReadDir(filepath.Dir(to))
	info, err := os.Stat(to)
	if err != nil || info.Mode().Perm() != 0o600 || len(files) != 1 {
		t.Fatalf("%v, %v, %v", info.Mode(), files, err)
	}
	_, err = queries.RestoreSQLite(t.Context(), to, path, path+".safe")
	if !errors.Is(err, queries.ErrInUse) {
		t.Errorf("restoring over an open database: %v", err)
	}
	if _, err := os.Stat(path + ".safe"); err == nil {
		t.Error("a refused restore leaves a copy")
	}
}

func TestBackupEndsWithItsContext(t *testing.T) {
	db, path := lite(t, "one")
	defer func() { _ = db.Close() }()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dir := t.TempDir()
	if _, err := queries.BackupSQLite(ctx, path, filepath.Join(dir, "copy")); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if files, _ := os.ReadDir(dir); len(files) > 0 {
		t.Errorf("left %v", files)
	}
}

func TestBackupsThatAreRefused(t *testing.T) {
	for what, c := range map[string]struct{ change, want string }{
		"newer":     {"INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, 1)", "schema version 9999"},
		"another's": {"DROP TABLE goose_db_version", "no database of this program"},
		"orphans":   {"INSERT INTO node (organization_id, collaboration_id, name) VALUES (77, 78, 'n')", "tables node"},
	} {
		db, path := lite(t, "one")
		to := filepath.Join(t.TempDir(), "copy")
		if _, err := queries.BackupSQLite(t.Context(), path, to); err != nil {
			t.Fatal(err)
		}
		run(t, to, c.change)
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		_, err := queries.RestoreSQLite(t.Context(), to, path, path+".safe")
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

func TestRestoreOverADamagedDatabase(t *testing.T) {
	db, path := lite(t, "one")
	to := filepath.Join(t.TempDir(), "copy")
	if _, err := queries.BackupSQLite(t.Context(), path, to); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(strings.Repeat("nonsense", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	kept, err := queries.RestoreSQLite(t.Context(), to, path, path+".safe")
	if !kept || err != nil {
		t.Fatal(kept, err)
	}
	if text, err := os.ReadFile(path + ".safe"); err != nil || !strings.HasPrefix(string(text), "nonsense") {
		t.Errorf("the damaged database is not kept: %v", err)
	}
	if _, err := queries.VerifySQLite(path); err != nil {
		t.Error(err)
	}
}
