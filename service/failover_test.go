package service

import (
	"encoding/json"
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
