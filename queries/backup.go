package queries

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/ncruces/go-sqlite3"
	"github.com/pressly/goose/v3"

	"vserver/schema"
	"vserver/service/private"
)

// pagesAtOnce is how much of an SQLite database is copied between two looks at the
// context.
const pagesAtOnce = 2048

// BackupSQLite copies a database that may be in use into one file with mode 0600,
// proves the copy and only then gives it its name, replacing what has that name. It
// returns the version of the copy's schema.
func BackupSQLite(ctx context.Context, path, to string) (version int64, err error) {
	defer func() { err = explained(err, path) }()
	src, err := openLite(path, readWrite)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, src.Close()) }()
	return copyLite(ctx, src, to)
}

// openLite opens one connection to an SQLite file that exists.
func openLite(path string, how sqlite3.OpenFlag) (*sqlite3.Conn, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("opening the database: %w", explained(err, path))
	}
	c, err := sqlite3.OpenFlags(liteURI(path, registered(""))+"&_pragma=busy_timeout(10000)", how|sqlite3.OPEN_URI)
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", path, explained(err, path))
	}
	return c, nil
}

// liteURI names a file of a file system so that SQLite takes every character of it
// literally.
func liteURI(path, system string) string {
	escaped := (&url.URL{Path: filepath.ToSlash(path)}).EscapedPath()
	return "file:" + escaped + "?vfs=" + url.QueryEscape(system)
}

// copyLite copies what src shows at this moment.
func copyLite(ctx context.Context, src *sqlite3.Conn, to string) (version int64, err error) {
	unfinished, err := private.CreateTemp(filepath.Dir(to), "."+filepath.Base(to)+".*")
	if err != nil {
		return 0, fmt.Errorf("making the file of the copy: %w", explained(err, to))
	}
	name, named := unfinished.Name(), false
	defer func() {
		if !named { // also after a panic; the first error is the one to tell
			_, _ = os.Remove(name), os.Remove(name+journalSuffix)
		}
	}()
	if err = errors.Join(private.HandOver(unfinished), unfinished.Close()); err != nil {
		return 0, fmt.Errorf("making the file of the copy: %w", err)
	}
	if err = copyPages(ctx, src, name); err != nil {
		return 0, fmt.Errorf("copying the database: %w", roomless(err, to))
	}
	if version, err = seal(name); err != nil {
		return 0, fmt.Errorf("checking the copy: %w", err)
	}
	if err = os.Rename(name, to); err != nil {
		return 0, fmt.Errorf("naming the copy: %w", err)
	}
	named = true
	return version, nil
}

// copyPages copies under one read transaction, so that writers neither wait nor make
// the copy begin anew.
func copyPages(ctx context.Context, src *sqlite3.Conn, to string) (err error) {
	if err = src.Exec("BEGIN; SELECT count(*) FROM sqlite_schema"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, src.Exec("ROLLBACK")) }()
	b, err := src.BackupInit("main", liteURI(to, registered("")))
	if err != nil {
		return err
	}
	defer func() { // it repeats the error of a step
		if closing := b.Close(); err == nil {
			err = closing
		}
	}()
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		if done, err := b.Step(pagesAtOnce); done || err != nil {
			return err
		}
	}
}

// seal makes a copy one file that needs no other beside it, and proves it.
func seal(path string) (version int64, err error) {
	c, err := openLite(path, readWrite)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	if err := c.Exec("PRAGMA journal_mode=delete"); err != nil {
		return 0, err
	}
	return proven(c)
}

// VerifySQLite proves that a file is a sound database of this program that it knows
// the schema of, and returns the schema's version. The file is not changed.
func VerifySQLite(path string) (version int64, err error) {
	c, err := openLite(path, sqlite3.OPEN_READONLY)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	if version, err = proven(c); err != nil {
		return 0, fmt.Errorf("checking %s: %w", path, err)
	}
	return version, tooNew(version, KnownSchema(SQLite))
}

