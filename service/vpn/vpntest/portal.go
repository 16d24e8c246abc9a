// Package vpntest is an eduVPN portal for tests, which answers like a real one of release
// 2.x: over TLS with an authority of its own, below a prefix, with cookies, codes and
// tokens that are checked as the real one does, and with switches for what goes wrong. It
// keeps what it was asked. It imports nothing of ours, and nothing that is shipped imports
// it.
package vpntest

import (
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// The one user and the one client that a portal begins with. The password has what a form
// encodes, and the secret what only the raw form of Basic lets through.
const (
	User        = "vantage"
	Password    = "pass wörd&=+%"
	Client      = "org.example.vserver"
	Secret      = "a+b/c=%41:x"
	RedirectURL = "http://localhost"
)

// Profile is what the portal offers to its users.
type Profile struct {
	ID, Name string
	Hidden   bool
}

// Account is a user of the portal.
type Account struct {
	Password  string
	Disabled  bool
	NeedsTOTP bool // no second factor is enrolled yet, and one is asked for
}

// Application is a client of the portal.
type Application struct {
	Secret    string // empty: a public client
	Redirects []string
	Approval  bool // each authorization is asked of the user; the default of real portals
}

// Faults are switches for what goes wrong. A path is given by its end.
type Faults struct {
	API500          bool              // every answer of the API
	LogIn500        bool              // the portal's back end is down
	Hang            string            // this path does not answer
	Cut             string            // this path breaks off in the middle
	ProfileVanished bool              // between the list and the configuration
	ExpiredToken    bool              // expires_in is 0
	RevokeBefore    string            // the token is revoked before this path
	RedirectLoop    bool              // the log-in leads to itself
	Version3        bool              // of release 3.x
	NoTLSCrypt      bool              // configurations of old portals
	NoKeyPair       bool              // the authority of the portal is broken
	Issuer          bool              // iss in the address with the code, as from 2.4.6
	OtherState      bool              // the state of somebody else
	Answers         map[string]string // whole answers by path, as JSON with status 200
}

// Request is one request as it came.
type Request struct {
	Method, Path, Query string
	Header              http.Header
	Body                string
	Form                url.Values // of the body
}

// Portal is a running portal. Its exported fields are changed with Change while it runs.
type Portal struct {
	Prefix   string
	Host     string // the name that it believes to have
	Users    map[string]*Account
	Clients  map[string]*Application
	Profiles []Profile
	Faults   Faults

	CAFile string // the authority of its certificate, in PEM

	t        testing.TB
	server   *httptest.Server
	plain    bool
	client   *authority // of the certificates that it issues
	released chan struct{}

	mu             sync.Mutex
	requests       []Request
	sessions       map[string]string // user by id; "" for nobody
	codes          map[string]*grant
	authorizations map[string]*grant // by access token
	issued         int
	asking, most   int // requests at this moment, and at most
}

// Start runs a portal over TLS until the end of the test.
func Start(t testing.TB) *Portal { return start(t, false) }

// StartPlain is Start without TLS; its cookie lacks Secure.
func StartPlain(t testing.TB) *Portal { return start(t, true) }

func start(t testing.TB, plain bool) *Portal {
	t.Helper()
	p := &Portal{
		Prefix: "/vpn-user-portal", Host: "localhost", t: t, plain: plain, released: make(chan struct{}),
		Users:    map[string]*Account{User: {Password: Password}},
		Clients:  map[string]*Application{Client: {Secret: Secret, Redirects: []string{RedirectURL}}},
		Profiles: []Profile{{ID: "hidden", Name: "Hidden", Hidden: true}, {ID: "internet", Name: "Internet"}, {ID: "other", Name: "Other"}},
		sessions: map[string]string{}, codes: map[string]*grant{}, authorizations: map[string]*grant{},
		client: newAuthority(t, "VPN"),
	}
	p.server = httptest.NewUnstartedServer(http.HandlerFunc(p.serve))
	if plain {
		p.server.Start()
	} else {
		web := newAuthority(t, "Portal")
		p.CAFile = web.save(t)
		p.server.TLS = &tls.Config{Certificates: []tls.Certificate{web.serverCertificate(t, p.Host)}, MinVersion: tls.VersionTLS12}
		p.server.Config.ErrorLog = log.New(io.Discard, "", 0) // tests make handshakes fail on purpose
		p.server.StartTLS()
	}
	t.Cleanup(func() {
		close(p.released)
		p.server.CloseClientConnections()
		p.server.Close()
	})
	return p
}

// Change changes the portal while it runs.
func (p *Portal) Change(f func(*Portal)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f(p)
}

// Root is the address of its host.
func (p *Portal) Root() string {
	scheme := "https://"
	if p.plain {
		scheme = "http://"
	}
	_, port, err := net.SplitHostPort(p.server.Listener.Addr().String())
	if err != nil {
		p.t.Fatal(err)
	}
	return scheme + net.JoinHostPort("localhost", port)
}

// URL is its address, without a slash at the end.
func (p *Portal) URL() string { return p.Root() + p.Prefix }

// Requests returns what was asked since the last time.
func (p *Portal) Requests() []Request {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := p.requests
	p.requests = nil
	return all
}

// Issued is how many key pairs were issued.
func (p *Portal) Issued() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.issued
}

