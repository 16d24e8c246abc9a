package queries

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path/filepath"
	"runtime"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/ncruces/go-sqlite3"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"vserver/schema"
	"vserver/service/private"
)

// Engine is the kind of database.
type Engine string

// The engines.
const (
	SQLite   Engine = "sqlite"
	Postgres Engine = "postgres"
)

// Source says where the data lies: a file for SQLite, a connection string for
// Postgres.
type Source struct {
	Engine Engine
	Path   string    // SQLite: the file, made when missing
	DSN    string    // Postgres: a URL as libpq takes it
	Pooler Pooler    // Postgres: what DSN leads through
	Direct string    // Postgres: one past every pooler, for what needs a session; empty: DSN
	VFS    string    // SQLite: a file system of the driver's register; empty for the machine's
	Seen   *Sighting // SQLite: what it was a moment ago; nil: it is looked at
}

// DB is an open database. Its queries read; writes go through InTx.
type DB struct {
	*Queries
	Engine Engine
	// Snapshot is the copy that was made because opening changed the schema; empty
	// when there was none to make, and for Postgres.
	Snapshot string
	// Restricted are the files that others could read before the opening, SQLite only.
	Restricted []string
	pool       *sql.DB // readers of SQLite, or all of Postgres
	// SQLite only: what the queries of the pool run on, the pool of the writer's
	// one connection, and the writer.
	reader *lite
	write  *sql.DB
	writer *writer
	kept   *answers
	// Postgres only: what is known of the way there, and how long a commit may take; 0: commitWait.
	line       *line
	commitWait time.Duration
	direct     *pgx.ConnConfig // what listens and migrates goes this way
}

// folderMode is that of a folder that is made for a database.
const folderMode = 0o750

// Open opens the database and brings its schema up to date. It refuses a database
// that a newer release has written, and with a ForeignError one that is of another program.
func Open(ctx context.Context, src Source) (*DB, error) {
	if _, err := RequireOwn(ctx, src); err != nil {
		return nil, Named(err)
	}
	if src.Engine == Postgres {
		return openPostgres(ctx, src)
	}
	return openSQLite(ctx, src)
}

// Close ends the writer after what it has begun, and closes all connections.
func (db *DB) Close() error {
	if db.writer != nil {
		return errors.Join(db.writer.close(), db.kept.close(), db.reader.close(), db.pool.Close(), db.write.Close())
	}
	return db.pool.Close()
}

// Commits counts those of SQLite; nil for Postgres.
func (db *DB) Commits() *CommitCount {
	if db.writer == nil {
		return nil
	}
	return &db.writer.done
}

// Ping reports whether the database answers, and can be written to as far as is known
// without writing.
func (db *DB) Ping(ctx context.Context) error {
	if db.writer != nil {
		if err := db.writer.at.gone(); err != nil {
			return err
		}
		if db.writer.lost.Load() {
			return errBroken
		}
	}
	err := db.pool.PingContext(ctx)
	if db.line != nil && db.line.broke(err) {
		err = db.pool.PingContext(ctx)
	}
	return err
}

func openSQLite(ctx context.Context, src Source) (*DB, error) {
	existed := filled(src.Path)
	if err := private.MakeFolder(filepath.Dir(src.Path), folderMode); err != nil {
		return nil, fmt.Errorf("making the folder of the database: %w", explained(err, src.Path))
	}
	at := &place{path: src.Path}
	write, err := openGuarded(sqliteDSN(src, "_txlock=immediate"), at)
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", src.Path, err)
	}
	write.SetMaxOpenConns(1)
	var kept string
	err = migrate(ctx, goose.DialectSQLite3, write, func(has int64) (err error) {
		if existed {
			kept, err = snapshot(ctx, src.Path, has)
		}
		return err
	})
	if err == nil {
		err = label(ctx, write)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", src.Path, Named(err)), write.Close())
	}
	restricted := makePrivate(src.Path) // not before it is known to be a database of this server
	w, err := newWriter(ctx, write, at)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening %s: %w", src.Path, Named(err)), write.Close())
	}
	pool, err := openGuarded(sqliteDSN(src, "_pragma=query_only(on)"), at)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("opening %s: %w", src.Path, Named(err)), w.close(), write.Close())
	}
	// More readers than this starve the writer.
	readers := max(4, runtime.GOMAXPROCS(0))
	pool.SetMaxOpenConns(readers + 1) // the one that looks for changes reads nothing else
	pool.SetMaxIdleConns(readers)
	reader := newLite(pool)
	return &DB{
		Queries: New(reader), Engine: SQLite, Snapshot: kept, Restricted: restricted,
		pool: pool, reader: reader, write: write, writer: w,
		kept: &answers{teller: &logIndex{pool: pool, at: at}, by: map[any]any{}},
	}, nil
}

