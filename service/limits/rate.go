package limits

import (
	"maps"
	"math"
	"net/netip"
	"sync"
	"time"
)

// mostBuckets bounds the addresses that are remembered. Beyond it those that have been quiet are forgotten, and when
// there are none, all: who has so many addresses is not stopped by counting them.
const mostBuckets = 100_000

// Rate counts requests by address: as many at once as it allows in a minute, and after that as they are earned.
type Rate struct {
	record    *record
	perMinute int // 0: any number

	mu      sync.Mutex
	buckets map[netip.Prefix]bucket
}

// bucket is what an address had left at a moment.
type bucket struct {
	left float64
	at   time.Time
}

func newRate(r *record, perMinute int) *Rate {
	return &Rate{record: r, perMinute: perMinute, buckets: map[netip.Prefix]bucket{}}
}

// Take counts a request. The error is an *Excess, with the time until the next one is earned.
func (r *Rate) Take(n netip.Prefix) error { return r.takeAt(n, time.Now()) }

func (r *Rate) takeAt(n netip.Prefix, now time.Time) error {
	if r.perMinute == 0 || !n.IsValid() {
		return nil
	}
	r.mu.Lock()
	left := r.left(n, now)
	if left >= 1 {
		r.keep(n, bucket{left - 1, now})
		r.mu.Unlock()
		return nil
	}
	r.mu.Unlock()
	wait := time.Duration(math.Ceil((1-left)*60/float64(r.perMinute))) * time.Second
	return r.record.exceeded(anonymousPerMinute, r.perMinute, address(n), max(wait, time.Second))
}

// Return gives back what a request took that turned out not to be anonymous.
func (r *Rate) Return(n netip.Prefix) {
	if r.perMinute == 0 || !n.IsValid() {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	r.keep(n, bucket{min(r.left(n, now)+1, float64(r.perMinute)), now})
}

// left returns what an address may still ask. It needs r.mu.
func (r *Rate) left(n netip.Prefix, now time.Time) float64 {
	b, ok := r.buckets[n]
	if !ok {
		return float64(r.perMinute)
	}
	return min(b.left+max(now.Sub(b.at), 0).Minutes()*float64(r.perMinute), float64(r.perMinute))
}

// keep needs r.mu.
func (r *Rate) keep(n netip.Prefix, b bucket) {
	if _, known := r.buckets[n]; !known && len(r.buckets) >= mostBuckets {
		maps.DeleteFunc(r.buckets, func(_ netip.Prefix, old bucket) bool { return b.at.Sub(old.at) >= time.Minute })
		if len(r.buckets) >= mostBuckets {
			clear(r.buckets)
		}
	}
	r.buckets[n] = b
}
