package core

import (
	"context"
	"encoding/json"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"vserver/queries"
	"vserver/queries/dbtest"
	"vserver/service/bus"
	"vserver/service/promise"
)

// stamp is what the test sends: who, which, and when.
type stamp struct {
	From, Number int
	At           time.Time
	Filling      string // so that it is as long as others
}

// listening is a server that notes what it hears of the others.
type listening struct {
	*Core
	mu     sync.Mutex
	next   []int // by sender
	faults int
	waits  []time.Duration
}

// TestReliability_R20_ManyEventsBetweenServers has three servers tell each other 10,000 events a second: none is lost,
// each comes once and in its order, and soon.
func TestReliability_R20_ManyEventsBetweenServers(t *testing.T) {
	var empty dbtest.Template
	src := empty.Copy(t)
	if src.Engine != queries.Postgres {
		t.Skip("skipped: an SQLite file has one server")
	}
	const rate, servers = 10_000, 3
	lasts := time.Second
	if promise.Long() {
		lasts = 20 * time.Second
	}
	var all []*listening
	for i := range servers {
		all = append(all, oneMore(t, src, i, servers))
	}
	each := rate / servers / 100 // each 10 ms
	rounds := int(lasts / (10 * time.Millisecond))
	began := time.Now()
	for round := range rounds {
		for i, one := range all {
			for k := range each {
				text := mustJSON(stamp{i, round*each + k, time.Now(), "0123456789012345678901234567890123456789012345678901234567890123456789"})
				one.spread(bus.Message{Topic: TopicEmit, Key: "room", Name: "event", Data: text})
			}
		}
		time.Sleep(time.Until(began.Add(time.Duration(round+1) * 10 * time.Millisecond)))
	}
	took := time.Since(began)
	sent := rounds * each
	var waits []time.Duration
	for i, one := range all {
		one.hasAll(t, i, sent)
		waits = append(waits, one.waits...)
	}
	slices.Sort(waits)
	p99 := waits[len(waits)*99/100]
	t.Logf("%d events in %s, %.0f a second; each at two others: half within %s, 99 of 100 within %s, all within %s", servers*sent, took.Round(time.Millisecond),
		float64(servers*sent)/took.Seconds(), waits[len(waits)/2].Round(time.Millisecond), p99.Round(time.Millisecond), waits[len(waits)-1].Round(time.Millisecond))
	if p99 > promise.Within(100*time.Millisecond) {
		t.Errorf("one of 100 took longer than %s", p99)
	}
}

// oneMore is one more server on a database.
func oneMore(t *testing.T, src queries.Source, i, servers int) *listening {
	t.Helper()
	db, err := queries.Open(t.Context(), src)
	if err != nil {
		t.Fatal(err)
	}
	one := &listening{next: make([]int, servers)}
	b := bus.New(zerolog.Nop())
	if one.Core, err = New(t.Context(), db, b, zerolog.Nop(), Settings{PasswordCost: 4}); err != nil {
		t.Fatal(err)
	}
	if err := one.Join(t.Context(), Membership{Place: string(rune('a' + i)), Name: "server", Secret: "s"}); err != nil {
		t.Fatal(err)
	}
	b.Subscribe(func(m bus.Message) {
		var s stamp
		if m.Topic != TopicEmit || json.Unmarshal(m.Data, &s) != nil || s.From == i {
			return
		}
		one.mu.Lock()
		defer one.mu.Unlock()
		if s.Number != one.next[s.From] {
			one.faults++
		}
		one.next[s.From] = s.Number + 1
		one.waits = append(one.waits, time.Since(s.At))
	})
	ctx, cancel := context.WithCancel(context.Background())
	var keeping sync.WaitGroup
	keeping.Go(func() { one.KeepPeers(ctx) })
	t.Cleanup(func() { cancel(); keeping.Wait(); _ = db.Close() })
	return one
}

// hasAll waits until a server has heard everything of the others.
func (l *listening) hasAll(t *testing.T, i, sent int) {
	t.Helper()
	for end := time.Now().Add(promise.Patience); ; time.Sleep(10 * time.Millisecond) {
		l.mu.Lock()
		have, faults := len(l.waits), l.faults
		l.mu.Unlock()
		if have >= sent*(len(l.next)-1) {
			if faults > 0 {
				t.Errorf("server %d: %d events out of order, or twice", i, faults)
			}
			return
		}
		if time.Now().After(end) {
			t.Fatalf("server %d has heard %d of %d events", i, have, sent*(len(l.next)-1))
		}
	}
}
