package queries_test

import (
	"context"
	"testing"

	"vserver/queries"
	"vserver/queries/dbtest"
)

var noData dbtest.Template

// Commits of others show, those of this process do not on SQLite; on Postgres those
// show that were counted, whoever made them.
func TestForeign(t *testing.T) {
	src := noData.Copy(t)
	open := func() *queries.DB {
		db, err := queries.Open(t.Context(), src)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		return db
	}
	name := "n"
	create := func(ctx context.Context, tx *queries.Tx) error {
		_, err := tx.InsertOrganization(ctx, queries.InsertOrganizationParams{Name: &name})
		return err
	}
	count := func(ctx context.Context, tx *queries.Tx) error { return tx.CountChange(ctx) }
	here, there := open(), open()
	was, err := here.ForeignChanges(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	onSQLite := src.Engine == queries.SQLite
	for _, step := range []struct {
		name  string
		db    *queries.DB
		write func(context.Context, *queries.Tx) error
		shows bool
	}{
		{"nothing", here, func(context.Context, *queries.Tx) error { return nil }, false},
		{"own row", here, create, false},
		{"own count", here, count, !onSQLite},
		{"row of another", there, create, onSQLite},
		{"count of another", there, count, true},
	} {
		if err := step.db.InTx(t.Context(), step.write); err != nil {
			t.Fatal(err)
		}
		now, err := here.ForeignChanges(t.Context())
		if err != nil || (now != was) != step.shows {
			t.Errorf("%s: %d after %d, %v", step.name, now, was, err)
		}
		was = now
	}
}

func TestForeignEndsWithTheDatabase(t *testing.T) {
	db, err := queries.Open(t.Context(), noData.Copy(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := db.ForeignChanges(t.Context()); err == nil {
		t.Error("it answers after the end")
	}
}
