package live

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDecode(t *testing.T) {
	for _, row := range []struct {
		in   string
		want packet // kind 0: malformed
	}{
		{`0`, packet{kind: '0', namespace: "/"}},
		{`0{"token":"a"}`, packet{kind: '0', namespace: "/", data: []byte(`{"token":"a"}`)}},
		{`0/tasks,`, packet{kind: '0', namespace: "/tasks"}},
		{`0/tasks`, packet{kind: '0', namespace: "/tasks"}},
		{`0/tasks,{}`, packet{kind: '0', namespace: "/tasks", data: []byte(`{}`)}},
		{`0/tasks?a=b,{}`, packet{kind: '0', namespace: "/tasks", data: []byte(`{}`)}},
		{`1/tasks,`, packet{kind: '1', namespace: "/tasks"}},
		{`1`, packet{kind: '1', namespace: "/"}},
		{`2["ping"]`, packet{kind: '2', namespace: "/", data: []byte(`["ping"]`)}},
		{`2/tasks,["ping"]`, packet{kind: '2', namespace: "/tasks", data: []byte(`["ping"]`)}},
		{`2/tasks,7["x",{"a":null}]`, packet{kind: '2', namespace: "/tasks", id: "7", data: []byte(`["x",{"a":null}]`)}},
		{`2/tasks,0["x"]`, packet{kind: '2', namespace: "/tasks", id: "0", data: []byte(`["x"]`)}},
		{`2[]`, packet{kind: '2', namespace: "/", data: []byte(`[]`)}},
		{`3/tasks,7[1]`, packet{kind: '3', namespace: "/tasks", id: "7", data: []byte(`[1]`)}},
		{`3/tasks,1[]`, packet{kind: '3', namespace: "/tasks", id: "1", data: []byte(`[]`)}},
		{"", packet{}},
		{"a", packet{}},
		{"7", packet{}},
		{"/", packet{}},
		{`4"x"`, packet{}},     // only the server refuses
		{`51-["a"]`, packet{}}, // attachments
		{`61-7[1]`, packet{}},  //
		{`2`, packet{}},
		{`2/`, packet{}},
		{`2/tasks`, packet{}},
		{`2/tasks,`, packet{}},
		{`2{}`, packet{}},
		{`2"x"`, packet{}},
		{`2abc["x"]`, packet{}},
		{`2["x"`, packet{}},
		{"2[\"x\",\"J\xfcrgen\"]", packet{}},
		{"2[\"x\",\"\xed\xa0\x80\"]", packet{}},
		{`2["x"]]`, packet{}},
		{`3[1]`, packet{}},
		{`37`, packet{}},
		{`37{}`, packet{}},
		{`2-1["x"]`, packet{}},
		{`0{`, packet{}},
		{`0abc`, packet{}},
		{`1x`, packet{}},
		{`2` + strings.Repeat("9", maxID+1) + `["x"]`, packet{}},
		{`0/` + strings.Repeat("n", maxNamespace), packet{}},
		{`2` + strings.Repeat("[", 500_000), packet{}},
		{`2` + strings.Repeat("[", 500_000) + strings.Repeat("]", 500_000), packet{}},
	} {
		got, err := decode([]byte(row.in))
		if (err != nil) != (row.want.kind == 0) {
			t.Errorf("%.40q: %v", row.in, err)
		}
		if err == nil && (got.kind != row.want.kind || got.namespace != row.want.namespace || got.id != row.want.id || string(got.data) != string(row.want.data)) {
			t.Errorf("%.40q: got %q", row.in, got)
		}
	}
}

func TestEncode(t *testing.T) {
	for _, row := range []struct {
		kind    byte
		ns, id  string
		data    []any
		want    string
		nothing bool
	}{
		{kind: packetEvent, ns: "/tasks", data: []any{"expired_token"}, want: `42/tasks,["expired_token"]`},
		{kind: packetEvent, ns: "/tasks", data: []any{"new_task", 5}, want: `42/tasks,["new_task",5]`},
		{kind: packetEvent, ns: "/tasks", data: []any{"message", "Node <A & B> joined"}, want: `42/tasks,["message","Node <A & B> joined"]`},
		{kind: packetEvent, ns: "/tasks", data: []any{"x", map[string]any{"a": nil}, json.RawMessage(`[1]`)}, want: `42/tasks,["x",{"a":null},[1]]`},
		{kind: packetEvent, ns: "/tasks", id: "1", data: []any{"ping"}, want: `42/tasks,1["ping"]`},
		{kind: packetEvent, ns: "/", data: []any{"x"}, want: `42["x"]`},
		{kind: packetAck, ns: "/tasks", id: "0", data: []any{3, "b"}, want: `43/tasks,0[3,"b"]`},
		{kind: packetAck, ns: "/", id: "12", want: `4312[]`},
		{kind: packetDisconnect, ns: "/tasks", want: `41/tasks,`, nothing: true},
	} {
		data, err := array(row.data...)
		if err != nil {
			t.Fatal(err)
		}
		if row.nothing {
			data = nil
		}
		if got := string(encode(row.kind, row.ns, row.id, data)); got != row.want {
			t.Errorf("got %s, want %s", got, row.want)
		}
	}
	if _, err := array(func() {}); err == nil {
		t.Error("a function was encoded")
	}
}

