//go:build unix

package private

import (
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// Shared reports whether others than its account may do anything with a file.
func Shared(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode().Perm()&others != 0
}

// Lists reports whether the rights of files are lists and no modes.
const Lists = false

// Open opens a file as os.OpenFile does. One that it makes is private from its first moment.
func Open(path string, flag int) (*os.File, error) {
	return os.OpenFile(path, flag, Mode) //nolint:wrapcheck // as os.OpenFile does
}

// Successor makes a private file that is to take the place of one, and returns it open.
func Successor(path, pattern string) (*os.File, error) {
	return os.CreateTemp(filepath.Dir(path), pattern) //nolint:wrapcheck // it names the file
}

// CreateTemp is os.CreateTemp for a private file.
func CreateTemp(dir, pattern string) (*os.File, error) {
	return os.CreateTemp(dir, pattern) //nolint:wrapcheck // it names the file
}

func mkdir(dir string, mode fs.FileMode) error { return os.Mkdir(dir, mode) }

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

// Remedy is the command that makes a file private.
func Remedy(path string) string { return "chmod go= " + path }

// Exposed is for lists: a folder's mode belongs to its administrator.
func Exposed(string) bool { return false }

// Admit is for lists: here files are given to the account of a service.
func Admit(string, string, Right) error { return nil }

// accountOf returns the account of a folder, where root has to care for it.
func accountOf(dir string) (uid, gid int, ok bool) {
	uid, gid, ok = ownerOf(dir)
	return uid, gid, ok && os.Geteuid() == 0 && uid != 0
}

func ownerOf(path string) (uid, gid int, ok bool) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, 0, false
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0, 0, false
	}
	return int(stat.Uid), int(stat.Gid), true
}

// handOverFolder is HandOver for a folder. A link in its place is not followed.
func handOverFolder(dir string) error {
	uid, gid, ok := accountOf(filepath.Dir(dir))
	if !ok {
		return nil
	}
	f, err := os.OpenFile(dir, os.O_RDONLY|syscall.O_DIRECTORY|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return err //nolint:wrapcheck // it names the folder
	}
	defer func() { _ = f.Close() }()
	if err := f.Chown(uid, gid); err != nil {
		return fmt.Errorf("giving %s to the account of its folder: %w", dir, err)
	}
	return nil
}

const (
	enter = 1
	write = 2
	read  = 4
)

// Refusal explains why this account cannot use files that lie in one folder: it names
// the first that it may not write, whose that is, and the command that mends all of
// them. It is nil when the rights are no obstacle.
func Refusal(files ...string) error {
	dir := filepath.Dir(files[0])
	if closed := firstClosed(dir); closed != "" {
		return refused("enter", []string{closed})
	}
	var list []string
	if denied(dir, write|enter) {
		list = append(list, dir)
	}
	for _, file := range files {
		if denied(file, read|write) {
			list = append(list, file)
		}
	}
	if list == nil {
		return nil
	}
	return refused("write", list)
}

// Unreadable explains why this account cannot read a file: whose it is, or the folder on the
// way that is closed, and what mends it. It is nil when the rights are no obstacle.
func Unreadable(file string) error {
	if closed := firstClosed(filepath.Dir(file)); closed != "" {
		return refused("enter", []string{closed})
	}
	if denied(file, read) {
		return refused("read", []string{file})
	}
	return nil
}

// Hidden explains why this account cannot see what is in a folder. It is nil when it can,
// or when the folder is not there.
func Hidden(dir string) error {
	closed := firstClosed(dir)
	if closed == "" && denied(dir, read) {
		closed = dir
	}
	if closed == "" {
		return nil
	}
	me, owner, mode := parties(closed)
	return fmt.Errorf("this program runs as %s and may not look into %s, which belongs to %s (mode %s): use sudo, or the account %s",
		me, closed, owner, mode, owner)
}

// denied reports whether the system refuses a file for want of rights.
func denied(path string, how uint32) bool {
	err := syscall.Access(path, how)
	return err == syscall.EACCES || err == syscall.EPERM
}

// firstClosed is the first folder on the way to a folder that may not be entered.
func firstClosed(dir string) string {
	if above := filepath.Dir(dir); above != dir {
		if closed := firstClosed(above); closed != "" {
			return closed
		}
	}
	if denied(dir, enter) {
		return dir
	}
	return ""
}

func refused(what string, files []string) error {
	me, owner, mode := parties(files[0])
	quoted := make([]string, len(files))
	for i, file := range files {
		quoted[i] = quote(file)
	}
	return fmt.Errorf("this program runs as %s and may not %s %s, which belongs to %s (mode %s): use the account %s, or sudo chown %s %s",
		me, what, files[0], owner, mode, owner, me, strings.Join(quoted, " "))
}

// parties returns who asks for a file, whose it is, and its mode, for messages.
func parties(file string) (me, owner, mode string) {
	me, owner, mode = accountName(os.Geteuid()), "an unknown account", "?"
	if uid, _, ok := ownerOf(file); ok {
		owner = accountName(uid)
	}
	if info, err := os.Stat(file); err == nil {
		mode = fmt.Sprintf("%#o", info.Mode().Perm())
	}
	return me, owner, mode
}

func accountName(uid int) string {
	number := strconv.Itoa(uid)
	if u, err := user.LookupId(number); err == nil {
		return u.Username
	}
	return number
}

// quote writes a name as shells read it.
func quote(name string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-+:@%,"
	if strings.Trim(name, plain) == "" {
		return name
	}
	return "'" + strings.ReplaceAll(name, "'", `'\''`) + "'"
}
