package queries

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/ncruces/go-sqlite3"

	"vserver/service/fault"
)

func TestNamed(t *testing.T) {
	for _, c := range []struct {
		name string
		err  error
		want fault.Kind
	}{
		{"SQLite is full", sqlite3.FULL, fault.Full},
		{"no room for shared memory", sqlite3.IOERR_SHMSIZE, fault.Full},
		{"Postgres is full", &pgconn.PgError{Code: "53100"}, fault.Full},
		{"SQLite is busy", sqlite3.BUSY, fault.Busy},
		{"Postgres has no connection", &pgconn.PgError{Code: "53300"}, fault.Busy},
		{"Postgres ends", &pgconn.PgError{Code: "57P01"}, fault.Busy},
		{"Postgres is not there", &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}, fault.Busy},
		{"Postgres is gone", io.ErrUnexpectedEOF, fault.Busy},
		{"the connection is of no use", driver.ErrBadConn, fault.Busy},
		{"damaged", sqlite3.CORRUPT, fault.Internal},
		{"no database", sqlite3.NOTADB, fault.Internal},
		{"a fault already", fault.Deny(), fault.Denied},
	} {
		if got := Named(fmt.Errorf("doing: %w", c.err)); !fault.Is(got, c.want) || !errors.Is(got, c.err) {
			t.Errorf("%s: %v", c.name, got)
		}
	}
	if err := Named(nil); err != nil {
		t.Errorf("nothing became %v", err)
	}
	for _, err := range []error{errClosed, context.Canceled, &net.OpError{Op: "read", Err: context.Canceled}, sqlite3.IOERR_WRITE, &pgconn.PgError{}} {
		if _, ok := fault.As(Named(err)); ok {
			t.Errorf("%v became %v", err, Named(err))
		}
	}
}
