package queries

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"runtime"
	"strconv"
	"sync"
)

// logIndex tells the versions of an SQLite database by the head of the index of its log, which SQLite writes last of
// all in a commit, with a number that rises and a checksum, and looks at itself for commits of others
// (https://sqlite.org/walformat.html#the_wal_index_header). Where the driver has a copy of the index for itself, a
// connection is asked.
type logIndex struct {
	pool *sql.DB
	at   *place

	mu   sync.Mutex
	conn *sql.Conn // as long as it is there nobody removes the log and its index; nil before the first question
	file *os.File  // nil: the connection is asked
	made int       // connections, each of which numbers versions by itself
}

// indexHead is the length of the head.
const indexHead = 48

func (l *logIndex) version(ctx context.Context) (version string, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.conn == nil {
		err = l.connect(ctx)
	}
	if err == nil {
		version, err = l.read(ctx)
	}
	if err != nil {
		_ = l.leave()
	}
	return version, err
}

func (l *logIndex) connect(ctx context.Context) (err error) {
	l.made++
	if l.conn, err = l.pool.Conn(ctx); err != nil {
		return err
	}
	if _, err = l.read(ctx); err != nil { // it has not looked into the log before
		return err
	}
	if runtime.GOOS != "linux" && runtime.GOOS != "darwin" {
		return nil
	}
	file, err := os.Open(l.at.path + shmSuffix)
	if err != nil {
		return err
	}
	if !l.at.has(file) {
		return errors.Join(ErrGone, file.Close())
	}
	l.file = file
	return nil
}

func (l *logIndex) read(ctx context.Context) (version string, err error) {
	if l.file == nil {
		err = l.conn.QueryRowContext(ctx, "PRAGMA data_version").Scan(&version)
		return strconv.Itoa(l.made) + " " + version, err
	}
	head := make([]byte, indexHead)
	_, err = l.file.ReadAt(head, 0)
	return string(head), err
}

func (l *logIndex) close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.leave()
}

// leave gives the connection up.
func (l *logIndex) leave() (err error) {
	if l.file != nil {
		err = l.file.Close()
	}
	if l.conn != nil {
		err = errors.Join(err, l.conn.Close())
	}
	l.conn, l.file = nil, nil
	return err
}

// snapshots tells the versions of a Postgres database by which transactions a query sees: whoever commits was under way
// or not begun before. Other primaries number transactions by themselves, and have another timeline.
type snapshots struct{ on DBTX }

const seenNow = `SELECT left(pg_walfile_name(pg_current_wal_lsn()), 8) || ' ' || pg_current_snapshot()`

func (s snapshots) version(ctx context.Context) (version string, err error) {
	err = s.on.QueryRowContext(ctx, seenNow).Scan(&version)
	return version, err
}

func (snapshots) close() error { return nil }
