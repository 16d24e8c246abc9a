package service

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"vserver/service/config"
	"vserver/service/demo"
	"vserver/service/promise"
)

// TestReliability_R8_EveryConnectionIsCut lets ten nodes work through a line that is cut again and again. In the end
// every result is there, once, and right.
func TestReliability_R8_EveryConnectionIsCut(t *testing.T) {
	tasks, least := 60, 100*time.Millisecond
	if promise.Long() {
		tasks, least = 1000, time.Second
	}
	newField(t, 10).everyConnectionIsCut(tasks, least)
}

func (f *field) everyConnectionIsCut(tasks int, least time.Duration) {
	t := f.T
	t.Helper()
	line := newLine(t, f.address, least)
	f.work(line.address)
	for i := range tasks {
		f.post(fmt.Sprintf("task-%d", i))
	}
	f.await(tasks * 10)
	for id, r := range f.results() {
		if r.Status != "completed" || r.Result == nil || *r.Result != r.Input {
			t.Errorf("result %d: %+v", id, r)
		}
	}
	if cuts := line.cuts.Load(); cuts < 20 {
		t.Errorf("only %d connections were cut", cuts)
	}
	token, again := f.keys[0].token(f), map[string]any{"result": "another", "status": "failed"}
	for id, r := range f.results() {
		if r.Organization.ID == f.keys[0].organization {
			if status, text := f.call("PATCH", fmt.Sprintf("/api/result/%d", id), token, again); status != 400 {
				t.Fatalf("a result is stored a second time: %d %s", status, text)
			}
		}
	}
}

// TestReliability_R7_AllNodesComeBackAtOnce ends a server under its nodes and starts another one on the same port, with
// a task for each that was posted while they were away.
func TestReliability_R7_AllNodesComeBackAtOnce(t *testing.T) {
	nodes := 100
	if promise.Long() {
		nodes = 1000
	}
	f := newField(t, nodes)
	line := newLine(t, f.address, time.Hour)
	f.work(line.address)
	f.post("before")
	f.await(nodes)
	line.close()
	f.post("meanwhile")
	began := time.Now()
	line.open(f.address)
	f.await(2 * nodes)
	t.Logf("%d nodes were back and had caught up after %s", nodes, time.Since(began))
	if status, text := f.call("GET", "/api/node?status=online&per_page=1", f.token, nil); status != 200 || strings.Count(text, `"online"`) == 0 {
		t.Errorf("%d %s", status, text)
	}
}

// field is a server with hospitals in collaborations of ten.
type field struct {
	*running
	token string
	keys  []place
}

// place is where a node works.
type place struct {
	collaboration, organization int64
	key                         string
}

func newField(t *testing.T, nodes int) *field {
	t.Helper()
	return newFieldOf(t, configured(t), nodes)
}

// newFieldOf is the field of a server that is configured so.
func newFieldOf(t *testing.T, inst config.Instance, nodes int) *field {
	t.Helper()
	inst.Config.Logging.Level = "WARNING"
	f := &field{running: start(t, inst)}
	f.token = f.logIn()
	for len(f.keys) < nodes {
		f.study(fmt.Sprint("study-", len(f.keys)))
	}
	return f
}

// study makes a collaboration of ten hospitals with a node each, and of the organization of root, who posts the tasks.
func (f *field) study(name string) {
	f.Helper()
	members := []int64{1}
	for i := range 10 {
		var made struct{ ID int64 }
		f.must(201, "/organization", map[string]any{"name": fmt.Sprintf("hospital-%d-of-%s", i, name)}, &made)
		members = append(members, made.ID)
	}
	var study struct{ ID int64 }
	f.must(200, "/collaboration", map[string]any{"name": name, "organization_ids": members}, &study)
	for _, id := range members[1:] {
		var made struct {
			Key string `json:"api_key"`
		}
		f.must(201, "/node", map[string]any{"organization_id": id, "collaboration_id": study.ID}, &made)
		f.keys = append(f.keys, place{study.ID, id, made.Key})
	}
}

func (f *field) must(want int, path string, body, into any) {
	f.Helper()
	status, text := f.call("POST", "/api"+path, f.token, body)
	if status != want {
		f.Fatalf("POST %s: %d %s", path, status, text)
	}
	if into != nil {
		if err := json.Unmarshal([]byte(text), into); err != nil {
			f.Fatal(err)
		}
	}
}

