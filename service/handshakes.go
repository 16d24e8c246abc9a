package service

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"

	"github.com/rs/zerolog"

	"vserver/service/fault"
)

// handshakes is a listener of TLS that gives connections whose handshake is done, because
// who answers on one depends on the protocol that was agreed on there.
type handshakes struct {
	net.Listener
	settings *tls.Config
	log      zerolog.Logger

	came  chan arrival
	end   context.CancelFunc
	ended <-chan struct{}
	work  sync.WaitGroup
}

type arrival struct {
	conn net.Conn
	err  error
}

// shakeHands begins to take connections; they end with the listener.
func shakeHands(l net.Listener, settings *tls.Config, log zerolog.Logger) *handshakes {
	ctx, end := context.WithCancel(context.Background())
	h := &handshakes{Listener: l, settings: settings, log: log, came: make(chan arrival), end: end, ended: ctx.Done()}
	h.work.Go(func() {
		fault.Steadily(ctx, h.panicked, h.take)
	})
	return h
}

func (h *handshakes) panicked(p *fault.Panic) {
	h.log.Error().Func(p.Detail).Msg("Taking connections panicked, it begins again")
}

// take takes connections until the listener is closed.
func (h *handshakes) take(ctx context.Context) {
	for {
		c, err := h.Listener.Accept()
		if err != nil {
			h.hand(arrival{err: err})
			if errors.Is(err, net.ErrClosed) {
				return
			}
			continue
		}
		h.work.Go(func() {
			if err := h.shake(ctx, tls.Server(c, h.settings)); err != nil {
				_ = c.Close()
				h.log.Debug().Err(err).Msgf("TLS handshake with %s failed", c.RemoteAddr())
			}
		})
	}
}

// shake waits for a client's part of the handshake as long as for the head of a request.
func (h *handshakes) shake(ctx context.Context, c *tls.Conn) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fault.Recovered(p)
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, headerTime)
	defer cancel()
	err = c.HandshakeContext(ctx)
	var plain tls.RecordHeaderError
	if errors.As(err, &plain) && plain.Conn != nil && likeHTTP(plain.RecordHeader) {
		const text = "Client sent an HTTP request to an HTTPS server.\n"
		head := "HTTP/1.0 400 Bad Request\r\n" + string(ownHeaders(false)) + "Content-Type: text/plain; charset=utf-8\r\n\r\n"
		_, _ = plain.Conn.Write([]byte(head + text)) // whoever is gone reads nothing
	}
	if err != nil {
		return err //nolint:wrapcheck // for the log
	}
	h.hand(arrival{conn: c})
	return nil
}

// hand gives an arrival to who accepts it; nobody does after the end.
func (h *handshakes) hand(a arrival) {
	select {
	case h.came <- a:
	case <-h.ended:
		if a.conn != nil {
			_ = a.conn.Close()
		}
	}
}

// likeHTTP reports whether what came in place of a handshake begins with a method.
func likeHTTP(begin [5]byte) bool {
	for _, b := range begin {
		if (b < 'A' || b > 'Z') && b != ' ' && b != '/' {
			return false
		}
	}
	return true
}

// Accept waits for the next connection that is ready for requests.
func (h *handshakes) Accept() (net.Conn, error) {
	select {
	case a := <-h.came:
		return a.conn, a.err
	case <-h.ended:
		return nil, net.ErrClosed
	}
}

// Close ends the listener and the handshakes under way.
func (h *handshakes) Close() error {
	h.end()
	err := h.Listener.Close()
	h.work.Wait()
	return err //nolint:wrapcheck // as net.Listener has it
}
