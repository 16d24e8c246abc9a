package live

import (
	"context"
	"encoding/json"
	"errors"
	"runtime"
	"testing"
	"time"
)

// Close ends hijacked connections and resting polls, tells every socket once, and leaves no goroutine.
func TestClose(t *testing.T) {
	before := runtime.NumGoroutine()
	x := start(t, Options{}, nil)
	p, _ := x.join(t)
	upgraded := x.dial(t, x.open(t))
	upgraded.send(t, "2probe")
	upgraded.gets(t, "3probe")
	upgraded.send(t, "5", "40/tasks,")
	upgraded.read(t)
	candidate := x.dial(t, x.open(t))
	sid := x.open(t)
	x.post(t, sid, "40/tasks,")
	x.poll(t, sid)
	rested := make(chan answer)
	go func() { rested <- x.ask(t, "GET", sid, "") }()
	x.rests(t, sid)

	if err := x.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := x.reasons(); len(got) != 3 || got[0] != ServerClosed || got[1] != ServerClosed || got[2] != ServerClosed {
		t.Errorf("disconnected with %q", got)
	}
	for _, end := range []peer{p, upgraded, candidate} {
		if status := end.hangs(t); status != -1 {
			t.Errorf("clients were told %d", status)
		}
	}
	if a := <-rested; a.status != 400 {
		t.Errorf("resting poll: %d %s", a.status, a.body)
	}
	if a := x.ask(t, "GET", "transport=polling&EIO=4", ""); a.status != 503 {
		t.Errorf("handshake afterwards: %d", a.status)
	}
	if err := x.Close(t.Context()); err != nil || x.Sessions() != 0 || x.Sockets() != 0 {
		t.Errorf("closed again: %v, %d sessions", err, x.Sessions())
	}
	x.stop()
	eventually(t, "goroutines gone", func() bool { return runtime.NumGoroutine() <= before })
}

// Whom it has just let in it does not cut off before the client believes it.
func TestClientsSettleBeforeTheyAreCut(t *testing.T) {
	for name, cut := range map[string]func(*site) error{
		"close": func(x *site) error { return x.Close(t.Context()) },
		"renew": func(x *site) error { x.tasks.Sockets("")[0].Renew(); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := start(t, Options{Settle: 300 * time.Millisecond}, nil)
			began := time.Now()
			p, _ := x.join(t)
			cutting := make(chan error, 1)
			go func() { cutting <- cut(x) }()
			p.hangs(t)
			if took := time.Since(began); took < 300*time.Millisecond {
				t.Errorf("cut off after %s", took)
			}
			if err := <-cutting; err != nil {
				t.Error(err)
			}
			eventually(t, "end", func() bool { return len(x.reasons()) == 1 })
		})
	}
}

func TestCloseDoesNotWaitForEver(t *testing.T) {
	gate, entered := make(chan struct{}), make(chan struct{})
	x := start(t, Options{}, func(x *site) {
		x.tasks.On("wait", func(*Socket, []json.RawMessage) []any { close(entered); <-gate; return nil })
	})
	p, _ := x.join(t)
	p.send(t, `42/tasks,["wait"]`)
	<-entered
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := x.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	close(gate)
	x.ended(t, ServerClosed)
}

// Clients that come and go leave nothing behind.
func TestNoLeak(t *testing.T) {
	x := start(t, Options{}, func(x *site) {
		x.tasks.OnConnect(func(k *Socket) { k.Join("room"); x.tasks.Emit("room", "hello") })
	})
	x.open(t)
	before := runtime.NumGoroutine()
	for range 30 {
		p := x.dial(t, "")
		p.send(t, "40/tasks,")
		p.read(t)
		p.CloseNow()
		sid := x.open(t)
		x.post(t, sid, "40/tasks,")
		x.post(t, sid, "1")
	}
	eventually(t, "sessions gone", func() bool { return x.Sessions() == 1 && x.Sockets() == 0 })
	x.client.CloseIdleConnections()
	eventually(t, "goroutines gone", func() bool { return runtime.NumGoroutine() <= before })
	if n := x.tasks.roomCount(); n != 0 {
		t.Errorf("%d rooms left", n)
	}
}

// Everything at once, for the race detector.
func TestCrowd(t *testing.T) {
	x := start(t, Options{}, func(x *site) {
		x.tasks.OnConnect(func(k *Socket) { k.Join("room") })
		x.tasks.On("say", func(k *Socket, args []json.RawMessage) []any {
			x.tasks.Emit("room", "said", args[0])
			k.Leave("room")
			k.Join("room")
			return []any{len(x.tasks.Sockets("room")) > 0, x.Sockets() > 0, k.Rooms()}
		})
	})
	done := make(chan struct{})
	const clients, words = 20, 20
	for range clients {
		go func() {
			defer func() { done <- struct{}{} }()
			p := x.dial(t, "")
			p.send(t, "40/tasks,")
			for range words {
				p.send(t, `42/tasks,1["say","x"]`)
			}
			for acks := 0; acks < words; {
				if p.read(t)[1] == packetAck {
					acks++
				}
			}
		}()
	}
	for range clients {
		<-done
	}
	for _, k := range x.tasks.Sockets("room") {
		go k.Drop()
	}
	eventually(t, "all gone", func() bool { return x.Sessions() == 0 && len(x.reasons()) == clients })
}
