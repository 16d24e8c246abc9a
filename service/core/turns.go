package core

import (
	"context"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"vserver/service/fault"
)

// crowd is what those who wait for a hash have in common.
type crowd uint8

// The crowds, with what their lanes are.
const (
	known    crowd = iota // networks from which somebody logged in lately, and accounts with a token
	stranger              // other networks
	hidden                // one lane: behind proxies that nobody listed, where no address is known
	crowds
)

// sharesOfTurns is whose turn it is while all of them wait: strangers cannot hold up
// those who are known, nor the other way round.
var sharesOfTurns = []crowd{known, known, known, stranger, known, known, known, hidden}

// roomToWait is how many may wait for each worker: of a crowd in all, and in one lane.
var roomToWait = [crowds]struct{ all, lane int }{known: {128, 64}, stranger: {32, 16}, hidden: {64, 64}}

const (
	// turnedAwayPause is how long it takes to learn that there is no room, so that who asks
	// again at once costs little.
	turnedAwayPause = time.Second
	// mostPausing is how many that are held for, at most; the others learn it at once.
	mostPausing = 1000
	// turnedAwayQuiet is the least time between two lines of the log about it.
	turnedAwayQuiet = time.Minute
)

// asker is who wants a password hashed. Log-ins wait by network and within it by the name
// that they give, whether there is such an account or not (/docs/tokens#queue).
type asker struct {
	crowd      crowd
	lane, name string
}

// askerOf is an account with a token; 0 stands for who holds the database itself.
func askerOf(account int64) asker {
	return asker{crowd: known, lane: "account " + strconv.FormatInt(account, 10)}
}

// asker is who logs in from somewhere under a name.
func (o Origin) asker(name string) asker {
	if !o.Network.IsValid() {
		return asker{crowd: hidden, name: name}
	}
	return asker{crowd: stranger, lane: o.network(), name: name}
}

// waiter waits for its turn; ready gets nil when it has come, or why it never will.
type waiter struct {
	asker
	ready chan error
}

// turns has everybody hash passwords in turn, so that a crowd of log-ins leaves a core to all
// other work and nobody who is right waits for those who are wrong.
type turns struct {
	workers int
	waiting [crowds]atomic.Int64 // for the metrics
	away    atomic.Int64         // how many found no room
	pausing atomic.Int64
	lasted  atomic.Int64 // how many nanoseconds the last turn took

	mu     sync.Mutex
	free   int
	next   int // in sharesOfTurns
	queues [crowds]rotation[*rotation[*waiters]]
	lately *lately
	told   time.Time // when the log said last that there is no room
	untold int64     // how often it was so since
}

// newTurns leaves a core to other work where there is one.
func newTurns(cores int) *turns {
	n := max(cores-1, 1)
	t := &turns{workers: n, free: n, lately: newLately()}
	t.queues[stranger].past = &past{}
	return t
}

// Waiting returns how many wait to have a password hashed, by where they come from.
func (c *Core) Waiting() map[string]*atomic.Int64 {
	w := &c.turns.waiting
	return map[string]*atomic.Int64{"known": &w[known], "other": &w[stranger], "unlisted_proxy": &w[hidden]}
}

// TurnedAway returns how many found no room to wait since the start.
func (c *Core) TurnedAway() *atomic.Int64 { return &c.turns.away }

// turn waits until a worker is free for somebody; when there is no room to wait it is a fault
// that clients try again after.
func (c *Core) turn(ctx context.Context, a asker) (leave func(), err error) {
	gone := ctx.Done()
	w := c.turns.join(a)
	select {
	case err = <-w.ready:
	case <-gone:
		c.turns.abandon(w)
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, c.turnedAway(ctx, a)
	}
	began := time.Now()
	return func() {
		c.turns.lasted.Store(int64(time.Since(began)))
		c.turns.pass()
	}, nil
}

// turnedAway words what those hear who find no room.
func (c *Core) turnedAway(ctx context.Context, a asker) error {
	if n := c.turns.note(time.Now()); n > 0 {
		c.log.Warn().Msgf("Too many log-ins wait: turned one away from %s (%d since the last such line)", c.placeOf(a), n)
	}
	c.turns.pause(ctx)
	f := fault.New(fault.TooMany, "Too many log-ins at the moment, try again later")
	f.RetryAfter = c.turns.wait(a.crowd)
	return f
}

// placeOf names where somebody waited.
func (c *Core) placeOf(a asker) string {
	if a.crowd == hidden {
		return "behind a proxy that trusted_proxies does not list"
	}
	return a.lane
}

// errNoRoom is what a waiter learns who is turned away.
var errNoRoom = fault.New(fault.TooMany, "no room to wait")

