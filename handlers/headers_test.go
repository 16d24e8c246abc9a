package handlers

import (
	"io"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"vserver/service/core"
	"vserver/service/promise"
)

func TestAdvisory_T13_NoBanner(t *testing.T) {
	b := newBed(t)
	for _, path := range []string{"/version", "/organization", "/nothing"} {
		reply := b.send(t, row{method: "GET", path: path})
		for _, h := range []string{"Server", "X-Powered-By", "Via"} {
			if v := reply.Header().Get(h); v != "" {
				t.Errorf("%s: header %s is %q", path, h, v)
			}
		}
	}
	b.run(row{method: "GET", path: "/version", want: 200, has: `{"version":"3.7.3"}`})
}

func TestAdvisory_T15_EveryAnswerIsClosedToBrowsers(t *testing.T) {
	b := newBed(t)
	paths := []string{"/nothing"}
	for _, r := range b.s.routes() {
		paths = append(paths, strings.NewReplacer(":rule_id", "1", ":id", "1").Replace(r.path))
	}
	for _, tls := range []bool{false, true} {
		b.s.opt.TLS = tls
		for _, path := range paths {
			h := b.send(t, row{as: "admin", method: "GET", path: path}).Header()
			policy := h.Get("Content-Security-Policy")
			if strings.Contains(policy, "unsafe") || !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "frame-ancestors 'none'") {
				t.Errorf("%s: policy %q", path, policy)
			}
			if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") == "" {
				t.Errorf("%s: %v", path, h)
			}
			if (h.Get("Strict-Transport-Security") != "") != tls {
				t.Errorf("%s with TLS %v: %v", path, tls, h)
			}
		}
	}
}

// TestAdvisory_T14_OriginsOfREST tries web origins against lists of allowed ones;
// the live channel has its own table.
func TestAdvisory_T14_OriginsOfREST(t *testing.T) {
	b := newBedWith(t, core.Settings{}, func(o *Options) { o.Names = []string{"server.example"} })
	list := []string{"https://ui.example", "http://other.example:8080"}
	for _, c := range []struct {
		name    string
		allowed []string
		origin  string
		want    string // Access-Control-Allow-Origin
		vary    bool
	}{
		{"no list, no origin", nil, "", "*", false},
		{"no list", nil, "https://anything.example", "https://anything.example", true},
		{"no list, null", nil, "null", "null", true},
		{"no origin", list, "", "", false},
		{"listed", list, "https://ui.example", "https://ui.example", true},
		{"listed with port", list, "http://other.example:8080", "http://other.example:8080", true},
		{"unlisted", list, "https://evil.example", "", true},
		{"null", list, "null", "", true},
		{"suffix", list, "https://ui.example.evil.example", "", true},
		{"prefix", list, "https://evil-ui.example", "", true},
		{"other port", list, "https://ui.example:8443", "", true},
		{"other scheme", list, "http://ui.example", "", true},
		{"its own", list, "http://server.example", "http://server.example", true},
		{"its own, other scheme", list, "https://server.example", "", true},
		{"its own, other port", list, "http://server.example:81", "", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			b.s.opt.AllowedOrigins = c.allowed
			for _, path := range []string{"/version", "/organization", "/nothing"} {
				r := row{method: "GET", path: path, header: map[string]string{}}
				if c.origin != "" {
					r.header["Origin"] = c.origin
				}
				h := b.send(t, r).Header()
				if got := h.Get("Access-Control-Allow-Origin"); got != c.want || (h.Get("Vary") == "Origin") != c.vary {
					t.Errorf("%s: allowed %q, vary %q", path, got, h.Get("Vary"))
				}
				if h.Get("Access-Control-Allow-Credentials") != "" {
					t.Errorf("%s: credentials are allowed", path)
				}
			}
		})
	}
}

func TestPreflight(t *testing.T) {
	b := newBed(t)
	ask := map[string]string{
		"Origin": "https://ui.example", "Access-Control-Request-Method": "POST",
		"Access-Control-Request-Headers": "content-type,authorization",
	}
	reply := b.send(t, row{method: "OPTIONS", path: "/organization", header: ask})
	h := reply.Header()
	if reply.Code != 200 || reply.Body.Len() != 0 || h.Get("Access-Control-Allow-Headers") != "authorization, content-type" ||
		h.Get("Access-Control-Allow-Methods") != "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT" {
		t.Errorf("%d %v", reply.Code, h)
	}
	b.s.opt.AllowedOrigins = []string{"https://else.example"}
	if h := b.send(t, row{method: "OPTIONS", path: "/organization", header: ask}).Header(); h.Get("Access-Control-Allow-Methods") != "" {
		t.Errorf("an unlisted origin is told %v", h)
	}
}

