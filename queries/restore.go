package queries

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/ncruces/go-sqlite3"

	"vserver/service/private"
)

// ErrInUse says that somebody else has the database open.
var ErrInUse = errors.New("the database is in use")

// RestoreSQLite puts the content of a backup in place of a database that nobody has
// open, and keeps what was there in the file safety, which must not exist. It reports
// whether there was anything to keep. The database's file stays the same, with its
// owner and mode, and an interruption leaves the old content. A database that is too
// damaged to be copied is moved to safety instead.
func RestoreSQLite(ctx context.Context, backup, path, safety string) (kept bool, err error) {
	defer func() { err = explained(err, path) }()
	if _, err := VerifySQLite(backup); err != nil {
		return false, err
	}
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		_, err = BackupSQLite(ctx, backup, path)
		return false, err
	}
	makePrivate(path)
	c, err := alone(path)
	switch {
	case errors.Is(err, sqlite3.BUSY):
		return false, fmt.Errorf("%w: %s", ErrInUse, path)
	case err == nil:
		err = replace(ctx, c, backup, safety)
		if err := errors.Join(err, c.Close()); !damaged(err) {
			return err == nil, err
		}
	case !damaged(err):
		return false, err
	}
	if err := setAside(path, safety); err != nil {
		return false, err
	}
	_, err = BackupSQLite(ctx, backup, path)
	return true, err
}

// alone opens a database for one connection that keeps all others out.
func alone(path string) (*sqlite3.Conn, error) {
	c, err := sqlite3.OpenFlags(liteURI(path, registered("")), sqlite3.OPEN_READWRITE|sqlite3.OPEN_URI)
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", path, err)
	}
	// Leaving the write-ahead log is possible only while nobody else is there.
	err = c.Exec("PRAGMA locking_mode=exclusive; PRAGMA journal_mode=delete; BEGIN EXCLUSIVE; COMMIT")
	if err != nil {
		return nil, errors.Join(fmt.Errorf("taking %s for this command alone: %w", path, roomless(err, path)), c.Close())
	}
	return c, nil
}

// replace copies the database to safety and the backup into the database.
func replace(ctx context.Context, c *sqlite3.Conn, backup, safety string) error {
	if err := reserve(safety); err != nil {
		return err
	}
	kept := false
	defer func() {
		if !kept { // also after a panic
			_, _ = os.Remove(safety), os.Remove(safety+journalSuffix)
		}
	}()
	if err := copyPages(ctx, c, safety); err != nil {
		return fmt.Errorf("keeping a copy of the present database: %w", roomless(err, safety))
	}
	kept = true
	if err := c.Restore("main", liteURI(backup, registered(""))); err != nil {
		return fmt.Errorf("copying the backup into the database: %w", roomless(err, safety))
	}
	return nil
}

// reserve makes an empty file that nobody else may read.
func reserve(path string) error {
	f, err := private.Open(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY)
	if err != nil {
		return fmt.Errorf("making the file of the copy: %w", err)
	}
	return errors.Join(private.HandOver(f), f.Close())
}

// setAside moves a database with what belongs to it.
func setAside(path, to string) error {
	for _, part := range []string{"", "-wal", "-shm", "-journal"} {
		err := os.Rename(path+part, to+part)
		if err != nil && !(part != "" && errors.Is(err, fs.ErrNotExist)) {
			return fmt.Errorf("moving the damaged database aside: %w", err)
		}
		if _, err := private.Restrict(to + part); err != nil {
			return err //nolint:wrapcheck // it says what was done
		}
	}
	return nil
}
