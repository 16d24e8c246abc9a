package takeover

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"vserver/queries"
	"vserver/service/private"
)

// A log or a journal of a crash and its database are two files, which no step puts in place at once. While they are moved
// a copy stands in the place, into which the log is settled: the same state, complete, with the log beside it or without.
// For its pages are those of the log already, and a log that is read once more changes nothing.

// hasLog reports whether a log or a journal lies beside a database.
func hasLog(database string) bool {
	for _, ending := range logs {
		if _, err := os.Lstat(database + ending); err == nil {
			return true
		}
	}
	return false
}

// standsIn reports whether a copy is in the place of the old database.
func (s site) standsIn() bool { return same(s.whole, s.file) }

// standIn puts a copy of the old database into the place, if it has a log. Where files have one name only it does nothing.
func (s site) standIn(database string, mode fs.FileMode) error {
	if s.standsIn() || !hasLog(database) {
		return nil
	}
	err := s.copyWhole(database, mode)
	if err == nil {
		err = s.clear()
	}
	if err == nil && os.Link(s.whole, s.fresh) == nil {
		err = os.Rename(s.fresh, s.file)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("putting a copy into the place of the old database: %w", err), s.removeWhole())
	}
	return syncFolder(s.file)
}

// copyWhole makes the copy. Copy and logs have the time of the database, by which it is seen whether somebody wrote to them.
func (s site) copyWhole(database string, mode fs.FileMode) error {
	info, err := os.Stat(database)
	if err != nil {
		return err
	}
	if err := s.removeWhole(); err != nil {
		return err
	}
	for _, ending := range append([]string{""}, logs...) {
		err := copyFile(database+ending, s.whole+ending)
		if err == nil && ending != "" {
			err = os.Chtimes(database+ending, info.ModTime(), info.ModTime())
		}
		if err != nil && (ending == "" || !errors.Is(err, fs.ErrNotExist)) {
			return err
		}
	}
	if err := queries.Settle(s.whole); err != nil {
		return err
	}
	return errors.Join(os.Chmod(s.whole, mode), os.Chtimes(s.whole, info.ModTime(), info.ModTime()), syncFile(s.whole))
}

func copyFile(from, to string) (err error) {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, private.Mode)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	if err := private.HandOver(out); err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return err
}

// syncFile has what was written to a file be on the disk.
func syncFile(file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	_ = f.Sync() // some systems want more rights for it, and write by themselves
	return f.Close()
}

// removeWhole removes the other name of the copy.
func (s site) removeWhole() error {
	for _, ending := range append([]string{""}, besides...) {
		if err := os.Remove(s.whole + ending); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("removing the copy of an old database: %w", err)
		}
	}
	return nil
}

// untouched reports whether nobody has written to what stands in the place since, and the log is where it was put.
func (s site) untouched(kept string) bool {
	made, err := os.Stat(kept)
	copied, err2 := os.Stat(s.file)
	if err != nil || err2 != nil || !made.ModTime().Equal(copied.ModTime()) || hasLog(kept) && hasLog(s.file) {
		return false
	}
	found := false
	for _, database := range []string{kept, s.file} {
		for _, ending := range logs {
			log, err := os.Stat(database + ending)
			found = found || err == nil
			if err == nil && !log.ModTime().Equal(made.ModTime()) {
				return false
			}
		}
	}
	return found
}

// restore puts the old database itself, with its log, into the place where a copy stands. A copy that somebody has written
// to is the old database from then on.
func (s site) restore(kept string) error {
	if !s.standsIn() {
		return s.removeWhole()
	}
	if !s.untouched(kept) {
		if !hasLog(kept) { // then it is less than the copy
			if err := os.Remove(kept); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("removing what is not whole of the old database: %w", err)
			}
		}
		return s.removeWhole()
	}
	copied, err := os.Stat(s.file)
	if err == nil {
		err = s.logsBack(kept)
	}
	if err == nil {
		err = os.Chmod(kept, copied.Mode().Perm())
	}
	if err == nil {
		err = os.Rename(kept, s.file)
	}
	if err != nil {
		return fmt.Errorf("putting the old database in its place: %w", err)
	}
	return errors.Join(syncFolder(s.file), s.removeWhole())
}

// logsBack has what lies beside the old database lie beside its copy.
func (s site) logsBack(kept string) error {
	for _, ending := range logs {
		err := os.Chmod(kept+ending, private.Mode)
		if err == nil {
			err = os.Rename(kept+ending, s.file+ending)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if err := os.Remove(kept + "-shm"); err != nil && !errors.Is(err, fs.ErrNotExist) { // is made again
		return err
	}
	return nil
}

// newest is the last of the kept files; empty without any.
func (s site) newest() string {
	list := s.keptFiles()
	if len(list) == 0 {
		return ""
	}
	return list[len(list)-1]
}