func (p place) token(f *field) string {
	var reply struct {
		Token string `json:"access_token"`
	}
	f.must(200, "/token/node", map[string]any{"api_key": p.key}, &reply)
	return reply.Token
}

// work lets simulated nodes, who give back what they are given, work by an address until the test ends.
func (f *field) work(address string) {
	ctx, cancel := context.WithCancel(f.Context())
	var nodes sync.WaitGroup
	for _, p := range f.keys {
		node := demo.NewNode("http://"+address+"/api", p.key, func(_ context.Context, c *demo.Container) (string, error) { return c.Input, nil })
		nodes.Go(func() {
			if err := node.Run(ctx); err != nil && ctx.Err() == nil {
				f.Errorf("a node gave up: %v", err)
			}
		})
	}
	f.Cleanup(func() { cancel(); nodes.Wait() })
}

// post makes a task in each collaboration for all of its hospitals.
func (f *field) post(name string) {
	f.Helper()
	inputs := map[int64][]any{}
	for _, p := range f.keys {
		inputs[p.collaboration] = append(inputs[p.collaboration], map[string]any{"id": p.organization, "input": fmt.Sprintf("%s-%d", name, p.organization)})
	}
	for study, list := range inputs {
		f.must(201, "/task", map[string]any{"name": name, "image": "i", "collaboration_id": study, "organizations": list}, nil)
	}
}

type outcome struct {
	ID           int64
	Status       string
	Input        string
	Result       *string
	FinishedAt   *string `json:"finished_at"`
	Organization struct{ ID int64 }
}

func (f *field) results() map[int64]outcome {
	f.Helper()
	status, text := f.call("GET", "/api/result", f.token, nil)
	var list []outcome
	if err := json.Unmarshal([]byte(text), &list); err != nil || status != 200 {
		f.Fatalf("%d %v", status, err)
	}
	by := map[int64]outcome{}
	for _, r := range list {
		by[r.ID] = r
	}
	return by
}

// await waits until so many results have finished, which has to be all there are.
func (f *field) await(want int) {
	f.Helper()
	open := func() int {
		_, text := f.call("GET", "/api/result?state=open", f.token, nil)
		return strings.Count(text, `"finished_at":null`)
	}
	deadline := time.Now().Add(5 * time.Minute)
	for open() > 0 {
		if time.Now().After(deadline) {
			f.Fatalf("%d results are still open", open())
		}
		time.Sleep(100 * time.Millisecond)
	}
	if n := len(f.results()); n != want {
		f.Fatalf("there are %d results, want %d", n, want)
	}
}

// line carries connections to a server and cuts each after a while.
type line struct {
	address string
	least   time.Duration // each lasts this to five times this, and longer the more were cut: work gets done on a slow machine too
	cuts    atomic.Int64

	mu    sync.Mutex
	to    string // empty: closed
	conns map[net.Conn]bool
}

func newLine(t *testing.T, to string, least time.Duration) *line {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &line{address: listener.Addr().String(), least: least, to: to, conns: map[net.Conn]bool{}}
	t.Cleanup(func() { _ = listener.Close(); l.close() })
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go l.carry(c)
		}
	}()
	return l
}

func (l *line) carry(from net.Conn) {
	defer from.Close()
	l.mu.Lock()
	to := l.to
	l.mu.Unlock()
	server, err := net.Dial("tcp", to)
	if to == "" || err != nil {
		return
	}
	defer server.Close()
	l.mu.Lock()
	l.conns[from] = true
	l.mu.Unlock()
	least := l.least + l.least*time.Duration(l.cuts.Load())/500
	defer time.AfterFunc(least+rand.N(4*least), func() { l.cuts.Add(1); _ = from.Close(); _ = server.Close() }).Stop()
	go func() { _, _ = io.Copy(server, from); _ = server.Close() }()
	_, _ = io.Copy(from, server)
	l.mu.Lock()
	delete(l.conns, from)
	l.mu.Unlock()
}

// close cuts all connections and lets no others through.
func (l *line) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.to = ""
	for c := range l.conns {
		_ = c.Close()
	}
}

func (l *line) open(to string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.to = to
}
