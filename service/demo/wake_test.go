package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"vserver/service/promise"
)

// TestNodeIsWokenWhileItIsBusy: a node whose question is not answered hears on, however many tasks come, and ends when
// it has to; one that was answered asks for all that came meanwhile.
func TestNodeIsWokenWhileItIsBusy(t *testing.T) {
	asked, answers, told := make(chan string, 10), make(chan struct{}), make(chan struct{})
	mux := http.NewServeMux()
	mux.HandleFunc("/socket.io/", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("transport") == "polling" {
			_, _ = fmt.Fprint(w, `0{"sid":"s"}`)
			return
		}
		conn, err := websocket.Accept(w, r, nil)
		if err != nil {
			return
		}
		defer func() { _ = conn.CloseNow() }()
		say := func(text string) { _ = conn.Write(r.Context(), websocket.MessageText, []byte(text)) }
		_, _, _ = conn.Read(r.Context()) // 2probe
		say("3probe")
		_, _, _ = conn.Read(r.Context()) // 5
		_, _, _ = conn.Read(r.Context()) // 40
		say("40/tasks,")
		<-asked // for everything
		for task := range 3000 {
			say(fmt.Sprintf(`42/tasks,["new_task",%d]`, task+1))
		}
		say("2")
		for text := []byte(nil); string(text) != "3"; {
			if _, text, err = conn.Read(r.Context()); err != nil {
				return
			}
		}
		close(told)
		_, _, _ = conn.Read(r.Context())
	})
	mux.HandleFunc("/api/token/node", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprint(w, `{"access_token":"e30.eyJzdWIiOjF9.e30"}`)
	})
	mux.HandleFunc("/api/node/1", func(w http.ResponseWriter, _ *http.Request) { _ = json.NewEncoder(w).Encode(nodeRow{ID: 1}) })
	mux.HandleFunc("/api/result", func(w http.ResponseWriter, r *http.Request) {
		asked <- r.URL.RawQuery
		select {
		case <-answers:
			_, _ = fmt.Fprint(w, "[]")
		case <-r.Context().Done():
		}
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	ctx, end := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- NewNode(server.URL+"/api", "key", nil).Run(ctx) }()
	defer func() { end(); <-ended }()
	within := func(what string, c <-chan struct{}) {
		select {
		case <-c:
		case <-time.After(promise.Patience):
			t.Fatal(what)
		}
	}
	within("a node that was told of many tasks answers no ping", told)
	// All that it was told of at once it asks for at once.
	everything := make(chan struct{})
	go func() {
		for query := "task_id"; strings.Contains(query, "task_id"); query = <-asked {
			answers <- struct{}{}
		}
		close(everything)
	}()
	within("a node that was told of many tasks never asked for all", everything)
}