// keepPlans has SQLite plan a statement once, whatever is bound to it. Without that it
// prepares most statements with a join anew at every execution.
func keepPlans(c *sqlite3.Conn) error {
	if _, err := c.Config(sqlite3.DBCONFIG_ENABLE_QPSG, true); err != nil {
		return fmt.Errorf("keeping the plans of statements: %w", err)
	}
	return nil
}

// sqliteDSN returns the address with the pragmas of each connection, the busy timeout first,
// because the others may have to wait already. What savepoints may have to undo stays
// in memory.
func sqliteDSN(src Source, more string) string {
	u := url.URL{Scheme: "file", Opaque: filepath.ToSlash(src.Path)}
	u.Opaque = (&url.URL{Path: u.Opaque}).EscapedPath()
	return u.String() + "?vfs=" + url.QueryEscape(registered(src.VFS)) + "&_pragma=busy_timeout(10000)&_pragma=journal_mode(wal)" +
		"&_pragma=synchronous(full)&_pragma=foreign_keys(on)&_pragma=temp_store(memory)&" + more
}

func openPostgres(ctx context.Context, src Source) (*DB, error) {
	way := &line{}
	settings, shared, err := way.settings(ctx, src.DSN, src.Pooler)
	if err != nil {
		return nil, err
	}
	direct := settings
	if src.Direct != "" {
		if direct, shared, err = way.settings(ctx, src.Direct, PoolerNoticed); err != nil {
			return nil, err
		}
	}
	if err := migratePostgres(ctx, direct, shared); err != nil {
		return nil, fmt.Errorf("postgres: %w", err)
	}
	pool := stdlib.OpenDB(*settings, way.options()...)
	conns := max(16, 4*runtime.GOMAXPROCS(0))
	pool.SetMaxOpenConns(conns)
	pool.SetMaxIdleConns(conns)
	asked := &lean{DBTX: reads{pool, way}}
	return &DB{
		Queries: New(asked), Engine: Postgres, pool: pool, line: way, direct: direct,
		kept: &answers{teller: snapshots{asked}, costly: true, by: map[any]any{}},
	}, nil
}

// migratePostgres brings the schema up to date past every pooler: its lock is one of a session.
func migratePostgres(ctx context.Context, direct *pgx.ConnConfig, shared bool) (err error) {
	pool := stdlib.OpenDB(*direct)
	defer func() { err = errors.Join(err, pool.Close()) }()
	if shared {
		has, err := postgresVersion(ctx, pool)
		knows := KnownSchema(Postgres)
		if err == nil && has < knows {
			err = errShared
		}
		return cmp.Or(err, tooNew(has, knows))
	}
	return migrate(ctx, goose.DialectPostgres, pool, func(has int64) error { return refuseWhileServed(ctx, pool, has) })
}

// migrate applies what is missing, after calling before with the version so far.
func migrate(ctx context.Context, d goose.Dialect, db *sql.DB, before func(has int64) error) error {
	p, err := provider(d, db)
	if err != nil {
		return err
	}
	has, err := p.GetDBVersion(ctx)
	if err != nil {
		// A table that cannot be read is taken for none there.
		if seen := db.QueryRowContext(ctx, appliedVersion).Scan(&has); damaged(seen) {
			err = seen
		}
		return fmt.Errorf("reading the version of the schema: %w", err)
	}
	sources := p.ListSources()
	knows := sources[len(sources)-1].Version
	if err := tooNew(has, knows); err != nil {
		return err
	}
	if has < knows && before != nil {
		if err := before(has); err != nil {
			return err
		}
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("bringing the schema up to date: %w", err)
	}
	if d == goose.DialectSQLite3 {
		return moveLongTexts(ctx, db)
	}
	return nil
}

func provider(d goose.Dialect, db *sql.DB) (*goose.Provider, error) {
	if d == goose.DialectSQLite3 {
		return goose.NewProvider(d, db, sub(schema.SQLite, "sqlite"))
	}
	// Replicas that start together take turns; so does a start with the last statement
	// of a migration that was killed. They look every second, for five minutes.
	l, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300), lock.WithUnlockTimeout(1, 60))
	if err != nil {
		return nil, fmt.Errorf("preparing the lock of the migrations: %w", err)
	}
	return goose.NewProvider(d, db, sub(schema.Postgres, "postgres"), goose.WithSessionLocker(l))
}

// sub returns a folder of embedded files, whose name is known to be right.
func sub(f fs.FS, dir string) fs.FS {
	s, err := fs.Sub(f, dir)
	if err != nil {
		panic(err)
	}
	return s
}
