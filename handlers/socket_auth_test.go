package handlers

import (
	"encoding/json"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"vserver/service/bus"
	"vserver/service/promise"
)

// badTokens are tokens of node_iknl_z, viewer or a container that let nobody in.
func badTokens(b *liveBed) map[string]string {
	node := claims{Subject: []byte("12"), ClientType: "node", Type: accessToken}
	with := func(change func(*claims)) string {
		c := node
		change(&c)
		return b.sign(c, time.Hour)
	}
	forged := newTokens(Options{Secret: []byte("another secret that is long enough")})
	foreign, err := forged.sign(node, time.Hour)
	if err != nil {
		b.Fatal(err)
	}
	return map[string]string{
		"missing":         "none",
		"garbage":         "garbage",
		"two parts":       "a.b",
		"wrong signature": foreign,
		"expired":         b.sign(node, time.Nanosecond),
		"refresh":         with(func(c *claims) { c.Type = refreshToken }),
		"container":       b.token("container"),
		"revoked":         with(func(c *claims) { c.Era = 7 }),
		"gone":            with(func(c *claims) { c.Subject = []byte("4711") }),
		"a user's id":     with(func(c *claims) { c.Subject = []byte("5") }),
		"no subject":      with(func(c *claims) { c.Subject = nil }),
		"object subject":  with(func(c *claims) { c.Subject = []byte(`{"id":12}`) }),
	}
}

func TestAdvisory_U3_ABadTokenIsToldSoAndClosed(t *testing.T) {
	b := newLiveBed(t)
	var said []string
	b.news.Subscribe(func(m bus.Message) { said = append(said, m.Key+" "+m.Name) })
	type refused struct {
		name, only string
		c          *socketClient
		since      time.Time
	}
	var all []refused
	for name, token := range badTokens(b) {
		for _, only := range []string{"", "polling", "websocket"} {
			since := time.Now()
			c := b.dial("node_iknl_z", means{token: token, only: only})
			all = append(all, refused{name, only, c, since})
		}
	}
	for _, r := range all {
		eventually(t, r.name+": the acknowledgement", func() bool { return r.c.socket() != "" })
		if got := r.c.take(); !slices.Equal(got, []string{"expired_token", "connect"}) {
			t.Errorf("%s %s: heard %q", r.name, r.only, got)
		}
		r.c.send(`42/tasks,1["algorithm_status_change",{"result_id":1,"status":"active"}]`)
		r.c.send(`42/tasks,["node_info_update",{"encryption":true}]`)
	}
	if n := b.s.live.engine.Sockets(); n != 0 {
		t.Errorf("%d sockets were let in", n)
	}
	for _, r := range all {
		<-r.c.gone
		if took := time.Since(r.since); took > promise.Within(5*time.Second) {
			t.Errorf("%s %s: open for %v", r.name, r.only, took)
		}
		if got := r.c.take(); slices.ContainsFunc(got, func(e string) bool { return e != "disconnect" }) || len(r.c.acks) > 0 {
			t.Errorf("%s %s: heard %q and acknowledgements %v after the refusal", r.name, r.only, got, r.c.acks)
		}
	}
	if len(said) > 0 || len(b.config(12)) > 0 {
		t.Errorf("said %q, stored %q", said, b.config(12))
	}
	for _, name := range []string{"node_iknl_z", "viewer"} {
		if got := b.status(name); got != "never" {
			t.Errorf("%s was put %s", name, got)
		}
	}
}

// TestSocketTokenOfTheFirstRequestCounts: browsers cannot send a header with the
// upgrade, and nobody can become somebody else in the middle of a session.
func TestSocketTokenOfTheFirstRequestCounts(t *testing.T) {
	b := newLiveBed(t)
	for name, tokens := range map[string]struct {
		first, later string
		want         []string
	}{
		"none later":     {b.token("viewer_big"), "", []string{joined("User", "viewer_big", "collaboration_1_organization_4")}},
		"another's":      {b.token("viewer_big"), b.token("root"), []string{joined("User", "viewer_big", "collaboration_1_organization_4")}},
		"only later":     {"", b.token("root"), []string{"expired_token"}},
		"good after bad": {"garbage", b.token("root"), []string{"expired_token"}},
	} {
		t.Run(name, func(t *testing.T) {
			ask := func(method, query, token, body string) string {
				r, _ := http.NewRequestWithContext(t.Context(), method, b.web.URL+"/socket.io/?EIO=4&transport=polling"+query, strings.NewReader(body))
				if token != "" {
					r.Header.Set("Authorization", "Bearer "+token)
				}
				reply, err := b.client.Do(r)
				if err != nil {
					t.Fatal(err)
				}
				defer reply.Body.Close()
				var text strings.Builder
				_ = reply.Write(&text)
				return text.String()
			}
			var greeting struct{ Sid string }
			reply := ask("GET", "", tokens.first, "")
			if err := json.Unmarshal([]byte(reply[strings.Index(reply, "0{")+1:strings.LastIndex(reply, "}")+1]), &greeting); err != nil {
				t.Fatalf("%v: %s", err, reply)
			}
			ask("POST", "&sid="+greeting.Sid, tokens.later, "40/tasks,")
			reply = ask("GET", "&sid="+greeting.Sid, tokens.later, "")
			for _, want := range tokens.want {
				event, arg, more := strings.Cut(want, " ")
				want = `42/tasks,["` + event + `"`
				if more {
					want += "," + arg
				}
				if !strings.Contains(reply, want+"]") {
					t.Errorf("%s is not in %s", want, reply)
				}
			}
		})
	}
}

