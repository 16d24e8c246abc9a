package limits

import (
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"vserver/service/config"
	"vserver/service/promise"
)

// gate is a crowd with a listener, and what it told the log.
type gate struct {
	*testing.T
	*Limits
	at       string
	accepted chan *Conn
	lines    []string
}

func newGate(t *testing.T, o Options) *gate {
	t.Helper()
	g := &gate{T: t, accepted: make(chan *Conn, 100)}
	o.Warn = func(text string) { g.lines = append(g.lines, text) }
	g.Limits = New(o)
	raw, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g.at = raw.Addr().String()
	l := g.Crowd.Watch(raw)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			g.accepted <- c.(*Conn)
		}
	}()
	t.Cleanup(func() {
		_ = raw.Close()
		<-ended
	})
	return g
}

// from is the client's end of a connection from an address of this machine.
func (g *gate) from(ip string) net.Conn {
	g.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(ip)}}
	c, err := d.DialContext(g.Context(), "tcp", g.at)
	if err != nil {
		g.Skipf("this machine has no address %s: %v", ip, err)
	}
	g.Cleanup(func() { _ = c.Close() })
	return c
}

// pair is both ends of a connection that was let in.
func (g *gate) pair(ip string) (client net.Conn, server *Conn) {
	g.Helper()
	client = g.from(ip)
	select {
	case server = <-g.accepted:
	case <-time.After(promise.Patience):
		g.Fatal("the connection was not let in")
	}
	g.Cleanup(func() { _ = server.Close() })
	return client, server
}

// cut waits for the end of a connection.
func (g *gate) cut(c net.Conn) {
	g.Helper()
	_ = c.SetReadDeadline(time.Now().Add(promise.Patience))
	if _, err := c.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		g.Errorf("the connection is still there: %v", err)
	}
}

// open checks that bytes still get through.
func (g *gate) open(client net.Conn, server *Conn) {
	g.Helper()
	if _, err := io.WriteString(server, "x"); err != nil {
		g.Fatalf("the connection is cut: %v", err)
	}
	_ = client.SetReadDeadline(time.Now().Add(promise.Patience))
	if _, err := io.ReadFull(client, make([]byte, 1)); err != nil {
		g.Fatalf("the connection is cut: %v", err)
	}
}

// At the limit of an address everybody is let in; above it the oldest that nobody has shown a token on makes room, and
// when all have, the new one is closed.
func TestConnectionsOfAnAddressAreBounded(t *testing.T) {
	g := newGate(t, Options{Settings: config.Limits{ConnectionsPerAddress: 3}})
	c1, s1 := g.pair("127.0.0.1")
	c2, s2 := g.pair("127.0.0.1")
	c3, s3 := g.pair("127.0.0.1")
	other, theirs := g.pair("127.0.0.2")
	if err := s1.BelongTo(7, false); err != nil {
		t.Fatal(err)
	}
	g.open(c1, s1)
	g.open(c2, s2)
	if n := g.Reached()[connectionsPerAddress]; n != 0 {
		t.Errorf("the limit was reached %d times", n)
	}
	c4, s4 := g.pair("127.0.0.1")
	g.cut(c2)
	g.open(c1, s1)
	g.open(c3, s3)
	g.open(c4, s4)
	for _, s := range []*Conn{s3, s4} {
		if err := s.BelongTo(8, true); err != nil {
			t.Fatal(err)
		}
	}
	g.cut(g.from("127.0.0.1"))
	g.open(c1, s1)
	g.open(other, theirs)
	if n := g.Reached()[connectionsPerAddress]; n != 2 {
		t.Errorf("the limit was reached %d times", n)
	}
	if len(g.lines) != 1 || !strings.Contains(g.lines[0], "address 127.0.0.1 has reached the limit of 3, limits.connections_per_address") {
		t.Errorf("the log has %q", g.lines)
	}
	if n := g.Crowd.Len(); n != 4 {
		t.Errorf("%d connections are counted", n)
	}
}

