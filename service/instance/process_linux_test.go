package instance

import (
	"strings"
	"testing"
	"time"
)

// A container may show its services another boot than its shells: a server is the same
// one by when it began.
func TestServersAreKnownAcrossBootsOfContainers(t *testing.T) {
	pid := other(t, "echo ready; exec sleep 1000")
	_, ticks, _ := strings.Cut(birth(pid), "/")
	for name, c := range map[string]struct {
		born    string
		started time.Time
		want    bool
	}{
		"now":            {"another-boot/" + ticks, time.Now(), true},
		"before a boot":  {"another-boot/" + ticks, time.Now().Add(-time.Hour), false},
		"another moment": {"another-boot/" + ticks + "0", time.Now(), false},
		"no moment":      {"", time.Now(), false},
	} {
		if got := (Running{PID: pid, Birth: c.born, Started: c.started}).Alive(); got != c.want {
			t.Errorf("%s: alive: %v", name, got)
		}
	}
}
