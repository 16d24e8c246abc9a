package queries

import (
	"database/sql"
	"fmt"
	"slices"
	"testing"

	"github.com/pressly/goose/v3"
)

// TestCountedLogInsKeepCounting brings a database with wrong passwords that were counted by account alone up to date:
// they count on, as from where nobody knows the address. There and back again nothing is lost of the accounts.
func TestCountedLogInsKeepCounting(t *testing.T) { migrating(t, keepCounting) }

func keepCounting(t *testing.T, d goose.Dialect, raw *sql.DB, db *Queries) {
	t.Helper()
	if err := migrate(t.Context(), d, raw, nil); err != nil {
		t.Fatal(err)
	}
	p, err := provider(d, raw)
	if err == nil {
		_, err = p.DownTo(t.Context(), 6)
	}
	if err != nil {
		t.Fatal(err)
	}
	const when = "2026-01-02T03:04:05.000006Z"
	for _, s := range []string{
		`INSERT INTO authenticatable (id, type) VALUES (1, 'user'), (2, 'user'), (3, 'user'), (4, 'user'), (5, 'user')`,
		`INSERT INTO "user" (id, username, failed_login_attempts, last_login_attempt) VALUES
			(1, 'some', 3, '` + when + `'), (2, 'never', 0, NULL), (3, 'forgiven', 0, '` + when + `'), (4, 'unknown', NULL, NULL), (5, 'no moment', 2, NULL)`,
	} {
		if _, err := raw.ExecContext(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
	for range 2 { // there, and once more from the way back
		if err := migrate(t.Context(), d, raw, nil); err != nil {
			t.Fatal(err)
		}
		rows, err := db.FailedLogins(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range rows {
			got = append(got, fmt.Sprintf("%d from %q: %d at %s", r.UserID, r.Network, r.Attempts, r.LastAttempt.UTC().Format("2006-01-02T15:04:05.000000Z")))
		}
		if want := []string{`1 from "": 3 at ` + when}; !slices.Equal(got, want) {
			t.Errorf("counted are %q, want %q", got, want)
		}
		u, err := db.UsersWithFailedLogins(t.Context(), nil)
		if err != nil || len(u) != 2 || *u[0].Username != "no moment" || *u[1].Username != "some" {
			t.Errorf("accounts with wrong passwords: %v, %v", u, err)
		}
		if _, err := p.DownTo(t.Context(), 6); err != nil {
			t.Fatal(err)
		}
	}
	var names string
	err = raw.QueryRowContext(t.Context(), `SELECT COUNT(*) || ' ' || SUM(failed_login_attempts) FROM "user" WHERE username IS NOT NULL`).Scan(&names)
	if err != nil || names != "5 5" {
		t.Errorf("on the way back the accounts and their failures are %s, %v", names, err)
	}
}
