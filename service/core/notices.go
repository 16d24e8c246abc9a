package core

import (
	"fmt"
	"sync"
	"time"

	"vserver/service/bus"
)

const (
	// noticePause is the least time between two messages to a room about who came and went.
	noticePause = 200 * time.Millisecond
	// pauseGrowth is how many times that it becomes at most, while the room stays busy.
	pauseGrowth = 8
)

// notice is what a room has to be told about who came and went.
type notice struct {
	text         string // said when nothing else has to be told with it
	except       string // the socket that must not hear the text
	joined, left int
}

// notices tell rooms who came and went. A room that was told nothing for a while is told
// at once; what follows within the pause is gathered and told in one message at its end.
// The pause doubles as long as there are several to be told of at its end. Otherwise a
// thousand who join would each write to all the others.
type notices struct {
	publish func(...bus.Message)
	pause   time.Duration

	mu    sync.Mutex
	rooms map[string]*roomNotices // those that were told something within the pause
}

// roomNotices is the state of one room.
type roomNotices struct {
	pause    time.Duration
	next     time.Time // not told anything before
	gathered notice
}

func newNotices(publish func(...bus.Message), pause time.Duration) *notices {
	return &notices{publish: publish, pause: pause, rooms: map[string]*roomNotices{}}
}

// tell sends a notice to a room at once, or gathers what it has to be told.
func (n *notices) tell(room string, news notice) {
	if !n.gather(room, news) {
		n.announce(room, news)
	}
}

// gather keeps a notice if the room was told something within the pause, and reports
// whether it did. If not, the pause begins.
func (n *notices) gather(room string, news notice) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	now := time.Now()
	r := n.rooms[room]
	if r == nil {
		r = &roomNotices{pause: n.pause, next: now}
		n.rooms[room] = r
		time.AfterFunc(n.pause, func() { n.expire(room, r) })
	}
	if r.gathered == (notice{}) && !now.Before(r.next) {
		r.next = now.Add(r.pause)
		return false
	}
	r.gathered = r.gathered.and(news)
	return true
}

// expire ends a pause: the room is told what was gathered, and forgotten if that was nothing.
func (n *notices) expire(room string, r *roomNotices) {
	n.mu.Lock()
	now := time.Now()
	if now.Before(r.next) {
		defer n.mu.Unlock()
		time.AfterFunc(r.next.Sub(now), func() { n.expire(room, r) })
		return
	}
	gathered := r.gathered
	if gathered == (notice{}) {
		defer n.mu.Unlock()
		delete(n.rooms, room)
		return
	}
	if gathered.text == "" {
		gathered.text = gathered.summary(room)
		r.pause = min(2*r.pause, pauseGrowth*n.pause)
	}
	r.gathered, r.next = notice{}, now.Add(r.pause)
	time.AfterFunc(r.pause, func() { n.expire(room, r) })
	n.mu.Unlock()
	n.announce(room, gathered)
}

func (n *notices) announce(room string, news notice) {
	n.publish(bus.Message{Topic: TopicNotice, Key: room, Except: news.except, Name: "message", Data: mustJSON(news.text)})
}

// and adds a notice to what was gathered. Only a single one keeps its text.
func (n notice) and(other notice) notice {
	if n == (notice{}) {
		return other
	}
	return notice{joined: n.joined + other.joined, left: n.left + other.left}
}

// summary counts who came and went.
func (n notice) summary(room string) string {
	switch {
	case n.left == 0:
		return fmt.Sprintf("%d more joined room <%s>", n.joined, room)
	case n.joined == 0:
		return fmt.Sprintf("%d more left room %s", n.left, room)
	}
	return fmt.Sprintf("%d more joined and %d left room <%s>", n.joined, n.left, room)
}
