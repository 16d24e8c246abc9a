package live

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Reason says why a socket came to its end.
type Reason string

// The reasons a disconnect handler is given.
const (
	ClientLeft       Reason = "client left the namespace"  // it sent a DISCONNECT packet
	TransportClosed  Reason = "transport closed"           // it said so, or hung up
	TransportFailed  Reason = "transport failed"           // a frame or body did not get through
	PingTimeout      Reason = "ping timeout"               // silent for PingInterval + PingTimeout
	SlowClient       Reason = "client too slow"            // more waited for it than MaxQueue or MaxQueueBytes
	PacketMalformed  Reason = "malformed packet"           // framing that is not the protocol's
	PayloadTooLarge  Reason = "payload too large"          // more than MaxPayload
	TooManyRequests  Reason = "too many requests"          // a second poll at the same time, or posts in heaps
	NamespaceMissing Reason = "no namespace"               // none was connected to for ConnectTimeout
	HandlerFailed    Reason = "connect handler failed"     // it panicked
	SessionFailed    Reason = "session failed"             // this package panicked at it
	ServerDropped    Reason = "dropped by the server"      // Socket.Drop
	ServerDisconnect Reason = "disconnected by the server" // Socket.Disconnect
	ServerClosed     Reason = "server closed"              // Server.Close
)

// session is the Engine.IO connection of one client, over whichever transport it uses at the moment.
type session struct {
	server        *Server
	id            string
	authorization string // a header of the request that opened the session, whose are the next two
	remote        string
	host          string
	left          func()       // see Options.Admit
	heard         atomic.Int64 // when the last packet arrived, in nanoseconds since server.born

	mu          sync.Mutex
	queue       [][]byte // frames for the client
	soon        [][]byte // frames that come after those in queue and are not urgent
	unsent      int      // frames in queue, in soon or being written to the websocket
	unsentBytes int
	ws          *wsConn   // the transport, nil while polling
	probe       *wsConn   // a websocket that may become the transport
	probed      bool      // the probe was answered, so polls are not left resting
	flushing    bool      // a goroutine is writing to ws
	inLane      bool      // the lane will see to soon
	polling     bool      // a poll is being answered
	resting     chan wake // of the poll that waits for a frame
	posts       int       // posts being taken
	closed      bool
	parting     bool // closed, and the last frames are still to be sent
	nextPing    time.Time
	joined      time.Time // when the last socket was admitted; zero if none was
	lonely      time.Time // since when no admitted socket of a registered namespace is there; zero if one is
	members     int       // such sockets
	sockets     []*Socket
	busy        bool            // the turn is taken
	turns       []chan struct{} // those who wait for it, in order
}

// send queues a frame and starts it on its way, without waiting for anything. A frame for a closed session is lost.
func (c *session) send(frame []byte) {
	if !c.put(frame, false) {
		c.end(SlowClient)
	}
}

// sendSoon is send for a frame that may wait for SoonPause.
func (c *session) sendSoon(frame []byte) {
	if !c.put(frame, true) {
		c.end(SlowClient)
	}
}

// put queues a frame unless the session is closed. It reports false if the client is too slow, and leaves it to the caller
// to end the session.
func (c *session) put(frame []byte, soon bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.closed:
	case !c.fits(frame):
		return false
	case soon:
		c.postpone(frame)
	default:
		c.push(frame)
	}
	return true
}

// fits reports whether a frame may wait with those that do. It needs c.mu.
func (c *session) fits(frame []byte) bool {
	o := &c.server.opt
	return c.unsent == 0 || c.unsent < o.MaxQueue && c.unsentBytes+len(frame) <= o.MaxQueueBytes
}

// push queues a frame and wakes the transport. It needs c.mu.
func (c *session) push(frame []byte) {
	c.queueSoon()
	c.queue = append(c.queue, frame)
	c.unsent++
	c.unsentBytes += len(frame)
	c.wakePoll(wakeFrames)
	c.startFlush()
}

