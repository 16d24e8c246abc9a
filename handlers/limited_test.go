package handlers

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"vserver/service/config"
	"vserver/service/core"
	"vserver/service/limits"
	"vserver/service/promise"
)

// limited gives a bed limits, whose warnings go to its log.
func limited(set config.Limits) func(*Options) {
	return func(o *Options) { o.Limits = limits.New(limits.Options{Settings: set}) }
}

// TestAdvisory_U12_AnonymousRequestsAreBounded asks up to the limit and once more; who has a token, who logs in and who
// watches the server is not counted, and neither is another address.
func TestAdvisory_U12_AnonymousRequestsAreBounded(t *testing.T) {
	b := newBedWith(t, core.Settings{}, limitedTo3)
	ask := func(r row, from string, want int) {
		t.Helper()
		reply := b.sendFrom(t, r, from+":4711")
		if reply.Code != want {
			t.Errorf("%s %s: %d %s, want %d", r.method, r.path, reply.Code, reply.Body, want)
		}
		if after := reply.Header().Get("Retry-After"); (after != "") != (want == http.StatusTooManyRequests) {
			t.Errorf("%s %s: Retry-After %q of %d", r.method, r.path, after, want)
		}
	}
	logIn := row{method: "POST", path: "/token/node", body: map[string]string{"api_key": "key-12"}}
	wrong := row{method: "POST", path: "/token/node", body: map[string]string{"api_key": "no key"}}
	for range 5 {
		ask(row{method: "GET", path: "/health"}, "192.0.2.1", 200)
		ask(row{as: "root", method: "GET", path: "/organization"}, "192.0.2.1", 200)
		ask(logIn, "192.0.2.1", 200)
	}
	ask(wrong, "192.0.2.1", 401)
	ask(row{method: "GET", path: "/organization"}, "192.0.2.1", 401)
	ask(row{method: "GET", path: "/organization", header: map[string]string{"Authorization": "Bearer x.y.z"}}, "192.0.2.1", 422)
	for _, r := range []row{
		wrong, logIn, {method: "GET", path: "/organization"}, {method: "GET", path: "/nothing"}, {method: "GET", path: "/../docs/wire"},
		{method: "GET", path: "/organization", header: map[string]string{"Authorization": "Bearer x.y.z"}},
	} {
		ask(r, "192.0.2.1", 429)
	}
	ask(row{method: "GET", path: "/version"}, "192.0.2.1", 200)
	ask(row{as: "node_iknl_z", method: "GET", path: "/result"}, "192.0.2.1", 200)
	ask(wrong, "192.0.2.2", 401)
	expired := b.sign(claims{Subject: []byte("12"), ClientType: "node", Type: accessToken}, time.Nanosecond)
	ask(row{method: "PATCH", path: "/result/1", body: map[string]string{}, header: map[string]string{"Authorization": "Bearer " + expired}}, "192.0.2.1", 401)
}

func limitedTo3(o *Options) { limited(config.Limits{AnonymousPerMinute: 3})(o) }

// TestAdvisory_U12_BehindAnUnknownProxyNoAddressIsBounded has a proxy that nobody lists send more than an address may,
// and says once which line to add.
func TestAdvisory_U12_BehindAnUnknownProxyNoAddressIsBounded(t *testing.T) {
	b := newBedWith(t, core.Settings{}, limitedTo3, func(o *Options) { o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")} })
	from := func(proxy, client string, want int) {
		t.Helper()
		r := row{method: "POST", path: "/token/node", body: map[string]string{"api_key": "no key"}, header: map[string]string{"X-Forwarded-For": client}}
		if reply := b.sendFrom(t, r, proxy+":4711"); reply.Code != want {
			t.Errorf("%s by %s: %d, want %d", client, proxy, reply.Code, want)
		}
	}
	b.log.take()
	for range 5 {
		from("192.0.2.9", "198.51.100.1", 401)
	}
	if said := b.log.take(); strings.Count(said, "add this line to the environment in the configuration: trusted_proxies: [192.0.2.9]") != 1 {
		t.Errorf("the log has %s", said)
	}
	for range 3 {
		from("10.0.0.1", "198.51.100.1", 401)
	}
	from("10.0.0.1", "198.51.100.1", 429)
	from("10.0.0.1", "198.51.100.2", 401)
	if said := b.log.take(); strings.Contains(said, "trusted_proxies") {
		t.Errorf("the log complains of a listed proxy: %s", said)
	}
}

// half opens a request whose body is not there yet; finish sends it and returns the status.
func (b *liveBed) half(as, method, path, body string) (finish func() string, answer func() string) {
	b.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(b.web.URL, "http://"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = c.Close() })
	head := fmt.Sprintf("%s /api%s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n", method, path, len(body))
	if as != "" {
		head += "Authorization: Bearer " + b.token(as) + "\r\n"
	}
	if _, err := io.WriteString(c, head+"\r\n"+body[:1]); err != nil {
		b.Fatal(err)
	}
	answer = func() string {
		b.Helper()
		_ = c.SetReadDeadline(time.Now().Add(promise.Patience))
		reply, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			return err.Error()
		}
		defer func() { _ = reply.Body.Close() }()
		return strings.TrimSpace(reply.Header.Get("Retry-After") + " " + reply.Status[:3])
	}
	return func() string {
		b.Helper()
		if _, err := io.WriteString(c, body[1:]); err != nil {
			b.Fatal(err)
		}
		return answer()
	}, answer
}

