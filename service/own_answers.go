package service

import (
	"bytes"
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"slices"
	"sync/atomic"

	"vserver/handlers"
)

// Package http answers by itself, without a handler, what is no request, and what is too
// large to be one. Those answers get the headers that every answer has
// (/docs/security#t15) on their way to the connection.

// answered is a connection that knows whether a handler gives the answer.
type answered struct {
	net.Conn
	half                // lets an early answer reach a client that is still sending
	headers []byte      // of answers that no handler gives
	handled atomic.Bool // from the beginning of a handler until its answer has gone out
}

type half interface{ CloseWrite() error }

// whole is a connection that cannot be closed by halves.
type whole struct{}

// CloseWrite does nothing.
func (whole) CloseWrite() error { return nil }

// Write writes b, with the headers when it begins an answer of package http's own.
func (c *answered) Write(b []byte) (int, error) {
	end := -1
	if !c.handled.Load() && bytes.HasPrefix(b, []byte("HTTP/1.")) {
		end = bytes.Index(b, []byte("\r\n"))
	}
	if end < 0 {
		return c.Conn.Write(b) //nolint:wrapcheck // net/http looks at it
	}
	if _, err := c.Conn.Write(slices.Concat(b[:end+2], c.headers, b[end+2:])); err != nil {
		return 0, err //nolint:wrapcheck // as above
	}
	return len(b), nil
}

// NetConn returns the connection below.
func (c *answered) NetConn() net.Conn { return c.Conn }

// answeredTLS is answered on a connection whose handshake is done.
type answeredTLS struct {
	*answered
	agreed // what package http fills http.Request.TLS from
}

type agreed interface{ ConnectionState() tls.ConnectionState }

// answering has the connections of a listener know who answers on them. Those of HTTP/2 are
// package http's alone: it answers nothing there that is no request, but for two pages
// about headers that are too large or forbidden.
type answering struct {
	net.Listener
	headers []byte // those of package http's own answers
}

// Accept waits for the next connection.
func (l answering) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err //nolint:wrapcheck // as above
	}
	secure, ok := c.(*tls.Conn)
	if ok && secure.ConnectionState().NegotiatedProtocol == "h2" {
		return c, nil
	}
	a := &answered{Conn: c, half: whole{}, headers: l.headers}
	if h, able := c.(half); able {
		a.half = h
	}
	if ok {
		return answeredTLS{a, secure}, nil
	}
	return a, nil
}

// ownHeaders are the headers of package http's own answers, as they are sent.
func ownHeaders(secure bool) []byte {
	h := http.Header{"Cache-Control": {"no-store"}}
	handlers.CloseToBrowsers(h, secure)
	var text bytes.Buffer
	_ = h.Write(&text) // a buffer takes everything
	return text.Bytes()
}

// answeredOf returns the connection that package http was given, as one that knows who
// answers; nil when it is none.
func answeredOf(c net.Conn) *answered {
	if secure, ok := c.(answeredTLS); ok {
		return secure.answered
	}
	a, _ := c.(*answered)
	return a
}

// noteHandlers has a server's handler tell the connection that it answers. Hooks that the
// server has see the connection below.
func noteHandlers(s *http.Server) {
	type place struct{}
	next, keep, follow := s.Handler, s.ConnContext, s.ConnState
	s.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if a, ok := r.Context().Value(place{}).(*answered); ok {
			a.handled.Store(true)
		}
		next.ServeHTTP(w, r)
	})
	s.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		if a := answeredOf(c); a != nil {
			ctx, c = context.WithValue(ctx, place{}, a), a.Conn
		}
		if keep != nil {
			ctx = keep(ctx, c)
		}
		return ctx
	}
	s.ConnState = func(c net.Conn, state http.ConnState) {
		if a := answeredOf(c); a != nil {
			if state == http.StateIdle { // its answer has gone out
				a.handled.Store(false)
			}
			c = a.Conn
		}
		if follow != nil {
			follow(c, state)
		}
	}
}
