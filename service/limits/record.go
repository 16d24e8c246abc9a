package limits

import (
	"fmt"
	"maps"
	"net/netip"
	"sync"
	"time"
)

// quiet is the least time between two lines of the log about one limit.
const quiet = time.Minute

// record counts how often limits were reached, and tells the log, once a minute for each.
type record struct {
	warn func(string)

	mu      sync.Mutex
	reached map[string]int64
	told    map[string]time.Time
	untold  map[string]int64 // since it was told
}

func newRecord(warn func(string)) *record {
	if warn == nil {
		warn = func(string) {}
	}
	r := &record{warn: warn, reached: map[string]int64{}, told: map[string]time.Time{}, untold: map[string]int64{}}
	for _, limit := range []string{
		connectionsPerAddress, connectionsPerAccount, socketsPerAddress, socketsPerAccount,
		bodiesPerAddress, bodiesPerAccount, bodyMemory, bodyMemoryPerAccount, anonymousPerMinute, openFiles, silentReaders,
	} {
		r.reached[limit] = 0
	}
	return r
}

// Reached returns how often each limit was reached, by its name.
func (r *record) Reached() map[string]int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.reached)
}

// note counts that somebody has reached a limit; text says it for the log.
func (r *record) note(limit, format string, args ...any) {
	r.mu.Lock()
	r.reached[limit]++
	now := time.Now()
	if last, ok := r.told[limit]; ok && now.Sub(last) < quiet {
		r.untold[limit]++
		r.mu.Unlock()
		return
	}
	more := r.untold[limit]
	r.told[limit], r.untold[limit] = now, 0
	r.mu.Unlock()
	text := fmt.Sprintf(format, args...)
	if more > 0 {
		text += fmt.Sprintf(" (and %d times since the last line about this limit)", more)
	}
	r.warn(text)
}

// exceeded notes an excess and returns it as an error.
func (r *record) exceeded(limit string, most int, who string, after time.Duration) *Excess {
	r.note(limit, "%s has reached the limit of %d, limits.%s", who, most, limit)
	return &Excess{Limit: limit, Most: most, Who: who, After: after}
}

// address names a network, account an account, for people.
func address(n netip.Prefix) string {
	if n.IsSingleIP() {
		return "address " + n.Addr().String()
	}
	return "address " + n.String()
}

func account(id int64) string {
	switch {
	case id < 0:
		return fmt.Sprintf("the containers of account %d", -id)
	case id == 0:
		return "who shows no token"
	}
	return fmt.Sprintf("account %d", id)
}
