package service

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"vserver/service/config"
	"vserver/service/promise"
)

// accessFor is the life of access tokens here: short, so that nodes come back with one
// that has expired.
const accessFor = 2 * time.Second

// hospital is an instance whose port and database outlive its server, so that nodes
// find another one in its place.
type hospital struct {
	*testing.T
	inst    config.Instance
	running *running

	token string // of root, possibly expired
}

// serve starts a server on the same port as the one before.
func (s *hospital) serve() {
	s.Helper()
	s.running = start(s.T, s.inst)
	_, port, err := net.SplitHostPort(s.running.address)
	s.must(err)
	s.inst.Config.Port, err = strconv.Atoi(port)
	s.must(err)
}

func (s *hospital) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// call makes a request and returns the decoded reply.
func (s *hospital) call(method, path, token string, body any) (int, any) {
	s.Helper()
	raw, err := json.Marshal(body)
	s.must(err)
	r, err := http.NewRequestWithContext(s.Context(), method, "http://"+s.running.address+"/api"+path, bytes.NewReader(raw))
	s.must(err)
	r.Close = true // the next server on this port knows nothing of its predecessor's connections
	r.Header.Set("Content-Type", "application/json")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	reply, err := http.DefaultTransport.RoundTrip(r)
	s.must(err)
	defer reply.Body.Close()
	text, err := io.ReadAll(reply.Body)
	s.must(err)
	var v any
	s.must(json.Unmarshal(text, &v))
	return reply.StatusCode, v
}

// root makes a request as the first user.
func (s *hospital) root(method, path string, body any) map[string]any {
	s.Helper()
	status, v := s.call(method, path, s.token, body)
	if status == http.StatusUnauthorized {
		status, v = s.call("POST", "/token/user", "", map[string]string{"username": "root", "password": "root"})
		if status != http.StatusOK {
			s.Fatalf("log-in: %d %v", status, v)
		}
		s.token = v.(map[string]any)["access_token"].(string)
		status, v = s.call(method, path, s.token, body)
	}
	if status >= 300 {
		s.Fatalf("%s %s: %d %v", method, path, status, v)
	}
	if list, ok := v.([]any); ok && len(list) == 1 {
		v = list[0]
	}
	return v.(map[string]any)
}

func (s *hospital) eventually(what string, holds func() bool) {
	s.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(promise.Patience)
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline:
			s.Fatalf("waited in vain: %s", what)
		}
	}
}

// script is a node that runs, with the lines that it printed.
type script struct {
	*hospital
	stdin    io.WriteCloser
	mu       sync.Mutex
	lines    []string
	warnings bytes.Buffer
	ended    chan struct{}
	err      error // once it has ended
}

func (s *hospital) play(python, file, key string) *script {
	s.Helper()
	cmd := exec.CommandContext(s.Context(), python, "testdata/"+file, "http://"+s.running.address, key)
	cmd.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1")
	p := &script{hospital: s, ended: make(chan struct{})}
	cmd.Stderr = &p.warnings
	var err error
	p.stdin, err = cmd.StdinPipe()
	s.must(err)
	out, err := cmd.StdoutPipe()
	s.must(err)
	s.must(cmd.Start())
	go func() {
		for lines := bufio.NewScanner(out); lines.Scan(); {
			p.mu.Lock()
			p.lines = append(p.lines, lines.Text())
			p.mu.Unlock()
		}
		p.err = cmd.Wait()
		close(p.ended)
	}()
	return p
}

func (p *script) printed() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.lines)
}

// says waits until the script has printed a line.
func (p *script) says(line string) {
	p.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(promise.Patience)
	for !slices.Contains(p.printed(), line) {
		select {
		case <-tick.C:
		case <-p.ended:
			if !slices.Contains(p.printed(), line) {
				p.Fatalf("the node ended before it said %q: %v\n%s\n%s", line, p.err, strings.Join(p.printed(), "\n"), &p.warnings)
			}
		case <-deadline:
			p.Fatalf("the node did not say %q:\n%s", line, strings.Join(p.printed(), "\n"))
		}
	}
}

// post sends a task for one organization.
func (s *hospital) post(organization, collaboration float64) (task float64) {
	s.Helper()
	input := base64.StdEncoding.EncodeToString([]byte("patients"))
	return s.root("POST", "/task", map[string]any{
		"name": "turn round", "image": "turn-round", "collaboration_id": collaboration,
		"organizations": []any{map[string]any{"id": organization, "input": input}},
	})["id"].(float64)
}

