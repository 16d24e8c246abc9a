package demo

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/coder/websocket"
)

// TestAlgorithmThatPanicsCrashes, as a container does: the node tells the server so, and goes on.
func TestAlgorithmThatPanicsCrashes(t *testing.T) {
	var mu sync.Mutex
	var told []string
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Upgrade") != "" {
			conn, err := websocket.Accept(w, r, nil)
			if err != nil {
				t.Error(err)
				return
			}
			_, _, _ = conn.Read(r.Context())
			return
		}
		_, _ = w.Write([]byte(`{"container_token": "x"}`))
	}))
	defer web.Close()
	n := NewNode(web.URL, "key", func(context.Context, *Container) (string, error) { panic("a fault of the algorithm") })
	n.api.sent = func(body []byte) {
		mu.Lock()
		defer mu.Unlock()
		told = append(told, string(body))
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	conn, reply, err := websocket.Dial(ctx, web.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	if reply.Body != nil {
		defer func() { _ = reply.Body.Close() }()
	}
	defer func() { _ = conn.CloseNow() }()
	n.live = &socket{conn: conn, from: n.api}
	n.carryOut(ctx, resultRow{ID: 1})
	if all := strings.Join(told, "\n"); !strings.Contains(all, `"crashed"`) || !strings.Contains(all, "a fault of the algorithm") {
		t.Errorf("told %s", all)
	}
}
