package queries

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/ncruces/go-sqlite3"

	"vserver/service/fault"
)

// Missing reports whether a query for one row found none.
func Missing(err error) bool { return errors.Is(err, sql.ErrNoRows) }

// Taken reports whether a write failed because a value that has to be unique is in
// use already.
func Taken(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code == "23505"
	}
	return errors.Is(err, sqlite3.CONSTRAINT_UNIQUE) || errors.Is(err, sqlite3.CONSTRAINT_PRIMARYKEY)
}

// InUse reports whether a write failed because rows that point to each other would
// have lost one another.
func InUse(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code == "23503"
	}
	return errors.Is(err, sqlite3.CONSTRAINT_FOREIGNKEY)
}

// Refused reports whether a write failed because a column has no value, or one that its
// check does not take.
func Refused(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code == "23502" || pg.Code == "23514"
	}
	return errors.Is(err, sqlite3.CONSTRAINT_NOTNULL) || errors.Is(err, sqlite3.CONSTRAINT_CHECK)
}

var (
	postgresKey   = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^Key \(([^)]+)\)`) })
	postgresCheck = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`_(\w+)_check$`) })
	sqliteColumns = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`constraint failed: (\w+\.\w+(?:, \w+\.\w+)*)$`) })
	sqliteCheck   = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`CHECK constraint failed: (\w+)`) })
)

// Columns names the columns that a write failed for, as far as the engine tells.
func Columns(err error) []string {
	var pg *pgconn.PgError
	found := []string(nil)
	switch {
	case err == nil:
		return nil
	case errors.As(err, &pg) && pg.ColumnName != "":
		return []string{pg.ColumnName}
	case errors.As(err, &pg) && pg.Code == "23514":
		found = postgresCheck().FindStringSubmatch(pg.ConstraintName)
	case pg != nil:
		found = postgresKey().FindStringSubmatch(pg.Detail)
	case errors.Is(err, sqlite3.CONSTRAINT_CHECK):
		found = sqliteCheck().FindStringSubmatch(err.Error())
	default:
		found = sqliteColumns().FindStringSubmatch(err.Error())
	}
	if found == nil {
		return nil
	}
	var names []string
	for name := range strings.SplitSeq(found[1], ", ") {
		names = append(names, name[strings.LastIndexByte(name, '.')+1:])
	}
	return names
}

// again reports whether a Postgres transaction failed only because of others that
// ran beside it.
func again(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (pg.Code == "40001" || pg.Code == "40P01")
}

// Named turns what a driver says about its storage into a fault; anything else
// stays as it is.
func Named(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := fault.As(err); ok {
		return err
	}
	state := ""
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		state = pg.Code
	}
	switch {
	case full(err), state == "53100":
		return fault.Wrap(fault.Full, err, "The storage of the server is full")
	case errors.Is(err, ErrGone):
		return fault.Wrap(fault.Busy, err, "The database cannot be reached, try again")
	case errors.Is(err, sqlite3.BUSY), state == "53300", strings.HasPrefix(state, "57"):
		return fault.Wrap(fault.Busy, err, "The database is busy, try again")
	case state == writesNothing:
		return fault.Wrap(fault.Busy, err, "The database takes no writes at the moment, try again")
	case unreachable(err):
		return fault.Wrap(fault.Busy, err, "The database cannot be reached, try again")
	case damaged(err):
		return fault.Wrap(fault.Internal, err, "The database is damaged: vserver doctor says how, vserver restore puts a backup in its place")
	}
	return err
}

// unreachable reports whether a connection to Postgres could not be made or broke. That of
// a caller who went away is broken on purpose.
func unreachable(err error) bool {
	var made *pgconn.ConnectError
	return errors.As(err, &made) && !errors.Is(err, context.Canceled) || lostConnection(err)
}

// full reports whether SQLite lacks room for a file.
func full(err error) bool {
	return errors.Is(err, sqlite3.FULL) || errors.Is(err, sqlite3.IOERR_SHMSIZE)
}

// roomless says of a copy that failed for want of room where that is.
func roomless(err error, file string) error {
	if full(err) {
		return fmt.Errorf("there is no room in %s: %w", filepath.Dir(file), err)
	}
	return err
}

// damaged reports whether SQLite cannot make sense of a file.
func damaged(err error) bool {
	return errors.Is(err, sqlite3.CORRUPT) || errors.Is(err, sqlite3.NOTADB) ||
		errors.Is(err, sqlite3.IOERR_SHORT_READ) || errors.Is(err, sqlite3.IOERR_DATA) || errors.Is(err, sqlite3.IOERR_CORRUPTFS)
}
