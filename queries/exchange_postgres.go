package queries

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// stagingSchema is where the new tables are built on Postgres, beside the old ones.
const stagingSchema = "vserver_takeover"

// Staged is a source on Postgres whose tables are built beside those that are in use.
func Staged(src Source) Source {
	return Source{Engine: Postgres, DSN: withOption(src.DSN, "search_path", stagingSchema)}
}

// Stage makes an empty schema for new tables; one that was left there goes.
func Stage(ctx context.Context, src Source) error {
	err := Unstage(ctx, src)
	if err == nil {
		err = command(ctx, src.DSN, `CREATE SCHEMA `+stagingSchema)
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == "42501" {
		settings, _ := postgresConfig(src.DSN) // it was read before
		return fmt.Errorf(`the account %[1]s may not make a schema in the database %[2]s: have its owner run GRANT CREATE ON DATABASE %[3]s TO %[4]s: %[5]w`,
			settings.User, settings.Database, quotedName(settings.Database), quotedName(settings.User), err)
	}
	if err != nil {
		return fmt.Errorf("making room for the new tables: %w", err)
	}
	return nil
}

// Unstage removes what Stage made with all that is in it.
func Unstage(ctx context.Context, src Source) error {
	if err := command(ctx, src.DSN, `DROP SCHEMA IF EXISTS `+stagingSchema+` CASCADE`); err != nil {
		return fmt.Errorf("removing the schema %s: %w", stagingSchema, err)
	}
	return nil
}

// OthersOf names who else is connected to a database of Postgres; it is empty for nobody.
func OthersOf(ctx context.Context, src Source) (who string, err error) {
	conn, err := connectAs(ctx, src.DSN, takeoverName)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	const others = `SELECT COALESCE(string_agg(format('process %s of %s from %s%s', pid, usename, COALESCE(host(client_addr), 'this machine'),
			CASE WHEN application_name = '' THEN '' ELSE ' (' || application_name || ')' END), ', ' ORDER BY pid), '')
		FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
			AND application_name <> '` + takeoverName + `'`
	return stillConnected(ctx, func() (who string, err error) {
		err = conn.QueryRow(ctx, others).Scan(&who)
		return who, err
	})
}

// move is what has tables, views, functions, enums and sequences change their schema. Sequences and indexes of a table go with it.
const movable = `SELECT format('ALTER %s %I.%I SET SCHEMA ', CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, n.nspname, c.relname)
	FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
	WHERE n.nspname = $1 AND c.relkind IN ('r', 'v', 'S') AND ($2 = '' OR c.relname = ANY (string_to_array($2, ',')))
		AND NOT (c.relkind = 'S' AND EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.deptype IN ('a', 'i') AND d.classid = 'pg_class'::regclass))
	UNION ALL SELECT format('ALTER FUNCTION %I.%I(%s) SET SCHEMA ', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid))
	FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = $1 AND ($2 = '' OR p.proname = ANY (string_to_array($2, ',')))
	UNION ALL SELECT format('ALTER TYPE %I.%I SET SCHEMA ', n.nspname, t.typname)
	FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE n.nspname = $1 AND t.typtype = 'e' AND ($2 = '' OR t.typname = ANY (string_to_array($2, ',')))`

// moves are the statements that move what has one of some names, or all of a schema, but for where to.
func moves(ctx context.Context, conn *pgx.Conn, from, names string) ([]string, error) {
	rows, err := conn.Query(ctx, movable, from, names)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// moveAll moves what has one of some names, or all of a schema, to another one. The catalog is asked on a connection that
// sees what there is now.
func moveAll(ctx context.Context, sees, conn *pgx.Conn, from, to, names string) error {
	statements, err := moves(ctx, sees, from, names)
	for _, statement := range statements {
		if err == nil {
			_, err = conn.Exec(ctx, statement+quotedName(to))
		}
	}
	return err
}

// Exchange puts the new tables in the place of the old ones, which then stand in another schema, in the one
// transaction that has been reading them. It returns the name of that schema. Until it ends nothing has changed.
func (o *Old) Exchange(ctx context.Context, src Source, name string) (_ string, err error) {
	p, ok := o.from.(*oldPostgres)
	if !ok {
		return "", errors.New("the old database is no schema of Postgres")
	}
	// The transaction that has been reading sees the catalog as it was at its begin.
	sees, err := connectAs(ctx, src.DSN, takeoverName)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, sees.Close(context.WithoutCancel(ctx))) }()
	if name, err = unusedSchema(ctx, sees, name); err != nil {
		return name, err
	}
	var names []string
	for _, table := range OldTables {
		if o.Has(table, "") {
			names = append(names, o.names[strings.ToLower(table)], table+"_id_seq")
		}
	}
	names = append(names, "operation", "scope")
	steps := []func() error{
		func() error { _, err := p.conn.Exec(ctx, "CREATE SCHEMA "+quotedName(name)); return err },
		func() error { return moveAll(ctx, sees, p.conn, o.Schema, name, strings.Join(names, ",")) },
		func() error { return moveAll(ctx, sees, p.conn, stagingSchema, o.Schema, "") },
		func() error { _, err := p.conn.Exec(ctx, "DROP SCHEMA "+stagingSchema); return err },
		func() error { _, err := p.conn.Exec(ctx, "COMMIT"); return err },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return name, fmt.Errorf("putting the new tables in the place of the old ones: %w", err)
		}
	}
	return name, nil
}

