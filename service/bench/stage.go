package bench

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// trial is one round of a scenario on a server.
type trial struct {
	*server
	sizes  Sizes
	quick  bool
	values map[string]float64
	notes  []string
	lines  []drawn
}

// found keeps a number.
func (t *trial) found(key string, value float64) { t.values[key] = value }

// note keeps a sentence for people.
func (t *trial) note(format string, args ...any) {
	t.notes = append(t.notes, fmt.Sprintf(format, args...))
}

// stage is what a server has for the scenarios: nodes of an organization each in one
// collaboration, and a user without any right.
type stage struct {
	root          *client
	home          int64 // the organization of root
	collaboration int64 // the first of the collaborations
	made          []int64
	nodes         []node
	nobody        *client
	nobodyID      int64
}

type node struct {
	*client
	id, organization int64
	key              string
}

// object is what every creation answers with.
type object struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

// setUp makes what is missing of the stage.
func (s *server) setUp(ctx context.Context, nodes int) error {
	if s.root == nil {
		if err := s.begin(ctx); err != nil {
			return err
		}
	}
	if len(s.nodes) >= nodes {
		return nil
	}
	var there []object
	if err := s.root.call(ctx, http.MethodGet, "/organization", nil, &there); err != nil {
		return err
	}
	for len(s.nodes) < nodes {
		n, err := s.newNode(ctx, s.collaboration, fmt.Sprintf("bench %d", len(s.nodes)+1), there)
		if err != nil {
			return err
		}
		s.nodes = append(s.nodes, n)
	}
	return nil
}

// begin logs the administrator in, and makes a collaboration that their organization is a member of:
// tasks are posted by members only.
func (s *server) begin(ctx context.Context) error {
	c := newClient(s.url, "")
	own, err := c.logInUser(ctx, s.username, s.password)
	if err != nil {
		return err
	}
	c.token = own.Access
	var me struct {
		Organization object `json:"organization"`
	}
	_, path, _ := strings.Cut(own.User, "/user/")
	if err := c.call(ctx, http.MethodGet, "/user/"+path, nil, &me); err != nil {
		return err
	}
	s.root, s.home = c, me.Organization.ID
	s.collaboration, err = s.newCollaboration(ctx)
	return err
}

func (s *server) newCollaboration(ctx context.Context) (int64, error) {
	var made object
	body := map[string]any{"name": "bench " + rand.Text(), "organization_ids": []int64{s.home}, "encrypted": false}
	err := s.root.call(ctx, http.MethodPost, "/collaboration", body, &made)
	if err == nil {
		s.made = append(s.made, made.ID)
	}
	return made.ID, err
}

// apart makes another node for the organization of a node, in a collaboration of its own, where nobody hears of others.
func (s *server) apart(ctx context.Context, i int) (node, error) {
	collaboration, err := s.newCollaboration(ctx)
	if err != nil {
		return node{}, err
	}
	name := fmt.Sprintf("bench %d", i+1)
	return s.newNode(ctx, collaboration, name, []object{{ID: s.nodes[i].organization, Name: name}})
}

// newNode makes a node with its organization; organizations cannot be deleted, so one that is there
// from another run is taken.
func (s *server) newNode(ctx context.Context, collaboration int64, name string, there []object) (n node, err error) {
	for _, o := range there {
		if o.Name == name {
			n.organization = o.ID
		}
	}
	if n.organization == 0 {
		var made object
		if err := s.root.call(ctx, http.MethodPost, "/organization", map[string]any{"name": name}, &made); err != nil {
			return n, err
		}
		n.organization = made.ID
	}
	path := fmt.Sprintf("/collaboration/%d/organization", collaboration)
	if err := s.root.call(ctx, http.MethodPost, path, map[string]any{"id": n.organization}, nil); err != nil {
		return n, err
	}
	var made struct {
		ID     int64  `json:"id"`
		APIKey string `json:"api_key"`
	}
	body := map[string]any{"collaboration_id": collaboration, "organization_id": n.organization, "name": name}
	if err := s.root.call(ctx, http.MethodPost, "/node", body, &made); err != nil {
		return n, err
	}
	n.id, n.key = made.ID, made.APIKey
	own, err := s.root.logIn(ctx, "/token/node", map[string]string{"api_key": made.APIKey})
	n.client = s.root.as(own.Access)
	return n, err
}

// addNobody makes the user without any right.
func (s *server) addNobody(ctx context.Context) error {
	if s.nobody != nil {
		return nil
	}
	name, password := "bench-"+rand.Text(), "Bench-"+rand.Text()+"-1a"
	var made object
	err := s.root.call(ctx, http.MethodPost, "/user", map[string]any{
		"username": name, "firstname": "No", "lastname": "Body", "password": password, "email": name + "@bench.example",
		"organization_id": s.nodes[0].organization, "roles": []int64{}, "rules": []int64{},
	}, &made)
	if err != nil {
		return err
	}
	own, err := s.root.logInUser(ctx, name, password)
	s.nobody, s.nobodyID = s.root.as(own.Access), made.ID
	return err
}

// tidy deletes what can be deleted of the stage.
func (s *server) tidy(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	for _, id := range s.made {
		_ = s.root.call(ctx, http.MethodDelete, fmt.Sprintf("/collaboration/%d", id), nil, nil)
	}
	if s.nobodyID != 0 {
		_ = s.root.call(ctx, http.MethodDelete, fmt.Sprintf("/user/%d", s.nobodyID), nil, nil)
	}
}

// postTask posts a small task for the first nodes.
func (s *server) postTask(ctx context.Context, nodes int) (task int64, err error) {
	organizations := make([]any, nodes)
	for i := range organizations {
		organizations[i] = map[string]any{"id": s.nodes[i].organization, "input": "aW5wdXQ="}
	}
	var made object
	err = s.root.call(ctx, http.MethodPost, "/task", map[string]any{
		"name": "bench", "image": "vserver.example/bench:1", "collaboration_id": s.collaboration, "organizations": organizations,
	}, &made)
	return made.ID, err
}

// newResult posts a task for the first node, and returns its result.
func (s *server) newResult(ctx context.Context) (id int64, err error) {
	task, err := s.postTask(ctx, 1)
	if err != nil {
		return 0, err
	}
	var results []object
	if err := s.root.call(ctx, http.MethodGet, fmt.Sprintf("/task/%d/result", task), nil, &results); err != nil {
		return 0, err
	}
	if len(results) != 1 {
		return 0, fmt.Errorf("a task for one organization has %d results", len(results))
	}
	return results[0].ID, nil
}

// sendResult ends a result with a text of a size.
func (s *server) sendResult(ctx context.Context, id, size int64) error {
	body, length := finished(size)
	reply, err := s.nodes[0].request(ctx, http.MethodPatch, fmt.Sprintf("/result/%d", id), body, length)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, reply.Body)
	return errors.Join(err, reply.Body.Close())
}

// readResult reads a result and compares its text with what was sent.
func (s *server) readResult(ctx context.Context, id, size int64) error {
	path := fmt.Sprintf("/result/%d", id)
	reply, err := s.root.request(ctx, http.MethodGet, path, nil, -1)
	if err != nil {
		return err
	}
	defer func() { _ = reply.Body.Close() }()
	c := newChecker(size)
	if err := copyField(reply.Body, "result", c); err != nil {
		return fmt.Errorf("GET %s: %w", path, err)
	}
	return c.complete()
}
