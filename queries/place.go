package queries

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"

	"github.com/ncruces/go-sqlite3"

	"vserver/service/private"
)

// ErrGone says that a file of a database in use was removed, or another one put in its
// place. What would be written then nobody would find again.
var ErrGone = errors.New("is not the one any more that was opened: it was removed or replaced; put it back, or start the server anew")

// SQLiteFiles are the database and what lies beside it while it is in use.
func SQLiteFiles(path string) []string { return []string{path, path + walSuffix, path + shmSuffix} }

// place is where an open SQLite database lies.
type place struct {
	path string
	mu   sync.Mutex
	seen map[string]fs.FileInfo // its files; nil before they were remembered
}

// remember takes the files as they are for those of the database.
func (p *place) remember() error {
	seen := map[string]fs.FileInfo{}
	for _, file := range SQLiteFiles(p.path) {
		info, err := os.Stat(file)
		if err != nil {
			return fmt.Errorf("looking at the files of the database: %w", err)
		}
		os.SameFile(info, info) // has Windows look at the file now
		seen[file] = info
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen = seen
	return nil
}

// forgetLog has the log and its index looked at anew: with the last connection they go.
func (p *place) forgetLog() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen = map[string]fs.FileInfo{p.path: p.seen[p.path]}
}

// has reports whether an open file is one of the database's.
func (p *place) has(f *os.File) bool {
	info, err := f.Stat()
	p.mu.Lock()
	defer p.mu.Unlock()
	was := p.seen[f.Name()]
	return err == nil && was != nil && os.SameFile(was, info)
}

// gone says which of the files is not what it was, or is nil.
func (p *place) gone() error {
	p.mu.Lock()
	seen := p.seen
	p.mu.Unlock()
	for file, was := range seen {
		if now, err := os.Stat(file); err != nil || replaced(was, now) {
			return fmt.Errorf("%s %w", file, ErrGone)
		}
	}
	return nil
}

// replaced reports whether a file is not the one that it was. Windows may not say which
// file it is while that is mapped into memory, and lets nobody replace it then.
func replaced(was, now fs.FileInfo) bool {
	return os.SameFile(was, was) && os.SameFile(now, now) && !os.SameFile(was, now)
}

// makePrivate makes the files of a database private and lists those that were not. One that
// belongs to another account stays as it is; vserver doctor names it.
func makePrivate(path string) (changed []string) {
	for _, file := range SQLiteFiles(path) {
		if done, err := private.Restrict(file); err == nil && done {
			changed = append(changed, file)
		}
	}
	return changed
}

// errRefused marks an error whose cause is explained.
var errRefused = errors.New("no rights")

// explained adds to the error of a file for which this account has no rights whose it is,
// and what to do about it.
func explained(err error, path string) error {
	if err == nil || errors.Is(err, errRefused) || !refusal(err) {
		return err
	}
	if why := private.Refusal(SQLiteFiles(path)...); why != nil {
		return fmt.Errorf("%w: %w (%w)", errRefused, why, err)
	}
	return err
}

// Remedy is what helps against an error of a database that was looked at.
func Remedy(err error) string {
	switch {
	case errors.Is(err, errRefused):
		return "run the command that the message ends with, or ask as the account that it names"
	case damaged(err) || errors.Is(err, errDamaged):
		return "restore a backup with vserver restore"
	}
	return "look at the file, its folder and the disk"
}

// refusal reports whether missing rights may be the cause of an error.
func refusal(err error) bool {
	return errors.Is(err, fs.ErrPermission) || errors.Is(err, sqlite3.PERM) || errors.Is(err, sqlite3.READONLY) ||
		errors.Is(err, sqlite3.CANTOPEN) || errors.Is(err, sqlite3.IOERR)
}
