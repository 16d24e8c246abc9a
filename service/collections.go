package service

import (
	"context"
	"os"
	"runtime"
	"runtime/debug"
	gauges "runtime/metrics"
	"sync/atomic"
	"time"
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

// paceCollections has a busy server collect its garbage less often, unless who started it said how often. One that
// rests goes back to what is usual, so that it holds no more memory than it needs.
func paceCollections(ctx context.Context) {
	if _, said := os.LookupEnv("GOGC"); said {
		return
	}
	defer debug.SetGCPercent(debug.SetGCPercent(usualPercent))
	collected, end := collections()
	defer end()
	rest := time.NewTimer(restGap)
	defer rest.Stop()
	percent, last := usualPercent, time.Now()
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

// inUse is what the last collection found in use.
func inUse() uint64 {
	found := []gauges.Sample{{Name: "/gc/heap/live:bytes"}}
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
