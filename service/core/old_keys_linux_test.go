package core_test

import (
	"fmt"
	"os/exec"
	"runtime"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"vserver/service/fault"
	"vserver/service/promise"
)

// TestBeginOfASearchHoldsUpNobody: beside processes that take all processors a search gets its process, and who collects
// garbage waits for none of that.
func TestBeginOfASearchHoldsUpNobody(t *testing.T) {
	if !promise.Long() {
		t.Skip("skipped: it takes all processors; set VSERVER_LONG")
	}
	b := takenOverBed(t, []takenOver{newNode(t, "a", bcrypt.MinCost)}, time.Minute)
	b.CompareKeysBy([]string{"cat"})
	for range 2 * runtime.NumCPU() {
		busy := exec.CommandContext(t.Context(), "sh", "-c", "while :; do :; done")
		if err := busy.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = busy.Process.Kill(); _ = busy.Wait() })
	}
	const searches = 10
	done, longest := make(chan struct{}), make(chan time.Duration)
	go func() {
		most := time.Duration(0)
		for {
			select {
			case <-done:
				longest <- most
				return
			case <-time.After(time.Millisecond):
			}
			began := time.Now()
			runtime.ReadMemStats(new(runtime.MemStats)) // stops all others, as who collects garbage does
			most = max(most, time.Since(began))
		}
	}()
	for i := range searches {
		if _, err := b.LogInNode(t.Context(), fmt.Sprint("wrong ", i), addressed("192.0.2.1")); !fault.Is(err, fault.Unauthorized) {
			t.Error(err)
		}
	}
	close(done)
	if most := <-longest; most > 200*time.Millisecond {
		t.Errorf("everybody stood still for %s", most)
	}
}
