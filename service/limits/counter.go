package limits

import (
	"context"
	"net/netip"
	"sync"
	"time"
)

// retryAfter is when somebody should try again who had too much at a time.
const retryAfter = 5 * time.Second

// Counter counts what is under way at a time, by address and by account.
type Counter struct {
	record                 *record
	byAddress, byAccount   string // the names of its limits
	mostAddress, mostOfOne int    // 0: any number

	mu       sync.Mutex
	total    int
	networks map[netip.Prefix]int
	accounts map[int64]int
	room     chan struct{} // closed when something has ended; nil while nobody waits
}

func newCounter(r *record, byAddress string, mostAddress int, byAccount string, mostOfOne int) *Counter {
	return &Counter{
		record: r, byAddress: byAddress, byAccount: byAccount, mostAddress: mostAddress, mostOfOne: mostOfOne,
		networks: map[netip.Prefix]int{}, accounts: map[int64]int{},
	}
}

// Len returns how many are under way.
func (c *Counter) Len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.total
}

// Acquire counts another one; who gets nil calls Release with the same who when it has ended. Of a node no more than the
// account counts, so that others at its address do not stand in its way. The error is an *Excess.
func (c *Counter) Acquire(who Who) error {
	c.mu.Lock()
	over := c.over(who)
	if over == "" {
		c.add(who, 1)
	}
	c.mu.Unlock()
	switch over {
	case "":
		return nil
	case c.byAccount:
		return c.record.exceeded(over, c.mostOfOne, account(who.Account), retryAfter)
	}
	return c.record.exceeded(over, c.mostAddress, address(who.Network), retryAfter)
}

// Wait is Acquire for who must not be refused: it waits for room until ctx ends, and returns the error of that.
func (c *Counter) Wait(ctx context.Context, who Who) error {
	for {
		c.mu.Lock()
		if c.over(who) == "" {
			c.add(who, 1)
			c.mu.Unlock()
			return nil
		}
		if c.room == nil {
			c.room = make(chan struct{})
		}
		room := c.room
		c.mu.Unlock()
		select {
		case <-room:
		case <-ctx.Done():
			return ctx.Err() //nolint:wrapcheck // the caller knows whose it is
		}
	}
}

// Force counts another one whatever the limit.
func (c *Counter) Force(who Who) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.add(who, 1)
}

// Release counts one less.
func (c *Counter) Release(who Who) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.add(who, -1)
	if c.room != nil {
		close(c.room)
		c.room = nil
	}
}

// Of returns how many an account has under way.
func (c *Counter) Of(account int64) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.accounts[account]
}

// over returns the limit that somebody has reached, "" when there is room. It needs c.mu.
func (c *Counter) over(who Who) string {
	switch {
	case who.Account != 0 && c.mostOfOne > 0 && c.accounts[who.Account] >= c.mostOfOne:
		return c.byAccount
	case !who.Node && who.Network.IsValid() && c.mostAddress > 0 && c.networks[who.Network] >= c.mostAddress:
		return c.byAddress
	}
	return ""
}

// add needs c.mu.
func (c *Counter) add(who Who, n int) {
	c.total += n
	if who.Network.IsValid() && !who.Node {
		count(c.networks, who.Network, n)
	}
	if who.Account != 0 {
		count(c.accounts, who.Account, n)
	}
}

// count keeps no zeros, so that a map is no larger than what is under way.
func count[K comparable, N int | int64](m map[K]N, key K, n N) {
	if m[key] += n; m[key] <= 0 {
		delete(m, key)
	}
}
