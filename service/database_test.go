package service

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"vserver/queries"
	"vserver/queries/dbtest"
	"vserver/service/config"
	"vserver/service/promise"
)

const (
	// recovery is how soon a server has to work again after its database does.
	recovery = 5 * time.Second
	// asked is how many hospitals each task is for.
	asked = 3
	// unknown stands for the answer that nobody knows whether something was stored (/docs/wire#unknown).
	unknown = -1
)

// TestReliability_R10_PostgresRestartsAndHangs lets clients post and read tasks while
// Postgres goes away for a second, and then hangs. Meanwhile the server says so or
// waits; it recovers by itself; what was acknowledged is there, and every task is whole.
func TestReliability_R10_PostgresRestartsAndHangs(t *testing.T) {
	t.Parallel()
	hang := 3 * time.Second
	if promise.Long() {
		hang = 30 * time.Second
	}
	c := newClients(t, 8)
	c.works("at first")

	c.proxy.Cut()
	<-time.After(time.Second) // how long the restart takes
	refused := c.take()
	c.proxy.Mend()
	c.works("after the restart")
	if refused[http.StatusServiceUnavailable] == 0 {
		t.Errorf("without a database requests are answered %v", refused)
	}

	c.proxy.Hold()
	c.impatient(50)
	<-time.After(hang) // how long Postgres hangs
	c.proxy.Release()
	c.works("after the hang")
	hung := c.take()
	c.end()
	t.Logf("answers: around the restart %v, around the hang %v; %d tasks", refused, hung, len(c.acknowledged))
	for status := range merged(refused, hung) {
		if status != http.StatusCreated && status != http.StatusOK && status != http.StatusServiceUnavailable && status != unknown {
			t.Errorf("some requests were answered %d", status)
		}
	}
	c.audit()
	c.settles()
}

// TestReliability_R10_PoolIsExhausted sends many more requests than the pool has
// connections while Postgres hangs; each is answered when it no longer does.
func TestReliability_R10_PoolIsExhausted(t *testing.T) {
	t.Parallel()
	c := newClients(t, 0)
	c.proxy.Hold()
	var asking sync.WaitGroup
	for i := range 10 * poolSize() {
		asking.Go(func() { c.request(c.Context(), i) })
	}
	c.until("all connections are in use", func() bool { return c.proxy.Open() == poolSize()+1 })
	c.proxy.Release()
	asking.Wait()
	got := c.take()
	if got[http.StatusCreated] != 5*poolSize() || got[http.StatusOK] != 5*poolSize() {
		t.Errorf("the answers are %v", got)
	}
	c.audit()
	c.settles()
}

// poolSize is how many connections to Postgres a server has at most.
func poolSize() int { return max(16, 4*runtime.GOMAXPROCS(0)) }

// clients use a server whose way to Postgres has faults.
type clients struct {
	*field
	direct queries.Source
	proxy  *dbtest.Proxy
	end    func() // of all requests
	bodies [][]byte

	mu           sync.Mutex
	statuses     map[int]int
	acknowledged map[int64]bool
	since        time.Time
	made, read   int // successes of requests that were sent after since
}

