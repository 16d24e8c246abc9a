package instance

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/windows"

	"vserver/service/private"
)

// account is the identifier of the account that this process runs as; empty when the
// system does not tell.
func account() string {
	u, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		return ""
	}
	return u.User.Sid.String()
}

// endsAny reports whether this process may end those of all accounts: administrators.
func endsAny() bool { return windows.GetCurrentProcessToken().IsElevated() }

// stillActive is the exit code of a process that has not ended.
const stillActive = 259

// birth identifies the start of a process; it is empty when there is no such process.
func birth(pid int) string {
	h, err := windows.OpenProcess(windows.PROCESS_QUERY_LIMITED_INFORMATION, false, uint32(pid)) //nolint:gosec // process numbers have 32 bits
	if err != nil {
		return ""
	}
	defer func() { _ = windows.CloseHandle(h) }()
	var code uint32
	var began, ended, kernel, user windows.Filetime
	if windows.GetExitCodeProcess(h, &code) != nil || code != stillActive ||
		windows.GetProcessTimes(h, &began, &ended, &kernel, &user) != nil {
		return ""
	}
	return strconv.FormatInt(began.Nanoseconds(), 10)
}

// detach has a process start without a console, so that it outlives the one it is started from.
func detach(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{
		CreationFlags: windows.DETACHED_PROCESS | windows.CREATE_NEW_PROCESS_GROUP, HideWindow: true,
	}
}

// askToEnd leaves a file that the server looks for: a process without console gets
// no signals here.
func askToEnd(_ int, file string) error { return private.WriteFile(file, nil) }

// kill ends a process at once.
func kill(pid int) error {
	p, err := os.FindProcess(pid)
	if err != nil {
		return err
	}
	return p.Kill()
}

// askedByFile reports whether askToEnd leaves a file that the server has to look for.
const askedByFile = true

const (
	guardTries = 200
	guardPause = 10 * time.Millisecond
)

// guard keeps other processes from changing the records of a folder until the
// returned function is called. It holds a file that only one process can open and
// that goes with its last handle, also when the process is killed.
func guard(dir string) (release func()) {
	path, err := windows.UTF16PtrFromString(filepath.Join(dir, ".guard"))
	if err != nil {
		return func() {}
	}
	for range guardTries {
		h, err := windows.CreateFile(path, windows.GENERIC_WRITE, 0, nil, windows.OPEN_ALWAYS, windows.FILE_FLAG_DELETE_ON_CLOSE, 0)
		if err == nil {
			return func() { _ = windows.CloseHandle(h) }
		}
		if !errors.Is(err, windows.ERROR_SHARING_VIOLATION) && !errors.Is(err, windows.ERROR_ACCESS_DENIED) {
			break
		}
		<-time.After(guardPause)
	}
	return func() {}
}
