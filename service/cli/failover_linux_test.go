package cli_test

import (
	"context"
	"maps"
	"net/http"
	"os"
	"sync"
	"testing"
	"time"

	"vserver/queries/dbtest"
	"vserver/service/promise"
)

// TestReliability_R20_PrimaryIsKilled kills the primary of PostgreSQL under load and promotes its standby, again and
// again. Requests are answered soon after, the old primary that comes back is not written to, and with a synchronous
// standby nothing that was acknowledged is lost.
func TestReliability_R20_PrimaryIsKilled(t *testing.T) {
	if os.Getenv("VSERVER_TEST_POSTGRES") == "" {
		t.Skip("skipped: SQLite has no standby")
	}
	for _, way := range []struct {
		name string
		sync bool
	}{{"synchronous", true}, {"asynchronous", false}} {
		t.Run(way.name, func(t *testing.T) {
			rounds := 10
			if !promise.Long() {
				if rounds = 1; !way.sync {
					t.Skip("failovers that may lose something are tried by make test-long")
				}
			}
			t.Parallel()
			f := newFailover(t, way.sync)
			for range rounds {
				f.failsOver(t)
			}
			f.end()
			f.lost += f.missing(t)
			t.Logf("answers %v; %d tasks acknowledged, %d of them lost in %d failovers", f.statuses, f.acks, f.lost, rounds)
			if way.sync && f.lost > 0 {
				t.Errorf("%d tasks were acknowledged and are not there", f.lost)
			}
		})
	}
}

// failover is a server on two hosts, of which one is the primary.
type failover struct {
	*victim
	*cluster
	end func()

	mu       sync.Mutex
	fresh    map[int64]time.Time // acknowledged since the last look, and when that was sent
	statuses map[int]int
	acks     int
	lost     int
}

func newFailover(t *testing.T, synchronous bool) *failover {
	t.Helper()
	c := newCluster(t, synchronous)
	f := &failover{cluster: c, victim: newVictimOn(t, c.both()), fresh: map[int64]time.Time{}, statuses: map[int]int{}}
	if synchronous {
		file, err := os.OpenFile(f.config, os.O_APPEND|os.O_WRONLY, 0)
		if err == nil {
			_, err = file.WriteString("    sync: required\n")
			_ = file.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	f.victim.start(t)
	f.setStage(t)
	ctx, cancel := context.WithCancel(t.Context())
	var clients sync.WaitGroup
	for i := range 8 {
		clients.Go(func() {
			for ctx.Err() == nil {
				f.posts(ctx, i)
			}
		})
	}
	f.end = sync.OnceFunc(func() { cancel(); clients.Wait() })
	t.Cleanup(f.end)
	return f
}

func (f *failover) posts(ctx context.Context, i int) {
	var list []any
	for _, o := range f.hospitals {
		list = append(list, map[string]any{"id": o, "input": "aW4="})
	}
	var made struct{ ID int64 }
	ctx, cancel := context.WithTimeout(ctx, promise.Patience)
	defer cancel()
	sent := time.Now()
	status, err := f.call(ctx, "POST", "/task", map[string]any{"name": "t", "image": "i", "collaboration_id": f.studies[i%len(f.studies)], "organizations": list}, &made)
	f.mu.Lock()
	f.statuses[status]++
	if err == nil && status == http.StatusCreated {
		f.fresh[made.ID] = sent
	}
	f.mu.Unlock()
	if status != http.StatusCreated {
		<-time.After(10 * time.Millisecond) // as clients do who were refused
	}
}

// answered waits for tasks to be acknowledged that were sent after a moment, and returns how long after it the first was.
func (f *failover) answered(t *testing.T, after time.Time, least int, within time.Duration) time.Duration {
	t.Helper()
	for {
		n := 0
		f.mu.Lock()
		for _, sent := range f.fresh {
			if sent.After(after) {
				n++
			}
		}
		f.mu.Unlock()
		took := time.Since(after)
		if n >= least {
			return took
		}
		if took > within {
			t.Errorf("%d tasks were acknowledged within %s, want %d", n, within, least)
			return took
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// failsOver is one round.
func (f *failover) failsOver(t *testing.T) {
	t.Helper()
	f.answered(t, time.Now(), enough, promise.Patience)
	old := f.primary
	f.cluster.kill(old)
	f.promote(t)
	promoted := time.Now()
	took := f.answered(t, promoted, 1, promise.Within(2*time.Second))
	f.returns(t, old)
	lost := f.missing(t)
	t.Logf("requests were answered %s after the promotion, %d acknowledged tasks are lost", took.Round(time.Millisecond), lost)
	f.lost += lost
	f.follow(t)
}

// returns starts the old primary as it was, and ends the connections to the present one.
func (f *failover) returns(t *testing.T, old int) {
	t.Helper()
	f.cluster.start(t, old)
	const tasks = "SELECT COUNT(*) FROM task"
	before, err := f.read(t, old, "served", tasks)
	if err != nil {
		t.Fatal(err)
	}
	f.ask(t, f.primary, "served", "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'served' AND pid <> pg_backend_pid()")
	f.answered(t, time.Now(), enough, promise.Patience)
	if after, err := f.read(t, old, "served", tasks); err != nil || after != before {
		t.Errorf("the old primary has %d tasks in place of %d, %v", after, before, err)
	}
}

// missing is how many of the acknowledged tasks the primary does not have.
func (f *failover) missing(t *testing.T) int {
	t.Helper()
	f.mu.Lock()
	fresh := f.fresh
	f.acks += len(fresh)
	f.fresh = map[int64]time.Time{}
	f.mu.Unlock()
	db, err := dbtest.SQL(f.source(f.primary, "served"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	rows, err := db.QueryContext(t.Context(), "SELECT t.id FROM task t JOIN result r ON r.task_id = t.id GROUP BY t.id HAVING COUNT(*) = 3")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	left := maps.Clone(fresh)
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			t.Fatal(err)
		}
		delete(left, id)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return len(left)
}
