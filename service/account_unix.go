//go:build unix

package service

import (
	"fmt"
	"io/fs"
	"syscall"
)

// names counts the names of a file.
func names(info fs.FileInfo) uint64 {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(stat.Nlink) //nolint:unconvert // 16 bits on macOS
	}
	return 1
}

// writable tells whether this account may make files in a folder, without making one.
func writable(dir string) error {
	const write, enter = 2, 1
	if err := syscall.Access(dir, write|enter); err != nil {
		return fmt.Errorf("asking for the rights of %s: %w", dir, err)
	}
	return nil
}
