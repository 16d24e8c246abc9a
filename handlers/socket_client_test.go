package handlers

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"vserver/queries"
	"vserver/queries/dbtest"
	"vserver/service/core"
	"vserver/service/promise"
)

// eventually waits until a condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(promise.Patience)
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// liveBed is a bed behind a real HTTP server, with the work in the background. Every
// room hears of each who comes and goes, as it does when they come slowly.
type liveBed struct {
	*bed
	web    *httptest.Server
	client *http.Client
	marks  int
}

func newLiveBed(t *testing.T, change ...func(*Options)) *liveBed {
	t.Helper()
	return newLiveBedWith(t, core.Settings{NoticePause: 1}, change...)
}

func newLiveBedWith(t *testing.T, set core.Settings, change ...func(*Options)) *liveBed {
	t.Helper()
	unasked := func(o *Options) {
		o.Periods.FirstPing = time.Hour // a ping falls where the timer puts it
		o.Live.Settle = 1               // nobody here takes itself for connected too early
	}
	b := &liveBed{bed: newBedWith(t, set, slices.Insert(change, 0, unasked)...), client: &http.Client{Transport: &http.Transport{}}}
	b.web = httptest.NewServer(b.s)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		b.s.Run(ctx)
	}()
	t.Cleanup(func() {
		b.close()
		stop()
		<-ended
		b.client.CloseIdleConnections()
		b.web.Close()
	})
	return b
}

// exec changes rows behind the server's back.
func (b *liveBed) exec(statements ...string) {
	b.Helper()
	raw, err := dbtest.SQL(b.src)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = raw.Close() }()
	for _, s := range statements {
		if _, err := raw.ExecContext(b.Context(), s); err != nil {
			b.Fatalf("%s: %v", s, err)
		}
	}
}

// rows returns the texts that a query finds.
func (b *liveBed) rows(query string) []string {
	b.Helper()
	raw, err := dbtest.SQL(b.src)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = raw.Close() }()
	found, err := raw.QueryContext(b.Context(), query)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = found.Close() }()
	var list []string
	for found.Next() {
		var s string
		if err := found.Scan(&s); err != nil {
			b.Fatal(err)
		}
		list = append(list, s)
	}
	if err := found.Err(); err != nil {
		b.Fatal(err)
	}
	return list
}

// account reads the row of an account.
func (b *liveBed) account(id int64) queries.Account {
	b.Helper()
	found, err := b.db.FindAccounts(b.Context(), &id)
	if err != nil || len(found) == 0 {
		b.Fatal(found, err)
	}
	return found[0]
}

// status returns the stored status of somebody of the fixture.
func (b *liveBed) status(name string) string {
	b.Helper()
	_, id := accountOf(name)
	if status := b.account(id).Status; status != nil {
		return *status
	}
	return "never"
}

// socketClient is a client of the live channel that speaks the protocol packet by
// packet. What it hears is kept as "event argument" in the order of arrival.
type socketClient struct {
	t    *testing.T
	name string
	b    *liveBed
	sid  string // of the engine session
	ack  string // what it answers to events that ask for an answer

	header http.Header
	conn   *websocket.Conn // nil while polling
	ctx    context.Context //nolint:containedctx // as long as the client
	hangUp context.CancelFunc

	mu    sync.Mutex
	heard []string
	id    string // of the socket, once it is connected
	acks  map[string]string
	asked int
	ended bool
	gone  chan struct{} // closed when the reader has ended
}

// means are how a client connects.
type means struct {
	only    string // "polling" or "websocket", "" upgrades from one to the other
	token   string // instead of the fixture's; "none" sends none
	connect string // instead of `40/tasks,`
	ack     string // instead of `[]`; "deaf" answers no event, "dead" no heartbeat
	origin  string
}

