package service

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"vserver/queries"
	"vserver/queries/dbtest"
	"vserver/service/config"
	"vserver/service/promise"
)

// replica is one of several servers on a database, each with a way of its own there.
type replica struct {
	*running
	inst  config.Instance
	proxy *dbtest.Proxy
}

// leaseOfTests is how long a server of a test is taken for alive.
const leaseOfTests = 2 * time.Second

// replicas are a field of nodes on the first of n servers on one PostgreSQL.
func replicas(t *testing.T, n, nodes int) (*field, []*replica) {
	t.Helper()
	inst := configured(t)
	if inst.Database.Engine != config.Postgres {
		t.Skip("skipped: an SQLite file has one server")
	}
	var all []*replica
	for i := range n {
		all = append(all, newReplica(t, inst, fmt.Sprint("r", i)))
	}
	f := &field{running: all[0].running}
	f.token = f.logIn()
	for len(f.keys) < nodes {
		f.study(fmt.Sprint("study-", len(f.keys)))
	}
	return f, all
}

func newReplica(t *testing.T, inst config.Instance, name string) *replica {
	t.Helper()
	proxy, src := dbtest.NewProxy(t, queries.Source{Engine: queries.Postgres, DSN: inst.Database.DSN.Reveal()})
	inst.Name, inst.File, inst.Database = name, "/etc/"+name+".yaml", asConfigured(src)
	inst.LogFile = filepath.Join(t.TempDir(), name+".log")
	inst.Config.Logging.Level = "INFO"
	r := &replica{inst: inst, proxy: proxy}
	r.begin(t)
	return r
}

// begin starts the server, or a further one of its configuration.
func (r *replica) begin(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	s := &running{T: t, end: cancel, ended: make(chan error, 1)}
	ready := make(chan net.Addr, 1)
	go func() {
		s.ended <- Run(ctx, r.inst, RunOptions{Lease: leaseOfTests, Ready: func(a net.Addr) { ready <- a }})
	}()
	select {
	case a := <-ready:
		s.address = a.String()
	case err := <-s.ended:
		t.Fatalf("ended at once: %v", err)
	}
	t.Cleanup(func() { r.proxy.Mend(); r.proxy.Release(); s.wait() })
	r.running = s
}

// hears waits for an event on a live connection.
func hears(t *testing.T, c *websocket.Conn, what string, within time.Duration) time.Duration {
	t.Helper()
	began := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), promise.Within(within))
	defer cancel()
	for {
		_, text, err := c.Read(ctx)
		if err != nil {
			t.Errorf("%s was not heard within %s: %v", what, promise.Within(within), err)
			return time.Since(began)
		}
		if strings.Contains(string(text), what) {
			return time.Since(began)
		}
		if string(text) == "2" {
			_ = c.Write(ctx, websocket.MessageText, []byte("3"))
		}
	}
}

func (r *replica) statusOf(node int64, token string) string {
	_, text := r.call("GET", fmt.Sprintf("/api/node/%d", node), token, nil)
	for _, word := range []string{"online", "offline"} {
		if strings.Contains(text, `"status":"`+word+`"`) {
			return word
		}
	}
	return text
}

// idOf is the id of the node of a place.
func (f *field) idOf(p place) int64 {
	f.Helper()
	var id int64
	_, text := f.call("GET", "/api/node?per_page=0", p.token(f), nil)
	at := strings.Index(text, `"id":`)
	if _, err := fmt.Sscanf(text[max(at, 0):], `"id":%d`, &id); err != nil {
		f.Fatalf("%v: %s", err, text)
	}
	return id
}

