// Package handlers is what the network sees: a file for each noun with its rows of
// the route table, its wire structs and its handlers; auth.go turns a token into an
// actor, errors.go a fault into a status, socket.go the live channel into events.
// It imports core, access, fault, limits, live, bus and embed, and of config the texts about the
// settings; never queries.
//
// A handler decodes, calls core and replies; it returns an error and writes nothing
// on failure.
//
// It is large because every noun of the wire has its file here, and all of them share
// the route table, the request and the live channel.
package handlers

import (
	"cmp"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/rs/zerolog"

	"vserver/service/access"
	"vserver/service/core"
	"vserver/service/limits"
	"vserver/service/live"
)

// Options are the choices of the configuration that the wire depends on.
type Options struct {
	APIPath        string   // prefix of all REST routes, "" or like "/api"
	AllowedOrigins []string // nil: every origin (/docs/wire#cors)
	// Names are those of this server beside localhost and its addresses: a page is of its
	// own origin when it asked by one of them.
	Names          []string
	TrustedProxies []netip.Prefix
	TLS            bool // this server speaks TLS itself
	Secret         []byte
	AccessFor      time.Duration // life of access tokens
	RefreshFor     time.Duration // life of users' refresh tokens
	Version        string        // of this program, for the start page
	UI             bool          // the web interface is served
	// Live has the measures of the live channel; whose origins may use it and where
	// it reports to are set here.
	Live live.Options
	// Observe is told of every answered request but those of the live channel: the
	// pattern of its route, its method and status. Nil for nobody.
	Observe func(route, method string, status int)
	// Exhausted reports whether the process lacks what every connection needs, so that
	// health is not true; nil for never.
	Exhausted func() bool
	// Limits are what one client may have; nil for no limits.
	Limits *limits.Limits
	// RoomFor is how long a body waits for memory before it is refused, but those of nodes; 0
	// for a minute.
	RoomFor time.Duration
	// BodyPause is how long a sender may leave a body standing still; 0: 30 seconds.
	BodyPause time.Duration
	Periods   Periods
	// Operator does what looks after the server; nil: nobody does over the API.
	Operator *Operator
}

// Server answers all HTTP requests.
type Server struct {
	core   *core.Core
	log    zerolog.Logger
	opt    Options
	tokens tokens
	echo   *echo.Echo
	live   *sockets
	limits *limits.Limits
	ui     *webInterface // nil when it is off

	advised advised
	started time.Time
	zippers zippers
	seam    string // where a long text belongs in encoded JSON; nobody can guess it
}

// New makes the server with all its routes. It needs a Close.
func New(c *core.Core, log zerolog.Logger, opt Options) *Server {
	s := &Server{core: c, log: log, opt: opt, tokens: newTokens(opt), echo: echo.New(), started: time.Now(), seam: rand.Text(), limits: opt.Limits}
	s.opt.RoomFor = cmp.Or(s.opt.RoomFor, roomFor)
	s.opt.BodyPause = cmp.Or(s.opt.BodyPause, bodyPause)
	if s.limits == nil {
		s.limits = limits.New(limits.Options{})
	}
	if opt.Observe != nil {
		s.echo.Use(s.observed)
	}
	s.echo.Use(s.recovering, s.knowingPages)
	s.register(s.routes())
	s.registerUI()
	s.registerStartPage()
	s.registerDocs()
	s.registerAPIDocs()
	s.live = newSockets(s)
	return s
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.setHeaders(w, r)
	if to := collapsed(r.URL); to != "" {
		w.Header().Set("Content-Type", "application/json") // before, or the redirect writes a page
		w.Header().Set("Cache-Control", noStore)
		http.Redirect(w, r, to, http.StatusPermanentRedirect) //nolint:gosec // a path of this server: one slash, no host
		say(w, "The path has doubled slashes, Location has the right one")
		return
	}
	s.noteProxy(r)
	if !strings.HasPrefix(r.URL.Path, "/") {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", noStore)
		w.WriteHeader(http.StatusBadRequest)
		say(w, "The request names no path")
		return
	}
	if r.URL.Path == socketPath {
		s.serveLive(w, r)
		return
	}
	s.echo.ServeHTTP(w, r)
}

