package live

import (
	"errors"
	"net"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"vserver/service/fault"
)

// brittle is a listener whose connections panic when a test wants it.
type brittle struct {
	net.Listener

	mu  sync.Mutex
	all []*brittleConn // in the order of their coming
}

// brittleConn is a connection that panics at one of its methods.
type brittleConn struct {
	net.Conn

	mu sync.Mutex
	at string
}

// Accept waits for the next connection.
func (b *brittle) Accept() (net.Conn, error) {
	conn, err := b.Listener.Accept()
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	c := &brittleConn{Conn: conn}
	b.all = append(b.all, c)
	return c, nil
}

// breakAt has the newest connection panic at a method.
func (b *brittle) breakAt(method string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := b.all[len(b.all)-1]
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = method
}

func (c *brittleConn) may(method string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.at == method {
		panic("the connection panicked at " + method)
	}
}

func (c *brittleConn) Read(p []byte) (int, error) { c.may("read"); return c.Conn.Read(p) }

func (c *brittleConn) Write(p []byte) (int, error) { c.may("write"); return c.Conn.Write(p) }

func (c *brittleConn) Close() error { defer c.may("close"); return c.Conn.Close() }

// brittleSite is a site on connections that panic, and what it reports.
func brittleSite(t *testing.T) (x *site, on *brittle, reports chan error) {
	t.Helper()
	reports = make(chan error, 100)
	x = start(t, Options{Report: func(err error) { reports <- err }}, func(x *site) {
		x.tasks.OnConnect(func(k *Socket) { k.Join("room") })
	})
	x.web.Close()
	x.web = httptest.NewUnstartedServer(x.Server)
	on = &brittle{Listener: x.web.Listener}
	x.web.Listener = on
	x.web.Start()
	return x, on, reports
}

// TestPanicOfASessionEndsItAlone has the goroutines of one session panic, each in turn. It is
// ended and its disconnect handler called, the panic is reported with an incident, and the
// other session hears what is said then.
func TestPanicOfASessionEndsItAlone(t *testing.T) {
	for method, provoke := range map[string]func(*site, peer, *testing.T){
		"write": func(x *site, _ peer, _ *testing.T) { _ = x.tasks.Emit("room", "to all", 1) },
		"read":  func(_ *site, p peer, t *testing.T) { p.send(t, "3", "3") },
		"close": func(_ *site, p peer, t *testing.T) { p.send(t, "1") },
	} {
		t.Run(method, func(t *testing.T) {
			x, on, reports := brittleSite(t)
			other, _ := x.join(t)
			broken, _ := x.join(t)
			on.breakAt(method)
			provoke(x, broken, t)
			var p *fault.Panic
			if err := <-reports; !errors.As(err, &p) || p.Incident == "" || !strings.Contains(p.Stack, "panic_test.go") {
				t.Errorf("reported %v", err)
			}
			eventually(t, "the end of the session", func() bool { return len(x.reasons()) == 1 && x.Sessions() == 1 })
			if method == "write" {
				other.gets(t, `42/tasks,["to all",1]`)
			}
			_ = x.tasks.Emit("room", "afterwards")
			other.gets(t, `42/tasks,["afterwards"]`)
			if err := x.Close(t.Context()); err != nil {
				t.Errorf("closing: %v", err)
			}
		})
	}
}

// TestHeartbeatGoesOnAfterAPanic has the look at a session panic; the others are still pinged.
func TestHeartbeatGoesOnAfterAPanic(t *testing.T) {
	var mu sync.Mutex
	var reports []string
	x := start(t, Options{PingInterval: 20 * time.Millisecond, Report: func(err error) {
		mu.Lock()
		defer mu.Unlock()
		reports = append(reports, err.Error())
	}}, nil)
	p, _ := x.join(t)
	x.Server.mu.Lock()
	x.sessions["none"] = nil
	x.Server.mu.Unlock()
	eventually(t, "a report", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return slices.ContainsFunc(reports, func(text string) bool { return strings.Contains(text, "heartbeat") })
	})
	x.Server.mu.Lock()
	delete(x.sessions, "none")
	x.Server.mu.Unlock()
	for range 3 {
		if _, b, err := p.Read(t.Context()); err != nil || string(b) != "2" {
			t.Fatalf("%q, %v", b, err)
		}
	}
}
