//go:build unix

package service

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"vserver/service/config"
	"vserver/service/promise"
)

// connection is a client that asks over one connection, which it keeps.
type connection struct {
	*running
	client *http.Client
	token  string
}

func (r *running) connection(token string) *connection {
	c := &connection{r, &http.Client{Transport: &http.Transport{MaxConnsPerHost: 1}, Timeout: promise.Patience}, token}
	r.Cleanup(c.client.CloseIdleConnections)
	return c
}

// ask sends a request and returns the status with Retry-After, and the body; or why there is none.
func (c *connection) ask(method, path string, body any) (status, text string) {
	c.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		c.Fatal(err)
	}
	req, err := http.NewRequestWithContext(context.Background(), method, "http://"+c.address+"/api"+path, bytes.NewReader(raw))
	if err != nil {
		c.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	reply, err := c.client.Do(req)
	if err != nil {
		return err.Error(), ""
	}
	defer func() { _ = reply.Body.Close() }()
	all, err := io.ReadAll(reply.Body)
	if err != nil {
		return err.Error(), ""
	}
	return strings.TrimSpace(reply.Status[:3] + " " + reply.Header.Get("Retry-After")), string(all)
}

// must is ask for what succeeds; it reads one field of the reply.
func (c *connection) must(method, path string, body any, field string) string {
	c.Helper()
	status, text := c.ask(method, path, body)
	var reply map[string]any
	if err := json.Unmarshal([]byte(text), &reply); err != nil || status[0] != '2' {
		c.Fatalf("%s %s: %s %s %v", method, path, status, text, err)
	}
	return fmt.Sprint(reply[field])
}

// measure reads a metric with its labels.
func measure(t *testing.T, inst config.Instance, series string) int {
	t.Helper()
	_, text := (&running{T: t, address: metricsAddress(t, inst.LogFile)}).call("GET", "/metrics", "", nil)
	found := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(series) + ` (\S+)$`).FindStringSubmatch(text)
	if found == nil {
		t.Fatalf("there is no %s in\n%s", series, text)
	}
	f, err := strconv.ParseFloat(found[1], 64)
	if err != nil {
		t.Fatal(err)
	}
	return int(f)
}

// TestAdvisory_U12_ConnectionsOfAnAccountAreBounded has an account ask over as many connections as it may have, and one
// more: that is refused, or cut when it is a node's. Another account is served, and so is this one when one has ended.
func TestAdvisory_U12_ConnectionsOfAnAccountAreBounded(t *testing.T) {
	inst := configured(t)
	inst.Config.Metrics, inst.Config.Limits.ConnectionsPerAccount = &config.Metrics{IP: "127.0.0.1"}, 2
	r := start(t, inst)
	serves := func(c *connection) {
		t.Helper()
		if status, text := c.ask("GET", "/organization", nil); status != "200" {
			t.Errorf("within the limit: %s %s", status, text)
		}
	}
	first := r.connection("")
	first.token = first.must("POST", "/token/user", map[string]string{"username": "root", "password": "root"}, "access_token")
	study := first.must("POST", "/collaboration", map[string]any{"name": "c", "organization_ids": []int{1}}, "id")
	key := first.must("POST", "/node", map[string]any{"collaboration_id": study, "organization_id": 1}, "api_key")
	second := r.connection(first.token)
	serves(second)
	serves(first)
	status, text := r.connection(first.token).ask("GET", "/organization", nil)
	if status != "429 5" || !strings.Contains(text, "account 1 has reached the limit of 2 (limits.connections_per_account)") {
		t.Errorf("one more: %s %s", status, text)
	}
	node := r.connection("")
	node.token = node.must("POST", "/token/node", map[string]string{"api_key": key}, "access_token")
	serves(node)
	serves(r.connection(node.token))
	if status, text := r.connection(node.token).ask("GET", "/organization", nil); !strings.Contains(status, "EOF") && !strings.Contains(status, "reset") {
		t.Errorf("one more of a node: %s %s", status, text)
	}
	serves(second)
	if n := measure(t, inst, `vserver_limited_total{limit="connections_per_account"}`); n != 2 {
		t.Errorf("the limit was reached %d times", n)
	}
	if n := strings.Count(content(t, inst.LogFile), "account 1 has reached the limit of 2, limits.connections_per_account"); n != 1 {
		t.Errorf("the log tells of it %d times", n)
	}
	first.client.CloseIdleConnections()
	later := r.connection(first.token)
	holds(t, "the account has another connection", func() bool {
		status, _ := later.ask("GET", "/organization", nil)
		return status == "200"
	})
}

