package handlers

import (
	"net/http"
	"net/netip"
	"strings"

	"vserver/service/core"
)

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

// clientAddress is the address that a request comes from: the peer's, or what trusted
// proxies say about it.
func (s *Server) clientAddress(r *http.Request) netip.Addr {
	at := peer(r)
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && s.trusted(at); i-- {
		next, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		at = next.Unmap()
	}
	return at
}

// origin is where a request comes from, for log-ins.
func (s *Server) origin(r *http.Request) core.Origin {
	return core.Origin{Address: s.clientAddress(r).String(), Here: s.isLocal(r)}
}

// isLocal reports whether a request comes from this machine. A request that claims
// to be forwarded by a peer that is not trusted does not (/docs/tokens#first-user).
func (s *Server) isLocal(r *http.Request) bool {
	if !s.trusted(peer(r)) {
		for _, h := range []string{"Forwarded", "X-Forwarded-For", "X-Real-IP"} {
			if r.Header.Get(h) != "" {
				return false
			}
		}
	}
	return s.clientAddress(r).IsLoopback()
}
