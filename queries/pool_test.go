package queries_test

import (
	"context"
	"database/sql"
	"errors"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"vserver/queries"
	"vserver/queries/dbtest"
	"vserver/service/promise"
)

// TestReliability_R10_NoConnectionIsLeaked runs a thousand transactions and queries on
// Postgres, of which many are given up at any moment, fail, or lose their connection.
// Afterwards no transaction is left open, and all connections of the pool are free.
func TestReliability_R10_NoConnectionIsLeaked(t *testing.T) {
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
	defer func() { _ = db.Close() }()
	ctx, cancel := context.WithTimeout(t.Context(), promise.Patience)
	defer cancel()
	var next, done, failed atomic.Int64
	var clients sync.WaitGroup
	for range 2 * poolSize() {
		clients.Go(func() {
			for n := next.Add(1); n <= 1000; n = next.Add(1) {
				if n%250 == 0 {
					proxy.Cut()
					proxy.Mend()
				}
				if cycle(ctx, db, n) == nil {
					done.Add(1)
				} else {
					failed.Add(1)
				}
			}
		})
	}
	clients.Wait()
	if ctx.Err() != nil {
		t.Fatal("the cycles wait for connections that never become free")
	}
	t.Logf("%d cycles succeeded, %d were given up or failed", done.Load(), failed.Load())
	if done.Load() < 200 || failed.Load() < 200 {
		t.Error("the cycles do not show both")
	}
	settles(t, direct, proxy)
	allFree(t, db)
}

// poolSize is how many connections to Postgres a server has at most.
func poolSize() int { return max(16, 4*runtime.GOMAXPROCS(0)) }

var errGivenUp = errors.New("given up")

// cycle is what a request does: it reads or writes, and its client may go away.
func cycle(ctx context.Context, db *queries.DB, n int64) error {
	if n%3 == 0 {
		going, cancel := context.WithTimeout(ctx, rand.N(5*time.Millisecond))
		defer cancel()
		ctx = going
	}
	if n%2 == 0 {
		_, err := db.CountedChanges(ctx)
		return err
	}
	return db.InTx(ctx, func(ctx context.Context, tx *queries.Tx) error {
		if err := tx.CountChange(ctx); err != nil {
			return err
		}
		if n%5 == 0 {
			return errGivenUp
		}
		_, err := tx.CountedChanges(ctx)
		return err
	})
}

// settles waits until the pool has no more connections than it may have, and none of
// them is within a transaction.
func settles(t *testing.T, direct queries.Source, proxy *dbtest.Proxy) {
	t.Helper()
	own, err := dbtest.SQL(direct)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = own.Close() }()
	for end := time.Now().Add(promise.Patience); ; time.Sleep(20 * time.Millisecond) {
		open, within := proxy.Open(), transactions(t, own)
		if open <= poolSize() && within == 0 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%d connections are open, %d of them within a transaction", open, within)
		}
	}
}

// transactions counts the connections of others that are within a transaction.
func transactions(t *testing.T, own *sql.DB) (n int) {
	t.Helper()
	const question = `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
		AND backend_type = 'client backend' AND state <> 'idle'`
	if err := own.QueryRowContext(t.Context(), question).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// allFree wants as many transactions at once as the pool has connections.
func allFree(t *testing.T, db *queries.DB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), promise.Patience)
	defer cancel()
	var within, clients sync.WaitGroup
	within.Add(poolSize())
	for range poolSize() {
		clients.Go(func() {
			arrived := sync.OnceFunc(within.Done)
			err := db.InTx(ctx, func(ctx context.Context, tx *queries.Tx) error {
				if _, err := tx.CountedChanges(ctx); err != nil {
					return err
				}
				arrived()
				within.Wait()
				return nil
			})
			if err != nil {
				t.Errorf("a connection of the pool is not free: %v", err)
				arrived()
			}
		})
	}
	clients.Wait()
}
