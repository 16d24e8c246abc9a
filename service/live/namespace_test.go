package live

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"vserver/service/fault"

	"github.com/coder/websocket"
	"github.com/google/go-cmp/cmp"
)

func TestRooms(t *testing.T) {
	x := start(t, Options{}, func(x *site) {
		x.tasks.On("join", func(k *Socket, args []json.RawMessage) []any {
			for _, a := range args {
				k.Join(strings.Trim(string(a), `"`))
			}
			return []any{k.Rooms()}
		})
		x.tasks.On("leave", func(k *Socket, args []json.RawMessage) []any {
			k.Leave(strings.Trim(string(args[0]), `"`))
			return []any{k.Rooms()}
		})
	})
	a, aID := x.join(t)
	b, bID := x.join(t)
	a.send(t, `42/tasks,1["join","z","both","z"]`)
	a.gets(t, `43/tasks,1[["both","z"]]`)
	b.send(t, `42/tasks,1["join","both","never/../seen"]`, `42/tasks,2["leave","never/../seen"]`, `42/tasks,3["leave","z"]`)
	b.gets(t, `43/tasks,1[["both","never/../seen"]]`, `43/tasks,2[["both"]]`, `43/tasks,3[["both"]]`)
	for room, want := range map[string][]string{"": {aID, bID}, "both": {aID, bID}, "z": {aID}, aID: {aID}, "none": nil} {
		var got []string
		for _, k := range x.tasks.Sockets(room) {
			got = append(got, k.ID())
		}
		slices.Sort(got)
		slices.Sort(want)
		if !cmp.Equal(got, want) {
			t.Errorf("room %q: %q, want %q", room, got, want)
		}
		x.tasks.Emit(room, "room", room)
	}
	marks := func(p peer) (seen []string) {
		x.tasks.Emit("", "end")
		for frame := p.read(t); frame != `42/tasks,["end"]`; frame = p.read(t) {
			seen = append(seen, frame)
		}
		slices.Sort(seen)
		return seen
	}
	if got := marks(a); len(got) != 4 {
		t.Errorf("a got %q", got)
	}
	if got := marks(b); len(got) != 2 {
		t.Errorf("b got %q", got)
	}
	a.send(t, "41/tasks,")
	x.ended(t, ClientLeft)
	eventually(t, "a gone from its rooms", func() bool { return len(x.tasks.Sockets("both")) == 1 })
	if n := len(x.tasks.Sockets("z")) + len(x.tasks.Sockets(aID)); n != 0 || x.tasks.roomCount() != 1 {
		t.Errorf("%d sockets in rooms of a socket that left, %d rooms", n, x.tasks.roomCount())
	}
}

func (ns *Namespace) roomCount() int {
	ns.mu.RLock()
	defer ns.mu.RUnlock()
	return len(ns.rooms)
}

// What the connect handler sends comes before the acknowledgement, what it sends to a room it joined too.
func TestConnectHandlerGoesFirst(t *testing.T) {
	x := start(t, Options{}, func(x *site) {
		x.tasks.OnConnect(func(k *Socket) {
			k.Data = "me"
			x.tasks.Emit("all", "online")
			k.Join("all")
			x.tasks.Emit("all", "message", "joined")
			k.Emit("own", 1)
		})
	})
	a, _ := x.join(t, `42/tasks,["message","joined"]`, `42/tasks,["own",1]`)
	x.join(t, `42/tasks,["message","joined"]`, `42/tasks,["own",1]`)
	a.gets(t, `42/tasks,["online"]`, `42/tasks,["message","joined"]`)
	if k := x.tasks.Sockets("all")[0]; k.Data != "me" {
		t.Errorf("data %v", k.Data)
	}
}

