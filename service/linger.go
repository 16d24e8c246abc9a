package service

import (
	"io"
	"net/http"
	"time"
)

const (
	// lingerTime is how long the rest of a body is taken after its refusal.
	lingerTime = 30 * time.Second
	// lingerPause is how long a long rest may stand still meanwhile.
	lingerPause = 5 * time.Second
	// shortRest is what package http itself takes of a body before it sends an answer, in bytes.
	shortRest = 256 << 10
)

// lingering has an answer that comes before the end of a body reach clients that send the whole body before they look
// for one, as Python's requests does (/docs/wire#early). Without TLS such a client finds the answer when the connection is
// closed by halves; with TLS it would see an error of the connection, so a long rest is read and thrown away after the
// answer. A short rest package http reads by itself, and only the time for that is bounded here.
func lingering(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor > 1 || r.Body == http.NoBody {
			next.ServeHTTP(w, r)
			return
		}
		a := &earlyAnswer{ResponseWriter: w, control: http.NewResponseController(w), body: &unended{r.Body, r.ContentLength, nil}, secure: r.TLS != nil}
		watched := *r // package http looks at the body of its own request
		watched.Body = a.body
		next.ServeHTTP(a, &watched)
		if a.lingers && a.control.Flush() == nil {
			a.drain()
		}
	})
}

// earlyAnswer notices an answer that begins before the body has ended.
type earlyAnswer struct {
	http.ResponseWriter
	control *http.ResponseController
	body    *unended
	secure  bool
	begun   bool
	lingers bool
}

// WriteHeader begins the answer.
func (a *earlyAnswer) WriteHeader(status int) {
	if !a.begun && a.body.ended == nil {
		rest := a.body.left
		a.lingers = a.secure && (rest < 0 || rest > shortRest) && a.control.EnableFullDuplex() == nil
		if a.lingers {
			a.Header().Set("Connection", "close")
		} else {
			_ = a.control.SetReadDeadline(time.Now().Add(lingerTime))
		}
	}
	a.begun = a.begun || status >= http.StatusOK
	a.ResponseWriter.WriteHeader(status)
}

// Write begins the answer when nothing else has.
func (a *earlyAnswer) Write(b []byte) (int, error) {
	if !a.begun {
		a.WriteHeader(http.StatusOK)
	}
	return a.ResponseWriter.Write(b) //nolint:wrapcheck // net/http looks at it
}

// Unwrap returns the writer that http.ResponseController needs.
func (a *earlyAnswer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// drain reads the body to the end, or to that of the patience.
func (a *earlyAnswer) drain() {
	buffer := make([]byte, 16<<10)
	for until := time.Now().Add(lingerTime); a.body.ended == nil && time.Now().Before(until); {
		_ = a.control.SetReadDeadline(time.Now().Add(lingerPause))
		_, _ = a.body.Read(buffer) // which notes its error
	}
}

// unended is a body that knows how much of it is left.
type unended struct {
	io.ReadCloser
	left  int64 // bytes; below 0 when nobody knows
	ended error // why there is no more
}

// Read reads on.
func (b *unended) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.left > 0 {
		b.left -= int64(n)
	}
	b.ended = err
	return n, err //nolint:wrapcheck // net/http looks at it
}