func TestEventOf(t *testing.T) {
	for _, row := range []struct {
		in, name string
		args     []string
		ignored  bool
	}{
		{in: `["ping"]`, name: "ping"},
		{in: ` [ "a" , 1 ,"x,]\"[" , [1,[2,"]"]], {"k":[",",{}]} ] `, name: "a", args: []string{`1`, `"x,]\"["`, `[1,[2,"]"]]`, `{"k":[",",{}]}`}},
		{in: `["a","\\",null]`, name: "a", args: []string{`"\\"`, `null`}},
		{in: `["\u0061\n"]`, name: "a\n"},
		{in: `[]`, ignored: true},
		{in: `[ ]`, ignored: true},
		{in: `[1]`, ignored: true},
		{in: `[null,1]`, ignored: true},
		{in: `[["a"]]`, ignored: true},
		{in: `["a"` + strings.Repeat(",1", maxArguments) + `]`, ignored: true},
		{in: `["a"` + strings.Repeat(",1", 490_000) + `]`, ignored: true},
	} {
		name, args, ok := eventOf([]byte(row.in))
		var got []string
		for _, a := range args {
			got = append(got, string(a))
		}
		if ok == row.ignored || name != row.name || !cmp.Equal(got, row.args) {
			t.Errorf("%.60s: got %q %q %v", row.in, name, got, ok)
		}
	}
}

func FuzzPacket(f *testing.F) {
	for _, seed := range []string{
		`0/tasks,`, `0/tasks,{}`, `0`, `1/tasks,`, `2/tasks,["ping"]`, `2/tasks,7["x",{"a":[1,"]"]}]`, `3/tasks,1[]`, `51-["a",{"_placeholder":true,"num":0}]`,
		`2["\\",",",[[{}]]]`, `2[1,2`, `2/tasks,99999999999999999999["x"]`, "2[\"\xff\"]", `2[[[[[[]]]]]]`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		p, err := decode(in)
		if err != nil || p.kind == packetConnect || p.kind == packetDisconnect {
			return
		}
		var want []json.RawMessage
		if err := json.Unmarshal(p.data, &want); err != nil {
			t.Fatalf("decode let %q through: %v", p.data, err)
		}
		got := elements(p.data, len(want)+1)
		if len(got) != len(want) {
			t.Fatalf("%q has %d elements, got %d", p.data, len(want), len(got))
		}
		for i := range got {
			if string(got[i]) != string(want[i]) {
				t.Errorf("element %d of %q: %q, want %q", i, p.data, got[i], want[i])
			}
		}
		again, err := decode(encode(p.kind, p.namespace, p.id, p.data)[1:])
		if err != nil || again.id != p.id || string(again.data) != string(p.data) {
			t.Errorf("%q does not come back: %q %v", in, again, err)
		}
	})
}

func FuzzPayload(f *testing.F) {
	for _, seed := range []string{
		"3", "2probe", "40/tasks,\x1e42/tasks,[\"echo\",1]\x1e3", "40\x1e41\x1e40", "40/tasks,{}\x1e42/tasks,1[\"echo\",{}]\x1e43/tasks,1[]\x1e41/tasks,\x1e1",
		"\x1e", "", "bAQID", "40/x\x1e40/tasks,\x1e40/tasks,", "40/tasks,\x1e42/tasks,[\"ask\"]\x1e43/tasks,1[2]\x1e1\x1e40",
	} {
		f.Add([]byte(seed))
	}
	s := New(Options{Report: func(err error) { f.Errorf("reported: %v", err) }})
	f.Cleanup(func() { s.Close(context.Background()) })
	ns := s.Namespace("/tasks")
	ns.OnConnect(func(k *Socket) { k.Join("all") })
	ns.On("echo", func(_ *Socket, args []json.RawMessage) []any { return []any{args} })
	ns.On("ask", func(k *Socket, _ []json.RawMessage) []any {
		return []any{k.EmitAck("question", func([]json.RawMessage) {})}
	})
	f.Fuzz(func(t *testing.T, body []byte) {
		c := &session{server: s, id: newID()}
		c.takeTurn()
		err := c.payload(body)
		c.passTurn()
		if err != nil && !c.isClosed() {
			t.Error("malformed and still open")
		}
		for _, frame := range c.take(1 << 20) {
			if len(frame) < 2 || frame[0] != engineMessage {
				t.Errorf("sent %q", frame)
			}
		}
		c.end(ServerDropped)
		eventually(t, "sockets gone", func() bool { return s.Sockets() == 0 && len(ns.Sockets("all")) == 0 })
	})
}
