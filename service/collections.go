package service

import (
	"context"
	"os"
	"runtime/debug"
	gauges "runtime/metrics"
	"time"
)

const (
	// usualPercent is the garbage, in percent of what is in use, at which Go collects it by default.
	usualPercent = 100
	// spareMemory is how much garbage a busy server may hold: a small heap would be collected a hundred times a second.
	spareMemory = 24 << 20
	// mostPercent keeps a heap that is measured as almost nothing from growing without end.
	mostPercent = 800
	// manyCollections within collectionsEvery make a server a busy one.
	manyCollections  = 4
	collectionsEvery = time.Second
)

// collectionPercent is how much garbage may gather, given the collections since the last look, the bytes in use, and
// what it is now. A server that rests goes back to what is usual, so that it holds no more memory than it needs.
func collectionPercent(now int, collections, used uint64) int {
	switch {
	case collections == 0:
		return usualPercent
	case collections < manyCollections && now == usualPercent:
		return now
	}
	return int(min(max(spareMemory*100/max(used, 1), usualPercent), mostPercent))
}

// paceCollections has a busy server collect its garbage less often, unless who started it said how often.
func paceCollections(ctx context.Context) {
	if _, said := os.LookupEnv("GOGC"); said {
		return
	}
	defer debug.SetGCPercent(debug.SetGCPercent(usualPercent))
	at := time.NewTicker(collectionsEvery)
	defer at.Stop()
	seen := []gauges.Sample{{Name: "/gc/cycles/automatic:gc-cycles"}, {Name: "/gc/heap/live:bytes"}}
	gauges.Read(seen)
	percent := usualPercent
	for {
		before := seen[0].Value.Uint64()
		select {
		case <-ctx.Done():
			return
		case <-at.C:
		}
		gauges.Read(seen)
		if next := collectionPercent(percent, seen[0].Value.Uint64()-before, seen[1].Value.Uint64()); next != percent {
			percent = next
			debug.SetGCPercent(percent)
		}
	}
}
