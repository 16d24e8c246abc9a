package queries

import (
	"database/sql"
	"errors"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/ncruces/go-sqlite3"

	"vserver/service/fault"
)

// Missing tells whether a query for one row found none.
func Missing(err error) bool { return errors.Is(err, sql.ErrNoRows) }

// Taken tells whether a write failed because a value that has to be unique is in
// use already.
func Taken(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code == "23505"
	}
	return errors.Is(err, sqlite3.CONSTRAINT_UNIQUE) || errors.Is(err, sqlite3.CONSTRAINT_PRIMARYKEY)
}

// InUse tells whether a write failed because rows that point to each other would
// have lost one another.
func InUse(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code == "23503"
	}
	return errors.Is(err, sqlite3.CONSTRAINT_FOREIGNKEY)
}

// again tells whether a Postgres transaction failed only because of others that
// ran beside it.
func again(err error) bool {
	var pg *pgconn.PgError
	return errors.As(err, &pg) && (pg.Code == "40001" || pg.Code == "40P01")
}

// named turns what a driver says about its storage into a fault; anything else
// stays as it is.
func named(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := fault.As(err); ok {
		return err
	}
	var pg *pgconn.PgError
	switch {
	case errors.Is(err, sqlite3.FULL), errors.As(err, &pg) && pg.Code == "53100":
		return fault.Wrap(fault.Full, err, "The storage of the server is full")
	case errors.Is(err, sqlite3.BUSY), errors.As(err, &pg) && (pg.Code == "53300" || pg.Code[:2] == "57"):
		return fault.Wrap(fault.Busy, err, "The database is busy, try again")
	}
	return err
}
