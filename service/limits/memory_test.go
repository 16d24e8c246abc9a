package limits

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"vserver/service/config"
	"vserver/service/promise"
)

// smallMemory has a memory of 128 MiB, of which those who are no nodes have 96 and one account 64. What comes back are the
// lines of the log.
func smallMemory(t *testing.T) (*Limits, *[]string) {
	t.Helper()
	var lines []string
	l := New(Options{
		Settings: config.Limits{BodyMemory: "128MiB", BodyMemoryPerAccount: "64MiB"}, Warn: func(text string) { lines = append(lines, text) },
	})
	return l, &lines
}

const mega = 1 << 20

// ended is a context that has ended: whoever waits with it learns at once whether there is room.
func ended() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

// queue is who waits for memory, in the order in which they come.
type queue struct {
	*testing.T
	m       *Memory
	granted chan string
}

// joins has somebody wait, and returns once it does.
func (q *queue) joins(name string, who Who, n int64) {
	q.Helper()
	nodes, others := q.m.Waiting()
	go func() {
		if q.m.Wait(q.Context(), who, n) == nil {
			q.granted <- name
		}
	}()
	deadline := time.Now().Add(promise.Patience)
	for {
		if a, b := q.m.Waiting(); a+b > nodes+others {
			return
		}
		if time.Now().After(deadline) {
			q.Fatalf("%s does not wait", name)
		}
		time.Sleep(time.Millisecond)
	}
}

// grants waits until so many more have room, and returns who.
func (q *queue) grants(n int) string {
	q.Helper()
	var names []string
	for range n {
		select {
		case name := <-q.granted:
			names = append(names, name)
		case <-time.After(promise.Patience):
			q.Fatalf("only %v have room", names)
		}
	}
	select {
	case name := <-q.granted:
		q.Errorf("%s has room as well", name)
	case <-time.After(10 * time.Millisecond):
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

// At each limit there is room for the last byte and not for one more: of an account, of all who are no nodes, of all.
func TestMemoryOfBodiesIsBounded(t *testing.T) {
	l, lines := smallMemory(t)
	m := l.Memory
	user, another, node, third := Who{Account: 7}, Who{Account: 8}, Who{Account: 9, Node: true}, Who{Account: 10, Node: true}
	wait := func(who Who, n int64, want string) {
		t.Helper()
		err := m.Wait(ended(), who, n)
		if err == nil && want != "" {
			m.Release(who, n)
		}
		reached(t, err, want)
	}
	take := func(who Who, n int64, want string) {
		t.Helper()
		reached(t, m.Acquire(who, n), want)
	}
	take(user, 64*mega, "")
	take(user, 1, bodyMemoryPerAccount)
	wait(user, 1, bodyMemoryPerAccount)
	take(another, 32*mega, "")
	take(another, 1, bodyMemory)
	wait(another, 1, bodyMemory)
	take(node, 32*mega, "")
	wait(third, 1, bodyMemory)
	if n := m.Len(); n != 128*mega {
		t.Errorf("%d bytes are taken", n)
	}
	m.Release(user, 64*mega)
	take(node, 32*mega, "")
	take(node, 1, bodyMemoryPerAccount)
	m.Release(node, 64*mega)
	m.Release(another, 32*mega)
	if m.Len() != 0 || len(m.accounts)+len(m.waiting) != 0 || m.nodes != 0 {
		t.Errorf("left are %d bytes of %v, and %d who wait", m.Len(), m.accounts, len(m.waiting))
	}
	said := fmt.Sprint(*lines)
	for _, want := range []string{"account 7 has reached the limit of 67108864, limits.body_memory_per_account", "this server has reached the limit of 134217728, limits.body_memory"} {
		if strings.Count(said, want) != 1 {
			t.Errorf("the log has %s", said)
		}
	}
	if n := l.Reached(); n[bodyMemory] != 3 || n[bodyMemoryPerAccount] != 3 {
		t.Errorf("counted %v", n)
	}
}

// Nodes come first, then who holds least, and an account that only waits for itself holds up nobody.
func TestMemoryIsGivenInTurn(t *testing.T) {
	l, _ := smallMemory(t)
	q := &queue{t, l.Memory, make(chan string, 100)}
	much, little, none, node := Who{Account: 1}, Who{Account: 2}, Who{Account: 3}, Who{Account: 4, Node: true}
	full, other := Who{Account: 5}, Who{Account: 6, Node: true}
	reached(t, q.m.Acquire(much, 30*mega), "")
	reached(t, q.m.Acquire(little, 20*mega), "")
	reached(t, q.m.Acquire(full, 46*mega), "")
	reached(t, q.m.Acquire(other, 32*mega), "")
	q.joins("full", full, 20*mega)
	q.joins("much", much, 10*mega)
	q.joins("little", little, 10*mega)
	q.joins("none", none, 10*mega)
	q.joins("none2", none, 10*mega)
	q.joins("node", node, 10*mega)
	if nodes, others := q.m.Waiting(); nodes != 1 || others != 5 {
		t.Errorf("%d nodes and %d others wait", nodes, others)
	}
	q.m.Release(other, 10*mega)
	if got := q.grants(1); got != "node" {
		t.Errorf("first comes %s", got)
	}
	q.m.Release(other, 22*mega)
	q.grants(0)                  // that was the nodes' part
	q.m.Release(little, 20*mega) // none, little and none2 hold nothing then, and came in another order
	if got := q.grants(1); got != "little" {
		t.Errorf("then comes %s", got)
	}
	q.m.Release(node, 10*mega)
	if got := q.grants(1); got != "none" {
		t.Errorf("then comes %s", got)
	}
	q.m.Release(full, 46*mega)
	if got := q.grants(3); got != "full much none2" {
		t.Errorf("at last come %s", got)
	}
}

// Who is next and needs much is not kept waiting by those who need little, and they go on when it gives up.
func TestLargeBodiesAreNotKeptOut(t *testing.T) {
	l, _ := smallMemory(t)
	q := &queue{t, l.Memory, make(chan string, 100)}
	reached(t, q.m.Acquire(Who{Account: 1}, 60*mega), "")
	reached(t, q.m.Acquire(Who{Account: 2}, 20*mega), "")
	ctx, giveUp := context.WithCancel(t.Context())
	gone := make(chan error, 1)
	go func() { gone <- q.m.Wait(ctx, Who{Account: 3}, 30*mega) }()
	for {
		if _, n := q.m.Waiting(); n == 1 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	q.joins("small", Who{Account: 4}, mega)
	q.grants(0)
	giveUp()
	var over *Excess
	if err := <-gone; !errors.As(err, &over) || over.Limit != bodyMemory {
		t.Errorf("who gave up got %v", err)
	}
	if got := q.grants(1); got != "small" {
		t.Errorf("then comes %s", got)
	}
}

// Without settings there is any room.
func TestMemoryWithoutALimit(t *testing.T) {
	m := New(Options{Settings: config.Limits{BodyMemory: "0", BodyMemoryPerAccount: "0"}}).Memory
	for range 3 {
		reached(t, m.Wait(ended(), Who{Account: 1}, 1<<40), "")
	}
}
