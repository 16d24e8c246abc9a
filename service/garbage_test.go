package service

import (
	"context"
	"runtime"
	"runtime/debug"
	"testing"
	"time"

	"vserver/service/promise"
)

func TestGarbageOfABusyServerMayGather(t *testing.T) {
	const mib = 1 << 20
	for _, c := range []struct {
		name string
		now  int
		gap  time.Duration
		used uint64
		want int
	}{
		{"at rest", usualPercent, time.Minute, 6 * mib, usualPercent},
		{"not so busy", usualPercent, time.Second, 6 * mib, usualPercent},
		{"busy", usualPercent, 10 * time.Millisecond, 6 * mib, 400},
		{"less often as wanted", 400, time.Second, 6 * mib, 400},
		{"at rest again", 400, restGap, 6 * mib, usualPercent},
		{"busy with much", usualPercent, 10 * time.Millisecond, 100 * mib, usualPercent},
		{"busy with little", usualPercent, 10 * time.Millisecond, mib, mostPercent},
		{"nothing known", usualPercent, 10 * time.Millisecond, 0, mostPercent},
	} {
		if got := collectionPercent(c.now, c.gap, c.used); got != c.want {
			t.Errorf("%s: %d percent, not %d", c.name, got, c.want)
		}
	}
}

func TestMemoryIsGivenBackAfterABurst(t *testing.T) {
	const mib = 1 << 20
	for _, c := range []struct {
		name                  string
		held, used, allocated uint64
		want                  bool
	}{
		{"little", 30 * mib, 10 * mib, 0, false},
		{"a burst is over", 250 * mib, 60 * mib, mib, true},
		{"it goes on", 250 * mib, 60 * mib, 50 * mib, false},
		{"most is in use", 250 * mib, 200 * mib, 0, false},
		{"all is in use", 60 * mib, 61 * mib, 0, false},
	} {
		if got := worthGiving(c.held, c.used, c.allocated); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
	burst := make([][]byte, 64)
	for i := range burst {
		burst[i] = make([]byte, mib)
	}
	before := held()
	runtime.KeepAlive(burst)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go giveMemoryBack(ctx)
	for deadline := time.Now().Add(promise.Patience); held()+leftOver > before; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d MiB are held, %d before", held()/mib, before/mib)
		}
	}
}

func TestEachCollectionIsTold(t *testing.T) {
	collected, end := collections()
	defer end()
	for i := range 3 {
		runtime.GC()
		select {
		case <-collected:
		case <-time.After(10 * time.Second):
			t.Fatalf("collection %d is not told", i+1)
		}
	}
}

func TestPaceEndsWithTheServer(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(77))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	paceCollections(ctx)
	if now := debug.SetGCPercent(mostPercent); now != 77 {
		t.Errorf("%d percent are left", now)
	}
	paceCollections(ctx)
	if now := debug.SetGCPercent(77); now != usualPercent {
		t.Errorf("%d percent are left where another server paced too", now)
	}
}
