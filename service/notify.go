package service

import (
	"context"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"
)

// supervisor is a service manager that wants to hear how the server is. It speaks as
// sd_notify(3) of systemd describes: words in datagrams to a socket that it names in
// the environment. The zero value stands for nobody.
type supervisor struct {
	socket string
	every  time.Duration // between two signs of life; 0 when none are wanted
}

// newSupervisor reads who wants to hear from this process.
func newSupervisor(getenv func(string) string) supervisor {
	if getenv == nil {
		return supervisor{}
	}
	s := supervisor{socket: getenv("NOTIFY_SOCKET")}
	limit, err := strconv.Atoi(getenv("WATCHDOG_USEC"))
	meant := getenv("WATCHDOG_PID")
	if err == nil && limit > 0 && (meant == "" || meant == strconv.Itoa(os.Getpid())) {
		s.every = time.Duration(limit) * time.Microsecond / 3
	}
	return s
}

// tell sends words; a manager that cannot be reached decides by itself what to do.
func (s supervisor) tell(ctx context.Context, words string) {
	if s.socket == "" {
		return
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "unixgram", s.socket)
	if err != nil {
		return
	}
	defer func() { _ = conn.Close() }()
	_, _ = conn.Write([]byte(words))
}

// keepAlive sends signs of life until ctx ends, each only after alive has come back
// with yes: a server that hangs is started anew.
func (s supervisor) keepAlive(ctx context.Context, alive func(context.Context) bool) {
	if s.socket == "" || s.every == 0 {
		return
	}
	tick := time.NewTicker(s.every)
	defer tick.Stop()
	for {
		if alive(ctx) {
			s.tell(ctx, "WATCHDOG=1")
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// answers tells whether the routes still answer. It asks for what needs no database: a
// database that hangs is waited for (RELIABILITY R10), and a start would not mend it.
func answers(routes http.Handler, path string) func(context.Context) bool {
	return func(ctx context.Context) bool {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, path+"/version", http.NoBody)
		if err != nil {
			return false
		}
		reply := statusOnly{header: http.Header{}}
		routes.ServeHTTP(&reply, r)
		return reply.status == http.StatusOK
	}
}

// statusOnly is a reply of which only the status is looked at.
type statusOnly struct {
	header http.Header
	status int
}

// Header is that of the reply.
func (s *statusOnly) Header() http.Header { return s.header }

// WriteHeader keeps the status.
func (s *statusOnly) WriteHeader(status int) { s.status = status }

// Write takes the body.
func (s *statusOnly) Write(b []byte) (int, error) {
	if s.status == 0 {
		s.status = http.StatusOK
	}
	return len(b), nil
}
