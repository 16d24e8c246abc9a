//go:build unix

package queries_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	osexec "os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"vserver/queries"
)

// asAccount is the environment variable that has this program open a database as it is
// told, in a process of another account.
const asAccount = "VSERVER_TEST_OPEN"

func TestMain(m *testing.M) {
	path := os.Getenv(asAccount)
	if path == "" {
		m.Run()
		return
	}
	db, err := queries.Open(context.Background(), queries.Source{Engine: queries.SQLite, Path: path})
	if err == nil {
		err = errors.Join(db.InTx(context.Background(), func(ctx context.Context, tx *queries.Tx) error {
			return organization(ctx, tx, "by another account")
		}), db.Close())
	}
	fmt.Println("opening:", err)
	fmt.Println("checking:", queries.ProveSQLite(path))
	_, err = queries.BackupSQLite(context.Background(), path, path+".backup")
	fmt.Println("copying:", err)
	_, err = queries.LookAtSchema(context.Background(), queries.Source{Engine: queries.SQLite, Path: path})
	fmt.Println("looking:", err)
}

// nobody is the number of an account that is not root.
const nobody = 65534

// asNobody opens a database as another account and returns what came of it.
func asNobody(t *testing.T, dir, path string) string {
	t.Helper()
	program := filepath.Join(dir, "program")
	if _, err := os.Stat(program); err != nil {
		self, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(self)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(program, text, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	cmd := osexec.CommandContext(t.Context(), program)
	cmd.Dir, cmd.Env = "/", []string{asAccount + "=" + path}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return string(out)
}

// TestRefusedFileIsNamedWithItsOwner: where the rights of files are in the way, the
// message names the file, whose it is, who asks, and the command that mends it. It does
// not call for a backup.
func TestRefusedFileIsNamedWithItsOwner(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("skipped: only root has files of several accounts")
	}
	for name, spoil := range map[string]func(dir, path string) (refused string){
		"database":             func(_, path string) string { return chown(t, path) },
		"log of the database":  func(_, path string) string { return chown(t, path+"-wal") },
		"index of the log":     func(_, path string) string { return chown(t, path+"-shm") },
		"folder":               func(dir, _ string) string { return chown(t, dir) },
		"folder further above": func(dir, _ string) string { return chmod(t, filepath.Dir(dir), 0o700) },
	} {
		t.Run(name, func(t *testing.T) {
			base := openFolder(t)
			above := filepath.Join(base, "above")
			dir := filepath.Join(above, "data")
			if err := os.MkdirAll(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, "p.sqlite")
			db := openLite(t, path) // the log stays beside it meanwhile
			if err := writeName(t, db, "a"); err != nil {
				t.Fatal(err)
			}
			for _, file := range []string{dir, path, path + "-wal", path + "-shm"} {
				if err := os.Chown(file, nobody, nobody); err != nil {
					t.Fatal(err)
				}
			}
			chmod(t, dir, 0o755)
			refused := spoil(dir, path)
			out := asNobody(t, base, path)
			lines := strings.Split(strings.TrimSpace(out), "\n")
			for _, line := range lines {
				told := strings.Contains(line, "may not write "+refused) || strings.Contains(line, "may not enter "+refused)
				// Reading needs no folder, and looking what a database is needs no index.
				looks := strings.HasSuffix(line, "<nil>") && (refused == dir && !strings.HasPrefix(line, "copying") || refused == path+"-shm" && strings.HasPrefix(line, "looking"))
				if !looks && (!told || !strings.Contains(line, "belongs to root") || !strings.Contains(line, "sudo chown nobody "+refused)) {
					t.Error(line)
				}
			}
			if strings.Contains(out, "restore") || len(lines) != 4 {
				t.Error(out)
			}
		})
	}
}

// openFolder is a folder that every account may pass.
func openFolder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "vserver-accounts-") //nolint:usetesting // that of testing is closed to others
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return chmod(t, dir, 0o755)
}

func chown(t *testing.T, file string) string {
	t.Helper()
	if err := os.Chown(file, 0, 0); err != nil {
		t.Fatal(err)
	}
	return file
}

func chmod(t *testing.T, file string, mode os.FileMode) string {
	t.Helper()
	if err := os.Chmod(file, mode); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestWhatRootMakesGetsTheAccountOfTheFolder: root may be the first to touch the database
// of another account, and the account's server works on.
func TestWhatRootMakesGetsTheAccountOfTheFolder(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("skipped: only root makes files for others")
	}
	base := openFolder(t)
	dir := filepath.Join(base, "data")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(dir, nobody, nobody); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "below", "p.sqlite")
	db := openLite(t, path)
	if err := writeName(t, db, "a"); err != nil {
		t.Fatal(err)
	}
	if _, err := queries.BackupSQLite(t.Context(), path, path+".backup"); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{filepath.Dir(path), path, path + "-wal", path + "-shm", path + ".backup"} {
		info, err := os.Stat(file)
		if err != nil || info.Sys().(*syscall.Stat_t).Uid != nobody {
			t.Errorf("%s is not of the account of its folder: %v", file, err)
		}
	}
	if out := asNobody(t, base, path); strings.Count(out, "<nil>") != 4 {
		t.Error(out)
	}
}
