package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/coder/websocket"
)

// event is something that the server tells a client.
type event struct {
	name string
	args []json.RawMessage
	ack  string // the number to answer with, "" when no answer is asked for
}

// socket is a live connection to namespace /tasks: Engine.IO 4 that begins with
// polling and goes over to websocket, as the clients of the field do it.
type socket struct {
	conn   *websocket.Conn
	from   *client
	closed chan struct{} // closed when the connection has ended
	stop   context.CancelFunc
}

const (
	namespace = "/tasks,"
	// goodbye is how long the last words may take.
	goodbye = time.Second
)

// connect opens a live connection with the client's access token. heard is called
// for every event, in order; ack makes the answer to events that ask for one.
func (c *client) connect(ctx context.Context, heard func(event), ack func(event) any) (*socket, error) {
	at, err := c.origin()
	if err != nil {
		return nil, err
	}
	at.Path = "/socket.io/"
	access, _ := c.tokens()
	header := http.Header{"Authorization": {"Bearer " + access}}
	sid, err := c.handshake(ctx, *at, header)
	if err != nil {
		return nil, fmt.Errorf("live connection: %w", err)
	}
	conn, err := c.upgrade(ctx, *at, sid)
	if err != nil {
		return nil, fmt.Errorf("live connection: %w", err)
	}
	life, stop := context.WithCancel(context.WithoutCancel(ctx))
	s := &socket{conn: conn, from: c, closed: make(chan struct{}), stop: stop}
	joined := make(chan struct{})
	go s.listen(life, joined, heard, ack)
	if err := conn.Write(ctx, websocket.MessageText, []byte("40"+namespace)); err != nil {
		s.close()
		return nil, fmt.Errorf("live connection: %w", err)
	}
	select {
	case <-joined:
		return s, nil
	case <-s.closed:
		return nil, errors.New("live connection: the server closed it")
	case <-ctx.Done():
		s.close()
		return nil, ctx.Err()
	}
}

// handshake opens the engine's session by polling; only this request carries the
// token.
func (c *client) handshake(ctx context.Context, at url.URL, header http.Header) (string, error) {
	at.RawQuery = "EIO=4&transport=polling"
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
	if err != nil {
		return "", err
	}
	req.Header = header
	reply, err := c.http.Do(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = reply.Body.Close() }()
	raw, err := io.ReadAll(reply.Body)
	if err != nil {
		return "", err
	}
	var open struct {
		SID string `json:"sid"`
	}
	if reply.StatusCode != http.StatusOK || len(raw) == 0 || raw[0] != '0' || json.Unmarshal(raw[1:], &open) != nil {
		return "", fmt.Errorf("unexpected answer to the handshake: %d %s", reply.StatusCode, raw)
	}
	return open.SID, nil
}

// upgrade goes over from polling to websocket.
func (c *client) upgrade(ctx context.Context, at url.URL, sid string) (*websocket.Conn, error) {
	at.Scheme = strings.Replace(at.Scheme, "http", "ws", 1)
	at.RawQuery = "EIO=4&transport=websocket&sid=" + url.QueryEscape(sid)
	conn, reply, err := websocket.Dial(ctx, at.String(), &websocket.DialOptions{HTTPClient: c.http})
	if err != nil {
		return nil, err
	}
	if reply.Body != nil {
		_ = reply.Body.Close()
	}
	conn.SetReadLimit(1 << 20)
	if err := conn.Write(ctx, websocket.MessageText, []byte("2probe")); err != nil {
		return nil, err
	}
	for {
		_, msg, err := conn.Read(ctx)
		if err != nil {
			return nil, err
		}
		if string(msg) == "3probe" {
			return conn, conn.Write(ctx, websocket.MessageText, []byte("5"))
		}
	}
}

// listen reads until the connection ends.
func (s *socket) listen(ctx context.Context, joined chan struct{}, heard func(event), ack func(event) any) {
	defer close(s.closed)
	defer func() { _ = s.conn.CloseNow() }()
	for {
		_, raw, err := s.conn.Read(ctx)
		if err != nil {
			return
		}
		msg := string(raw)
		switch {
		case msg == "2":
			err = s.conn.Write(ctx, websocket.MessageText, []byte("3"))
		case strings.HasPrefix(msg, "40"+namespace):
			close(joined)
		case strings.HasPrefix(msg, "42"+namespace):
			err = s.take(ctx, msg[len("42"+namespace):], heard, ack)
		case strings.HasPrefix(msg, "41"), msg == "1":
			return
		}
		if err != nil {
			return
		}
	}
}

// take passes an event on, and acknowledges it when it asks for that.
func (s *socket) take(ctx context.Context, msg string, heard func(event), ack func(event) any) error {
	body := strings.TrimLeft(msg, "0123456789")
	e := event{ack: msg[:len(msg)-len(body)]}
	var args []json.RawMessage
	if err := json.Unmarshal([]byte(body), &args); err != nil || len(args) == 0 {
		return fmt.Errorf("an event that is no list: %s", msg)
	}
	if err := json.Unmarshal(args[0], &e.name); err != nil {
		return fmt.Errorf("an event without a name: %s", msg)
	}
	e.args = args[1:]
	heard(e)
	if e.ack == "" {
		return nil
	}
	answer := []any{}
	if ack != nil {
		answer = append(answer, ack(e))
	}
	b, err := json.Marshal(answer)
	if err != nil {
		return err
	}
	s.from.witness(b)
	return s.conn.Write(ctx, websocket.MessageText, []byte("43"+namespace+e.ack+string(b)))
}

// emit sends an event to the server.
func (s *socket) emit(ctx context.Context, name string, arg any) error {
	b, err := json.Marshal([]any{name, arg})
	if err != nil {
		return fmt.Errorf("encoding event %s: %w", name, err)
	}
	s.from.witness(b)
	return s.conn.Write(ctx, websocket.MessageText, []byte("42"+namespace+string(b)))
}

// close says goodbye and ends the connection.
func (s *socket) close() {
	ctx, cancel := context.WithTimeout(context.Background(), goodbye)
	defer cancel()
	_ = s.conn.Write(ctx, websocket.MessageText, []byte("41"+namespace))
	_ = s.conn.Close(websocket.StatusNormalClosure, "")
	s.stop()
	<-s.closed
}
