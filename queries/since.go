package queries

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"
)

// takenOverID is the counter that has the highest id that a table had at a takeover.
func takenOverID(table string) string { return TakenOver + "." + table }

// TakeoverCounters are the counters that tell later what was there at a takeover.
func TakeoverCounters(highest map[string]int64, mode uint32) map[string]int64 {
	counters := map[string]int64{takenOverID("mode"): int64(mode)}
	for table, id := range highest {
		counters[takenOverID(table)] = id
	}
	return counters
}

// sinceTables are what may have rows that were made since a takeover, and how to tell. Results that were there may have
// been started, ended or answered since.
var sinceTables = []struct{ table, columns, where string }{
	{"organization", "*", "id > {id}"},
	{"collaboration", "*", "id > {id}"},
	{"member", "*", "organization_id > {organization} OR collaboration_id > {collaboration}"},
	{"role", "*", "id > {id} AND organization_id IS NOT NULL"},
	{"user", "id, username, firstname, lastname, email, organization_id", "id > {id}"},
	{"node", "id, name, organization_id, collaboration_id", "id > {id}"},
	{"task", "*", "id > {id}"},
	{"result", "*", sinceResults},
	{"payload", "*", "result_id IN (SELECT id FROM result WHERE " + sinceResults + ")"},
	{"stream", "*", "result_id IN (SELECT id FROM result WHERE " + sinceResults + ")"},
	{"chunk", "*", "stream_id IN (SELECT id FROM stream WHERE result_id IN (SELECT id FROM result WHERE " + sinceResults + "))"},
	{"algorithmport", "*", "id > {id}"},
}

const sinceResults = "id > {result} OR started_at > {at} OR finished_at > {at}"

// Since calls a function with the rows that were made since a takeover, and returns the mode that the old file had.
func Since(ctx context.Context, src Source, each func(table string, row map[string]any) error) (mode uint32, err error) {
	from, err := openFresh(ctx, src)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, from.end()) }()
	counters := map[string]int64{}
	err = from.scan(ctx, "SELECT name, value FROM counter", func(v []any) error {
		counters[v[0].(string)] = v[1].(int64)
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("reading when the database was taken over: %w", err)
	}
	at, taken := counters[TakenOver]
	if !taken {
		return 0, errors.New("the database was not taken over from a 3.x server: there is nothing to undo")
	}
	moment := fmt.Sprintf("to_timestamp(%d)", at)
	if src.Engine == SQLite {
		moment = fmt.Sprintf("strftime('%%Y-%%m-%%dT%%H:%%M:%%f000Z', %d, 'unixepoch')", at)
	}
	for _, t := range sinceTables {
		id := counters[takenOverID(t.table)]
		if t.table == "user" || t.table == "node" {
			id = counters[takenOverID("authenticatable")]
		}
		fill := []string{"{id}", fmt.Sprint(id), "{at}", moment}
		for _, table := range []string{"organization", "collaboration", "result"} {
			fill = append(fill, "{"+table+"}", fmt.Sprint(counters[takenOverID(table)]))
		}
		where := strings.NewReplacer(fill...).Replace(t.where)
		if err := rowsOf(ctx, from, t.table, t.columns, where, each); err != nil {
			return 0, err
		}
	}
	return uint32(counters[takenOverID("mode")]), nil //nolint:gosec // it was one
}

// rowsOf calls a function with rows of a table, by the names of their columns.
func rowsOf(ctx context.Context, from oldReader, table, columns, where string, each func(string, map[string]any) error) error {
	names, err := columnNames(ctx, from, table)
	if columns != "*" {
		names = strings.Split(columns, ", ")
	}
	if err != nil {
		return err
	}
	list := make([]string, len(names))
	for i, n := range names {
		list[i] = quotedName(n)
	}
	query := "SELECT " + strings.Join(list, ", ") + " FROM " + quotedName(table) + " WHERE " + where
	err = from.scan(ctx, query, func(v []any) error {
		row := map[string]any{}
		for i, n := range names {
			row[n] = v[i]
			if b, ok := v[i].([]byte); ok && table == "payload" && utf8.Valid(b) {
				row[n] = string(b)
			}
		}
		return each(table, row)
	})
	if err != nil {
		return fmt.Errorf("reading table %s: %w", table, err)
	}
	return nil
}

