package core

import (
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// inBackground has the goroutine compute with what others leave of the processors, until it ends: it
// has a thread of its own, of lowest priority, and takes no place from the others.
func inBackground() (end func()) {
	const lowest = 19
	runtime.LockOSThread() // the thread ends with the goroutine
	// An idle thread makes way at once for one that wakes up. Some containers refuse the one, and allow the other.
	if unix.SchedSetAttr(0, &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_IDLE}, 0) != nil {
		_ = unix.Setpriority(unix.PRIO_PROCESS, unix.Gettid(), lowest)
	}
	places := runtime.GOMAXPROCS(0)
	runtime.GOMAXPROCS(places + 1)
	return func() {
		if os.Getenv("GOMAXPROCS") != "" {
			runtime.GOMAXPROCS(places)
			return
		}
		runtime.SetDefaultGOMAXPROCS() // which goes on following what the system allows
	}
}
