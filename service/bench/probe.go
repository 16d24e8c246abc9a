package bench

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"vserver/service/fault"
)

// crew is people who work at the same time.
type crew struct {
	work sync.WaitGroup
	mu   sync.Mutex
	errs []error
}

// do has somebody do a piece of work.
func (c *crew) do(work func() error) {
	c.work.Go(func() {
		if err := fault.Caught(work); err != nil {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.errs = append(c.errs, err)
		}
	})
}

// finish returns the first error when all are done.
func (c *crew) finish() error {
	c.work.Wait()
	if len(c.errs) > 0 {
		return c.errs[0]
	}
	return nil
}

// ask is one request.
type ask func(context.Context) error

// sample is how long a request took.
type sample struct {
	at   float64 // seconds since the begin
	took time.Duration
	err  error
}

// probe asks at fixed moments, whether earlier answers are there or not, so that a server that
// stands still is seen as long as it does. What a request waits counts from its moment.
type probe struct {
	began time.Time
	stop  context.CancelFunc
	crew  crew

	mu      sync.Mutex
	samples []sample
}

// probeMost is how many requests of a probe wait at a time.
const probeMost = 1000

// newProbe begins to ask every so often.
func newProbe(ctx context.Context, every time.Duration, request ask) *probe {
	p := &probe{began: time.Now()}
	until, stop := context.WithCancel(ctx)
	p.stop = stop
	room := make(chan struct{}, probeMost)
	p.crew.do(func() error {
		for due := p.began; until.Err() == nil; due = due.Add(every) {
			if wait := time.Until(due); wait > 0 && !pause(until, wait) {
				break
			}
			select {
			case room <- struct{}{}:
			case <-until.Done():
				return nil
			}
			p.crew.do(func() error {
				defer func() { <-room }()
				p.keep(due, request(ctx))
				return nil
			})
		}
		return nil
	})
	return p
}

// keep notes how a request that was due at a moment ended.
func (p *probe) keep(due time.Time, err error) {
	s := sample{due.Sub(p.began).Seconds(), time.Since(due), err}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.samples = append(p.samples, s)
}

// end waits for the last answers.
func (p *probe) end() probed {
	p.stop()
	_ = p.crew.finish() // requests keep their errors
	return probed{p.samples}
}

// probed is what a probe has found.
type probed struct{ samples []sample }

// within how many milliseconds a share of the requests was answered.
func (p probed) within(share float64) float64 {
	all := make([]time.Duration, len(p.samples))
	for i, s := range p.samples {
		all[i] = s.took
	}
	return milliseconds(quantile(all, share))
}

// failed is how many requests failed, with the error of the first.
func (p probed) failed() (n int, first error) {
	for _, s := range p.samples {
		if s.err != nil {
			if n++; first == nil {
				first = s.err
			}
		}
	}
	return n, first
}

// beside asks while something happens, and compares with what the same asking finds on a server
// that has nothing else to do. ready is called in between; it may be nil.
func (t *trial) beside(ctx context.Context, every time.Duration, request ask, ready func(), happens func() error) (idle, busy probed, err error) {
	hold := t.hold()
	p := newProbe(ctx, every, request)
	pause(ctx, hold)
	idle = p.end()
	if n, first := idle.failed(); n > 0 {
		return idle, busy, first
	}
	if ready != nil {
		ready()
	}
	p = newProbe(ctx, every, request)
	err = happens()
	return idle, p.end(), errors.Join(err, ctx.Err())
}

// hold is how long an idle server is asked, and how long readers take nothing.
func (t *trial) hold() time.Duration {
	if t.quick {
		return 500 * time.Millisecond
	}
	return 5 * time.Second
}

// foundRatio keeps how much longer requests took than on an idle server, at the 99th percentile.
func (t *trial) foundRatio(key, what string, idle, busy probed) {
	t.found(key, busy.within(.99)/idle.within(.99))
	t.note("%s: p99 idle %.1f ms of %d, busy %.1f ms of %d", what, idle.within(.99), len(idle.samples), busy.within(.99), len(busy.samples))
	if n, first := busy.failed(); n > 0 {
		t.note("%s: %d of %d failed, as in: %v", what, n, len(busy.samples), first)
	}
}

// drive has clients make n requests in all, as fast as they are answered.
func drive(ctx context.Context, clients, n int, request ask) (perSecond float64, err error) {
	var next atomic.Int64
	var all crew
	began := time.Now()
	for range clients {
		all.do(func() error {
			for next.Add(1) <= int64(n) {
				if err := request(ctx); err != nil {
					return err
				}
			}
			return nil
		})
	}
	err = all.finish()
	return float64(n) / time.Since(began).Seconds(), err
}

// clocked is how long requests took.
type clocked struct {
	mu   sync.Mutex
	took []time.Duration
}

// clock has a request add its time.
func (c *clocked) clock(request ask) ask {
	return func(ctx context.Context) error {
		began := time.Now()
		err := request(ctx)
		took := time.Since(began)
		c.mu.Lock()
		defer c.mu.Unlock()
		c.took = append(c.took, took)
		return err
	}
}

// driveFor has clients make requests for a time, and returns how long each took.
func driveFor(ctx context.Context, clients int, d time.Duration, request ask) ([]time.Duration, error) {
	var all crew
	took := make([][]time.Duration, clients)
	end := time.Now().Add(d)
	for i := range clients {
		all.do(func() error {
			for begin := time.Now(); begin.Before(end); begin = time.Now() {
				if err := request(ctx); err != nil {
					return err
				}
				took[i] = append(took[i], time.Since(begin))
			}
			return nil
		})
	}
	err := all.finish()
	var list []time.Duration
	for _, t := range took {
		list = append(list, t...)
	}
	return list, err
}
