package limits

import (
	"container/list"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// patience is how long a client may take nothing of what is sent to it (/docs/security#u9). It is looked at four times
// meanwhile, so that the time counts from the last byte.
const patience = 60 * time.Second

// Conn is a connection of a client. It waits for a reader as long as that takes something now and then, and is one of a
// crowd.
type Conn struct {
	net.Conn
	crowd    *Crowd
	patience time.Duration

	until  atomic.Int64 // the deadline of writing that was set here, in nanoseconds; 0: none
	theirs atomic.Bool  // somebody else has set one, which counts alone
	idle   atomic.Bool  // it waits for a request
	closed sync.Once

	// Guarded by crowd.mu.
	member
	place *list.Element // in the list of its group; nil: it is in none any more
}

// Write writes all of b at the reader's pace.
func (c *Conn) Write(b []byte) (int, error) {
	if c.theirs.Load() {
		return c.Conn.Write(b) //nolint:wrapcheck // net/http looks at it
	}
	sent, queued := 0, -1
	last := time.Now() // that something was taken
	c.allow(last)
	for {
		n, err := c.Conn.Write(b[sent:])
		sent += n
		if !errors.Is(err, os.ErrDeadlineExceeded) || c.theirs.Load() {
			return sent, err //nolint:wrapcheck // as above
		}
		now, queue := time.Now(), unacknowledged(c.Conn)
		if n > 0 || queue >= 0 && queue < queued {
			last = now
		} else if now.Sub(last) >= c.patience {
			c.TookNothing(c.patience)
			return sent, err //nolint:wrapcheck // as above
		}
		queued = queue
		c.allow(now)
	}
}

// allow lets a write wait for a quarter of the patience. A deadline that is far enough away stays, since most answers
// are small and many.
func (c *Conn) allow(now time.Time) {
	step := c.patience / 4
	if c.until.Load()-now.UnixNano() >= int64(step/2) {
		return
	}
	at := now.Add(step)
	if c.Conn.SetWriteDeadline(at) == nil {
		c.until.Store(at.UnixNano())
	}
}

// SetWriteDeadline sets a deadline in place of the patience, or takes it back.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	c.theirs.Store(!t.IsZero())
	c.until.Store(0)
	return c.Conn.SetWriteDeadline(t) //nolint:wrapcheck // net/http looks at it
}

// SetDeadline sets both deadlines, see SetWriteDeadline.
func (c *Conn) SetDeadline(t time.Time) error {
	c.theirs.Store(!t.IsZero())
	c.until.Store(0)
	return c.Conn.SetDeadline(t) //nolint:wrapcheck // net/http looks at it
}

// CloseWrite ends what is sent, so that an early answer reaches a client that is still sending.
func (c *Conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite() //nolint:wrapcheck // net/http looks at it
	}
	return nil
}

// Close closes the connection and waits until its descriptor is free.
func (c *Conn) Close() error {
	err := c.Conn.Close()
	c.closed.Do(func() { c.crowd.leave(c) })
	return err //nolint:wrapcheck // net/http looks at it
}

// key is where a request's context has its connection.
type key struct{}

// Keep puts a connection in the context of its requests; it fits http.Server.ConnContext.
func Keep(ctx context.Context, c net.Conn) context.Context {
	if conn := below(c); conn != nil {
		return context.WithValue(ctx, key{}, conn)
	}
	return ctx
}

// Of returns the connection that a request came on; nil when it came on none, as in a test.
func Of(ctx context.Context) *Conn {
	c, _ := ctx.Value(key{}).(*Conn)
	return c
}

// Follow notes whether a connection is idle; it fits http.Server.ConnState.
func Follow(c net.Conn, state http.ConnState) {
	if conn := below(c); conn != nil {
		conn.idle.Store(state == http.StateIdle)
	}
}

// below finds the connection under TLS.
func below(c net.Conn) *Conn {
	if secure, ok := c.(*tls.Conn); ok {
		c = secure.NetConn()
	}
	conn, _ := c.(*Conn)
	return conn
}
