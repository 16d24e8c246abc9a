//go:build unix

package limits

import (
	"math"
	"syscall"
)

// openable returns how many files the process may have open; 0: nobody knows. Go has raised the soft limit to the hard
// one by now.
func openable() int {
	var l syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l) != nil || uint64(l.Cur) > math.MaxInt32 { //nolint:unconvert // signed on some systems
		return 0
	}
	return int(l.Cur)
}
