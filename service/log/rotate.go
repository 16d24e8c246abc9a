package log

import (
	"bytes"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"sync"
	"time"
	"unicode/utf8"

	"gopkg.in/natefinch/lumberjack.v2"

	"vserver/service/private"
)

// File is a log file of bounded size that several goroutines may write: before a record
// would make it reach the limit, it is moved away and an empty one takes its place. A
// record is never split over two files.
//
// lumberjack writes, and removes old files. It counts megabytes, so its rotation is not
// used. Several processes may write one log, and a tool may move it away or empty it: each
// write looks first whether the path still leads to the open file.
type File struct {
	path  string
	limit int64 // bytes the file must not reach; 0 when it is not rotated

	mu   sync.Mutex
	out  lumberjack.Logger
	info fs.FileInfo // identity of the file that out writes; nil when it has to be opened
	kept error       // why the last rotation left the file where it is
}

// logDirMode is that of the log's directory. The log itself is private: records can hold names
// of people.
const logDirMode = 0o750

// OpenFile opens or creates the file at path, and its folder. The file stays below limit
// bytes, and so many older ones are kept as backups says; 0 of either turns rotation off.
func OpenFile(path string, limit int64, backups int) (*File, error) {
	if limit <= 0 || backups <= 0 {
		limit, backups = 0, 0
	}
	if err := private.MakeFolder(filepath.Dir(path), logDirMode); err != nil {
		return nil, err
	}
	f := &File{path: path, limit: limit, out: lumberjack.Logger{
		Filename: path, MaxSize: math.MaxInt32, MaxBackups: backups, // MaxSize as if there were none
	}}
	if _, err := f.current(); err != nil {
		return nil, err
	}
	return f, nil
}

// Write appends one record. A record that could never fit is cut, see clip.
func (f *File) Write(record []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	size, err := f.current()
	if err != nil {
		return 0, err
	}
	fitting := record
	if f.limit > 0 {
		fitting = clip(record, f.limit-1)
		if size > 0 && size+int64(len(fitting)) >= f.limit {
			if err := f.rotate(); err != nil {
				return 0, err
			}
		}
	}
	if _, err := f.out.Write(fitting); err != nil {
		return 0, err
	}
	return len(record), nil
}

// fits reports whether a record of that length can be written whole.
func (f *File) fits(length int) bool { return f.limit == 0 || int64(length) < f.limit }

// current makes sure that lumberjack writes the file at the path and returns its size.
// A missing file is created here: lumberjack would not append to one of its own making,
// and what another writer adds to it would be overwritten.
func (f *File) current() (int64, error) {
	info, absent := os.Stat(f.path)
	if absent == nil && f.info != nil && os.SameFile(info, f.info) {
		return info.Size(), nil
	}
	_ = f.close()
	file, err := private.Open(f.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY)
	if err != nil {
		return 0, err
	}
	defer func() { _ = file.Close() }() // nothing was written
	if errors.Is(absent, fs.ErrNotExist) {
		if err := private.HandOver(file); err != nil {
			return 0, err
		}
	}
	if f.info, err = file.Stat(); err != nil {
		return 0, err
	}
	return f.info.Size(), nil
}

// rotate moves the file away. Where that fails, as on Windows while another program has
// it open, writing goes on in it and the next record tries again. The file that takes its place
// is made here: lumberjack would make it with the rights of the old one, or of the folder.
func (f *File) rotate() error {
	f.freeName()
	_ = f.close() // opened again for appending
	f.kept = os.Rename(f.path, rotatedName(f.path, time.Now()))
	if errors.Is(f.kept, fs.ErrNotExist) {
		f.kept = nil // another tool has moved it away
	}
	_, err := f.current()
	return err
}

// Kept returns why the file could not be moved away when it had to be; nil when it was.
func (f *File) Kept() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.kept
}

// freeName waits until the name that the file is going to get sorts behind those of
// all old files: a second rotation within one millisecond would overwrite the file of the
// first. Files with later names, from before the clock was set back, would outlive newer
// ones, so they are named anew in their order, a millisecond each.
func (f *File) freeName() {
	now := time.Now().Truncate(time.Millisecond)
	free := now
	for _, name := range rotated(f.path) {
		if at, _ := rotationTime(f.path, filepath.Base(name)); !at.Before(now) {
			_ = os.Rename(name, rotatedName(f.path, free))
			free = free.Add(time.Millisecond)
		}
	}
	<-time.After(time.Until(free))
}

// Close closes the file; a later Write opens it again.
func (f *File) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.close()
}

func (f *File) close() error {
	f.info = nil
	return f.out.Close()
}

// cutMark ends a record that was too long for a whole file.
const cutMark = " [cut]\n"

// clip shortens a record to at most room bytes, at the border of a character.
func clip(record []byte, room int64) []byte {
	if int64(len(record)) <= room {
		return record
	}
	end := int(room) - len(cutMark)
	for end > 0 && !utf8.RuneStart(record[end]) {
		end--
	}
	return append(bytes.Clone(record[:end]), cutMark...)
}