func newClients(t *testing.T, n int) *clients {
	t.Helper()
	inst := configured(t)
	if inst.Database.Engine != config.Postgres {
		t.Skip("skipped: SQLite has no connections to lose")
	}
	direct := queries.Source{Engine: queries.Postgres, DSN: inst.Database.DSN.Reveal()}
	proxy, src := dbtest.NewProxy(t, direct)
	inst.Database = asConfigured(src)
	inst.Config.Logging.Level = "WARNING"
	f := &field{running: start(t, inst)}
	c := &clients{field: f, direct: direct, proxy: proxy, statuses: map[int]int{}, acknowledged: map[int64]bool{}}
	f.token = f.logIn()
	for i := range 2 {
		f.study(fmt.Sprint("study-", i))
	}
	tasks := map[int64][]any{}
	for _, p := range f.keys {
		tasks[p.collaboration] = append(tasks[p.collaboration], map[string]any{"id": p.organization, "input": "aW4="})
	}
	for study, list := range tasks {
		body, err := json.Marshal(map[string]any{"name": "t", "image": "i", "collaboration_id": study, "organizations": list[:asked]})
		if err != nil {
			t.Fatal(err)
		}
		c.bodies = append(c.bodies, body)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	for i := range n {
		running.Go(func() {
			for ctx.Err() == nil {
				c.request(t.Context(), i)
			}
		})
	}
	c.end = sync.OnceFunc(func() { cancel(); running.Wait() })
	t.Cleanup(func() {
		proxy.Mend()
		proxy.Release()
		c.end()
		for line := range strings.SplitSeq(content(t, inst.LogFile), "\n") {
			if t.Failed() && strings.Contains(line, "unexpected error") {
				t.Log(line)
			}
		}
	})
	return c
}

// request posts a task or reads tasks, and notes the answer. Only who goes away may be
// left without one.
func (c *clients) request(ctx context.Context, i int) {
	patient, cancel := context.WithTimeout(ctx, promise.Patience)
	defer cancel()
	method, path, body := "GET", "/api/task?per_page=1", []byte(nil)
	if i%2 == 0 {
		method, path, body = "POST", "/api/task", c.bodies[i/2%len(c.bodies)]
	}
	req, err := http.NewRequestWithContext(patient, method, "http://"+c.address+path, bytes.NewReader(body))
	if err != nil {
		c.Error(err)
		return
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	req.Header.Set("Content-Type", "application/json")
	sent := time.Now()
	reply, err := http.DefaultClient.Do(req)
	if err != nil {
		if ctx.Err() == nil {
			c.Errorf("no answer: %v", err)
		}
		return
	}
	defer func() { _ = reply.Body.Close() }()
	text, err := io.ReadAll(reply.Body)
	var made struct{ ID int64 }
	if reply.StatusCode == http.StatusCreated && err == nil {
		err = json.Unmarshal(text, &made)
	}
	if err != nil && ctx.Err() == nil {
		c.Errorf("the answer %d has no body: %v", reply.StatusCode, err)
	}
	if reply.StatusCode == http.StatusInternalServerError && bytes.Contains(text, []byte("did not say whether this was stored")) {
		reply.StatusCode = unknown
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.statuses[reply.StatusCode]++
	if made.ID > 0 {
		c.acknowledged[made.ID] = true
	}
	switch {
	case sent.Before(c.since):
	case reply.StatusCode == http.StatusCreated:
		c.made++
	case reply.StatusCode == http.StatusOK:
		c.read++
	}
}

// impatient sends requests whose clients go away before there is an answer.
func (c *clients) impatient(n int) {
	ctx, cancel := context.WithTimeout(c.Context(), 300*time.Millisecond)
	defer cancel()
	var asking sync.WaitGroup
	for i := range n {
		asking.Go(func() { c.request(ctx, i) })
	}
	asking.Wait()
}

// take returns how often each status was answered since it was last asked.
func (c *clients) take() map[int]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	got := c.statuses
	c.statuses = map[int]int{}
	return got
}

func merged(a, b map[int]int) map[int]int {
	all := maps.Clone(a)
	maps.Copy(all, b)
	return all
}

// works wants tasks and reads that are sent from now on to succeed before the time of
// recovery is over.
func (c *clients) works(when string) {
	c.Helper()
	began := time.Now()
	c.mu.Lock()
	c.since, c.made, c.read = began, 0, 0
	c.mu.Unlock()
	c.until(when+" requests succeed", func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.made >= 10 && c.read >= 10
	})
	c.Logf("%s requests succeed after %s", when, time.Since(began))
}

func (c *clients) until(what string, is func() bool) {
	c.Helper()
	for end := time.Now().Add(promise.Within(recovery)); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			c.Fatalf("not within %s: %s", promise.Within(recovery), what)
		}
	}
}

// audit wants every acknowledged task to be stored, and every stored one to be whole.
func (c *clients) audit() {
	c.Helper()
	db, err := dbtest.SQL(c.direct)
	if err != nil {
		c.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	rows, err := db.QueryContext(c.Context(), `SELECT t.id, COUNT(r.id), COUNT(p.result_id) FROM task t
		LEFT JOIN result r ON r.task_id = t.id LEFT JOIN payload p ON p.result_id = r.id GROUP BY t.id`)
	if err != nil {
		c.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	lost := maps.Clone(c.acknowledged)
	for rows.Next() {
		var id, results, payloads int64
		if err := rows.Scan(&id, &results, &payloads); err != nil {
			c.Fatal(err)
		}
		if results != asked || payloads != asked {
			c.Errorf("task %d has %d results and %d inputs", id, results, payloads)
		}
		delete(lost, id)
	}
	if err := rows.Err(); err != nil {
		c.Fatal(err)
	}
	if len(lost) > 0 {
		c.Errorf("%d tasks were acknowledged and are not there", len(lost))
	}
}

// settles waits until the server has no more connections than its pool, and none of
// them within a transaction.
func (c *clients) settles() {
	c.Helper()
	db, err := dbtest.SQL(c.direct)
	if err != nil {
		c.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	const within = `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in transaction%'`
	c.until("no connection is leaked", func() bool {
		var n int
		if err := db.QueryRowContext(c.Context(), within).Scan(&n); err != nil {
			c.Fatal(err)
		}
		return n == 0 && c.proxy.Open() <= poolSize()+1 // and the one that listens
	})
}
