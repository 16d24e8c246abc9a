package queries

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// copyMark is a table that stands in a schema of Postgres while a copy fills it.
const copyMark = "vserver_copy_unfinished"

// copyLock is the number of the lock of who fills a database.
const copyLock = 0x7673_636f_7079 // "vscopy"

// intoPostgres fills an empty schema that is marked until the copy is proven.
func (c *copying) intoPostgres(ctx context.Context, to Source) (err error) {
	id, err := Identify(ctx, to)
	switch {
	case err != nil:
		return err
	case id.Kind == KindOurs:
		return &FullError{placeOf(to)}
	case id.Kind != KindEmpty && id.Kind != KindUnfinished:
		return &ForeignError{id, placeOf(to)}
	}
	settings, err := postgresConfig(to.DSN)
	if err != nil {
		return err
	}
	conn, err := pgx.ConnectConfig(ctx, settings)
	if err != nil {
		return fmt.Errorf("connecting to Postgres: %w", err)
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	var alone bool
	if err := conn.QueryRow(ctx, "SELECT pg_try_advisory_lock($1)", int64(copyLock)).Scan(&alone); err != nil {
		return fmt.Errorf("asking for the lock of copies: %w", err)
	}
	if !alone {
		return fmt.Errorf("%s: another copy into it is under way", placeOf(to))
	}
	if err := begin(ctx, conn); err != nil {
		return fmt.Errorf("preparing %s: %w", placeOf(to), err)
	}
	if err := c.fill(ctx, to); err != nil {
		return errors.Join(err, clearSchema(context.WithoutCancel(ctx), conn))
	}
	if _, err := conn.Exec(ctx, "DROP TABLE "+copyMark); err != nil {
		return fmt.Errorf("taking the mark of an unfinished copy away: %w", err)
	}
	return nil
}

// begin removes what a copy that was cut off left, and marks the schema.
func begin(ctx context.Context, conn *pgx.Conn) error {
	if err := clearSchema(ctx, conn); err != nil {
		return err
	}
	_, err := conn.Exec(ctx, "CREATE TABLE "+copyMark+" (since TIMESTAMPTZ NOT NULL DEFAULT now())")
	return err
}

// clearSchema removes what stands in a schema that is marked, which was empty before the mark. Without it
// nothing is removed. The mark goes last, in one transaction.
func clearSchema(ctx context.Context, conn *pgx.Conn) error {
	_, err := conn.Exec(ctx, `DO $$ DECLARE gone text; BEGIN
		IF to_regclass(format('%I.`+copyMark+`', current_schema())) IS NULL THEN RETURN; END IF;
		FOR gone IN SELECT DISTINCT format('DROP FUNCTION %s CASCADE', CAST(t.tgfoid AS regprocedure)) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
			WHERE NOT t.tgisinternal AND c.relnamespace = CAST(current_schema() AS regnamespace) LOOP EXECUTE gone; END LOOP;
		FOR gone IN SELECT format('DROP %s IF EXISTS %I.%I CASCADE', CASE c.relkind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END, current_schema(), c.relname)
			FROM pg_class c WHERE c.relkind IN ('r', 'v') AND c.relnamespace = CAST(current_schema() AS regnamespace)
				AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = CAST('pg_class' AS regclass) AND d.objid = c.oid AND d.deptype = 'e')
			LOOP EXECUTE gone; END LOOP;
	END $$`)
	if err != nil {
		return fmt.Errorf("removing an unfinished copy: %w", err)
	}
	return nil
}

// OthersConnected counts the connections of others to a database of Postgres; 0 for SQLite.
func OthersConnected(ctx context.Context, src Source) (n int, err error) {
	if src.Engine != Postgres {
		return 0, nil
	}
	db, err := openPostgresPool(src.DSN)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	return stillConnected(ctx, func() (n int, err error) {
		err = db.QueryRowContext(ctx, othersConnected).Scan(&n)
		return n, err
	})
}

const (
	// A connection is seen for a moment after its client has gone: so long it is looked whether that was all.
	goneWithin = 3 * time.Second
	gonePause  = 50 * time.Millisecond
)

// stillConnected looks who uses a database, until that is nobody or it is clear that somebody does.
func stillConnected[T comparable](ctx context.Context, look func() (T, error)) (who T, err error) {
	var nobody T
	for end := time.Now().Add(goneWithin); ; {
		if who, err = look(); err != nil {
			return who, fmt.Errorf("looking who uses the database: %w", err)
		}
		if who == nobody || time.Now().After(end) {
			return who, nil
		}
		select {
		case <-time.After(gonePause):
		case <-ctx.Done():
			return who, fmt.Errorf("looking who uses the database: %w", ctx.Err())
		}
	}
}

// othersConnected counts the connections of others.
const othersConnected = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
