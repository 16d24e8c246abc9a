package core

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// busy is a queue whose one worker is at work, until done is called.
func busy(t *testing.T) (q *turns, done func()) {
	t.Helper()
	q = newTurns(1)
	if err := <-q.join(asker{crowd: stranger, lane: "first"}).ready; err != nil {
		t.Fatal(err)
	}
	return q, q.pass
}

// order lets everybody have a turn and returns the names in that order.
func order(q *turns, list []*waiter) string {
	var names []string
	for range list {
		q.pass()
		for i, w := range list {
			select {
			case err := <-w.ready:
				if err == nil {
					names = append(names, w.lane+w.name)
				}
				list[i] = &waiter{}
			default:
			}
		}
	}
	return strings.Join(names, " ")
}

// TestTurnsAreFair: addresses take turns, within one the names do, and those who are known
// wait neither for strangers nor keep them out.
func TestTurnsAreFair(t *testing.T) {
	for name, c := range map[string]struct{ come, go_ string }{
		"one after the other":   {"sa1 sa1 sa1", "a1 a1 a1"},
		"by address":            {"sa1 sa1 sa1 sb1 sb1 sc1", "a1 b1 c1 a1 b1 a1"},
		"by name":               {"sa1 sa1 sa1 sa2 sa2 sb1", "a1 b1 a2 a1 a2 a1"},
		"who is known":          {"sa1 sb1 sc1 sd1 ke1", "e1 a1 b1 c1 d1"},
		"many who are known":    {"sa1 sb1 kc1 kd1 ke1 kf1 kg1 kh1", "c1 d1 e1 a1 f1 g1 h1 b1"},
		"behind a proxy":        {"sa1 hb1 sa1 hb2 kc1", "c1 a1 b1 a1 b2"},
		"one name at addresses": {"sa1 sa1 sb1 sb1", "a1 b1 a1 b1"},
	} {
		t.Run(name, func(t *testing.T) {
			q, _ := busy(t)
			var list []*waiter
			for who := range strings.FieldsSeq(c.come) {
				crowd := map[byte]crowd{'s': stranger, 'k': known, 'h': hidden}[who[0]]
				list = append(list, q.join(asker{crowd, who[1:2], who[2:]}))
			}
			if got := order(q, list); got != c.go_ {
				t.Errorf("the order is %s, want %s", got, c.go_)
			}
			for crowd := range crowds {
				if n := q.waiting[crowd].Load(); n != 0 || len(q.queues[crowd].order) != 0 || len(q.queues[crowd].by) != 0 {
					t.Errorf("crowd %d: %d wait at the end, %v", crowd, n, q.queues[crowd])
				}
			}
		})
	}
}

// TestAdvisory_U13_WhoComesAnewIsNotBehindASecondTurn: beside one who fills the queue, who comes from elsewhere waits
// for what has begun only.
func TestAdvisory_U13_WhoComesAnewIsNotBehindASecondTurn(t *testing.T) {
	q, _ := busy(t)
	list := []*waiter{}
	for range 4 {
		list = append(list, q.join(asker{stranger, "a", "1"}))
	}
	q.pass() // the first of a is at work
	list = append(list, q.join(asker{stranger, "b", "1"}), q.join(asker{stranger, "c", "1"}))
	if got := order(q, list[1:]); got != "b1 c1 a1 a1 a1" {
		t.Errorf("the order is %s", got)
	}
}

// TestAdvisory_U13_WhoComesAnewIsNotBehindAHundredAddresses: those of a flood have had their turn, or found no room,
// when they come again, so whoever comes for the first time is before them all, also where there is no room left. An
// address from which a log-in was right begins anew.
func TestAdvisory_U13_WhoComesAnewIsNotBehindAHundredAddresses(t *testing.T) {
	q, _ := busy(t)
	flood := func() (list []*waiter) {
		for i := range 100 {
			list = append(list, q.join(asker{stranger, fmt.Sprint("bad", i), "root"}))
		}
		return list
	}
	list := flood()
	for range 32 {
		q.pass()
	}
	list = append(list, flood()...)
	mine, other := q.join(asker{stranger, "mine", "me"}), q.join(asker{stranger, "bad7", "root"})
	q.pass()
	if err := <-mine.ready; err != nil {
		t.Fatalf("who comes for the first time: %v", err)
	}
	if n := q.waiting[stranger].Load(); n != 31 {
		t.Errorf("%d wait", n)
	}
	if n := refused(append(list, other)); n != 68+68+2 {
		t.Errorf("%d are turned away", n)
	}
	q.welcome("bad50", time.Now()) // somebody got in there
	delete(q.lately.by, "bad50")
	anew := q.join(asker{stranger, "bad50", "root"})
	q.pass()
	if err := <-anew.ready; err != nil {
		t.Error(err)
	}
}

