package core

import (
	"slices"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"vserver/service/bus"
	"vserver/service/promise"
)

// TestNoticesAreGatheredWithinThePause: the first is told at once, those that follow in
// one message, a single one with its own text.
func TestNoticesAreGatheredWithinThePause(t *testing.T) {
	b := bus.New(zerolog.Nop())
	heard := make(chan string, 10)
	b.Subscribe(func(m bus.Message) { heard <- m.Key + " " + string(m.Data) + " but " + m.Except })
	n := newNotices(b.Publish, 300*time.Millisecond)
	next := func(want string) {
		t.Helper()
		select {
		case got := <-heard:
			if got != want {
				t.Errorf("told %s, not %s", got, want)
			}
		case <-time.After(promise.Patience):
			t.Fatalf("never told: %s", want)
		}
	}
	n.tell("r", notice{text: "a joined", except: "1", joined: 1})
	next(`r "a joined" but 1`)
	n.tell("r", notice{text: "b joined", except: "2", joined: 1})
	n.tell("other", notice{text: "x joined", except: "9", joined: 1})
	next(`other "x joined" but 9`)
	next(`r "b joined" but 2`)
	for _, news := range []notice{{text: "c joined", except: "3", joined: 1}, {text: "d joined", joined: 1}, {text: "a left", left: 1}} {
		n.tell("r", news)
	}
	next(`r "2 more joined and 1 left room <r>" but `)
	deadline := time.Now().Add(promise.Patience)
	for forgotten := false; !forgotten; time.Sleep(time.Millisecond) {
		n.mu.Lock()
		forgotten = len(n.rooms) == 0
		n.mu.Unlock()
		if time.Now().After(deadline) {
			t.Fatal("quiet rooms are never forgotten")
		}
	}
}

func TestNoticesAreSummedUp(t *testing.T) {
	var got []string
	for _, n := range []notice{{joined: 3}, {left: 2}, {joined: 1, left: 1}} {
		got = append(got, n.summary("r"))
	}
	want := []string{"3 more joined room <r>", "2 more left room r", "1 more joined and 1 left room <r>"}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}
