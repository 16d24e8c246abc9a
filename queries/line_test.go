package queries_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"vserver/queries"
	"vserver/queries/dbtest"
	"vserver/service/fault"
	"vserver/service/promise"
)

// proxied is a database on Postgres behind a proxy.
func proxied(t *testing.T) (*dbtest.Proxy, *queries.DB) {
	t.Helper()
	var template dbtest.Template
	direct := template.Copy(t)
	if direct.Engine != queries.Postgres {
		t.Skip("skipped: SQLite has no connections to lose")
	}
	proxy, src := dbtest.NewProxy(t, direct)
	db, err := queries.Open(t.Context(), src)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { proxy.Mend(); proxy.Release(); _ = db.Close() })
	return proxy, db
}

func countOne(ctx context.Context, tx *queries.Tx) error { return tx.CountChange(ctx) }

// TestCommitsWithoutAnAnswerAreUnknown: one whose answer is lost is done and said to be unknown; one that
// gets no answer is not waited for without end. What broke before the commit is done again.
func TestCommitsWithoutAnAnswerAreUnknown(t *testing.T) {
	proxy, db := proxied(t)
	counted := func(want int64) {
		t.Helper()
		if n, err := db.CountedChanges(t.Context()); err != nil || n != want {
			t.Errorf("%d changes, %v; want %d", n, err, want)
		}
	}
	before, err := db.CountedChanges(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	proxy.LoseCommit()
	heard := false
	err = db.InTx(t.Context(), func(ctx context.Context, tx *queries.Tx) error {
		tx.OnCommit(func() { heard = true })
		return tx.CountChange(ctx)
	})
	if !fault.Is(err, fault.Unknown) || heard {
		t.Errorf("an answer that got lost: %v, %t", err, heard)
	}
	counted(before + 1)

	proxy.HoldCommit()
	db.WaitForCommits(200 * time.Millisecond)
	if err := db.InTx(t.Context(), countOne); !fault.Is(err, fault.Unknown) {
		t.Errorf("no answer: %v", err)
	}
	db.WaitForCommits(0)
	proxy.Release()
	tries := 0
	err = db.InTx(t.Context(), func(ctx context.Context, tx *queries.Tx) error {
		if tries++; tries == 1 {
			proxy.Cut()
			proxy.Mend()
		}
		return tx.CountChange(ctx)
	})
	if err != nil || tries != 2 {
		t.Errorf("a connection that broke before the commit: %v after %d tries", err, tries)
	}
}

// TestConnectionsThatBrokeAreNotUsed: after a break the first of each of many requests succeeds, although
// every connection was used within the last second.
func TestConnectionsThatBrokeAreNotUsed(t *testing.T) {
	proxy, db := proxied(t)
	use := func() {
		var all sync.WaitGroup
		for i := range poolSize() {
			all.Go(func() {
				var err error
				if i%2 == 0 {
					err = db.InTx(t.Context(), countOne)
				} else {
					_, err = db.CountedChanges(t.Context())
				}
				if err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
	}
	use()
	proxy.Cut()
	if err := db.InTx(t.Context(), countOne); !fault.Is(err, fault.Busy) {
		t.Errorf("without a database: %v", err)
	}
	proxy.Mend()
	began := time.Now()
	use()
	if took := time.Since(began); took > promise.Within(2*time.Second) {
		t.Errorf("the first requests took %s", took)
	}
}

// TestAnOldPrimaryIsNotWrittenTo: a server of an older timeline than one seen before gets nothing.
func TestAnOldPrimaryIsNotWrittenTo(t *testing.T) {
	_, db := proxied(t)
	if err := db.InTx(t.Context(), countOne); err != nil {
		t.Fatal(err)
	}
	was := db.SeenTimeline(0x7000)
	if was == 0 {
		t.Fatal("the timeline of the server is not known")
	}
	err := db.InTx(t.Context(), countOne)
	if !fault.Is(err, fault.Busy) || !strings.Contains(err.Error(), "it was the primary once") {
		t.Errorf("an old primary: %v", err)
	}
	db.SeenTimeline(was)
	if err := db.InTx(t.Context(), countOne); err != nil {
		t.Error(err)
	}
}
