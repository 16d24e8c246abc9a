package live

import (
	"time"
)

// heartbeat pings all clients and ends the sessions whose time is over. One goroutine does it for everybody.
func (s *Server) heartbeat() {
	ticker := time.NewTicker(min(max(s.opt.PingInterval/20, 5*time.Millisecond), time.Second))
	defer ticker.Stop()
	for {
		select {
		case <-s.quit:
			return
		case now := <-ticker.C:
			s.guard("heartbeat", func() { s.sweep(now) })
		}
	}
}

func (s *Server) sweep(now time.Time) {
	due, over := s.timely(now)
	for c, reason := range over {
		c.end(reason)
	}
	for _, c := range due {
		c.send([]byte{enginePing})
	}
}

// timely lists whom to ping, and whose time is over and why.
func (s *Server) timely(now time.Time) (due []*session, over map[*session]Reason) {
	s.mu.Lock()
	defer s.mu.Unlock()
	over = map[*session]Reason{}
	for _, c := range s.sessions {
		if reason := c.over(now); reason != "" {
			over[c] = reason
		} else if c.pingDue(now) {
			due = append(due, c)
		}
	}
	return due, over
}

// over says why the time of a session is over; empty if it is not. A session with a handler at work is left alone, since
// its packets wait unread behind the handler.
func (c *session) over(now time.Time) Reason {
	o := &c.server.opt
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.busy:
		return ""
	case now.Sub(c.server.born)-time.Duration(c.heard.Load()) >= o.PingInterval+o.PingTimeout:
		return PingTimeout
	case !c.lonely.IsZero() && now.Sub(c.lonely) >= o.ConnectTimeout:
		return NamespaceMissing
	}
	return ""
}

// pingDue says whether it is time for a ping, and counts it as sent.
func (c *session) pingDue(now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now.Before(c.nextPing) {
		return false
	}
	c.nextPing = now.Add(c.server.opt.PingInterval)
	return true
}
