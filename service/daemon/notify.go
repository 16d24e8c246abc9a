package daemon

import (
	"context"
	"net"
	"os"
	"strconv"
	"time"
)

// Notifier reports the state of the server to the service manager, as sd_notify(3) of systemd
// describes: states in datagrams to a socket that the environment names. The zero value
// has no manager to notify.
type Notifier struct {
	socket string
	every  time.Duration // between two signs of life; 0 when none are wanted
}

// NewNotifier reads from the environment whether a manager wants to hear from this process.
func NewNotifier(getenv func(string) string) Notifier {
	if getenv == nil {
		return Notifier{}
	}
	n := Notifier{socket: getenv("NOTIFY_SOCKET")}
	limit, err := strconv.Atoi(getenv("WATCHDOG_USEC"))
	meant := getenv("WATCHDOG_PID")
	if err == nil && limit > 0 && (meant == "" || meant == strconv.Itoa(os.Getpid())) {
		n.every = time.Duration(limit) * time.Microsecond / 3
	}
	return n
}

// notifyTime is how long a manager that does not read is waited for: it must keep no server
// from ending.
const notifyTime = time.Second

// Notify sends a state; a manager that cannot be reached decides by itself what to do.
func (n Notifier) Notify(ctx context.Context, state string) {
	if n.socket == "" {
		return
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "unixgram", n.socket)
	if err != nil {
		return
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetWriteDeadline(time.Now().Add(notifyTime))
	_, _ = conn.Write([]byte(state))
}

// KeepAlive sends signs of life until ctx ends, each only after alive has come back
// with yes: a server that hangs is started anew.
func (n Notifier) KeepAlive(ctx context.Context, alive func(context.Context) bool) {
	if n.socket == "" || n.every == 0 {
		return
	}
	tick := time.NewTicker(n.every)
	defer tick.Stop()
	for {
		if alive(ctx) {
			n.Notify(ctx, "WATCHDOG=1")
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
