package service

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"vserver/queries"
	"vserver/service/config"
)

// TestLostAnswersOfCommits: who posts a task is told that nobody knows, with an incident; what a node says of
// a result is stored once and answered as always. Meanwhile health is 503, and has its body.
func TestLostAnswersOfCommits(t *testing.T) {
	t.Parallel()
	c := newClients(t, 0)
	post := func() (int, string) {
		return c.call("POST", "/api/task", c.token, json.RawMessage(c.bodies[0]))
	}
	status, text, made := http.StatusCreated, "", 0
	for ; status == http.StatusCreated && made < 20; made++ { // the next commit may be one of the background
		c.proxy.LoseCommit()
		status, text = post()
	}
	if status != http.StatusInternalServerError || !strings.Contains(text, "did not say whether this was stored") {
		t.Errorf("a task: %d %s", status, text)
	}
	if status, text := c.call("GET", "/api/task?per_page=100", c.token, nil); status != 200 || strings.Count(text, `"complete"`) != made {
		t.Errorf("after it: %d %s", status, text)
	}

	var token, path string
	for id, r := range c.results() {
		for _, p := range c.keys {
			if p.organization == r.Organization.ID {
				token, path = p.token(c.field), "/api/result/"+jsonOf(id)
			}
		}
	}
	said := map[string]any{"result": "b3V0", "status": "completed", "finished_at": "2026-01-31T12:00:00.123456"}
	c.proxy.LoseCommit()
	if status, text := c.call("PATCH", path, token, said); status != 200 || !strings.Contains(text, "b3V0") {
		t.Errorf("a result: %d %s", status, text)
	}
	if status, _ := c.call("PATCH", path, token, said); status != 400 {
		t.Errorf("the result once more: %d", status)
	}

	c.proxy.Cut()
	if status, text := c.call("GET", "/api/health", "", nil); status != http.StatusServiceUnavailable || strings.TrimSpace(text) != `{"database":false}` {
		t.Errorf("health without a database: %d %s", status, text)
	}
	c.proxy.Mend()
	if status, text := c.call("GET", "/api/health", "", nil); status != 200 || strings.TrimSpace(text) != `{"database":true}` {
		t.Errorf("health with one: %d %s", status, text)
	}
}

func jsonOf(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// TestSynchronousStandbyIsRequired: the PostgreSQL of the tests has none, so that a start refuses, saying why.
func TestSynchronousStandbyIsRequired(t *testing.T) {
	inst := configured(t)
	if inst.Database.Engine != config.Postgres {
		t.Skip("skipped: SQLite has no standby")
	}
	why := queries.RequireSynchronousStandby(t.Context(), inst.Database.DSN.Reveal())
	if why == nil || !strings.Contains(why.Error(), "sync is required, and ") {
		t.Errorf("the database: %v", why)
	}
	inst.Config.Sync = config.SyncRequired
	err := Run(t.Context(), inst, RunOptions{})
	if err == nil || !strings.Contains(err.Error(), "sync is required") {
		t.Errorf("a start: %v", err)
	}
}

// TestReliability_R20_LostAnswersRepeated: a request whose commit got no answer is sent again with its key, also to
// another server, and answered as if nothing had happened; what it did is done once.
func TestReliability_R20_LostAnswersRepeated(t *testing.T) {
	t.Parallel()
	f, r := replicas(t, 2, 10)
	at := f.keys[0]
	id := f.idOf(at)
	if status, text := f.call("PATCH", fmt.Sprint("/api/node/", id), f.token, map[string]any{"name": "the node"}); status != 200 {
		t.Fatalf("%d %s", status, text)
	}
	for i, ask := range []struct {
		path   string
		body   map[string]any
		writes string // in its transaction alone
		has    string
	}{
		{"/api/task", map[string]any{"name": "the task", "image": "i", "collaboration_id": at.collaboration, "organizations": []any{map[string]any{"id": at.organization, "input": "aQ=="}}}, "the task", `"run_id":1,`},
		{"/api/recover/node", map[string]any{"id": id}, "the node", `"api_key":`},
	} {
		key := fmt.Sprint("a-key-that-is-random-", i)
		r[0].proxy.LoseCommitOf(ask.writes, func() {})
		if status, text, again := r[0].callWithKey("POST", ask.path, f.token, key, ask.body); status != 500 || again || !strings.Contains(text, "or repeat it with the Idempotency-Key") {
			t.Errorf("%s, whose answer is lost: %d %s", ask.path, status, text)
		}
		status, first, again := r[1].callWithKey("POST", ask.path, f.token, key, ask.body)
		if status > 201 || !again || !strings.Contains(first, ask.has) {
			t.Errorf("%s at another server: %d %s", ask.path, status, first)
		}
		if status, text, again := r[0].callWithKey("POST", ask.path, f.token, key, ask.body); status > 201 || !again || text != first {
			t.Errorf("%s at the first server: %d %s\nat the other one: %s", ask.path, status, text, first)
		}
		if i == 1 {
			at.key = strings.Split(first, `"`)[3]
			_ = at.token(f) // with the key of the node that the answer has
		}
	}
	if status, text := f.call("GET", "/api/task", f.token, nil); status != 200 || strings.Count(text, `"complete"`) != 1 {
		t.Errorf("the tasks: %d %s", status, text)
	}
}

// callWithKey is call with an Idempotency-Key; again reports whether the answer is about what was done before.
func (r *running) callWithKey(method, path, token, key string, body any) (status int, text string, again bool) {
	r.Helper()
	req, err := http.NewRequestWithContext(r.Context(), method, "http://"+r.address+path, strings.NewReader(jsonOf(body)))
	if err != nil {
		r.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Idempotency-Key", key)
	reply, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err != nil {
		r.Fatal(err)
	}
	defer func() { _ = reply.Body.Close() }()
	raw, err := io.ReadAll(reply.Body)
	if err != nil {
		r.Fatal(err)
	}
	return reply.StatusCode, string(raw), reply.Header.Get("Idempotent-Replayed") == "true"
}
