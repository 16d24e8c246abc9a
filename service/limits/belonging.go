package limits

import "net/netip"

// mostProxies bounds the proxies that are remembered.
const mostProxies = 1000

// Known reports whether an account has shown a good token on a connection. A nil connection is nobody's.
func (c *Conn) Known() bool {
	if c == nil {
		return false
	}
	c.crowd.mu.Lock()
	defer c.crowd.mu.Unlock()
	return c.account != 0
}

// BelongTo notes that an account has shown a good token on a connection, which then counts for it and matters more than
// one without. The error is an *Excess when the account has too many; the connection stays as it was. A nil connection
// belongs to nobody.
func (c *Conn) BelongTo(account int64, node bool) error {
	if c == nil {
		return nil
	}
	return c.crowd.assign(c, account, node)
}

// assign moves a connection to an account.
func (c *Crowd) assign(conn *Conn, id int64, node bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if conn.place == nil || conn.account == id {
		return nil
	}
	if c.perAccount > 0 && !conn.group.shared && c.accounts[id] >= c.perAccount {
		return c.record.exceeded(connectionsPerAccount, c.perAccount, account(id), retryAfter)
	}
	c.take(conn)
	if conn.account != 0 {
		count(c.accounts, conn.account, -1)
	}
	conn.account, conn.node = id, node
	count(c.accounts, id, 1)
	c.put(conn, &conn.group.known)
	return nil
}

// Forwards notes that a proxy which nobody trusts sends requests from an address, so that what comes from there is not
// limited by it. It reports whether that is news.
func (c *Crowd) Forwards(from netip.Addr) bool {
	n := NetworkOf(from)
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, known := c.proxies[n]; known || !n.IsValid() || c.trusted(from) {
		return false
	}
	if len(c.proxies) >= mostProxies {
		clear(c.proxies)
	}
	c.proxies[n] = struct{}{}
	if g := c.groups[n]; g != nil {
		g.shared = true
	}
	return true
}
