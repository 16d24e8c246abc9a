package core_test

import (
	"testing"

	"vserver/service/access"
)

// TestOnlyShortAnswersAreKept: one of 256 KiB with its question is given again, one that is a byte longer is not.
func TestOnlyShortAnswersAreKept(t *testing.T) {
	b := newBed(t)
	again := func(length int) bool {
		// On Postgres what is kept is looked for seldom where it was of no use.
		for range 1_000 {
			answer, keep := b.LastAnswer(t.Context(), access.Grant[access.ViewNodes]{}, length)
			if answer != nil {
				return true
			}
			keep("answer", length)
		}
		return false
	}
	for length, want := range map[int]bool{256 << 10: true, 256<<10 + 1: false} {
		if again(length) != want {
			t.Errorf("an answer of %d bytes is given again: %v", length, !want)
		}
	}
}
