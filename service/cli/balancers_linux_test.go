package cli_test

import (
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os/exec"
	"strings"
	"testing"
	"time"

	"vserver/service/promise"
)

// longPolls is a python-socketio client, as nodes have it, that connects several times and says by which way it is
// connected in the end.
const longPolls = `
import sys, socketio
for ways in (None, ["polling"]) * 4:
    sio = socketio.Client()
    sio.connect(sys.argv[1], headers={"Authorization": "Bearer " + sys.argv[2]}, namespaces=["/tasks"], transports=ways, wait_timeout=60)
    print(sio.transport())
    sio.disconnect()
`

// TestBalancersOfTheDocuments tries the configurations that /docs/operating#replicas shows: nodes work behind them, and
// clients that poll stay at one server.
func TestBalancersOfTheDocuments(t *testing.T) {
	if !promise.Long() {
		t.Skip("three load balancers are tried by make test-long")
	}
	t.Parallel()
	f := newFleet(t, 2)
	var urls []string
	for i, program := range []string{"haproxy", "nginx", "caddy"} {
		url := balanced(t, program, f.addresses())
		urls = append(urls, url)
		t.Run(program, func(t *testing.T) {
			through := &fleet{victim: victim{url: url + "/api", src: f.src, token: f.token, studies: f.studies, hospitals: f.hospitals}}
			stop := through.work(t, f.keys[3*i:3*i+3])
			defer stop()
			through.comesTrue(t, "the nodes are online", promise.Patience, 3, onlineNodes)
			through.must(t, "POST", "/task", f.taskIn(i, program), nil)
			through.comesTrue(t, "no result is open", promise.Patience, 0, openResults)
			through.pollsStay(t, url)
			f.python(t, url, f.keys[9])
			stop()
			through.comesTrue(t, "the nodes are offline", promise.Patience, 0, onlineNodes)
		})
	}
	for _, r := range f.replicas {
		r.kill()
	}
	for _, url := range urls { // a status would have a node forget a result
		f.url = url + "/api"
		if status, err := f.call(t.Context(), "PATCH", "/result/1", map[string]string{"status": "completed"}, nil); err == nil {
			t.Errorf("the balancer at %s answers %d in the place of servers that are gone", url, status)
		}
	}
}

// pollsStay connects by polling, with the cookies that the balancer gives and no others.
func (f *fleet) pollsStay(t *testing.T, url string) {
	t.Helper()
	for range 6 {
		jar, err := cookiejar.New(nil)
		if err != nil {
			t.Fatal(err)
		}
		client := &http.Client{Jar: jar, Timeout: promise.Patience}
		at := url + "/socket.io/?EIO=4&transport=polling"
		_, text := f.polls(t, client, "GET", at, "")
		_, sid, _ := strings.Cut(text, `"sid":"`)
		sid, _, _ = strings.Cut(sid, `"`)
		for _, ask := range []struct{ method, body, want string }{{"POST", "40/tasks,", "OK"}, {"GET", "", "40/tasks,"}} {
			if status, text := f.polls(t, client, ask.method, at+"&sid="+sid, ask.body); status != 200 || !strings.Contains(text, ask.want) {
				t.Errorf("%s: %d %s", ask.method, status, text)
			}
		}
	}
}

func (f *fleet) polls(t *testing.T, client *http.Client, method, url, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+f.token)
	reply, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = reply.Body.Close() }()
	text, err := io.ReadAll(reply.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply.StatusCode, string(text)
}

// python connects a real client of nodes.
func (f *fleet) python(t *testing.T, url, key string) {
	t.Helper()
	if exec.CommandContext(t.Context(), "/usr/bin/python3", "-c", "import socketio, requests, websocket").Run() != nil {
		t.Log("NOT TESTED: python-socketio behind balancers, which is not installed")
		return
	}
	var session struct {
		Token string `json:"access_token"`
	}
	f.must(t, "POST", "/token/node", map[string]string{"api_key": key}, &session)
	ctx, cancel := context.WithTimeout(t.Context(), promise.Patience)
	defer cancel()
	began := time.Now()
	out, err := exec.CommandContext(ctx, "/usr/bin/python3", "-c", longPolls, url, session.Token).CombinedOutput()
	if want := strings.Repeat("websocket\npolling\n", 4); err != nil || string(out) != want {
		t.Errorf("python-socketio: %v %s", err, out)
	}
	t.Logf("python-socketio has connected 8 times within %s", time.Since(began).Round(time.Millisecond))
}
