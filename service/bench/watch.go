package bench

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"vserver/service/plot"
)

const (
	watchEvery = 20 * time.Millisecond
	// rest is what a server gets to come to itself before its idle memory is looked at.
	rest, quickRest = 2 * time.Second, 300 * time.Millisecond
)

// watch looks at the memory of a server while something happens.
type watch struct {
	pid   int
	began time.Time
	idle  int64 // bytes before, 0 when memory is not known here
	exact bool  // the system tells the peak
	stop  context.CancelFunc
	done  sync.WaitGroup

	mu     sync.Mutex
	points []plot.Point // seconds, MiB
	most   int64
}

// watchMemory rests and begins to look.
func (t *trial) watchMemory(ctx context.Context) *watch {
	t.rest(ctx)
	w := &watch{pid: t.pid, began: time.Now()}
	ctx, w.stop = context.WithCancel(ctx)
	if w.idle, _ = resident(w.pid); w.idle == 0 {
		return w
	}
	w.exact = forgetPeak(w.pid)
	w.done.Go(func() { w.run(ctx) })
	return w
}

func (t *trial) rest(ctx context.Context) {
	if t.quick {
		pause(ctx, quickRest)
		return
	}
	pause(ctx, rest)
}

func (w *watch) run(ctx context.Context) {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for w.look(); ; w.look() {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (w *watch) look() {
	now, ok := resident(w.pid)
	if !ok {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.points = append(w.points, plot.Point{X: time.Since(w.began).Seconds(), Y: float64(now) / mib})
	w.most = max(w.most, now)
}

// grown is by how many MiB the memory was above idle at most, since the begin or the last call.
func (w *watch) grown() (mebibytes float64, known bool) {
	if w.idle == 0 {
		return 0, false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	most := w.most
	if w.exact {
		most = max(most, peak(w.pid))
		w.exact = forgetPeak(w.pid)
	}
	w.most = 0
	return max(0, float64(most-w.idle)/mib), true
}

// end stops looking and returns what was seen.
func (w *watch) end() []plot.Point {
	w.stop()
	w.done.Wait()
	return w.points
}

// foundGrowth keeps by how much memory has grown, where that is known.
func (t *trial) foundGrowth(key string, w *watch) {
	if grown, known := w.grown(); known {
		t.found(key, grown)
	}
}

// pause waits and reports whether to go on.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// quantile is the smallest value that a share of all does not exceed; 0 of none.
func quantile[T cmp.Ordered](all []T, share float64) (q T) {
	if len(all) == 0 {
		return q
	}
	sorted := slices.Sorted(slices.Values(all))
	return sorted[max(0, int(float64(len(sorted))*share+0.999999)-1)]
}

// milliseconds with their fraction.
func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
