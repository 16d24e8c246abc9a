package live

import (
	"sync"
	"time"
)

// lane is the one goroutine that sees to frames that are not urgent: it writes to one client after another. News for a
// crowd would otherwise make thousands of goroutines runnable at once, and whatever else there is to do would come after
// all of them.
type lane struct {
	pause time.Duration // the longest that a frame waits where there is no crowd
	pace  *pace
	more  chan struct{} // holds one when sessions came into an empty queue

	mu    sync.Mutex
	queue []laneEntry // in the order of their moments
}

// laneEntry is a session that is written to at a moment.
type laneEntry struct {
	session *session
	at      time.Time
}

func newLane(pause time.Duration, quit <-chan struct{}, running *sync.WaitGroup) *lane {
	l := &lane{pause: pause, more: make(chan struct{}, 1)}
	l.pace = newPace(quit, running, l.run)
	return l
}

// A crowd of laneCrowd sessions that wait to be written to makes the pause twice as long, and a larger one up to
// laneStretch times: each then gets more in one write, and the writes are spread.
const (
	laneCrowd   = 500
	laneStretch = 4
)

// enlist has a session written to in three quarters of the pause; the rest is for those before it.
func (l *lane) enlist(c *session) {
	l.mu.Lock()
	defer l.mu.Unlock()
	stretch := min(1+len(l.queue)/laneCrowd, laneStretch)
	l.queue = append(l.queue, laneEntry{c, time.Now().Add(l.pause * 3 / 4 * time.Duration(stretch))})
	if len(l.queue) == 1 {
		select {
		case l.more <- struct{}{}:
		default: // the lane has not looked since it was told before
		}
	}
}

// take returns the next session, and false if there is none.
func (l *lane) take() (laneEntry, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.queue) == 0 {
		l.queue = nil
		return laneEntry{}, false
	}
	e := l.queue[0]
	l.queue[0] = laneEntry{}
	l.queue = l.queue[1:]
	return e, true
}

// run works until the server is closed or another goroutine has taken over.
func (l *lane) run() {
	for {
		e, ok := l.take()
		if !ok {
			select {
			case <-l.pace.quit:
				return
			case <-l.more:
			}
			continue
		}
		if !l.pace.sleep(time.Until(e.at)) {
			return
		}
		hurry := time.Since(e.at) > l.pause/4
		if !l.pace.do(e.session.writeSoon, hurry) {
			return
		}
	}
}

// postpone queues a frame behind all others, to be sent within SoonPause. It needs c.mu.
func (c *session) postpone(frame []byte) {
	if c.soon == nil {
		c.soon = c.server.frames.get()
	}
	c.soon = append(c.soon, frame)
	c.unsent++
	c.unsentBytes += len(frame)
	switch {
	case !c.inLane:
		c.inLane = true
		c.server.lane.enlist(c)
	case c.unsent >= c.server.opt.MaxQueue/2:
		c.hasten()
	}
}

// hasten starts the frames that were postponed on their way. It needs c.mu.
func (c *session) hasten() {
	if c.queueSoon() {
		c.wakePoll(wakeFrames)
		c.startFlush()
	}
}

// queueSoon makes the frames that were postponed urgent, and reports whether there are any. It needs c.mu.
func (c *session) queueSoon() bool {
	switch {
	case len(c.soon) == 0:
		return false
	case len(c.queue) == 0:
		c.queue, c.soon = c.soon, nil
	default:
		c.queue = append(c.queue, c.soon...)
		c.server.frames.put(c.soon)
		c.soon = nil
	}
	return true
}

// writeSoon is hasten for the lane: it returns when the frames are written.
func (c *session) writeSoon() {
	c.shield("writing of news", func() {
		if c.leaveLane() {
			c.flush()
		}
	})
}

// leaveLane makes what was postponed urgent, and reports whether it is left to the caller to write it.
func (c *session) leaveLane() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.inLane = false
	if !c.queueSoon() {
		return false
	}
	c.wakePoll(wakeFrames)
	if c.ws == nil || c.flushing {
		return false
	}
	c.flushing = true
	return true
}