// TestSlowBodiesHoldUpNobody sends half a body and then makes sure that another
// request is served meanwhile.
func TestSlowBodiesHoldUpNobody(t *testing.T) {
	b := newBed(t)
	server := httptest.NewServer(b.s)
	defer server.Close()
	slow := newSlowBody()
	req := httptest.NewRequestWithContext(t.Context(), "PATCH", server.URL+"/api/organization/2", slow)
	req.RequestURI = ""
	req.Header.Set("Authorization", "Bearer "+b.token("admin"))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if reply, err := server.Client().Do(req); err == nil {
			_ = reply.Body.Close()
		}
	}()
	<-slow.asked
	done := make(chan struct{})
	go func() {
		defer close(done)
		b.run(row{as: "root", method: "PATCH", path: "/organization/3", body: `{"country":"Elsewhere"}`, want: 200})
	}()
	select {
	case <-done:
	case <-time.After(promise.Patience):
		t.Error("a slow body holds up writes of others")
	}
	close(slow.rest)
	<-ended
}

// slowBody returns the beginning of a body, tells that it was asked for more, and
// gives the rest when it is let.
type slowBody struct {
	sent  int
	asked chan struct{}
	rest  chan struct{}
}

func newSlowBody() *slowBody { return &slowBody{asked: make(chan struct{}), rest: make(chan struct{})} }

func (s *slowBody) Read(p []byte) (int, error) {
	s.sent++
	switch s.sent {
	case 1:
		return copy(p, `{"name":`), nil
	case 2:
		close(s.asked)
		<-s.rest
		return copy(p, `"x"}`), nil
	}
	return 0, io.EOF
}

// TestNoCacheKeepsWhatIsSecret looks at answers with keys, at errors and at all others.
func TestNoCacheKeepsWhatIsSecret(t *testing.T) {
	b := newBed(t)
	for _, c := range []struct {
		row
		cache string
	}{
		{logIn("viewer", "Passw0rd!", 200), "no-store"},
		{logIn("viewer", "wrong", 401), "no-store"},
		{row{method: "POST", path: "/token/node", body: `{"api_key":"key-12"}`, want: 200}, "no-store"},
		{row{as: "node_iknl_z", method: "POST", path: "/token/container", body: `{"task_id":1,"image":"hello-world"}`, want: 200}, "no-store"},
		{row{as: "root", method: "POST", path: "/recover/node", body: `{"id":12}`, want: 200}, "no-store"},
		{row{as: "root", method: "GET", path: "/task", want: 200}, "private, no-cache"},
		{row{as: "root", method: "GET", path: "/task/99", want: 404}, "no-store"},
		{row{method: "GET", path: "/nothing", want: 404}, "no-store"},
	} {
		reply := b.send(t, c.row)
		if got := reply.Header().Get("Cache-Control"); reply.Code != c.want || got != c.cache {
			t.Errorf("%s %s: %d %q", c.method, c.path, reply.Code, got)
		}
	}
}

// TestOddRequestsAreRefused: lines without a path, ids that no number holds, links that no
// proxy would take, names that show as others.
func TestOddRequestsAreRefused(t *testing.T) {
	b := newBed(t)
	for _, path := range []string{"*", ""} {
		req := httptest.NewRequestWithContext(t.Context(), "GET", "/", nil)
		req.URL.Path, req.RequestURI = path, path
		reply := httptest.NewRecorder()
		b.s.ServeHTTP(reply, req)
		if reply.Code != 400 || reply.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("GET %q: %d", path, reply.Code)
		}
	}
	const huge = "99999999999999999999"
	b.run(
		row{as: "root", method: "GET", path: "/task/" + huge, want: 404, has: `{"msg":"task id=` + huge + ` is not found"}`},
		row{as: "root", method: "GET", path: "/organization/" + huge, want: 404, has: `{"msg":"Organization id=` + huge + ` not found!"}`},
		row{as: "root", method: "POST", path: "/organization", body: `{"name":"a\u0085b"}`, want: 400, has: `{"msg":"name: has control characters"}`},
		row{as: "root", method: "POST", path: "/organization", body: `{"name":"a\u202eb"}`, want: 400},
		row{as: "root", method: "POST", path: "/collaboration", body: `{"name":"\u2066b","organization_ids":[]}`, want: 400},
	)
	reply := b.send(t, row{as: "root", method: "GET", path: "/task?x=" + strings.Repeat("y", 9000)})
	if n := len(reply.Header().Get("Link")); reply.Code != 200 || n > 8<<10 {
		t.Errorf("%d, a link of %d bytes", reply.Code, n)
	}
	b.change(t, `DELETE FROM member WHERE organization_id = 2 AND collaboration_id = 1`)
	b.run(row{as: "node_iknl_z", method: "POST", path: "/token/container", body: `{"task_id":1,"image":"hello-world"}`, want: 401})
}
