package cli_test

import (
	"bytes"
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

	_ "github.com/ncruces/go-sqlite3/driver"

	"vserver/queries"
	"vserver/queries/dbtest"
	"vserver/service/cli"
	"vserver/service/freeport"
	"vserver/service/promise"
)

// panicOrder is the environment variable that makes this program a command on a disk that
// panics below SQLite: "write 5" at the fifth write.
const panicOrder = "VSERVER_TEST_PANIC"

func commandThatPanics(order string) int {
	var kind string
	var n int
	if _, err := fmt.Sscan(order, &kind, &n); err != nil {
		panic(err)
	}
	if err := dbtest.BelowThisProcess(kind, n); err != nil {
		panic(err)
	}
	return cli.Main(os.Args[1:])
}

// panickingBed is an instance whose commands panic where a test wants it.
type panickingBed struct {
	*testing.T
	dir, config, database string
}

func newPanickingBed(t *testing.T) panickingBed {
	t.Helper()
	onSQLite(t)
	b := panickingBed{T: t, dir: t.TempDir()}
	b.config, b.database = filepath.Join(b.dir, "x.yaml"), filepath.Join(b.dir, "data", "x.sqlite")
	port, err := freeport.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf(victimConfig, port, "sqlite:///"+b.database, filepath.Join(b.dir, "data"), b.dir)
	b.write(b.config, text)
	b.write(filepath.Join(b.dir, "tmp", "keep"), "")
	b.must("shell", "--command", `db.Organization(name="Old").save()`)
	b.must("backup", b.first())
	return b
}

// first is the database as the test began.
func (b panickingBed) first() string { return filepath.Join(b.dir, "first.sqlite") }

// again puts it back, in an empty folder.
func (b panickingBed) again() {
	b.Helper()
	text, err := os.ReadFile(b.first())
	if err = errors.Join(err, os.RemoveAll(filepath.Dir(b.database))); err != nil {
		b.Fatal(err)
	}
	b.write(b.database, string(text))
}

func (b panickingBed) write(file, text string) {
	b.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o700), os.WriteFile(file, []byte(text), 0o600)); err != nil {
		b.Fatal(err)
	}
}

// run runs a command whose disk panics as ordered; "" for one that does not.
func (b panickingBed) run(order string, args ...string) (code int, said string) {
	b.Helper()
	name := buildBinary(b.T)
	if order != "" {
		name = os.Args[0]
	}
	args = slices.Insert(slices.Clone(args), 1, "--config", b.config, "--environment", "test")
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), panicOrder+"="+order, "HOME="+b.dir, "TMPDIR="+filepath.Join(b.dir, "tmp"),
		"XDG_DATA_DIRS="+b.dir, "XDG_CONFIG_DIRS="+b.dir)
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		b.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

func (b panickingBed) must(args ...string) {
	b.Helper()
	if code, said := b.run("", args...); code != 0 {
		b.Fatalf("%v: %d %s", args, code, said)
	}
}

// incident is how the sentence about a panic names where its details are.
var incident = regexp.MustCompile(`This is a fault of the program, incident (\w{12}): .*?(\S+vserver-incident-\w{12}\.txt) has what is needed`)

// toldOf wants the sentence, exit code 1, and a file with the stack that nobody else may read.
func (b panickingBed) toldOf(code int, said string) {
	b.Helper()
	found := incident.FindStringSubmatch(said)
	if code != 1 || found == nil || strings.Contains(said, "goroutine ") {
		b.Fatalf("exit code %d: %s", code, said)
	}
	info, err := os.Stat(found[2])
	if err != nil || info.Mode().Perm() != 0o600 {
		b.Fatalf("%v %v", info, err)
	}
	text, err := os.ReadFile(found[2])
	if err != nil || !bytes.Contains(text, []byte(found[1])) || !bytes.Contains(text, []byte("dbtest")) {
		b.Errorf("the details: %s %v", text, err)
	}
}

