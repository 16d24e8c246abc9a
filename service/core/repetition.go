package core

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"maps"
	"sync"
	"time"
)

// repetitionTime is how long the same wrong current password of an account is one try: web
// UIs send a refused request a second time with a fresh token.
const repetitionTime = 10 * time.Second

// repetitions remembers the last wrong current password of each account, as a keyed hash
// that is in no file.
type repetitions struct {
	key  []byte
	mu   sync.Mutex
	last map[int64]wrongTry
}

type wrongTry struct {
	digest []byte
	at     time.Time
}

func newRepetitions() *repetitions {
	r := &repetitions{key: make([]byte, sha256.Size), last: map[int64]wrongTry{}}
	_, _ = rand.Read(r.key)
	return r
}

// note reports whether an account repeats its last wrong password; else it is the last one
// from now on.
func (r *repetitions) note(account int64, password string, now time.Time) bool {
	mac := hmac.New(sha256.New, r.key)
	mac.Write([]byte(password))
	digest := mac.Sum(nil)
	r.mu.Lock()
	defer r.mu.Unlock()
	maps.DeleteFunc(r.last, func(_ int64, t wrongTry) bool { return now.Sub(t.at) >= repetitionTime })
	if t, ok := r.last[account]; ok && hmac.Equal(t.digest, digest) {
		return true
	}
	r.last[account] = wrongTry{digest, now}
	return false
}
