package core

import (
	"os/exec"
	"runtime"

	"golang.org/x/sys/unix"
)

// inBackground has the calling goroutine compute with what others leave of the processors, for good.
func inBackground() {
	const lowest = 19
	runtime.LockOSThread() // which the priority is of; it ends with the goroutine
	// An idle thread makes way at once for one that wakes up. Some containers refuse the one, and allow the other.
	if unix.SchedSetAttr(0, &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_IDLE}, 0) != nil {
		_ = unix.Setpriority(unix.PRIO_PROCESS, unix.Gettid(), lowest)
	}
}

// startInBackground starts a process that takes no time from others even while it gets ready: it has
// the priority of the thread that starts it.
func startInBackground(cmd *exec.Cmd) error {
	started := make(chan error)
	go func() {
		inBackground()
		started <- cmd.Start()
	}()
	return <-started
}
