//go:build unix

package cli_test

import (
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"vserver/service/promise"
)

// TestReliability_R16_SIGTERMUnderLoad asks the server to end while clients post tasks:
// it ends in time, with code 0, and every task that was acknowledged is there.
func TestReliability_R16_SIGTERMUnderLoad(t *testing.T) {
	const promised = 10 * time.Second
	rounds := 10
	if promise.Long() {
		rounds = 200
	}
	s := newVictim(t)
	s.start(t)
	s.setStage(t)
	var longest time.Duration
	for range rounds {
		later := time.Duration(rand.IntN(250)) * time.Millisecond
		s.load(t, func() {
			time.Sleep(later)
			asked := time.Now()
			if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Error(err)
			}
			hung := time.AfterFunc(3*promise.Within(promised), func() { _ = s.cmd.Process.Kill() })
			defer hung.Stop()
			if err := s.cmd.Wait(); err != nil {
				t.Errorf("the server ended with %v", err)
			}
			longest = max(longest, time.Since(asked))
		})
		s.start(t)
	}
	t.Logf("the longest end took %s", longest)
	if longest > promise.Within(promised) {
		t.Errorf("an end took %s", longest)
	}
	s.audit(t)
	s.proveLoad(t, rounds)
}
