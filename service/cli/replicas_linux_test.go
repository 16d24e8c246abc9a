package cli_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"syscall"
	"testing"
	"time"

	"vserver/service/promise"
)

// aNode has a status by the order of its key among those that a fleet has made.
const (
	onlineNodes = `SELECT COUNT(*) FROM authenticatable a JOIN node n ON n.id = a.id WHERE a.status = 'online'`
	nodeOnline  = onlineNodes + ` AND n.id = (SELECT id FROM node ORDER BY id OFFSET $1 LIMIT 1)`
	openResults = `SELECT COUNT(*) FROM result WHERE finished_at IS NULL`
	taskOf      = `SELECT COALESCE(MAX(id), 0) FROM task WHERE name = $1`
)

// TestReliability_R20_ProcessesBehindHAProxy has nodes and clients work at three servers through a balancer. Each
// server is killed in turn after a commit and before it tells of it; one is cut off from PostgreSQL, and one stands
// still. Every node learns of every task, every result is stored once, no run number is given twice, and who is
// online is right.
func TestReliability_R20_ProcessesBehindHAProxy(t *testing.T) {
	if !promise.Long() {
		t.Skip("skipped: three servers behind HAProxy are killed by make test-long; TestReliability_R20 of package service has them in one process")
	}
	t.Parallel()
	const frozen, presence = 30 * time.Second, 30 * time.Second
	f := newFleet(t, 3)
	working, ears := f.keys[:9], f.keys[9:]
	stop := f.work(t, working)
	f.comesTrue(t, "the nodes are online", promise.Patience, int64(len(working)), onlineNodes)
	end := f.posts(t)

	for i, r := range f.replicas {
		f.dies(t, i, ears, presence)
		r.start(t)
	}
	f.isCutOff(t, f.replicas[0], ears)
	f.standsStill(t, f.replicas[1], ears, frozen)
	end()

	stopEars := f.work(t, ears)
	f.comesTrue(t, "no result is open", promise.Patience, 0, openResults)
	f.comesTrue(t, "all nodes are online", presence, int64(len(f.keys)), onlineNodes)
	f.isWhole(t)
	stop()
	stopEars()
	f.comesTrue(t, "no node is online", presence, 0, onlineNodes)
}

// dies kills a server after the commit of a task and before anybody hears of it.
func (f *fleet) dies(t *testing.T, i int, keys []string, presence time.Duration) {
	t.Helper()
	dying, a, b := f.replicas[i], f.replicas[(i+1)%3], f.replicas[(i+2)%3]
	ears := []*ear{a.ear(t, keys[0]), b.ear(t, keys[1])}
	_ = dying.ear(t, keys[2])
	f.comesTrue(t, "the node of the server that will die is online", promise.Patience, 1, nodeOnline, 11)
	name := fmt.Sprint("last words of ", i)
	killed := make(chan struct{})
	dying.proxy.LoseCommitOf(name, func() { dying.kill(); close(killed) })
	if status, err := dying.call(t.Context(), "POST", "/task", f.lastStudy(name), nil); err == nil {
		t.Fatalf("the server was not killed: %d", status)
	}
	select {
	case <-killed:
	case <-time.After(promise.Patience):
		t.Fatal("the task was not stored")
	}
	died := time.Now()
	task := f.reads(t, taskOf, name)
	if task == 0 {
		t.Fatal("it was killed before the commit")
	}
	for _, e := range ears {
		e.hears(fmt.Sprintf(`"new_task",%d]`, task), promise.Within(5*time.Second))
	}
	t.Logf("two nodes at others have heard the last words %s after it was killed", time.Since(died).Round(time.Millisecond))
	f.comesTrue(t, "the node of the dead server is offline", presence, 0, nodeOnline, 11)
	for _, e := range ears {
		_ = e.conn.CloseNow()
	}
}

// lastStudy is a task for the nodes that only listen.
func (f *fleet) lastStudy(name string) map[string]any {
	return f.taskIn(len(f.studies)-1, name)
}

func (f *fleet) taskIn(study int, name string) map[string]any {
	var list []any
	for _, o := range f.hospitals {
		list = append(list, map[string]any{"id": o, "input": fmt.Sprintf("%s for %d", name, o)})
	}
	return map[string]any{"name": name, "image": "i", "collaboration_id": f.studies[study], "organizations": list}
}

