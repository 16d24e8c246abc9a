//go:build unix

package service

import (
	"context"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

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
		_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
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
		ended <- Run(ctx, instance(t), RunOptions{Getenv: environment("NOTIFY_SOCKET", socket, "WATCHDOG_USEC", "30000")})
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
	s := supervisor{socket: socket, every: time.Millisecond}
	ctx, end := context.WithCancel(t.Context())
	defer end()
	looks := 0
	s.keepAlive(ctx, func(context.Context) bool {
		looks++
		if looks == 3 {
			end()
		}
		return false
	})
	s.tell(t.Context(), "nothing before this")
	if words := next(); words != "nothing before this" || looks < 3 {
		t.Errorf("%q after %d looks", words, looks)
	}
}

func TestSupervisor(t *testing.T) {
	mine := strconv.Itoa(os.Getpid())
	for name, c := range map[string]struct {
		getenv func(string) string
		want   supervisor
	}{
		"nobody":             {nil, supervisor{}},
		"no socket":          {environment(), supervisor{}},
		"no watchdog":        {environment("NOTIFY_SOCKET", "/s"), supervisor{socket: "/s"}},
		"watchdog":           {environment("NOTIFY_SOCKET", "/s", "WATCHDOG_USEC", "30000000"), supervisor{"/s", 10 * time.Second}},
		"my watchdog":        {environment("WATCHDOG_PID", mine, "WATCHDOG_USEC", "3"), supervisor{every: time.Microsecond}},
		"another's watchdog": {environment("WATCHDOG_PID", mine+"0", "WATCHDOG_USEC", "3"), supervisor{}},
		"broken":             {environment("WATCHDOG_USEC", "soon"), supervisor{}},
	} {
		if got := newSupervisor(c.getenv); got != c.want {
			t.Errorf("%s: %+v", name, got)
		}
	}
	// Words to nobody, or to a socket that is gone, hold nothing up.
	supervisor{}.tell(t.Context(), "READY=1")
	supervisor{socket: filepath.Join(t.TempDir(), "gone")}.tell(t.Context(), "READY=1")
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
