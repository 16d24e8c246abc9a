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
	"slices"
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
	if err := f.begin(); err != nil {
		return err
	}
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
	path string
	out  io.Writer
	file *os.File // being read; nil when there is none yet
}

func (f *follower) close() {
	if f.file != nil {
		_ = f.file.Close()
	}
}

// numbered gives the path of the n-th old file, or of the current one for 0.
func (f *follower) numbered(n int) string {
	if n == 0 {
		return f.path
	}
	return fmt.Sprintf("%s.%d", f.path, n)
}

// gap is how many numbers in a row have no file when there are no older ones: in the
// middle of a rotation one is missing.
const gap = 2

// begin copies the old files. They are opened from the newest on, so that a rotation
// in between shows as the same file met twice.
func (f *follower) begin() error {
	var files []*os.File
	var infos []fs.FileInfo
	defer func() {
		for _, old := range files {
			_ = old.Close()
		}
	}()
	for n, missing := 0, 0; missing < gap; n++ {
		file, info, err := openShared(f.numbered(n))
		if errors.Is(err, fs.ErrNotExist) {
			missing++
			continue
		}
		if err != nil {
			return fmt.Errorf("reading the log: %w", err)
		}
		missing = 0
		if len(infos) > 0 && os.SameFile(info, infos[len(infos)-1]) {
			_ = file.Close()
			continue
		}
		files, infos = append(files, file), append(infos, info)
	}
	slices.Reverse(files)
	for len(files) > 0 {
		f.close()
		f.file, files = files[0], files[1:]
		if err := f.copy(); err != nil {
			return err
		}
	}
	return nil
}

// copy tells what the open file has beyond what was read of it.
func (f *follower) copy() error {
	if _, err := io.Copy(f.out, f.file); err != nil {
		return fmt.Errorf("copying the log: %w", err)
	}
	return nil
}

// advance tells what was added, over as many files as there are.
func (f *follower) advance() error {
	for {
		if f.file != nil {
			if err := f.copy(); err != nil {
				return err
			}
		}
		next, err := f.next()
		if err != nil || next == nil {
			return err
		}
		if f.file != nil { // what was written before it was moved away
			if err := f.copy(); err != nil {
				_ = next.Close()
				return err
			}
		}
		f.close()
		f.file = next
	}
}

// next opens the file after the one being read; nil when that is the current one.
func (f *follower) next() (*os.File, error) {
	at, there := f.place()
	if there && at == 0 {
		return nil, f.rewind()
	}
	file, _, err := openShared(f.numbered(max(0, at-1)))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil // in the middle of a rotation
	}
	if err != nil {
		return nil, fmt.Errorf("reading the log: %w", err)
	}
	if again, still := f.place(); again != at || still != there {
		_ = file.Close() // a rotation came between: look again
		return f.next()
	}
	return file, nil
}

// place tells which number the file being read has by now. When it was removed
// already, the number is one beyond the oldest that is left.
func (f *follower) place() (n int, there bool) {
	var reading fs.FileInfo
	if f.file != nil {
		reading, _ = f.file.Stat() // none is like none of the files
	}
	beyond := 0
	for missing := 0; missing < gap; n++ {
		info, err := os.Stat(f.numbered(n))
		if err != nil {
			missing++
			continue
		}
		missing, beyond = 0, n+1
		if reading != nil && os.SameFile(info, reading) {
			return n, true
		}
	}
	return beyond, false
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
func openShared(path string) (*os.File, fs.FileInfo, error) {
	var file *os.File
	var err error
	if runtime.GOOS == "windows" { // the library shares what it opens below a folder
		file, err = os.OpenInRoot(filepath.Dir(path), filepath.Base(path))
	} else {
		file, err = os.Open(path)
	}
	if err != nil {
		return nil, nil, err
	}
	info, err := file.Stat()
	if err != nil {
		_ = file.Close()
		return nil, nil, err
	}
	return file, info, nil
}
