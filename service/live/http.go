package live

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
)

// Answers of the transport that clients know (/docs/live#refusals).
const (
	badVersion   = "The client is using an unsupported version of the Socket.IO or Engine.IO protocols"
	badTransport = "Invalid transport"
	badSession   = "Invalid session"
	badUpgrade   = "Invalid websocket upgrade"
	badRequest   = "Bad Request"
	badMethod    = "Method Not Allowed"
	badOrigin    = "Origin not allowed"
	badHeader    = "Header too large"
)

// maxHeader bounds the header of a handshake in bytes: its Authorization is kept as long as the session lives.
const maxHeader = 32 << 10

// ServeHTTP answers the requests of the socket endpoint: handshakes, polls, posts and websocket upgrades.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store") // packets and refusals alike
	if !s.share(w, r) {
		refuse(w, http.StatusForbidden, badOrigin)
		return
	}
	query := r.URL.Query()
	transport, sid := query.Get("transport"), query.Get("sid")
	switch {
	case r.Method == http.MethodOptions:
		agree(w)
	case r.Method != http.MethodGet && r.Method != http.MethodPost:
		refuse(w, http.StatusMethodNotAllowed, badMethod)
	case transport != "polling" && transport != "websocket":
		refuse(w, http.StatusBadRequest, badTransport)
	case query.Get("EIO") != "4":
		refuse(w, http.StatusBadRequest, badVersion)
	case sid != "":
		s.serveSession(w, r, sid, transport)
	case r.Method == http.MethodPost:
		refuse(w, http.StatusBadRequest, badSession)
	case headerSize(r.Header) > maxHeader:
		refuse(w, http.StatusRequestHeaderFieldsTooLarge, badHeader)
	case transport == "websocket":
		s.serveWebsocket(w, r, nil)
	default:
		s.serveHandshake(w, r)
	}
}

// serveSession answers a request that names a session.
func (s *Server) serveSession(w http.ResponseWriter, r *http.Request, sid, transport string) {
	c := s.session(sid)
	switch {
	case c == nil && r.Method == http.MethodPost:
		refusePost(w)
	case c == nil && transport == "websocket" && adoptable(r):
		s.serveWebsocket(w, r, nil)
	case c == nil:
		refuse(w, http.StatusBadRequest, badSession)
	case r.Method == http.MethodPost:
		s.servePost(w, r, c)
	case transport == "websocket":
		s.serveWebsocket(w, r, c)
	default:
		s.servePoll(w, r, c)
	}
}

// adoptable reports whether a client that wants to move a session to a websocket can have a new session with it, where that
// of its handshake is another server's: Python's shows its token once more, and has sent nothing else yet.
func adoptable(r *http.Request) bool {
	return r.Header.Get("Authorization") != "" && headerSize(r.Header) <= maxHeader
}

// serveHandshake opens a session that begins with polling.
func (s *Server) serveHandshake(w http.ResponseWriter, r *http.Request) {
	c, err := s.open(r)
	if err != nil {
		refuseOpen(w, err)
		return
	}
	text(w)
	w.Write(s.greeting(c, `"websocket"`)) // a client that is gone already falls silent
}

// greeting is the open packet of a session.
func (s *Server) greeting(c *session, upgrades string) []byte {
	return fmt.Appendf(nil, `0{"sid":%q,"upgrades":[%s],"pingTimeout":%d,"pingInterval":%d,"maxPayload":%d}`,
		c.id, upgrades, s.opt.PingTimeout.Milliseconds(), s.opt.PingInterval.Milliseconds(), s.opt.MaxPayload)
}

// text heads an answer that holds packets.
func text(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/plain; charset=UTF-8")
}

// agree is the answer to a preflight and to a post that was taken.
func agree(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/plain")
	w.Write([]byte("OK"))
}

// refuse answers with a JSON string that calls itself text, as clients expect it (/docs/live#refusals).
func refuse(w http.ResponseWriter, status int, message string) {
	body, _ := json.Marshal(message)
	w.Header().Set("Content-Type", "text/plain")
	w.WriteHeader(status)
	w.Write(body)
}

// refusePost answers a post to a session that has ended, or that another server has, so that the client begins anew.
// python-engineio takes a 400 as a reason never to come back, unless its reader meets one before, and a 200 as a reason to
// wait for half a minute. Only a request that fails in itself lets it go on at once, and one that is led to an address
// without a host fails in every client, through every proxy.
func refusePost(w http.ResponseWriter) {
	w.Header().Set("Location", "gone:")
	refuse(w, http.StatusPermanentRedirect, badSession)
}

func refuseOpen(w http.ResponseWriter, err error) {
	status := http.StatusTooManyRequests
	if errors.Is(err, errFull) || errors.Is(err, errShutDown) {
		status = http.StatusServiceUnavailable
	}
	w.Header().Set("Retry-After", "5")
	refuse(w, status, err.Error())
}

func headerSize(h http.Header) int {
	n := 0
	for key, values := range h {
		for _, v := range values {
			n += len(key) + len(v)
		}
	}
	return n
}

// share sets the CORS headers and reports whether the origin of the request may use the server
// (/docs/live#origins, /docs/security#t14). Requests without an origin come from programs, which no browser sent
// out, and are never refused.
func (s *Server) share(w http.ResponseWriter, r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true
	}
	h := w.Header()
	h.Add("Vary", "Origin")
	if s.opt.AllowOrigin != nil && !s.opt.AllowOrigin(r) {
		return false
	}
	h.Set("Access-Control-Allow-Origin", origin)
	if r.Method == http.MethodOptions {
		h.Set("Access-Control-Allow-Methods", "OPTIONS, GET, POST")
		if asked := r.Header.Get("Access-Control-Request-Headers"); asked != "" {
			h.Set("Access-Control-Allow-Headers", asked)
		}
	}
	return true
}