// unusedSchema makes a name for a schema that is not there.
func unusedSchema(ctx context.Context, conn *pgx.Conn, name string) (string, error) {
	for n := 1; ; n++ {
		free := name
		if n > 1 {
			free = fmt.Sprintf("%s_%d", name, n)
		}
		var there bool
		if err := conn.QueryRow(ctx, "SELECT EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = $1)", free).Scan(&there); err != nil {
			return "", fmt.Errorf("looking for a schema: %w", err)
		}
		if !there {
			return free, nil
		}
	}
}

// AddTextsOf adds the inputs, results and logs of an old database on Postgres, which never leave it. Nothing else can be
// added after it.
func (l *Loader) AddTextsOf(ctx context.Context, old *Old, progress func(done int64)) error {
	s, ok := l.into.(*postgresSink)
	if !ok {
		return errors.New("texts go from Postgres to Postgres only")
	}
	if err := s.settle(); err != nil {
		return err
	}
	if err := old.inSteps(ctx, func(from, to, done int64) error {
		progress(done)
		return l.copyShort(ctx, s.conn, old, from, to)
	}); err != nil {
		return fmt.Errorf("carrying texts: %w", err)
	}
	for _, part := range OldParts {
		if err := l.copyLong(ctx, s.conn, old, part); err != nil {
			return fmt.Errorf("carrying long texts: %w", err)
		}
	}
	return nil
}

// copyShort adds the rows of texts of some results.
func (l *Loader) copyShort(ctx context.Context, conn *pgx.Conn, old *Old, from, to int64) error {
	var texts []string
	for _, part := range OldParts {
		text := "NULL"
		if old.Has("result", part) {
			text = fmt.Sprintf("CASE WHEN octet_length(%[1]s) <= %[2]d THEN %[1]s END", oldBytes(part), ShortText)
		}
		texts = append(texts, text)
	}
	tag, err := conn.Exec(ctx, fmt.Sprintf("INSERT INTO payload (result_id, input, result, log) SELECT id, %s FROM %s WHERE id > %d AND id <= %d",
		strings.Join(texts, ", "), old.placed("result"), from, to))
	for _, t := range l.tables {
		if t.Name == "payload" {
			t.Rows += tag.RowsAffected()
		}
	}
	return err
}

// copyLong adds the texts of a column that are too long for a row. Each is unpacked once.
func (l *Loader) copyLong(ctx context.Context, conn *pgx.Conn, old *Old, part string) error {
	if !old.Has("result", part) {
		return nil
	}
	rows, err := conn.Query(ctx, fmt.Sprintf("SELECT id, octet_length(%[1]s) FROM %[2]s WHERE octet_length(%[3]s) > %[4]d AND octet_length(%[1]s) > %[4]d",
		oldBytes(part), old.placed("result"), part, ShortText))
	if err != nil {
		return err
	}
	long, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (text [2]int64, err error) { return text, row.Scan(&text[0], &text[1]) })
	for _, text := range long {
		if err != nil {
			break
		}
		l.streams++
		_, err = conn.Exec(ctx, fmt.Sprintf(`DO $$ DECLARE whole BYTEA; BEGIN
			SELECT %[1]s || ''::bytea INTO whole FROM %[2]s WHERE id = %[3]d;
			INSERT INTO chunk (stream_id, number, bytes)
			SELECT %[4]d, n, substr(whole, n::integer * %[5]d + 1, %[5]d) FROM generate_series(0, (octet_length(whole) - 1) / %[5]d) AS n;
			INSERT INTO stream (id, result_id, part, bytes, touched_at) VALUES (%[4]d, %[3]d, '%[6]s', octet_length(whole), TIMESTAMPTZ 'epoch');
		END $$`, oldBytes(part), old.placed("result"), text[0], l.streams, pieceBytes, part))
		l.stream.Rows++
		l.chunk.Rows += (text[1]-1)/pieceBytes + 1
	}
	return err
}
