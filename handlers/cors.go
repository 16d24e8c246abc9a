package handlers

import (
	"net/http"
	"slices"
	"strings"

	"vserver/embed"
)

// setHeaders sets what every reply carries: who may read it, and what a browser may do
// with it (/docs/wire#cors, /docs/security#t14, /docs/security#t15).
func (s *Server) setHeaders(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	CloseToBrowsers(h, s.opt.TLS)
	if strings.HasPrefix(r.URL.Path, socketPath) {
		return // the live channel has its own
	}
	origin := r.Header.Get("Origin")
	switch {
	case origin == "" && s.opt.AllowedOrigins == nil:
		h.Set("Access-Control-Allow-Origin", "*")
		return
	case origin == "":
		return
	}
	h.Add("Vary", "Origin")
	if !s.mayRead(r) {
		return
	}
	h.Set("Access-Control-Allow-Origin", origin)
	exposed := "Link, total-count, jwt-token"
	if r.Header.Get(keyHeader) != "" {
		exposed += ", " + replayedHeader
	}
	h.Set("Access-Control-Expose-Headers", exposed)
	if r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" {
		h.Set("Access-Control-Allow-Methods", "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT")
		if asked := r.Header.Get("Access-Control-Request-Headers"); asked != "" {
			h.Set("Access-Control-Allow-Headers", sortedWords(asked))
		}
	}
}

// CloseToBrowsers sets what an answer says of what a browser may do with it.
func CloseToBrowsers(h http.Header, tls bool) {
	h.Set("Content-Security-Policy", embed.StartPolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	if tls {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
}

// socketPath is where the live channel is, always at the root (/docs/live#path).
const socketPath = "/socket.io/"

func sortedWords(list string) string {
	words := strings.Split(list, ",")
	for i := range words {
		words[i] = strings.TrimSpace(words[i])
	}
	slices.Sort(words)
	return strings.Join(words, ", ")
}

// mayRead reports whether the request's web origin may read answers: every one while
// no list is configured, else a listed one or the server's own. A request without
// an origin comes from no browser and is never refused for it.
func (s *Server) mayRead(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" || s.opt.AllowedOrigins == nil || slices.Contains(s.opt.AllowedOrigins, origin) {
		return true
	}
	scheme, host, _ := strings.Cut(origin, "://")
	return scheme == s.scheme(r) && strings.EqualFold(host, r.Host) && s.isOwnHost(r.Host)
}

// mayConnect is mayRead for the live channel. Python's client tells an origin there,
// though it is no browser: that of the address it asks, and with http also when it asks
// by https. Such a node must get through by whatever name it was told. Pages gain nothing
// by it: a browser lets none of them send a token with the upgrade.
func (s *Server) mayConnect(r *http.Request) bool {
	scheme, host, _ := strings.Cut(r.Header.Get("Origin"), "://")
	if r.Header.Get("Upgrade") != "" && strings.EqualFold(host, r.Host) {
		_, err := bearer(r.Header.Get("Authorization"))
		if known := s.isOwnHost(r.Host); scheme == "http" && (known || err == nil) || scheme == "https" && err == nil {
			return true
		}
	}
	may := s.mayRead(r)
	if !may {
		s.adviseName(r)
	}
	return may
}

// scheme is how the caller reached this server, as far as a trusted proxy says.
func (s *Server) scheme(r *http.Request) string {
	if p := r.Header.Get("X-Forwarded-Proto"); p != "" && s.trusted(peer(r)) {
		return p
	}
	if r.TLS != nil {
		return "https"
	}
	return "http"
}