// dial opens an engine session as somebody of the fixture and connects to /tasks,
// without waiting for an answer to that.
func (b *liveBed) dial(as string, how means) *socketClient {
	b.Helper()
	c := &socketClient{t: b.T, name: as, b: b, ack: "[]", header: http.Header{}, acks: map[string]string{}, gone: make(chan struct{})}
	if how.ack != "" {
		c.ack = how.ack
	}
	if how.token == "" {
		how.token = b.token(as)
	}
	if how.token != "none" {
		c.header.Set("Authorization", "Bearer "+how.token)
	}
	if how.origin != "" {
		c.header.Set("Origin", how.origin)
	}
	c.ctx, c.hangUp = context.WithCancel(context.Background())
	b.Cleanup(func() {
		c.hangUp()
		<-c.gone
	})
	if how.only != "websocket" {
		c.handshake()
	}
	if how.only != "polling" {
		c.open()
	}
	go c.read()
	if how.connect == "" {
		how.connect = "40/tasks,"
	}
	c.send(how.connect)
	return c
}

// join is dial until the acknowledgement.
func (b *liveBed) join(as string, how means) *socketClient {
	b.Helper()
	c := b.dial(as, how)
	eventually(b.T, as+" is connected", func() bool { return c.socket() != "" })
	return c
}

func (c *socketClient) url(transport string) string {
	u := c.b.web.URL + "/socket.io/?EIO=4&transport=" + transport
	if c.sid != "" {
		u += "&sid=" + c.sid
	}
	return u
}

func (c *socketClient) request(method, body string) (string, error) {
	r, err := http.NewRequestWithContext(c.ctx, method, c.url("polling"), strings.NewReader(body))
	if err != nil {
		return "", err
	}
	if c.sid == "" { // later requests of a session need no header
		r.Header = c.header.Clone()
	}
	reply, err := c.b.client.Do(r)
	if err != nil {
		return "", err
	}
	defer reply.Body.Close()
	text, err := io.ReadAll(reply.Body)
	if reply.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s: %d %s", method, reply.StatusCode, text)
	}
	return string(text), err
}

func (c *socketClient) handshake() {
	c.t.Helper()
	text, err := c.request(http.MethodGet, "")
	var greeting struct{ Sid string }
	if err != nil || json.Unmarshal([]byte(strings.TrimPrefix(text, "0")), &greeting) != nil || greeting.Sid == "" {
		c.t.Fatalf("handshake of %s: %v %s", c.name, err, text)
	}
	c.sid = greeting.Sid
}

// open makes a websocket, of the session there is or a new one.
func (c *socketClient) open() {
	c.t.Helper()
	var o websocket.DialOptions
	if c.sid == "" {
		o.HTTPHeader = c.header
	}
	conn, _, err := websocket.Dial(c.ctx, c.url("websocket"), &o)
	if err != nil {
		c.t.Fatalf("websocket of %s: %v", c.name, err)
	}
	conn.SetReadLimit(1 << 24)
	if c.sid == "" {
		c.conn = conn
		return
	}
	err = errors.Join(write(c.ctx, conn, "2probe"), expect(c.ctx, conn, "3probe"), write(c.ctx, conn, "5"))
	if err != nil {
		c.t.Fatalf("upgrade of %s: %v", c.name, err)
	}
	c.conn = conn
}

func write(ctx context.Context, conn *websocket.Conn, frame string) error {
	return conn.Write(ctx, websocket.MessageText, []byte(frame))
}

func expect(ctx context.Context, conn *websocket.Conn, want string) error {
	_, got, err := conn.Read(ctx)
	if err == nil && string(got) != want {
		err = fmt.Errorf("got %q, want %q", got, want)
	}
	return err
}

func (c *socketClient) send(frame string) {
	var err error
	if c.conn != nil {
		err = write(c.ctx, c.conn, frame)
	} else {
		_, err = c.request(http.MethodPost, frame)
	}
	if err != nil && c.ctx.Err() == nil && !c.over() {
		c.t.Errorf("%s sends %q: %v", c.name, frame, err)
	}
}

// read hears frames until the connection ends.
func (c *socketClient) read() {
	defer close(c.gone)
	for {
		var text string
		var err error
		if c.conn != nil {
			var frame []byte
			_, frame, err = c.conn.Read(c.ctx)
			text = string(frame)
		} else {
			text, err = c.request(http.MethodGet, "")
		}
		if err != nil {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.ended = true
			return
		}
		for frame := range strings.SplitSeq(text, "\x1e") {
			c.hear(frame)
		}
	}
}

