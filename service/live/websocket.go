package live

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
)

const (
	// upgradeTimeout is the time a client has to make a second connection its transport.
	upgradeTimeout = 10 * time.Second
	// farewellTimeout is the time a client has to take its last frames and to close the connection.
	farewellTimeout = 2 * time.Second
	// bufferSize is that of the read and of the write buffer of a websocket, in bytes. Most frames fit, and larger
	// ones pass them by.
	bufferSize = 512
	// gatherSize is how much is gathered for one write to the network, in bytes.
	gatherSize = 16 << 10
	// maxFrameHeader is that of a frame of a server, in bytes.
	maxFrameHeader = 10
)

// wsConn is a websocket whose deadlines are those of the network connection below, which cost no memory.
type wsConn struct {
	*websocket.Conn
	net     *sharedConn
	timeout time.Duration // for one frame to be written
	buffers *sync.Pool    // see Server
}

func (s *Server) serveWebsocket(w http.ResponseWriter, r *http.Request, c *session) {
	if !strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
		refuse(w, http.StatusBadRequest, badUpgrade)
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
		return // the answer is given
	}
	if opened {
		err = c.begin(conn)
	} else {
		err = c.try(conn)
	}
	if err != nil {
		conn.CloseNow()
	}
}

func (s *Server) accept(w http.ResponseWriter, r *http.Request) (*wsConn, error) {
	h := &hijacker{ResponseWriter: w}
	conn, err := websocket.Accept(h, r, &websocket.AcceptOptions{InsecureSkipVerify: true}) // share has judged the origin
	if err != nil {
		return nil, fmt.Errorf("accepting a websocket: %w", err)
	}
	conn.SetReadLimit(int64(s.opt.MaxPayload))
	return &wsConn{Conn: conn, net: h.conn, timeout: s.opt.TransferTimeout, buffers: &s.buffers}, nil
}

// sharedConn is a network connection that two write to, each a whole number of frames at a time: the session its data,
// and the websocket below it the control frames.
type sharedConn struct {
	net.Conn

	mu sync.Mutex
}

// Write implements net.Conn.
func (s *sharedConn) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.Conn.Write(b)
}

// hijacker takes a connection over from the HTTP server, keeps it, and exchanges the buffers for small ones.
type hijacker struct {
	http.ResponseWriter
	conn *sharedConn
}

// Hijack implements http.Hijacker.
func (h *hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffers, err := http.NewResponseController(h.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, fmt.Errorf("hijacking the connection of a websocket: %w", err)
	}
	h.conn = &sharedConn{Conn: conn}
	reader := buffers.Reader
	if reader.Buffered() == 0 { // a client that was too eager keeps the large one
		reader = bufio.NewReaderSize(conn, bufferSize)
	}
	return h.conn, bufio.NewReadWriter(reader, bufio.NewWriterSize(h.conn, bufferSize)), nil
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
	c.spawn("reading", func() {
		defer conn.CloseNow()
		c.listen(conn)
	})
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
		defer conn.CloseNow()
		if c.upgrade(conn) {
			c.listen(conn)
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
	for {
		b, err := conn.read()
		if err != nil {
			c.end(readFault(err))
			return
		}
		if c.receiveInTurn(b) != nil {
			c.end(PacketMalformed)
		}
	}
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
	case errors.Is(err, websocket.ErrMessageTooBig):
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
	closed, conn := c.closed, c.ws
	c.mu.Unlock()
	if closed {
		conn.Close(websocket.StatusNormalClosure, "") // waits for the client until the connection is cut
		c.cut()
	}
}

// writeAll writes frames in as few calls as it takes, which is most of what a frame to many clients costs.
func (w *wsConn) writeAll(frames [][]byte) error {
	buffer := w.buffers.Get().(*[]byte)
	defer w.buffers.Put(buffer)
	for len(frames) > 0 {
		b := appendText((*buffer)[:0], frames[0]) // a large one gets room of its own
		n := 1
		for n < len(frames) && len(b)+len(frames[n])+maxFrameHeader <= gatherSize {
			b = appendText(b, frames[n])
			n++
		}
		w.net.SetWriteDeadline(time.Now().Add(w.timeout))
		if _, err := w.net.Write(b); err != nil {
			return err
		}
		frames = frames[n:]
	}
	return nil
}

func (w *wsConn) write(frame []byte) error { return w.writeAll([][]byte{frame}) }

// appendText appends a whole text message of a server, unmasked and not compressed (RFC 6455, 5.2).
func appendText(b, text []byte) []byte {
	b = append(b, 0x81)
	switch n := len(text); {
	case n < 126:
		b = append(b, byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, 126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 127), uint64(n))
	}
	return append(b, text...)
}

// read returns the next message. A binary one is not part of this protocol.
func (w *wsConn) read() ([]byte, error) {
	kind, b, err := w.Read(context.Background())
	if err == nil && kind != websocket.MessageText {
		err = errMalformed
	}
	return b, err
}

// abort ends the connection at once; reads and writes under way fail. It may be nil.
func (w *wsConn) abort() {
	if w != nil {
		w.net.Close()
	}
}