// /docs/live#log-in: told, acknowledged, then closed; in no room, and heeded in nothing.
func TestRefuse(t *testing.T) {
	var heeded atomic.Int32
	gate := make(chan *Socket, 1)
	x := start(t, Options{}, func(x *site) {
		x.tasks.OnConnect(func(k *Socket) {
			k.Join("before")
			k.Emit("expired_token")
			k.Refuse(50 * time.Millisecond)
			k.Join("after")
			gate <- k
		})
		x.tasks.On("ping", func(*Socket, []json.RawMessage) []any { heeded.Add(1); return nil })
	})
	p, _ := x.join(t, `42/tasks,["expired_token"]`)
	p.send(t, `42/tasks,["ping"]`, `42/tasks,1["ping"]`)
	x.tasks.Emit("before", "secret")
	x.tasks.Emit("after", "secret")
	x.tasks.Emit("", "secret")
	x.tasks.Emit((<-gate).ID(), "secret")
	p.gets(t, "41/tasks,", "1")
	if status := p.hangs(t); status != websocket.StatusNormalClosure {
		t.Errorf("closed with %d", status)
	}
	eventually(t, "session gone", func() bool { return x.Sessions() == 0 })
	if n := heeded.Load(); n != 0 || len(x.reasons()) != 0 || x.Sockets() != 0 {
		t.Errorf("%d events heeded, disconnected %v", n, x.reasons())
	}
}

func TestAcknowledgementsOfClients(t *testing.T) {
	answers := make(chan string, 10)
	x := start(t, Options{}, nil)
	note := func(k *Socket, args []json.RawMessage) { answers <- fmt.Sprintf("%s %s", k.ID(), args) }
	a, aID := x.join(t)
	b, bID := x.join(t)
	x.tasks.EmitAck("", "ping", note)
	a.gets(t, `42/tasks,1["ping"]`)
	b.gets(t, `42/tasks,1["ping"]`)
	a.send(t, `43/tasks,1[7]`, `43/tasks,1[8]`, `43/tasks,9[9]`) // the second and third were not asked for
	if got := <-answers; got != aID+" [7]" {
		t.Errorf("got %q", got)
	}
	x.tasks.EmitAck(aID, "ping", note, "x")
	a.gets(t, `42/tasks,2["ping","x"]`)
	a.send(t, `43/tasks,2[]`)
	if got := <-answers; got != aID+" []" {
		t.Errorf("got %q", got)
	}
	b.send(t, `43/tasks,1[{"a":1},2]`)
	if got := <-answers; got != bID+` [{"a":1} 2]` {
		t.Errorf("got %q", got)
	}
}

// Answers that never come are not remembered for ever.
func TestForgottenAcknowledgements(t *testing.T) {
	answers := make(chan string, 2)
	x := start(t, Options{}, nil)
	p, id := x.join(t)
	k := x.tasks.Sockets(id)[0]
	for range maxAsked + 1 {
		k.EmitAck("ping", func(args []json.RawMessage) { answers <- string(args[0]) })
		p.read(t)
	}
	k.session.mu.Lock()
	n := len(k.asked)
	k.session.mu.Unlock()
	if n != maxAsked {
		t.Errorf("%d acknowledgements remembered", n)
	}
	p.send(t, `43/tasks,1["old"]`, fmt.Sprintf(`43/tasks,%d["new"]`, maxAsked+1))
	if got := <-answers; got != `"new"` {
		t.Errorf("got %s", got)
	}
}

func TestDisconnect(t *testing.T) {
	x := start(t, Options{}, func(x *site) {
		x.tasks.On("leave", func(k *Socket, _ []json.RawMessage) []any { k.Disconnect(); k.Emit("lost"); return nil })
	})
	p, _ := x.join(t)
	p.send(t, `42/tasks,["leave"]`, `42/tasks,["leave"]`)
	p.gets(t, "41/tasks,", "1")
	p.hangs(t)
	x.ended(t, ServerDisconnect)
}

