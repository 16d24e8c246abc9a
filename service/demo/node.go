package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"vserver/service/fault"
)

// Algorithm is what a node carries out for a result in place of a container; it
// returns the text to store.
type Algorithm func(ctx context.Context, c *Container) (string, error)

// Node is a simulated node: it logs in by key, keeps a live connection, is woken by
// new tasks, and carries out what is open for its organization.
type Node struct {
	// Told is called with the name of every event that the node receives. May be
	// nil.
	Told func(event string)
	// Sent is called with every body and live message that the node and its
	// containers send. May be nil.
	Sent func(body []byte)

	key       string
	algorithm Algorithm
	api       *client
	me        nodeRow
	jobs      sync.WaitGroup
	mu        sync.Mutex
	taken     map[int64]bool // results under way
	live      *socket
}

// NewNode makes a node for an API key that carries out one algorithm, whatever
// image is asked for.
func NewNode(url, key string, a Algorithm) *Node {
	return &Node{key: key, algorithm: a, api: newClient(url), taken: map[int64]bool{}}
}

// nodeRow is what a node reads about itself.
type nodeRow struct {
	ID            int64  `json:"id"`
	Name          string `json:"name"`
	Organization  object `json:"organization"`
	Collaboration object `json:"collaboration"`
}

// resultRow is what a node reads of a result.
type resultRow struct {
	ID    int64   `json:"id"`
	Input *string `json:"input"`
	Task  struct {
		ID     int64   `json:"id"`
		Image  string  `json:"image"`
		RunID  int64   `json:"run_id"`
		Parent *object `json:"parent"`
	} `json:"task"`
}

// Run logs in and works until the context ends. It gives up only on a wrong key.
func (n *Node) Run(ctx context.Context) error {
	defer n.jobs.Wait()
	n.api.sent = n.Sent
	if err := n.logIn(ctx); err != nil {
		return err
	}
	for ctx.Err() == nil {
		if err := n.session(ctx); err != nil && ctx.Err() == nil {
			var refused *statusError
			if errors.As(err, &refused) {
				if err := n.logIn(ctx); err != nil {
					return err
				}
			}
			pause(ctx, 100*time.Millisecond)
		}
	}
	return nil
}

func (n *Node) logIn(ctx context.Context) error {
	for {
		err := n.api.logInNode(ctx, n.key)
		var refused *statusError
		if err == nil || errors.As(err, &refused) && refused.status == 401 {
			if err != nil {
				return err
			}
			break
		}
		if !pause(ctx, 100*time.Millisecond) {
			return ctx.Err()
		}
	}
	access, _ := n.api.tokens()
	sub, err := subject(access)
	if err != nil {
		return err
	}
	return n.api.get(ctx, "/node/"+strconv.FormatInt(sub, 10), &n.me)
}

// session is one live connection, from its beginning to its end.
func (n *Node) session(ctx context.Context) error {
	expired := make(chan struct{}, 1)
	wake := calls{tasks: make(chan int64, mostCalls), more: make(chan struct{}, 1)}
	s, err := n.api.connect(ctx, func(e event) { n.hear(e, wake, expired) }, func(event) any { return n.me.ID })
	if err != nil {
		return err
	}
	defer s.close()
	n.mu.Lock()
	n.live = s
	n.mu.Unlock()
	if err := n.sync(ctx, 0); err != nil {
		return err
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.closed:
			return errors.New("the live connection ended")
		case <-expired:
			return n.api.renew(ctx)
		case task := <-wake.tasks:
			if err := n.sync(ctx, task); err != nil {
				return err
			}
		case <-wake.more:
			if err := n.sync(ctx, 0); err != nil {
				return err
			}
		}
	}
}

// calls are the tasks that a node was woken for and has not asked for yet.
type calls struct {
	tasks chan int64
	more  chan struct{} // holds one when others came than there is room for: everything is asked for then
}

// mostCalls is how many tasks there is room for.
const mostCalls = 1024

// hear takes an event; it must not block.
func (n *Node) hear(e event, wake calls, expired chan<- struct{}) {
	if n.Told != nil {
		n.Told(e.name)
	}
	var task int64
	switch {
	case e.name == "expired_token":
		select {
		case expired <- struct{}{}:
		default:
		}
	case e.name == "new_task" && len(e.args) == 1 && json.Unmarshal(e.args[0], &task) == nil:
		select {
		case wake.tasks <- task:
			return
		default:
		}
		select {
		case wake.more <- struct{}{}:
		default:
		}
	}
}

