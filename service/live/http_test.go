package live

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestHandshake(t *testing.T) {
	x := start(t, Options{}, nil)
	a := x.ask(t, "GET", "transport=polling&EIO=4&t=1.5", "")
	sid, tail := a.body[len(`0{"sid":"`):][:20], a.body[len(`0{"sid":"`)+20:]
	want := `","upgrades":["websocket"],"pingTimeout":60000,"pingInterval":25000,"maxPayload":1000000}`
	if a.status != 200 || tail != want || strings.ContainsAny(sid, `"{}/+ `) {
		t.Errorf("got %d %s", a.status, a.body)
	}
	if got := a.header.Get("Content-Type"); got != "text/plain; charset=UTF-8" {
		t.Errorf("content type %q", got)
	}
	if n := x.Sessions(); n != 1 {
		t.Errorf("%d sessions", n)
	}
}

func TestErrorAnswers(t *testing.T) {
	x := start(t, Options{}, nil)
	const version = `"The client is using an unsupported version of the Socket.IO or Engine.IO protocols"`
	for _, row := range []struct {
		method, query string
		status        int
		body          string
	}{
		{"GET", "transport=polling&EIO=3", 400, version},
		{"GET", "transport=polling", 400, version},
		{"GET", "transport=websocket&EIO=5", 400, version},
		{"GET", "transport=smoke&EIO=4", 400, `"Invalid transport"`},
		{"GET", "EIO=4", 400, `"Invalid transport"`},
		{"GET", "transport=polling&EIO=4&sid=nobody", 400, `"Invalid session"`},
		{"POST", "transport=polling&EIO=4&sid=nobody", 308, `"Invalid session"`},
		{"POST", "transport=polling&EIO=4", 400, `"Invalid session"`},
		{"GET", "transport=websocket&EIO=4&sid=nobody", 400, `"Invalid session"`},
		{"GET", "transport=websocket&EIO=4", 400, `"Invalid websocket upgrade"`},
		{"PUT", "transport=polling&EIO=4", 405, `"Method Not Allowed"`},
		{"DELETE", "transport=polling&EIO=4", 405, `"Method Not Allowed"`},
	} {
		a := x.ask(t, row.method, row.query, "")
		if a.status != row.status || a.body != row.body || a.header.Get("Content-Type") != "text/plain" {
			t.Errorf("%s %s: got %d %s (%s)", row.method, row.query, a.status, a.body, a.header.Get("Content-Type"))
		}
	}
	if n := x.Sessions(); n != 0 {
		t.Errorf("%d sessions came of errors", n)
	}
}

func TestHeaderTooLarge(t *testing.T) {
	x := start(t, Options{}, nil)
	if a := x.ask(t, "GET", "transport=polling&EIO=4", "", "Cookie", strings.Repeat("a", maxHeader)); a.status != 431 {
		t.Errorf("got %d %s", a.status, a.body)
	}
}

// TestNoCacheKeepsAnyAnswer: refusals hold ids of sessions as packets do.
func TestNoCacheKeepsAnyAnswer(t *testing.T) {
	x := start(t, Options{MaxSessions: 2, AllowOrigin: func(*http.Request) bool { return false }}, nil)
	sid, gone := x.open(t), x.open(t)
	full := x.ask(t, "GET", "transport=polling&EIO=4", "")
	ended := x.ask(t, "POST", gone, "1")
	for what, c := range map[string]struct {
		answer
		status int
	}{
		"full": {full, 503}, "post": {ended, 200},
		"late post": {x.ask(t, "POST", gone, "3"), 308}, "malformed post": {x.ask(t, "POST", sid, "?"), 400},
		"transport": {x.ask(t, "GET", "EIO=4", ""), 400}, "method": {x.ask(t, "PUT", sid, ""), 405},
		"origin":          {x.ask(t, "GET", "transport=polling&EIO=4", "", "Origin", "http://a"), 403},
		"header":          {x.ask(t, "GET", "transport=polling&EIO=4", "", "Cookie", strings.Repeat("a", maxHeader)), 431},
		"no upgrade":      {x.ask(t, "GET", "transport=websocket&EIO=4", ""), 400},
		"upgrade to none": {x.ask(t, "GET", "transport=websocket&EIO=4", "", "Upgrade", "websocket"), 426},
	} {
		if got := c.header.Get("Cache-Control"); c.status != c.answer.status || got != "no-store" {
			t.Errorf("%s: %d %q", what, c.answer.status, got)
		}
	}
}

