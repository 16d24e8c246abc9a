package fault_test

import (
	"context"
	"strings"
	"testing"

	"vserver/service/fault"
)

// TestLoopThatPanickedBeginsAgain: work in the background survives a panic.
func TestLoopThatPanickedBeginsAgain(t *testing.T) {
	begun := 0
	var reported []*fault.Panic
	fault.Steadily(t.Context(), func(p *fault.Panic) { reported = append(reported, p) }, func(context.Context) {
		if begun++; begun == 1 {
			panic("a fault of ours")
		}
	})
	if begun != 2 || len(reported) != 1 || !strings.Contains(reported[0].Stack, "panic_test.go") {
		t.Errorf("begun %d times, reported %v", begun, reported)
	}
}

// TestLoopThatPanicsEndsWithItsContext: nothing is begun again when it is to end.
func TestLoopThatPanicsEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	begun := 0
	fault.Steadily(ctx, func(*fault.Panic) {}, func(context.Context) {
		begun++
		cancel()
		panic("a fault of ours")
	})
	if begun != 1 {
		t.Errorf("begun %d times", begun)
	}
}
