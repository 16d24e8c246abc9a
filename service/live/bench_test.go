package live

import (
	"context"
	"io"
	"net/http/httptest"
	"runtime"
	"runtime/debug"
	"testing"
)

// BenchmarkBroadcast2000 measures one event to 2,000 websocket clients, until the last has it, and the memory that an
// idle connected client takes, its HTTP connection included.
func BenchmarkBroadcast2000(b *testing.B) {
	const clients = 2000
	s := New(Options{})
	tasks := s.Namespace("/tasks")
	tasks.OnConnect(func(k *Socket) { k.Join("collaboration_1") })
	web := httptest.NewServer(s)
	b.Cleanup(web.Close)
	b.Cleanup(func() { s.Close(context.Background()) })
	before := memory()
	peers := make([]*raw, clients)
	for i := range peers {
		peers[i] = eager(b, web.Listener.Addr().String(), "/socket.io/?EIO=4&transport=websocket")
		peers[i].frame(b)
		peers[i].Write(masked("40/tasks,"))
		peers[i].frame(b)
		peers[i].in = nil
	}
	perSocket := float64(memory()-before) / clients

	const frame = `42/tasks,["new_task",1]`
	got := make([]byte, 2+len(frame))
	for b.Loop() {
		if err := tasks.Emit("collaboration_1", "new_task", 1); err != nil {
			b.Fatal(err)
		}
		for _, p := range peers {
			if _, err := io.ReadFull(p.Conn, got); err != nil {
				b.Fatal(err)
			}
		}
		if string(got[2:]) != frame {
			b.Fatalf("got %q", got)
		}
	}
	b.ReportMetric(perSocket, "B/socket")
}

// memory is what the process holds in heap and stacks after a collection.
func memory() uint64 {
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}
