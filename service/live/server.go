// Package live is the live channel of the server: Engine.IO protocol 4 over HTTP long polling and websocket, and
// Socket.IO protocol 5 on top of it, with namespaces, rooms and acknowledgements (/docs/live#transport).
//
// It knows no noun of the field: what an event means, who may join a room and what a token is worth belong to the
// caller. It may touch the network through the requests it is given, and nothing else: no database, no log, no
// configuration. It imports fault for what panicked.
//
// # Mounting
//
// A Server is the http.Handler of "/socket.io/" at the root of the host (/docs/live#path). The http.Server around it
// must have a ReadHeaderTimeout and must not have a ReadTimeout or WriteTimeout: a poll may rest for PingInterval,
// and this package sets its own deadlines on the bodies it reads and writes. Middleware before it must leave
// http.ResponseController working (Unwrap), so that connections can be hijacked. http.Server.Shutdown knows nothing
// of hijacked connections and would wait for resting polls, so call Server.Close before it.
//
// # Order and concurrency
//
// Every handler of one client (connect, events, acknowledgements, disconnect) runs alone and in order of arrival.
// Handlers of different clients run at the same time and never wait for each other. Nothing that sends ever waits for
// a client: frames go to a bounded queue, and a client that lets it overflow is dropped.
package live

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"vserver/service/fault"
)

// Options are the measures of a Server. The zero value of each field stands for the default given.
type Options struct {
	// PingInterval is the time between two pings to a client: 25 s (/docs/live#handshake).
	PingInterval time.Duration
	// PingTimeout is the time a client has for its answer: 60 s. A client that sends nothing for PingInterval and
	// PingTimeout together is dropped.
	PingTimeout time.Duration
	// ConnectTimeout is how long a session may stay without an admitted socket in a registered namespace: 5 s.
	ConnectTimeout time.Duration
	// Settle is how long Close and Socket.Renew leave a client alone whose socket was just admitted: 1.5 s. Python's waits for
	// its namespaces for a second; cut off meanwhile it takes itself for connected and never comes back.
	Settle time.Duration
	// TransferTimeout is the time one body or frame may take from or to a client: 30 s.
	TransferTimeout time.Duration
	// SoonPause is the longest that a frame waits which is not urgent: 200 ms.
	SoonPause time.Duration
	// MaxPayload is the largest incoming body or websocket message in bytes: 1,000,000. More ends the session.
	MaxPayload int
	// MaxQueue is the number of frames that may wait for one client: 1,000. More ends the session.
	MaxQueue int
	// MaxQueueBytes is the sum of the sizes of the frames that may wait for one client: 4 MiB. A single frame of any
	// size may wait.
	MaxQueueBytes int
	// MaxSessions is the number of engine sessions at a time: 50,000. Further handshakes are answered 503.
	MaxSessions int
	// AllowOrigin decides whether a request that has an Origin header may use the server; nil allows all. It is asked
	// for every request, polling and websocket, first and later.
	AllowOrigin func(*http.Request) bool
	// Admit decides whether a session may begin, by its first request; leave is called once when it has ended. The text
	// of the error is that of the answer, 429. Nil admits all.
	Admit func(*http.Request) (leave func(), err error)
	// Report is told of handlers, and of parts of this package, that panicked (a fault.Panic is in the error), and of
	// acknowledgements that cannot be encoded; nil drops the news. It must not block.
	Report func(error)
}

func (o Options) withDefaults() Options {
	o.PingInterval = cmp.Or(o.PingInterval, 25*time.Second)
	o.PingTimeout = cmp.Or(o.PingTimeout, 60*time.Second)
	o.ConnectTimeout = cmp.Or(o.ConnectTimeout, 5*time.Second)
	o.Settle = cmp.Or(o.Settle, 1500*time.Millisecond)
	o.TransferTimeout = cmp.Or(o.TransferTimeout, 30*time.Second)
	o.SoonPause = cmp.Or(o.SoonPause, 200*time.Millisecond)
	o.MaxPayload = cmp.Or(o.MaxPayload, 1_000_000)
	o.MaxQueue = cmp.Or(o.MaxQueue, 1000)
	o.MaxQueueBytes = cmp.Or(o.MaxQueueBytes, 4<<20)
	o.MaxSessions = cmp.Or(o.MaxSessions, 50_000)
	if o.Admit == nil {
		o.Admit = func(*http.Request) (func(), error) { return func() {}, nil }
	}
	if o.Report == nil {
		o.Report = func(error) {}
	}
	return o
}

// Server holds all sessions and namespaces. Make one with New; it serves until Close.
type Server struct {
	opt     Options
	born    time.Time      // times are counted from here, so that a clock that is set does not end sessions
	quit    chan struct{}  // closed to end the heartbeat
	running sync.WaitGroup // the heartbeat, and whatever outlives a request
	expired atomic.Uint64  // sessions that ended as NamespaceMissing
	lane    *lane
	ends    *errands // what is to be done when sessions end
	frames  frameLists
	buffers sync.Pool // of *[]byte of gatherSize, for what is written to websockets

	mu         sync.RWMutex
	sessions   map[string]*session
	namespaces map[string]*Namespace
	closed     bool
}

