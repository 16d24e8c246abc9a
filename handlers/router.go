package handlers

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"vserver/service/access"
	"vserver/service/core"
	"vserver/service/fault"
)

// register registers every path once, with all its methods, so that 405,
// OPTIONS and HEAD follow from the table.
func (s *Server) register(rows []route) {
	byPath := map[string]map[string]route{}
	for _, r := range rows {
		if byPath[r.path] == nil {
			byPath[r.path] = map[string]route{}
		}
		byPath[r.path][r.method] = r
	}
	s.echo.HTTPErrorHandler = func(err error, c echo.Context) { s.fail(c, err) }
	s.echo.RouteNotFound("/*", s.open(s.unknown))
	for path, methods := range byPath {
		// What Any does would hold an entry for each of eleven methods, and know no other.
		s.echo.RouteNotFound(s.opt.APIPath+path, s.dispatch(methods))
	}
}

func unknownURL(c echo.Context) error {
	return fault.New(fault.Missing, "There is nothing at %s", c.Request().URL.Path)
}

// dispatch answers a path by the method of the request.
func (s *Server) dispatch(methods map[string]route) echo.HandlerFunc {
	allow := allowed(methods)
	return func(c echo.Context) error {
		for _, v := range c.ParamValues() {
			if !decimal(v) {
				return unknownURL(c)
			}
		}
		method := c.Request().Method
		if method == http.MethodHead {
			method = http.MethodGet
		}
		r, ok := methods[method]
		switch {
		case method == http.MethodOptions:
			c.Response().Header().Set("Allow", allow)
			return c.Blob(http.StatusOK, "text/html; charset=utf-8", nil)
		case !ok:
			c.Response().Header().Set("Allow", allow)
			return errMethod
		}
		return s.serve(c, r)
	}
}

// serve answers a request of a route.
func (s *Server) serve(c echo.Context, r route) error {
	c.Response().Header().Set("Cache-Control", "private, no-cache")
	if err := checkHeaders(c.Request()); err != nil {
		return err
	}
	err := s.attempt(c, r)
	switch {
	case r.held && s.passing(err):
		s.cut(c, err)
	case core.StoragePasses(err) && !r.portal && !c.Response().Committed:
		return s.holdForNode(c, r, err)
	}
	return err
}

// attempt answers a request of a route, or returns why it could not.
func (s *Server) attempt(c echo.Context, r route) error {
	k := &call{s: s, echo: c, ctx: c.Request().Context(), query: c.Request().URL.Query(), lasting: r.lasting}
	k.asks = r.askedFor(k)
	if r.held {
		k.until = s.core.HoldUntil()
	}
	defer k.dropTexts()
	defer k.giveBack()
	return k.judged(r)
}

// holdForNode has a node, or an algorithm of one, wait for a storage that was full or away, as far as the request can be
// tried again: it has no body. A node gets no refusal, after which it would forget its work; it repeats what broke off.
func (s *Server) holdForNode(c echo.Context, r route, err error) error {
	kind := s.speaker(c.Request())
	if kind != access.Node && kind != access.Container {
		return err
	}
	if m := c.Request().Method; m == http.MethodGet || m == http.MethodHead {
		_ = s.core.Hold(c.Request().Context(), s.core.HoldUntil(), func(context.Context) error {
			if err = s.attempt(c, r); c.Response().Committed {
				return nil
			}
			return err
		})
	}
	if kind == access.Node && core.StoragePasses(err) && !c.Response().Committed {
		s.cut(c, err)
	}
	return err
}

// cut ends the connection of a node.
func (s *Server) cut(c echo.Context, err error) {
	s.log.Warn().Err(err).Str("path", c.Request().URL.Path).Msg("Cut the connection of a node, which will send this again")
	panic(http.ErrAbortHandler)
}

// judged finds out who calls, and calls the handler of a route.
func (k *call) judged(r route) error {
	if r.who == anyone && !r.free {
		if err := k.s.countAnonymous(k.echo); err != nil {
			return err
		}
	}
	if r.who != anyone {
		if err := k.identify(r.who); err != nil {
			return err
		}
	}
	if r.once {
		if err := k.takeKey(); err != nil {
			return err
		}
	}
	if err := k.checkQuery(); err != nil {
		return err
	}
	return r.handle(k)
}

// identify finds out who calls, by the token.
func (k *call) identify(who access.Kind) error {
	err := k.s.core.Hold(k.ctx, k.until, func(context.Context) (err error) {
		k.actor, err = k.s.authenticate(k.echo.Request(), who)
		return err
	})
	if err != nil {
		return k.s.countBadToken(k.echo, err)
	}
	if err := k.s.recognized(k.echo, k.actor); err != nil {
		return err
	}
	if k.actor.Kind != access.Container {
		k.s.core.NoteSeen(k.actor.ID)
	}
	return nil
}

// passing reports whether what failed may go well later: no room, no database, too many,
// or a body that broke off.
func (s *Server) passing(err error) bool {
	f, ok := fault.As(err)
	return core.StoragePasses(err) || ok && (f.Kind == fault.TooMany || f.Kind == fault.Broken)
}

// allowed lists the methods of a path for the Allow header.
func allowed(methods map[string]route) string {
	list := []string{http.MethodOptions}
	for m := range methods {
		list = append(list, m)
		if m == http.MethodGet {
			list = append(list, http.MethodHead)
		}
	}
	slices.Sort(list)
	return strings.Join(list, ", ")
}

// decimal reports whether s consists of ASCII digits only.
func decimal(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// collapsed returns where a path with doubled slashes leads, "" when it has none.
func collapsed(u *url.URL) string {
	p := u.EscapedPath()
	if !strings.Contains(p, "//") {
		return ""
	}
	for strings.Contains(p, "//") {
		p = strings.ReplaceAll(p, "//", "/")
	}
	if u.RawQuery != "" {
		p += "?" + u.RawQuery
	}
	return p
}
