package daemon

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

func TestNotifier(t *testing.T) {
	mine := strconv.Itoa(os.Getpid())
	for name, c := range map[string]struct {
		getenv func(string) string
		want   Notifier
	}{
		"nobody":             {nil, Notifier{}},
		"no socket":          {environment(), Notifier{}},
		"no watchdog":        {environment("NOTIFY_SOCKET", "/s"), Notifier{socket: "/s"}},
		"watchdog":           {environment("NOTIFY_SOCKET", "/s", "WATCHDOG_USEC", "30000000"), Notifier{"/s", 10 * time.Second}},
		"my watchdog":        {environment("WATCHDOG_PID", mine, "WATCHDOG_USEC", "3"), Notifier{every: time.Microsecond}},
		"another's watchdog": {environment("WATCHDOG_PID", mine+"0", "WATCHDOG_USEC", "3"), Notifier{}},
		"broken":             {environment("WATCHDOG_USEC", "soon"), Notifier{}},
	} {
		if got := NewNotifier(c.getenv); got != c.want {
			t.Errorf("%s: %+v", name, got)
		}
	}
	// States for nobody, or to a socket that is gone, hold nothing up.
	Notifier{}.Notify(t.Context(), "READY=1")
	Notifier{socket: filepath.Join(t.TempDir(), "gone")}.Notify(t.Context(), "READY=1")
}
