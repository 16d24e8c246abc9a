package queries

import (
	"context"
	"database/sql"
	"encoding/binary"
	"fmt"
	"io"
	"os"
)

const (
	// ownLabel is the application_id in the head of this program's SQLite files: "vsrv".
	ownLabel = 0x76737276
	// labelPlace is where the head has it.
	labelPlace = 68
)

// labelled reports whether a file bears the label of this program, by which a start knows it without reading its schema.
// A file that bears it has had it since the database was opened for the first time, in the log or not.
func labelled(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }()
	head := make([]byte, labelPlace+4)
	_, err = io.ReadFull(f, head)
	return err == nil && string(head[:len(liteMagic)]) == liteMagic && binary.BigEndian.Uint32(head[labelPlace:]) == ownLabel
}

// label gives a database its label.
func label(ctx context.Context, write *sql.DB) error {
	var has int64
	err := write.QueryRowContext(ctx, "PRAGMA application_id").Scan(&has)
	if err == nil && has != ownLabel {
		_, err = write.ExecContext(ctx, fmt.Sprintf("PRAGMA application_id=%d", ownLabel))
	}
	if err != nil {
		return fmt.Errorf("labelling the database: %w", err)
	}
	return nil
}
