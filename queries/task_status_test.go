package queries

import (
	"database/sql"
	"testing"

	"github.com/pressly/goose/v3"
)

// TestStatusOfOldTasksIsKept brings a database whose tasks had a computed status up to date, and back.
func TestStatusOfOldTasksIsKept(t *testing.T) { migrating(t, keepStatus) }

func keepStatus(t *testing.T, d goose.Dialect, raw *sql.DB, _ *Queries) {
	t.Helper()
	if err := migrate(t.Context(), d, raw, nil); err != nil {
		t.Fatal(err)
	}
	p, err := provider(d, raw)
	if err == nil {
		_, err = p.DownTo(t.Context(), 12)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{
		`INSERT INTO task (id) VALUES (1), (2), (3), (4), (5), (6), (7), (8)`,
		`INSERT INTO result (task_id, status) VALUES (2, NULL), (3, 'pending'), (3, 'completed'), (4, 'completed'), (5, 'completed'), (5, 'crashed'),
			(6, 'active'), (6, 'initializing'), (7, 'initializing'), (7, 'pending'), (8, 'active'), (8, NULL), (NULL, 'active')`,
	} {
		if _, err := raw.ExecContext(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
	want := []string{"unknown", "unknown", "pending", "completed", "failed", "active", "initializing", "failed"}
	for range 2 { // there, and once more from the way back
		compareStatus(t, raw, "SELECT status FROM task_status ORDER BY task_id", want)
		if err := migrate(t.Context(), d, raw, nil); err != nil {
			t.Fatal(err)
		}
		compareStatus(t, raw, "SELECT status FROM task ORDER BY id", want)
		if _, err := p.DownTo(t.Context(), 12); err != nil {
			t.Fatal(err)
		}
	}
}

func compareStatus(t *testing.T, raw *sql.DB, query string, want []string) {
	t.Helper()
	rows, err := raw.QueryContext(t.Context(), query)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	n := 0
	for ; rows.Next(); n++ {
		var got string
		if err := rows.Scan(&got); err != nil {
			t.Fatal(err)
		}
		if n >= len(want) || got != want[n] {
			t.Errorf("task %d is %s", n+1, got)
		}
	}
	if err := rows.Err(); err != nil || n != len(want) {
		t.Errorf("%d tasks: %v", n, err)
	}
}