func columnNames(ctx context.Context, from oldReader, table string) (names []string, err error) {
	query := "SELECT name FROM pragma_table_info(" + quotedText(table) + ")"
	if _, lite := from.(*freshLite); !lite {
		query = "SELECT attname::text FROM pg_attribute WHERE attrelid = " + quotedText(quotedName(table)) + "::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum"
	}
	err = from.scan(ctx, query, func(v []any) error {
		names = append(names, v[0].(string))
		return nil
	})
	return names, err
}

// Settle has an SQLite file be one file that nobody has open; the error is ErrInUse when somebody has.
func Settle(path string) error {
	c, err := alone(path)
	if err != nil {
		return busy(err)
	}
	return c.Close()
}

// InSchema is a connection string whose tables are in a schema.
func InSchema(dsn, schema string) string { return withOption(dsn, "search_path", schema) }

// KeptSchema finds the newest schema that a takeover has kept old tables in.
func KeptSchema(ctx context.Context, src Source) (name string, err error) {
	conn, err := connectAs(ctx, src.DSN, takeoverName)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	const kept = `SELECT COALESCE(MAX(n.nspname::text), '') FROM pg_namespace n JOIN pg_class c ON c.relnamespace = n.oid
		WHERE n.nspname LIKE 'v3\_%' AND c.relname = 'role_rule_association'`
	if err := conn.QueryRow(ctx, kept).Scan(&name); err != nil {
		return "", fmt.Errorf("looking for the old tables: %w", err)
	}
	if name == "" {
		return "", errors.New("there is no schema v3_… with the tables of a 3.x server to go back to")
	}
	return name, nil
}

// ownNames are the tables, views, functions and sequences of this program.
const ownNames = "secret,counter,organization,collaboration,member,authenticatable,user,node,nodeconfig,role,rule,user_role,user_rule,role_rule," +
	"task,result,payload,algorithmport,failed_login,stream,chunk,recovery,recovery_request,mail,recovery_code,leftover,node_old_key,event," +
	"goose_db_version,place_result,move_results,keep_task_status,extent,extent_of_tasks,extent_move,keep_run," +
	"tally,tally_gone_tasks,tally_changed_task,tally_gone_results,tally_changed_result,move_events,run_number,replica,message,attendance," +
	"request_key,name_page,renamed,note_gone_names,note_renamed,forget_names"

// ExchangeBack puts old tables from a schema in the place of ours, which then stand in another one, in one transaction.
// It returns the name of that.
func ExchangeBack(ctx context.Context, src Source, from, name string) (_ string, err error) {
	conn, err := connectAs(ctx, src.DSN, takeoverName)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	if name, err = unusedSchema(ctx, conn, name); err != nil {
		return name, err
	}
	err = pgx.BeginFunc(ctx, conn, func(pgx.Tx) error {
		var schema string
		if err := conn.QueryRow(ctx, "SELECT current_schema()").Scan(&schema); err != nil {
			return err
		}
		if _, err := conn.Exec(ctx, "SET LOCAL lock_timeout = '10s'; CREATE SCHEMA "+quotedName(name)); err != nil {
			return err
		}
		if err := moveAll(ctx, conn, conn, schema, name, ownNames); err != nil {
			return err
		}
		if err := moveAll(ctx, conn, conn, from, schema, ""); err != nil {
			return err
		}
		_, err := conn.Exec(ctx, "DROP SCHEMA "+quotedName(from))
		return err
	})
	if err != nil {
		return name, fmt.Errorf("putting the old tables in their place: %w", err)
	}
	return name, nil
}
