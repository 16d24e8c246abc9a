package live

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

func TestDirectWebsocket(t *testing.T) {
	x := start(t, Options{}, func(x *site) {
		x.tasks.On("echo", func(_ *Socket, args []json.RawMessage) []any { return []any{args[0], nil} })
	})
	p := x.dial(t, "")
	greeting := p.read(t)
	if !strings.HasSuffix(greeting, `","upgrades":[],"pingTimeout":60000,"pingInterval":25000,"maxPayload":1000000}`) {
		t.Errorf("greeting %q", greeting)
	}
	p.send(t, "40/tasks,{}")
	if id := socketID(t, p.read(t)); strings.Contains(greeting, id) {
		t.Error("socket and session have one id")
	}
	p.send(t, `42/tasks,0["echo",{"a":"b"}]`)
	p.gets(t, `43/tasks,0[{"a":"b"},null]`)
	p.send(t, "41/tasks,", "1")
	p.hangs(t)
	x.ended(t, ClientLeft)
	eventually(t, "session gone", func() bool { return x.Sessions() == 0 })
}

// The node's way: /docs/live#packets.
func TestUpgrade(t *testing.T) {
	x := start(t, Options{}, nil)
	sid := x.open(t)
	p := x.dial(t, sid)
	p.send(t, "2probe")
	p.gets(t, "3probe")
	p.send(t, "5", "40/tasks,")
	socketID(t, p.read(t))
	x.tasks.Emit("", "after")
	p.gets(t, `42/tasks,["after"]`)
	for _, method := range []string{"GET", "POST"} {
		if a := x.ask(t, method, sid, ""); a.status != 400 {
			t.Errorf("%s after the upgrade: %d", method, a.status)
		}
	}
	late := x.dial(t, sid)
	late.hangs(t)
	x.tasks.Emit("", "still there")
	p.gets(t, `42/tasks,["still there"]`)
	p.Close(websocket.StatusNormalClosure, "")
	x.ended(t, TransportClosed)
}

// A node's way through a balancer: the session that it wants to move is another server's, and it gets one of this server.
func TestUpgradeOfASessionOfAnotherServer(t *testing.T) {
	x, other := start(t, Options{}, nil), start(t, Options{}, nil)
	p := x.dial(t, other.open(t), "Authorization", "Bearer good")
	p.send(t, "2probe")
	p.gets(t, "3probe")
	p.send(t, "5", "40/tasks,")
	socketID(t, p.read(t))
	if got := x.tasks.Sockets("")[0].Authorization(); got != "Bearer good" {
		t.Errorf("the new session has the token %q", got)
	}
	if n := other.Sockets(); n != 0 {
		t.Errorf("%d sockets at the other server", n)
	}
	p.Close(websocket.StatusNormalClosure, "")
	x.ended(t, TransportClosed)
}

// Who has no token may be a browser, whose polls have gone to the other server already.
func TestUpgradeOfAnUnknownSessionIsRefused(t *testing.T) {
	x := start(t, Options{}, nil)
	for name, header := range map[string]http.Header{"no token": {}, "long": {"Authorization": {strings.Repeat("x", maxHeader)}}} {
		_, reply, err := websocket.Dial(t.Context(), x.web.URL+"/socket.io/?EIO=4&transport=websocket&sid=nobody",
			&websocket.DialOptions{HTTPHeader: header, HTTPClient: x.client})
		if err == nil || reply == nil || reply.StatusCode != http.StatusBadRequest || x.Sessions() != 0 {
			t.Errorf("%s: %v, %d sessions", name, err, x.Sessions())
		}
	}
}

