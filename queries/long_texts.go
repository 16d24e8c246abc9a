package queries

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/ncruces/go-sqlite3"
)

// pieceBytes is the length of the chunks of a text that is moved.
const pieceBytes = 256 << 10

// movedAtOnce is how much one transaction moves, or one long text.
const movedAtOnce = 32 << 20

// moveLongTexts moves what a migration of SQLite found too long for its row to chunks, piece
// by piece: no text is in memory as a whole. What is interrupted goes on at the next opening.
func moveLongTexts(ctx context.Context, db *sql.DB) (err error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return fmt.Errorf("moving long texts: %w", err)
	}
	defer func() {
		if err = errors.Join(err, conn.Close()); err != nil {
			err = fmt.Errorf("moving long texts: %w", err)
		}
	}()
	for {
		var waiting bool
		const wait = `SELECT EXISTS (SELECT 1 FROM counter WHERE name = 'long_texts')`
		if err := conn.QueryRowContext(ctx, wait).Scan(&waiting); err != nil || !waiting {
			return err
		}
		if err := moveSome(ctx, conn); err != nil {
			return err
		}
	}
}

// moveSome moves texts in one transaction; when none is left it takes the counter away.
func moveSome(ctx context.Context, conn *sql.Conn) error {
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after the commit it does nothing
	waiting, err := longTexts(ctx, tx)
	if err == nil && len(waiting) == 0 {
		_, err = tx.ExecContext(ctx, `DELETE FROM counter WHERE name = 'long_texts'; DROP TABLE payload_text`)
	}
	for moved := int64(0); err == nil && len(waiting) > 0 && moved < movedAtOnce; {
		one := 1 // with all long texts of a result gone its row is short
		for one < len(waiting) && waiting[one].result == waiting[0].result {
			one++
		}
		var n int64
		n, err = moveTexts(ctx, conn, tx, waiting[:one])
		moved, waiting = moved+n, waiting[one:]
	}
	if err != nil {
		return err
	}
	return tx.Commit()
}

// longText is a text that has to move.
type longText struct {
	stream, result int64
	part           string // the column
	kept           bool   // in the row of its result; else in that which it had as text
}

func (t longText) table() string {
	if t.kept {
		return "payload"
	}
	return "payload_text"
}

// longTexts returns those that are waiting, or some of them, result by result.
func longTexts(ctx context.Context, tx *sql.Tx) (list []longText, err error) {
	rows, err := tx.QueryContext(ctx, `SELECT s.id, s.result_id, s.part, CASE s.part WHEN 'input' THEN octet_length(p.input)
			WHEN 'result' THEN octet_length(p.result) ELSE octet_length(p.log) END IS NOT NULL
		FROM stream s JOIN payload p ON p.result_id = s.result_id
		WHERE s.encoded = -1 AND s.result_id IN (SELECT result_id FROM stream WHERE encoded = -1 LIMIT 1000) ORDER BY s.result_id`)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var t longText
		if err := rows.Scan(&t.stream, &t.result, &t.part, &t.kept); err != nil {
			return nil, err
		}
		list = append(list, t)
	}
	return list, rows.Err()
}

// moveTexts moves texts of one result and returns how long they are.
func moveTexts(ctx context.Context, conn *sql.Conn, tx *sql.Tx, waiting []longText) (moved int64, err error) {
	insert, err := tx.PrepareContext(ctx, `INSERT INTO chunk (stream_id, number, bytes) VALUES (?, ?, ?)`)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, insert.Close()) }()
	for _, t := range waiting {
		number := int64(0)
		err := pieces(conn, t, func(p []byte) error {
			moved += int64(len(p))
			number++
			_, err := insert.ExecContext(ctx, t.stream, number-1, p)
			return err
		})
		if err == nil {
			_, err = tx.ExecContext(ctx, `UPDATE stream SET encoded = NULL WHERE id = ?`, t.stream)
		}
		if err != nil {
			return moved, err
		}
	}
	return moved, clearRow(ctx, tx, waiting)
}

// clearRow takes what was moved out of the rows of one result, all at once: SQLite reads what it
// leaves there.
func clearRow(ctx context.Context, tx *sql.Tx, moved []longText) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM payload_text WHERE result_id = ?`, moved[0].result)
	var gone []string
	for _, t := range moved {
		if t.kept {
			gone = append(gone, t.part+" = NULL")
		}
	}
	if err == nil && len(gone) > 0 {
		_, err = tx.ExecContext(ctx, `UPDATE payload SET `+strings.Join(gone, ", ")+` WHERE result_id = ?`, moved[0].result) //nolint:gosec // names of columns
	}
	return err
}

// pieces reads a text from its row.
func pieces(conn *sql.Conn, t longText, take func([]byte) error) error {
	var text *sqlite3.Blob
	onConnection := func(do func(*sqlite3.Conn) error) error {
		return conn.Raw(func(c any) error {
			g := c.(*guardedConn)
			return guardedCall(g, func() error { return do(g.Raw()) })
		})
	}
	err := onConnection(func(c *sqlite3.Conn) (err error) {
		text, err = c.OpenBlob("main", t.table(), t.part, t.result, false)
		return err
	})
	if err != nil {
		return err
	}
	p := make([]byte, pieceBytes)
	for err == nil {
		n := 0
		err = onConnection(func(*sqlite3.Conn) (err error) {
			n, err = text.Read(p)
			if errors.Is(err, io.EOF) && n > 0 {
				err = nil
			}
			return err
		})
		if err == nil {
			err = take(p[:n])
		}
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return errors.Join(err, onConnection(func(*sqlite3.Conn) error { return text.Close() }))
}