// TestReliability_R20_ServersHearEachOther: an event of one reaches the nodes of another, and what is withdrawn
// at one is withdrawn at all, also when the one dies before it told the others.
func TestReliability_R20_ServersHearEachOther(t *testing.T) {
	t.Parallel()
	f, r := replicas(t, 3, 10)
	at := f.keys[0]
	node := r[1].socket(at.token(f))
	f.post("from the first")
	t.Logf("an event was heard after %s", hears(t, node, `"new_task",1]`, time.Second))

	person := map[string]any{"username": "ada", "password": "Correct-horse-1", "email": "ada@example.org", "firstname": "Ada", "lastname": "L", "organization_id": 1}
	var made struct{ ID int64 }
	f.must(201, "/user", person, &made)
	var session struct {
		Token string `json:"access_token"`
	}
	f.must(200, "/token/user", map[string]any{"username": "ada", "password": "Correct-horse-1"}, &session)
	watch := r[2].socket(session.Token)
	for _, one := range r {
		if status, text := one.call("GET", fmt.Sprintf("/api/user/%d", made.ID), session.Token, nil); status != 200 {
			t.Errorf("before: %d %s", status, text)
		}
	}
	if status, text := f.call("DELETE", fmt.Sprintf("/api/user/%d", made.ID), f.token, nil); status != 200 {
		t.Fatalf("%d %s", status, text)
	}
	for i, one := range r {
		becomes(t, fmt.Sprint("the token at server ", i), func() int { s, _ := one.call("GET", "/api/role", session.Token, nil); return s }, 401)
	}
	if err := r[2].closes(watch); err != nil {
		t.Errorf("the live connection at another server: %v", err)
	}

	r[0].proxy.LoseCommit()
	_, _ = f.call("POST", "/api/task", f.token, map[string]any{"name": "last words", "image": "i", "collaboration_id": at.collaboration, "organizations": []any{map[string]any{"id": at.organization, "input": "aQ=="}}})
	r[0].proxy.Cut()
	t.Logf("an event of a server that was cut off was heard after %s", hears(t, node, `"new_task",2]`, 5*time.Second))
}

// TestReliability_R20_PresenceOfSeveralServers: a start clears what is its own, a node that moves stays online, one
// whose server died goes offline, and one whose server was cut off comes back.
func TestReliability_R20_PresenceOfSeveralServers(t *testing.T) {
	t.Parallel()
	f, r := replicas(t, 2, 10)
	at := f.keys[0]
	id, token := f.idOf(at), at.token(f)
	is := func(want string) func() bool { return func() bool { return r[0].statusOf(id, f.token) == want } }
	first := r[1].socket(token)
	holds(t, "the node is online", is("online"))
	newReplica(t, r[0].inst, "r2")
	if !is("online")() {
		t.Error("a start of a server took the node of another one offline")
	}
	watch := r[1].socket(f.token)
	second := r[0].socket(token)
	_ = first.Close(websocket.StatusNormalClosure, "")
	hears(t, watch, "left room", 2*time.Second)
	<-time.After(100 * time.Millisecond) // until it would be stored
	if !is("online")() {
		t.Error("a node that moved to another server is offline")
	}
	_ = second.Close(websocket.StatusNormalClosure, "")
	holds(t, "the node is offline", is("offline"))

	_ = r[1].socket(token)
	holds(t, "the node is online again", is("online"))
	r[1].proxy.Hold()
	holds(t, "the node of a server that hangs is offline", is("offline"))
	r[1].proxy.Release()
	holds(t, "the server begins again", func() bool {
		return strings.Contains(content(t, r[1].inst.LogFile), "have taken this one for dead")
	})
	holds(t, "the node is online once more", func() bool {
		_ = r[1].socket(token) // as nodes do when theirs is dropped
		<-time.After(100 * time.Millisecond)
		return is("online")()
	})
	if err := r[1].wait(); err != nil {
		t.Error(err)
	}
	holds(t, "the node of a server that ended is offline", is("offline"))
}

