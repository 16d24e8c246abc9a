//go:build unix

package daemon

import (
	"io/fs"
	"syscall"
)

// linkCount counts the names of a file.
func linkCount(info fs.FileInfo) uint64 {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(stat.Nlink) //nolint:unconvert // 16 bits on macOS
	}
	return 1
}
