package cli_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"vserver/queries"
	"vserver/service/promise"
)

// TestReliability_R2_FullDisk runs the program on a disk of a few megabytes, with its
// database and its log, and fills it: the program answers writes with 507 and reads as
// before, and resumes within five seconds after there is room.
func TestReliability_R2_FullDisk(t *testing.T) {
	s, dir, small := onSmallDisk(t)
	s.start(t)
	s.setStage(t)
	disk := fmt.Sprintf("/proc/%d/root%s", s.cmd.Process.Pid, small)
	for round := range 3 {
		filler := filepath.Join(disk, "filler")
		fill(t, filler)
		s.refuses(t, round)
		if err := os.Remove(filler); err != nil {
			t.Fatal(err)
		}
		for end := time.Now().Add(promise.Within(5 * time.Second)); ; {
			if s.organization(t, fmt.Sprintf("again %d", round)) == http.StatusCreated {
				break
			}
			if time.Now().After(end) {
				t.Fatal("writes do not resume")
			}
		}
	}
	s.soundLog(t, filepath.Join(disk, "victim.log"))
	s.sound(t, disk, dir)
}

// onSmallDisk is a victim that runs on a disk of its own, made at small when a program
// starts; dir is beside it.
func onSmallDisk(t *testing.T) (s *victim, dir, small string) {
	t.Helper()
	onSQLite(t)
	s = newVictim(t)
	dir = filepath.Dir(s.config)
	small = filepath.Join(dir, "small")
	if err := os.Mkdir(small, 0o750); err != nil {
		t.Fatal(err)
	}
	if !mounts(t, small) {
		t.Skip("skipped: this account may mount no disk of its own")
	}
	s.moveTo(t, small)
	return s, dir, small
}

// TestCopiesOnAFullDisk wants a backup, a restore and a copy that lack room to say so, and to
// leave nothing half done.
func TestCopiesOnAFullDisk(t *testing.T) {
	s, dir, small := onSmallDisk(t)
	backup := filepath.Join(dir, "good.backup")
	for _, c := range []struct{ name, args string }{
		{"backup", "backup " + small + "/b.backup"},
		{"restore", "restore " + backup},
		{"copy", "copy --to sqlite:///" + small + "/moved.sqlite"},
	} {
		t.Run(c.name, func(t *testing.T) {
			const script = `$0 backup "$2" --yes -c "$3" --user -e test && head -c 9m /dev/zero >"$1/filler"
				before=$(cksum "$1/test.sqlite"); ls "$1" >"$2.before"
				$0 $4 -c "$3" --user -e test && exit 3
				[ "$(cksum "$1/test.sqlite")" = "$before" ] && rm -f "$1"/test.sqlite-* && ls -A "$1" | diff "$2.before" -`
			shell := append(append([]string{}, mounter[1:]...), small, s.src.Path, filepath.Join(small, "test.sqlite"),
				"/bin/sh", "-c", script, s.bin, small, backup, s.config, c.args)
			cmd := exec.CommandContext(t.Context(), mounter[0], shell...)
			cmd.SysProcAttr = own()
			out, err := cmd.CombinedOutput()
			if err != nil || !strings.Contains(string(out), "there is no room in "+small) || strings.Count(string(out), "[error]") != 1 {
				t.Errorf("%v:\n%s", err, out)
			}
		})
	}
}

// TestDiskThatFillsWithinACopy: it says where there is no room, nothing of the copy is left, and the database stays as it was;
// with room the same command completes.
func TestDiskThatFillsWithinACopy(t *testing.T) {
	onSQLite(t)
	s := newVictim(t)
	small := filepath.Join(t.TempDir(), "small")
	if err := os.Mkdir(small, 0o750); err != nil {
		t.Fatal(err)
	}
	if !mounts(t, small) {
		t.Skip("skipped: this account may mount no disk of its own")
	}
	fillForCopy(t, s.src, 4_000, 24) // more than the disk holds, so that it fills on the way
	const script = `before=$(cksum "$2"); $0 copy --to "sqlite:///$1/moved.sqlite" -c "$3" -e test && exit 3
		[ "$(cksum "$2")" = "$before" ] && [ "$(ls -A "$1")" = x ] && mount -o remount,size=40m "$1" && $0 copy --to "sqlite:///$1/moved.sqlite" -c "$3" -e test`
	cmd := exec.CommandContext(t.Context(), mounter[0], append(append([]string{}, mounter[1:]...), small, "/dev/null", filepath.Join(small, "x"),
		"/bin/sh", "-c", script, s.bin, small, s.src.Path, s.config)...)
	cmd.SysProcAttr = own()
	out, err := cmd.CombinedOutput()
	text := string(out)
	if err != nil || !strings.Contains(text, "there is no room in "+small) || strings.Count(text, "[error]") != 1 || !strings.Contains(text, "Copied and proven") {
		t.Errorf("%v:\n%s", err, text)
	}
}

