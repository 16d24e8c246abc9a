package limits

import (
	"container/list"
	"net"
	"net/netip"
	"sync"
	"time"
)

// Crowd is all connections of a server. It keeps every address within its limit and all together within the descriptors
// that the process has for them. When there is no room for another one, a connection makes room that matters less: one
// that nobody has shown a good token on, of the address that has most of them; or else one of a user. Connections of
// nodes stay.
type Crowd struct {
	record     *record
	most       int // 0: any number
	perAddress int
	perAccount int
	trusted    func(netip.Addr) bool
	patience   time.Duration

	mu       sync.Mutex
	total    int
	groups   map[netip.Prefix]*group
	bySize   map[int]map[*group]struct{} // groups by the number of their anonymous connections
	largest  int                         // at least the largest such number
	accounts map[int64]int
	proxies  map[netip.Prefix]struct{} // that are not trusted and were seen to forward requests
}

// group is the connections from one address.
type group struct {
	network   netip.Prefix
	shared    bool      // a proxy's, so that it is not one client's
	anonymous list.List // of *Conn, the oldest first
	known     list.List
}

func (g *group) size() int { return g.anonymous.Len() + g.known.Len() }

// member is what a crowd knows of a connection.
type member struct {
	group   *group
	account int64 // that has shown a token last; 0: none
	node    bool
}

func newCrowd(o Options, r *record) *Crowd {
	c := &Crowd{
		record: r, most: o.Connections, trusted: o.Trusted, patience: patience,
		perAddress: share(o.Settings.ConnectionsPerAddress, o.Connections),
		perAccount: share(o.Settings.ConnectionsPerAccount, o.Connections),
		groups:     map[netip.Prefix]*group{}, bySize: map[int]map[*group]struct{}{},
		accounts: map[int64]int{}, proxies: map[netip.Prefix]struct{}{},
	}
	if c.trusted == nil {
		c.trusted = func(netip.Addr) bool { return false }
	}
	return c
}

// share is a limit that leaves half of the connections to others.
func share(limit, connections int) int {
	if limit == 0 || connections == 0 {
		return limit
	}
	return min(limit, max(connections/2, 1))
}

const (
	// ownFiles is what the process needs beside connections and database: its log, listeners, poll and pipes, the files
	// that commands and the log open for a moment, and the connections of the metrics.
	ownFiles = 24
	// leastRoom is how many connections there are however few descriptors.
	leastRoom = 4
)

// Room returns how many connections the process can have when its database opens so many files; 0: any number.
func Room(database int) int {
	files := openable()
	if files == 0 {
		return 0
	}
	return max(files-ownFiles-database, leastRoom)
}

// Len returns the number of connections.
func (c *Crowd) Len() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.total
}

// Most returns how many there can be; 0: any number.
func (c *Crowd) Most() int { return c.most }

// Watch has the connections of a listener join the crowd.
func (c *Crowd) Watch(l net.Listener) net.Listener { return listener{l, c} }

type listener struct {
	net.Listener
	crowd *Crowd
}

// Accept waits for the next connection that there is room for.
func (l listener) Accept() (net.Conn, error) {
	for {
		raw, err := l.Listener.Accept()
		if err != nil {
			return nil, err //nolint:wrapcheck // net/http looks at it
		}
		if conn := l.crowd.admit(raw); conn != nil {
			return conn, nil
		}
	}
}

// admit lets a connection in and closes the one that makes room for it; nil when there is no room.
func (c *Crowd) admit(raw net.Conn) *Conn {
	conn := &Conn{Conn: raw, crowd: c, patience: c.patience}
	victim := c.enter(conn, peerOf(raw))
	if victim != nil {
		_ = victim.Close() // its descriptor is free when this returns
	}
	if victim == conn {
		return nil
	}
	return conn
}

func peerOf(c net.Conn) netip.Addr {
	if at, ok := c.RemoteAddr().(*net.TCPAddr); ok {
		return at.AddrPort().Addr().Unmap()
	}
	return netip.Addr{}
}

// enter notes a connection and returns the one that has to go for it, which may be itself; nil: none.
func (c *Crowd) enter(conn *Conn, at netip.Addr) *Conn {
	c.mu.Lock()
	defer c.mu.Unlock()
	g := c.groupOf(at)
	conn.group = g
	c.put(conn, &g.anonymous)
	c.total++
	var victim *Conn
	switch {
	case !g.shared && c.perAddress > 0 && g.size() > c.perAddress:
		victim = g.first(conn)
		_ = c.record.exceeded(connectionsPerAddress, c.perAddress, address(g.network), retryAfter)
	case c.most > 0 && c.total > c.most:
		victim = c.first(conn)
		c.record.note(openFiles, "There are %d connections, as many as the process has descriptors for: %s, the least important, makes room for a new "+
			"one. Raise the limit of the process (LimitNOFILE, ulimit -n), or look who opens so many", c.most, victim.description())
	}
	if victim != nil {
		c.remove(victim)
	}
	return victim
}

