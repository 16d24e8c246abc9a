//go:build unix

package service

import (
	"context"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"vserver/service/daemon"
	"vserver/service/promise"
)

// variables are an environment of the given names and values.
func variables(pairs ...string) func(string) string {
	return func(name string) string {
		if i := slices.Index(pairs, name); i >= 0 {
			return pairs[i+1]
		}
		return ""
	}
}

// manager listens as a service manager does.
func manager(t *testing.T) (socket string, next func() string) {
	t.Helper()
	socket = filepath.Join(t.TempDir(), "s")
	conn, err := (&net.ListenConfig{}).ListenPacket(t.Context(), "unixgram", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return socket, func() string {
		t.Helper()
		_ = conn.SetReadDeadline(time.Now().Add(promise.Patience))
		words := make([]byte, 1024)
		n, _, err := conn.ReadFrom(words)
		if err != nil {
			t.Fatal(err)
		}
		return string(words[:n])
	}
}

func TestServiceManagerHearsHowTheServerIs(t *testing.T) {
	socket, next := manager(t)
	ctx, end := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- Run(ctx, configured(t), RunOptions{Getenv: variables("NOTIFY_SOCKET", socket, "WATCHDOG_USEC", "30000")})
	}()
	if words := next(); !strings.HasPrefix(words, "READY=1\nSTATUS=Listening on 127.0.0.1:") {
		t.Fatalf("first words: %q", words)
	}
	for range 3 {
		if words := next(); words != "WATCHDOG=1" {
			t.Fatalf("then: %q", words)
		}
	}
	end()
	words := next()
	for words == "WATCHDOG=1" {
		words = next()
	}
	if !strings.HasPrefix(words, "STOPPING=1\n") {
		t.Errorf("at the end: %q", words)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestServerThatDoesNotAnswerGivesNoSignOfLife(t *testing.T) {
	socket, next := manager(t)
	n := daemon.NewNotifier(variables("NOTIFY_SOCKET", socket, "WATCHDOG_USEC", "3000"))
	ctx, end := context.WithCancel(t.Context())
	defer end()
	looks := 0
	n.KeepAlive(ctx, func(context.Context) bool {
		looks++
		if looks == 3 {
			end()
		}
		return false
	})
	n.Notify(t.Context(), "nothing before this")
	if words := next(); words != "nothing before this" || looks < 3 {
		t.Errorf("%q after %d looks", words, looks)
	}
}

func TestAnswers(t *testing.T) {
	routes := http.NewServeMux()
	routes.HandleFunc("GET /api/version", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("3.7.3")) })
	routes.HandleFunc("GET /ill/version", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) })
	for path, want := range map[string]bool{"/api": true, "/ill": false, "/gone": false, "://": false} {
		if got := answers(routes, path)(t.Context()); got != want {
			t.Errorf("%s: %v", path, got)
		}
	}
}

// TestServerEndsAlthoughItsManagerDoesNotListen: a service manager that reads nothing keeps
// no server from ending in time.
func TestServerEndsAlthoughItsManagerDoesNotListen(t *testing.T) {
	socket, _ := manager(t)
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "unixgram", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	for err == nil { // until it takes no more
		_ = conn.SetWriteDeadline(time.Now().Add(50 * time.Millisecond))
		_, err = conn.Write([]byte("nobody reads this"))
	}
	ctx, end := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- Run(ctx, configured(t), RunOptions{
			Getenv: variables("NOTIFY_SOCKET", socket, "WATCHDOG_USEC", "30000"), Ready: func(net.Addr) { end() },
		})
	}()
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(promise.Within(10 * time.Second)):
		t.Fatal("it still runs")
	}
}
