package queries_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"vserver/queries"
)

func TestWritesShareCommitsAndStayApart(t *testing.T) {
	db, err := queries.Open(t.Context(), queries.Source{Engine: queries.SQLite, Path: t.TempDir() + "/a b%.sqlite"})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	refused := errors.New("refused")
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Go(func() {
			err := db.InTx(t.Context(), func(ctx context.Context, tx *queries.Tx) error {
				name := fmt.Sprint(i)
				if _, err := tx.InsertOrganization(ctx, queries.InsertOrganizationParams{Name: &name}); err != nil {
					return err
				}
				if i%2 == 1 {
					return refused
				}
				return nil
			})
			if want := i%2 == 1; errors.Is(err, refused) != want {
				t.Errorf("%d: %v", i, err)
			}
		})
	}
	wg.Wait()
	if n, err := db.Count(t.Context(), queries.ListOrganizations, queries.ListOrganizationsParams{}); n != 50 || err != nil {
		t.Errorf("got %d organizations, %v; want the 50 that were not refused", n, err)
	}
}