// Python's websocket client names its own address as origin, with http even when it
// asks by https.
func TestAdvisory_T14_PythonBehindAProxyIsNoForeignPage(t *testing.T) {
	b := newLiveBed(t, func(o *Options) {
		o.AllowedOrigins = []string{"https://ui.example.org"}
		o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	})
	for origin, want := range map[string]int{
		b.web.URL: http.StatusSwitchingProtocols,
		strings.Replace(b.web.URL, "http:", "https:", 1): http.StatusSwitchingProtocols,
		"http://ui.example.org":                          http.StatusForbidden,
		"http://127.0.0.1:1":                             http.StatusForbidden,
	} {
		r, err := http.NewRequestWithContext(t.Context(), "GET", b.web.URL+"/socket.io/?EIO=4&transport=websocket", nil)
		if err != nil {
			t.Fatal(err)
		}
		for key, value := range map[string]string{
			"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
			"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Origin": origin, "X-Forwarded-Proto": "https",
		} {
			r.Header.Set(key, value)
		}
		reply, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = reply.Body.Close()
		if reply.StatusCode != want {
			t.Errorf("%s: %d", origin, reply.StatusCode)
		}
	}
}

type originCase struct {
	name, origin string
	b            *liveBed
	allowed      bool
}

func TestAdvisory_T14_OriginsOfSockets(t *testing.T) {
	listed := newLiveBed(t, func(o *Options) { o.AllowedOrigins = []string{"https://ui.example.org"} })
	open := newLiveBed(t)
	for _, x := range []originCase{
		{"none", "", listed, true},
		{"own", listed.web.URL, listed, true},
		{"listed", "https://ui.example.org", listed, true},
		{"unlisted", "https://evil.example.org", listed, false},
		{"null", "null", listed, false},
		{"suffix", "https://ui.example.org.evil.example", listed, false},
		{"prefix", "https://evil-ui.example.org", listed, false},
		{"other port", "https://ui.example.org:8443", listed, false},
		{"other scheme", "http://ui.example.org", listed, false},
		{"own host, other scheme", strings.Replace(listed.web.URL, "http:", "https:", 1), listed, false},
		{"own host, other port", "http://127.0.0.1:1", listed, false},
		{"any, while nothing is listed", "https://evil.example.org", open, true},
		{"null, while nothing is listed", "null", open, true},
	} {
		t.Run(x.name, func(t *testing.T) {
			want := http.StatusForbidden
			if x.allowed {
				want = http.StatusOK
			}
			session := x.b.dial("viewer", means{only: "polling"})
			for _, request := range []struct{ what, method, query string }{
				{"handshake", "GET", "transport=polling"},
				{"later request", "POST", "transport=polling&sid=" + session.sid},
				{"preflight", "OPTIONS", "transport=polling"},
			} {
				status, header := x.b.knock(t, request.method, request.query, x.origin)
				if status != want {
					t.Errorf("%s: %d", request.what, status)
				}
				x.checkShared(t, header)
			}
			_, reply, err := websocket.Dial(t.Context(), x.b.web.URL+"/socket.io/?EIO=4&transport=websocket",
				&websocket.DialOptions{HTTPHeader: http.Header{"Origin": {x.origin}}})
			if x.allowed != (err == nil) || !x.allowed && reply.StatusCode != http.StatusForbidden {
				t.Errorf("websocket: %v", err)
			}
		})
	}
}

// checkShared: whoever is allowed is named, nobody is ever allowed with credentials.
func (x originCase) checkShared(t *testing.T, h http.Header) {
	t.Helper()
	want := x.origin
	if !x.allowed {
		want = ""
	}
	if got := h.Get("Access-Control-Allow-Origin"); got != want {
		t.Errorf("allows origin %q, not %q", got, want)
	}
	if got := h.Get("Access-Control-Allow-Credentials"); got != "" {
		t.Errorf("allows credentials: %q", got)
	}
}

// knock makes one request to the live channel.
func (b *liveBed) knock(t *testing.T, method, query, origin string) (int, http.Header) {
	t.Helper()
	body := ""
	if method == http.MethodPost {
		body = `42/tasks,["ping"]`
	}
	r, err := http.NewRequestWithContext(t.Context(), method, b.web.URL+"/socket.io/?EIO=4&"+query, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if origin != "" {
		r.Header.Set("Origin", origin)
	}
	reply, err := b.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = reply.Body.Close()
	return reply.StatusCode, reply.Header
}

// TestSocketPath: the live channel is at the root and nowhere else (/docs/live#path).
func TestSocketPath(t *testing.T) {
	b := newLiveBed(t)
	for path, want := range map[string]int{
		"/socket.io/?EIO=4&transport=polling": 200, "/api/socket.io/?EIO=4&transport=polling": 404,
		"/socket.io/x?EIO=4&transport=polling": 404, "/socket.io/?EIO=3&transport=polling": 400,
	} {
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, b.web.URL+path, http.NoBody)
		reply, err := b.client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_ = reply.Body.Close()
		if reply.StatusCode != want {
			t.Errorf("%s: %d, not %d", path, reply.StatusCode, want)
		}
		if got := reply.Header.Get("X-Content-Type-Options"); got != "nosniff" {
			t.Errorf("%s: the header of every answer is %q", path, got)
		}
	}
}
