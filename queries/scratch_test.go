package queries_test

import (
	"os"
	"strings"
	"testing"

	"vserver/queries"
)

func TestScratchLeavesNothingBehind(t *testing.T) {
	dsn := os.Getenv("VSERVER_TEST_POSTGRES")
	if dsn == "" {
		t.Skip("without PostgreSQL")
	}
	own, remove, err := queries.Scratch(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	src := queries.Source{Engine: queries.Postgres, DSN: own}
	db, err := queries.Open(t.Context(), src)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if err := db.Ping(t.Context()); err != nil {
		t.Error(err)
	}
	if err := remove(t.Context()); err != nil { // with a connection that is open
		t.Fatal(err)
	}
	if _, err := queries.Open(t.Context(), src); err == nil || !strings.Contains(err.Error(), "does not exist") {
		t.Errorf("the database is still there: %v", err)
	}
	if err := remove(t.Context()); err == nil {
		t.Error("a second removal succeeds")
	}
}

func TestScratchHidesThePassword(t *testing.T) {
	for _, dsn := range []string{"postgres://u:secret@127.0.0.1:1/db?connect_timeout=1", "postgres://u:secret@%zz/db"} {
		if _, _, err := queries.Scratch(t.Context(), dsn); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", dsn, err)
		}
	}
}
