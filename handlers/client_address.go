package handlers

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"vserver/service/core"
	"vserver/service/limits"
)

// client is where a request comes from.
type client struct {
	Address netip.Addr // for the log
	// Known is false behind a proxy that trusted_proxies does not list: there everybody has
	// the proxy's address, and what is limited by address has no limit (/docs/proxy#unknown).
	Known bool
}

// network is what limits and locks by address go by; it is not valid for a client that
// nobody knows the address of. Who has one IPv6 address has the 2^64 beside it as well.
func (c client) network() netip.Prefix {
	if !c.Known {
		return netip.Prefix{}
	}
	return limits.NetworkOf(c.Address)
}

// peer is the address at the other end of the connection.
func peer(r *http.Request) netip.Addr {
	p, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return p.Addr().Unmap()
}

// trusted reports whether the forwarding headers of a peer count (/docs/security#u7).
func (s *Server) trusted(a netip.Addr) bool {
	for _, p := range s.opt.TrustedProxies {
		if a.IsValid() && p.Contains(a) {
			return true
		}
	}
	return false
}

// forwards are the headers that only a proxy adds to a request.
var forwards = []string{
	"Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-Ip", "True-Client-Ip", "Cf-Connecting-Ip", "Via",
}

// forwarded reports whether a request says that it came through a proxy.
func forwarded(r *http.Request) bool {
	return slices.ContainsFunc(forwards, func(h string) bool { return r.Header.Get(h) != "" })
}

// clientOf returns the client of a request: the peer, or what trusted proxies say about
// it. One that they say nothing legible about is not known.
func (s *Server) clientOf(r *http.Request) client {
	at := peer(r)
	if !s.trusted(at) || !forwarded(r) {
		return client{at, at.IsValid() && !forwarded(r)}
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && s.trusted(at); i-- {
		next, ok := hop(hops[i])
		if !ok {
			return client{Address: at}
		}
		at = next
	}
	return client{at, true}
}

// hop reads an address of X-Forwarded-For, to which some proxies add the port.
func hop(text string) (netip.Addr, bool) {
	text = strings.TrimSpace(text)
	if p, err := netip.ParseAddrPort(text); err == nil {
		return p.Addr().Unmap(), true
	}
	a, err := netip.ParseAddr(text)
	return a.Unmap(), err == nil
}

// origin is where a request comes from, for log-ins.
func (s *Server) origin(r *http.Request) core.Origin {
	c := s.clientOf(r)
	return core.Origin{Address: c.Address.String(), Network: c.network(), Here: s.isLocal(r), Language: languageOf(r.Header), Client: programOf(r.Header)}
}

// longestProgram is how much is kept of what a client says it is, in characters.
const longestProgram = 200

// programOf is what a client says it is, as a text that any database keeps.
func programOf(h http.Header) string {
	printable := strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || r == utf8.RuneError {
			return -1
		}
		return r
	}, h.Get("User-Agent"))
	if runes := []rune(printable); len(runes) > longestProgram {
		return string(runes[:longestProgram])
	}
	return printable
}

// isLocal reports whether a request comes from this machine. A request that claims
// to be forwarded by a peer that is not trusted does not (/docs/tokens#first-user).
func (s *Server) isLocal(r *http.Request) bool {
	c := s.clientOf(r)
	return c.Known && c.Address.IsLoopback()
}