func TestDisconnectWhilePolling(t *testing.T) {
	x := start(t, Options{}, nil)
	sid := x.open(t)
	x.post(t, sid, "40/tasks,")
	x.poll(t, sid)
	got := make(chan string)
	go func() { got <- x.poll(t, sid) }()
	x.rests(t, sid)
	x.tasks.Sockets("")[0].Disconnect()
	if body := <-got; body != "41/tasks,\x1e1" {
		t.Errorf("got %q", body)
	}
	x.ended(t, ServerDisconnect)
}

// Between two polls a client misses nothing of the farewell, and its posts do no harm.
func TestDisconnectBetweenPolls(t *testing.T) {
	x := start(t, Options{}, nil)
	sid := x.open(t)
	x.post(t, sid, "40/tasks,")
	x.poll(t, sid)
	for i := range 20 {
		x.tasks.Emit("", "n", i)
	}
	x.tasks.Sockets("")[0].Disconnect()
	x.ended(t, ServerDisconnect)
	x.post(t, sid, "3")
	x.tasks.Emit("", "lost")
	if n := len(strings.Split(x.poll(t, sid), "\x1e")); n != 16 {
		t.Errorf("%d packets", n)
	}
	if body := x.poll(t, sid); !strings.HasSuffix(body, "[\"n\",19]\x1e41/tasks,\x1e1") {
		t.Errorf("got %q", body)
	}
	if a := x.ask(t, "GET", sid, ""); a.status != 400 || x.Sessions() != 0 {
		t.Errorf("afterwards %d", a.status)
	}
}

func TestFarewellNobodyTakes(t *testing.T) {
	x := start(t, Options{TransferTimeout: 50 * time.Millisecond}, nil)
	sid := x.open(t)
	x.post(t, sid, "40/tasks,")
	x.tasks.Sockets("")[0].Disconnect()
	x.ended(t, ServerDisconnect)
	eventually(t, "session gone", func() bool { return x.Sessions() == 0 })
}

// A farewell that meets an upgrade goes out on the websocket.
func TestFarewellDuringUpgrade(t *testing.T) {
	x := start(t, Options{}, nil)
	sid := x.open(t)
	x.post(t, sid, "40/tasks,")
	x.poll(t, sid)
	p := x.dial(t, sid)
	p.send(t, "2probe")
	p.gets(t, "3probe")
	x.tasks.Sockets("")[0].Disconnect()
	p.send(t, "5")
	p.gets(t, "41/tasks,", "1")
	p.hangs(t)
}

// A client that does not close its end after the farewell is cut.
func TestFarewellEnds(t *testing.T) {
	x := start(t, Options{TransferTimeout: 100 * time.Millisecond}, nil)
	p := eager(t, x.web.Listener.Addr().String(), "/socket.io/?EIO=4&transport=websocket", "40/tasks,")
	p.frame(t)
	socketID(t, p.frame(t))
	x.tasks.Sockets("")[0].Disconnect()
	if got := p.frame(t) + p.frame(t); got != "41/tasks,1" {
		t.Errorf("got %q", got)
	}
	x.stop() // waits for all goroutines
}

func TestDrop(t *testing.T) {
	x := start(t, Options{}, nil)
	p, _ := x.join(t)
	x.tasks.Sockets("")[0].Drop()
	if status := p.hangs(t); status != -1 {
		t.Errorf("closed with %d", status)
	}
	x.ended(t, ServerDropped)
}

func TestDropInConnectHandler(t *testing.T) {
	x := start(t, Options{}, func(x *site) {
		x.tasks.OnConnect(func(k *Socket) { k.Drop(); k.Join("room") })
	})
	p := x.dial(t, "")
	p.read(t)
	p.send(t, "40/tasks,")
	p.hangs(t)
	x.ended(t, ServerDropped)
	eventually(t, "room empty", func() bool { return len(x.tasks.Sockets("room")) == 0 && x.Sockets() == 0 })
}

