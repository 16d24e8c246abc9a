package live

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"vserver/service/promise"
)

// TestErrandsWaitForNoneThatIsStuck: all the others are done meanwhile, on a quiet machine one after another.
func TestErrandsWaitForNoneThatIsStuck(t *testing.T) {
	var running sync.WaitGroup
	e := newErrands(make(chan struct{}), &running)
	stuck, all := make(chan struct{}), make(chan int, 100)
	for i := range 100 {
		e.add(func() {
			if i == 10 {
				<-stuck
			}
			all <- i
		})
	}
	var got []int
	for len(got) < 99 {
		select {
		case i := <-all:
			got = append(got, i)
		case <-time.After(promise.Patience):
			t.Fatalf("only %v were done", got)
		}
	}
	if slices.Contains(got, 10) || promise.Long() && !slices.IsSorted(got) {
		t.Errorf("done in the order %v", got)
	}
	close(stuck)
	running.Wait()
	if i := <-all; i != 10 {
		t.Errorf("%d came last", i)
	}
}

// TestErrandsAreDoneAtOnceWhenTheServerCloses, so that closing does not take as long as a crowd does.
func TestErrandsAreDoneAtOnceWhenTheServerCloses(t *testing.T) {
	var running sync.WaitGroup
	quit := make(chan struct{})
	e := newErrands(quit, &running)
	var waiting atomic.Int64
	stuck := make(chan struct{})
	close(quit)
	const crowd = 100
	for range crowd {
		e.add(func() {
			waiting.Add(1)
			<-stuck
		})
	}
	for deadline := time.Now().Add(promise.Patience); waiting.Load() < crowd; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d of %d were begun", waiting.Load(), crowd)
		}
	}
	close(stuck)
	running.Wait()
}

// TestSoonWaitsForNoClientThatDoesNotRead: news for a room reaches the others.
func TestSoonWaitsForNoClientThatDoesNotRead(t *testing.T) {
	x := start(t, Options{SoonPause: 20 * time.Millisecond, MaxQueueBytes: 1 << 30}, func(x *site) {
		x.tasks.OnConnect(func(k *Socket) { k.Join("room") })
	})
	for range 5 {
		x.join(t) // reads no more
	}
	p, _ := x.join(t)
	large := strings.Repeat("x", 1<<20)
	for range 20 { // more than the buffers of a connection hold
		x.tasks.EmitSoon("room", "", "soon", large)
	}
	for range 20 {
		p.gets(t, `42/tasks,["soon","`+large+`"]`)
	}
}