// sent takes frames that left the queue off the account. It needs c.mu.
func (c *session) sent(frames [][]byte) {
	c.unsent -= len(frames)
	for _, f := range frames {
		c.unsentBytes -= len(f)
	}
}

// receive handles one Engine.IO packet. It needs the turn.
func (c *session) receive(b []byte) error {
	c.heard.Store(int64(time.Since(c.server.born)))
	if len(b) == 0 {
		return errMalformed
	}
	switch b[0] {
	case enginePing, enginePong, engineUpgrade, engineNoop:
		return nil // a pong needs no more than to be heard; the others say nothing at this point
	case engineClose:
		c.end(TransportClosed)
		return nil
	case engineMessage:
		return c.message(b[1:])
	default:
		return errMalformed
	}
}

// takeTurn waits until all that came before for this session is done. Whoever takes the turn must pass it on.
func (c *session) takeTurn() {
	c.mu.Lock()
	if !c.busy {
		c.busy = true
		c.mu.Unlock()
		return
	}
	turn := make(chan struct{})
	c.turns = append(c.turns, turn)
	c.mu.Unlock()
	<-turn
}

func (c *session) passTurn() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.turns) == 0 {
		c.busy = false
		return
	}
	close(c.turns[0])
	c.turns = c.turns[1:]
}

func (c *session) isClosed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closed
}

// end closes the session, once: nothing is sent or received any more, the transport is cut, and the disconnect
// handlers run after the handler that is running now. It does not wait for any of this. The last frames, if there are
// any, still go out with what waits before them, and the transport is cut after them.
func (c *session) end(reason Reason, last ...[]byte) {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return
	}
	c.closed, c.parting = true, len(last) > 0
	if c.parting {
		c.queue = slices.Concat(c.queue, c.soon, last)
		c.startFlush()
		time.AfterFunc(min(farewellTimeout, c.server.opt.TransferTimeout), func() { c.shield("farewell", c.cut) })
	}
	c.soon = nil
	if reason == NamespaceMissing {
		c.server.expired.Add(1)
	}
	c.wakePoll(reason.wake())
	c.server.running.Add(1)
	c.mu.Unlock()
	if len(last) == 0 {
		c.server.forget(c)
		c.spawn("cutting of a connection", c.cut)
	}
	c.server.ends.add(func() { c.shield("end of a session", func() { c.finish(reason) }) })
}

// endSettled ends the session of a client that was just admitted a little later, see Options.Settle.
func (c *session) endSettled(reason Reason) {
	wait := c.settling()
	if wait <= 0 {
		c.end(reason)
		return
	}
	c.spawn("waiting for a client to settle", func() {
		<-time.After(wait)
		c.end(reason)
	})
}

// settling is how long the client should not be cut off yet.
func (c *session) settling() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Until(c.joined.Add(c.server.opt.Settle))
}

// spawn runs a part of a session beside the requests of its client.
func (c *session) spawn(what string, part func()) {
	c.server.running.Go(func() { c.shield(what, part) })
}

// shield runs a part of a session. A panic ends that session alone.
func (c *session) shield(what string, part func()) {
	if !c.server.guard(what, part) {
		c.end(SessionFailed)
	}
}

// cut makes an end of the transport of a closed session: what waits is lost, connections break, polls find nothing.
func (c *session) cut() {
	c.mu.Lock()
	c.queue, c.parting = nil, false
	ws, probe := c.ws, c.probe
	c.mu.Unlock()
	c.server.forget(c)
	ws.abort()
	probe.abort()
}

// finish tells the sockets of a closed session.
func (c *session) finish(reason Reason) {
	defer c.server.running.Done()
	if c.left != nil { // it was admitted
		defer c.left()
	}
	c.takeTurn()
	defer c.passTurn()
	for _, k := range c.takeSockets() {
		k.ns.drop(k, reason)
	}
}

// alone reports whether the session has no admitted socket of a registered namespace.
func (c *session) alone() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return !c.lonely.IsZero()
}

func (c *session) takeSockets() []*Socket {
	c.mu.Lock()
	defer c.mu.Unlock()
	sockets := c.sockets
	c.sockets = nil
	return sockets
}
