//go:build unix

package service

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"vserver/handlers"
	"vserver/queries"
	"vserver/queries/dbtest"
	"vserver/service/bus"
	"vserver/service/config"
	"vserver/service/core"
	"vserver/service/daemon"
	"vserver/service/fault"
	"vserver/service/promise"
)

// journal keeps the log of a test.
type journal struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write adds to it.
func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

// String returns all of it.
func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// brittleServer is a server whose parts panic when a test wants it, on a disk that does.
type brittleServer struct {
	*running
	log  journal
	disk *dbtest.Disk
	db   *queries.DB
	core *core.Core
	news *bus.Bus

	handlerPanics, loopPanics atomic.Bool
	alive                     atomic.Int64 // how often it was asked whether it lives
}

// serveBrittle runs a server until the process is sent SIGTERM, as the program does.
func serveBrittle(t *testing.T) *brittleServer {
	t.Helper()
	src := startedDatabase.Copy(t)
	b := &brittleServer{running: &running{T: t, ended: make(chan error, 1)}, disk: dbtest.NewDisk(t)}
	if src.Engine == queries.SQLite {
		src.VFS = b.disk.Name
	}
	var err error
	if b.db, err = queries.Open(t.Context(), src); err != nil {
		t.Fatal(err)
	}
	log := zerolog.New(&b.log)
	b.news = bus.New(log)
	if b.core, err = core.New(t.Context(), b.db, b.news, log, core.Settings{MaxFailedAttempts: 5, LockFor: time.Minute}); err != nil {
		t.Fatal(err)
	}
	options := wireOptions(configured(t).Config)
	options.Exhausted = func() bool {
		if b.handlerPanics.Load() {
			panic("a fault of a handler")
		}
		return false
	}
	wire := handlers.New(b.core, log, options)
	s := &server{
		core: b.core, wire: wire, log: log, http: &http.Server{Handler: wire, ReadHeaderTimeout: headerTime, ErrorLog: complain(log)},
		notifier: daemon.NewNotifier(variables("NOTIFY_SOCKET", attentive(t), "WATCHDOG_USEC", "30000")),
	}
	alive := func(context.Context) bool {
		if b.alive.Add(1); b.loopPanics.Swap(false) {
			panic("a fault of a loop")
		}
		return true
	}
	listener, err := Listen(t.Context(), config.Config{})
	if err != nil {
		t.Fatal(err)
	}
	b.address = listener.Addr().String()
	ctx, stop := signal.NotifyContext(t.Context(), syscall.SIGTERM)
	b.end = stop
	go func() {
		err := s.serveUntilEnd(ctx, listener, func(net.Addr) {}, alive)
		b.ended <- errors.Join(err, b.db.Close())
	}()
	t.Cleanup(func() { b.wait() })
	return b
}

// attentive is the socket of a service manager that reads all that it is told.
func attentive(t *testing.T) (socket string) {
	t.Helper()
	socket = filepath.Join(t.TempDir(), "s")
	conn, err := (&net.ListenConfig{}).ListenPacket(t.Context(), "unixgram", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	go func() {
		words := make([]byte, 1024)
		for {
			if _, _, err := conn.ReadFrom(words); err != nil {
				return
			}
		}
	}()
	return socket
}

// terminates sends SIGTERM and wants the end in time, without an error.
func (b *brittleServer) terminates() {
	b.Helper()
	asked := time.Now()
	if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
		b.Fatal(err)
	}
	select {
	case err := <-b.ended:
		b.ended <- nil
		if err != nil {
			b.Errorf("it ended with %v", err)
		}
	case <-time.After(promise.Within(10 * time.Second)):
		b.Fatalf("it still runs %s after SIGTERM", time.Since(asked))
	}
}

// post makes an organization and returns the status.
func (b *brittleServer) post(token, name string) int {
	b.Helper()
	status, _ := b.call("POST", "/api/organization", token, map[string]string{"name": name})
	return status
}

