package queries

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"

	"vserver/service/fault"
)

// line is what is known of the way to PostgreSQL: when a connection was lost, and which primary is the
// present one (/docs/reliability#failover).
type line struct {
	lost     atomic.Int64 // when a connection was last found to be of no use, in nanoseconds since 1970
	timeline atomic.Int64 // the highest that a primary had
}

const (
	// idleUnseen is how long a connection may lie idle without being looked at before its next use.
	idleUnseen = time.Second
	// probeTime is how long one of several hosts may take to say whether it is the primary.
	probeTime = 3 * time.Second
	// timelineKey is where a connection keeps the timeline of its server.
	timelineKey = "vserver timeline"
)

// settings are those of a connection string, with what this looks at.
func (l *line) settings(ctx context.Context, dsn string, pooler Pooler) (_ *pgx.ConnConfig, shared bool, err error) {
	settings, err := postgresConfig(dsn)
	if err != nil {
		return nil, false, fmt.Errorf("opening Postgres: %w", err)
	}
	l.watch(settings)
	l.survey(ctx, settings)
	shared, err = suit(ctx, settings, pooler)
	return settings, shared, err
}

// options have a connection looked at before it is used when another one broke since its last use, and
// left when its server is not the primary any more.
func (l *line) options() []stdlib.OptionOpenDB {
	return []stdlib.OptionOpenDB{
		stdlib.OptionShouldPing(func(_ context.Context, p stdlib.ShouldPingParams) bool {
			return p.IdleDuration > idleUnseen || time.Now().Add(-p.IdleDuration).UnixNano() < l.lost.Load()
		}),
		stdlib.OptionResetSession(func(_ context.Context, c *pgx.Conn) error {
			if has, ok := c.PgConn().CustomData()[timelineKey].(int64); ok && has < l.timeline.Load() {
				return driver.ErrBadConn
			}
			return nil
		}),
	}
}

// broke reports whether an error shows that a connection was lost that had been made. All others that
// were in use before are looked at from now on.
func (l *line) broke(err error) bool {
	var made *pgconn.ConnectError
	if err == nil || fault.Is(err, fault.Unknown) || errors.Is(err, context.DeadlineExceeded) || errors.As(err, &made) || !lostConnection(err) {
		return false
	}
	l.lost.Store(time.Now().UnixNano())
	return true
}

// lostConnection reports whether a connection broke, or its server ended it or writes no more. In a failover
// these errors come in any mixture. That of a caller who went away is broken on purpose.
func lostConnection(err error) bool {
	var pg *pgconn.PgError
	var network *net.OpError
	switch {
	case errors.Is(err, context.Canceled):
		return false
	case errors.As(err, &pg):
		return strings.HasPrefix(pg.Code, "57P") || strings.HasPrefix(pg.Code, "08") || pg.Code == writesNothing
	}
	return errors.As(err, &network) || errors.Is(err, driver.ErrBadConn) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, io.EOF) || pgconn.SafeToRetry(err)
}

// writesNothing is what a standby says to a write, and a primary that became one.
const writesNothing = "25006"

// watch has each new connection tell what its server is, after what the URI wants to know of it.
func (l *line) watch(settings *pgx.ConnConfig) {
	wanted := settings.ValidateConnect
	settings.ValidateConnect = func(ctx context.Context, c *pgconn.PgConn) error {
		if wanted != nil {
			if err := wanted(ctx, c); err != nil {
				return err
			}
		}
		return l.look(ctx, c)
	}
}

// ofServer asks for the timeline of a primary; a standby has none.
const ofServer = `SELECT CASE WHEN pg_is_in_recovery() THEN 'standby' ELSE pg_walfile_name(pg_current_wal_lsn()) END`

// look refuses a standby, and a primary that another one has followed: what it takes would be lost.
func (l *line) look(ctx context.Context, c *pgconn.PgConn) error {
	results, err := c.Exec(ctx, ofServer).ReadAll()
	var refused *pgconn.PgError
	switch {
	case errors.As(err, &refused) && refused.Severity == "ERROR":
		return nil // it does not tell everybody
	case err != nil:
		return fmt.Errorf("asking what the server is: %w", err)
	case len(results) != 1 || len(results[0].Rows) != 1:
		return nil
	}
	text := string(results[0].Rows[0][0])
	if text == "standby" {
		return errors.New("it is a standby, which takes no writes")
	}
	has, err := strconv.ParseInt(text[:min(len(text), 8)], 16, 64)
	if err != nil {
		return nil //nolint:nilerr // a name of another form says nothing
	}
	c.CustomData()[timelineKey] = has
	for {
		known := l.timeline.Load()
		if has < known {
			return fmt.Errorf("it was the primary once: its timeline is %d, that of the present one %d; make it a standby, or stop it", has, known)
		}
		if l.timeline.CompareAndSwap(known, has) {
			return nil
		}
	}
}

// survey asks all of several hosts, so that an old primary that is asked first is known to be one.
func (l *line) survey(ctx context.Context, settings *pgx.ConnConfig) {
	if !severalHosts(settings) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	var asking sync.WaitGroup
	places := append([]*pgconn.FallbackConfig{{Host: settings.Host, Port: settings.Port, TLSConfig: settings.TLSConfig}}, settings.Fallbacks...)
	for _, p := range places {
		asking.Go(func() {
			one := settings.Copy()
			one.Host, one.Port, one.TLSConfig, one.Fallbacks = p.Host, p.Port, p.TLSConfig, nil
			if c, err := pgconn.ConnectConfig(ctx, &one.Config); err == nil {
				_ = c.Close(ctx)
			}
		})
	}
	asking.Wait()
}

func severalHosts(settings *pgx.ConnConfig) bool {
	for _, f := range settings.Fallbacks {
		if f.Host != settings.Host || f.Port != settings.Port {
			return true
		}
	}
	return false
}

// reads are the connections for what reads outside of transactions: a question whose connection broke is
// asked again once.
type reads struct {
	*sql.DB
	line *line
}

// QueryContext asks for rows.
func (r reads) QueryContext(ctx context.Context, q string, args ...any) (*sql.Rows, error) {
	rows, err := r.DB.QueryContext(ctx, q, args...)
	if r.line.broke(err) {
		rows, err = r.DB.QueryContext(ctx, q, args...)
	}
	return rows, err
}

// QueryRowContext asks for one row.
func (r reads) QueryRowContext(ctx context.Context, q string, args ...any) *sql.Row {
	row := r.DB.QueryRowContext(ctx, q, args...)
	if r.line.broke(row.Err()) {
		row = r.DB.QueryRowContext(ctx, q, args...)
	}
	return row
}

// unsure turns the error of a commit into the fault that nobody knows its outcome, unless that is known. What the
// driver says about whether it was sent is not: it takes a connection that closed while it read for one that
// was closed before.
func unsure(err error) error {
	var pg *pgconn.PgError
	refused := errors.As(err, &pg) && pg.Severity == "ERROR"
	if refused || errors.Is(err, pgx.ErrTxCommitRollback) || errors.Is(err, sql.ErrTxDone) {
		return err
	}
	return fault.Wrap(fault.Unknown, err, "The database did not say whether this was stored: look whether it was before you repeat it, or repeat it with the Idempotency-Key that it had")
}
