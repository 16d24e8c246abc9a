package handlers

import (
	"fmt"
	"slices"
	"strconv"
	"testing"
	"time"

	"vserver/service/core"
	"vserver/service/promise"
)

// TestAdvisory_T11_LogInTakesTheSameTime compares log-ins of an existing, a missing and a locked user, on an idle server
// and inside a flood. What a short run on a busy machine can tell is whether a hash was left out; the long run wants the
// middle times within two percent, and within five where others wait as well; the short one compares the least times,
// because a busy machine makes some of few times long.
func TestAdvisory_T11_LogInTakesTheSameTime(t *testing.T) {
	for _, c := range []struct {
		name         string
		flood        bool
		before       bool // somebody logged in from there
		cost, rounds int  // of the long run
		most         float64
	}{
		{"idle", false, false, 12, 1000, 1.02},
		{"in a flood", true, false, 8, 1000, 1.05},
		{"in a flood, with a place kept", true, true, 8, 1000, 1.05},
	} {
		t.Run(c.name, func(t *testing.T) {
			if !promise.Long() {
				c.cost, c.rounds, c.most = 8, 9, 10 // without a hash it is far more
				if c.flood {
					c.cost, c.rounds = 5, 5
				}
			}
			compareLogIns(t, c.cost, c.rounds, c.most, c.flood, c.before)
		})
	}
}

func compareLogIns(t *testing.T, cost, rounds int, most float64, flood, before bool) {
	t.Helper()
	const from = "198.51.100.7:9"
	b := newBedWith(t, core.Settings{PasswordCost: cost, MaxFailedAttempts: 1_000_000, LockFor: time.Hour})
	b.hashedAt(cost)
	now := time.Now().UTC().Format("2006-01-02T15:04:05.000000Z")
	b.change(t, fmt.Sprintf(`UPDATE "user" SET failed_login_attempts = 10000000, last_login_attempt = '%s' WHERE username = 'researcher'`, now))
	if before {
		b.sendFrom(t, logIn("admin", "Passw0rd!", 200), from)
	}
	if flood {
		end := b.flood(func(i int) string { return fmt.Sprintf("192.0.2.%d:9", i%10) }, strconv.Itoa)
		defer end()
	}
	took := map[string][]time.Duration{}
	for range rounds {
		for _, name := range []string{"viewer", "nobody", "researcher"} {
			began := time.Now()
			b.sendFrom(t, logIn(name, "wrong", 401), from)
			took[name] = append(took[name], time.Since(began))
		}
	}
	judged := 0
	if promise.Long() {
		judged = rounds / 2
	}
	var typical []time.Duration
	for _, times := range took {
		slices.Sort(times)
		typical = append(typical, times[judged])
	}
	if ratio := float64(slices.Max(typical)) / float64(slices.Min(typical)); ratio > most {
		t.Errorf("one kind of log-in takes %.3f times as long as another: %v", ratio, typical)
	}
}
