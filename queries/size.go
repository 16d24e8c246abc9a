package queries

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// Size is how many bytes a database has on its disk, for SQLite with the files beside it.
func (db *DB) Size(ctx context.Context, src Source) (int64, error) {
	if db.Engine == Postgres {
		var n int64
		if err := db.pool.QueryRowContext(ctx, "SELECT pg_database_size(current_database())").Scan(&n); err != nil {
			return 0, fmt.Errorf("asking for the size of the database: %w", err)
		}
		return n, nil
	}
	var sum int64
	for _, end := range []string{"", "-wal", "-shm"} {
		info, err := os.Stat(src.Path + end)
		switch {
		case err == nil:
			sum += info.Size()
		case !errors.Is(err, fs.ErrNotExist):
			return 0, fmt.Errorf("looking at the size of the database: %w", err)
		}
	}
	return sum, nil
}
