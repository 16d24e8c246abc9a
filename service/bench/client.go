package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"time"

	"github.com/coder/websocket"
)

const (
	// callTime is how long an answer may take: more than a log-in waits in the longest queue.
	callTime = 3 * time.Minute
	dialTime = 30 * time.Second
)

// client speaks REST with a token.
type client struct {
	url   string // with the API path
	token string
	http  *http.Client
}

// newClient calls a server from an address of this machine, "" for any.
func newClient(url, from string) *client {
	return &client{url: url, http: &http.Client{Timeout: callTime, Transport: &http.Transport{
		DialContext: dialer(from).DialContext, MaxIdleConnsPerHost: 512, DisableCompression: true,
	}}}
}

// dialer connects from an address. On Linux all of 127.0.0.0/8 is this machine, elsewhere only
// one address is, so that there everybody has the same.
func dialer(from string) *net.Dialer {
	d := &net.Dialer{Timeout: dialTime}
	if ip := net.ParseIP(from); ip != nil && manyAddresses() {
		d.LocalAddr = &net.TCPAddr{IP: ip}
	}
	return d
}

// dial opens a connection that ends with the context.
func (s *server) dial(ctx context.Context, from string) (net.Conn, error) {
	c, err := dialer(from).DialContext(ctx, "tcp", s.host)
	if err == nil {
		context.AfterFunc(ctx, func() { _ = c.Close() })
	}
	return c, err
}

func manyAddresses() bool { return runtime.GOOS == "linux" }

// as is a client with another token, on the same connections.
func (c *client) as(token string) *client { return &client{c.url, token, c.http} }

// fresh is a client that makes a connection for each request.
func (c *client) fresh(within time.Duration) *client {
	return &client{c.url, c.token, &http.Client{Timeout: within, Transport: &http.Transport{
		DisableKeepAlives: true, DisableCompression: true,
	}}}
}

func (c *client) close() { c.http.CloseIdleConnections() }

// statusError is a refusal.
type statusError struct {
	status int
	text   string
}

// Error is what the server says.
func (e *statusError) Error() string {
	return fmt.Sprintf("the server answers %d %s", e.status, strings.TrimSpace(e.text))
}

// request sends a body of a length; -1 is no body.
func (c *client) request(ctx context.Context, method, path string, body io.Reader, length int64) (*http.Response, error) {
	if length < 0 {
		body = nil
	}
	req, err := http.NewRequestWithContext(ctx, method, c.url+path, body)
	if err != nil {
		return nil, err
	}
	if length >= 0 {
		req.ContentLength = length
		req.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	reply, err := c.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, path, inner(err))
	}
	if reply.StatusCode >= http.StatusMultipleChoices {
		defer func() { _ = reply.Body.Close() }()
		said, _ := io.ReadAll(io.LimitReader(reply.Body, 300))
		return nil, fmt.Errorf("%s %s: %w", method, path, &statusError{reply.StatusCode, string(said)})
	}
	return reply, nil
}

// inner leaves the method and the address out of an error, which are told already.
func inner(err error) error {
	if u, ok := err.(*url.Error); ok { //nolint:errorlint // only the outermost
		return u.Err
	}
	return err
}

// call sends a value as JSON, and reads the answer into another; both may be nil.
func (c *client) call(ctx context.Context, method, path string, body, into any) error {
	length, sent := int64(-1), []byte(nil)
	if body != nil {
		var err error
		if sent, err = json.Marshal(body); err != nil {
			return fmt.Errorf("encoding a request: %w", err)
		}
		length = int64(len(sent))
	}
	reply, err := c.request(ctx, method, path, bytes.NewReader(sent), length)
	if err != nil {
		return err
	}
	defer func() { _ = reply.Body.Close() }()
	if into == nil {
		_, err = io.Copy(io.Discard, reply.Body)
	} else {
		err = json.NewDecoder(reply.Body).Decode(into)
	}
	if err != nil {
		return fmt.Errorf("%s %s: reading the answer: %w", method, path, err)
	}
	return nil
}

func (c *client) get(ctx context.Context, path string) error {
	return c.call(ctx, http.MethodGet, path, nil, nil)
}

// session is what a log-in gives.
type session struct {
	Access string `json:"access_token"`
	User   string `json:"user_url"` // of users only, with the API path
}

func (c *client) logIn(ctx context.Context, path string, body map[string]string) (s session, err error) {
	if err := c.call(ctx, http.MethodPost, path, body, &s); err != nil {
		return s, fmt.Errorf("log-in: %w", err)
	}
	return s, nil
}

func (c *client) logInUser(ctx context.Context, username, password string) (session, error) {
	return c.logIn(ctx, "/token/user", map[string]string{"username": username, "password": password})
}

// join opens a live connection with the client's token, and returns once it is in its namespace.
func (c *client) join(ctx context.Context) (*websocket.Conn, error) {
	const namespace = "/tasks,"
	at, err := url.Parse(c.url)
	if err != nil {
		return nil, err
	}
	conn, reply, err := websocket.Dial(ctx, "ws://"+at.Host+"/socket.io/?EIO=4&transport=websocket",
		&websocket.DialOptions{HTTPHeader: http.Header{"Authorization": {"Bearer " + c.token}}, HTTPClient: c.http})
	if err != nil {
		return nil, fmt.Errorf("live connection: %w", err)
	}
	if reply.Body != nil {
		_ = reply.Body.Close()
	}
	conn.SetReadLimit(mib)
	if err := conn.Write(ctx, websocket.MessageText, []byte("40"+namespace)); err != nil {
		return nil, fmt.Errorf("live connection: %w", err)
	}
	for {
		_, msg, err := conn.Read(ctx)
		switch {
		case err != nil:
			_ = conn.CloseNow()
			return nil, fmt.Errorf("live connection: %w", err)
		case strings.HasPrefix(string(msg), "40"+namespace):
			return conn, nil
		case strings.HasPrefix(string(msg), "44"):
			_ = conn.CloseNow()
			return nil, fmt.Errorf("live connection: the server refuses it: %s", msg)
		}
	}
}

// listen reads until the connection ends, and answers the server's pings.
func listen(ctx context.Context, conn *websocket.Conn) {
	for {
		_, msg, err := conn.Read(ctx)
		if err == nil && string(msg) == "2" {
			err = conn.Write(ctx, websocket.MessageText, []byte("3"))
		}
		if err != nil {
			return
		}
	}
}
