package handlers

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"vserver/service/core"
)

// ownPages are those that say they are of the server itself, by the name that they asked by.
var ownPages = []struct {
	host  string
	known bool
}{
	{"127.0.0.1:5000", true}, {"[::1]:5000", true}, {"10.1.2.3", true},
	{"localhost:5000", true}, {"LocalHost.", true}, {"host.docker.internal:5000", true},
	{"vserver.example.org", true}, {"vserver.example.org:5000", true}, {"VServer.example.org.", true},
	{"hospital", true}, {"evil.example", false}, {"evil.example:5000", false}, {"vserver.example.org.evil.example", false},
	{"localhost.evil.example:5000", false}, {"evil-vserver.example.org", false}, {"127.0.0.1.evil.example", false}, {"a b", false},
}

func ownNames(o *Options) {
	o.AllowedOrigins = []string{"https://ui.example.org"}
	o.Names = []string{"hospital", "vserver.example.org"}
	o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("192.0.2.1/32")}
}

// askBy is a request by a name of the server, or by one that its owner lets point to it.
func (b *bed) askBy(t *testing.T, host, method, path string, header map[string]string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, "http://server.example"+path, strings.NewReader(`{"username":"viewer","password":"Passw0rd!"}`))
	r.Host = host
	for k, v := range header {
		r.Header.Set(k, v)
	}
	reply := httptest.NewRecorder()
	b.s.ServeHTTP(reply, r)
	return reply
}

// TestAdvisory_T14_OwnOriginIsAnOwnName: a page is of the server's own origin when it asked by
// a name of the server. One of another name is read by no page, whatever it says of its
// origin, and who shows none is served.
func TestAdvisory_T14_OwnOriginIsAnOwnName(t *testing.T) {
	b := newBedWith(t, core.Settings{}, ownNames)
	for _, p := range ownPages {
		for origin, want := range map[string]int{
			"": 200, "https://ui.example.org": 200, "http://" + p.host: 403, "null": 403, "https://foreign.example": 403, "https://" + p.host: 403,
		} {
			header := map[string]string{}
			if origin != "" {
				header["Origin"] = origin
			}
			if p.known {
				want = 200
			}
			reply := b.askBy(t, p.host, "POST", "/api/token/user", header)
			if reply.Code != want {
				t.Errorf("asked %q by %q: %d %s", p.host, origin, reply.Code, reply.Body)
			}
			shared := origin == "https://ui.example.org" || p.known && origin == "http://"+p.host
			if got := reply.Header().Get("Access-Control-Allow-Origin"); (got == origin && got != "") != shared {
				t.Errorf("asked %q by %q: shared with %q", p.host, origin, got)
			}
		}
	}
	reply := b.askBy(t, "evil.example", "POST", "/api/token/user", map[string]string{"Origin": "http://evil.example"})
	contains(t, reply.Body.Bytes(), `{"msg":"Nothing says that this server has the name it was asked by: public_url in its configuration does"}`)
}

// TestAdvisory_T14_SocketsOfAnOwnName is the same for the live channel, where a client that is no
// browser shows its token, and the name that it was told.
func TestAdvisory_T14_SocketsOfAnOwnName(t *testing.T) {
	b := newBedWith(t, core.Settings{}, ownNames)
	const poll, upgrade = "/socket.io/?EIO=4&transport=polling", "/socket.io/?EIO=4&transport=websocket"
	for _, p := range ownPages {
		for _, c := range []struct {
			path   string
			scheme string
			token  bool
			want   bool
		}{
			{poll, "http", false, p.known}, {poll, "http", true, p.known}, {poll, "https", true, false},
			{upgrade, "http", false, p.known}, {upgrade, "http", true, true}, {upgrade, "https", true, true}, {upgrade, "https", false, false},
		} {
			header := map[string]string{"Origin": c.scheme + "://" + p.host}
			if c.token {
				header["Authorization"] = "Bearer " + b.token("viewer")
			}
			if c.path == upgrade {
				header["Upgrade"] = "websocket" // a recorder cannot be hijacked, so that nothing better than 501 comes
			}
			if got := b.askBy(t, p.host, "GET", c.path, header).Code != http.StatusForbidden; got != c.want {
				t.Errorf("%s by %s with a token %t: %t", c.path, header["Origin"], c.token, got)
			}
		}
		if code := b.askBy(t, p.host, "GET", poll, nil).Code; code != 200 {
			t.Errorf("%s without an origin: %d", p.host, code)
		}
	}
}

// TestAdvisory_T14_OpenServersAskForNoName: without a list every page may read, by any name.
func TestAdvisory_T14_OpenServersAskForNoName(t *testing.T) {
	b := newBed(t)
	reply := b.askBy(t, "evil.example", "POST", "/api/token/user", map[string]string{"Origin": "http://evil.example"})
	if reply.Code != 200 || reply.Header().Get("Access-Control-Allow-Origin") != "http://evil.example" || b.log.take() != "" {
		t.Errorf("%d %v", reply.Code, reply.Header())
	}
}

// TestLogNamesTheMissingName: once for each host, with the line to add, and for so many hosts only
// that nobody fills the log.
func TestLogNamesTheMissingName(t *testing.T) {
	b := newBedWith(t, core.Settings{}, ownNames)
	asked := func(host, origin, path string) string {
		b.askBy(t, host, "GET", path, map[string]string{"Origin": origin, "X-Forwarded-For": "203.0.113.9"})
		return b.log.take()
	}
	for _, path := range []string{"/api/version", "/socket.io/?EIO=4&transport=polling"} {
		host := fmt.Sprintf("v6%d.hospital.example", len(path))
		line := asked(host, "https://"+host, path)
		if !strings.Contains(line, `"level":"warn"`) || !strings.Contains(line, "add the line `public_url: https://"+host+"` to the configuration") ||
			!strings.Contains(line, "203.0.113.9") {
			t.Errorf("%s: %q", path, line)
		}
		if line := asked(host, "https://"+host, path); line != "" {
			t.Errorf("%s again: %q", path, line)
		}
	}
	for _, silent := range [][2]string{
		{"other.example", "https://foreign.example"}, {"other.example", "null"}, {"other.example", "ftp://other.example"},
		{"a`b", "https://a`b"}, {"vserver.example.org", "https://vserver.example.org"},
	} {
		if line := asked(silent[0], silent[1], "/api/version"); line != "" {
			t.Errorf("%v: %q", silent, line)
		}
	}
	lines := 0
	for i := range 1000 {
		host := fmt.Sprintf("n%d.example", i)
		lines += strings.Count(asked(host, "http://"+host, "/api/version"), "\n")
	}
	if lines >= 100 {
		t.Errorf("%d lines about names that somebody made up", lines)
	}
}
