package cli_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"vserver/service/promise"
)

// TestAdvisory_U12_SlowBodiesTakeNoDescriptorOfOthers has 64 descriptors for the process and 800 anonymous bodies that
// stand still: health, metrics, log-ins, who is logged in and a node that is connected are served as before.
func TestAdvisory_U12_SlowBodiesTakeNoDescriptorOfOthers(t *testing.T) {
	const descriptors, crowd = 64, 800
	s := newVictim(t)
	bin := s.bin
	s.command = func(args ...string) *exec.Cmd {
		return exec.Command("sh", append([]string{"-c", fmt.Sprintf(`ulimit -n %d && exec "$0" "$@"`, descriptors), bin}, args...)...)
	}
	metrics := s.withMetrics(t)
	s.start(t)
	s.setStage(t)
	work := s.node(t)
	at := strings.TrimSuffix(strings.TrimPrefix(s.url, "http://"), "/api")
	for i := range crowd {
		from := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, byte(2+i%4))}}
		c, err := from.DialContext(t.Context(), "tcp", at)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
		_, _ = io.WriteString(c, "POST /api/token/user HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{\"user")
	}
	// Requests without a connection that is kept: each needs a new descriptor.
	fresh := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: promise.Patience}
	for range 10 {
		for _, ask := range []struct{ method, url, body, want string }{
			{"GET", s.url + "/health", "", `{"database":true}`},
			{"GET", "http://" + metrics + "/metrics", "", "\nvserver_connections_without_descriptor_total 0\n"},
			{"GET", s.url + "/organization", "", `"name":"a"`},
		} {
			if text := s.fetch(t, fresh, ask.method, ask.url, ask.body); !strings.Contains(text, ask.want) {
				t.Fatalf("%s %s in the crowd: %s", ask.method, ask.url, text)
			}
		}
	}
	if text := s.fetch(t, fresh, "POST", s.url+"/token/user", `{"username": "root", "password": "root"}`); !strings.Contains(text, "access_token") {
		t.Errorf("a log-in in the crowd: %s", text)
	}
	work()
	open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", s.cmd.Process.Pid))
	if err != nil || len(open) >= descriptors-1 {
		t.Errorf("%d descriptors are open, %v", len(open), err)
	}
	full, address := s.limited(t, fresh, metrics, "descriptors"), s.limited(t, fresh, metrics, "connections_per_address")
	if full == 0 || full+address < crowd/2 {
		t.Errorf("only %d connections made room, and %d of one address: this was no crowd", full, address)
	}
	text, err := os.ReadFile(filepath.Join(filepath.Dir(s.config), "victim.log"))
	if n := strings.Count(string(text), "as many as the process has descriptors for"); err != nil || n == 0 || n > 5 {
		t.Errorf("the log tells of it %d times, %v", n, err)
	}
}

// withMetrics adds metrics to the configuration and returns their address.
func (s *victim) withMetrics(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	at := l.Addr().(*net.TCPAddr)
	_ = l.Close()
	f, err := os.OpenFile(s.config, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprintf(f, "    metrics: {ip: 127.0.0.1, port: %d}\n", at.Port); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return at.String()
}

// fetch sends a request and returns what comes, also what is wrong.
func (s *victim) fetch(t *testing.T, client *http.Client, method, url, body string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if body == "" {
		req.Header.Set("Authorization", "Bearer "+s.token)
	}
	reply, err := client.Do(req)
	if err != nil {
		return err.Error()
	}
	defer reply.Body.Close()
	text, err := io.ReadAll(reply.Body)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// limited reads how often a limit was reached.
func (s *victim) limited(t *testing.T, client *http.Client, metrics, limit string) (n int) {
	t.Helper()
	lines := bufio.NewScanner(strings.NewReader(s.fetch(t, client, "GET", "http://"+metrics+"/metrics", "")))
	for lines.Scan() {
		if rest, ok := strings.CutPrefix(lines.Text(), fmt.Sprintf("vserver_limited_total{limit=%q} ", limit)); ok {
			var f float64
			if _, err := fmt.Sscan(rest, &f); err != nil {
				t.Fatal(err)
			}
			return int(f)
		}
	}
	t.Fatalf("there is no measure of %s", limit)
	return 0
}

// node connects a node of the first study; the returned function posts a task and waits until the node hears of it and
// has sent its result.
func (s *victim) node(t *testing.T) (work func()) {
	t.Helper()
	var made struct {
		APIKey string `json:"api_key"`
	}
	var study struct {
		ID int64 `json:"id"`
	}
	s.must(t, "POST", "/collaboration", map[string]any{"name": "five", "organization_ids": []int64{1}}, &study)
	s.must(t, "POST", "/node", map[string]any{"collaboration_id": study.ID, "organization_id": 1}, &made)
	var session struct {
		Token string `json:"access_token"`
	}
	s.must(t, "POST", "/token/node", map[string]string{"api_key": made.APIKey}, &session)
	socket, _, err := websocket.Dial(t.Context(), "ws"+strings.TrimSuffix(strings.TrimPrefix(s.url, "http"), "/api")+"/socket.io/?EIO=4&transport=websocket",
		&websocket.DialOptions{HTTPHeader: http.Header{"Authorization": {"Bearer " + session.Token}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = socket.CloseNow() })
	if err := socket.Write(t.Context(), websocket.MessageText, []byte("40/tasks,")); err != nil {
		t.Fatal(err)
	}
	hears := func(what string) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), promise.Patience)
		defer cancel()
		for {
			_, text, err := socket.Read(ctx)
			if err != nil {
				t.Fatalf("the node does not hear %s: %v", what, err)
			}
			if strings.HasPrefix(string(text), what) {
				return
			}
		}
	}
	hears("40/tasks,")
	return func() {
		t.Helper()
		var task struct {
			ID int64 `json:"id"`
		}
		s.must(t, "POST", "/task", map[string]any{
			"name": "t", "image": "i", "collaboration_id": study.ID, "organizations": []any{map[string]any{"id": 1, "input": "aW4="}},
		}, &task)
		hears(`42/tasks,["new_task"`)
		var results []struct {
			ID int64 `json:"id"`
		}
		as := s.token
		s.token = session.Token
		defer func() { s.token = as }()
		s.must(t, "GET", fmt.Sprintf("/result?task_id=%d", task.ID), nil, &results)
		s.must(t, "PATCH", fmt.Sprintf("/result/%d", results[0].ID), map[string]string{"result": "cg==", "finished_at": time.Now().Format(time.RFC3339)}, nil)
	}
}
