package queries

import (
	"errors"
	"slices"
	"strings"

	"github.com/ncruces/go-sqlite3"
	"github.com/ncruces/go-sqlite3/vfs"

	"vserver/service/private"
)

// files is a file system for SQLite that tells a full disk from a broken one. The
// driver's own says of both that writing failed.
type files struct{ vfs.VFSFilename }

// registered makes the files of a file system known to SQLite and gives their name; ""
// is the machine's. Of a file system that there is not, SQLite says so.
func registered(under string) string {
	name := "vserver-" + under
	if vfs.Find(name) == nil {
		if system, ok := vfs.Find(under).(vfs.VFSFilename); ok {
			vfs.Register(name, files{system})
		}
	}
	return name
}

// OpenFilename opens a file below, which may need room for its name.
func (s files) OpenFilename(name *vfs.Filename, flags vfs.OpenFlag) (vfs.File, vfs.OpenFlag, error) {
	if flags&vfs.OPEN_CREATE != 0 && name != nil {
		if err := createPrivate(name.String(), flags); err != nil {
			return nil, flags, room(err)
		}
	}
	f, flags, err := s.VFSFilename.OpenFilename(name, flags)
	if err != nil {
		return nil, flags, room(err)
	}
	if whole, ok := f.(wholeFile); ok {
		return file{whole}, flags, nil
	}
	return f, flags, nil
}

// createPrivate makes a file, where it is missing, so that nobody else may read it at any
// moment. SQLite opens the write-ahead log before it makes the index beside that.
func createPrivate(name string, flags vfs.OpenFlag) error {
	err := private.Create(name)
	if database, ok := strings.CutSuffix(name, walSuffix); ok && err == nil && flags&vfs.OPEN_WAL != 0 {
		err = private.Create(database + shmSuffix)
	}
	return err //nolint:wrapcheck // it names the file
}

// The files beside a database that is in use.
const (
	walSuffix     = "-wal"
	shmSuffix     = "-shm"
	journalSuffix = "-journal" // while it is copied into
)

// wholeFile is all that a file of the driver can do on every system.
type wholeFile interface {
	vfs.FileHasMoved
	vfs.FileLockState
	vfs.FilePersistWAL
	vfs.FilePowersafeOverwrite
	vfs.FileSharedMemory
	vfs.FileSizeHint
}

// file is an open file of files.
type file struct{ wholeFile }

// WriteAt writes a page, or part of a log.
func (f file) WriteAt(p []byte, off int64) (int, error) {
	n, err := f.wholeFile.WriteAt(p, off)
	return n, room(err)
}

// Sync may be what finds the disk full, where it gives room late.
func (f file) Sync(flags vfs.SyncFlag) error { return room(f.wholeFile.Sync(flags)) }

// SizeHint takes the room that SQLite is about to need.
func (f file) SizeHint(size int64) error { return room(f.wholeFile.SizeHint(size)) }

// room marks the errors of a disk, or of a user's share of it, that is full.
func room(err error) error {
	if lacksRoom(err) {
		return vfs.SystemError(err, sqlite3.FULL)
	}
	return err
}

// lacksRoom reports whether the system refuses a write because the disk is full.
func lacksRoom(err error) bool {
	return slices.ContainsFunc(fullErrors, func(full error) bool { return errors.Is(err, full) })
}
