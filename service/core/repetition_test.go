package core

import (
	"testing"
	"time"
)

// TestTheSameWrongPasswordIsOneTry looks at accounts, values and the time between.
func TestTheSameWrongPasswordIsOneTry(t *testing.T) {
	r, begin := newRepetitions(), time.Now()
	for i, c := range []struct {
		account  int64
		password string
		after    time.Duration
		repeated bool
	}{
		{1, "a", 0, false},
		{1, "a", 0, true},
		{2, "a", 0, false},
		{1, "a", 9 * time.Second, true},
		{1, "a", 10 * time.Second, false}, // since the one that counted
		{1, "b", 11 * time.Second, false},
		{1, "b", 12 * time.Second, true},
		{1, "a", 12 * time.Second, false},
	} {
		if got := r.note(c.account, c.password, begin.Add(c.after)); got != c.repeated {
			t.Errorf("%d: %+v is a repetition: %v", i, c, got)
		}
	}
	if len(r.last) != 1 {
		t.Errorf("it keeps %d", len(r.last))
	}
}
