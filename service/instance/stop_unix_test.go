//go:build unix

package instance

import (
	"os/exec"
	"testing"
	"time"

	"vserver/service/config"
	"vserver/service/promise"
)

// other starts a process that stands for a server, and collects it when it ends.
func other(t *testing.T, script string) int {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "/bin/sh", "-c", script)
	ready, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := ready.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Wait() })
	return cmd.Process.Pid
}

func TestStop(t *testing.T) {
	for name, c := range map[string]struct {
		script string
		within time.Duration // until it is forced
		forced bool
	}{
		"asked":  {"echo ready; exec sleep 1000", promise.Patience, false},
		"forced": {"trap '' TERM; echo ready; while :; do sleep 0.1; done", 300 * time.Millisecond, true},
	} {
		locations := somewhere(t)
		pid := other(t, c.script)
		r := leave(t, locations, name, pid, birth(pid))
		if !r.Alive() {
			t.Errorf("%s: not alive", name)
		}
		forced, err := Stop(t.Context(), locations, r, c.within)
		if err != nil || forced != c.forced {
			t.Errorf("%s: forced %v, %v", name, forced, err)
		}
		// The process is a child of this one, not collected yet: gone all the same.
		if r.Alive() {
			t.Errorf("%s: still alive", name)
		}
		leavesNothing(t, stateDir(locations, config.User, name))
		if forced, err := Stop(t.Context(), locations, r, time.Second); err != nil || forced {
			t.Errorf("%s: stopped again: forced %v, %v", name, forced, err)
		}
	}
}
