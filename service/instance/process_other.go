//go:build unix && !linux && !darwin

package instance

import (
	"errors"
	"syscall"
)

// birth reports whether there is a process; when it began is not known here.
func birth(pid int) string {
	if err := syscall.Kill(pid, 0); err != nil && !errors.Is(err, syscall.EPERM) {
		return ""
	}
	return "unknown"
}