// TestThePastEnds after ten minutes or ten thousand keys, and twice that at most.
func TestThePastEnds(t *testing.T) {
	p, now := &past{}, time.Now()
	p.add("a", now)
	p.add("a", now)
	for i, want := range []int{2, 2, 0} {
		at := now.Add(time.Duration(i) * pastTime)
		p.add(fmt.Sprint("other", i), at)
		if n := p.of("a"); n != want {
			t.Errorf("after %s it had %d turns, want %d", at.Sub(now), n, want)
		}
	}
	p.add("a", now)
	for i := range 3 * pastMost {
		p.add(fmt.Sprint(i), now.Add(2*pastTime))
		if n := len(p.young) + len(p.old); n > 2*pastMost {
			t.Fatalf("%d are remembered", n)
		}
	}
	if p.of("a") != 0 {
		t.Error("it is still remembered")
	}
	p.add("b", now.Add(2*pastTime))
	if p.forget("b"); p.of("b") != 0 {
		t.Error("it is not forgotten")
	}
}

// refused counts who learned that there is no room.
func refused(list []*waiter) (n int) {
	for _, w := range list {
		select {
		case err := <-w.ready:
			if errors.Is(err, errNoRoom) {
				n++
			}
		default:
		}
	}
	return n
}

// TestAdvisory_U13_NoRoomIsTakenFromOthers: who has most waiters has to go, so an address that sends
// hundreds takes no room from another one, nor a name from another behind one proxy.
func TestAdvisory_U13_NoRoomIsTakenFromOthers(t *testing.T) {
	for name, c := range map[string]struct {
		crowd, other crowd
		flood        func(i int) (lane, name string)
		wait         int // of a thousand
	}{
		"one address":             {stranger, stranger, func(i int) (string, string) { return "a", fmt.Sprint(i) }, 16},
		"two addresses":           {stranger, stranger, func(i int) (string, string) { return fmt.Sprint(i % 2), fmt.Sprint(i) }, 32},
		"three addresses":         {stranger, stranger, func(i int) (string, string) { return fmt.Sprint(i % 3), "root" }, 32},
		"a name behind one proxy": {hidden, hidden, func(int) (string, string) { return "", "root" }, 64},
		"accounts":                {known, known, func(i int) (string, string) { return fmt.Sprint(i % 50), "" }, 128},
		"a crowd":                 {stranger, known, func(i int) (string, string) { return fmt.Sprint(i), "root" }, 32},
	} {
		t.Run(name, func(t *testing.T) {
			q, _ := busy(t)
			var list []*waiter
			for i := range 1000 {
				lane, name := c.flood(i)
				list = append(list, q.join(asker{c.crowd, lane, name}))
			}
			if n := refused(list); n != 1000-c.wait {
				t.Errorf("%d of 1000 are turned away, want %d", n, 1000-c.wait)
			}
			lane := "mine"
			if c.other == hidden {
				lane = ""
			}
			mine := q.join(asker{c.other, lane, "me"})
			q.pass()
			q.pass()
			select {
			case err := <-mine.ready:
				if err != nil {
					t.Errorf("who came last from elsewhere: %v", err)
				}
			default:
				if c.crowd == c.other && len(q.queues[c.crowd].by) > 2 {
					return // its turn comes after one of each
				}
				t.Error("who came last from elsewhere has to wait for more than one")
			}
		})
	}
}

// TestNobodyWaitsForWhoWentAway: a turn of somebody who went away passes on.
func TestNobodyWaitsForWhoWentAway(t *testing.T) {
	q, done := busy(t)
	c := &Core{turns: q}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 100 {
		if _, err := c.turn(ctx, asker{crowd: stranger, lane: "a"}); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	done()
	for range 100 { // it is free now: who comes gets a turn, or notices that he is gone
		if leave, err := c.turn(ctx, asker{crowd: stranger, lane: "a"}); err == nil {
			leave()
		}
	}
	leave, err := c.turn(t.Context(), asker{crowd: stranger, lane: "b"})
	if err != nil || q.free != 0 {
		t.Fatalf("%d workers are free while one is at work: %v", q.free, err)
	}
	leave()
	if q.free != 1 || q.waiting[stranger].Load() != 0 {
		t.Errorf("%d workers are free and %d wait at the end", q.free, q.waiting[stranger].Load())
	}
}

// TestAPlaceIsKeptForWhereSomebodyLoggedIn: also for those who wait there already; it ends, and there is an
// end to how many are kept.
func TestAPlaceIsKeptForWhereSomebodyLoggedIn(t *testing.T) {
	q, _ := busy(t)
	now := time.Now()
	list := []*waiter{q.join(asker{stranger, "a", "1"}), q.join(asker{stranger, "b", "1"}), q.join(asker{stranger, "b", "2"})}
	q.welcome("b", now)
	list = append(list, q.join(asker{stranger, "c", "1"}), q.join(asker{stranger, "b", "3"}))
	if got := order(q, list); got != "b1 b2 b3 a1 c1" {
		t.Errorf("the order is %s", got)
	}
	l := newLately()
	for i := range latelyMost + 3 {
		l.add(fmt.Sprint(i), now.Add(time.Duration(i)))
	}
	var kept []string
	for _, n := range []string{"0", "2", "3", fmt.Sprint(latelyMost + 2)} {
		if l.has(n, now) {
			kept = append(kept, n)
		}
	}
	if len(l.by) != latelyMost || !slices.Equal(kept, []string{"3", fmt.Sprint(latelyMost + 2)}) {
		t.Errorf("%d are kept, of those asked %v", len(l.by), kept)
	}
	if l.has("3", now.Add(latelyTime+time.Second)) {
		t.Error("a place is kept for ever")
	}
}
