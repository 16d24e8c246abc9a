package handlers

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"vserver/queries/dbtest"
	"vserver/service/core"
	"vserver/service/promise"
)

// flooders is how many threads a flood of log-ins has.
const flooders = 100

// flood sends wrong log-ins from many threads until the returned function is called, which
// reports how often each status came; from and name say what the thread i sends. It begins
// once every thread has had an answer, and some wait.
func (b *bed) flood(from, name func(i int) string) (end func() map[int]int64) {
	b.Helper()
	ctx, stop := context.WithCancel(b.Context())
	var work sync.WaitGroup
	var statuses [600]atomic.Int64
	var answered atomic.Int64 // threads
	for i := range flooders {
		work.Go(func() {
			r := logIn(name(i), "wrong", 401)
			for n := 0; ctx.Err() == nil; n++ {
				statuses[b.sendFrom(b.T, r, from(i)).Code].Add(1)
				if n == 0 {
					answered.Add(1)
				}
			}
		})
	}
	tick, patience := time.NewTicker(time.Millisecond), time.After(promise.Patience)
	defer tick.Stop()
	for answered.Load() < flooders || b.waitingLogIns() < 16 {
		select {
		case <-tick.C:
		case <-patience:
			b.Fatal("nobody waits: that is no flood")
		}
	}
	return func() map[int]int64 {
		stop()
		work.Wait()
		seen := map[int]int64{}
		for status := range statuses {
			if n := statuses[status].Load(); n > 0 {
				seen[status] = n
			}
		}
		return seen
	}
}

// waitingLogIns counts who waits for a hash.
func (b *bed) waitingLogIns() (n int64) {
	for _, w := range b.s.core.Waiting() {
		n += w.Load()
	}
	return n
}

// hashedAt gives all users passwords of a cost.
func (b *bed) hashedAt(cost int) {
	b.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte("Passw0rd!"), cost)
	if err != nil {
		b.Fatal(err)
	}
	b.change(b.T, fmt.Sprintf(`UPDATE "user" SET password = '%s'`, hash))
}

// TestAdvisory_U13_RightLogInUnderFlood has a hundred threads send wrong log-ins: who is right and at another
// address waits three times as long as a hash takes, at most. That is measured on a quiet machine; the order in which
// they have their turn is looked at in core.
func TestAdvisory_U13_RightLogInUnderFlood(t *testing.T) {
	dbtest.Once(t)
	one := func(int) string { return "192.0.2.66:9" }
	many := func(i int) string { return fmt.Sprintf("192.0.2.%d:9", i) }
	root := func(int) string { return "root" }
	for _, c := range []struct {
		name       string
		from, user func(int) string
		before     bool // logged in there before; else each log-in is from another address
	}{
		{"from one address", one, root, false},
		{"for all names", one, strconv.Itoa, false},
		{"for the name of who is right", one, func(int) string { return "viewer" }, false},
		{"from a hundred addresses", many, root, false},
		{"from a hundred addresses, with a place kept", many, root, true},
		{"from a hundred addresses, for who is right", many, func(int) string { return "viewer" }, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			cost, times := 6, 3
			if promise.Long() {
				cost, times = 12, 20
			}
			b := newBedWith(t, core.Settings{PasswordCost: cost, MaxFailedAttempts: 1_000_000, LockFor: time.Hour})
			b.hashedAt(cost)
			right := func(round int) time.Duration {
				from := "198.51.100.0:9"
				if !c.before {
					from = fmt.Sprintf("198.51.100.%d:9", round)
				}
				began := time.Now()
				if reply := b.sendFrom(t, logIn("viewer", "Passw0rd!", 200), from); reply.Code != http.StatusOK {
					t.Errorf("the right log-in: %d %s", reply.Code, reply.Body)
				}
				return time.Since(began)
			}
			var alone, beside []time.Duration
			for range times {
				alone = append(alone, right(0))
			}
			end := b.flood(c.from, c.user)
			for i := range times {
				beside = append(beside, right(i+1))
			}
			seen := end()
			slices.Sort(alone)
			ratio := float64(slices.Max(beside)) / float64(alone[times/2])
			t.Logf("a hash takes %v; beside %d threads a right log-in took %v, the longest %.2f times as long; replies to the flood: %v",
				alone[times/2], flooders, beside, ratio, seen)
			if promise.Long() && ratio > 3 {
				t.Errorf("a right log-in takes %.2f times as long as a hash, at most 3 are promised: %v", ratio, beside)
			}
			if seen[http.StatusUnauthorized]+seen[http.StatusTooManyRequests] == 0 || len(seen) > 2 {
				t.Errorf("replies to the flood: %v", seen)
			}
		})
	}
}