// The browser's way: it is connected by polling, its poll is let go when the probe arrives, and what is sent meanwhile
// arrives on the websocket, without the noop that let the poll go.
func TestUpgradeWithRestingPoll(t *testing.T) {
	x := start(t, Options{}, nil)
	sid := x.open(t)
	x.post(t, sid, "40/tasks,")
	x.poll(t, sid)
	got := make(chan string)
	go func() { got <- x.poll(t, sid) }()
	x.rests(t, sid)
	p := x.dial(t, sid)
	p.send(t, "2probe")
	p.gets(t, "3probe")
	if body := <-got; body != "6" {
		t.Errorf("resting poll got %q", body)
	}
	if body := x.poll(t, sid); body != "6" {
		t.Errorf("poll before the upgrade got %q", body)
	}
	x.tasks.Emit("", "one")
	x.tasks.Emit("", "two")
	p.send(t, "5")
	p.gets(t, `42/tasks,["one"]`, `42/tasks,["two"]`)
}

func TestPollDuringUpgrade(t *testing.T) {
	x := start(t, Options{}, nil)
	sid := x.open(t)
	x.post(t, sid, "40/tasks,")
	x.poll(t, sid)
	p := x.dial(t, sid)
	p.send(t, "2probe")
	p.gets(t, "3probe")
	x.tasks.Emit("", "one")
	if body := x.poll(t, sid); body != `42/tasks,["one"]` {
		t.Errorf("got %q", body)
	}
}

func TestUpgradeThatFails(t *testing.T) {
	for _, frames := range [][]string{{"hello"}, {"2"}, {"5"}, {"2probe", "2probe"}, {"2probe", "40/tasks,"}, nil} {
		x := start(t, Options{}, nil)
		sid := x.open(t)
		x.post(t, sid, "40/tasks,")
		x.poll(t, sid)
		p := x.dial(t, sid)
		p.send(t, frames...)
		if frames == nil {
			p.CloseNow()
		} else {
			p.hangs(t)
		}
		c := x.session(sid)
		eventually(t, "candidate gone", func() bool {
			c.mu.Lock()
			defer c.mu.Unlock()
			return c.probe == nil
		})
		x.tasks.Emit("", "still polling")
		if body := x.poll(t, sid); body != `42/tasks,["still polling"]` {
			t.Errorf("%q: got %q", frames, body)
		}
	}
}

func TestSecondCandidate(t *testing.T) {
	x := start(t, Options{}, nil)
	sid := x.open(t)
	first := x.dial(t, sid)
	first.send(t, "2probe")
	first.gets(t, "3probe")
	x.dial(t, sid).hangs(t)
	first.send(t, "5", "40/tasks,")
	socketID(t, first.read(t))
}

func TestBadFrames(t *testing.T) {
	for _, row := range []struct {
		name, frame string
		kind        websocket.MessageType
		want        Reason
	}{
		{"unknown packet", "abc", websocket.MessageText, PacketMalformed},
		{"unknown message", "4abc", websocket.MessageText, PacketMalformed},
		{"empty", "", websocket.MessageText, PacketMalformed},
		{"no array", "42/tasks,{}", websocket.MessageText, PacketMalformed},
		{"bad id", `42/tasks,abc["a"]`, websocket.MessageText, PacketMalformed},
		{"binary", "\x01\x02", websocket.MessageBinary, PacketMalformed},
		{"attachments", `451-/tasks,["a",{"_placeholder":true,"num":0}]`, websocket.MessageText, PacketMalformed},
		{"deep", "42/tasks," + strings.Repeat(`{"a":`, 150_000), websocket.MessageText, PacketMalformed},
		{"too large", "42/tasks,[\"" + strings.Repeat("a", 1_000_000) + "\"]", websocket.MessageText, PayloadTooLarge},
	} {
		t.Run(row.name, func(t *testing.T) {
			x := start(t, Options{}, nil)
			p, _ := x.join(t)
			p.Write(t.Context(), row.kind, []byte(row.frame))
			p.hangs(t)
			x.ended(t, row.want)
		})
	}
}

