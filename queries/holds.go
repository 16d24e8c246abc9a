package queries

import (
	"context"
	"fmt"
)

// collaborationLocks is the class of the locks of collaborations in Postgres. They are no locks of rows, since of those
// who waits for a row alone may wait for ever while others share it, one after the other.
const collaborationLocks = 0x7673 // "vs"

// extentLock is that of the folding of extents.
const extentLock = 0x7674

const (
	lockCollaboration  = `SELECT pg_advisory_xact_lock($1, $2)`
	shareCollaboration = `SELECT pg_advisory_xact_lock_shared($1, $2)`
)

// lockKey is what the lock of a collaboration is called; two with one name only wait for each other.
func lockKey(id int64) int32 { return int32(id & 0x7fffffff) }

// HoldCollaboration reads a collaboration and holds it until the end of the transaction: whoever adds tasks, nodes or
// members meanwhile waits, so that a deletion sees all there is.
func (t *Tx) HoldCollaboration(ctx context.Context, id int64) (Collaboration, error) {
	if t.pipe != nil {
		if _, err := t.db.ExecContext(ctx, lockCollaboration, collaborationLocks, lockKey(id)); err != nil {
			return Collaboration{}, fmt.Errorf("holding a collaboration: %w", err)
		}
	}
	return t.GetCollaboration(ctx, id)
}

// lastRun is the highest run id that Postgres gave out.
const lastRun = `SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM run_number`

// LastRun is the highest run id that was ever given out, 0 before the first.
func (db *DB) LastRun(ctx context.Context) (int64, error) {
	n, err := db.GetHighestRun(ctx)
	if err != nil || db.Engine != Postgres {
		return n, err
	}
	var given int64
	err = db.pool.QueryRowContext(ctx, lastRun).Scan(&given)
	return max(n, given), err
}

// fullExtent is how many rows a collaboration may have in the table of extents before they are made one.
const fullExtent = 100

// FoldExtents makes the rows of a collaboration in the table of extents one, where they are many; on SQLite they are
// one anyway. Servers on one database take turns.
func (db *DB) FoldExtents(ctx context.Context) error {
	if db.Engine != Postgres {
		return nil
	}
	const turn = `SELECT pg_advisory_xact_lock($1, 0)`
	const fold = `WITH gone AS (
		DELETE FROM extent WHERE collaboration_id IN (SELECT collaboration_id FROM extent GROUP BY collaboration_id HAVING COUNT(*) > $1)
		RETURNING collaboration_id, tasks, results)
	INSERT INTO extent (collaboration_id, tasks, results) SELECT collaboration_id, SUM(tasks), SUM(results) FROM gone GROUP BY collaboration_id`
	return db.InTx(ctx, func(ctx context.Context, tx *Tx) error {
		_, err := tx.db.ExecContext(ctx, turn, extentLock)
		if err == nil {
			_, err = tx.db.ExecContext(ctx, fold, fullExtent)
		}
		return err
	})
}
