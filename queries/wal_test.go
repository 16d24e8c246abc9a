package queries_test

import (
	"context"
	"os"
	"testing"

	"vserver/queries"
)

func TestCloseLeavesOneFile(t *testing.T) {
	dir := t.TempDir()
	db, err := queries.Open(t.Context(), queries.Source{Engine: queries.SQLite, Path: dir + "/x.sqlite"})
	if err != nil {
		t.Fatal(err)
	}
	name := "n"
	err = db.InTx(t.Context(), func(ctx context.Context, tx *queries.Tx) error {
		_, err := tx.InsertOrganization(ctx, queries.InsertOrganizationParams{Name: &name})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.GetOrganization(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	files, _ := os.ReadDir(dir)
	if len(files) != 1 {
		t.Errorf("after closing there is %v, want the database alone", files)
	}
}
