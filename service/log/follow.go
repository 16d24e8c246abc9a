package log

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"time"
)

// followLook is the time between two looks for new lines.
const followLook = 50 * time.Millisecond

// Follow copies a log from its oldest file that is left, then what is added to it,
// also when the file is rotated meanwhile: nothing is left out or told twice unless
// more files pass than are kept. It ends with ctx, or once alive says that nobody
// writes any more; neither is an error.
func Follow(ctx context.Context, path string, out io.Writer, alive func() bool) error {
	f := follower{path: path, out: out}
	defer f.close()
	tick := time.NewTicker(followLook)
	defer tick.Stop()
	for {
		more := alive() // asked first, so that the last lines are not missed
		if err := f.advance(); err != nil || !more {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// follower reads the files of one log in the order in which they were written.
type follower struct {
	path   string
	out    io.Writer
	file   *os.File // being read; nil when there is none yet
	passed string   // the newest old file that is older than the one being read, or that one itself
}

func (f *follower) close() {
	if f.file != nil {
		_ = f.file.Close()
	}
}

// copy writes what the open file has beyond what was read of it.
func (f *follower) copy() error {
	if f.file == nil {
		return nil
	}
	if _, err := io.Copy(f.out, f.file); err != nil {
		return fmt.Errorf("copying the log: %w", err)
	}
	return nil
}

// advance writes what was added, over as many files as there are.
func (f *follower) advance() error {
	for {
		if err := f.copy(); err != nil {
			return err
		}
		next, err := f.next()
		if err != nil || next == nil {
			return err
		}
		if err := f.copy(); err != nil { // what was written before it was moved away
			_ = next.Close()
			return err
		}
		f.close()
		f.file = next
	}
}

// next opens the file after the one being read; nil when that is the current one.
func (f *follower) next() (*os.File, error) {
	old := rotated(f.path)
	if f.reads(f.path) {
		if len(old) > 0 {
			f.passed = old[len(old)-1]
		}
		return nil, f.rewind()
	}
	for _, name := range old {
		if name <= f.passed {
			continue
		}
		f.passed = name
		if f.reads(name) { // the current one until now
			continue
		}
		file, err := openShared(name)
		if !errors.Is(err, fs.ErrNotExist) { // else it was removed meanwhile
			return file, err
		}
	}
	file, err := openShared(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // in the middle of a rotation
	}
	if now := rotated(f.path); err == nil && len(now) > 0 && now[len(now)-1] > f.passed {
		_ = file.Close() // a rotation came between: its file is first
		return f.next()
	}
	return file, err
}

// reads reports whether a name leads to the file being read.
func (f *follower) reads(name string) bool {
	if f.file == nil {
		return false
	}
	reading, err := f.file.Stat()
	if err != nil {
		return false
	}
	info, err := os.Stat(name)
	return err == nil && os.SameFile(info, reading)
}

// rewind begins again when the file was emptied in its place.
func (f *follower) rewind() error {
	info, err := f.file.Stat()
	if err != nil {
		return fmt.Errorf("reading the log: %w", err)
	}
	at, err := f.file.Seek(0, io.SeekCurrent)
	if err != nil || info.Size() >= at {
		return err
	}
	_, err = f.file.Seek(0, io.SeekStart)
	return err
}

// openShared opens a file for reading without keeping it from being moved away, which
// some systems would.
func openShared(path string) (file *os.File, err error) {
	if runtime.GOOS == "windows" { // the library shares what it opens below a folder
		file, err = os.OpenInRoot(filepath.Dir(path), filepath.Base(path))
	} else {
		file, err = os.Open(path)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the log: %w", err)
	}
	return file, nil
}
