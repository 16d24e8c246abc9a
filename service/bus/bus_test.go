package bus_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"vserver/service/bus"
)

// TestPanicOfASubscriberIsItsOwn: the other subscribers have every message, in order, whoever
// publishes goes on, and the log has the panic with an incident and its stack.
func TestPanicOfASubscriberIsItsOwn(t *testing.T) {
	var log bytes.Buffer
	b := bus.New(zerolog.New(&log))
	var first, last []string
	b.Subscribe(func(m bus.Message) { first = append(first, m.Name) })
	b.Subscribe(func(m bus.Message) {
		if m.Name == "one" {
			panic("a fault of ours")
		}
	})
	b.Subscribe(func(m bus.Message) { last = append(last, m.Name) })
	b.Publish(bus.Message{Topic: "news", Name: "one"}, bus.Message{Topic: "news", Name: "two"})
	for _, got := range [][]string{first, last} {
		if !slices.Equal(got, []string{"one", "two"}) {
			t.Errorf("a subscriber has %q", got)
		}
	}
	if said := log.String(); strings.Count(said, `"incident":"`) != 1 || !strings.Contains(said, "a fault of ours") || !strings.Contains(said, "bus_test.go") {
		t.Errorf("the log: %s", said)
	}
	b.Subscribe(func(bus.Message) {}) // nothing is locked
}
