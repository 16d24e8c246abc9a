//go:build unix

package instance

import (
	"os"
	"os/exec"
	"strconv"
	"syscall"
)

// account is the number of the account that this process runs as.
func account() string { return strconv.Itoa(os.Geteuid()) }

// endsAny reports whether this process may end those of all accounts.
func endsAny() bool { return os.Geteuid() == 0 }

// detach has a process start its own session, so that it outlives the terminal.
func detach(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }

// askToEnd lets a server finish what is under way. The file is not needed here.
func askToEnd(pid int, _ string) error { return syscall.Kill(pid, syscall.SIGTERM) }

// kill ends a process at once.
func kill(pid int) error { return syscall.Kill(pid, syscall.SIGKILL) }

// askedByFile reports whether askToEnd leaves a file that the server has to look for.
const askedByFile = false

// guard keeps other processes from changing the records of a folder until the
// returned function is called. A folder that cannot be locked, on some network file
// systems, is used without.
func guard(dir string) (release func()) {
	f, err := os.Open(dir)
	if err != nil {
		return func() {}
	}
	_ = syscall.Flock(int(f.Fd()), syscall.LOCK_EX)
	return func() { _ = f.Close() }
}
