package service

import (
	"context"
	"os"
	"runtime"
	"runtime/debug"
	gauges "runtime/metrics"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"vserver/service/fault"
)

const (
	// usualPercent is the garbage, in percent of what is in use, at which Go collects it by default.
	usualPercent = 100
	// spareMemory is how much garbage a busy server may hold: a small heap would be collected a hundred times a second.
	spareMemory = 24 << 20
	// mostPercent bounds it where almost nothing seems to be in use.
	mostPercent = 800
	// Collections that follow each other sooner than busyGap make a server a busy one, until there is none for restGap.
	busyGap = 250 * time.Millisecond
	restGap = 3 * time.Second
	// lookGap is the time between two looks at what a burst has left behind, of which leftOver and more is given back.
	lookGap  = 500 * time.Millisecond
	leftOver = 32 << 20
	// restShare is the share of what is left that a server which rests allocates from one look to the next, at most.
	restShare = 32
)

// collectionPercent is how much garbage may gather, given the time between two collections, the bytes in use, and what
// it is now.
func collectionPercent(now int, gap time.Duration, used uint64) int {
	switch {
	case gap >= restGap:
		return usualPercent
	case gap >= busyGap && now == usualPercent:
		return now
	}
	return int(min(max(spareMemory*100/max(used, 1), usualPercent), mostPercent))
}

// paceFromNow paces collections in the background until end.
func paceFromNow(ctx context.Context, log zerolog.Logger) (end func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var work sync.WaitGroup
	work.Go(func() { fault.Steadily(ctx, func(p *fault.Panic) { tellPanic(log, p) }, paceCollections) })
	return func() {
		cancel()
		work.Wait()
	}
}

// paceCollections has a busy server collect its garbage less often, unless who started it said how often. One that
// rests goes back to what is usual, so that it holds no more memory than it needs. A start is busy.
func paceCollections(ctx context.Context) {
	if _, said := os.LookupEnv("GOGC"); said {
		return
	}
	// More than is usual can only be that of another server of this process, which may end first.
	defer debug.SetGCPercent(min(debug.SetGCPercent(mostPercent), usualPercent))
	collected, end := collections()
	defer end()
	rest := time.NewTimer(restGap)
	defer rest.Stop()
	percent, last := mostPercent, time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-collected:
		case <-rest.C:
		}
		next := collectionPercent(percent, time.Since(last), inUse())
		if next != percent {
			percent = next
			debug.SetGCPercent(percent)
		}
		last = time.Now()
		if rest.Stop(); percent != usualPercent {
			rest.Reset(restGap)
		}
	}
}

// giveMemoryBack has a server that rests after a burst collect its garbage and give back what it does not need. Else
// that would stay until as much garbage has gathered again, which takes a server that rests minutes.
func giveMemoryBack(ctx context.Context) {
	if _, said := os.LookupEnv("GOGC"); said {
		return
	}
	tick := time.NewTicker(lookGap)
	defer tick.Stop()
	before, used := allocated(), uint64(0) // at rest: a collection amid a burst finds in use what it leaves behind
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := allocated()
		if worthGiving(held(), used, now-before) {
			debug.FreeOSMemory()
			used = inUse()
		}
		before = now
	}
}

// worthGiving reports whether a burst is over, by what was allocated since the last look, and has left much: the heap
// holds it, and a server that rested did not use it.
func worthGiving(held, used, allocated uint64) bool {
	left := held - min(used, held)
	return left >= leftOver && left >= used/2 && allocated <= left/restShare
}

// inUse is what the last collection found in use.
func inUse() uint64 { return gauge("/gc/heap/live:bytes") }

// allocated is what was ever taken of the heap.
func allocated() uint64 { return gauge("/gc/heap/allocs:bytes") }

// held is what the heap has of the system.
func held() uint64 {
	return gauge("/memory/classes/heap/objects:bytes") + gauge("/memory/classes/heap/unused:bytes") + gauge("/memory/classes/heap/free:bytes")
}

func gauge(name string) uint64 {
	found := []gauges.Sample{{Name: name}}
	gauges.Read(found)
	return found[0].Value.Uint64()
}

// garbage is what a collection finds and gives back, to be found by the next one.
type garbage struct{ ended *atomic.Bool }

// collections tells of each collection, until end.
func collections() (collected <-chan struct{}, end func()) {
	told, ended := make(chan struct{}, 1), &atomic.Bool{}
	var found func(*garbage)
	found = func(g *garbage) {
		select {
		case told <- struct{}{}:
		default:
		}
		if !g.ended.Load() {
			runtime.SetFinalizer(g, found)
		}
	}
	runtime.SetFinalizer(&garbage{ended}, found)
	return told, func() { ended.Store(true) }
}
