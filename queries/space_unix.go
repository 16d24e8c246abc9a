//go:build unix

package queries

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// fullErrors are what the system says when there is no room.
var fullErrors = []error{unix.ENOSPC, unix.EDQUOT}

// FreeSpace is the number of bytes that this user may still write below a folder.
func FreeSpace(dir string) (uint64, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return 0, fmt.Errorf("asking for the free space of %s: %w", dir, err)
	}
	return uint64(st.Bavail) * uint64(st.Bsize), nil //nolint:gosec,unconvert // the types differ by system
}
