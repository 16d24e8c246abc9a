package handlers

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"vserver/service/core"
	"vserver/service/promise"
)

// TestAdvisory_T11_LogInTakesTheSameTime compares log-ins of an existing, a missing and a locked user. What a short run
// on a busy machine can tell is whether a hash was left out; the long run wants the middle times within two percent.
func TestAdvisory_T11_LogInTakesTheSameTime(t *testing.T) {
	cost, rounds, most := 8, 9, 2.0
	if promise.Long() {
		cost, rounds, most = 12, 1000, 1.02
	}
	b := newBedWith(t, core.Settings{PasswordCost: cost, MaxFailedAttempts: 1_000_000, LockFor: time.Hour})
	hash, err := bcrypt.GenerateFromPassword([]byte("Passw0rd!"), cost)
	if err != nil {
		t.Fatal(err)
	}
	b.change(t, fmt.Sprintf(`UPDATE "user" SET password = '%s'`, hash), fmt.Sprintf(
		`UPDATE "user" SET failed_login_attempts = 1000000, last_login_attempt = '%s' WHERE username = 'researcher'`, time.Now().UTC().Format("2006-01-02T15:04:05.000000Z")))
	took := map[string][]time.Duration{}
	for range rounds {
		for _, name := range []string{"viewer", "nobody", "researcher"} {
			began := time.Now()
			b.send(t, logIn(name, "wrong", 401))
			took[name] = append(took[name], time.Since(began))
		}
	}
	var middles []time.Duration
	for _, times := range took {
		slices.Sort(times)
		middles = append(middles, times[rounds/2])
	}
	if ratio := float64(slices.Max(middles)) / float64(slices.Min(middles)); ratio > most {
		t.Errorf("one kind of log-in takes %.3f times as long as another: %v", ratio, middles)
	}
}
