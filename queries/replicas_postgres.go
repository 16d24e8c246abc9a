package queries

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"vserver/service/fault"
)

// Peer is a server on a database of Postgres, as the others see it (/docs/reliability#replicas).
type Peer struct {
	ID int64
	// Place is its machine and configuration file: where another one begins this one has ended.
	Place string
	// Name is for people.
	Name string
	// Secret is a fingerprint of what signs the tokens, Generated that the server has made that itself.
	Secret    string
	Generated bool
	// Knows is the newest server that it tells what it does.
	Knows int64
}

const (
	// joinLock has servers join one after the other, and find the dead one at a time.
	joinLock = `SELECT pg_advisory_xact_lock(7161894721)`
	liveOnes = `SELECT id, place, name, secret, generated, knows FROM replica WHERE until > clock_timestamp() ORDER BY id`
	deadOnes = `SELECT EXISTS (SELECT 1 FROM replica WHERE until <= clock_timestamp())`
	endPlace = `DELETE FROM replica WHERE place = $1`
	joinAs   = `INSERT INTO replica (place, name, secret, generated, until)
		VALUES ($1, $2, $3, $4, clock_timestamp() + $5::BIGINT * INTERVAL '1 microsecond') RETURNING id`
	renewAs = `UPDATE replica SET knows = GREATEST(knows, $2), until = clock_timestamp() + $3::BIGINT * INTERVAL '1 microsecond' WHERE id = $1`
	leaveAs = `DELETE FROM replica WHERE id = $1`
	// absentOnes locks those who seem to be gone, so that who comes back meanwhile does so afterwards.
	absentOnes = `SELECT id FROM authenticatable WHERE status = 'online' AND ` + nowhere + ` ORDER BY id FOR UPDATE`
	nowhere    = `NOT EXISTS (SELECT 1 FROM attendance a JOIN replica r ON r.id = a.replica_id
		WHERE a.account_id = authenticatable.id AND r.until > clock_timestamp())`
	endDead = `DELETE FROM replica WHERE until <= clock_timestamp()`
	// endAbsent is a statement of its own: it sees whom the lock was waited for.
	endAbsent = `WITH gone AS (UPDATE authenticatable SET status = 'offline' WHERE status = 'online' AND ` + nowhere + ` RETURNING id),
		noted AS (INSERT INTO event (at, type, node_id) SELECT $1, $2, n.id FROM node n JOIN gone ON gone.id = n.id),
		told AS (DELETE FROM nodeconfig WHERE node_id IN (SELECT id FROM gone))
		SELECT id FROM gone ORDER BY id`
	attendHere  = `INSERT INTO attendance (account_id, replica_id) VALUES ($1, $2) ON CONFLICT DO NOTHING`
	attendEnds  = `DELETE FROM attendance WHERE account_id = $1 AND replica_id = $2`
	holdAccount = `SELECT 1 FROM authenticatable WHERE id = $1 FOR UPDATE`
	attendElse  = `SELECT EXISTS (SELECT 1 FROM attendance a JOIN replica r ON r.id = a.replica_id
		WHERE a.account_id = $1 AND r.until > clock_timestamp())`
)

// Join makes a server one of those on the database for a time, unless refuse has something against those that
// are there. One of the same place has ended.
func (db *DB) Join(ctx context.Context, r Peer, lease time.Duration, refuse func(others []Peer) error) (id int64, err error) {
	err = db.InTx(ctx, func(ctx context.Context, tx *Tx) error {
		for _, do := range []struct {
			text string
			args []any
		}{{joinLock, nil}, {endPlace, []any{r.Place}}} {
			if _, err := tx.db.ExecContext(ctx, do.text, do.args...); err != nil {
				return err
			}
		}
		others, err := replicasIn(ctx, tx.db, 0)
		if err == nil {
			err = refuse(others)
		}
		if err != nil {
			return err
		}
		return tx.db.QueryRowContext(ctx, joinAs, r.Place, r.Name, r.Secret, r.Generated, lease.Microseconds()).Scan(&id)
	})
	if err != nil {
		return 0, fmt.Errorf("joining the servers of the database: %w", err)
	}
	return id, nil
}

