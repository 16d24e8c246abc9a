//go:build unix

package upkeep

import (
	"fmt"
	"syscall"
)

// writable reports whether this account may make files in a folder, without making one.
func writable(dir string) error {
	const write, enter = 2, 1
	if err := syscall.Access(dir, write|enter); err != nil {
		return fmt.Errorf("asking for the rights of %s: %w", dir, err)
	}
	return nil
}