// organizations returns the names in a database, which has to be whole.
func (b panickingBed) organizations(file string) string {
	b.Helper()
	if err := queries.ProveSQLite(file); err != nil {
		b.Fatal(err)
	}
	db, err := sql.Open("sqlite3", "file:"+file)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var names string
	err = db.QueryRowContext(b.Context(), "SELECT group_concat(name, ' ') FROM (SELECT name FROM organization ORDER BY id)").Scan(&names)
	if err != nil {
		b.Fatal(err)
	}
	return names
}

// left lists the files of the folder of the data, but for the database's own.
func (b panickingBed) left() string {
	b.Helper()
	entries, err := os.ReadDir(filepath.Dir(b.database))
	if err != nil {
		b.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		switch strings.TrimPrefix(e.Name(), filepath.Base(b.database)) {
		case "", "-wal", "-shm", "-journal":
		default:
			names = append(names, e.Name())
		}
	}
	return strings.Join(names, " ")
}

// later is the access to panic at after the n-th.
func later(n int) int {
	if promise.Long() {
		return n + 1
	}
	return 2*n + 1
}

// TestPanicOfACommand has the disk panic at one access after the other below commands that do
// one thing and end. Each ends with 1 and a sentence that has an incident; what it did is
// undone, nothing half is left, and the next command finds no lock.
func TestPanicOfACommand(t *testing.T) {
	b := newPanickingBed(t)
	backup, file := filepath.Join(filepath.Dir(b.database), "backup.sqlite"), filepath.Join(b.dir, "import.yaml")
	b.write(file, "organizations:\n  - {name: New, domain: new.org, address1: , address2: , zipcode: , country: }\n")
	for _, c := range []struct {
		name, kind string
		args       []string
		done       string // the organizations where it succeeds
		leaves     string
	}{
		{"backup", "write", []string{"backup", backup}, "root Old", "backup.sqlite"},
		{"backup", "read", []string{"backup", backup}, "root Old", "backup.sqlite"},
		{"import", "write", []string{"import", file}, "root Old New", ""},
		{"shell", "write", []string{"shell", "--command", `db.Organization(name="New").save()`}, "root Old New", ""},
	} {
		t.Run(c.name+" "+c.kind, func(t *testing.T) {
			b := b
			b.T = t
			panics := 0
			for n := 1; ; n = later(n) {
				b.again()
				code, said := b.run(fmt.Sprintf("%s %d", c.kind, n), c.args...)
				names, left := b.organizations(b.database), b.left()
				if code == 0 {
					if names != c.done || left != c.leaves {
						t.Errorf("access %d: %s has %q, and %q is left", n, c.name, names, left)
					}
					break
				}
				panics++
				b.toldOf(code, said)
				if names != "root Old" && names != c.done || left != "" {
					t.Errorf("access %d: the database has %q, and %q is left", n, names, left)
				}
			}
			t.Logf("%d panics", panics)
			if panics < 3 {
				t.Errorf("%d panics are no test", panics)
			}
		})
	}
}

// TestPanicOfARestore: the database has the old content or that of the backup, whole, and no
// half copy of the old is kept.
func TestPanicOfARestore(t *testing.T) {
	b := newPanickingBed(t)
	b.must("shell", "--command", `db.Organization(name="New").save()`)
	panics := 0
	for n := 1; ; n = later(n) {
		code, said := b.run(fmt.Sprintf("write %d", n), "restore", b.first())
		// SQLite itself takes back what was half written.
		b.must("doctor")
		names := b.organizations(b.database)
		for _, kept := range strings.Fields(b.left()) {
			file := filepath.Join(filepath.Dir(b.database), kept)
			if got := b.organizations(file); got != "root Old New" {
				t.Errorf("access %d: %s has %q", n, kept, got)
			}
			_ = os.Remove(file)
		}
		if code == 0 {
			if names != "root Old" {
				t.Errorf("restored is %q", names)
			}
			break
		}
		panics++
		b.toldOf(code, said)
		if names != "root Old New" && names != "root Old" {
			t.Errorf("access %d: the database has %q", n, names)
		}
	}
	t.Logf("%d panics", panics)
	if panics < 3 {
		t.Errorf("%d panics are no test", panics)
	}
}
