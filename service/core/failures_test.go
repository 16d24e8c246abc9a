package core

import (
	"testing"
	"time"

	"vserver/queries"
)

// TestAdvisory_T20_FailuresLock looks at the moment of the last failure from both sides:
// one that was counted a moment later by another request locks as well, or guesses at
// the same time would begin the count anew.
func TestAdvisory_T20_FailuresLock(t *testing.T) {
	set := Settings{MaxFailedAttempts: 3, LockFor: time.Minute}
	now := queries.Now().Time
	for name, c := range map[string]struct {
		count int64
		after time.Duration
		locks bool
	}{
		"one too few":              {2, 0, false},
		"just now":                 {3, 0, true},
		"counted beside this one":  {3, time.Millisecond, true},
		"within the lock":          {3, -time.Minute + time.Second, true},
		"the lock is over":         {3, -time.Minute, false},
		"the clock was set back":   {9, time.Hour, false},
		"more than the lock ahead": {3, time.Minute, false},
	} {
		last := queries.At(now.Add(c.after))
		if got := (failures{c.count, &last}).lock(set.MaxFailedAttempts, set.LockFor, now); got != c.locks {
			t.Errorf("%s: locks is %t, want %t", name, got, c.locks)
		}
	}
	if (failures{9, nil}).lock(set.MaxFailedAttempts, set.LockFor, now) {
		t.Error("failures without a moment lock")
	}
}

// TestAdvisory_U13_LocksAreByAddress counts failures from many places: one address alone
// never locks an account as a whole, ten times the number from anywhere do, who is right
// takes back his own, and what is kept has an end.
func TestAdvisory_U13_LocksAreByAddress(t *testing.T) {
	set := Settings{MaxFailedAttempts: 3, LockFor: time.Minute}
	now := queries.Now()
	fail := func(f tally, network string) tally {
		now = queries.At(now.Add(time.Second))
		if pair, whole := f.locked(set, network, now.Time); pair || whole {
			t.Fatalf("%s is locked: %+v", network, f)
		}
		return f.with(set, network, now)
	}
	var f tally
	for round := range 20 {
		for range 3 {
			f = fail(f, "a")
		}
		if pair, whole := f.locked(set, "a", now.Time); !pair || whole {
			t.Fatalf("round %d: locked for a is %t, as a whole %t", round, pair, whole)
		}
		now = queries.At(now.Add(time.Minute))
	}
	f = fail(fail(f, "b"), "")
	if f = f.without("b"); f.all.count != 4 || f.by["a"].count != 3 || f.by[""].count != 1 {
		t.Errorf("after the owner got in at b: %+v", f)
	}
	for i := range 26 {
		f = fail(f, string(rune('A'+i)))
	}
	if pair, whole := f.locked(set, "b", now.Time); pair || !whole || f.all.count != 30 {
		t.Errorf("after 30 from everywhere: locked for b is %t, as a whole %t: %+v", pair, whole, f)
	}
	now = queries.At(now.Add(time.Minute))
	if f = fail(f, "b"); f.all.count != 1 || len(f.by) != 1 {
		t.Errorf("after the lock of all: %+v", f)
	}
	now = queries.At(now.Add(failureLife))
	if f = fail(f, "c"); f.all.count != 1 || len(f.by) != 1 {
		t.Errorf("a day later: %+v", f)
	}
	set.MaxFailedAttempts = 1_000_000
	for i := range 3 * mostNetworks {
		f = fail(f, string(rune(0x1000+i)))
	}
	if len(f.by) != mostNetworks || f.all.count != mostNetworks {
		t.Errorf("%d networks with %d failures are kept", len(f.by), f.all.count)
	}
}

// TestAdvisory_U13_UnlockIsSeenInMemory: what waits because it cannot be written ends when
// somebody else takes the failures back, and not before.
func TestAdvisory_U13_UnlockIsSeenInMemory(t *testing.T) {
	before, after := queries.Now(), queries.At(time.Now().Add(time.Second))
	for _, c := range []struct {
		name     string
		was, row failures
		waits    bool
	}{
		{"nothing happened", failures{0, nil}, failures{0, nil}, true},
		{"nothing happened since the last log-in", failures{0, &before}, failures{0, &before}, true},
		{"unlocked", failures{0, nil}, failures{0, &after}, false},
		{"unlocked after a log-in", failures{0, &before}, failures{0, &after}, false},
		{"taken back", failures{4, &before}, failures{0, &before}, false},
		{"counted by another server", failures{4, &before}, failures{5, &after}, true},
	} {
		w := newUnwritten()
		w.change(7, c.was, tally{all: c.was}, func(t tally) tally { return t })
		if got := w.of(7, c.row) != nil; got != c.waits {
			t.Errorf("%s: it waits is %t, want %t", c.name, got, c.waits)
		}
	}
}