// TestAdvisory_U12_BodiesUnderWayAreBounded leaves as many bodies half sent as an account and an address may. One more is
// refused, but that of a node, which waits for its turn.
func TestAdvisory_U12_BodiesUnderWayAreBounded(t *testing.T) {
	b := newLiveBed(t, limited(config.Limits{BodiesPerAccount: 1, BodiesPerAddress: 2}))
	under := func(n int) {
		t.Helper()
		eventually(t, fmt.Sprintf("%d bodies are under way", n), func() bool { return b.s.limits.Bodies.Len() == n })
	}
	const wrong = `{"api_key": "none"}`
	first, _ := b.half("root", "PATCH", "/organization/1", `{"country": "x"}`)
	under(1)
	_, refused := b.half("root", "PATCH", "/organization/1", `{"country": "y"}`)
	if got := refused(); got != "5 429" {
		t.Errorf("another one of the account: %s", got)
	}
	second, _ := b.half("", "POST", "/token/node", wrong)
	under(2)
	_, refused = b.half("", "POST", "/token/node", wrong)
	if got := refused(); got != "5 429" {
		t.Errorf("another one of the address: %s", got)
	}
	result, _ := b.half("node_iknl_z", "PATCH", "/result/1", `{"log": "l"}`)
	under(3)
	waiting, _ := b.half("node_iknl_z", "PATCH", "/result/1", `{"log": "m"}`)
	for name, finish := range map[string]func() string{"of the account": first, "of a node": result} {
		if got := finish(); got != "200" {
			t.Errorf("the one %s: %s", name, got)
		}
	}
	if got := waiting(); got != "200" {
		t.Errorf("the one that waited: %s", got)
	}
	if got := second(); got != "401" {
		t.Errorf("the one of nobody: %s", got)
	}
	under(0)
}

// TestAdvisory_U12_SocketsAreBounded opens as many as an account and an address may, and one more.
func TestAdvisory_U12_SocketsAreBounded(t *testing.T) {
	b := newLiveBed(t, limited(config.Limits{SocketsPerAccount: 2, SocketsPerAddress: 3}))
	refused := func(as string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.web.URL+"/socket.io/?EIO=4&transport=polling", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+b.token(as))
		reply, err := b.client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = reply.Body.Close() }()
		text, _ := io.ReadAll(reply.Body)
		if reply.StatusCode != http.StatusTooManyRequests || reply.Header.Get("Retry-After") != "5" || !strings.Contains(string(text), "has reached the limit of") {
			t.Errorf("%s: %s %s", as, reply.Status, text)
		}
	}
	b.join("root", means{})
	last := b.join("root", means{only: "websocket"})
	refused("root")
	b.join("admin", means{only: "polling"})
	refused("viewer")
	old := b.join("node_iknl_z", means{})
	b.join("node_iknl_z", means{})
	b.join("node_iknl_z", means{})
	<-old.gone
	eventually(t, "two sockets of the node are left", func() bool { return b.s.limits.Sockets.Of(12) == 2 })
	last.hangUp()
	eventually(t, "a socket has ended", func() bool { return b.s.limits.Sockets.Of(1) == 1 })
	b.join("root", means{})
}
