package dbtest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"

	"vserver/queries"
)

// Proxy carries connections to Postgres, with faults that a test asks for.
type Proxy struct {
	listener net.Listener
	to       string

	mu      sync.Mutex
	down    bool
	flowing chan struct{}         // closed while bytes are passed on
	lose    *loss                 // of the answer to the next commit
	hold    bool                  // from the next commit on
	open    map[net.Conn]net.Conn // the server's end and Postgres's
}

// NewProxy returns a proxy before a database on Postgres, for one test.
func NewProxy(t testing.TB, src queries.Source) (*Proxy, queries.Source) {
	t.Helper()
	target, err := url.Parse(src.DSN)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{listener: listener, to: target.Host, flowing: make(chan struct{}), open: map[net.Conn]net.Conn{}}
	close(p.flowing)
	var carrying sync.WaitGroup
	carrying.Go(func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			carrying.Go(func() { p.carry(c) })
		}
	})
	t.Cleanup(func() { _ = listener.Close(); p.Release(); p.Cut(); carrying.Wait() })
	target.Host = listener.Addr().String()
	src.DSN = target.String()
	return p, src
}

// Cut ends all connections and lets no new ones through until Mend, as a Postgres that
// restarts.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = true
	for server, database := range p.open {
		_ = server.Close()
		_ = database.Close()
	}
}

// Mend lets connections through again.
func (p *Proxy) Mend() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = false
}

// Hold passes nothing on until Release, as a Postgres that hangs; connections stay, and
// new ones are taken.
func (p *Proxy) Hold() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.flowing = make(chan struct{})
}

// Release passes on what was held and what comes.
func (p *Proxy) Release() {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.flowing:
	default:
		close(p.flowing)
	}
}

// LoseCommit ends the next connection that commits after Postgres has done so, before the answer.
func (p *Proxy) LoseCommit() { p.LoseCommitOf("", func() {}) }

// LoseCommitOf is LoseCommit for the next transaction that holds a text. Between what Postgres has done and the end of
// the connection then is called.
func (p *Proxy) LoseCommitOf(text string, then func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lose = &loss{[]byte(text), then}
}

// loss is an answer that gets lost.
type loss struct {
	of   []byte
	then func()
}

// HoldCommit is Hold from the next commit on, which Postgres does not get.
func (p *Proxy) HoldCommit() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hold = true
}

// preparedCommit is how the driver asks for a commit, behind other statements or alone: by the name that it gives the
// prepared one.
func preparedCommit() []byte {
	sum := sha256.Sum256([]byte("COMMIT"))
	return fmt.Appendf(nil, "\x00stmtcache_%x\x00", sum[:24])
}

// commits returns the loss that the answer to what is sent has to have. held is whether the transaction holds the
// text of it.
func (p *Proxy) commits(sent []byte, held *bool) (loses *loss) {
	p.mu.Lock()
	defer p.mu.Unlock()
	*held = *held || p.lose != nil && bytes.Contains(sent, p.lose.of)
	if !bytes.Contains(sent, preparedCommit()) {
		return nil
	}
	if p.hold {
		p.hold, p.flowing = false, make(chan struct{})
	}
	if *held {
		loses, p.lose, *held = p.lose, nil, false
	}
	return loses
}

// Open is how many connections there are.
func (p *Proxy) Open() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.open)
}

func (p *Proxy) carry(server net.Conn) {
	defer func() { _ = server.Close() }()
	if p.isDown() {
		return
	}
	database, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", p.to)
	if err != nil {
		return
	}
	defer func() { _ = database.Close() }()
	if !p.enter(server, database) {
		return
	}
	defer p.leave(server)
	var back sync.WaitGroup
	var losing atomic.Pointer[loss]
	back.Go(func() { p.pass(server, database, losing.Load) })
	held := false
	p.pass(database, server, func() *loss { return nil }, func(sent []byte) {
		if l := p.commits(sent, &held); l != nil {
			losing.Store(l)
		}
	})
	back.Wait()
}

func (p *Proxy) isDown() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.down
}

func (p *Proxy) enter(server, database net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.down {
		p.open[server] = database
	}
	return !p.down
}

func (p *Proxy) leave(server net.Conn) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.open, server)
}

// pass carries one direction; its end is that of the connection.
func (p *Proxy) pass(to, from net.Conn, lost func() *loss, look ...func([]byte)) {
	defer func() { _ = to.Close(); _ = from.Close() }()
	held := make([]byte, 32<<10)
	for {
		n, err := from.Read(held)
		for _, f := range look {
			f(held[:n])
		}
		p.mu.Lock()
		flowing := p.flowing
		p.mu.Unlock()
		<-flowing
		if n > 0 {
			if l := lost(); l != nil {
				l.then()
				return
			}
			if _, err := to.Write(held[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}