// sound proves the database as it would lie there after a crash: other processes cannot
// open files in a mount of another one by name.
func (s *victim) sound(t *testing.T, disk, dir string) {
	t.Helper()
	s.signal(t, syscall.SIGSTOP)
	defer s.signal(t, syscall.SIGCONT)
	copied := filepath.Join(dir, "copy.sqlite")
	for _, part := range []string{"", "-wal"} {
		text, err := os.ReadFile(filepath.Join(disk, "test.sqlite"+part))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(copied+part, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := queries.ProveSQLite(copied); err != nil {
		t.Errorf("the database is not sound: %v", err)
	}
}

func (s *victim) signal(t *testing.T, sig syscall.Signal) {
	t.Helper()
	if err := s.cmd.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
}

// mounter is how a process starts that has a small disk at $1, seen by nobody else.
var mounter = []string{"/bin/sh", "-c", `mount -t tmpfs -o size=6m none "$1" && shift && cp "$1" "$2" && shift 2 && exec "$@"`, "mounter"}

func own() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
}

func mounts(t *testing.T, dir string) bool {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), mounter[0], append(mounter[1:], dir, "/dev/null", filepath.Join(dir, "x"), "true")...)
	cmd.SysProcAttr = own()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Logf("%v: %s", err, out)
	}
	return err == nil
}

// moveTo has the program run on a small disk that gets a copy of its database. At level
// DEBUG every request fills the log there.
func (s *victim) moveTo(t *testing.T, small string) {
	t.Helper()
	text, err := os.ReadFile(s.config)
	if err != nil {
		t.Fatal(err)
	}
	at := filepath.Join(small, "test.sqlite")
	config := strings.NewReplacer(s.src.Path, at, "log: "+filepath.Dir(s.config), "log: "+small, "WARNING", "DEBUG").Replace(string(text))
	if err := os.WriteFile(s.config, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	s.command = func(args ...string) *exec.Cmd {
		all := append(append([]string{}, mounter[1:]...), small, s.src.Path, at, s.bin)
		cmd := exec.Command(mounter[0], append(all, args...)...)
		cmd.SysProcAttr = own()
		return cmd
	}
}

// fill writes until there is no room.
func fill(t *testing.T, file string) {
	t.Helper()
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	for _, size := range []int{1 << 16, 512} {
		for err == nil {
			_, err = f.Write(make([]byte, size))
		}
		if !strings.Contains(err.Error(), "no space left") {
			t.Fatal(err)
		}
		err = nil
	}
}

func (s *victim) organization(t *testing.T, name string) int {
	t.Helper()
	status, err := s.call(t.Context(), "POST", "/organization", map[string]string{"name": name}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return status
}

// refuses wants 507 for writes until the room that the log of the database has is
// used, and answers to reads all the while.
func (s *victim) refuses(t *testing.T, round int) {
	t.Helper()
	refused := 0
	for k := 0; refused < 20 && k < 5000; k++ {
		switch status := s.organization(t, fmt.Sprintf("full %d %d", round, k)); status {
		case http.StatusCreated:
		case http.StatusInsufficientStorage:
			refused++
			s.must(t, "GET", "/organization/1", nil, nil)
			s.must(t, "GET", "/node", nil, nil)
		default:
			t.Fatalf("without room a write answers %d", status)
		}
	}
	if refused == 0 {
		t.Fatal("the disk was never full")
	}
	t.Logf("round %d: %d writes were refused", round, refused)
}

// soundLog wants the log to say that lines are missing, and to be written again.
func (s *victim) soundLog(t *testing.T, file string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), promise.Patience)
	defer cancel()
	for ctx.Err() == nil {
		s.must(t, "GET", "/organization/1", nil, nil)
		if text, err := os.ReadFile(file); err == nil && strings.Contains(string(text), "the log could not be written for a while") {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	text, _ := os.ReadFile(file)
	t.Errorf("the log does not say that lines are missing: %.2000s", text)
}
