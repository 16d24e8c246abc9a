//go:build unix

package cli_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestDemoShowsItsProgressOnOneLine reads what the demo writes to a terminal of 80
// columns: the line stays within them, and its bar grows in small steps to the end.
func TestDemoShowsItsProgressOnOneLine(t *testing.T) {
	s := newScreen(t)
	s.tmux("resize-window", "-x", "80", "-y", "45")
	raw := filepath.Join(s.dir, "raw")
	s.tmux("pipe-pane", "cat >"+raw)
	s.command("vserver demo --nodes 5 --tasks 4; echo code $?")
	s.await("code 0")
	s.await("PASSED")
	s.tmux("pipe-pane")
	written, err := os.ReadFile(raw)
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(string(written), "\r\x1b[K")
	percent, last := regexp.MustCompile(`^\[#*\.*\] +(\d+)% `), 0
	for _, part := range parts[1:] {
		if !strings.HasPrefix(part, "[") {
			continue // the shell draws its prompt anew
		}
		line, _, _ := strings.Cut(part, "\r\n")
		m := percent.FindStringSubmatch(line)
		if m == nil || len(line) > 79 {
			t.Fatalf("%d columns: %q", len(line), line)
		}
		now, _ := strconv.Atoi(m[1])
		if now < last || now > last+13 { // all five nodes may come online at the same time: 5 parts of 40
			t.Errorf("the bar goes from %d to %d %%", last, now)
		}
		last = now
	}
	if last != 100 || len(parts) < 20 {
		t.Errorf("the bar ends at %d %%, after %d changes", last, len(parts))
	}
}