// sync takes what is open for this node; task 0 means everything.
func (n *Node) sync(ctx context.Context, task int64) error {
	path := "/result?state=open&include=task&node_id=" + strconv.FormatInt(n.me.ID, 10)
	if task != 0 {
		path += "&task_id=" + strconv.FormatInt(task, 10)
	}
	var open []resultRow
	if err := n.api.get(ctx, path, &open); err != nil {
		return err
	}
	for _, r := range open {
		if !n.take(r.ID) {
			continue
		}
		n.jobs.Go(func() {
			defer n.leave(r.ID)
			n.carryOut(ctx, r)
		})
	}
	return nil
}

func (n *Node) take(result int64) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	free := !n.taken[result]
	n.taken[result] = true
	return free
}

func (n *Node) leave(result int64) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.taken, result)
}

// nodeTime is how nodes write a moment: their local time without a zone.
const nodeTime = "2006-01-02T15:04:05.000000"

// carryOut is the life of a result at its node.
func (n *Node) carryOut(ctx context.Context, r resultRow) {
	path := "/result/" + strconv.FormatInt(r.ID, 10)
	if n.api.patch(ctx, path, map[string]any{"started_at": time.Now().Format(nodeTime)}) != nil {
		return // killed or finished meanwhile
	}
	var token struct {
		Container string `json:"container_token"`
	}
	err := n.api.post(ctx, "/token/container", map[string]any{"task_id": r.Task.ID, "image": r.Task.Image}, &token)
	if err != nil {
		n.end(ctx, r, path, "start failed", "", err)
		return
	}
	if n.api.patch(ctx, path, map[string]any{"status": "active"}) != nil {
		return
	}
	n.tell(ctx, r, "active")
	c := &Container{node: n.me, api: newClient(n.api.url), task: r}
	c.api.access, c.api.sent = token.Container, n.Sent
	if r.Input != nil {
		c.Input = *r.Input
	}
	var text string
	err = fault.Caught(func() (err error) {
		text, err = n.algorithm(ctx, c)
		return err
	})
	status := "completed"
	if err != nil {
		status = "crashed"
	}
	n.end(ctx, r, path, status, text, err)
}

// end stores what came of a result.
func (n *Node) end(ctx context.Context, r resultRow, path, status, text string, err error) {
	if ctx.Err() != nil {
		return // it stays open and is carried out again
	}
	log := "carried out by a simulated node\n"
	if err != nil {
		log += err.Error() + "\n"
	}
	n.tell(ctx, r, status)
	_ = n.api.patch(ctx, path, map[string]any{
		"result": text, "log": log, "status": status, "finished_at": time.Now().Format(nodeTime),
	})
}

// tell spreads a change of status over the live channel.
func (n *Node) tell(ctx context.Context, r resultRow, status string) {
	n.mu.Lock()
	s := n.live
	n.mu.Unlock()
	var parent *int64
	if r.Task.Parent != nil {
		parent = &r.Task.Parent.ID
	}
	_ = s.emit(ctx, "algorithm_status_change", map[string]any{
		"node_id": n.me.ID, "status": status, "result_id": r.ID, "task_id": r.Task.ID, "parent_id": parent,
		"collaboration_id": n.me.Collaboration.ID, "organization_id": n.me.Organization.ID,
	})
}

// Container is what an algorithm sees: its input, and the server through its own
// token.
type Container struct {
	Input string
	node  nodeRow
	api   *client
	task  resultRow
}

// Subtask posts a subtask of the container's own image and waits for all results,
// by organization.
func (c *Container) Subtask(ctx context.Context, name, input string, organizations []int64) (map[int64]*string, error) {
	list := make([]any, len(organizations))
	for i, o := range organizations {
		list[i] = map[string]any{"id": o, "input": input}
	}
	var made object
	err := c.api.post(ctx, "/task", map[string]any{
		"name": name, "image": c.task.Task.Image, "collaboration_id": c.node.Collaboration.ID, "organizations": list, "database": "default",
	}, &made)
	if err != nil {
		return nil, err
	}
	results := map[int64]*string{}
	err = poll(ctx, func() (bool, error) { return c.collect(ctx, made.ID, results) })
	return results, err
}

// collect reads the results of a subtask and reports whether all are there.
func (c *Container) collect(ctx context.Context, task int64, results map[int64]*string) (bool, error) {
	var rows []struct {
		Organization int64   `json:"organization"`
		Result       *string `json:"result"`
		Finished     *string `json:"finished_at"`
	}
	if err := c.api.get(ctx, fmt.Sprintf("/task/%d/result", task), &rows); err != nil {
		return false, err
	}
	for _, r := range rows {
		if r.Finished == nil {
			return false, nil
		}
		results[r.Organization] = r.Result
	}
	return true, nil
}
