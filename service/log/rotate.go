package log

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

// rotatingFile is a log file of bounded size with numbered predecessors: before a
// record would make the file reach the limit, x.log.1 becomes x.log.2 and so on,
// and x.log becomes x.log.1 (contract 40 §8). A record is never split over two files.
//
// The rotation of well-known packages names old files by the time of their end and
// counts megabytes, so neither the names x.log.1 … x.log.n nor a limit exact to the
// byte could come from there.
//
// Several processes may write one log (the server and an import, say), and a tool
// may move it away: each write looks first whether the path still leads to the open
// file. It is not safe for concurrent use; the Log serializes.
type rotatingFile struct {
	path    string
	limit   int64 // bytes the file must not reach
	backups int   // old files kept, at least 1
	file    *os.File
	info    fs.FileInfo // identity of the open file
}

// Modes of the log and its directory: records can hold names of people.
const (
	logFileMode = 0o600
	logDirMode  = 0o750
)

// File is a rotating file that several goroutines may write.
type File struct {
	mu   sync.Mutex
	file *rotatingFile
}

// OpenFile opens or creates the file at path; it stays below limit bytes, and at most
// so many older ones are kept as backups says.
func OpenFile(path string, limit int64, backups int) (*File, error) {
	file, err := openRotating(path, limit, backups)
	if err != nil {
		return nil, err
	}
	return &File{file: file}, nil
}

// Write appends a record.
func (f *File) Write(record []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.file.Write(record)
}

// Close closes the file.
func (f *File) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.file.Close()
}

func openRotating(path string, limit int64, backups int) (*rotatingFile, error) {
	if err := os.MkdirAll(filepath.Dir(path), logDirMode); err != nil {
		return nil, err
	}
	r := &rotatingFile{path: path, limit: limit, backups: backups}
	if err := r.open(); err != nil {
		return nil, err
	}
	r.removeSurplus()
	return r, nil
}

func (r *rotatingFile) open() error {
	file, err := os.OpenFile(r.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, logFileMode)
	if err != nil {
		return err
	}
	if r.info, err = file.Stat(); err != nil {
		_ = file.Close() // the first error is the one to tell
		return err
	}
	r.file = file
	return nil
}

// Write appends one record. A record that could never fit is cut, see clip.
func (r *rotatingFile) Write(record []byte) (int, error) {
	size, err := r.current()
	if err != nil {
		return 0, err
	}
	fitting := clip(record, r.limit-1)
	if size > 0 && size+int64(len(fitting)) >= r.limit {
		if err := r.rotate(); err != nil {
			return 0, err
		}
	}
	if _, err := r.file.Write(fitting); err != nil {
		return 0, err
	}
	return len(record), nil
}

// current makes sure that the open file is the one at the path and returns its size.
func (r *rotatingFile) current() (int64, error) {
	info, err := os.Stat(r.path)
	if err == nil && r.file != nil && os.SameFile(info, r.info) {
		return info.Size(), nil
	}
	r.Close()
	if err := r.open(); err != nil {
		return 0, err
	}
	return r.info.Size(), nil
}

// rotate moves every file one number up and opens an empty one. The file is closed
// first, since some systems do not rename open files.
func (r *rotatingFile) rotate() error {
	r.Close()
	for n := r.backups - 1; n >= 1; n-- {
		if err := moveOver(r.numbered(n), r.numbered(n+1)); err != nil {
			return err
		}
	}
	if err := moveOver(r.path, r.numbered(1)); err != nil {
		return err
	}
	return r.open()
}

func (r *rotatingFile) numbered(n int) string { return fmt.Sprintf("%s.%d", r.path, n) }

// moveOver renames a file that may be missing.
func moveOver(from, to string) error {
	if err := os.Rename(from, to); err != nil && !os.IsNotExist(err) {
		return err
	}
	return nil
}

// removeSurplus deletes old files beyond the number to keep, which a lowered
// backup_count leaves behind. What cannot be deleted does no harm.
func (r *rotatingFile) removeSurplus() {
	entries, err := os.ReadDir(filepath.Dir(r.path))
	if err != nil {
		return
	}
	for _, e := range entries {
		number, ok := strings.CutPrefix(e.Name(), filepath.Base(r.path)+".")
		if n, err := strconv.Atoi(number); ok && err == nil && n > r.backups && strconv.Itoa(n) == number {
			_ = os.Remove(r.numbered(n))
		}
	}
}

// Close closes the file; a later Write opens it again.
func (r *rotatingFile) Close() error {
	if r.file == nil {
		return nil
	}
	file := r.file
	r.file = nil
	return file.Close()
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