// description names a connection in the log. It needs crowd.mu.
func (c *Conn) description() string {
	text := "one of " + address(c.group.network)
	if c.account != 0 {
		text += " and " + account(c.account)
	}
	return text
}

// groupOf needs c.mu.
func (c *Crowd) groupOf(at netip.Addr) *group {
	n := NetworkOf(at)
	g := c.groups[n]
	if g == nil {
		_, forwards := c.proxies[n]
		g = &group{network: n, shared: !n.IsValid() || forwards || c.trusted(at)}
		c.groups[n] = g
	}
	return g
}

// first returns who of a full group makes room for another one: the oldest without a token, or else the oldest idle one
// of a user, or else the new one itself. It needs c.mu.
func (g *group) first(late *Conn) *Conn {
	if v := held(g.anonymous.Front()); v != late {
		return v
	}
	if v := g.oldest(func(c *Conn) bool { return !c.node && c.idle.Load() }); v != nil {
		return v
	}
	return late
}

// first returns who of a full crowd makes room for another one. It needs c.mu.
func (c *Crowd) first(late *Conn) *Conn {
	if v := c.nobody(late); v != nil {
		return v
	}
	for _, fits := range []func(*Conn) bool{
		func(c *Conn) bool { return !c.node && c.idle.Load() },
		func(c *Conn) bool { return c.idle.Load() },
		func(c *Conn) bool { return !c.node },
	} {
		for _, g := range c.groups {
			if v := g.oldest(fits); v != nil {
				return v
			}
		}
	}
	return late
}

// nobody returns the oldest anonymous connection of an address that has most of them; nil when the new one is the only
// one. It needs c.mu.
func (c *Crowd) nobody(late *Conn) *Conn {
	for c.largest > 0 && len(c.bySize[c.largest]) == 0 {
		c.largest--
	}
	for g := range c.bySize[c.largest] {
		if v := held(g.anonymous.Front()); v != late {
			return v
		}
	}
	return nil
}

// oldest returns the oldest of the known connections of a group that fits; nil when none does.
func (g *group) oldest(fits func(*Conn) bool) *Conn {
	for e := g.known.Front(); e != nil; e = e.Next() {
		if v := held(e); fits(v) {
			return v
		}
	}
	return nil
}

// held is the connection in a place of a list.
func held(e *list.Element) *Conn { return e.Value.(*Conn) }

// put places a connection at the end of a list of its group. It needs c.mu.
func (c *Crowd) put(conn *Conn, l *list.List) {
	was := conn.group.anonymous.Len()
	conn.place = l.PushBack(conn)
	c.resize(conn.group, was)
}

// take takes a connection out of its list. It needs c.mu.
func (c *Crowd) take(conn *Conn) {
	g := conn.group
	was := g.anonymous.Len()
	if conn.account == 0 {
		g.anonymous.Remove(conn.place)
	} else {
		g.known.Remove(conn.place)
	}
	conn.place = nil
	c.resize(g, was)
}

// resize keeps bySize right after the number of anonymous connections of a group has changed. It needs c.mu.
func (c *Crowd) resize(g *group, was int) {
	is := g.anonymous.Len()
	if is == was {
		return
	}
	delete(c.bySize[was], g)
	if len(c.bySize[was]) == 0 {
		delete(c.bySize, was)
	}
	if is > 0 {
		if c.bySize[is] == nil {
			c.bySize[is] = map[*group]struct{}{}
		}
		c.bySize[is][g] = struct{}{}
		c.largest = max(c.largest, is)
	}
}

// leave forgets a connection that is closed.
func (c *Crowd) leave(conn *Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if conn.place != nil {
		c.remove(conn)
	}
}

// remove needs c.mu.
func (c *Crowd) remove(conn *Conn) {
	c.take(conn)
	c.total--
	if conn.account != 0 {
		count(c.accounts, conn.account, -1)
	}
	if conn.group.size() == 0 {
		delete(c.groups, conn.group.network)
	}
}

// TookNothing notes a connection on which an answer is cut because its client took nothing of it for so long. A nil
// connection is none of a crowd.
func (c *Conn) TookNothing(wait time.Duration) {
	if c == nil {
		return
	}
	c.crowd.mu.Lock()
	who := c.description()
	c.crowd.mu.Unlock()
	c.crowd.record.note(silentReaders, "An answer is cut, on a connection that is %s: nothing of it was taken for %s", who, wait)
}
