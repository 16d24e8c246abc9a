package service

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestReliability_R10_NodesAreNotRefused: while PostgreSQL is away, what a node reads waits until it is back, and what it says
// is cut, so that it says it again. A refusal would have nodes of 3.x forget the task. Users are answered 503.
func TestReliability_R10_NodesAreNotRefused(t *testing.T) {
	t.Parallel()
	c := newClients(t, 0)
	var task struct {
		ID      int64
		Results []struct{ ID int64 }
	}
	c.must(http.StatusCreated, "/task", json.RawMessage(c.bodies[0]), &task)
	var asked struct {
		Collaboration int64 `json:"collaboration_id"`
	}
	if err := json.Unmarshal(c.bodies[0], &asked); err != nil {
		t.Fatal(err)
	}
	at := c.keys[slices.IndexFunc(c.keys, func(p place) bool { return p.collaboration == asked.Collaboration })]
	node := at.token(c.field)
	// ask returns the status, 0 where the connection was cut.
	ask := func(token, method, path, body string) int {
		req, err := http.NewRequestWithContext(t.Context(), method, "http://"+c.address+"/api"+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+token)
		req.Header.Set("Content-Type", "application/json")
		req.Close = true
		reply, err := http.DefaultClient.Do(req)
		if err != nil {
			return 0
		}
		defer func() { _ = reply.Body.Close() }()
		return reply.StatusCode
	}
	c.proxy.Cut()
	c.until("users are refused", func() bool { return ask(c.token, "GET", "/task/1", "") == http.StatusServiceUnavailable })
	var reading sync.WaitGroup
	reading.Go(func() {
		if got := ask(node, "HEAD", "/organization", ""); got != http.StatusOK {
			t.Errorf("HEAD of a node: %d", got)
		}
	})
	for _, path := range []string{
		fmt.Sprintf("/task/%d", task.ID), fmt.Sprintf("/task/%d?include=results", task.ID), fmt.Sprintf("/result/%d", task.Results[0].ID),
		"/result?state=open&include=task", fmt.Sprintf("/organization/%d", at.organization), fmt.Sprintf("/collaboration/%d", at.collaboration),
	} {
		reading.Go(func() {
			if got := ask(node, "GET", path, ""); got != http.StatusOK {
				t.Errorf("GET %s of a node: %d", path, got)
			}
		})
	}
	for _, r := range []struct{ method, path, body string }{
		{"POST", "/token/container", fmt.Sprintf(`{"task_id":%d,"image":"i"}`, task.ID)},
		{"POST", "/port", fmt.Sprintf(`{"port":1234,"result_id":%d}`, task.Results[0].ID)},
		{"DELETE", fmt.Sprintf("/port?result_id=%d", task.Results[0].ID), ""},
	} {
		if got := ask(node, r.method, r.path, r.body); got != 0 {
			t.Errorf("%s %s of a node is answered %d", r.method, r.path, got)
		}
	}
	<-time.After(time.Second) // how long the database is away
	c.proxy.Mend()
	reading.Wait()
	for range 2 { // nobody knows what came of the first
		if got := ask(node, "POST", "/token/container", fmt.Sprintf(`{"task_id":%d,"image":"i"}`, task.ID)); got != http.StatusOK {
			t.Errorf("a token for a container: %d", got)
		}
	}
}