// Behind a proxy the address is everybody's.
func TestConnectionsOfAProxyAreNotBounded(t *testing.T) {
	g := newGate(t, Options{
		Settings: config.Limits{ConnectionsPerAddress: 1},
		Trusted:  func(a netip.Addr) bool { return a == netip.MustParseAddr("127.0.0.2") },
	})
	c1, s1 := g.pair("127.0.0.2")
	c2, s2 := g.pair("127.0.0.2")
	g.open(c1, s1)
	g.open(c2, s2)
	c3, s3 := g.pair("127.0.0.1")
	if !g.Crowd.Forwards(netip.MustParseAddr("127.0.0.1")) || g.Crowd.Forwards(netip.MustParseAddr("127.0.0.1")) {
		t.Error("a proxy is no news, or news twice")
	}
	c4, s4 := g.pair("127.0.0.1")
	g.open(c3, s3)
	g.open(c4, s4)
	if g.Crowd.Forwards(netip.MustParseAddr("127.0.0.2")) {
		t.Error("a trusted proxy is news")
	}
}

// Of all connections that the process can have, those make room that matter least: without a token, of the address that
// has most; then idle ones, then any of users; never those of nodes.
func TestTheLeastImportantConnectionMakesRoom(t *testing.T) {
	g := newGate(t, Options{Connections: 4})
	lone, theirs := g.pair("127.0.0.2")
	c1, _ := g.pair("127.0.0.1")
	c2, s2 := g.pair("127.0.0.1")
	c3, s3 := g.pair("127.0.0.1")
	c4, s4 := g.pair("127.0.0.3")
	g.cut(c1)
	g.open(lone, theirs)
	for account, s := range map[int64]*Conn{1: theirs, 2: s2, 3: s3, 4: s4} {
		if err := s.BelongTo(account, account > 2); err != nil {
			t.Fatal(err)
		}
	}
	Follow(s2, http.StateIdle)
	Follow(s4, http.StateIdle)
	belongs := func() {
		c, s := g.pair("127.0.0.1")
		g.open(c, s)
		if err := s.BelongTo(9, true); err != nil {
			t.Fatal(err)
		}
	}
	belongs()
	g.cut(c2) // an idle one of a user
	belongs()
	g.cut(c4) // an idle one of a node
	belongs()
	g.cut(lone) // one of a user
	g.cut(g.from("127.0.0.1"))
	g.open(c3, s3)
	if n := g.Crowd.Len(); n != 4 {
		t.Errorf("%d connections are counted", n)
	}
	if n := g.Reached()[openFiles]; n != 5 {
		t.Errorf("there was no room %d times", n)
	}
}

// An account has its limit of connections, and no more than half of all that there can be.
func TestConnectionsOfAnAccountAreBounded(t *testing.T) {
	for name, o := range map[string]Options{
		"by the setting": {Settings: config.Limits{ConnectionsPerAccount: 2}},
		"to half":        {Settings: config.Limits{ConnectionsPerAccount: 1000}, Connections: 4},
	} {
		t.Run(name, func(t *testing.T) {
			g := newGate(t, o)
			_, s1 := g.pair("127.0.0.1")
			_, s2 := g.pair("127.0.0.1")
			_, s3 := g.pair("127.0.0.1")
			for range 2 { // the second time it is no other connection
				for _, s := range []*Conn{s1, s2} {
					if err := s.BelongTo(7, false); err != nil {
						t.Fatal(err)
					}
				}
			}
			var over *Excess
			if err := s3.BelongTo(7, false); !errors.As(err, &over) || over.Who != "account 7" || over.Most != 2 {
				t.Fatalf("got %v", err)
			}
			if err := s3.BelongTo(8, false); err != nil {
				t.Errorf("another account: %v", err)
			}
			_ = s1.Close()
			_, s4 := g.pair("127.0.0.1")
			if err := s4.BelongTo(7, false); err != nil {
				t.Errorf("after one has gone: %v", err)
			}
		})
	}
}
