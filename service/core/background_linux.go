package core

import (
	"os/exec"
	"runtime"

	"golang.org/x/sys/unix"
)

// inBackground has the calling goroutine compute with what others leave of the processors, for good.
func inBackground() {
	runtime.LockOSThread() // which the priority is of; it ends with the goroutine
	giveWay(0)
}

// giveWay has a thread, 0 for the calling one, compute with what others leave of the processors.
func giveWay(thread int) {
	const lowest = 19
	// An idle thread makes way at once for one that wakes up. Some containers refuse the one, and allow the other.
	if unix.SchedSetAttr(thread, &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_IDLE}, 0) != nil {
		_ = unix.Setpriority(unix.PRIO_PROCESS, thread, lowest)
	}
}

// startInBackground starts a process that takes next to no time from others even while it gets ready. Only when it runs
// does it give way: a thread that starts one waits until then, and who collects garbage waits for that thread.
func startInBackground(cmd *exec.Cmd) error {
	err := cmd.Start()
	if err == nil {
		giveWay(cmd.Process.Pid)
	}
	return err
}
