package queries

import (
	"errors"
	"math"
	"os"

	"golang.org/x/sys/windows"
)

// lockFile locks a file as long as it is open. The byte that is locked lies beyond the
// text, which others may read.
func lockFile(f *os.File) error {
	const how = windows.LOCKFILE_EXCLUSIVE_LOCK | windows.LOCKFILE_FAIL_IMMEDIATELY
	err := windows.LockFileEx(windows.Handle(f.Fd()), how, 0, 1, 0, &windows.Overlapped{OffsetHigh: math.MaxInt32})
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
		return errHeld
	}
	return nil
}

// leave removes the file unless another process has it open, which will find it free.
func leave(f *os.File, path string) {
	_ = f.Close()
	_ = os.Remove(path)
}
