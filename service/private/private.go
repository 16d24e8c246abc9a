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
	f, err := Open(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY)
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
	if err := mkdir(dir, mode); err != nil {
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

// WriteFile writes a private file, over one that is there.
func WriteFile(path string, text []byte) error {
	f, err := Open(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY)
	if err != nil {
		return err //nolint:wrapcheck // it names the file
	}
	_, err = f.Write(text)
	return errors.Join(err, f.Close())
}

// Right is what the account of a service gets (Windows).
type Right struct {
	mask  uint32
	flags uint8
	text  string
}

// The rights. Of a folder of several instances an account gets the right to make and keep
// files; its own folder is its own with all that is in it.
func Reads() Right  { return Right{readRights, 0, "R"} }
func Writes() Right { return Right{changeRights, 0, "M"} }
func Fills() Right  { return Right{changeRights, toFiles | oneLevel, "(OI)(NP)M"} }
func Keeps() Right  { return Right{changeRights, inheritance, "(OI)(CI)M"} }

// String is the right as icacls writes it.
func (r Right) String() string { return r.text }

func (r Right) of(sid string) entry { return entry{sid, r.mask, r.flags} }

// Explain adds to the error of files in one folder that this account may not use whose
// they are, and the command that mends it. Any other error stays as it is.
func Explain(err error, files ...string) error {
	if errors.Is(err, fs.ErrPermission) {
		if why := Refusal(files...); why != nil {
			return fmt.Errorf("%w: %w", err, why)
		}
	}
	return err
}