// say writes the body of an answer that no route gives.
func say(w http.ResponseWriter, msg string) {
	b, _ := json.Marshal(map[string]string{"msg": msg}) // texts always encode
	_, _ = w.Write(b)                                   // a caller who is gone reads nothing
}

// observed reports each request to the metrics once it is answered.
func (s *Server) observed(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		// Also when a reply is aborted, which panics.
		defer func() { s.opt.Observe(c.Path(), c.Request().Method, c.Response().Status) }()
		if err := next(c); err != nil {
			c.Error(err) // answers, so that the status is known
		}
		return nil
	}
}

// SocketCount is the number of sockets on the live channel.
func (s *Server) SocketCount() int { return s.live.engine.Sockets() }

// UnjoinedCount is the number of connections to the live channel that have not joined it
// with a good token.
func (s *Server) UnjoinedCount() int { return s.live.engine.Unjoined() }

// ExpiredCount is how many of those the server has ended because they did not join in time.
func (s *Server) ExpiredCount() uint64 { return s.live.engine.Expired() }

// routes joins the rows of all nouns: this is everything that REST has.
func (s *Server) routes() []route {
	var all []route
	for _, noun := range [][]route{
		s.healthRoutes(), s.loginRoutes(), s.organizationRoutes(), s.collaborationRoutes(), s.nodeRoutes(),
		s.userRoutes(), s.roleRoutes(), s.ruleRoutes(), s.passwordRoutes(), s.recoveryRoutes(), s.secondFactorRoutes(),
		s.taskRoutes(), s.resultRoutes(), s.portRoutes(), s.killRoutes(), s.vpnRoutes(),
		s.accessRoutes(), s.eventRoutes(), s.serverRoutes(),
	} {
		all = append(all, noun...)
	}
	return all
}

// route is one row of the table: what is asked, who may call, what is judged.
type route struct {
	method, path string // below the API path, ids as ":id"
	who          access.Kind
	judges       core.Decision // for who asks why; nil: see decisionOf
	endpoint
	// texts: the answer has texts of results, which are never compressed.
	texts bool
	free  bool // of a route without a token: whoever asks is not counted as anonymous
	// held: who calls repeats what broke off and gives up after a refusal, so that what
	// cannot be done yet is held, and cut after a time.
	held bool
	// portal: what is away is the portal of the VPN, and not the storage.
	portal bool
	// lasting: the answer to a GET follows from the request, who asks and the database alone, so that it is made once for
	// as long as nobody commits.
	lasting bool
	// once: the request may have a key with which it is sent again (/docs/wire#repeat).
	once bool
}

// endpoint is what a route does, with the permission that it requires.
type endpoint struct {
	pair   access.Pair
	handle func(*call) error
}

// requires has the caller judged for the permission P, and only then reads the body and
// hands the grant on.
func requires[P access.Permission](handle func(*call, access.Grant[P]) error) endpoint {
	return receives(func(k *call, g access.Grant[P]) error {
		if err := k.load(); err != nil {
			return err
		}
		return handle(k, g)
	})
}

// receives is requires for those who read the body themselves.
func receives[P access.Permission](handle func(*call, access.Grant[P]) error) endpoint {
	return endpoint{access.PairOf[P](), func(k *call) error {
		g, err := access.Judge[P](k.actor)
		if err != nil {
			return err
		}
		k.powerless = k.actor.Kind == access.User && access.PairOf[P]().Only == 0 && !g.Any(access.Own, access.Organization, access.Collaboration, access.Global)
		if given, err := k.giveAgain(g); given {
			return err
		}
		return handle(k, g)
	}}
}

// public is for routes that judge nothing.
func public(handle func(*call) error) endpoint {
	return endpoint{handle: func(k *call) error {
		if err := k.load(); err != nil {
			return err
		}
		return handle(k)
	}}
}

// anyone is the `who` of routes that take no token.
const anyone access.Kind = 0