// Neither events nobody knows nor packets for nowhere close a connection.
func TestHarmlessFrames(t *testing.T) {
	x := start(t, Options{}, func(x *site) {
		x.tasks.On("known", func(*Socket, []json.RawMessage) []any { return nil })
	})
	p, _ := x.join(t)
	p.send(t, "6", "3", "2", "5", `42/tasks,["unknown"]`, `42/tasks,["Known",1]`, `42/tasks,[1,2]`, `42/tasks,[]`, `42/other,["known"]`,
		`42["known"]`, `43/tasks,99[]`, `43/other,1[]`, `41/other,`, `40/tasks,`, `42/tasks,["a"`+strings.Repeat(",1", 400_000)+"]")
	p.send(t, `42/tasks,1["unknown"]`, `42/tasks,2[1]`, `42/tasks,3["known"]`)
	p.gets(t, `43/tasks,1[]`, `43/tasks,2[]`, `43/tasks,3[]`)
	p.send(t, "40")
	if frame := p.read(t); !strings.HasPrefix(frame, `40{"sid":"`) {
		t.Errorf("root namespace: %q", frame)
	}
	p.send(t, "40/admin,", "40/admin,{}")
	p.gets(t, `44/admin,"Unable to connect"`, `44/admin,"Unable to connect"`)
}

// A client that reads nothing is dropped by what waits for it, while another gets every frame.
func TestSlowClientIsDropped(t *testing.T) {
	x := start(t, Options{MaxQueueBytes: 256 << 10}, nil)
	good, id := x.join(t)
	x.join(t) // reads no more
	filling := strings.Repeat("x", 64<<10)
	n := 0
	for ; n < 5000 && len(x.reasons()) == 0; n++ {
		x.tasks.Emit("", "filling", n, filling)
		good.gets(t, fmt.Sprintf(`42/tasks,["filling",%d,"%s"]`, n, filling))
	}
	x.ended(t, SlowClient)
	if left := x.tasks.Sockets(""); len(left) != 1 || left[0].ID() != id {
		t.Errorf("%d sockets left after %d frames", len(left), n)
	}
}

func TestSlowPollerIsDropped(t *testing.T) {
	for _, o := range []Options{{MaxQueue: 10}, {MaxQueueBytes: 100}} {
		x := start(t, o, nil)
		sid := x.open(t)
		x.post(t, sid, "40/tasks,")
		for range 20 {
			x.tasks.Emit("", "filling")
		}
		x.ended(t, SlowClient)
		if a := x.ask(t, "GET", sid, ""); a.status != 400 {
			t.Errorf("got %d", a.status)
		}
	}
}

func TestOneLargeFrameMayWait(t *testing.T) {
	x := start(t, Options{MaxQueueBytes: 500}, nil)
	p, _ := x.join(t)
	c := x.tasks.Sockets("")[0].session
	eventually(t, "empty queue", func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.unsent == 0
	})
	x.tasks.Emit("", "large", strings.Repeat("x", 1000))
	if got := p.read(t); len(got) < 1000 {
		t.Errorf("got %q", got)
	}
}

// A client that stops in the middle of taking a frame holds nobody up, and is cut when TransferTimeout is over.
func TestStuckWrite(t *testing.T) {
	x := start(t, Options{TransferTimeout: 100 * time.Millisecond, MaxQueueBytes: 1 << 30}, nil)
	x.join(t) // reads no more
	large := strings.Repeat("x", 32<<20)
	x.tasks.Emit("", "large", large)
	x.ended(t, TransportFailed)
}

func TestPingTimeout(t *testing.T) {
	x := start(t, Options{PingInterval: 20 * time.Millisecond, PingTimeout: 40 * time.Millisecond}, nil)
	p, _ := x.join(t)
	p.hangs(t)
	x.ended(t, PingTimeout)
}

func TestPongKeepsAlive(t *testing.T) {
	x := start(t, Options{PingInterval: 10 * time.Millisecond, PingTimeout: 5 * time.Second}, nil)
	p, _ := x.join(t)
	k := x.tasks.Sockets("")[0]
	for range 20 {
		before := k.LastHeard()
		if _, b, err := p.Read(t.Context()); err != nil || string(b) != "2" {
			t.Fatalf("got %q, %v", b, err)
		}
		p.send(t, "3")
		eventually(t, "pong heard", func() bool { return k.LastHeard().After(before) })
	}
	if n := x.Sockets(); n != 1 {
		t.Errorf("%d sockets", n)
	}
}

