package takeover

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"vserver/queries/dbtest"
)

// newPostgres puts the tables of a 3.x server into an empty database of Postgres.
func newPostgres(t *testing.T, change ...string) *patient {
	t.Helper()
	src := dbtest.ReferencePostgres(t)
	p := &patient{T: t}
	dbtest.ReferenceFacts(t, dbtest.Reference373Postgres, &p.told)
	conn, err := pgx.Connect(t.Context(), src.DSN)
	p.must(err)
	for _, statement := range change {
		if _, err := conn.Exec(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	p.must(conn.Close(t.Context()))
	p.configure(t.TempDir(), strings.Replace(src.DSN, "postgres://", "postgresql://", 1), "")
	return p
}

// oldSums are what the old tables hold, wherever they are.
func (p *patient) oldSums(schema string) string {
	p.Helper()
	var all []string
	for _, table := range []string{"organization", "collaboration", `"Member"`, "authenticatable", `"user"`, "node", "role", "rule", `"Permission"`, `"UserPermission"`, "role_rule_association", "task", "result", "algorithmport"} {
		rows := p.query(p.src(), fmt.Sprintf(`SELECT count(*), md5(string_agg(t::text, ',' ORDER BY t::text)) FROM %s.%s t`, schema, table))
		all = append(all, fmt.Sprint(table, rows))
	}
	return strings.Join(all, "\n")
}

// TestTablesOfPostgresAreTakenOverAndBack: the old tables are in another schema, as they were; everybody goes on; the way back
// leaves nothing of ours in their place.
func TestTablesOfPostgresAreTakenOverAndBack(t *testing.T) {
	p := newPostgres(t)
	before := p.oldSums("public")
	r := p.take(Options{})
	kept := strings.TrimPrefix(r.Kept, "schema ")
	if after := p.oldSums(kept); after != before {
		t.Errorf("the old tables were\n%s\nand are\n%s", before, after)
	}
	for _, c := range [][2]string{
		{`SELECT count(*) FROM information_schema.schemata WHERE schema_name = 'vserver_takeover'`, "[[0]]"},
		{`SELECT r.id FROM result r JOIN ` + kept + `.result o ON o.id = r.id LEFT JOIN payload p ON p.result_id = r.id
			WHERE (o.result IS NULL) <> (p.result IS NULL) OR p.result <> convert_to(o.result, 'UTF8')`, "[]"},
		{`SELECT convert_from(input, 'UTF8') LIKE '{"method": "x"%' FROM payload WHERE result_id = 17`, "[[true]]"},
		{`SELECT s.bytes = octet_length(o.input) FROM stream s JOIN ` + kept + `.result o ON o.id = s.result_id`, "[[true]]"},
		{`SELECT count(*), max(node_id) FROM node_old_key`, "[[13 38]]"},
		{`SELECT SUM(tasks)::bigint, SUM(results)::bigint FROM extent WHERE collaboration_id = 3`, "[[2 5]]"},
	} {
		if got := fmt.Sprint(p.query(p.src(), c[0])); got != c[1] {
			t.Errorf("%s: %s, want %s", c[0], got, c[1])
		}
	}
	p.goOn(false)
	p.exec(`UPDATE counter SET value = value - 10 WHERE name = 'taken_over'`, `INSERT INTO task (name, collaboration_id) VALUES ('new', 4)`)
	u, err := Back(t.Context(), p.inst)
	p.must(err)
	if got := fmt.Sprint(u.Left); got != "[{task 1 0}]" {
		t.Errorf("left out: %s", got)
	}
	if after := p.oldSums("public"); after != before {
		t.Errorf("after the way back the old tables are\n%s", after)
	}
	const ours = `SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relname LIKE ANY (ARRAY['goose%', 'payload%', 'secret%', 'event%', 'task_status'])
		UNION ALL SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace`
	if left := p.query(p.src(), ours); len(left) > 0 {
		t.Errorf("in the place of the old tables are %v", left)
	}
	p.take(Options{}) // and again
}

// TestTakeoverRefusesTablesInUse: another connection keeps it away, also one that holds a lock; nothing is left.
func TestTakeoverRefusesTablesInUse(t *testing.T) {
	p := newPostgres(t)
	conn, err := pgx.Connect(t.Context(), p.src().DSN)
	p.must(err)
	_, err = Do(t.Context(), p.inst, utc)
	if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("process %d of ", conn.PgConn().PID())) {
		t.Errorf("with another connection: %v", err)
	}
	p.must(conn.Close(t.Context()))
	if left := p.query(p.src(), `SELECT nspname FROM pg_namespace WHERE nspname LIKE 'v%'`); len(left) > 0 {
		t.Errorf("%v is left", left)
	}
}

// TestInterruptedTakeoverOfTablesChangesNothing: whatever the moment, the old tables are in their place or the new ones.
func TestInterruptedTakeoverOfTablesChangesNothing(t *testing.T) {
	p := newPostgres(t)
	before := p.oldSums("public")
	for _, after := range []time.Duration{30, 100, 200, 300, 450} {
		ctx, cancel := context.WithTimeout(t.Context(), after*time.Millisecond)
		r, err := Do(ctx, p.inst, utc)
		cancel()
		if err == nil {
			if p.oldSums(strings.TrimPrefix(r.Kept, "schema ")) != before {
				t.Error("the old tables have changed")
			}
			return
		}
		if p.oldSums("public") != before {
			t.Errorf("after %d ms the old tables have changed: %v", after, err)
		}
	}
	p.take(Options{})
}
