package queries

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5/pgconn"
)

// ErrBusy is for work that can wait when others write for long.
var ErrBusy = errors.New("others write to the table")

// HoldRows has tx be the only one that writes to a table until it ends, after all who have begun to: then
// no row with a lower id than the highest one can still come. On SQLite that is so anyway. It waits for less
// than the time after which Postgres looks for deadlocks, and gives up with ErrBusy: others go first.
func (db *DB) HoldRows(ctx context.Context, tx *Tx, table string) error {
	if db.Engine == SQLite {
		return nil
	}
	_, err := tx.db.ExecContext(ctx, "SET LOCAL lock_timeout = '300ms'; LOCK TABLE "+quotedName(table)+" IN SHARE ROW EXCLUSIVE MODE")
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == "55P03" {
		return ErrBusy
	}
	if err != nil {
		return fmt.Errorf("holding table %s: %w", table, err)
	}
	return nil
}