func TestPingByPolling(t *testing.T) {
	x := start(t, Options{PingInterval: 10 * time.Millisecond, PingTimeout: 200 * time.Millisecond}, nil)
	sid := x.open(t)
	if got, _, _ := strings.Cut(x.poll(t, sid), "\x1e"); got != "2" {
		t.Errorf("got %q", got)
	}
	x.post(t, sid, "3")
	eventually(t, "silent session gone", func() bool { return x.Sessions() == 0 })
	if a := x.ask(t, "GET", sid, ""); a.status != 400 {
		t.Errorf("got %d", a.status)
	}
}

// The time of a client does not run while its own handler keeps its packets waiting.
func TestLongHandlerIsNotSilence(t *testing.T) {
	gate := make(chan struct{})
	x := start(t, Options{PingInterval: 10 * time.Millisecond, PingTimeout: 30 * time.Millisecond}, func(x *site) {
		x.tasks.On("wait", func(*Socket, []json.RawMessage) []any { <-gate; return nil })
	})
	p, _ := x.join(t)
	p.send(t, `42/tasks,1["wait"]`)
	for range 10 { // pings, for longer than the client may be silent
		if _, b, err := p.Read(t.Context()); err != nil || string(b) != "2" {
			t.Fatalf("got %q, %v", b, err)
		}
		p.send(t, "3")
	}
	close(gate)
	p.gets(t, `43/tasks,1[]`)
}

func TestSessionWithoutNamespace(t *testing.T) {
	x := start(t, Options{ConnectTimeout: 30 * time.Millisecond}, nil)
	x.open(t)
	p := x.dial(t, "")
	p.send(t, "40") // the root does not count
	p.hangs(t)
	joined, _ := x.join(t)
	eventually(t, "others gone", func() bool { return x.Sessions() == 1 })
	joined.send(t, "41/tasks,")
	joined.hangs(t)
	eventually(t, "left session gone", func() bool { return x.Sessions() == 0 })
	if unjoined, expired := x.Unjoined(), x.Expired(); unjoined != 0 || expired != 3 {
		t.Errorf("%d unjoined, %d expired", unjoined, expired)
	}
}

// The bearer token is that of the first request of the engine session: /docs/live#log-in.
func TestFirstRequest(t *testing.T) {
	tokens := make(chan string, 1)
	x := start(t, Options{}, func(x *site) {
		x.tasks.OnConnect(func(k *Socket) {
			tokens <- fmt.Sprintf("%s %v %v %s", k.Authorization(), k.Host() != "", k.RemoteAddr() != "", k.Auth())
		})
	})
	sid := x.open(t, "Authorization", "Bearer first")
	p := x.dial(t, sid, "Authorization", "Bearer later")
	p.send(t, "2probe")
	p.gets(t, "3probe")
	p.send(t, "5", `40/tasks,{"token":"payload"}`)
	if got := <-tokens; got != `Bearer first true true {"token":"payload"}` {
		t.Errorf("got %q", got)
	}
	direct := x.dial(t, "", "Authorization", "Bearer direct")
	direct.send(t, "40/tasks,")
	if got := <-tokens; got != "Bearer direct true true " {
		t.Errorf("got %q", got)
	}
}

// A client that sends its first frames together with the request for the websocket loses none.
func TestEagerClient(t *testing.T) {
	x := start(t, Options{}, nil)
	p := eager(t, x.web.Listener.Addr().String(), "/socket.io/?EIO=4&transport=websocket", "40/tasks,")
	if frame := p.frame(t); !strings.HasPrefix(frame, "0{") {
		t.Errorf("got %q", frame)
	}
	socketID(t, p.frame(t))
}

func TestWebsocketByHTTP10(t *testing.T) {
	x := start(t, Options{}, nil)
	r, err := http.NewRequestWithContext(context.Background(), "GET", x.web.URL+"/socket.io/?EIO=4&transport=websocket", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Upgrade", "websocket") // and no Connection, no key
	res, err := x.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode < 400 {
		t.Errorf("got %d", res.StatusCode)
	}
	eventually(t, "no session", func() bool { return x.Sessions() == 0 })
}