// New returns a Server that is ready to serve; register its namespaces before the first request. The root namespace is
// there from the start, as clients may connect to it, and has no handlers (/docs/live#packets).
func New(o Options) *Server {
	o = o.withDefaults()
	quit := make(chan struct{})
	s := &Server{
		opt:        o,
		born:       time.Now(),
		quit:       quit,
		sessions:   map[string]*session{},
		namespaces: map[string]*Namespace{},
	}
	s.namespaces["/"] = newNamespace(s, "/")
	s.lane = newLane(o.SoonPause, quit, &s.running)
	s.ends = newErrands(quit, &s.running)
	s.buffers.New = func() any { b := make([]byte, 0, gatherSize); return &b }
	s.running.Go(s.heartbeat)
	s.running.Go(s.lane.run)
	return s
}

// Namespace registers the namespace of that name ("/tasks") and returns it; asked again, it returns the same one.
// A client that connects to a namespace never registered is refused.
func (s *Server) Namespace(name string) *Namespace {
	s.mu.Lock()
	defer s.mu.Unlock()
	ns := s.namespaces[name]
	if ns == nil {
		ns = newNamespace(s, name)
		s.namespaces[name] = ns
	}
	ns.registered = true
	return ns
}

// Sessions returns the number of engine sessions, whether or not they have a socket.
func (s *Server) Sessions() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.sessions)
}

// Authorization returns that header of the request that opened a session; empty when there is no such session.
func (s *Server) Authorization(sid string) string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if c := s.sessions[sid]; c != nil {
		return c.authorization
	}
	return ""
}

// Sockets returns the number of admitted sockets in all registered namespaces.
func (s *Server) Sockets() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	n := 0
	for _, ns := range s.namespaces {
		if ns.registered {
			n += ns.Len()
		}
	}
	return n
}

// Unjoined returns the number of engine sessions without an admitted socket in a registered namespace.
func (s *Server) Unjoined() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	n := 0
	for _, c := range s.sessions {
		if c.alone() {
			n++
		}
	}
	return n
}

// Expired returns how many sessions ended so far because they had no such socket for ConnectTimeout.
func (s *Server) Expired() uint64 { return s.expired.Load() }

// Close refuses new sessions, closes the connection of every client, of one that has just been let in once it has settled
// (Options.Settle), and waits until all disconnect handlers have run
// (reason ServerClosed) and every goroutine of the server has ended, or until ctx is done: then it returns the error
// of ctx. Clients are told nothing: they see a broken connection and try again elsewhere or later, where a farewell
// would make them stay away. It must not be called from a handler.
func (s *Server) Close(ctx context.Context) error {
	for _, c := range s.shut() {
		c.endSettled(ServerClosed)
	}
	ended := make(chan struct{})
	go func() {
		s.running.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("waiting for live sessions to end: %w", ctx.Err())
	}
}

// shut marks the server closed and returns the sessions there are. No later session can begin.
func (s *Server) shut() []*session {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.closed = true
		defer close(s.quit)
	}
	all := make([]*session, 0, len(s.sessions))
	for _, c := range s.sessions {
		all = append(all, c)
	}
	return all
}

var (
	errFull     = errors.New("no room for another session")
	errShutDown = errors.New("the server is shutting down")
)

// open makes the session of a handshake request.
func (s *Server) open(r *http.Request) (*session, error) {
	now := time.Now()
	c := &session{
		server:        s,
		id:            newID(),
		authorization: r.Header.Get("Authorization"),
		remote:        r.RemoteAddr,
		host:          r.Host,
		nextPing:      now.Add(s.opt.PingInterval),
		lonely:        now,
	}
	c.heard.Store(int64(now.Sub(s.born)))
	var err error
	if c.left, err = s.opt.Admit(r); err != nil {
		return nil, err
	}
	if err := s.list(c); err != nil {
		c.left()
		return nil, err
	}
	return c, nil
}

// list adds a session to those there are.
func (s *Server) list(c *session) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return errShutDown
	case len(s.sessions) >= s.opt.MaxSessions:
		return errFull
	}
	s.sessions[c.id] = c
	return nil
}

// session returns the living session of that id, or nil.
func (s *Server) session(id string) *session {
	s.mu.RLock()
	c := s.sessions[id]
	s.mu.RUnlock()
	if c == nil {
		return nil
	}
	if reason := c.over(time.Now()); reason != "" {
		c.end(reason)
		return nil
	}
	return c
}

// forget takes a session that ended off the list. It may be called again.
func (s *Server) forget(c *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sessions, c.id)
}

func (s *Server) namespace(name string) *Namespace {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.namespaces[name]
}

// guard runs a handler of the caller, or a part of this package, and reports whether it returned; a panic is reported
// and goes no further, since it would end the process for everybody.
func (s *Server) guard(what string, work func()) (ok bool) {
	defer func() {
		if !ok {
			s.opt.Report(fmt.Errorf("live %s: %w", what, fault.Recovered(recover())))
		}
	}()
	work()
	return true
}

// newID returns 20 URL-safe characters that cannot be guessed.
func newID() string {
	var b [15]byte
	rand.Read(b[:]) // never fails: crypto/rand ends the program instead
	return base64.RawURLEncoding.EncodeToString(b[:])
}