// completes waits for the result of a task.
func (p *script) completes(task float64) {
	p.Helper()
	p.says(fmt.Sprintf("finished %v", task))
	r := p.root("GET", fmt.Sprintf("/task/%v/result", task), nil)
	want := base64.StdEncoding.EncodeToString([]byte("stneitap"))
	if r["status"] != "completed" || r["result"] != want || r["log"] != "turned round" || r["finished_at"] == nil {
		p.Errorf("task %v: result %v", task, r)
	}
	if got := p.root("GET", fmt.Sprintf("/task/%v", task), nil); got["complete"] != true {
		p.Errorf("task %v is not complete: %v", task, got)
	}
}

func (s *hospital) python() string {
	s.Helper()
	for _, name := range []string{"/usr/bin/python3", "python3"} {
		if exec.CommandContext(s.Context(), name, "-c", "import socketio, requests, websocket").Run() == nil {
			return name
		}
	}
	const what = "no python3 with python-socketio, requests and websocket-client (Debian: python3-socketio python3-requests python3-websocket)"
	if os.Getenv("VSERVER_REQUIRE") != "" {
		s.Fatal(what)
	}
	s.Skip(what)
	return ""
}

// TestNodesOfTheReference runs scripts that behave on the wire as the nodes of two
// releases: they complete tasks that were there before them and tasks that they are
// told of, catch up after the server was replaced while their token expired, and are
// seen offline at once when they leave. The order is that of a node of 3.7.3: once it
// was told of a task it asks for no other at a synchronisation (/docs/live#node-calls).
func TestNodesOfTheReference(t *testing.T) {
	for file, configuration := range map[string]int{"node_3_7.py": 0, "node_3_11.py": 2} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			s := &hospital{T: t, inst: configured(t)}
			s.inst.Config.AccessTokenLife = accessFor
			python := s.python()
			s.serve()
			organization := s.root("POST", "/organization", map[string]any{"name": "Hospital"})["id"].(float64)
			collaboration := s.root("POST", "/collaboration", map[string]any{
				"name": "Network", "encrypted": false, "organization_ids": []float64{1, organization},
			})["id"].(float64)
			made := s.root("POST", "/node", map[string]any{"organization_id": organization, "collaboration_id": collaboration})
			key, path := made["api_key"].(string), fmt.Sprintf("/node/%v", made["id"])
			status := func() any { return s.root("GET", path, nil)["status"] }

			early := s.post(organization, collaboration)
			node := s.play(python, file, key)
			node.says("connect")
			node.says(fmt.Sprintf("message Node <Hospital - Network Node> joined room <collaboration_%v>", collaboration))
			s.eventually("online", func() bool { return status() == "online" })
			node.completes(early)
			s.eventually("configuration", func() bool { return len(s.root("GET", path, nil)["config"].([]any)) == configuration })

			s.outlive(path, key)
			s.must(s.running.wait())
			s.serve()
			node.completes(s.post(organization, collaboration))
			node.says("expired_token")
			s.eventually("online again", func() bool { return status() == "online" })

			told := s.post(organization, collaboration)
			node.says(fmt.Sprintf("new_task %v", told))
			node.completes(told)
			for _, status := range []string{"active", "completed"} {
				node.says(fmt.Sprintf("status 3 %s", status))
			}
			s.must(node.leaves(path))
		})
	}
}

// outlive waits until a token of a node that is made now has expired; the one that the
// node has is older.
func (s *hospital) outlive(path, key string) {
	s.Helper()
	_, session := s.call("POST", "/token/node", "", map[string]string{"api_key": key})
	s.eventually("expired token", func() bool {
		status, _ := s.call("GET", path, session.(map[string]any)["access_token"].(string), nil)
		return status == http.StatusUnauthorized
	})
}

// leaves sends the node away and looks how soon that is known.
func (p *script) leaves(path string) error {
	p.Helper()
	_, err := io.WriteString(p.stdin, "\n")
	p.must(err)
	p.says("closed")
	closed := time.Now()
	p.eventually("offline", func() bool { return p.root("GET", path, nil)["status"] == "offline" })
	if took := time.Since(closed); took > promise.Within(time.Second) {
		p.Errorf("seen offline after %v", took)
	}
	<-p.ended
	return p.err
}
