package queries

import (
	"context"
	"database/sql"
	"errors"
)

// AppendChunk reads a chunk of a text behind what room has, into the memory of room as far as that goes: who reads one
// after the other needs memory for one. A chunk that is not there is Missing.
func (q *Queries) AppendChunk(ctx context.Context, room []byte, stream, number int64) (_ []byte, err error) {
	rows, err := q.db.QueryContext(ctx, ReadChunk, stream, number)
	if err != nil {
		return room, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	if !rows.Next() {
		if err := rows.Err(); err != nil {
			return room, err
		}
		return room, sql.ErrNoRows
	}
	var chunk sql.RawBytes // not good for longer than the row
	if err := rows.Scan(&chunk); err != nil {
		return room, err
	}
	return append(room, chunk...), rows.Err()
}
