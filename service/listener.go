package service

import (
	"errors"
	"net"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/rs/zerolog"
)

// descriptors is what is known of the file descriptors of this process: while there is
// none left, nobody is let in.
type descriptors struct {
	log     zerolog.Logger
	refused atomic.Int64 // connections that could not be taken
	last    atomic.Int64 // when the last was, in nanoseconds; 0 for never
}

// exhaustedFor is how long the process counts as out of descriptors after it lacked one.
// The next try of net/http comes within a second.
const exhaustedFor = 5 * time.Second

// exhausted reports whether there was no descriptor left of late.
func (d *descriptors) exhausted() bool {
	last := d.last.Load()
	return last != 0 && time.Since(time.Unix(0, last)) < exhaustedFor
}

// lacked counts a connection that found no descriptor, and says so once for each time
// that they run out.
func (d *descriptors) lacked(err error) {
	before := d.exhausted()
	d.refused.Add(1)
	d.last.Store(time.Now().UnixNano())
	if !before {
		d.log.Error().Err(err).Msg("There are too many open files: new connections wait. Raise the limit of the process (LimitNOFILE, ulimit -n), " +
			"or look who opens so many")
	}
}

// watch notices where a listener lacks descriptors.
func (d *descriptors) watch(l net.Listener) net.Listener { return watchedListener{l, d} }

type watchedListener struct {
	net.Listener
	descriptors *descriptors
}

// winsockTooMany is WSAEMFILE, Windows' number for it.
const winsockTooMany = syscall.Errno(10024)

// Accept waits for the next connection.
func (l watchedListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	for _, number := range []error{syscall.EMFILE, syscall.ENFILE, winsockTooMany} {
		if errors.Is(err, number) {
			l.descriptors.lacked(err)
		}
	}
	return c, err //nolint:wrapcheck // net/http looks at it
}