// TestAdvisory_U16_ServerEndsInTimeAfterAnyPanic has each part of a server panic. Whoever met the panic
// has an error with an incident that leads to the log; everybody else is served, health
// tells the truth, and SIGTERM ends the server as it always does.
func TestAdvisory_U16_ServerEndsInTimeAfterAnyPanic(t *testing.T) {
	for name, panics := range map[string]func(*testing.T, *brittleServer, string){
		"handler": func(t *testing.T, b *brittleServer, _ string) {
			b.handlerPanics.Store(true)
			if status, body := b.call("GET", "/api/health", "", nil); status != 500 || strings.Contains(body, "fault of a handler") {
				t.Errorf("%d %s", status, body)
			}
			b.handlerPanics.Store(false)
		},
		"transaction": func(t *testing.T, b *brittleServer, _ string) {
			var p *fault.Panic
			err := b.core.Administer(t.Context(), func(context.Context, *core.Tx) error { panic("a fault of a transaction") })
			if !errors.As(err, &p) {
				t.Errorf("%v", err)
			}
			log := zerolog.New(&b.log)
			log.Error().Func(p.Detail).Msg("what a caller does with it")
		},
		"driver": func(t *testing.T, b *brittleServer, token string) {
			if b.db.Commits() == nil {
				t.Skip("skipped: the disk is below SQLite only")
			}
			b.disk.PanicAt(dbtest.Writing, 1)
			if status := b.post(token, "lost"); status != 500 {
				t.Errorf("%d", status)
			}
		},
		"subscriber": func(t *testing.T, b *brittleServer, token string) {
			defer b.news.Subscribe(func(bus.Message) { panic("a fault of a subscriber") })()
			heard := false
			defer b.news.Subscribe(func(bus.Message) { heard = true })()
			if status, body := b.call("PATCH", "/api/organization/1", token, map[string]string{"country": "NL"}); status != 200 {
				t.Errorf("%d %s", status, body)
			}
			b.news.Publish(bus.Message{Topic: core.TopicRights})
			if !heard {
				t.Error("the next subscriber heard nothing")
			}
		},
		"background loop": func(t *testing.T, b *brittleServer, _ string) {
			b.loopPanics.Store(true)
			for end := time.Now().Add(promise.Patience); b.loopPanics.Load() && time.Now().Before(end); time.Sleep(time.Millisecond) {
			}
			before := b.alive.Load()
			for end := time.Now().Add(promise.Patience); b.alive.Load() < before+3 && time.Now().Before(end); time.Sleep(time.Millisecond) {
			}
			if b.alive.Load() < before+3 {
				t.Error("the loop has ended")
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := serveBrittle(t)
			token := b.logIn()
			panics(t, b, token)
			if said := b.log.String(); !strings.Contains(said, `"incident":"`) || !strings.Contains(said, `"stack":"`) {
				t.Errorf("the log: %s", said)
			}
			if status := b.post(token, "afterwards"); status != 201 {
				t.Errorf("the next write: %d", status)
			}
			if status, body := b.call("GET", "/api/health", "", nil); status != 200 || !strings.Contains(body, "true") {
				t.Errorf("health: %d %s", status, body)
			}
			b.terminates()
		})
	}
}

// TestListenerThatPanicsEndsTheServerInOrder: without a listener nothing is served, and who
// looks after the server starts it anew.
func TestListenerThatPanicsEndsTheServerInOrder(t *testing.T) {
	inst := configured(t)
	log, lost := zerolog.New(&journal{}), &fault.Panic{}
	opened, err := OpenInstance(t.Context(), inst, false, log)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := Listen(t.Context(), config.Config{})
	if err != nil {
		t.Fatal(err)
	}
	wire := handlers.New(opened.Core, log, wireOptions(inst.Config))
	s := &server{core: opened.Core, wire: wire, log: log, http: &http.Server{Handler: wire, ReadHeaderTimeout: headerTime}}
	err = s.serveUntilEnd(t.Context(), brittleListener{listener}, nil, nil)
	if !errors.As(err, &lost) || lost.Incident == "" {
		t.Errorf("it ended with %v", err)
	}
	if err := opened.Close(); err != nil {
		t.Error(err)
	}
}

type brittleListener struct{ net.Listener }

// Accept panics.
func (brittleListener) Accept() (net.Conn, error) { panic("a fault of a listener") }

// TestMetricThatPanicsIsAnsweredAndLogged: whoever asks for metrics gets a 500 with an
// incident, and is answered again when it is over.
func TestMetricThatPanicsIsAnsweredAndLogged(t *testing.T) {
	var said journal
	log := zerolog.New(&said)
	m := newMetrics(&descriptors{log: log})
	var panics atomic.Bool
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "x"}, func() float64 {
		if panics.Load() {
			panic("a fault of a metric")
		}
		return 1
	}))
	web := http.NewServeMux()
	web.Handle("/metrics", shielded(m.handler(), log))
	listener, err := Listen(t.Context(), config.Config{})
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: web, ReadHeaderTimeout: headerTime}
	go func() { _ = server.Serve(listener) }()
	defer func() { _ = server.Close() }()
	r := &running{T: t, address: listener.Addr().String()}
	panics.Store(true)
	if status, body := r.call("GET", "/metrics", "", nil); status != 500 || strings.Contains(body, "fault of a metric") {
		t.Errorf("%d %s", status, body)
	}
	if text := said.String(); !strings.Contains(text, "a fault of a metric") || !strings.Contains(text, `"incident":"`) {
		t.Errorf("the log: %s", text)
	}
	panics.Store(false)
	if status, _ := r.call("GET", "/metrics", "", nil); status != 200 {
		t.Errorf("afterwards: %d", status)
	}
}
