package queries

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// oldOctets is what an input looks like that was sent as a JSON object: the bytes of its text in hex.
const oldOctets = `^\\x7b(22|7d)([0-9a-f][0-9a-f])*$`

// oldBytes are the bytes of a text there.
func oldBytes(part string) string {
	if part == "input" {
		return `CASE WHEN input ~ '` + oldOctets + `' THEN decode(substr(input, 3), 'hex') ELSE convert_to(input, 'UTF8') END`
	}
	return "convert_to(" + part + ", 'UTF8')"
}

// oldPostgres reads a 3.x server's tables in one transaction.
type oldPostgres struct{ conn *pgx.Conn }

// takeoverName is that of our connections among those of a database.
const takeoverName = "vserver takeover"

func (o *Old) openPostgres(ctx context.Context, dsn string, hold bool) error {
	conn, err := connectAs(ctx, dsn, takeoverName)
	if err != nil {
		return err
	}
	o.from = &oldPostgres{conn}
	if err := o.begin(ctx, conn, hold); err != nil {
		return errors.Join(err, conn.Close(context.WithoutCancel(ctx)))
	}
	return nil
}

// connectAs makes one connection with a name.
func connectAs(ctx context.Context, dsn, name string) (*pgx.Conn, error) {
	settings, err := postgresConfig(dsn)
	if err != nil {
		return nil, err
	}
	settings.RuntimeParams["application_name"] = name
	settings.RuntimeParams["jit"] = "off"
	conn, err := pgx.ConnectConfig(ctx, settings)
	if err != nil {
		return nil, fmt.Errorf("connecting to Postgres: %w", err)
	}
	return conn, nil
}

func (o *Old) begin(ctx context.Context, conn *pgx.Conn, hold bool) error {
	begin := "BEGIN ISOLATION LEVEL REPEATABLE READ"
	if !hold {
		begin += " READ ONLY"
	}
	if _, err := conn.Exec(ctx, begin+"; SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL lock_timeout = '10s'"); err != nil {
		return fmt.Errorf("beginning to read the old database: %w", err)
	}
	const tables = `SELECT c.relname, a.attname, current_schema(), pg_database_size(current_database())
		FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
		WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum`
	err := o.from.scan(ctx, tables, func(values []any) error {
		name, column := values[0].(string), values[1].(string)
		lower := strings.ToLower(name)
		o.names[lower] = name
		o.columns[lower] = append(o.columns[lower], column)
		o.Schema, o.Bytes = values[2].(string), values[3].(int64)
		return nil
	})
	if err != nil {
		return fmt.Errorf("looking at the old tables: %w", err)
	}
	if !hold {
		return nil
	}
	// Its readers go on; whoever wants to write waits, and finds the new tables.
	if _, err := conn.Exec(ctx, "LOCK TABLE "+strings.Join(o.oldTables(), ", ")+" IN SHARE ROW EXCLUSIVE MODE NOWAIT"); err != nil {
		var pg *pgconn.PgError
		if errors.As(err, &pg) && pg.Code == "55P03" {
			return fmt.Errorf("%w: somebody writes to its tables", ErrInUse)
		}
		return fmt.Errorf("keeping others from the old tables: %w", err)
	}
	return nil
}

// oldTables are those that are there, as a statement names them, sorted.
func (o *Old) oldTables() (list []string) {
	for _, name := range OldTables {
		if o.Has(name, "") {
			list = append(list, o.named(name))
		}
	}
	slices.Sort(list)
	return list
}

func (p *oldPostgres) end() error { return p.conn.Close(context.Background()) }

func (p *oldPostgres) scan(ctx context.Context, query string, each func([]any) error) error {
	rows, err := p.conn.Query(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		values, err := rows.Values()
		if err != nil {
			return err
		}
		for i, v := range values {
			switch v := v.(type) {
			case int16:
				values[i] = int64(v)
			case int32:
				values[i] = int64(v)
			case float32:
				values[i] = float64(v)
			}
		}
		if err := each(values); err != nil {
			return err
		}
	}
	return rows.Err()
}

// compareInPostgres compares texts where they are, some thousand results at a time.
func (o *Old) compareInPostgres(ctx context.Context, fresh oldReader, progress func(int64)) error {
	return o.inSteps(ctx, func(from, to, done int64) error {
		for _, part := range OldParts {
			if !o.Has("result", part) {
				continue
			}
			query := fmt.Sprintf(`SELECT r.id FROM (SELECT id, %[2]s AS was FROM %[1]s WHERE id > %[4]d AND id <= %[5]d) r
				LEFT JOIN payload p ON p.result_id = r.id LEFT JOIN stream s ON s.result_id = r.id AND s.part = '%[3]s'
				WHERE CASE WHEN s.id IS NULL THEN p.%[3]s IS DISTINCT FROM r.was
					ELSE sha256(r.was) IS DISTINCT FROM (SELECT sha256(string_agg(c.bytes, ''::bytea ORDER BY c.number)) FROM chunk c WHERE c.stream_id = s.id) END LIMIT 1`,
				o.placed("result"), oldBytes(part), part, from, to)
			err := fresh.scan(ctx, query, func(v []any) error {
				return fmt.Errorf("%w: the %s of result %d", errOther, part, v[0])
			})
			if err != nil {
				return err
			}
		}
		progress(done)
		return nil
	})
}

// placed names a table with its schema.
func (o *Old) placed(table string) string { return quotedName(o.Schema) + "." + o.named(table) }

// inSteps calls a function with bounds between which some thousand results are, and how many are done after them.
func (o *Old) inSteps(ctx context.Context, do func(from, to, done int64) error) error {
	const many = 5000
	var bounds []int64
	query := fmt.Sprintf(`SELECT id FROM (SELECT id, row_number() OVER (ORDER BY id) AS n, count(*) OVER () AS all_of FROM %s) q
		WHERE n %% %d = 0 OR n = all_of ORDER BY id`, o.named("result"), many)
	err := o.read(ctx, query, func(v []any) error {
		bounds = append(bounds, v[0].(int64))
		return nil
	})
	from := int64(-1 << 62)
	for i, to := range bounds {
		if err != nil {
			break
		}
		err = do(from, to, int64(i+1)*many)
		from = to
	}
	return err
}