// isCutOff has a server without a database while others go on.
func (f *fleet) isCutOff(t *testing.T, cut *member, keys []string) {
	t.Helper()
	far := cut.ear(t, keys[0])
	cut.proxy.Cut()
	f.heardBehind(t, far, keys[1], "cut off", 2*time.Second, cut.proxy.Mend)
}

// standsStill stops a process for a time.
func (f *fleet) standsStill(t *testing.T, still *member, keys []string, most time.Duration) {
	t.Helper()
	far := still.ear(t, keys[0])
	signal := func(s syscall.Signal) {
		if err := still.cmd.Process.Signal(s); err != nil {
			t.Fatal(err)
		}
	}
	signal(syscall.SIGSTOP)
	f.heardBehind(t, far, keys[1], "stood still", most, func() { signal(syscall.SIGCONT) })
}

// heardBehind posts a task while a server does not hear of it: the nodes of others do at once, its own do when it is
// back, or begin anew.
func (f *fleet) heardBehind(t *testing.T, far *ear, key, what string, most time.Duration, back func()) {
	t.Helper()
	near := f.replicas[2].ear(t, key)
	var made struct{ ID int64 }
	f.replicas[2].must(t, "POST", "/task", f.lastStudy("while one "+what), &made)
	word := fmt.Sprintf(`"new_task",%d]`, made.ID)
	t.Logf("while one %s a node at another heard of a task after %s", what, near.hears(word, promise.Within(5*time.Second)))
	<-time.After(most) // how long that lasts
	back()
	far.learns(word, promise.Within(5*time.Second))
	_ = near.conn.CloseNow()
	_ = far.conn.CloseNow()
}

// posts has clients post tasks through the balancer until the returned function is called, which proves the load.
func (f *fleet) posts(t *testing.T) (end func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var clients sync.WaitGroup
	statuses := map[int]int{}
	for i := range 4 {
		clients.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				var made struct{ ID int64 }
				patient, done := context.WithTimeout(ctx, 10*time.Second)
				known, sent := f.known(), time.Now()
				status, err := f.call(patient, "POST", "/task", f.taskIn(i%3, fmt.Sprintf("task %d of %d", n, i)), &made)
				done()
				f.mu.Lock()
				statuses[status]++
				if err == nil && status == http.StatusCreated {
					f.acknowledged = append(f.acknowledged, posted{made.ID, known, sent, time.Since(sent)})
				}
				f.mu.Unlock()
				time.Sleep(100 * time.Millisecond) // the nodes have to keep up
			}
		})
	}
	return func() {
		cancel()
		clients.Wait()
		t.Logf("clients were answered %v, 0 is no answer", statuses)
		if statuses[http.StatusCreated] < 40 {
			t.Errorf("only %d tasks were acknowledged: that is no load", statuses[http.StatusCreated])
		}
	}
}

// isWhole reads what came of all the work.
func (f *fleet) isWhole(t *testing.T) {
	t.Helper()
	f.audit(t)
	for what, query := range map[string]string{
		"run numbers that were given twice": `SELECT COUNT(*) FROM (SELECT run_id FROM task WHERE parent_id IS NULL GROUP BY run_id HAVING COUNT(*) > 1) x`,
		"results that ended twice":          `SELECT COUNT(*) FROM (SELECT result_id FROM event WHERE type = 'task-ended' GROUP BY result_id HAVING COUNT(*) > 1) x`,
		"results that ended, without an event": `SELECT COUNT(*) FROM result r WHERE NOT EXISTS
			(SELECT 1 FROM event e WHERE e.result_id = r.id AND e.type = 'task-ended')`,
	} {
		if n := f.reads(t, query); n != 0 {
			t.Errorf("%s: %d", what, n)
		}
	}
	var list []struct {
		ID                    int64
		Status, Input, Result string
	}
	text := f.fetch(t, http.DefaultClient, "GET", f.url+"/result?per_page=0", "")
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		t.Fatalf("%v: %.200s", err, text)
	}
	without := 0
	for _, r := range list {
		switch {
		case r.Status == "start failed": // its container got no token: that is 503 without a database
			without++
		case r.Status != "completed" || r.Result != r.Input:
			t.Errorf("result %d: %+v", r.ID, r)
		}
	}
	t.Logf("%d tasks were acknowledged, there are %d results, %d containers did not start", len(f.acknowledged), len(list), without)
	if without > len(list)/4 {
		t.Errorf("%d of %d containers did not start", without, len(list))
	}
}
