package live

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestPollingConversation(t *testing.T) {
	x := start(t, Options{}, func(x *site) {
		x.tasks.OnConnect(func(k *Socket) { k.Emit("message", "hello") })
		x.tasks.On("echo", func(_ *Socket, args []json.RawMessage) []any { return []any{args[0]} })
	})
	sid := x.open(t)
	x.post(t, sid, "40/tasks,")
	frames := strings.Split(x.poll(t, sid), "\x1e")
	if len(frames) != 2 || frames[0] != `42/tasks,["message","hello"]` {
		t.Fatalf("got %q", frames)
	}
	if id := socketID(t, frames[1]); id == sid {
		t.Error("socket and session have one id")
	}
	x.post(t, sid, "42/tasks,1[\"echo\",1]\x1e3\x1e42/tasks,2[\"echo\",[2]]")
	if got := x.poll(t, sid); got != "43/tasks,1[1]\x1e43/tasks,2[[2]]" {
		t.Errorf("got %q", got)
	}
	x.post(t, sid, "")
	x.post(t, sid, "41/tasks,")
	x.ended(t, ClientLeft)
	x.post(t, sid, "1")
	if a := x.ask(t, "GET", sid, ""); a.status != 400 || a.body != `"Invalid session"` {
		t.Errorf("got %d %s", a.status, a.body)
	}
}

// python-engineio gives up on a body with more than 16 packets.
func TestPollIsSmall(t *testing.T) {
	x := start(t, Options{}, nil)
	sid := x.open(t)
	x.post(t, sid, "40/tasks,")
	x.poll(t, sid)
	for i := range 40 {
		x.tasks.Emit("", "n", i)
	}
	var all []string
	for len(all) < 40 {
		frames := strings.Split(x.poll(t, sid), "\x1e")
		if len(frames) > 16 {
			t.Fatalf("%d packets in one body", len(frames))
		}
		all = append(all, frames...)
	}
	for i, frame := range all {
		if want := fmt.Sprintf(`42/tasks,["n",%d]`, i); frame != want {
			t.Errorf("got %q, want %q", frame, want)
		}
	}
}

func TestPollRestsUntilThereIsSomething(t *testing.T) {
	x := start(t, Options{}, nil)
	sid := x.open(t)
	x.post(t, sid, "40/tasks,")
	x.poll(t, sid)
	got := make(chan string)
	go func() { got <- x.poll(t, sid) }()
	x.rests(t, sid)
	x.tasks.Emit("", "news")
	if body := <-got; body != `42/tasks,["news"]` {
		t.Errorf("got %q", body)
	}
}

// rests waits until a poll of the session rests.
func (x *site) rests(t *testing.T, sid string) {
	t.Helper()
	c := x.session(sid)
	if c == nil {
		t.Fatal("no such session")
	}
	eventually(t, "resting poll", func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.resting != nil
	})
}

func TestSecondPoll(t *testing.T) {
	x := start(t, Options{}, nil)
	sid := x.open(t)
	x.post(t, sid, "40/tasks,")
	x.poll(t, sid)
	first := make(chan answer)
	go func() { first <- x.ask(t, "GET", sid, "") }()
	x.rests(t, sid)
	if a := x.ask(t, "GET", sid, ""); a.status != 400 {
		t.Errorf("second poll: %d %s", a.status, a.body)
	}
	if a := <-first; a.status != 200 || a.body != "1" {
		t.Errorf("first poll: %d %s", a.status, a.body)
	}
	x.ended(t, TooManyRequests)
}

func TestPollGivenUp(t *testing.T) {
	x := start(t, Options{}, nil)
	sid := x.open(t)
	x.post(t, sid, "40/tasks,")
	x.poll(t, sid)
	ctx, cancel := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, "GET", x.web.URL+"/socket.io/?EIO=4&transport=polling&sid="+sid, nil)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		x.rests(t, sid)
		cancel()
	}()
	if res, err := x.client.Do(r); err == nil {
		res.Body.Close()
		t.Errorf("got %d", res.StatusCode)
	}
	x.ended(t, TransportClosed)
}

