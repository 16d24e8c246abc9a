package handlers

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"vserver/service/access"
	"vserver/service/fault"
	"vserver/service/limits"
)

// whose is whom a request counts for.
func (s *Server) whose(r *http.Request, a access.Actor) limits.Who {
	return limits.Who{Network: s.clientOf(r).network(), Account: accountBehind(a), Node: a.Kind == access.Node}
}

// accountBehind is the account that a caller counts for: containers by themselves, so that they leave room for the
// results of their node.
func accountBehind(a access.Actor) int64 {
	if a.Kind == access.Container {
		return -a.ID
	}
	return a.ID
}

// tooMany answers who is over a limit, at once: with a connection that goes on, package http would wait for the body.
func tooMany(h http.Header, err error) error {
	var over *limits.Excess
	if !errors.As(err, &over) {
		return err
	}
	h.Set("Connection", "close")
	h.Set("Retry-After", strconv.Itoa(int(over.After/time.Second)))
	return fault.New(fault.TooMany, "Too many at a time: %s", over)
}

// countAnonymous counts a request that shows no token.
func (s *Server) countAnonymous(c echo.Context) error {
	return tooMany(c.Response().Header(), s.limits.Anonymous.Take(s.clientOf(c.Request()).network()))
}

// countBadToken counts a request whose token is none of this server's; err is the answer to it. A token that was good
// once is let off: its node may have a result to send.
func (s *Server) countBadToken(c echo.Context, err error) error {
	if fault.Is(err, fault.BadToken) || c.Request().Header.Get("Authorization") == "" {
		if over := s.countAnonymous(c); over != nil {
			return over
		}
	}
	return err
}

// open has a handler of a page count its requests.
func (s *Server) open(handle echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if err := s.countAnonymous(c); err != nil {
			return err
		}
		return handle(c)
	}
}

// recognized has the connection of a request count for the account behind its token. One of a node that has too many is
// cut.
func (s *Server) recognized(c echo.Context, a access.Actor) error {
	err := limits.Of(c.Request().Context()).BelongTo(accountBehind(a), a.Kind != access.User)
	if err == nil {
		return nil
	}
	if a.Kind == access.Node {
		panic(http.ErrAbortHandler)
	}
	return tooMany(c.Response().Header(), err)
}

// welcome is recognized for who has just logged in; the request was not an anonymous one then.
func (s *Server) welcome(c echo.Context, kind access.Kind, id int64) {
	s.limits.Anonymous.Return(s.clientOf(c.Request()).network())
	_ = limits.Of(c.Request().Context()).BelongTo(id, kind != access.User) // the next request is judged
}

// inTurn takes in a body once the caller may send one: who has too many under way is refused, and nodes wait.
func (k *call) inTurn(load func() error) error {
	req := k.echo.Request()
	if req.Body == nil || req.Body == http.NoBody {
		return nil
	}
	who := k.s.whose(req, k.actor)
	if who.Node {
		ctx, cancel := k.waiting(who)
		defer cancel()
		if k.s.limits.Bodies.Wait(ctx, who) != nil {
			panic(http.ErrAbortHandler)
		}
	} else if err := k.s.limits.Bodies.Acquire(who); err != nil {
		return tooMany(k.echo.Response().Header(), err)
	}
	defer k.s.limits.Bodies.Release(who)
	return load()
}

// noteProxy notes a peer that forwards requests and is not trusted, and says once which line to add (/docs/proxy#unknown).
func (s *Server) noteProxy(r *http.Request) {
	if !forwarded(r) {
		return
	}
	if at := peer(r); !s.trusted(at) && s.limits.Crowd.Forwards(at) {
		s.log.Warn().Msgf("%s%s, which trusted_proxies does not list: limits and locks by address do not apply to what it sends. "+
			"If it is your proxy, add this line to the environment in the configuration: trusted_proxies: [%s]", UnknownProxy, at, at)
	}
}

// UnknownProxy is how the log begins to tell of a proxy that is not trusted; its address follows.
const UnknownProxy = "Requests are forwarded by "

// admitSession counts a session of the live channel before it begins. Over the limit of its account a node loses the
// connection that has been silent longest, so that it gets in whatever it has left behind.
func (s *Server) admitSession(r *http.Request) (leave func(), err error) {
	who := limits.Who{Network: s.clientOf(r).network()}
	a, known := s.recognize(r.Context(), r.Header.Get("Authorization"))
	if known {
		who = s.whose(r, a)
	} else if err := s.limits.Anonymous.Take(who.Network); err != nil {
		return nil, err
	}
	err = s.limits.Sockets.Acquire(who)
	if err != nil && who.Node && s.live.dropSilent(a.ID) {
		s.limits.Sockets.Force(who)
		err = nil
	}
	if err != nil {
		return nil, err
	}
	return func() { s.limits.Sockets.Release(who) }, nil
}

// recognize finds out who asks for the live channel by the Authorization header of the session's first request, and has
// the connection of this one count for the account.
func (s *Server) recognize(ctx context.Context, first string) (access.Actor, bool) {
	token, err := bearer(first)
	if err != nil {
		return access.Actor{}, false
	}
	a, err := s.actor(ctx, token)
	if err != nil || a.Kind == access.Container {
		return access.Actor{}, false
	}
	_ = limits.Of(ctx).BelongTo(a.ID, a.Kind == access.Node) // sessions have a limit of their own
	return a, true
}

// recognizeLater is recognize for a further request of a session, which need not show the token again: a poll, or the
// websocket that takes its place.
func (s *Server) recognizeLater(r *http.Request) {
	conn := limits.Of(r.Context())
	if conn == nil || conn.Known() {
		return
	}
	if first := s.live.engine.Authorization(r.URL.Query().Get("sid")); first != "" {
		s.recognize(r.Context(), first)
	}
}
