package limits

import (
	"context"
	"slices"
	"sync"
)

// Memory is what the bodies of requests may take of the memory at a time, in bytes. Whoever finds no room waits, and
// leaves what the client sends unread meanwhile (/docs/operating#memory).
//
// Who has room holds it until the request is done with its body, and waits for nothing that another body holds: so
// everybody gets on, and nobody has to be asked to give something back.
type Memory struct {
	record    *record
	all, each int64 // 0: any number

	mu       sync.Mutex
	used     int64
	accounts map[int64]int64 // bytes of each
	waiting  []*waiter       // who came first is the first
	nodes    int             // how many of them are
}

// waiter waits for n bytes.
type waiter struct {
	who  Who
	n    int64
	room chan struct{} // closed once it has them
}

func newMemory(r *record, all, each int64) *Memory {
	if all > 0 && each > 0 {
		each = min(each, all/2)
	}
	return &Memory{record: r, all: all, each: each, accounts: map[int64]int64{}}
}

// Len returns how many bytes are taken.
func (m *Memory) Len() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return int(m.used)
}

// Waiting returns how many bodies wait for room, those of nodes and others.
func (m *Memory) Waiting() (nodes, others int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.nodes, len(m.waiting) - m.nodes
}

// Wait takes n bytes as soon as there is room: nodes come first, then the accounts that hold least. Who gets nil gives
// them back with Release. The error is an *Excess with the limit that ctx ended at.
func (m *Memory) Wait(ctx context.Context, who Who, n int64) error {
	w := &waiter{who, n, make(chan struct{})}
	m.mu.Lock()
	m.enqueue(w, 1)
	m.grant()
	m.mu.Unlock()
	select {
	case <-w.room:
		return nil
	case <-ctx.Done():
		return m.leave(w)
	}
}

// leave ends a wait. Room that came in the same moment is taken.
func (m *Memory) leave(w *waiter) error {
	m.mu.Lock()
	if !slices.Contains(m.waiting, w) {
		m.mu.Unlock()
		return nil
	}
	limit := m.over(w.who, w.n)
	m.enqueue(w, -1)
	m.grant() // those behind it may be content with less
	m.mu.Unlock()
	return m.excess(limit, w.who)
}

// Acquire takes n bytes more for a body that has some. It does not wait, since others may wait for what the body has.
func (m *Memory) Acquire(who Who, n int64) error {
	m.mu.Lock()
	limit := m.over(who, n)
	if limit == "" {
		m.add(who, n)
	}
	m.mu.Unlock()
	if limit == "" {
		return nil
	}
	return m.excess(limit, who)
}

// Release gives n bytes back.
func (m *Memory) Release(who Who, n int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.add(who, -n)
	m.grant()
}

func (m *Memory) excess(limit string, who Who) error {
	if limit == bodyMemoryPerAccount {
		return m.record.exceeded(limit, int(m.each), account(who.Account), retryAfter)
	}
	return m.record.exceeded(bodyMemory, int(m.all), "this server", retryAfter)
}

// grant gives room to those whose turn it is. Who is next and finds none has all behind it wait too, so that large bodies
// are not kept out by small ones. It needs m.mu.
func (m *Memory) grant() {
	for {
		w := m.next()
		if w == nil || m.over(w.who, w.n) != "" {
			return
		}
		m.enqueue(w, -1)
		m.add(w.who, w.n)
		close(w.room)
	}
}

// next returns who has room first, but for those who only wait for what their own account holds. It needs m.mu.
func (m *Memory) next() *waiter {
	var first *waiter
	for _, w := range m.waiting {
		if m.over(w.who, w.n) == bodyMemoryPerAccount {
			continue
		}
		if first == nil || w.who.Node && !first.who.Node ||
			w.who.Node == first.who.Node && m.accounts[w.who.Account] < m.accounts[first.who.Account] {
			first = w
		}
	}
	return first
}

// over returns the limit that leaves no room for n bytes more, "" for none. A quarter of all is for nodes alone. It needs
// m.mu.
func (m *Memory) over(who Who, n int64) string {
	all := m.all
	if !who.Node {
		all -= all / 4
	}
	switch {
	case m.each > 0 && m.accounts[who.Account]+n > m.each:
		return bodyMemoryPerAccount
	case m.all > 0 && m.used+n > all:
		return bodyMemory
	}
	return ""
}

// add needs m.mu.
func (m *Memory) add(who Who, n int64) {
	m.used += n
	count(m.accounts, who.Account, n)
}

// enqueue puts somebody at the end of those who wait, or takes it out. It needs m.mu.
func (m *Memory) enqueue(w *waiter, by int) {
	if by > 0 {
		m.waiting = append(m.waiting, w)
	} else if i := slices.Index(m.waiting, w); i >= 0 {
		m.waiting = slices.Delete(m.waiting, i, i+1)
	}
	if w.who.Node {
		m.nodes += by
	}
}
