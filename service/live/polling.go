package live

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"
)

var (
	// errGone says that a session has ended or changed its transport.
	errGone = errors.New("session gone")
	// errEnded says that a session has ended, and that its client may not know it yet.
	errEnded = errors.New("session ended")
)

const (
	// maxPacketsInPoll is the number of packets python-engineio takes in one body; with one more it gives up.
	maxPacketsInPoll = 16
	// maxPosts is the number of posts of one session that may wait for their turn; clients send one at a time.
	maxPosts = 8
	// probedPoll is how long a poll may rest while an upgrade is under way: the client ends its last poll before it
	// goes on.
	probedPoll = 100 * time.Millisecond
)

// wake is what a resting poll is told.
type wake byte

const (
	wakeFrames wake = iota // answer what is in the queue
	wakeNoop               // answer that there is nothing
	wakeClose              // answer that the session is closed
	wakeGone               // there is no such session any more
)

// wake returns the answer to the poll that rests when a session ends. Only a client that the server sends away for good
// is told so in a packet, because clients come back from a failed poll and not from a farewell.
func (r Reason) wake() wake {
	switch r {
	case ServerDisconnect:
		return wakeFrames
	case TransportClosed:
		return wakeNoop
	case TooManyRequests:
		return wakeClose
	default:
		return wakeGone
	}
}

// wakePoll ends the rest of a poll, if one rests. It needs c.mu.
func (c *session) wakePoll(w wake) {
	if c.resting != nil {
		c.resting <- w
		c.resting = nil
	}
}

func (s *Server) servePoll(w http.ResponseWriter, r *http.Request, c *session) {
	frames, told := c.poll(r.Context())
	switch told {
	case wakeFrames:
	case wakeGone:
		refuse(w, http.StatusBadRequest, badSession)
		return
	case wakeNoop:
		frames = [][]byte{{engineNoop}}
	case wakeClose:
		frames = [][]byte{{engineClose}}
	}
	if s.writePoll(w, bytes.Join(frames, []byte{separator})) != nil {
		c.end(TransportFailed)
	}
}

// writePoll writes an answer through to the network in the time allowed. The connection goes on to serve other
// requests, so it must not keep the deadline; where none can be set, the server's own holds.
func (s *Server) writePoll(w http.ResponseWriter, body []byte) error {
	rc := http.NewResponseController(w)
	if rc.SetWriteDeadline(time.Now().Add(s.opt.TransferTimeout)) == nil {
		defer rc.SetWriteDeadline(time.Time{})
	}
	text(w)
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	if _, err := w.Write(body); err != nil {
		return err
	}
	return rc.Flush()
}

// poll waits for frames and takes them, or returns what else there is to say. A second poll ends the session.
func (c *session) poll(ctx context.Context) ([][]byte, wake) {
	c.mu.Lock()
	if c.gone() {
		c.mu.Unlock()
		return nil, wakeGone
	}
	if c.polling {
		c.mu.Unlock()
		c.end(TooManyRequests)
		return nil, wakeGone
	}
	c.polling = true
	told := wakeFrames
	if len(c.queue) == 0 {
		told = c.rest(ctx)
	}
	c.polling = false
	if told == wakeFrames && (c.gone() || len(c.queue) == 0) {
		told = wakeGone // the frames belong to the websocket now, or to nobody
	}
	var frames [][]byte
	if told == wakeFrames {
		frames = c.take(maxPacketsInPoll)
	}
	last := c.parting && len(c.queue) == 0
	c.mu.Unlock()
	if last {
		c.cut()
	}
	return frames, told
}

// gone says whether polls have no business with the session any more. It needs c.mu.
func (c *session) gone() bool { return c.closed && !c.parting || c.ws != nil }

// rest waits to be told what to answer. A client that gives up its poll has gone. It needs c.mu and lets go of it
// meanwhile.
func (c *session) rest(ctx context.Context) (told wake) {
	resting := make(chan wake, 1)
	c.resting = resting
	var enough <-chan time.Time
	if c.probed {
		enough = time.After(probedPoll)
	}
	c.mu.Unlock()
	defer c.mu.Lock()
	select {
	case told = <-resting:
		return told
	case <-enough:
		c.mu.Lock()
		defer c.mu.Unlock()
		c.wakePoll(wakeNoop)
		return <-resting // someone may have been faster
	case <-ctx.Done():
		c.end(TransportClosed)
		return wakeGone
	}
}

// take removes the first frames from the queue. It needs c.mu.
func (c *session) take(limit int) [][]byte {
	frames := c.queue[:min(len(c.queue), limit)]
	c.queue = c.queue[len(frames):]
	c.sent(frames)
	return frames
}

func (s *Server) servePost(w http.ResponseWriter, r *http.Request, c *session) {
	switch err := c.beginPost(); {
	case errors.Is(err, errEnded):
		refusePost(w)
		return
	case err != nil:
		refuse(w, http.StatusBadRequest, badSession)
		return
	}
	defer c.endPost()
	if err := c.post(s.body(w, r)); err != nil {
		refuse(w, http.StatusBadRequest, badRequest)
		return
	}
	agree(w)
}

// body reads the body of a post, or says why the session cannot go on.
func (s *Server) body(w http.ResponseWriter, r *http.Request) ([]byte, Reason) {
	rc := http.NewResponseController(w)
	if rc.SetReadDeadline(time.Now().Add(s.opt.TransferTimeout)) == nil {
		defer rc.SetReadDeadline(time.Time{})
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, int64(s.opt.MaxPayload)))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, PayloadTooLarge
	case err != nil:
		return nil, TransportFailed
	}
	return body, ""
}

// beginPost counts a post in, unless the session has ended or does not poll or too many posts are waiting already. While
// its last frames wait for a poll, a session takes posts and ignores them.
func (c *session) beginPost() error {
	c.mu.Lock()
	if c.closed && !c.parting {
		c.mu.Unlock()
		return errEnded
	}
	if c.ws != nil && !c.closed {
		c.mu.Unlock()
		return errGone
	}
	if c.posts >= maxPosts {
		c.mu.Unlock()
		c.end(TooManyRequests)
		return errGone
	}
	c.posts++
	c.mu.Unlock()
	return nil
}

func (c *session) endPost() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.posts--
}

// post handles a body when all that came before it is handled.
func (c *session) post(body []byte, fault Reason) error {
	if fault != "" {
		c.end(fault)
		return errGone
	}
	c.takeTurn()
	defer c.passTurn()
	return c.payload(body)
}

// payload handles the packets of a polling body; an empty body has none. A packet that is malformed ends the session.
// It needs the turn.
func (c *session) payload(body []byte) error {
	for more := len(body) > 0; more; {
		if c.isClosed() {
			return nil // by one of the packets before
		}
		var p []byte
		p, body, more = bytes.Cut(body, []byte{separator})
		if err := c.receive(p); err != nil {
			c.end(PacketMalformed)
			return err
		}
	}
	return nil
}
