package service

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"vserver/service/promise"
)

// TestAdvisory_U9_HostileTransport leaves hundreds of heads and bodies half sent and sends what is too large, too deep
// or too much, while others are served and memory stays as it was.
func TestAdvisory_U9_HostileTransport(t *testing.T) {
	r := start(t, configured(t))
	before := heap()
	r.many(100, halfAHead)
	r.many(100, halfABody)
	for _, c := range []struct{ name, head, body, want string }{
		{"a large body", "", `{"username":"` + strings.Repeat("a", 20<<20) + `"}`, "413"},
		{"a large body of unknown length", "Transfer-Encoding: chunked\r\n", strings.Repeat("100000\r\n"+strings.Repeat("a", 1<<20)+"\r\n", 20), "413"},
		{"a deep body", "", strings.Repeat("[", 500_000), "400"},
		{"a compressed body", "Content-Encoding: gzip\r\n", "\x1f\x8b\x08\x00\x00\x00\x00\x00", "400"},
		{"a large head", "X-Much: " + strings.Repeat("a", 200_000) + "\r\n", "{}", "431"},
		{"many heads", strings.Repeat("X-Many: a\r\n", 20_000), "{}", "431"},
	} {
		if got := r.raw(c.head, c.body); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	if status, _ := r.call("GET", "/api/version?"+strings.Repeat("a=1&", 15_000), "", nil); status != http.StatusOK {
		t.Errorf("many parameters: %d", status)
	}
	for range 100 {
		if status, _ := r.call("GET", "/api/version", "", nil); status != http.StatusOK {
			t.Fatalf("others are answered %d", status)
		}
	}
	if grown := heap() - before; grown > 64<<20 {
		t.Errorf("the heap grew by %d bytes", grown)
	}
}

// TestAdvisory_U9_WhatStandsStillIsGivenUp waits for the end of connections that wait for nothing.
func TestAdvisory_U9_WhatStandsStillIsGivenUp(t *testing.T) {
	t.Parallel()
	r := start(t, configured(t))
	heads, bodies := r.many(20, halfAHead), r.many(20, halfABody)
	ended(t, heads, headerTime)
	if promise.Long() {
		ended(t, bodies, 30*time.Second)
	}
}

const (
	halfAHead = "GET /api/version HTTP/1.1\r\nHost: x\r\n"
	halfABody = "POST /api/token/user HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{\"user"
)

// many opens connections that say no more than text.
func (r *running) many(n int, text string) []net.Conn {
	r.Helper()
	var conns []net.Conn
	for range n {
		c, err := net.Dial("tcp", r.address)
		if err != nil {
			r.Fatal(err)
		}
		r.Cleanup(func() { _ = c.Close() })
		if _, err := io.WriteString(c, text); err != nil {
			r.Fatal(err)
		}
		conns = append(conns, c)
	}
	return conns
}

// raw posts to the log-in and returns the status in its reply; a server that has read enough may break the connection
// behind it.
func (r *running) raw(head, body string) string {
	r.Helper()
	c := r.many(1, "")[0]
	if !strings.Contains(head, "Transfer-Encoding") {
		head += fmt.Sprintf("Content-Length: %d\r\n", len(body))
	}
	go func() {
		_, _ = io.WriteString(c, "POST /api/token/user HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"+head+"\r\n"+body)
	}()
	_ = c.SetReadDeadline(time.Now().Add(promise.Patience))
	line, err := bufio.NewReader(c).ReadString('\n')
	words := strings.Fields(line)
	if err != nil || len(words) < 2 {
		r.Fatalf("got %q, %v", line, err)
	}
	return words[1]
}

// ended waits until the server has given up connections that wait for nothing.
func ended(t *testing.T, conns []net.Conn, after time.Duration) {
	t.Helper()
	deadline := time.Now().Add(after + promise.Patience)
	for _, c := range conns {
		_ = c.SetReadDeadline(deadline)
		if _, err := io.Copy(io.Discard, c); err != nil && !strings.Contains(err.Error(), "reset") {
			t.Fatalf("a connection that stands still is kept: %v", err)
		}
	}
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse)
}
