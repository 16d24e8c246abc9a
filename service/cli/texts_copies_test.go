//go:build unix

package cli_test

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"vserver/queries"
	"vserver/service/promise"
)

// TestCommandsTakeTextsOfEverySize backs up and restores a database with a long input, result and
// log, and reads them from the copy; the shell shows one of them and writes another. But for
// the text that a statement asks for, no command has them in memory.
func TestCommandsTakeTextsOfEverySize(t *testing.T) {
	size, memory := int64(3*mebi), int64(200*mebi)
	if promise.Long() {
		size = 1024 * mebi
	}
	s := newVictim(t)
	if s.src.Engine == queries.Postgres {
		if _, err := exec.LookPath("pg_dump"); err != nil {
			t.Skip("skipped: pg_dump is not installed")
		}
	}
	s.start(t)
	s.setStage(t)
	node := s.logInNode(t)
	_, input, status := s.sendText(t, node, "input", newLetters(size))
	if status != http.StatusCreated {
		t.Fatalf("an input is answered %d", status)
	}
	_, result, status := s.sendText(t, node, "result", newLetters(size-1))
	if status != http.StatusOK {
		t.Fatalf("a result is answered %d", status)
	}
	s.endsInTime(t)
	copied := filepath.Join(filepath.Dir(s.config), "copy")
	s.within(t, memory, "backup", copied)
	elsewhere := newVictim(t)
	elsewhere.within(t, memory, "restore", copied)
	elsewhere.within(t, memory, "migrate", "status")
	elsewhere.within(t, memory+2*size, "shell", "--command", fmt.Sprintf(
		"r = db.Result.get(%d)\nif len(r.result) != %d: print('short')\nr.log = 'l' * 300000\nr.save()", result, size-1))
	elsewhere.start(t)
	elsewhere.token = s.token
	for id, want := range map[int64]letters{input: newLetters(size), result: newLetters(size - 1)} {
		field := map[int64]string{input: "input", result: "result"}[id]
		if got, err := elsewhere.readText(t.Context(), id, field); err != nil || got != want.sum("", "") {
			t.Errorf("the copy has another %s: %v", field, err)
		}
	}
	if got, err := elsewhere.readText(t.Context(), result, "log"); err != nil || got == "" {
		t.Errorf("the shell wrote no log: %v", err)
	}
}

// within runs a command that takes no more memory than that.
func (s *victim) within(t *testing.T, memory int64, command ...string) {
	t.Helper()
	cmd := s.command(append(command, "--config", s.config, "--environment", "test")...)
	cmd.Env = append(os.Environ(), "XDG_DATA_DIRS="+filepath.Dir(s.config))
	out, err := cmd.CombinedOutput()
	if err != nil || strings.Contains(string(out), "short") {
		t.Fatalf("%s: %v: %s", command[0], err, out)
	}
	took := cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss << 10
	var own syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &own); err != nil {
		t.Fatal(err)
	}
	t.Logf("%s took %d MiB of memory", command[0], took/mebi)
	// Linux counts the memory of who starts a program as that program's, until it runs.
	if took > max(memory, own.Maxrss<<10) {
		t.Errorf("%s took %d MiB of memory, at most %d are promised", command[0], took/mebi, memory/mebi)
	}
}
