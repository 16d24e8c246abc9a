package live

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"vserver/service/promise"

	"github.com/google/go-cmp/cmp"
)

// program is the server side of the scripts in testdata, which are the real clients: python-socketio, which nodes use,
// and socket.io-client, which the web UI uses.
func program(x *site) {
	var counted atomic.Int64
	x.tasks.OnConnect(func(k *Socket) {
		if k.Authorization() != "Bearer good" {
			k.Emit("expired_token")
			k.Refuse(100 * time.Millisecond)
			return
		}
		k.Join("all")
		x.tasks.Emit("all", "message", "Node <Zürich & co> joined room <all>")
	})
	for event, handler := range map[string]func(k *Socket, args []json.RawMessage) []any{
		"echo": func(_ *Socket, args []json.RawMessage) []any {
			answer := make([]any, 0, len(args))
			for _, a := range args {
				answer = append(answer, a)
			}
			return answer
		},
		"shout": func(_ *Socket, args []json.RawMessage) []any {
			x.tasks.Emit("all", "node-online", args[0])
			return nil
		},
		"ask": func(k *Socket, _ []json.RawMessage) []any {
			x.tasks.EmitAck("all", "ping", func(k *Socket, args []json.RawMessage) {
				text, _ := json.Marshal(args)
				k.Emit("message", "acknowledged "+string(text))
			})
			return nil
		},
		"count": func(_ *Socket, args []json.RawMessage) []any {
			if n, err := strconv.ParseInt(string(args[0]), 10, 64); err == nil && n == counted.Load() {
				counted.Add(1) // out of order does not count
			}
			return nil
		},
		"counted": func(*Socket, []json.RawMessage) []any { return []any{counted.Load()} },
		"burst": func(k *Socket, args []json.RawMessage) []any {
			n, _ := strconv.Atoi(string(args[0]))
			for i := range n {
				k.Emit("message", "burst "+strconv.Itoa(i))
			}
			return nil
		},
		"drop": func(k *Socket, _ []json.RawMessage) []any { k.Drop(); return nil },
		"away": func(k *Socket, _ []json.RawMessage) []any { k.Disconnect(); return nil },
	} {
		x.tasks.On(event, handler)
	}
}

// interop runs a script against the program and compares what it printed. At the event "restart" a new server, which
// knows no session of the old one, takes its place.
func interop(t *testing.T, command []string, want string) {
	t.Helper()
	o := Options{PingInterval: 50 * time.Millisecond, PingTimeout: 10 * time.Second}
	x, heir := start(t, o, program), start(t, o, program)
	var serving atomic.Pointer[Server]
	serving.Store(x.Server)
	x.tasks.On("restart", func(*Socket, []json.RawMessage) []any {
		serving.Store(heir.Server)
		go x.Close(t.Context())
		return nil
	})
	talk(t, command, func(w http.ResponseWriter, r *http.Request) { serving.Load().ServeHTTP(w, r) }, want)
	eventually(t, "client gone", func() bool { return x.Sockets()+heir.Sockets() == 0 })
}

// talk runs a script against a server and compares what it printed.
func talk(t *testing.T, command []string, server http.HandlerFunc, want string) {
	t.Helper()
	web := httptest.NewServer(server)
	t.Cleanup(web.Close)
	ctx, cancel := context.WithTimeout(t.Context(), promise.Patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, command[0], append(command[1:], web.URL, filepath.Base(t.Name()))...)
	var out, complaints bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaints
	err := cmd.Run()
	if err != nil {
		t.Fatalf("%v\n%s%s", err, &out, &complaints)
	}
	if diff := cmp.Diff(strings.TrimSpace(want), strings.TrimSpace(out.String())); diff != "" {
		t.Errorf("the client saw (-want +got):\n%s", diff)
	}
}

// missing skips a test whose client is not installed, or fails it where all are required.
func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("VSERVER_REQUIRE") != "" {
		t.Fatal(what)
	}
	t.Skip(what)
}

// interpreter is a Python that has what interop.py needs.
func interpreter(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"/usr/bin/python3", "python3"} {
		if exec.Command(name, "-c", "import socketio, requests, websocket").Run() == nil {
			return name
		}
	}
	missing(t, "no python3 with python-socketio, requests and websocket-client (Debian: python3-socketio python3-requests python3-websocket)")
	return ""
}

func TestInterop_Python(t *testing.T) {
	python := interpreter(t)
	for transports, last := range map[string]string{"polling": "polling", "websocket": "websocket", "polling,websocket": "websocket"} {
		t.Run(transports, func(t *testing.T) {
			t.Parallel()
			interop(t, []string{python, "testdata/interop.py"}, seenByPython(last))
		})
	}
}

// seenByPython is what interop.py prints when it ends up with a transport.
func seenByPython(transport string) string {
	return `
message Node <Zürich & co> joined room <all>
connect
echo ({'a': [1, None]}, 'b')
unknown None
node-online 1 n
message acknowledged [7]
counted 50
message burst 39
transport ` + transport + `
disconnect
connect
echo again
disconnect
connect
echo after the restart
disconnect
connect
echo once more
connect
connected False
expired_token
connect
connected False
not connected: One or more namespaces failed to connect
refused Unable to connect
`
}

// TestInterop_PythonBehindABalancer has each request go to another server than the one before.
func TestInterop_PythonBehindABalancer(t *testing.T) {
	python := interpreter(t)
	var servers [2]*site
	for i := range servers {
		servers[i] = start(t, Options{PingInterval: 50 * time.Millisecond, PingTimeout: 10 * time.Second}, program)
		servers[i].tasks.On("restart", func(k *Socket, _ []json.RawMessage) []any { k.Drop(); return nil })
	}
	var turn atomic.Int64
	next := func(w http.ResponseWriter, r *http.Request) { servers[turn.Add(1)%2].ServeHTTP(w, r) }
	t.Run("polling,websocket", func(t *testing.T) {
		talk(t, []string{python, "testdata/interop.py"}, next, seenByPython("websocket"))
	})
}

func TestInterop_JavaScript(t *testing.T) {
	if _, err := exec.LookPath("node"); err != nil {
		missing(t, "no node")
	}
	if _, err := os.Stat("testdata/node_modules/socket.io-client"); err != nil {
		missing(t, "no socket.io-client: run npm ci in service/live/testdata")
	}
	for transports, last := range map[string]string{"polling": "polling", "websocket": "websocket", "polling,websocket": "websocket"} {
		t.Run(transports, func(t *testing.T) {
			t.Parallel()
			interop(t, []string{"node", "testdata/interop.cjs"}, `
connect
message Node <Zürich & co> joined room <all>
transport `+last+`
echo [{"a":[1,null]},"b"]
unknown []
node-online 1 n
message acknowledged [7]
counted [50]
message burst 39
connect
echo ["again"]
connect
echo ["after the restart"]
disconnect io server disconnect
active false
disconnect io server disconnect
expired_token 0, connect, disconnect io server disconnect
active false
connect_error true
`)
		})
	}
}
