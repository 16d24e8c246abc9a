package handlers

import (
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"

	"github.com/labstack/echo/v4"

	"vserver/service/fault"
)

// isOwnHost reports whether the Host of a request is an address or a name of this server.
// A page whose owner lets its name point to this machine asks by that name, and would else
// be of "the server's own" origin (/docs/security#t14).
func (s *Server) isOwnHost(host string) bool {
	name := bareName((&url.URL{Host: host}).Hostname())
	same := func(own string) bool { return name != "" && bareName(own) == name }
	if name == "localhost" || name == "host.docker.internal" || slices.ContainsFunc(s.opt.Names, same) {
		return true
	}
	_, err := netip.ParseAddr(name)
	return err == nil
}

// bareName is a name of DNS as it is compared.
func bareName(host string) string { return strings.ToLower(strings.TrimSuffix(host, ".")) }

// knowingPages refuses who shows a web origin that may not read, and asks by a name that
// is none of the server's: to the browser such a page and the server are one, so that it
// asks nobody who may read the answer.
func (s *Server) knowingPages(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		if s.mayRead(r) || s.isOwnHost(r.Host) {
			return next(c)
		}
		s.adviseName(r)
		return fault.New(fault.WrongKind, "Nothing says that this server has the name it was asked by: public_url in its configuration does")
	}
}

// advised are the hosts that the log has named. There is room for a few: whoever asks can
// make them up.
type advised struct {
	mu    sync.Mutex
	hosts []string
}

const mostAdvised = 20

// first reports whether a host is to be named now.
func (a *advised) first(host string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.hosts) >= mostAdvised || slices.Contains(a.hosts, host) {
		return false
	}
	a.hosts = append(a.hosts, host)
	return true
}

// isNamed reports whether a Host header, in small letters, is a name that may stand in a log
// and in a configuration, with a port or none. A pattern that counts to 253 would take
// 240 KiB of memory.
func isNamed(host string) bool {
	name, port, ported := strings.Cut(host, ":")
	return name != "" && len(name) <= 253 && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789_.-") == "" &&
		(!ported || port != "" && len(port) <= 5 && strings.Trim(port, "0123456789") == "")
}

// adviseName tells the administrator, once for each host, what to write for a page to be
// one of the server's own.
func (s *Server) adviseName(r *http.Request) {
	scheme, host, _ := strings.Cut(strings.ToLower(r.Header.Get("Origin")), "://")
	if scheme != "http" && scheme != "https" || host != strings.ToLower(r.Host) || s.isOwnHost(host) {
		return
	}
	if isNamed(host) && s.advised.first(host) {
		s.log.Warn().Str("from", s.clientOf(r).Address.String()).
			Msgf("Refused a web page of %s, which asked by that name. If it is a name of this server, add the line `public_url: %[1]s` to the configuration", scheme+"://"+host)
	}
}