// The disconnect handler still sees the rooms, and runs after the handler at work.
func TestDisconnectHandler(t *testing.T) {
	order := make(chan string, 3)
	gate, entered := make(chan struct{}), make(chan struct{})
	x := start(t, Options{}, func(x *site) {
		x.tasks.OnConnect(func(k *Socket) { k.Join("room") })
		x.tasks.OnDisconnect(func(k *Socket, r Reason) { order <- fmt.Sprintf("%s %v", r, k.Rooms()) })
		x.tasks.On("wait", func(*Socket, []json.RawMessage) []any {
			close(entered)
			<-gate
			order <- "handled"
			return nil
		})
	})
	p, _ := x.join(t)
	k := x.tasks.Sockets("room")[0]
	p.send(t, `42/tasks,["wait"]`)
	<-entered
	k.Drop()
	p.hangs(t)
	close(gate)
	if got := []string{<-order, <-order}; got[0] != "handled" || got[1] != string(ServerDropped)+" [room]" {
		t.Errorf("got %q", got)
	}
	eventually(t, "rooms left", func() bool { return len(k.Rooms()) == 0 })
	k.Join("room")
	if n := len(x.tasks.Sockets("room")); n != 0 {
		t.Error("a socket that ended joined a room")
	}
}

func TestSeveralNamespaces(t *testing.T) {
	x := start(t, Options{}, func(x *site) {
		x.Namespace("/other").On("who", func(k *Socket, _ []json.RawMessage) []any { return []any{"other"} })
		x.tasks.On("who", func(k *Socket, _ []json.RawMessage) []any { return []any{"tasks"} })
	})
	p, _ := x.join(t)
	p.send(t, "40/other,", `42/other,1["who"]`, `42/tasks,1["who"]`, "41/other,", `42/other,2["who"]`, `42/tasks,2["who"]`)
	if frame := p.read(t); !strings.HasPrefix(frame, `40/other,{"sid":"`) {
		t.Errorf("got %q", frame)
	}
	p.gets(t, `43/other,1["other"]`, `43/tasks,1["tasks"]`, `43/tasks,2["tasks"]`)
	if n := x.Sockets(); n != 1 {
		t.Errorf("%d sockets", n)
	}
	p.send(t, "40/other,") // again
	if frame := p.read(t); !strings.HasPrefix(frame, `40/other,{"sid":"`) {
		t.Errorf("got %q", frame)
	}
}

func TestPanics(t *testing.T) {
	reports := make(chan error, 5)
	x := start(t, Options{Report: func(err error) { reports <- err }}, func(x *site) {
		x.tasks.On("panic", func(*Socket, []json.RawMessage) []any { panic("at the event") })
		x.tasks.On("function", func(*Socket, []json.RawMessage) []any { return []any{func() {}} })
		x.Namespace("/broken").OnConnect(func(*Socket) { panic("at connecting") })
	})
	p, _ := x.join(t)
	p.send(t, `42/tasks,1["panic"]`, `42/tasks,2["function"]`)
	p.gets(t, `43/tasks,1[]`, `43/tasks,2[]`)
	var lost *fault.Panic
	if err := <-reports; !errors.As(err, &lost) || !strings.Contains(err.Error(), "at the event") || !strings.Contains(lost.Stack, "namespace_test.go") {
		t.Errorf("reported %v", err)
	}
	<-reports
	p.send(t, "40/broken,")
	p.hangs(t)
	if err := <-reports; !strings.Contains(err.Error(), "at connecting") {
		t.Errorf("reported %v", err)
	}
	x.ended(t, HandlerFailed)
}

func TestEmitWhatIsNoJSON(t *testing.T) {
	x := start(t, Options{}, nil)
	_, id := x.join(t)
	k := x.tasks.Sockets(id)[0]
	no := func() {}
	for _, err := range []error{
		x.tasks.Emit("", "x", no), x.tasks.EmitAck("", "x", nil, no), k.Emit("x", no), k.EmitAck("x", nil, no),
	} {
		if err == nil {
			t.Error("a function was sent")
		}
	}
}
