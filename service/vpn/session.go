package vpn

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptrace"
	"net/url"
	"os"
	"strings"
	"time"

	"vserver/service/config"
)

const (
	// mostAnswer is how long an answer of the portal may be, in bytes.
	mostAnswer = 1 << 20
	// mostHeader is the same for its head, which has a code of some hundred bytes.
	mostHeader = 64 << 10
)

// session is one log-in at the portal, with a cookie jar and connections of its own.
type session struct {
	set      config.VPN
	portal   string // the url without a slash at its end
	client   *http.Client
	patience time.Duration
	token    string
}

func newSession(set config.VPN, patience time.Duration) (*session, error) {
	if why := set.Unusable(); why != "" {
		return nil, failure(Unconfigured, Settings, "%s", why)
	}
	trusted, err := authorities(set.CA)
	if err != nil {
		return nil, &Failure{Cause: Unconfigured, Step: Settings, Text: "has a ca that cannot be used", Err: err}
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, fmt.Errorf("making a cookie jar: %w", err)
	}
	return &session{
		set: set, portal: strings.TrimSuffix(set.URL, "/"), patience: patience,
		client: &http.Client{
			Jar: jar,
			Transport: &http.Transport{
				Proxy: http.ProxyFromEnvironment, TLSClientConfig: &tls.Config{RootCAs: trusted, MinVersion: tls.VersionTLS12},
				MaxResponseHeaderBytes: mostHeader,
			},
			// What a redirect means depends on the step; none has to be followed.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// authorities are those of the system and those of a file; nil for the system's alone.
func authorities(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool() // a system that has none
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no certificate in PEM", file)
	}
	return pool, nil
}

func (s *session) close() { s.client.CloseIdleConnections() }

// answer is what the portal answered, its body read.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// get asks with GET, at an address of the portal.
func (s *session) get(ctx context.Context, at Step, address string) (answer, error) {
	return s.ask(ctx, at, http.MethodGet, address, nil, nil)
}

// post sends a form; nil sends an empty body.
func (s *session) post(ctx context.Context, at Step, address string, form url.Values, sign func(*http.Request)) (answer, error) {
	return s.ask(ctx, at, http.MethodPost, address, form, sign)
}

// ask sends one request. The Accept header stays absent: one with text/html would ask for
// the protection of browsers against forged forms.
func (s *session) ask(ctx context.Context, at Step, method, address string, form url.Values, sign func(*http.Request)) (answer, error) {
	limited, cancel := context.WithTimeout(ctx, s.patience)
	defer cancel()
	connected := false
	traced := httptrace.WithClientTrace(limited, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { connected = true }})
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	req, err := http.NewRequestWithContext(traced, method, address, body)
	if err != nil {
		return answer{}, failure(Unconfigured, Settings, "needs a url such as https://vpn.example.org/vpn-user-portal")
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if s.token != "" {
		req.Header.Set("Authorization", "Bearer "+s.token)
	}
	if sign != nil {
		sign(req)
	}
	reply, err := s.client.Do(req)
	if err != nil {
		return answer{}, s.broken(ctx, at, err, connected)
	}
	defer func() { _ = reply.Body.Close() }()
	text, err := io.ReadAll(io.LimitReader(reply.Body, mostAnswer+1))
	switch {
	case err != nil:
		return answer{}, s.broken(ctx, at, err, connected)
	case len(text) > mostAnswer:
		return answer{}, failure(Unusable, at, "the answer is longer than %d bytes", mostAnswer)
	}
	return answer{reply.StatusCode, reply.Header, bytes.TrimPrefix(text, []byte("\ufeff"))}, nil
}

// broken says why a request has no answer. The address is left out: its query is nobody's
// business.
func (s *session) broken(ctx context.Context, at Step, err error, connected bool) error {
	if ctx.Err() != nil {
		return fmt.Errorf("asking the VPN portal: %w", ctx.Err()) // nobody waits for it any more
	}
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err
	}
	switch late := errors.Is(err, context.DeadlineExceeded); {
	case !connected && late:
		return failure(Unreachable, at, "there was no connection within %s", s.patience)
	case !connected:
		return &Failure{Cause: Unreachable, Step: at, Text: "there is no connection", Err: err}
	case late:
		return failure(Unusable, at, "the portal did not answer within %s", s.patience)
	}
	return &Failure{Cause: Unusable, Step: at, Text: "the answer broke off", Err: err}
}
