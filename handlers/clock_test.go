package handlers

import (
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// TestReliability_R5_JumpsOfTheClock wants tokens that were made before the
// clock was set to work until they expire by the new time, and no longer. Locks are
// tried where passwords are; presence counts with a clock that is never set.
func TestReliability_R5_JumpsOfTheClock(t *testing.T) {
	b := newBed(t)
	const life = 6 * time.Hour
	for _, who := range []string{"admin", "node_iknl_z"} {
		kind, id := accountOf(who)
		for _, jump := range []time.Duration{time.Hour, -time.Hour, 24 * time.Hour, -24 * time.Hour} {
			made := time.Now().Add(-jump)
			c := claims{Subject: []byte(itoa(id)), ClientType: kind.String(), Type: accessToken,
				IssuedAt: jwt.NewNumericDate(made), NotBefore: jwt.NewNumericDate(made.Add(-nbfSlack)), ExpiresAt: jwt.NewNumericDate(made.Add(life))}
			token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, &c).SignedString([]byte(testSecret))
			if err != nil {
				t.Fatal(err)
			}
			want := 200
			if jump > life {
				want = 401
			}
			b.run(row{name: who + " " + jump.String(), method: "GET", path: "/organization", header: map[string]string{"Authorization": "Bearer " + token}, want: want})
		}
	}
}