// Renew keeps a server alive for a time and returns the others; alive is false when they have taken it for dead.
func (db *DB) Renew(ctx context.Context, id, knows int64, lease time.Duration) (others []Peer, alive bool, err error) {
	done, err := db.pool.ExecContext(ctx, renewAs, id, knows, lease.Microseconds())
	if err == nil {
		var n int64
		n, err = done.RowsAffected()
		alive = n > 0
	}
	if err == nil {
		others, err = replicasIn(ctx, db.Queries.db, id)
	}
	if err != nil {
		return nil, false, fmt.Errorf("renewing the lease of this server: %w", Named(err))
	}
	return others, alive, nil
}

func replicasIn(ctx context.Context, db DBTX, but int64) ([]Peer, error) {
	rows, err := db.QueryContext(ctx, liveOnes)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var list []Peer
	for rows.Next() {
		var r Peer
		if err := rows.Scan(&r.ID, &r.Place, &r.Name, &r.Secret, &r.Generated, &r.Knows); err != nil {
			return nil, err
		}
		if r.ID != but {
			list = append(list, r)
		}
	}
	return list, rows.Err()
}

// HasDeadPeers reports whether the lease of a server is over.
func (db *DB) HasDeadPeers(ctx context.Context) (dead bool, err error) {
	if err := db.Queries.db.QueryRowContext(ctx, deadOnes).Scan(&dead); err != nil {
		return false, fmt.Errorf("looking for dead servers: %w", Named(err))
	}
	return dead, nil
}

// Leave ends a server's lease.
func (db *DB) Leave(ctx context.Context, id int64) error {
	if _, err := db.pool.ExecContext(ctx, leaveAs, id); err != nil {
		return fmt.Errorf("ending the lease of this server: %w", Named(err))
	}
	return nil
}

// EndAbsent forgets the servers that are dead and stores everybody as offline who has a connection to none,
// nodes with an event of a kind. It returns who that was.
func (t *Tx) EndAbsent(ctx context.Context, kind string) (gone []int64, err error) {
	for _, text := range []string{joinLock, endDead, absentOnes} {
		if _, err := t.db.ExecContext(ctx, text); err != nil {
			return nil, err
		}
	}
	rows, err := t.db.QueryContext(ctx, endAbsent, t.Now, kind)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		gone = append(gone, id)
	}
	return gone, rows.Err()
}

// Attend stores that an account has a connection to a server.
func (t *Tx) Attend(ctx context.Context, account, replica int64) error {
	_, err := t.db.ExecContext(ctx, attendHere, account, replica)
	return err
}

// EndAttendance stores that it has none there any more, and reports whether it has one to another server. The
// account is held until the end of the transaction.
func (t *Tx) EndAttendance(ctx context.Context, account, replica int64) (elsewhere bool, err error) {
	if _, err := t.db.ExecContext(ctx, attendEnds, account, replica); err != nil {
		return false, err
	}
	var there int
	if err := t.db.QueryRowContext(ctx, holdAccount, account).Scan(&there); err != nil && !Missing(err) {
		return false, err
	}
	err = t.db.QueryRowContext(ctx, attendElse, account).Scan(&elsewhere)
	return elsewhere, err
}

// refuseWhileServed refuses to change the schema under servers of an older release, unless all that is to be done
// only adds what they do not look at (/docs/developing#expand).
func refuseWhileServed(ctx context.Context, db *sql.DB, has int64) error {
	if has < withReplicas || expandOnly(has) {
		return nil
	}
	return waitForServers(ctx, db, servedWait)
}

func waitForServers(ctx context.Context, db *sql.DB, most time.Duration) error {
	for end := time.Now().Add(most); ; {
		live, err := replicasIn(ctx, db, 0)
		if err != nil || len(live) == 0 {
			return err
		}
		if time.Now().After(end) {
			return fault.New(fault.Invalid, "the schema of the database has to change, and a server of an older release works on it: stop all servers of the database first (%s)", live[0].Name)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(servedPause):
		}
	}
}

const (
	// servedWait is how long a migration waits for the lease of a server that may have been killed.
	servedWait  = 16 * time.Second
	servedPause = 100 * time.Millisecond
)
