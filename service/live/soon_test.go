package live

import (
	"strings"
	"testing"
	"time"
)

// TestSoonKeepsTheOrder: what is not urgent comes with the next frame that is, before it
// and in the order of sending, and not to the one that is left out.
func TestSoonKeepsTheOrder(t *testing.T) {
	x := start(t, Options{SoonPause: time.Hour}, func(x *site) {
		x.tasks.OnConnect(func(k *Socket) {
			k.Join("room")
			k.EmitSoon("own", 0)
		})
	})
	own := `42/tasks,["own",0]`
	p, _ := x.join(t, own)
	other, left := x.join(t, own)
	for i := range 3 {
		x.tasks.EmitSoon("room", left, "soon", i)
	}
	long := strings.Repeat("x", 70_000)
	x.tasks.EmitSoon("room", left, "long", long)
	x.tasks.Emit("room", "now", 4)
	p.gets(t, `42/tasks,["soon",0]`, `42/tasks,["soon",1]`, `42/tasks,["soon",2]`, `42/tasks,["long","`+long+`"]`, `42/tasks,["now",4]`)
	other.gets(t, `42/tasks,["now",4]`)
}

// TestSoonComesByItself, over both transports, and also when very much waits.
func TestSoonComesByItself(t *testing.T) {
	x := start(t, Options{SoonPause: 20 * time.Millisecond}, func(x *site) {
		x.tasks.OnConnect(func(k *Socket) { k.Join("room") })
	})
	p, _ := x.join(t)
	sid := x.open(t)
	x.post(t, sid, "40/tasks,")
	if got := x.poll(t, sid); !strings.HasPrefix(got, "40/tasks,") {
		t.Fatalf("got %q", got)
	}
	x.tasks.EmitSoon("room", "", "soon", 1)
	p.gets(t, `42/tasks,["soon",1]`)
	if got := x.poll(t, sid); got != `42/tasks,["soon",1]` {
		t.Errorf("got %q", got)
	}
}

func TestSoonWaitsForNobodyWhenMuchIsThere(t *testing.T) {
	x := start(t, Options{SoonPause: time.Hour, MaxQueue: 4}, func(x *site) {
		x.tasks.OnConnect(func(k *Socket) { k.Join("room") })
	})
	p, _ := x.join(t)
	x.tasks.EmitSoon("room", "", "soon", 1)
	x.tasks.EmitSoon("room", "", "soon", 2)
	p.gets(t, `42/tasks,["soon",1]`, `42/tasks,["soon",2]`)
}

func TestUnjoinedSessionsAreCounted(t *testing.T) {
	x := start(t, Options{ConnectTimeout: time.Hour}, nil)
	x.open(t)
	x.join(t)
	if n := x.Unjoined(); n != 1 {
		t.Errorf("%d unjoined of two", n)
	}
}

// TestSoonComesLaterToACrowd, which gets more in fewer writes then.
func TestSoonComesLaterToACrowd(t *testing.T) {
	l := newLane(time.Second, nil, nil)
	begin := time.Now()
	for range laneCrowd * laneStretch * 2 {
		l.enlist(nil)
	}
	end := time.Now()
	first, last := l.queue[0].at, l.queue[len(l.queue)-1].at
	if first.After(end.Add(time.Second)) {
		t.Errorf("the first waits %s", first.Sub(begin))
	}
	if wait := last.Sub(end); wait > laneStretch*time.Second || last.Sub(begin) < laneStretch*time.Second*3/4 {
		t.Errorf("the last waits %s", wait)
	}
}
