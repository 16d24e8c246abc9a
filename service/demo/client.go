package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"sync"
	"time"
)

// object is what every creation answers with.
type object struct {
	ID int64 `json:"id"`
}

// client speaks REST with a token, as the clients of the field do.
type client struct {
	url  string
	http *http.Client
	sent func(body []byte) // is called with everything that is sent; may be nil
	mu   sync.Mutex
	// The session; a container has only the first.
	access, refresh string
}

func newClient(url string) *client {
	// With cookies: by one a load balancer knows the server of a live connection, until that is a websocket.
	jar, err := cookiejar.New(nil)
	if err != nil {
		panic(err) // it has nothing that could fail
	}
	return &client{url: strings.TrimSuffix(url, "/"), http: &http.Client{Timeout: 2 * time.Minute, Jar: jar}}
}

// statusError is a refusal of the server.
type statusError struct {
	status int
	msg    string
}

func (e *statusError) Error() string {
	return fmt.Sprintf("the server answered %d: %s", e.status, e.msg)
}

type session struct {
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token"`
}

func (c *client) logIn(ctx context.Context, username, password string) error {
	return c.session(ctx, "/token/user", map[string]string{"username": username, "password": password})
}

func (c *client) logInNode(ctx context.Context, key string) error {
	return c.session(ctx, "/token/node", map[string]string{"api_key": key})
}

func (c *client) session(ctx context.Context, path string, body any) error {
	var s session
	if err := c.send(ctx, http.MethodPost, path, "", body, &s); err != nil {
		return fmt.Errorf("log-in: %w", err)
	}
	c.keep(s)
	return nil
}

func (c *client) keep(s session) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.access, c.refresh = s.Access, s.Refresh
}

func (c *client) tokens() (access, refresh string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.access, c.refresh
}

// renew asks for new tokens.
func (c *client) renew(ctx context.Context) error {
	var s session
	_, refresh := c.tokens()
	if err := c.send(ctx, http.MethodPost, "/token/refresh", refresh, nil, &s); err != nil {
		return fmt.Errorf("refreshing the token: %w", err)
	}
	c.keep(s)
	return nil
}

func (c *client) get(ctx context.Context, path string, into any) error {
	return c.call(ctx, http.MethodGet, path, nil, into)
}

func (c *client) post(ctx context.Context, path string, body, into any) error {
	return c.call(ctx, http.MethodPost, path, body, into)
}

func (c *client) patch(ctx context.Context, path string, body any) error {
	return c.call(ctx, http.MethodPatch, path, body, nil)
}

// call sends a request with the token. A server that cannot be reached is asked
// again until the context ends, as nodes do it; it may be starting anew.
func (c *client) call(ctx context.Context, method, path string, body, into any) error {
	access, _ := c.tokens()
	for {
		err := c.send(ctx, method, path, access, body, into)
		if !unreachable(err) || ctx.Err() != nil {
			return err
		}
		if !pause(ctx, 100*time.Millisecond) {
			return err
		}
	}
}

func (c *client) send(ctx context.Context, method, path, token string, body, into any) error {
	var raw io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return fmt.Errorf("encoding the request: %w", err)
		}
		c.witness(b)
		raw = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.url+path, raw)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	reply, err := c.http.Do(req)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	defer func() { _ = reply.Body.Close() }()
	return read(reply, method+" "+path, into)
}

func (c *client) witness(body []byte) {
	if c.sent != nil {
		c.sent(body)
	}
}

func read(reply *http.Response, what string, into any) error {
	raw, err := io.ReadAll(reply.Body)
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if reply.StatusCode > 210 {
		var said struct {
			Msg string `json:"msg"`
		}
		_ = json.Unmarshal(raw, &said)
		return fmt.Errorf("%s: %w", what, &statusError{reply.StatusCode, said.Msg})
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return fmt.Errorf("%s: reading the answer: %w", what, err)
	}
	return nil
}

// unreachable reports whether an error is one of the connection and no answer of the server.
func unreachable(err error) bool {
	var u *url.Error
	return errors.As(err, &u)
}

// origin is the server without its API path; the live channel is there.
func (c *client) origin() (*url.URL, error) {
	u, err := url.Parse(c.url)
	if err != nil {
		return nil, fmt.Errorf("the address of the server: %w", err)
	}
	return &url.URL{Scheme: u.Scheme, Host: u.Host}, nil
}

// pause waits and reports whether to go on.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}
