package private

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Mode is the mode of a private file.
const Mode fs.FileMode = 0o600

// others are the rights that a private file gives to nobody.
const others fs.FileMode = 0o077

// Create makes an empty private file, unless there is one of that name.
func Create(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, Mode)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err //nolint:wrapcheck // it names the file
	}
	return errors.Join(HandOver(f), f.Close())
}

// MakeFolder makes a folder with those above it that are missing.
func MakeFolder(dir string, mode fs.FileMode) error {
	if info, err := os.Stat(dir); err == nil {
		if info.IsDir() {
			return nil
		}
		return &fs.PathError{Op: "mkdir", Path: dir, Err: syscall.ENOTDIR}
	}
	if above := filepath.Dir(dir); above != dir {
		if err := MakeFolder(above, mode); err != nil {
			return err
		}
	}
	if err := os.Mkdir(dir, mode); err != nil {
		if info, again := os.Stat(dir); again == nil && info.IsDir() {
			return nil // somebody else has made it meanwhile
		}
		return err //nolint:wrapcheck // it names the folder
	}
	return handOverFolder(dir)
}

// HandOver changes the owner of a file that root has just made to the owner of its folder, so
// that the account's server can use it. For anybody else it does nothing.
func HandOver(f *os.File) error {
	uid, gid, ok := accountOf(filepath.Dir(f.Name()))
	if !ok {
		return nil
	}
	if err := f.Chown(uid, gid); err != nil {
		return fmt.Errorf("giving %s to the account of its folder: %w", f.Name(), err)
	}
	return nil
}

// Restrict takes the rights to a file from everybody but its account, and reports whether
// there was anything to take. A file that is not there needs nothing.
func Restrict(path string) (changed bool, err error) {
	if !Shared(path) {
		return false, nil
	}
	if err := os.Chmod(path, Mode); err != nil {
		return false, fmt.Errorf("making %s private: %w", path, err)
	}
	return true, nil
}
