package service

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"vserver/service/promise"
)

// malformed are requests that package http answers without asking a handler.
var malformed = []struct {
	name, request string
	want          int
}{
	{"no HTTP", "nonsense\r\n\r\n", 400},
	{"no host", "GET /api/version HTTP/1.1\r\n\r\n", 400},
	{"two hosts", "GET /api/version HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
	{"odd header", "GET /api/version HTTP/1.1\r\nHost: x\r\nA b: c\r\n\r\n", 400},
	{"odd length", "POST /api/token/user HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400},
	{"odd coding", "POST /api/token/user HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: smoke\r\n\r\n", 501},
	{"odd version", "GET /api/version HTTP/3.0\r\nHost: x\r\n\r\n", 505},
	{"odd expectation", "POST /api/token/user HTTP/1.1\r\nHost: x\r\nExpect: miracles\r\nContent-Length: 1\r\n\r\nx", 417},
	{"no resource", "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", 200},
	{"no path", "GET * HTTP/1.1\r\nHost: x\r\n\r\n", 400},
	{"large head", "GET /api/version HTTP/1.1\r\nHost: x\r\nA: " + strings.Repeat("b", 2*headerSize) + "\r\n\r\n", 431},
}

// securely starts an instance that speaks TLS.
func securely(t *testing.T) *running {
	t.Helper()
	inst := configured(t)
	files := certificateFiles(t)
	renew(t, files, 7)
	inst.Config.TLS = &files
	return start(t, inst)
}

// TestAdvisory_T15_AnswersToWhatIsNoRequest: what package http says by itself is as closed to
// browsers, on a fresh connection and on one that has answered before.
func TestAdvisory_T15_AnswersToWhatIsNoRequest(t *testing.T) {
	plain, secure := start(t, configured(t)), securely(t)
	dials := map[string]func() (net.Conn, error){
		"plain": func() (net.Conn, error) { return net.Dial("tcp", plain.address) },
		"TLS": func() (net.Conn, error) {
			return tls.Dial("tcp", secure.address, &tls.Config{InsecureSkipVerify: true})
		},
		"TLS, h": func() (net.Conn, error) {
			return tls.Dial("tcp", secure.address, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"http/1.1"}})
		},
	}
	for how, dial := range dials {
		for _, c := range malformed {
			for _, before := range []string{"", "GET /api/version HTTP/1.1\r\nHost: x\r\n\r\n", "GET /docs/ HTTP/1.1\r\nHost: x\r\n\r\n"} {
				replies := exchange(t, dial, before, c.request)
				last := replies[len(replies)-1]
				if last.StatusCode != c.want {
					t.Errorf("%s, %s after %q: %s", how, c.name, before, last.Status)
				}
				for _, r := range replies {
					closedToBrowsers(t, how+", "+c.name, r, how != "plain")
				}
			}
		}
	}
}

// exchange sends requests on one connection, and gives the answers.
func exchange(t *testing.T, dial func() (net.Conn, error), requests ...string) []*http.Response {
	t.Helper()
	c, err := dial()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(promise.Patience))
	in := bufio.NewReader(c)
	var replies []*http.Response
	for _, request := range requests {
		if request == "" {
			continue
		}
		if _, err := io.WriteString(c, request); err != nil {
			t.Fatal(err)
		}
		reply, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatalf("after %.60q: %v", request, err)
		}
		if _, err := io.Copy(io.Discard, reply.Body); err != nil {
			t.Fatal(err)
		}
		replies = append(replies, reply)
	}
	return replies
}

func closedToBrowsers(t *testing.T, what string, r *http.Response, secure bool) {
	t.Helper()
	for name, want := range map[string]string{
		"Content-Security-Policy": "default-src 'none'", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
	} {
		if v := r.Header[name]; len(v) != 1 || !strings.Contains(v[0], want) {
			t.Errorf("%s, %s: %s is %q", what, r.Status, name, v)
		}
	}
	if got := len(r.Header["Strict-Transport-Security"]) == 1; got != secure {
		t.Errorf("%s, %s: HSTS %t", what, r.Status, got)
	}
	if r.StatusCode >= 400 && r.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("%s, %s: may be kept: %q", what, r.Status, r.Header.Get("Cache-Control"))
	}
}

// TestAdvisory_T15_HTTPToHTTPS is answered in plain text, as closed.
func TestAdvisory_T15_HTTPToHTTPS(t *testing.T) {
	r := securely(t)
	dial := func() (net.Conn, error) { return net.Dial("tcp", r.address) }
	for _, method := range []string{"GET", "DELETE", "OPTIONS"} {
		reply := exchange(t, dial, method+" /api/version HTTP/1.1\r\nHost: x\r\n\r\n")[0]
		if reply.StatusCode != 400 {
			t.Errorf("%s: %s", method, reply.Status)
		}
		closedToBrowsers(t, method, reply, false)
	}
}

// TestHandshakesEndWithTheServer, and hold up no other: of clients that begin none, and of one that is
// in the middle of it.
func TestHandshakesEndWithTheServer(t *testing.T) {
	r := securely(t)
	for _, begin := range []string{"", "\x16\x03\x01\x02\x00"} {
		c, err := net.Dial("tcp", r.address)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
		if _, err := io.WriteString(c, begin); err != nil {
			t.Fatal(err)
		}
	}
	dial := func() (net.Conn, error) { return tls.Dial("tcp", r.address, &tls.Config{InsecureSkipVerify: true}) }
	if reply := exchange(t, dial, "GET /api/version HTTP/1.1\r\nHost: x\r\n\r\n")[0]; reply.StatusCode != 200 {
		t.Error(reply.Status)
	}
	began := time.Now()
	if err := r.wait(); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > promise.Within(time.Second) {
		t.Errorf("ended after %s", took)
	}
}

// TestAnswersOfHandlersStayAsTheyAre: the text of an answer of package http's own, at any place in one
// of a handler, is none.
func TestAnswersOfHandlersStayAsTheyAre(t *testing.T) {
	const own = "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n400 Bad Request"
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/taken" {
			c, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			_, _ = io.WriteString(c, own)
			_ = c.Close()
			return
		}
		_, _ = io.WriteString(w, strings.Repeat("x", 5000))
		_ = http.NewResponseController(w).Flush()
		_, _ = io.WriteString(w, own)
		_, _ = io.WriteString(w, strings.Repeat(own, 1000))
	})}
	noteHandlers(s)
	go func() { _ = s.Serve(answering{l, ownHeaders(s.TLSConfig != nil)}) }()
	defer func() { _ = s.Close() }()
	for range 3 {
		reply, err := http.Get("http://" + l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(reply.Body)
		if want := strings.Repeat("x", 5000) + strings.Repeat(own, 1001); err != nil || string(text) != want {
			t.Errorf("%d bytes, not %d: %v", len(text), len(want), err)
		}
		_ = reply.Body.Close()
	}
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	_ = c.SetDeadline(time.Now().Add(promise.Patience))
	_, _ = fmt.Fprint(c, "GET /taken HTTP/1.1\r\nHost: x\r\n\r\n")
	if text, err := io.ReadAll(c); err != nil || string(text) != own {
		t.Errorf("a connection that was taken over got %q, %v", text, err)
	}
}
