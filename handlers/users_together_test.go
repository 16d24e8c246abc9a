package handlers

import (
	"fmt"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"

	"vserver/queries"
	"vserver/queries/dbtest"
)

// atOnce sends requests at the same time and gives their statuses, sorted.
func (b *bed) atOnce(t *testing.T, rows ...row) []int {
	t.Helper()
	replies := make([]*httptest.ResponseRecorder, len(rows))
	var wg sync.WaitGroup
	for i, r := range rows {
		wg.Go(func() { replies[i] = b.send(t, r) })
	}
	wg.Wait()
	var codes []int
	for _, r := range replies {
		codes = append(codes, r.Code)
	}
	slices.Sort(codes)
	return codes
}

func TestOneNameGoesToOneUser(t *testing.T) {
	b := newBed(t)
	var rows []row
	for i := range 8 {
		email := fmt.Sprintf(`"%d@example.org"`, i)
		rows = append(rows, row{as: "root", method: "POST", path: "/user", body: person("email", email)})
	}
	if codes := b.atOnce(t, rows...); codes[0] != 201 || codes[1] != 400 || codes[7] != 400 {
		t.Errorf("got %v, want one 201 and else 400", codes)
	}
	if n := b.number(t, `SELECT COUNT(*) FROM authenticatable`); n != 19 {
		t.Errorf("there are %d accounts, want the 18 of the fixture and one", n)
	}
}

func TestLastRootStaysWhenTwoAreTakenAtOnce(t *testing.T) {
	b := newBed(t)
	b.change(t, `INSERT INTO user_role (user_id, role_id) VALUES (2, 1)`)
	for range 5 {
		codes := b.atOnce(t,
			row{as: "small_admin", method: "PATCH", path: "/user/1", body: `{"roles":[4]}`},
			row{as: "small_admin", method: "PATCH", path: "/user/2", body: `{"roles":[8]}`},
		)
		if !slices.Equal(codes, []int{200, 400}) {
			t.Errorf("got %v, want that one is refused", codes)
		}
		if n := b.number(t, `SELECT COUNT(*) FROM user_role WHERE role_id = 1`); n != 1 {
			t.Fatalf("%d users hold Root, want 1", n)
		}
		b.change(t, `DELETE FROM user_role WHERE role_id = 1`, `INSERT INTO user_role (user_id, role_id) VALUES (1, 1), (2, 1)`)
	}
}

// A failure behind the checks undoes what was written before it.
func TestAdvisory_U10_ChangeOfUserIsAllOrNothing(t *testing.T) {
	b := newBed(t)
	b.change(t, `UPDATE "user" SET firstname = 'Taken' WHERE id = 6`,
		`CREATE UNIQUE INDEX trap ON "user" (firstname) WHERE firstname = 'Taken'`)
	whole := row{name: "untouched", as: "root", method: "GET", path: "/user/5", want: 200, has: allKeys}
	b.run(
		row{as: "root", method: "PATCH", path: "/user/5", body: `{"roles":[5],"rules":[1],"firstname":"Taken"}`, want: 400,
			has: `{"msg":"User could not be updated with those parameters."}`},
		whole,
		row{as: "root", method: "POST", path: "/user", body: person("firstname", `"Taken"`), want: 400,
			has: `{"msg":"User could not be created with those parameters."}`},
	)
	if n := b.number(t, `SELECT COUNT(*) FROM authenticatable`); n != 18 {
		t.Errorf("there are %d accounts, want the 18 of the fixture", n)
	}
	b.change(t, `ALTER TABLE user_rule RENAME TO hidden`)
	b.run(row{as: "root", method: "PATCH", path: "/user/5", body: `{"roles":[5],"rules":[1],"lastname":"N"}`, want: 500})
	b.change(t, `ALTER TABLE hidden RENAME TO user_rule`)
	b.run(whole)
}

// What is deleted between the check of a request and its write is missed as if it had been gone before. SQLite has one
// writer, so there is no such moment.
func TestWhatGoesAwayMeanwhileIsMissed(t *testing.T) {
	b := newBed(t)
	if b.src.Engine == queries.SQLite {
		t.Skip("no write of SQLite comes between a check and its write")
	}
	b.change(t, `INSERT INTO organization (id, name) VALUES (99, 'leaving')`)
	raw, err := dbtest.SQL(b.src)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	leaving, err := raw.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer leaving.Rollback()
	if _, err := leaving.ExecContext(t.Context(), `DELETE FROM organization WHERE id = 99`); err != nil {
		t.Fatal(err)
	}
	codes := make(chan []int)
	go func() {
		codes <- b.atOnce(t, row{as: "root", method: "POST", path: "/role", body: `{"name":"r","description":"d","rules":[1],"organization_id":99}`})
	}()
	waiting := `SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`
	eventually(t, "the request waits for the deletion", func() bool { return b.number(t, waiting) == 1 })
	if err := leaving.Commit(); err != nil {
		t.Fatal(err)
	}
	if got := <-codes; !slices.Equal(got, []int{404}) {
		t.Errorf("got %v, want 404", got)
	}
}
