package live

import (
	"cmp"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"vserver/service/promise"

	"github.com/coder/websocket"
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

// site is a live server behind a real HTTP server, and the client of a test that speaks to it packet by packet.
type site struct {
	*Server
	web    *httptest.Server
	client *http.Client
	tasks  *Namespace

	mu   sync.Mutex
	left []Reason // given to the disconnect handler of /tasks
}

// start serves the namespace /tasks; set adds handlers to it and may be nil.
func start(t *testing.T, o Options, set func(*site)) *site {
	t.Helper()
	if o.Report == nil {
		o.Report = func(err error) { t.Errorf("reported: %v", err) }
	}
	o.Settle = cmp.Or(o.Settle, 1) // most clients here believe at once that they are connected
	x := &site{Server: New(o), client: &http.Client{
		Transport:     &http.Transport{},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	x.tasks = x.Namespace("/tasks")
	x.tasks.OnDisconnect(func(_ *Socket, reason Reason) {
		x.mu.Lock()
		defer x.mu.Unlock()
		x.left = append(x.left, reason)
	})
	if set != nil {
		set(x)
	}
	x.web = httptest.NewServer(x.Server)
	t.Cleanup(x.stop)
	return x
}

func (x *site) stop() {
	ctx, cancel := context.WithTimeout(context.Background(), promise.Patience)
	defer cancel()
	x.Close(ctx)
	x.client.CloseIdleConnections()
	x.web.Close()
}

func (x *site) reasons() []Reason {
	x.mu.Lock()
	defer x.mu.Unlock()
	return append([]Reason(nil), x.left...)
}

// ended waits for the one disconnect of a test and compares its reason.
func (x *site) ended(t *testing.T, want Reason) {
	t.Helper()
	eventually(t, "disconnect handler", func() bool { return len(x.reasons()) > 0 })
	if got := x.reasons(); len(got) != 1 || got[0] != want {
		t.Errorf("disconnected with %q, want once %q", got, want)
	}
}

type answer struct {
	status int
	header http.Header
	body   string
}

// ask makes a request; a query that names no transport is completed to a poll of a session.
func (x *site) ask(t *testing.T, method, query, body string, header ...string) answer {
	t.Helper()
	if !strings.Contains(query, "=") {
		query = "EIO=4&transport=polling&sid=" + query
	}
	r, err := http.NewRequestWithContext(t.Context(), method, x.web.URL+"/socket.io/?"+query, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	if host := r.Header.Get("Host"); host != "" {
		r.Host = host
	}
	res, err := x.client.Do(r)
	if err != nil {
		t.Errorf("%s %s: %v", method, query, err)
		return answer{}
	}
	defer res.Body.Close()
	text, _ := io.ReadAll(res.Body)
	return answer{res.StatusCode, res.Header, string(text)}
}

func (x *site) poll(t *testing.T, sid string) string {
	t.Helper()
	a := x.ask(t, "GET", sid, "")
	if a.status != 200 {
		t.Errorf("poll: %d %s", a.status, a.body)
	}
	return a.body
}

func (x *site) post(t *testing.T, sid, body string) {
	t.Helper()
	if a := x.ask(t, "POST", sid, body); a.status != 200 || a.body != "OK" {
		t.Errorf("post %q: %d %s", body, a.status, a.body)
	}
}

// open begins a polling session and returns its id.
func (x *site) open(t *testing.T, header ...string) string {
	t.Helper()
	a := x.ask(t, "GET", "EIO=4&transport=polling", "", header...)
	var greeting struct{ Sid string }
	if a.status != 200 || !strings.HasPrefix(a.body, "0{") || json.Unmarshal([]byte(a.body[1:]), &greeting) != nil {
		t.Fatalf("handshake: %d %s", a.status, a.body)
	}
	return greeting.Sid
}

// peer is the client's end of a websocket.
type peer struct {
	*websocket.Conn
}

// dial opens a websocket; query is a session id or nothing.
func (x *site) dial(t *testing.T, sid string, header ...string) peer {
	t.Helper()
	h := http.Header{}
	for i := 0; i < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	query := "/socket.io/?EIO=4&transport=websocket"
	if sid != "" {
		query += "&sid=" + sid
	}
	conn, _, err := websocket.Dial(t.Context(), x.web.URL+query, &websocket.DialOptions{HTTPHeader: h, HTTPClient: x.client})
	if err != nil {
		t.Fatal(err)
	}
	conn.SetReadLimit(1 << 24)
	t.Cleanup(func() { conn.CloseNow() })
	return peer{conn}
}

func (p peer) send(t *testing.T, frames ...string) {
	t.Helper()
	for _, f := range frames {
		if err := p.Write(t.Context(), websocket.MessageText, []byte(f)); err != nil {
			t.Fatalf("sending %q: %v", f, err)
		}
	}
}

// read returns the next frame that is not a ping.
func (p peer) read(t *testing.T) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), promise.Patience)
	defer cancel()
	for {
		_, b, err := p.Read(ctx)
		if err != nil {
			t.Fatalf("reading: %v", err)
		}
		if string(b) != "2" {
			return string(b)
		}
	}
}

// gets reads frames and compares them.
func (p peer) gets(t *testing.T, want ...string) {
	t.Helper()
	for _, w := range want {
		if got := p.read(t); got != w {
			t.Fatalf("got %q, want %q", got, w)
		}
	}
}

// hangs waits until the server has closed the websocket, and returns the status it gave, -1 for none.
func (p peer) hangs(t *testing.T) websocket.StatusCode {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), promise.Patience)
	defer cancel()
	for {
		if _, _, err := p.Read(ctx); err != nil {
			if ctx.Err() != nil {
				t.Error("still open")
			}
			return websocket.CloseStatus(err)
		}
	}
}

// join opens a websocket session and connects it to /tasks; the frames that come before the acknowledgement are
// compared. It returns the id of the socket too.
func (x *site) join(t *testing.T, before ...string) (peer, string) {
	t.Helper()
	p := x.dial(t, "")
	if greeting := p.read(t); !strings.HasPrefix(greeting, "0{") {
		t.Fatalf("greeting %q", greeting)
	}
	p.send(t, "40/tasks,")
	p.gets(t, before...)
	return p, socketID(t, p.read(t))
}

// socketID reads the id out of a CONNECT acknowledgement of /tasks.
func socketID(t *testing.T, frame string) string {
	t.Helper()
	var ack struct{ Sid string }
	rest, ok := strings.CutPrefix(frame, "40/tasks,")
	if !ok || json.Unmarshal([]byte(rest), &ack) != nil || ack.Sid == "" {
		t.Fatalf("connect acknowledgement %q", frame)
	}
	return ack.Sid
}
