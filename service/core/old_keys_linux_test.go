package core

import (
	"os/exec"
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// TestSearchGivesWay: the process that compares keys is idle for the system as soon as it was started, and whoever starts
// it is not: a thread that waited for an idle one would hold up everybody.
func TestSearchGivesWay(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	before := policyOf(t, 0)
	cmd := exec.CommandContext(t.Context(), "sleep", "1000")
	if err := startInBackground(cmd); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
	if is := policyOf(t, cmd.Process.Pid); is.Policy != unix.SCHED_IDLE && is.Nice != 19 {
		t.Errorf("the process has %+v", is)
	}
	if now := policyOf(t, 0); now.Policy != before.Policy || now.Nice != before.Nice {
		t.Errorf("the thread that started it had %+v and has %+v", before, now)
	}
}

func policyOf(t *testing.T, thread int) *unix.SchedAttr {
	t.Helper()
	policy, err := unix.SchedGetAttr(thread, 0)
	if err != nil {
		t.Fatal(err)
	}
	return policy
}
