package service

import (
	"bufio"
	"crypto/tls"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"vserver/service/promise"
)

// TestAdvisory_U11_AnEarlyRefusalIsHeard has clients send long bodies that are refused at once, without and with TLS. They
// look for an answer when they have sent all, or when the connection is closed on them, as Python's requests does.
func TestAdvisory_U11_AnEarlyRefusalIsHeard(t *testing.T) {
	for _, secure := range []bool{false, true} {
		inst := configured(t)
		if secure {
			files := certificateFiles(t)
			renew(t, files, 1)
			inst.Config.TLS = &files
		}
		r := start(t, inst)
		for _, c := range []struct{ path, token, want string }{
			{"/api/organization/1", "", "401"}, {"/api/organization/1", "x.y.z", "422"}, {"/api/nothing", "", "404"},
			{"/api/token/user", "", "405"},
		} {
			const size = 30 << 20
			conn := r.many(1, "")[0]
			if secure {
				conn = tls.Client(conn, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"http/1.1"}})
			}
			_ = conn.SetDeadline(time.Now().Add(promise.Patience))
			_, err := io.WriteString(conn, request("PATCH", c.path, c.token, size, strings.Repeat("a", size)))
			if err != nil && (secure || !strings.Contains(err.Error(), "broken pipe")) {
				t.Errorf("%s, TLS %t: a client that sends sees %v", c.path, secure, err)
			}
			reply, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Errorf("%s, TLS %t: %v", c.path, secure, err)
				continue
			}
			_ = reply.Body.Close()
			if reply.Status[:3] != c.want {
				t.Errorf("%s, TLS %t: %s, want %s", c.path, secure, reply.Status, c.want)
			}
			_ = conn.Close()
		}
	}
}

// A client whose rest does not come is not waited for, and what it sends later is taken for no other request.
func TestTheRestOfARefusedBodyIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	const early = 1 << 20
	for name, c := range map[string]struct {
		secure bool
		length int
		after  time.Duration
	}{"TLS": {true, early, lingerPause}, "plain": {false, early, 0}, "short": {false, 1000, lingerTime}, "short with TLS": {true, 1000, lingerTime}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if c.after == lingerTime && !promise.Long() {
				t.Skip("skipped: half a minute is for the long run")
			}
			inst := configured(t)
			if c.secure {
				files := certificateFiles(t)
				renew(t, files, 1)
				inst.Config.TLS = &files
			}
			r := start(t, inst)
			conn := r.many(1, "")[0]
			if c.secure {
				conn = tls.Client(conn, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"http/1.1"}})
			}
			_ = conn.SetDeadline(time.Now().Add(promise.Within(c.after + time.Second)))
			if _, err := io.WriteString(conn, request("PATCH", "/api/organization/1", "", c.length, "{")); err != nil {
				t.Fatal(err)
			}
			const another = "GET /api/version HTTP/1.1\r\nHost: x\r\n\r\n"
			if c.length == early {
				time.Sleep(100 * time.Millisecond)
				if _, err := io.WriteString(conn, another); err != nil {
					t.Error(err)
				}
			}
			said, err := io.ReadAll(conn)
			if err != nil && !strings.Contains(err.Error(), "reset") {
				t.Errorf("the connection is kept: %v", err)
			}
			if n := strings.Count(string(said), "HTTP/1.1 "); n != 1 || !strings.HasPrefix(string(said), "HTTP/1.1 401 ") {
				t.Errorf("%d answers: %s", n, said)
			}
		})
	}
}
