package bench

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"
)

// catchUps is how often a node that was away asks for all that is open.
const catchUps = 5

// catchUp has a node that was away for long read all of its open results, with their tasks.
func catchUp(ctx context.Context, t *trial) error {
	post := func(ctx context.Context) error { _, err := t.postTask(ctx, 1); return err }
	if _, err := drive(ctx, t.sizes.Clients, t.sizes.Tasks, post); err != nil {
		return err
	}
	var took []float64
	for range catchUps {
		began := time.Now()
		size, err := t.nodes[0].openResults(ctx, t.sizes.Tasks)
		if err != nil {
			return err
		}
		took = append(took, time.Since(began).Seconds())
		if len(took) == 1 {
			t.note("all of it are %.1f MB", float64(size)/mb)
		}
	}
	t.found("took", quantile(took, .5))
	return nil
}

// openResults reads the results that a node has to do, as it asks for them when it comes back, and returns their length.
func (n node) openResults(ctx context.Context, want int) (size int64, err error) {
	path := fmt.Sprintf("/result?state=open&include=task&node_id=%d", n.id)
	reply, err := n.request(ctx, http.MethodGet, path, nil, -1)
	if err != nil {
		return 0, err
	}
	defer func() { _ = reply.Body.Close() }()
	if size, err = io.Copy(io.Discard, reply.Body); err != nil {
		return size, fmt.Errorf("GET %s: reading the answer: %w", path, err)
	}
	if total := reply.Header.Get("Total-Count"); total != fmt.Sprint(want) {
		return size, fmt.Errorf("GET %s: %s rows, not %d", path, total, want)
	}
	return size, nil
}

// comeBack starts a server anew to which all nodes come back at once: each logs in, opens its live connection and reads
// what it has to do.
func comeBack(ctx context.Context, t *trial) error {
	if _, err := t.postTask(ctx, len(t.nodes)); err != nil {
		return err
	}
	if err := t.restart(ctx); err != nil {
		return err
	}
	t.root.close() // no node has a connection
	var crowd crowd
	life, stop := context.WithCancel(context.WithoutCancel(ctx))
	crowd.stop = stop
	defer crowd.leave()
	var next atomic.Int64
	began := time.Now()
	_, err := drive(ctx, len(t.nodes), len(t.nodes), func(ctx context.Context) error {
		n := t.nodes[next.Add(1)-1]
		own, err := n.logIn(ctx, "/token/node", map[string]string{"api_key": n.key})
		if err != nil {
			return err
		}
		n.client = n.as(own.Access)
		conn, err := n.join(ctx)
		if err != nil {
			return err
		}
		crowd.add(life, conn)
		_, err = n.openResults(ctx, 1)
		return err
	})
	t.found("took", time.Since(began).Seconds())
	return err
}
