package core

import (
	"os"
	"runtime"
	"syscall"
)

// inBackground has the goroutine compute with what others leave of the processors, until it ends: it
// has a thread of its own, of low priority, and takes no place from the others.
func inBackground() (end func()) {
	const low = 10
	runtime.LockOSThread() // the thread ends with the goroutine
	_ = syscall.Setpriority(syscall.PRIO_PROCESS, syscall.Gettid(), low)
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