// Authorizations is how many tokens stand in the portal.
func (p *Portal) Authorizations() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.authorizations)
}

// MostTogether is how many requests there were at a time.
func (p *Portal) MostTogether() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.most
}

// IssuedBy reports whether a certificate in PEM is one of the portal's own for clients.
func (p *Portal) IssuedBy(certificate string) error { return p.client.issued(certificate) }

// reply is an answer before it is written.
type reply struct {
	status int
	kind   string
	header http.Header
	body   string
}

func (p *Portal) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	asked := Request{Method: r.Method, Path: r.URL.Path, Query: r.URL.RawQuery, Header: r.Header.Clone(), Body: string(body)}
	if strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded") {
		asked.Form, _ = url.ParseQuery(asked.Body) // what cannot be read is missing
	}
	p.mu.Lock()
	p.requests = append(p.requests, asked)
	p.asking++
	p.most = max(p.most, p.asking)
	hang := p.Faults.Hang != "" && strings.HasSuffix(r.URL.Path, p.Faults.Hang)
	cut := p.Faults.Cut != "" && strings.HasSuffix(r.URL.Path, p.Faults.Cut)
	p.mu.Unlock()
	defer func() { p.Change(func(p *Portal) { p.asking-- }) }()
	if hang {
		select {
		case <-p.released:
		case <-r.Context().Done():
		}
		panic(http.ErrAbortHandler) // a return would answer with 200, which a client may still read that has just given up
	}
	p.mu.Lock()
	a := p.answer(r, asked)
	p.mu.Unlock()
	for name, values := range a.header {
		w.Header()[name] = values
	}
	if a.kind != "" {
		w.Header().Set("Content-Type", a.kind)
	}
	if cut {
		w.Header().Set("Content-Length", fmt.Sprint(len(a.body)+1))
	}
	w.WriteHeader(a.status)
	_, _ = io.WriteString(w, a.body)
	if cut {
		panic(http.ErrAbortHandler)
	}
}

// answer finds what answers a request.
func (p *Portal) answer(r *http.Request, asked Request) reply {
	inside, ok := strings.CutPrefix(r.URL.Path, p.Prefix)
	if canned, there := p.Faults.Answers[strings.TrimPrefix(inside, "/")]; there {
		return reply{status: http.StatusOK, kind: typeJSON, body: canned}
	}
	switch {
	case r.URL.Path == "/.well-known/vpn-user-portal":
		return p.discovery()
	case r.URL.Path == "/" && p.Prefix != "":
		return redirect(http.StatusFound, p.Prefix+"/")
	case !ok || inside != "" && inside[0] != '/':
		return reply{status: http.StatusNotFound, kind: typeHTML, body: "<!DOCTYPE html><title>404 Not Found</title>"}
	case inside == "":
		return redirect(http.StatusMovedPermanently, p.Prefix+"/")
	case strings.HasPrefix(inside, "/api.php/"):
		return p.api(r, strings.TrimPrefix(inside, "/api.php/"))
	case inside == "/oauth.php/token":
		return p.token(r, asked)
	}
	return p.page(r, asked, inside)
}

func (p *Portal) discovery() reply {
	list := fmt.Sprintf(`"http://eduvpn.org/api#2":{"api_base_uri":"%s/api.php"},`, p.URL())
	if p.Faults.Version3 {
		list = ""
	}
	return reply{
		status: http.StatusOK, kind: typeJSON, header: http.Header{"Cache-Control": {"no-store"}},
		body: fmt.Sprintf(`{"api":{%s"http://eduvpn.org/api#3":{"api_endpoint":"%s/api/v3"}},"v":"2.4.5"}`, list, p.URL()),
	}
}

// grant is what a code or a token stands for.
type grant struct {
	user, client, redirect, scope, challenge string
	at                                       time.Time
	lives                                    time.Duration
	used                                     bool
	token                                    string
}

const (
	typeJSON = "application/json"
	typeHTML = "text/html; charset=UTF-8"
)

func redirect(status int, to string) reply {
	return reply{status: status, kind: typeHTML, header: http.Header{"Location": {to}}}
}