// ProveSQLite checks pages and references of a database that may be in use.
func ProveSQLite(path string) (err error) {
	defer func() { err = explained(err, path) }()
	c, err := openLite(path, readWrite)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	if _, err = proven(c); err != nil {
		return fmt.Errorf("checking %s: %w", path, err)
	}
	return nil
}

// errDamaged says what a check of a database found.
var errDamaged = errors.New("the database is damaged")

// proven checks a database's pages and references, and returns its schema's version.
func proven(c *sqlite3.Conn) (int64, error) {
	found, err := column(c, "PRAGMA integrity_check(10)")
	if err != nil {
		return 0, err
	}
	if len(found) != 1 || found[0] != "ok" {
		return 0, fmt.Errorf("%w: %s", errDamaged, strings.Join(found, "; "))
	}
	if err := wholePages(c); err != nil {
		return 0, err
	}
	orphans, err := column(c, `SELECT "table" FROM pragma_foreign_key_check LIMIT 10`)
	if err != nil {
		return 0, err
	}
	if len(orphans) > 0 {
		return 0, fmt.Errorf("%w: rows refer to others that are not there, in the tables %s", errDamaged, strings.Join(orphans, ", "))
	}
	return liteVersion(c)
}

// wholePages finds a file that was cut within its last page, of which the check of the
// pages may have no need.
func wholePages(c *sqlite3.Conn) error {
	size, err := column(c, "PRAGMA page_size")
	if err != nil {
		return err
	}
	page, err := strconv.ParseInt(size[0], 10, 64)
	if err != nil {
		return fmt.Errorf("reading the size of pages: %w", err)
	}
	info, err := os.Stat(c.Filename("main").String())
	if err != nil {
		return fmt.Errorf("looking at the file: %w", err)
	}
	if rest := info.Size() % page; rest != 0 {
		return fmt.Errorf("%w: its last page has %d bytes of %d", errDamaged, rest, page)
	}
	return nil
}

// liteVersion reads the version of a database's schema.
func liteVersion(c *sqlite3.Conn) (version int64, err error) {
	st, _, err := c.Prepare(appliedVersion)
	if err != nil {
		return 0, fmt.Errorf("this is no database of this program: %w", err)
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	if st.Step() {
		version = st.ColumnInt64(0)
	}
	return version, st.Err()
}

// appliedVersion is the question for the version of the schema, on both engines.
const appliedVersion = "SELECT coalesce(max(version_id), 0) FROM goose_db_version"

// column returns the first column of a query's rows.
func column(c *sqlite3.Conn, query string) (values []string, err error) {
	st, _, err := c.Prepare(query)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	for st.Step() {
		values = append(values, st.ColumnText(0))
	}
	return values, st.Err()
}

// readWrite opens a database that exists, also to read what a server has not yet moved
// from the write-ahead log.
const readWrite = sqlite3.OPEN_READWRITE

// KnownSchema is the newest version of the schema that this program knows.
func KnownSchema(e Engine) int64 {
	var newest int64
	for _, name := range migrations(e) {
		newest = max(newest, numbered(name))
	}
	return newest
}

// migrations lists the files of an engine, in their order.
func migrations(e Engine) []string {
	files, dir := fs.FS(schema.SQLite), "sqlite"
	if e == Postgres {
		files, dir = schema.Postgres, "postgres"
	}
	names, _ := fs.Glob(files, dir+"/*.sql") // the pattern is sound
	return names
}

// numbered is the version that a migration's name begins with.
func numbered(name string) int64 {
	v, _ := goose.NumericComponent(name) // opening a database refuses names without one
	return v
}

// tooNew refuses a schema that a newer release has made.
func tooNew(has, knows int64) error {
	if has <= knows {
		return nil
	}
	return fmt.Errorf("the database has schema version %d, this program knows up to %d: install the release that wrote it, or a newer one", has, knows)
}