// TestAdvisory_U12_BodiesThatWaitAreMeasured fills the memory of bodies: what has it and what waits for it shows, and
// so does who was refused.
func TestAdvisory_U12_BodiesThatWaitAreMeasured(t *testing.T) {
	inst := configured(t)
	inst.Config.Metrics = &config.Metrics{IP: "127.0.0.1"}
	inst.Config.Limits.BodyMemory, inst.Config.Limits.BodyMemoryPerAccount = "128MiB", "64MiB"
	r := start(t, inst)
	token := r.logIn()
	const size = 10_000_000
	begun := request("PATCH", "/api/organization/1", token, size, `{"country":"`+strings.Repeat("x", 100<<10))
	r.many(2, begun)
	holds(t, "two bodies have memory", func() bool { return measure(t, inst, "vserver_bodies_memory_bytes") == 6*size })
	third := r.many(1, begun)[0]
	holds(t, "the third waits", func() bool { return measure(t, inst, `vserver_bodies_waiting{of="others"}`) == 1 })
	if n := measure(t, inst, `vserver_bodies_waiting{of="nodes"}`); n != 0 {
		t.Errorf("%d bodies of nodes wait", n)
	}
	if n := measure(t, inst, "vserver_bodies"); n != 3 {
		t.Errorf("%d bodies are under way", n)
	}
	if !promise.Long() {
		return
	}
	text := make([]byte, 100)
	_ = third.SetReadDeadline(time.Now().Add(promise.Patience))
	if _, err := io.ReadFull(third, text); err != nil || !strings.HasPrefix(string(text), "HTTP/1.1 503 ") {
		t.Errorf("after a minute: %s, %v", text, err)
	}
	if n := measure(t, inst, `vserver_limited_total{limit="body_memory_per_account"}`); n != 1 {
		t.Errorf("the limit was reached %d times", n)
	}
}

// TestAdvisory_U14_LogInsWithoutRoomAreSeen sends far more log-ins at once than may wait: those that are turned away learn
// when to come again, and are counted; the log tells of them once.
func TestAdvisory_U14_LogInsWithoutRoomAreSeen(t *testing.T) {
	inst := configured(t)
	inst.Config.Metrics = &config.Metrics{IP: "127.0.0.1"}
	r := start(t, inst)
	const few = "vserver_logins_turned_away_total"
	if n := measure(t, inst, few); n != 0 {
		t.Fatalf("%d are turned away at the start", n)
	}
	ctx, stop := context.WithCancel(t.Context())
	var away atomic.Int64
	var work sync.WaitGroup
	for range 50 * max(2, runtime.GOMAXPROCS(0)) {
		work.Go(func() {
			req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+r.address+"/api/token/user", strings.NewReader(`{"username":"u","password":"p"}`))
			if err != nil {
				t.Error(err)
				return
			}
			req.Header.Set("Content-Type", "application/json")
			reply, err := http.DefaultClient.Do(req)
			if err != nil {
				return // stopped
			}
			_ = reply.Body.Close()
			switch after, _ := strconv.Atoi(reply.Header.Get("Retry-After")); {
			case reply.StatusCode == http.StatusTooManyRequests && after >= 1 && after <= 60:
				away.Add(1)
			case reply.StatusCode != http.StatusUnauthorized || after != 0:
				t.Errorf("%s, Retry-After %q", reply.Status, reply.Header.Get("Retry-After"))
			}
		})
	}
	holds(t, "some wait", func() bool { return measure(t, inst, `vserver_logins_waiting{from="other"}`) > 0 })
	holds(t, "many are turned away", func() bool { return away.Load() >= 20 })
	stop()
	work.Wait()
	if n := measure(t, inst, few); int64(n) < away.Load() {
		t.Errorf("%d are counted, %d were turned away", n, away.Load())
	}
	if n := strings.Count(content(t, inst.LogFile), "Too many log-ins wait: turned one away from 127.0.0.1 (1 since the last such line)"); n != 1 {
		t.Errorf("the log tells of it %d times", n)
	}
}