// Posts that arrive while a handler is at work keep their order, and other clients are served meanwhile.
func TestPostsKeepOrder(t *testing.T) {
	var mu sync.Mutex
	var order []string
	gate, entered := make(chan struct{}), make(chan struct{}, 1)
	x := start(t, Options{}, func(x *site) {
		x.tasks.On("note", func(_ *Socket, args []json.RawMessage) []any {
			if string(args[0]) == "0" {
				entered <- struct{}{}
				<-gate
			}
			mu.Lock()
			defer mu.Unlock()
			order = append(order, string(args[0]))
			return nil
		})
	})
	sid := x.open(t)
	x.post(t, sid, "40/tasks,")
	c := x.session(sid)
	var posts sync.WaitGroup
	for i := range maxPosts {
		posts.Go(func() { x.post(t, sid, fmt.Sprintf("42/tasks,[\"note\",%d]\x1e42/tasks,[\"note\",\"%db\"]", i, i)) })
		eventually(t, "post in the queue", func() bool {
			c.mu.Lock()
			defer c.mu.Unlock()
			return c.busy && len(c.turns) == i
		})
	}
	<-entered
	other, _ := x.join(t)
	other.send(t, `42/tasks,1["note","x"]`)
	other.gets(t, `43/tasks,1[]`)
	close(gate)
	posts.Wait()
	want := `x`
	for i := range maxPosts {
		want += fmt.Sprintf(` %d "%db"`, i, i)
	}
	if got := strings.ReplaceAll(strings.Join(order, " "), `"x"`, "x"); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestTooManyPosts(t *testing.T) {
	gate := make(chan struct{})
	x := start(t, Options{}, func(x *site) {
		x.tasks.On("wait", func(*Socket, []json.RawMessage) []any { <-gate; return nil })
	})
	sid := x.open(t)
	x.post(t, sid, "40/tasks,")
	c := x.session(sid)
	var posts sync.WaitGroup
	for i := range maxPosts {
		posts.Go(func() { x.ask(t, "POST", sid, `42/tasks,["wait"]`) })
		eventually(t, "post in the queue", func() bool {
			c.mu.Lock()
			defer c.mu.Unlock()
			return c.posts == i+1
		})
	}
	if a := x.ask(t, "POST", sid, "3"); a.status != 400 {
		t.Errorf("got %d", a.status)
	}
	close(gate)
	posts.Wait()
	x.ended(t, TooManyRequests)
}

func TestBadPosts(t *testing.T) {
	for _, row := range []struct {
		name, body string
		want       Reason
	}{
		{"unknown packet", "abc", PacketMalformed},
		{"binary", "bAQID", PacketMalformed},
		{"open packet", "0{}", PacketMalformed},
		{"empty packet", "3\x1e", PacketMalformed},
		{"event without array", "42/tasks,{}", PacketMalformed},
		{"attachments", `451-/tasks,["a",{"_placeholder":true,"num":0}]`, PacketMalformed},
		{"deep", "42/tasks," + strings.Repeat("[", 900_000), PacketMalformed},
		{"too large", "42/tasks,[\"" + strings.Repeat("a", 1_000_000) + "\"]", PayloadTooLarge},
	} {
		t.Run(row.name, func(t *testing.T) {
			x := start(t, Options{}, nil)
			sid := x.open(t)
			x.post(t, sid, "40/tasks,")
			if a := x.ask(t, "POST", sid, row.body); a.status != 400 || a.body != `"Bad Request"` {
				t.Errorf("got %d %s", a.status, a.body)
			}
			x.ended(t, row.want)
			if a := x.ask(t, "GET", sid, ""); a.status != 400 {
				t.Errorf("afterwards %d", a.status)
			}
		})
	}
}

func TestLargestPost(t *testing.T) {
	got := make(chan int, 1)
	x := start(t, Options{}, func(x *site) {
		x.tasks.On("big", func(_ *Socket, args []json.RawMessage) []any { got <- len(args[0]); return nil })
	})
	sid := x.open(t)
	x.post(t, sid, "40/tasks,")
	body := `42/tasks,["big",""]`
	x.post(t, sid, strings.Replace(body, `""`, `"`+strings.Repeat("a", 1_000_000-len(body))+`"`, 1))
	if n := <-got; n < 999_000 {
		t.Errorf("argument of %d bytes", n)
	}
}

// A post that crosses the end of its session, or lands at a server that does not have it, is led nowhere: after a 400
// python-engineio never comes back.
func TestPostsToNoSessionAreLedNowhere(t *testing.T) {
	x, other := start(t, Options{}, nil), start(t, Options{}, nil)
	sid := x.open(t)
	x.post(t, sid, "40/tasks,")
	x.tasks.Sockets("")[0].Drop()
	x.ended(t, ServerDropped)
	for what, a := range map[string]answer{"a late post": x.ask(t, "POST", sid, "3"), "a post to another server": other.ask(t, "POST", x.open(t), "3")} {
		if a.status != 308 || a.header.Get("Location") != "gone:" {
			t.Errorf("%s: %+v", what, a)
		}
	}
	if a := x.ask(t, "GET", sid, ""); a.status != 400 {
		t.Errorf("poll: %d", a.status)
	}
}

func TestCloseByPost(t *testing.T) {
	x := start(t, Options{}, nil)
	sid := x.open(t)
	x.post(t, sid, "40/tasks,")
	x.poll(t, sid)
	got := make(chan string)
	go func() { got <- x.poll(t, sid) }()
	x.rests(t, sid)
	x.post(t, sid, "1")
	if body := <-got; body != "6" {
		t.Errorf("got %q", body)
	}
	x.ended(t, TransportClosed)
}

// A poll's answer may take no longer than TransferTimeout, but later requests on its connection may.
func TestPollLeavesNoDeadline(t *testing.T) {
	x := start(t, Options{TransferTimeout: 30 * time.Millisecond}, nil)
	sid := x.open(t)
	x.post(t, sid, "40/tasks,")
	x.poll(t, sid)
	got := make(chan string)
	go func() { got <- x.poll(t, sid) }()
	x.rests(t, sid)
	<-time.After(90 * time.Millisecond) // the poll rests longer than a transfer may take
	x.tasks.Emit("", "late")
	if body := <-got; body != `42/tasks,["late"]` {
		t.Errorf("got %q", body)
	}
}