// TestReliability_R20_EveryResultOnce spreads nodes over three servers, of which one is cut off from the database and
// one ends meanwhile.
func TestReliability_R20_EveryResultOnce(t *testing.T) {
	t.Parallel()
	nodes, tasks := 10, 6
	if promise.Long() {
		nodes, tasks = 30, 100
	}
	f, r := replicas(t, 3, nodes)
	lines := make([]*line, len(r))
	for i, one := range r {
		lines[i] = newLine(t, one.address, time.Hour)
	}
	keys, cut := f.keys, map[int64]bool{} // the organizations whose nodes have no database for a moment
	for i := range lines {
		f.keys = nil
		for j := i; j < len(keys); j += len(lines) {
			f.keys = append(f.keys, keys[j])
			cut[keys[j].organization] = i == 1
		}
		f.work(lines[i].address)
	}
	f.keys = keys
	for i := range tasks {
		f.post(fmt.Sprintf("task-%d", i))
		switch i {
		case tasks / 3:
			r[1].proxy.Cut()
		case tasks / 2:
			r[1].proxy.Mend()
			lines[2].close()
			lines[2].open(r[0].address) // as a load balancer does
			if err := r[2].wait(); err != nil {
				t.Error(err)
			}
		}
	}
	f.await(tasks * nodes)
	for id, got := range f.results() {
		if cut[got.Organization.ID] && got.Status == "start failed" {
			continue // its container got no token: that is 503 without a database
		}
		if got.Status != "completed" || got.Result == nil || *got.Result != got.Input {
			t.Errorf("result %d: %+v", id, got)
		}
	}
}

// TestPollsThatComeToAnotherServer are answered as one whose session is over, which has clients begin again.
func TestPollsThatComeToAnotherServer(t *testing.T) {
	t.Parallel()
	f, r := replicas(t, 2, 10)
	ask := func(at *replica, query string) (int, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+at.address+"/socket.io/?EIO=4&transport=polling"+query, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+f.keys[0].token(f))
		reply, err := http.DefaultClient.Do(req)
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
	status, text := ask(r[0], "")
	var session struct{ SID string }
	if err := json.Unmarshal([]byte(strings.TrimPrefix(text, "0")), &session); err != nil || status != 200 {
		t.Fatalf("%d %s", status, text)
	}
	began := time.Now()
	status, text = ask(r[1], "&sid="+session.SID)
	if status != 400 || !strings.Contains(text, "Invalid session") || time.Since(began) > promise.Within(time.Second) {
		t.Errorf("%d %s after %s", status, text, time.Since(began))
	}
}

// TestServersOfOneDatabaseShareTheirKey: one that made its own refuses to join, saying why; one of the same place
// takes over at once.
func TestServersOfOneDatabaseShareTheirKey(t *testing.T) {
	t.Parallel()
	_, r := replicas(t, 1, 0)
	refused := func(change func(*config.Instance), want string) {
		t.Helper()
		inst := r[0].inst
		inst.File, inst.LogFile = "/etc/other.yaml", filepath.Join(t.TempDir(), "other.log")
		change(&inst)
		ctx, cancel := context.WithTimeout(t.Context(), promise.Patience)
		defer cancel()
		err := Run(ctx, inst, RunOptions{Lease: leaseOfTests})
		if err == nil || errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	refused(func(inst *config.Instance) {
		inst.Config.JWTSecretKey, inst.Config.JWTSecretGenerated = "another one that is long enough", true
	}, "has made a jwt_secret_key of its own")
	refused(func(inst *config.Instance) { inst.Config.JWTSecretKey = "another one that is long enough" }, "with another jwt_secret_key")
	if text := content(t, r[0].inst.LogFile); strings.Contains(text, "taken this one for dead") {
		t.Error(text)
	}
	before := r[0].running
	r[0].begin(t) // its machine and file: the one before has ended, as far as anybody knows
	if status, text := r[0].call("GET", "/api/health", "", nil); status != 200 {
		t.Errorf("%d %s", status, text)
	}
	if err := before.wait(); err != nil {
		t.Error(err)
	}
}
