package live

import (
	"crypto/sha1" //nolint:gosec // the protocol has it, and it protects nothing
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// upgradeTimeout is the time a client has to make a second connection its transport.
const upgradeTimeout = 10 * time.Second

func (s *Server) serveWebsocket(w http.ResponseWriter, r *http.Request, c *session) {
	if !shakesHands(w, r) {
		return
	}
	opened := c == nil
	if opened {
		var err error
		if c, err = s.open(r); err != nil {
			refuseOpen(w, err)
			return
		}
	}
	conn, err := s.accept(w, r)
	if err != nil {
		if opened {
			c.end(TransportFailed)
		}
		return // no answer can be given
	}
	if r.URL.Query().Get("sid") == "" {
		err = c.begin(conn)
	} else { // the client has been greeted, here or by another server
		err = c.try(conn)
	}
	if err != nil {
		conn.abort()
	}
}

// accept answers the handshake of a websocket (RFC 6455, 4.2) and takes the connection over from the HTTP server.
func (s *Server) accept(w http.ResponseWriter, r *http.Request) (*wsConn, error) {
	h := w.Header()
	h.Set("Upgrade", "websocket")
	h.Set("Connection", "Upgrade")
	h.Set("Sec-WebSocket-Accept", acceptance(r.Header.Get("Sec-WebSocket-Key")))
	w.WriteHeader(http.StatusSwitchingProtocols)
	conn, buffers, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return nil, fmt.Errorf("hijacking the connection of a websocket: %w", err)
	}
	early, _ := buffers.Reader.Peek(buffers.Reader.Buffered()) // of a client that was too eager
	return &wsConn{net: conn, server: s, eager: slices.Clone(early)}, nil
}

// acceptance shows that a handshake was understood.
func acceptance(key string) string {
	sum := sha1.Sum([]byte(strings.TrimSpace(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")) //nolint:gosec // as above
	return base64.StdEncoding.EncodeToString(sum[:])
}

// shakesHands reports whether a request is the handshake of a websocket, and answers one that is not.
func shakesHands(w http.ResponseWriter, r *http.Request) bool {
	keys := r.Header.Values("Sec-WebSocket-Key")
	switch {
	case !strings.EqualFold(r.Header.Get("Upgrade"), "websocket"):
		refuse(w, http.StatusBadRequest, badUpgrade)
	case !r.ProtoAtLeast(1, 1) || !lists(r.Header.Values("Connection"), "upgrade"):
		w.Header().Set("Connection", "Upgrade")
		w.Header().Set("Upgrade", "websocket")
		refuse(w, http.StatusUpgradeRequired, badUpgrade)
	case r.Header.Get("Sec-WebSocket-Version") != "13":
		w.Header().Set("Sec-WebSocket-Version", "13")
		refuse(w, http.StatusBadRequest, badUpgrade)
	case len(keys) != 1 || !random(keys[0]):
		refuse(w, http.StatusBadRequest, badUpgrade)
	default:
		return true
	}
	return false
}

// lists reports whether a header has a word, in whatever case.
func lists(values []string, word string) bool {
	for _, v := range values {
		for part := range strings.SplitSeq(v, ",") {
			if strings.EqualFold(strings.TrimSpace(part), word) {
				return true
			}
		}
	}
	return false
}

// random reports whether a key is one: sixteen bytes.
func random(key string) bool {
	b, err := base64.StdEncoding.DecodeString(strings.TrimSpace(key))
	return err == nil && len(b) == 16
}

// begin makes conn the transport of a new session.
func (c *session) begin(conn *wsConn) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return errGone
	}
	c.ws = conn
	c.push(c.server.greeting(c, ""))
	c.listen(conn)
	return nil
}

// try makes conn the candidate for the transport of a session that polls. There is one at a time.
func (c *session) try(conn *wsConn) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || c.ws != nil || c.probe != nil {
		return errGone
	}
	c.probe = conn
	c.spawn("upgrade", func() {
		if c.upgrade(conn) {
			c.listen(conn)
		} else {
			conn.abort()
		}
	})
	return nil
}

// upgrade goes through the exchange that moves a session from polling to websocket (/docs/live#packets), and reports
// whether it did: "2probe" is answered "3probe", a resting poll is let go so that the client can end its polling, and
// "5" makes conn the transport.
func (c *session) upgrade(conn *wsConn) bool {
	done := c.probing(conn)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.probe, c.probed = nil, false
	if !done || c.gone() {
		return false
	}
	c.ws = conn
	c.wakePoll(wakeGone)
	c.startFlush()
	return true
}

func (c *session) probing(conn *wsConn) bool {
	conn.net.SetReadDeadline(time.Now().Add(upgradeTimeout))
	if b, err := conn.read(); err != nil || string(b) != "2probe" {
		return false
	}
	if conn.write([]byte("3probe")) != nil {
		return false
	}
	c.mu.Lock()
	c.probed = true
	c.wakePoll(wakeNoop)
	c.mu.Unlock()
	if b, err := conn.read(); err != nil || string(b) != "5" {
		return false
	}
	conn.net.SetReadDeadline(time.Time{})
	return true
}

// listen handles what arrives on the transport until that ends, and the session with it. A session that ended for
// another reason cuts the connection, at once or after its last frames; until then nothing is heeded.
func (c *session) listen(conn *wsConn) {
	c.spawn("reading", func() {
		for {
			b, err := conn.read()
			if err != nil {
				c.end(readFault(err))
				c.cut() // a client that was sent away has taken its last frames
				return
			}
			message := len(b) > 0 && b[0] == engineMessage
			if c.receiveInTurn(b) != nil {
				c.end(PacketMalformed)
			}
			if message { // whose handler left a large stack, and the next one may come in hours
				c.listen(conn)
				return
			}
		}
	})
}

func (c *session) receiveInTurn(b []byte) error {
	c.takeTurn()
	defer c.passTurn()
	if c.isClosed() {
		return nil
	}
	return c.receive(b)
}

func readFault(err error) Reason {
	switch {
	case errors.Is(err, errTooLarge):
		return PayloadTooLarge
	case errors.Is(err, errMalformed):
		return PacketMalformed
	}
	return TransportClosed
}

// startFlush sees to it that the queue is written to the websocket. It needs c.mu.
func (c *session) startFlush() {
	if c.ws == nil || c.flushing || len(c.queue) == 0 {
		return
	}
	c.flushing = true
	c.spawn("writing", c.flush)
}

// flush writes the queue until it is empty. After the last frames of a session it closes the websocket.
func (c *session) flush() {
	c.mu.Lock()
	for len(c.queue) > 0 {
		frames, conn := c.queue, c.ws
		c.queue = nil
		c.mu.Unlock()
		err := conn.writeAll(frames)
		if err != nil {
			c.end(TransportFailed)
		}
		c.mu.Lock()
		c.sent(frames)
		c.server.frames.put(frames)
	}
	c.flushing = false
	parting, conn := c.parting, c.ws
	c.mu.Unlock()
	if parting && conn.farewell(closeNormal) != nil { // or else it is cut when the client has closed it, or has had time to
		c.cut()
	}
}