func TestSessionsAreLimited(t *testing.T) {
	x := start(t, Options{MaxSessions: 2}, nil)
	x.open(t)
	sid := x.open(t)
	if a := x.ask(t, "GET", "transport=polling&EIO=4", ""); a.status != 503 || a.header.Get("Retry-After") == "" {
		t.Errorf("got %d %s", a.status, a.body)
	}
	x.post(t, sid, "1")
	x.open(t)
}

func TestPreflight(t *testing.T) {
	x := start(t, Options{}, nil)
	a := x.ask(t, "OPTIONS", "transport=polling&EIO=4", "", "Origin", "http://ui.example",
		"Access-Control-Request-Method", "GET", "Access-Control-Request-Headers", "authorization")
	if a.status != 200 || a.body != "OK" {
		t.Errorf("got %d %s", a.status, a.body)
	}
	for key, want := range map[string]string{
		"Access-Control-Allow-Origin": "http://ui.example", "Access-Control-Allow-Methods": "OPTIONS, GET, POST",
		"Access-Control-Allow-Headers": "authorization", "Access-Control-Allow-Credentials": "", "Vary": "Origin",
	} {
		if got := a.header.Get(key); got != want {
			t.Errorf("%s: %q, want %q", key, got, want)
		}
	}
}

func TestOriginTable(t *testing.T) {
	x := start(t, Options{AllowOrigin: func(r *http.Request) bool { return r.Header.Get("Origin") == "https://ui.example.org" }}, nil)
	for origin, allowed := range map[string]bool{"": true, "https://ui.example.org": true, "https://evil.example": false, "null": false} {
		sid := x.open(t)
		var header []string
		if origin != "" {
			header = []string{"Origin", origin}
		}
		for _, ask := range []struct{ method, query, body string }{
			{"GET", "transport=polling&EIO=4", ""}, {"POST", sid, "3"}, {"OPTIONS", sid, ""},
		} {
			originAnswer(t, x.ask(t, ask.method, ask.query, ask.body, header...), origin, allowed)
		}
		originAnswer(t, x.knock(t, "", header), origin, allowed)
		originAnswer(t, x.knock(t, "&sid="+sid, header), origin, allowed)
	}
}

func originAnswer(t *testing.T, a answer, origin string, allowed bool) {
	t.Helper()
	shared := a.header.Get("Access-Control-Allow-Origin")
	switch {
	case a.header.Get("Access-Control-Allow-Credentials") != "":
		t.Errorf("%s: credentials allowed", origin)
	case allowed && (a.status >= 300 || shared != origin):
		t.Errorf("%s: refused: %d, shared with %q", origin, a.status, shared)
	case !allowed && (a.status != 403 || shared != ""):
		t.Errorf("%s: not refused: %d, shared with %q", origin, a.status, shared)
	}
}

// knock asks for a websocket and returns the answer, with status 200 instead of 101.
func (x *site) knock(t *testing.T, more string, header []string) answer {
	t.Helper()
	all := append([]string{
		"Connection", "Upgrade", "Upgrade", "websocket", "Sec-WebSocket-Version", "13",
		"Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA==",
	}, header...)
	r, err := http.NewRequestWithContext(t.Context(), "GET", x.web.URL+"/socket.io/?EIO=4&transport=websocket"+more, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(all); i += 2 {
		r.Header.Set(all[i], all[i+1])
	}
	if host := r.Header.Get("Host"); host != "" {
		r.Host = host
	}
	res, err := x.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	status := res.StatusCode
	if status == http.StatusSwitchingProtocols {
		status = 200
	}
	return answer{status: status, header: res.Header}
}

// A request that only dribbles in ends with its session and leaves the next request on the connection alone.
func TestSlowBody(t *testing.T) {
	x := start(t, Options{TransferTimeout: 50 * time.Millisecond}, nil)
	sid := x.open(t)
	body, tap := dribble()
	defer close(tap)
	r, err := http.NewRequestWithContext(t.Context(), "POST", x.web.URL+"/socket.io/?EIO=4&transport=polling&sid="+sid, body)
	if err != nil {
		t.Fatal(err)
	}
	if res, err := x.client.Do(r); err == nil {
		defer res.Body.Close()
		if res.StatusCode != 400 {
			t.Errorf("got %d", res.StatusCode)
		}
	}
	eventually(t, "session gone", func() bool { return x.Sessions() == 0 })
}

// dribble is a body that gives one byte and then nothing until the channel is closed.
func dribble() (*dribbler, chan struct{}) {
	tap := make(chan struct{})
	return &dribbler{tap: tap}, tap
}

type dribbler struct {
	tap   chan struct{}
	given bool
}

func (d *dribbler) Read(b []byte) (int, error) {
	if !d.given {
		d.given = true
		return copy(b, "4"), nil
	}
	<-d.tap
	return 0, http.ErrBodyReadAfterClose
}
