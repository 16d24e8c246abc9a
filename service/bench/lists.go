package bench

import (
	"context"
	"fmt"
	"io"
	"net/http"
)

// readsOfLists is how often each kind of list is read for each client.
const readsOfLists = 500

// readLists reads what grows with the number of tasks.
func readLists(ctx context.Context, t *trial) error {
	if _, err := drive(ctx, t.sizes.Clients, t.sizes.Tasks, t.post); err != nil {
		return err
	}
	organization := fmt.Sprintf("/organization/%d", t.nodes[0].organization)
	tag, err := t.root.tagOf(ctx, organization)
	if err != nil {
		return err
	}
	n := readsOfLists * t.sizes.Clients
	if t.quick {
		n = 10 * t.sizes.Clients
	}
	for _, c := range []struct {
		key  string
		read ask
	}{
		{"tasks", func(ctx context.Context) error { return t.root.get(ctx, "/task?page=1&per_page=10") }},
		{"open", func(ctx context.Context) error { return t.root.get(ctx, "/result?state=open&page=1&per_page=10") }},
		{"organization", func(ctx context.Context) error { return t.root.get(ctx, organization) }},
		{"unchanged", func(ctx context.Context) error { return t.root.getAgain(ctx, organization, tag) }},
	} {
		if err := t.rateOf(ctx, c.key, n, c.read); err != nil {
			return err
		}
	}
	return nil
}

// tagOf returns the entity tag of an answer, "" when it has none.
func (c *client) tagOf(ctx context.Context, path string) (string, error) {
	reply, err := c.request(ctx, http.MethodGet, path, nil, -1)
	if err != nil {
		return "", err
	}
	defer func() { _ = reply.Body.Close() }()
	_, err = io.Copy(io.Discard, reply.Body)
	return reply.Header.Get("ETag"), err
}

// getAgain asks for what the caller has already. A server without tags sends it once more.
func (c *client) getAgain(ctx context.Context, path, tag string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url+path, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	want := http.StatusOK
	if tag != "" {
		req.Header.Set("If-None-Match", tag)
		want = http.StatusNotModified
	}
	reply, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("GET %s: %w", path, inner(err))
	}
	defer func() { _ = reply.Body.Close() }()
	if reply.StatusCode != want {
		return fmt.Errorf("GET %s: %w", path, &statusError{status: reply.StatusCode})
	}
	_, err = io.Copy(io.Discard, reply.Body)
	return err
}
