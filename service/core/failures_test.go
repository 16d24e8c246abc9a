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
		if got := (failures{c.count, &last}).locks(set, now); got != c.locks {
			t.Errorf("%s: locks is %t, want %t", name, got, c.locks)
		}
	}
	if (failures{9, nil}).locks(set, now) {
		t.Error("failures without a moment lock")
	}
}