func (c *socketClient) hear(frame string) {
	rest, tasks := strings.CutPrefix(frame, "42/tasks,")
	switch {
	case frame == "2":
		if c.ack != "dead" {
			c.send("3")
		}
	case tasks:
		bracket := strings.IndexByte(rest, '[')
		if id := rest[:bracket]; id != "" && c.ack[0] == '[' {
			c.send("43/tasks," + id + c.ack)
		}
		c.note(described(rest[bracket:]))
	case strings.HasPrefix(frame, "40/tasks,"):
		var ack struct{ Sid string }
		_ = json.Unmarshal([]byte(frame[len("40/tasks,"):]), &ack)
		c.note("connect")
		c.mu.Lock()
		defer c.mu.Unlock()
		c.id = ack.Sid
	case strings.HasPrefix(frame, "43/tasks,"):
		rest, bracket := frame[len("43/tasks,"):], strings.IndexByte(frame, '[')-len("43/tasks,")
		c.mu.Lock()
		defer c.mu.Unlock()
		c.acks[rest[:bracket]] = rest[bracket:]
	case strings.HasPrefix(frame, "44"):
		c.note("refused " + frame[2:])
	case strings.HasPrefix(frame, "41"):
		c.note("disconnect")
	}
}

// described makes "event argument" of the array of an event, with blanks and keys in
// one form.
func described(array string) string {
	var list []any
	if err := json.Unmarshal([]byte(array), &list); err != nil || len(list) == 0 {
		return "no JSON: " + array
	}
	text := fmt.Sprint(list[0])
	for _, arg := range list[1:] {
		text += " " + compact(arg)
	}
	return text
}

// compact encodes a value with sorted keys.
func compact(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(v)
	return strings.TrimSpace(b.String())
}

func (c *socketClient) note(event string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.heard = append(c.heard, event)
}

func (c *socketClient) socket() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.id
}

func (c *socketClient) over() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ended
}

// has reports whether an event was heard that take has not given yet.
func (c *socketClient) has(event string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Contains(c.heard, event)
}

// take returns everything that was heard since the last time. It first waits for all
// that the server has sent so far, if the client is still connected.
func (c *socketClient) take() []string {
	c.t.Helper()
	c.b.marks++
	mark := fmt.Sprintf("mark %d", c.b.marks)
	eventually(c.t, c.name+" is told of all tasks", func() bool { return !c.b.announces(c.socket()) })
	if id := c.socket(); id != "" && len(c.b.s.live.tasks.Sockets(id)) > 0 {
		if err := c.b.s.live.tasks.Emit(id, "mark", c.b.marks); err != nil {
			c.t.Fatal(err)
		}
		eventually(c.t, c.name+" hears "+mark, func() bool { return c.has(mark) || c.over() })
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	heard := slices.DeleteFunc(c.heard, func(e string) bool { return e == mark })
	c.heard = nil
	return heard
}

// emit sends an event and waits until the server has handled it; args is the JSON of
// its arguments, separated by commas. It returns the acknowledgement.
func (c *socketClient) emit(event, args string) string {
	c.t.Helper()
	c.mu.Lock()
	c.asked++
	id := fmt.Sprint(c.asked)
	c.mu.Unlock()
	frame := "42/tasks," + id + `["` + event + `"`
	if args != "" {
		frame += "," + args
	}
	c.send(frame + "]")
	var answer string
	eventually(c.t, "answer to "+event, func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		answer = c.acks[id]
		return answer != "" || c.ended
	})
	return answer
}

// leave says goodbye as the Python client does, and waits until the server knows.
func (c *socketClient) leave() {
	c.t.Helper()
	c.send("41/tasks,")
	if c.conn != nil {
		_ = c.conn.Close(websocket.StatusNormalClosure, "")
	} else {
		c.send("1")
	}
	c.away()
}

// cut breaks the connection without a word.
func (c *socketClient) cut() {
	c.t.Helper()
	c.hangUp()
	c.away()
}

// away waits until the server has done with the client.
func (c *socketClient) away() {
	c.t.Helper()
	id := c.socket()
	eventually(c.t, c.name+" has left", func() bool { return len(c.b.s.live.tasks.Sockets(id)) == 0 })
}
