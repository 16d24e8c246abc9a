package bench

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"vserver/service/demo"
	"vserver/service/plot"
)

// warmUp is how many requests are made before the ones that count.
const warmUp = 200

// rate measures requests a second.
func (t *trial) rate(ctx context.Context, request ask) error {
	return t.rateOf(ctx, "rate", t.sizes.Tasks, request)
}

// rateOf measures requests a second under a key of its own, what processor time each takes of the server, and how long
// the slow ones take.
func (t *trial) rateOf(ctx context.Context, key string, n int, request ask) error {
	if _, err := drive(ctx, t.sizes.Clients, min(warmUp, n), request); err != nil {
		return err
	}
	before, known := processorTime(t.pid)
	var all clocked
	perSecond, err := drive(ctx, t.sizes.Clients, n, all.clock(request))
	if err != nil {
		return err
	}
	t.found(key, perSecond)
	t.found(key+"-p99", milliseconds(quantile(all.took, .99)))
	if after, still := processorTime(t.pid); known && still {
		t.found(key+"-cost", float64((after-before).Microseconds())/float64(n))
	}
	return nil
}

func readNode(ctx context.Context, t *trial) error { return t.rate(ctx, t.userGetsNode) }

func (s *server) userGetsNode(ctx context.Context) error {
	return s.root.get(ctx, fmt.Sprintf("/node/%d", s.nodes[0].id))
}

func postTasks(ctx context.Context, t *trial) error { return t.rate(ctx, t.post) }

func (t *trial) post(ctx context.Context) error {
	_, err := t.postTask(ctx, t.sizes.Nodes)
	return err
}

// idleMemory looks at a server that rests.
func idleMemory(ctx context.Context, t *trial) error {
	if t.proc != nil {
		if err := t.restart(ctx); err != nil {
			return err
		}
	}
	t.rest(ctx)
	if now, known := resident(t.pid); known {
		t.found("memory", float64(now)/mib)
	}
	return nil
}

// idleSockets looks at a server with a crowd that says nothing.
func idleSockets(ctx context.Context, t *trial) error {
	t.rest(ctx)
	before, _ := resident(t.pid)
	crowds := make([]crowd, t.sizes.Nodes) // no account and no address may hold all of them, and no room either
	for i := range crowds {
		n, err := t.apart(ctx, i)
		if err != nil {
			return err
		}
		defer crowds[i].leave()
		as := newClient(t.url, fmt.Sprintf("127.0.0.%d", 10+i)).as(n.token)
		if err := crowds[i].gather(ctx, as, t.sizes.Sockets/len(crowds)); err != nil {
			return err
		}
	}
	t.rest(ctx)
	if now, known := resident(t.pid); known {
		t.found("memory", float64(now)/1e6)
		t.found("each", float64(now-before)/1024/float64(t.sizes.Sockets))
	}
	return nil
}

// startTime starts the server again and again.
func startTime(ctx context.Context, t *trial) error {
	var took []float64
	for range t.sizes.Tasks {
		t.proc.stop()
		began := time.Now()
		if err := t.launch(ctx); err != nil {
			return err
		}
		took = append(took, milliseconds(time.Since(began)))
	}
	t.found("took", quantile(took, .5))
	return nil
}

// latencyOverLoad doubles the clients again and again.
func latencyOverLoad(ctx context.Context, t *trial) error {
	d := 3 * time.Second
	if t.quick {
		d = 200 * time.Millisecond
	}
	for _, c := range []struct {
		key, what string
		request   ask
	}{{"get", "GET /node/<id>", t.userGetsNode}, {"post", "POST /task", t.post}} {
		if _, err := drive(ctx, 1, min(warmUp, 20*t.sizes.Clients), c.request); err != nil {
			return err
		}
		var middle, high []plot.Point
		for clients := 1; clients <= t.sizes.Clients; clients *= 2 {
			took, err := driveFor(ctx, clients, d, c.request)
			if err != nil {
				return err
			}
			x := float64(clients)
			middle = append(middle, plot.Point{X: x, Y: milliseconds(quantile(took, .5))})
			high = append(high, plot.Point{X: x, Y: milliseconds(quantile(took, .99))})
			t.found(c.key, high[len(high)-1].Y)
		}
		d := drawn{
			plot: "latency-" + c.key,
			axes: plot.Plot{Title: "Time of " + c.what + " over load", X: "clients at a time", Y: "time of a request, ms", LogX: true, LogY: true},
		}
		d.name, d.points = "99 of 100 requests within", high
		t.draw(d)
		d.name, d.dashed, d.points = "half of them within", true, middle
		t.draw(d)
	}
	return nil
}

// jobs has simulated nodes carry out tasks.
func jobs(ctx context.Context, t *trial) error {
	ctx, cancel := context.WithCancel(ctx)
	var nodes crew
	defer func() { _ = nodes.finish() }()
	defer cancel()
	answer := strings.Repeat("QUJD", int(t.sizes.Size)/4)
	for _, n := range t.nodes[:t.sizes.Nodes] {
		simulated := demo.NewNode(t.url, n.key, func(context.Context, *demo.Container) (string, error) { return answer, nil })
		nodes.do(func() error { return simulated.Run(ctx) })
	}
	began := time.Now()
	var posted []int64
	for range t.sizes.Tasks {
		task, err := t.postTask(ctx, t.sizes.Nodes)
		if err != nil {
			return err
		}
		posted = append(posted, task)
	}
	for _, task := range posted {
		if err := t.awaitComplete(ctx, task); err != nil {
			return err
		}
	}
	t.found("rate", float64(t.sizes.Tasks*t.sizes.Nodes)/time.Since(began).Seconds())
	return nil
}

// awaitComplete waits until all results of a task are there.
func (t *trial) awaitComplete(ctx context.Context, task int64) error {
	for {
		var now struct {
			Complete bool `json:"complete"`
		}
		if err := t.root.call(ctx, http.MethodGet, fmt.Sprintf("/task/%d", task), nil, &now); err != nil || now.Complete {
			return err
		}
		if !pause(ctx, 10*time.Millisecond) {
			return errors.New("the nodes do not complete the tasks")
		}
	}
}
