package queries

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Pooler is what lies between a server and its PostgreSQL (/docs/operating#pooler).
type Pooler string

// The poolers. Whether there is one is noticed, but not whether it keeps sessions.
const (
	PoolerNoticed     Pooler = ""
	PoolerSession     Pooler = "session"
	PoolerTransaction Pooler = "transaction"
)

// throughPooler reports whether a connection does not end at PostgreSQL: a pooler names a process of its own.
func throughPooler(ctx context.Context, c *pgconn.PgConn) (bool, error) {
	results, err := c.Exec(ctx, "SELECT pg_backend_pid()").ReadAll()
	if err != nil {
		return false, fmt.Errorf("asking for the process of a connection: %w", err)
	}
	if len(results) != 1 || len(results[0].Rows) != 1 {
		return false, nil
	}
	return string(results[0].Rows[0][0]) != strconv.FormatUint(uint64(c.PID()), 10), nil
}

// suit fits settings to a pooler: without the parameter that some refuse, and without prepared statements where the
// next one may go to another connection. It reports whether sessions may be shared.
func suit(ctx context.Context, settings *pgx.ConnConfig, pooler Pooler) (shared bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, poolerTime)
	defer cancel()
	// Compiling a statement costs more than any of ours takes.
	settings.RuntimeParams["jit"] = "off"
	c, err := pgconn.ConnectConfig(ctx, &settings.Config)
	var refused *pgconn.PgError
	through := errors.As(err, &refused) && refused.Code == parameterRefused
	switch {
	case through:
		delete(settings.RuntimeParams, "jit")
	case err != nil:
		return false, fmt.Errorf("opening Postgres: %w", Named(err))
	default:
		through, err = throughPooler(ctx, c)
		if err = errors.Join(err, c.Close(ctx)); err != nil {
			return false, fmt.Errorf("opening Postgres: %w", Named(err))
		}
	}
	shared = through && pooler != PoolerSession || pooler == PoolerTransaction
	if shared {
		settings.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
	}
	return shared, nil
}

const (
	poolerTime = 2 * time.Minute
	// parameterRefused is what a pooler says of a parameter of the start that it does not know.
	parameterRefused = "08P01"
)

// errShared is the error of a migration through a pooler that may share sessions.
var errShared = errors.New("the schema has to change, and uri leads through a pooler, where the lock of migrations locks nothing: set uri_listen to the same database past it, or pooler to session if it keeps sessions")
