package queries

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"os"
	"strings"
	"testing"
)

// asked keeps the last query with its arguments, as it reaches the driver.
type asked struct {
	DBTX
	query string
	args  []any
}

func (a *asked) QueryContext(ctx context.Context, q string, args ...any) (*sql.Rows, error) {
	a.query, a.args = q, args
	return a.DBTX.QueryContext(ctx, q, args...)
}

func (a *asked) QueryRowContext(ctx context.Context, q string, args ...any) *sql.Row {
	a.query, a.args = q, args
	return a.DBTX.QueryRowContext(ctx, q, args...)
}

// TestFilteredListsAreReadByIndexOnPostgres reads plans of lists whose rows lie behind many newer ones, with statistics and
// without: the index of the filter is read in order, nothing is sorted.
func TestFilteredListsAreReadByIndexOnPostgres(t *testing.T) {
	if os.Getenv("VSERVER_TEST_POSTGRES") == "" {
		t.Skip("needs Postgres")
	}
	dsn, remove, err := Scratch(t.Context(), os.Getenv("VSERVER_TEST_POSTGRES"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = remove(context.WithoutCancel(t.Context())) })
	db, err := Open(t.Context(), Source{Engine: Postgres, DSN: dsn})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	for _, s := range []string{
		`ALTER TABLE task DISABLE TRIGGER USER`, `ALTER TABLE result DISABLE TRIGGER USER`,
		`INSERT INTO organization (id, name) SELECT i, 'o' || i FROM generate_series(2, 21) AS i`,
		`INSERT INTO collaboration (id, name, encrypted) SELECT i, 'c' || i, FALSE FROM generate_series(1, 20) AS i`,
		`INSERT INTO task (id, name, collaboration_id, initiator_id, status) SELECT i, 't', 1 + i % 20, CASE WHEN i < 1500 THEN 2 ELSE 3 + i % 18 END,
			CASE WHEN i < 1500 THEN 'failed' ELSE 'completed' END FROM generate_series(1, 30000) AS i`,
		`INSERT INTO result (id, task_id, organization_id, collaboration_id, status) SELECT i, i, CASE WHEN i < 1500 THEN 2 ELSE 3 + i % 18 END, 1 + i % 20, 'completed'
			FROM generate_series(1, 30000) AS i`,
	} {
		if _, err := db.pool.ExecContext(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
	a := &asked{DBTX: db.pool}
	q := New(&lean{DBTX: a})
	status, id, within, far := "failed", int64(2), `{"1":0,"7":0}`, int64(math.MaxInt64)
	for _, statistics := range []string{"absent", "present"} {
		if statistics == "present" {
			if _, err := db.pool.ExecContext(t.Context(), "ANALYZE"); err != nil {
				t.Fatal(err)
			}
		}
		for _, c := range []struct {
			index string
			read  func() error
		}{
			{"task_status", func() error {
				_, err := q.Led("status").ListTasks(t.Context(), ListTasksParams{Status: &status, Before: &far, Lim: 10})
				return err
			}},
			{"task_status", func() error {
				_, err := q.Led("status").ListTasks(t.Context(), ListTasksParams{Status: &status, Within: &within, Before: &far, Lim: 10})
				return err
			}},
			{"task_initiator", func() error {
				_, err := q.Led("initiator_id").ListTasks(t.Context(), ListTasksParams{InitiatorID: &id, Within: &within, Before: &far, Lim: 10})
				return err
			}},
			{"result_organization", func() error {
				_, err := q.Led("organization_id").ListResults(t.Context(), ListResultsParams{OrganizationID: &id, Before: &far, Lim: 10})
				return err
			}},
			{"task_status", func() error {
				_, err := q.Led("status").Seek(t.Context(), ListTasks, ListTasksParams{Status: &status, Before: &far}, 10, true)
				return err
			}},
		} {
			if err := c.read(); err != nil {
				t.Fatal(err)
			}
			plan := planOf(t, db.pool, a)
			if !strings.Contains(plan, "using "+c.index+" on ") || strings.Contains(plan, "Sort") {
				t.Errorf("statistics %s: not by %s:\n%s\n%s", statistics, c.index, plan, a.query)
			}
		}
		for _, read := range []func() ([]int64, error){
			func() ([]int64, error) {
				return q.NamedAmong(t.Context(), NamedAmongParams{Ids: within, Lowered: "%x%", Within: &within})
			},
			func() ([]int64, error) {
				return q.NamedBehind(t.Context(), NamedBehindParams{After: 29000, Till: 30000, Lowered: "%x%"})
			},
		} {
			if _, err := read(); err != nil {
				t.Fatal(err)
			}
			if plan := planOf(t, db.pool, a); !strings.Contains(plan, "task_pkey") {
				t.Errorf("statistics %s: tasks beside pages of names are not found by their ids:\n%s\n%s", statistics, plan, a.query)
			}
		}
	}
}

func planOf(t *testing.T, db *sql.DB, a *asked) string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), "EXPLAIN "+a.query, a.args...)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var plan strings.Builder
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(&plan, line)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return plan.String()
}

// TestLeanQueriesKeepTheirArguments: filters without a value go, the arguments of the others get the numbers that are free.
func TestLeanQueriesKeepTheirArguments(t *testing.T) {
	l := &lean{}
	two := "x"
	got, args := l.text(`SELECT t.* FROM task t WHERE (CAST($1 AS BIGINT) IS NULL OR t.id = $1) AND (CAST($2 AS TEXT) IS NULL OR t.name = $2 OR '$9' = $2)
  AND t.id IN (
    SELECT CAST(j.key AS BIGINT) FROM json_each($4) AS j) AND t.id NOT IN (SELECT CAST(j.key AS BIGINT) FROM json_each($4) AS j) LIMIT $3`, []any{(*int64)(nil), &two, int64(3), "{}"})
	want := `SELECT t.* FROM task t WHERE TRUE AND (t.name = $1 OR '$9' = $1)
  AND t.id = ANY (ARRAY(SELECT CAST(j.key AS BIGINT) FROM json_each($2) AS j)) AND t.id NOT IN (SELECT CAST(j.key AS BIGINT) FROM json_each($2) AS j) LIMIT $3`
	if got != want || len(args) != 3 || args[0] != &two || args[1] != "{}" || args[2] != int64(3) {
		t.Errorf("%s\n%v", got, args)
	}
}

// TestLeadingAndSeeking have lists in the order of an index, from either end.
func TestLeadingAndSeeking(t *testing.T) {
	led := leading(ListTasks, "status")
	for _, want := range []string{"t.status >= $13)", "(t.status, t.id) < ($13, $17))", "\nORDER BY t.status DESC, t.id DESC LIMIT"} {
		if !strings.Contains(led, want) {
			t.Errorf("no %s in %s", want, led)
		}
	}
	if s := leading(seeking(ListTasks, true), "status"); !strings.HasPrefix(s, "SELECT t.id FROM task t\n") || !strings.Contains(s, "\nORDER BY t.status, t.id LIMIT") {
		t.Error(s)
	}
	if s := seeking(ListTasksOfCollaboration, true); !strings.Contains(s, "\nORDER BY t.id DESC LIMIT") {
		t.Error(s)
	}
	if leading(ListRules, "name") != ListRules {
		t.Error("a list without a cursor has changed")
	}
}
