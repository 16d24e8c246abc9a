package queries

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

const (
	// channel is where servers tell each other that there is something to read.
	channel = "vserver"
	// quiet has a notification wait for no disk and no standby: what it tells of is stored already.
	quiet       = `SELECT set_config('synchronous_commit', 'off', true), pg_notify('` + channel + `', $1)`
	addMessage  = `INSERT INTO message (replica_id, body) VALUES ($1, $2)`
	tellMessage = `WITH told AS (INSERT INTO message (replica_id, body) VALUES ($1, $2))
		SELECT set_config('synchronous_commit', 'off', true), pg_notify('` + channel + `', '')`
	foldMessages = `DELETE FROM message WHERE id IN (SELECT id FROM message WHERE at < clock_timestamp() - $1::BIGINT * INTERVAL '1 microsecond' ORDER BY at LIMIT 5000)`
	// newMessages are those that a snapshot did not see: of transactions that began later or were under way. What
	// a late commit brings is among them, whatever its id.
	newMessages = `SELECT pg_current_snapshot()::TEXT, 0::BIGINT, 0::BIGINT, ''
		UNION ALL SELECT '', id, replica_id, body FROM message WHERE xid >= $1::TEXT::XID8
		UNION ALL SELECT '', id, replica_id, body FROM message WHERE xid = ANY ($2::TEXT[]::XID8[])`
)

// AddMessage keeps what others have to be told when the transaction is durable, on the way to its commit; Announce tells
// that there is something.
func (t *Tx) AddMessage(ctx context.Context, replica int64, body string) error {
	if err := t.pipe.ready(ctx); err != nil {
		return err
	}
	t.pipe.last.Queue(addMessage, replica, body)
	return nil
}

// Announce has the other servers read what there is.
func (db *DB) Announce(ctx context.Context, text string) error {
	if _, err := db.pool.ExecContext(ctx, quiet, text); err != nil {
		return fmt.Errorf("notifying other servers: %w", Named(err))
	}
	return nil
}

// TellMessage tells others something that no transaction stands behind.
func (db *DB) TellMessage(ctx context.Context, replica int64, body string) error {
	if _, err := db.pool.ExecContext(ctx, tellMessage, replica, body); err != nil {
		return fmt.Errorf("telling other servers: %w", Named(err))
	}
	return nil
}

// FoldMessages deletes what is older than that, some at a time.
func (db *DB) FoldMessages(ctx context.Context, older time.Duration) error {
	for n := int64(1); n > 0; {
		done, err := db.pool.ExecContext(ctx, foldMessages, older.Microseconds())
		if err == nil {
			n, err = done.RowsAffected()
		}
		if err != nil {
			return fmt.Errorf("deleting old messages: %w", Named(err))
		}
	}
	return nil
}

// Told is a message of a server.
type Told struct {
	ID, Replica int64
	Body        string
}

// Listener is a connection of its own that hears when there is something to read. Only one goroutine may use it.
type Listener struct {
	conn *pgx.Conn
	// Timeline is that of the primary; 0: it does not tell.
	Timeline int64
}

// Listen connects and listens.
func (db *DB) Listen(ctx context.Context) (*Listener, error) {
	conn, err := pgx.ConnectConfig(ctx, db.direct)
	if err != nil {
		return nil, fmt.Errorf("connecting to listen: %w", Named(err))
	}
	l := &Listener{conn: conn}
	l.Timeline, _ = conn.PgConn().CustomData()[timelineKey].(int64)
	if _, err := conn.Exec(ctx, "LISTEN "+channel); err != nil {
		return nil, errors.Join(fmt.Errorf("listening: %w", Named(err)), l.Close())
	}
	return l, nil
}

// Close ends the connection.
func (l *Listener) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	return l.conn.Close(ctx)
}

// Wait returns what it is told; ok is false when nothing was within a time.
func (l *Listener) Wait(ctx context.Context, most time.Duration) (text string, ok bool, err error) {
	waiting, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	n, err := l.conn.WaitForNotification(waiting)
	switch {
	case err == nil:
		return n.Payload, true, nil
	case ctx.Err() == nil && pgconn.Timeout(err) && !l.conn.IsClosed():
		return "", false, nil
	}
	return "", false, fmt.Errorf("waiting for notifications: %w", err)
}

// Read returns what was told since a mark, in the order of ids, and the next mark. Of no mark nothing is returned.
func (l *Listener) Read(ctx context.Context, mark string) ([]Told, string, error) {
	_, rest, _ := strings.Cut(mark, ":")
	later, underWay, _ := strings.Cut(rest, ":")
	late := []string{}
	if underWay != "" {
		late = strings.Split(underWay, ",")
	}
	rows, err := l.conn.Query(ctx, newMessages, cmp.Or(later, "18446744073709551615"), late)
	if err != nil {
		return nil, "", fmt.Errorf("reading messages: %w", err)
	}
	defer rows.Close()
	var list []Told
	next := ""
	for rows.Next() {
		var snapshot string
		var m Told
		if err := rows.Scan(&snapshot, &m.ID, &m.Replica, &m.Body); err != nil {
			return nil, "", fmt.Errorf("reading messages: %w", err)
		}
		if snapshot != "" {
			next = snapshot
		} else {
			list = append(list, m)
		}
	}
	slices.SortFunc(list, func(a, b Told) int { return cmp.Compare(a.ID, b.ID) })
	if err := rows.Err(); err != nil {
		return nil, "", fmt.Errorf("reading messages: %w", err)
	}
	return list, next, nil
}
