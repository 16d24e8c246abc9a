package core

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"vserver/queries"
	"vserver/queries/dbtest"
	"vserver/service/bus"
)

// TestTalliesAreRight changes tasks and results at random, behind and within what is tallied, and compares each total
// with what the rows say.
func TestTalliesAreRight(t *testing.T) {
	var empty dbtest.Template
	src := empty.Copy(t)
	db, err := queries.Open(t.Context(), src)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	c, err := New(t.Context(), db, bus.New(zerolog.Nop()), zerolog.Nop(), Settings{PasswordCost: 4})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := dbtest.SQL(src)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	do := func(statement string, args ...any) {
		t.Helper()
		if _, err := raw.ExecContext(t.Context(), fmt.Sprintf(statement, args...)); err != nil {
			t.Fatalf(statement+": %v", append(args, err)...)
		}
	}
	number := func(query string, args ...any) (n int64) {
		t.Helper()
		if err := raw.QueryRowContext(t.Context(), fmt.Sprintf(query, args...)).Scan(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	do(`INSERT INTO organization (id, name) VALUES (2, 'a'), (3, 'b'), (4, 'c')`)
	do(`INSERT INTO collaboration (id, name, encrypted) VALUES (1, 'x', FALSE), (2, 'y', FALSE), (3, 'z', FALSE)`)
	do(`INSERT INTO authenticatable (id, type) VALUES (12, 'user'), (13, 'user')`)
	do(`INSERT INTO "user" (id, username) VALUES (12, 'p'), (13, 'q')`)
	one := func(words ...string) string { return words[rand.IntN(len(words))] }
	anyTask := func() string { return fmt.Sprint(1 + rand.IntN(60)) }
	place := func() string { return one("1", "2", "3", "NULL") }
	status := func() string { return one("'pending'", "'active'", "'completed'", "'failed'", "NULL") }
	changes := []func(){
		func() {
			do(`INSERT INTO task (name, collaboration_id, initiator_id, init_user_id) VALUES ('t', %s, %s, %s)`, place(), one("2", "3", "4", "NULL"), one("12", "13", "NULL"))
		},
		func() {
			do(`INSERT INTO result (task_id, organization_id, status) SELECT id, %s, %s FROM task WHERE id = %s`, one("2", "3", "4", "NULL"), status(), anyTask())
		},
		func() { do(`UPDATE result SET status = %s WHERE task_id = %s`, status(), anyTask()) },
		func() { do(`UPDATE task SET collaboration_id = %s WHERE id = %s`, place(), anyTask()) },
		func() {
			do(`UPDATE task SET initiator_id = %s, init_user_id = %s WHERE id = %s`, one("2", "3", "NULL"), one("12", "NULL"), anyTask())
		},
		func() {
			do(`UPDATE result SET task_id = %s, organization_id = 4 WHERE id = %s`, "(SELECT MIN(id) FROM task)", anyTask())
		},
		func() { do(`DELETE FROM result WHERE task_id = %s`, anyTask()) },
		func() { do(`DELETE FROM task WHERE id = %s`, anyTask()) },
		func() {
			if err := c.Tally(t.Context(), 3, int64(rand.IntN(3))); err != nil {
				t.Fatal(err)
			}
		},
		func() {
			if rand.IntN(4) > 0 {
				return
			}
			if err := c.sumTallies(t.Context()); err != nil {
				t.Fatal(err)
			}
		},
	}
	compare := func() {
		t.Helper()
		for _, within := range []*string{nil, new(string)} {
			bound := ""
			if within != nil {
				*within, bound = `{"1":0,"3":0}`, " AND collaboration_id IN (1, 3)"
			}
			for _, s := range taskStatuses {
				tallied := c.tallies(TaskFilter{statuses: []string{s}})[0]
				same(t, tallied, within, s, number(`SELECT COUNT(*) FROM task WHERE status = '%s'`+bound, s))
			}
			for _, id := range []int64{2, 3, 4} {
				same(t, c.tallies(TaskFilter{InitiatorID: &id})[0], within, "initiator", number(`SELECT COUNT(*) FROM task WHERE initiator_id = %d`+bound, id))
				same(t, c.ofOrganization(id), within, "organization", number(`SELECT COUNT(*) FROM result WHERE organization_id = %d AND collaboration_id IS NOT NULL`+bound, id))
			}
			for _, id := range []int64{12, 13} {
				same(t, c.tallies(TaskFilter{InitUserID: &id})[0], within, "user", number(`SELECT COUNT(*) FROM task WHERE init_user_id = %d`+bound, id))
			}
		}
	}
	for i := range 400 {
		changes[rand.IntN(len(changes))]()
		if i%20 == 0 {
			compare()
		}
	}
	do(`DELETE FROM collaboration WHERE id = 3`)
	do(`DELETE FROM "user" WHERE id = 12`)
	compare()
	if number(`SELECT COUNT(*) FROM tally`) == 0 || number(`SELECT value FROM counter WHERE name = 'tallied_tasks'`) == 0 {
		t.Error("nothing was tallied")
	}
	do(`DELETE FROM result`)
	do(`DELETE FROM task`)
	compare()
	if err := c.sumTallies(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := number(`SELECT COUNT(*) FROM tally`); n != 0 {
		t.Errorf("%d tallies of no rows", n)
	}
}

func same(t *testing.T, f tallied, within *string, what string, want int64) {
	t.Helper()
	got, err := f.count(context.WithoutCancel(t.Context()), within)
	if err != nil || got != want {
		t.Fatalf("%s within %v: %d %v, want %d", what, within != nil, got, err, want)
	}
}

func TestPatternsFitAsLikeDoes(t *testing.T) {
	for pattern, want := range map[string]string{
		"pending": "pending", "PENDING": "pending", "p%": "pending", "%ed": "failed completed", "_ailed": "failed", "%": "unknown failed active initializing pending completed",
		strings.Repeat("%", 2000) + "g": "initializing pending", strings.Repeat("%_", 500): "", "": "", "pend": "", `\pending`: "pending", `pending\`: "", `pe\nding`: "pending", `%\%`: "", "_______": "unknown pending", "%i%i%i%i%": "initializing",
	} {
		if got := strings.Join(matching(pattern, taskStatuses), " "); got != want {
			t.Errorf("%.20s: %q, want %q", pattern, got, want)
		}
	}
}
