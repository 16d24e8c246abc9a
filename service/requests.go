package service

import (
	"context"
	"crypto/rand"
	"log"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"vserver/service/limits"
)

// logged writes every request to the log at level debug. The query is left out: it may
// hold what nobody should read.
func logged(next http.Handler, log zerolog.Logger) http.Handler {
	if log.GetLevel() > zerolog.DebugLevel {
		return next
	}
	series := rand.Text()[:6]
	var number atomic.Int64
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := series + "-" + strconv.FormatInt(number.Add(1), 36)
		w.Header().Set("X-Request-Id", id)
		seen := &reply{ResponseWriter: w, status: http.StatusOK}
		began := time.Now()
		next.ServeHTTP(seen, r)
		log.Debug().Int("status", seen.status).Dur("ms", time.Since(began)).Str("request", id).
			Msgf("Received request: %s %s", r.Method, r.URL.Path)
	})
}

// reply notes the status that is sent.
type reply struct {
	http.ResponseWriter
	status int
}

// WriteHeader notes the status.
func (r *reply) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

// Unwrap returns the writer that http.ResponseController needs for the live channel.
func (r *reply) Unwrap() http.ResponseWriter { return r.ResponseWriter }

const (
	// takeTime is how long a reader of HTTP/2 may take nothing; below HTTP/1 the connection itself sees to that.
	takeTime = time.Minute
	// pieceSize is what is written at a time under one deadline, in bytes.
	pieceSize = 64 << 10
)

// patient cuts replies whose reader takes nothing (/docs/security#u9). With HTTP/2 that does not show on the connection,
// which goes on to carry others.
func patient(next http.Handler, wait time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor > 1 {
			w = &pieces{ResponseWriter: w, control: http.NewResponseController(w), wait: wait, conn: limits.Of(r.Context())}
		}
		next.ServeHTTP(w, r)
	})
}

// pieces writes a reply piece by piece, each with a deadline of its own.
type pieces struct {
	http.ResponseWriter
	control *http.ResponseController
	wait    time.Duration
	conn    *limits.Conn
}

// Write writes all of b at the reader's pace.
func (p *pieces) Write(b []byte) (int, error) {
	sent := 0
	for {
		began := time.Now()
		p.control.SetWriteDeadline(began.Add(p.wait))
		n, err := p.ResponseWriter.Write(b[sent:min(sent+pieceSize, len(b))])
		if err != nil && time.Since(began) >= p.wait {
			p.conn.TookNothing(p.wait)
		}
		if sent += n; err != nil || sent >= len(b) {
			return sent, err //nolint:wrapcheck // net/http looks at it
		}
	}
}

// Unwrap returns the writer that http.ResponseController needs.
func (p *pieces) Unwrap() http.ResponseWriter { return p.ResponseWriter }

// complaints takes what package http says by itself: panics of handlers are errors,
// the rest is about clients that do not speak HTTP or TLS.
type complaints struct{ log zerolog.Logger }

// Write logs one complaint.
func (c complaints) Write(text []byte) (int, error) {
	line := strings.TrimSpace(string(text))
	if strings.Contains(line, "panic serving") {
		c.log.Error().Msg(line)
	} else {
		c.log.Debug().Msg(line)
	}
	return len(text), nil
}

func complain(to zerolog.Logger) *log.Logger { return log.New(complaints{to}, "", 0) }

// answers reports whether the routes still answer. It asks for what needs no database: a
// database that hangs is waited for (/docs/reliability#r10), and a start would not mend it.
func answers(routes http.Handler, path string) func(context.Context) bool {
	return func(ctx context.Context) bool {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, path+"/version", http.NoBody)
		if err != nil {
			return false
		}
		seen := &reply{ResponseWriter: discarded{}, status: http.StatusOK}
		routes.ServeHTTP(seen, r)
		return seen.status == http.StatusOK
	}
}

// discarded is a reply that is sent to nobody.
type discarded http.Header

// Header returns that of the reply.
func (d discarded) Header() http.Header { return http.Header(d) }

// WriteHeader takes the status.
func (discarded) WriteHeader(int) {}

// Write takes the body.
func (discarded) Write(b []byte) (int, error) { return len(b), nil }