// join has somebody wait, or begin when a worker is free. When there is no room, the last
// who came of the one who has most waiters has to go, and of those the one who had most turns.
func (t *turns) join(a asker) *waiter {
	t.mu.Lock()
	defer t.mu.Unlock()
	if a.crowd == stranger && t.lately.has(a.lane, time.Now()) {
		a.crowd = known
	}
	w := &waiter{a, make(chan error, 1)}
	if t.free > 0 {
		t.free--
		t.queues[a.crowd].past.add(a.lane, time.Now())
		w.ready <- nil
		return w
	}
	q := &t.queues[a.crowd]
	push(q, w)
	t.waiting[a.crowd].Add(1)
	room := roomToWait[a.crowd]
	lane := a.lane
	switch {
	case sizeOfLane(q.by[lane]) > room.lane*t.workers:
	case t.waiting[a.crowd].Load() > int64(room.all*t.workers):
		lane = longest(q, lane, sizeOfLane)
	default:
		return w
	}
	names := q.by[lane]
	line := names.by[longest(names, a.name, func(l *waiters) int { return len(l.list) })]
	last := line.list[len(line.list)-1]
	q.past.add(lane, time.Now())
	t.remove(last)
	last.ready <- errNoRoom
	return w
}

// remove reports whether somebody was still waiting, and takes it out. It needs t.mu.
func (t *turns) remove(w *waiter) bool {
	q := &t.queues[w.crowd]
	names := q.by[w.lane]
	if names == nil || names.by[w.name] == nil {
		return false
	}
	line := names.by[w.name]
	i := slices.Index(line.list, w)
	if i < 0 {
		return false
	}
	line.list = slices.Delete(line.list, i, i+1)
	if len(line.list) == 0 {
		names.drop(w.name)
	}
	if len(names.order) == 0 {
		q.drop(w.lane)
	}
	t.waiting[w.crowd].Add(-1)
	return true
}

// abandon ends the wait of somebody who went away; a turn that has come meanwhile passes on.
func (t *turns) abandon(w *waiter) {
	t.mu.Lock()
	waited := t.remove(w)
	t.mu.Unlock()
	if !waited && <-w.ready == nil {
		t.pass()
	}
}

// pass has the next one begin.
func (t *turns) pass() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for range sharesOfTurns {
		q := &t.queues[sharesOfTurns[t.next]]
		t.next = (t.next + 1) % len(sharesOfTurns)
		if len(q.order) == 0 {
			continue
		}
		w := q.turn().turn().list[0]
		t.remove(w)
		w.ready <- nil
		return
	}
	t.free++
}

// welcome notes that somebody logged in from a network; who waits there is known from now on.
func (t *turns) welcome(network string, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lately.add(network, now)
	t.queues[stranger].past.forget(network)
	names := t.queues[stranger].by[network]
	if names == nil {
		return
	}
	for _, name := range slices.Clone(names.order) {
		for _, w := range slices.Clone(names.by[name].list) {
			t.remove(w)
			w.crowd = known
			push(&t.queues[known], w)
			t.waiting[known].Add(1)
		}
	}
}

// wait is about how long those of a crowd who come now would wait.
func (t *turns) wait(of crowd) time.Duration {
	all := t.waiting[of].Load() * t.lasted.Load() / int64(t.workers)
	return min(max(time.Duration(all).Round(time.Second), time.Second), time.Minute)
}

// pause holds somebody for whom there is no room.
func (t *turns) pause(ctx context.Context) {
	defer t.pausing.Add(-1)
	if t.pausing.Add(1) > mostPausing {
		return
	}
	timer := time.NewTimer(turnedAwayPause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// note counts somebody for whom there is no room; it returns how many there were since the
// log said so last, or 0 when it need not be said again yet.
func (t *turns) note(now time.Time) int64 {
	t.away.Add(1)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.untold++
	if now.Sub(t.told) < turnedAwayQuiet {
		return 0
	}
	n := t.untold
	t.told, t.untold = now, 0
	return n
}

// waiters wait under one name in one lane, in the order in which they came.
type waiters struct{ list []*waiter }

func push(q *rotation[*rotation[*waiters]], w *waiter) {
	line := q.at(w.lane, func() *rotation[*waiters] { return &rotation[*waiters]{} }).at(w.name, func() *waiters { return &waiters{} })
	line.list = append(line.list, w)
}

func sizeOfLane(names *rotation[*waiters]) (n int) {
	if names == nil {
		return 0
	}
	for _, l := range names.by {
		n += len(l.list)
	}
	return n
}

// lately are the networks from which somebody logged in during the last days. Only who
// has an account adds one.
type lately struct{ by map[string]time.Time }

const (
	latelyTime = 7 * 24 * time.Hour
	latelyMost = 10_000
)

func newLately() *lately { return &lately{by: map[string]time.Time{}} }

func (l *lately) has(network string, now time.Time) bool {
	at, ok := l.by[network]
	return ok && now.Sub(at) < latelyTime
}

// add notes a network, for which the one that was longest away has to go when there are many.
func (l *lately) add(network string, now time.Time) {
	if _, ok := l.by[network]; !ok && len(l.by) >= latelyMost {
		oldest := network
		for n, at := range l.by {
			if oldest == network || at.Before(l.by[oldest]) {
				oldest = n
			}
		}
		delete(l.by, oldest)
	}
	l.by[network] = now
}
