package takeover

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"vserver/queries"
	"vserver/queries/dbtest"
)

// fullEnv has a copy of the test program work on a small disk of its own.
const fullEnv = "VSERVER_TEST_FULL_TAKEOVER"

// TestDiskThatFillsWithinATakeover: the old database stays as it was, nothing is left beside it, and running again completes.
func TestDiskThatFillsWithinATakeover(t *testing.T) {
	onSQLite(t)
	p := newPatient(t, dbtest.Reference373, `WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60)
		INSERT INTO result (task_id, organization_id, input) SELECT 3, 2, hex(randomblob(50000)) FROM n`)
	small := filepath.Join(t.TempDir(), "small")
	p.must(os.Mkdir(small, 0o700))
	cmd := exec.CommandContext(t.Context(), "/bin/sh", "-c", `mount -t tmpfs -o size=36m none "$1" && cp -p "$2" "$1/old.sqlite" && shift 2 && exec "$@"`,
		"mounter", small, p.inst.Database.Path, os.Args[0], "-test.run", "^TestFullProcess$", "-test.v")
	cmd.Env = append(os.Environ(), fullEnv+"="+small)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	out, err := cmd.CombinedOutput()
	if err != nil && !strings.Contains(string(out), "=== RUN") {
		t.Skipf("skipped: this account may mount no disk of its own: %s", out)
	}
	if err != nil || !strings.Contains(string(out), "--- PASS: TestFullProcess") {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestFullProcess is the process on the small disk.
func TestFullProcess(t *testing.T) {
	small := os.Getenv(fullEnv)
	if small == "" {
		t.Skip("runs within another test")
	}
	p := &patient{T: t}
	p.told.JWT = "of nobody"
	p.configure(small, "sqlite:///"+filepath.Join(small, "old.sqlite"), "")
	p.before = sum(t, p.inst.Database.Path)
	filler := filepath.Join(small, "filler")
	filling := utc
	filling.Progress = func(step string, done, _ int64) {
		if step == stepCarry && done > 0 {
			fill(t, filler)
		}
	}
	_, err := Do(t.Context(), p.inst, filling)
	if err == nil || !strings.Contains(err.Error(), "no room in "+small) {
		t.Errorf("on a full disk: %v", err)
	}
	if id, err := queries.Identify(t.Context(), p.src()); err != nil || id.Kind != queries.KindReference || sum(t, p.inst.Database.Path) != p.before {
		t.Errorf("there is %+v, %v", id, err)
	}
	if left, _ := filepath.Glob(filepath.Join(small, ".old*")); left != nil {
		t.Errorf("%v is left", left)
	}
	_, err = Do(t.Context(), p.inst, utc)
	if err == nil || !strings.Contains(err.Error(), "make room and try again; nothing has changed") {
		t.Errorf("before it begins: %v", err)
	}
	p.must(os.Remove(filler))
	p.take(Options{})
}

// fill writes until there is no room.
func fill(t *testing.T, file string) {
	t.Helper()
	f, err := os.OpenFile(file, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return // nothing is left to take
	}
	defer func() { _ = f.Close() }()
	for err == nil {
		_, err = f.Write(make([]byte, 1<<14))
	}
}
