//go:build unix

package queries

import (
	"errors"
	"os"
	"syscall"
)

// lockFile locks a file as long as it is open. File systems of some networks cannot: there
// a second server is not noticed.
func lockFile(f *os.File) error {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return errHeld
	}
	return nil
}

// leave removes the file before anybody else can lock it.
func leave(f *os.File, path string) {
	_ = os.Remove(path)
	_ = f.Close()
}
