package handlers

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"vserver/service/promise"
)

// floodVariable has a test binary be the process of a flood.
const floodVariable = "VSERVER_TEST_FLOOD"

// flood is a process of low priority whose sockets join all together and leave all together.
type flood struct {
	b   *liveBed
	in  io.WriteCloser
	out *bufio.Reader
}

// floodOrder is what a flood is to do: Join is for each token, evenly over a time.
type floodOrder struct {
	Address string
	Tokens  []string
	Over    time.Duration
}

// newFlood starts a process that waits for join.
func newFlood(b *liveBed, tokens []string, over time.Duration) *flood {
	b.Helper()
	self, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	command := []string{self, "-test.run=^TestFloodOfSockets$", "-test.v"}
	if nice, err := exec.LookPath("nice"); err == nil {
		command = append([]string{nice, "-n", "19"}, command...)
	}
	c := exec.CommandContext(b.Context(), command[0], command[1:]...)
	c.Env, c.Stderr = append(os.Environ(), floodVariable+"=1"), os.Stderr
	in, err := c.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := c.Start(); err != nil {
		b.Fatal(err)
	}
	f := &flood{b: b, in: in, out: bufio.NewReader(out)}
	b.Cleanup(func() { f.leave(); _ = c.Wait() })
	if err := json.NewEncoder(in).Encode(floodOrder{strings.TrimPrefix(b.web.URL, "http://"), tokens, over}); err != nil {
		b.Fatal(err)
	}
	f.await("ready")
	return f
}

// join lets the sockets join, and returns when all have.
func (f *flood) join() {
	f.b.Helper()
	if _, err := fmt.Fprintln(f.in, `"join"`); err != nil {
		f.b.Fatal(err)
	}
	f.await("joined")
}

// leave closes all sockets at once.
func (f *flood) leave() { _ = f.in.Close() }

func (f *flood) await(word string) {
	f.b.Helper()
	for {
		line, err := f.out.ReadString('\n')
		if err != nil {
			f.b.Fatalf("the flood ended before it was %s: %v", word, err)
		}
		if strings.TrimSpace(line) == word {
			return
		}
	}
}

// TestFloodOfSockets is no test but the process of a flood, see newFlood.
func TestFloodOfSockets(t *testing.T) {
	if os.Getenv(floodVariable) == "" {
		t.Skip("it is a process of other tests")
	}
	in := json.NewDecoder(os.Stdin)
	var order floodOrder
	var word string
	if err := in.Decode(&order); err != nil {
		t.Fatal(err)
	}
	fmt.Println("ready")
	if err := in.Decode(&word); err != nil {
		t.Fatal(err)
	}
	for _, conn := range order.join(t) {
		defer func() { _ = conn.Close() }()
	}
	fmt.Println("joined")
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// join has a socket join for each token, and waits until all have joined.
func (o floodOrder) join(t *testing.T) []net.Conn {
	var joined atomic.Int64
	var conns []net.Conn
	begin := time.Now()
	for i, token := range o.Tokens {
		time.Sleep(time.Until(begin.Add(o.Over * time.Duration(i) / time.Duration(len(o.Tokens)))))
		conn, err := joinCheaply(o.Address, token, func() { joined.Add(1) })
		if err != nil {
			t.Fatal(err)
		}
		conns = append(conns, conn)
	}
	for deadline := time.Now().Add(promise.Patience); int(joined.Load()) < len(o.Tokens); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d joined of %d", joined.Load(), len(o.Tokens))
		}
	}
	return conns
}

// joinCheaply opens a websocket and joins /tasks by it; what comes after the acknowledgement
// is read and thrown away, as cheaply as can be.
func joinCheaply(address, token string, joined func()) (net.Conn, error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	_, err = fmt.Fprintf(conn, "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\n"+
		"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nAuthorization: Bearer %s\r\n\r\n", token)
	if err != nil {
		return nil, err
	}
	go func() {
		if awaitWord(conn, `"pingInterval"`) != nil {
			return
		}
		const frame = "40/tasks,"
		_, _ = conn.Write(append([]byte{0x81, 0x80 | byte(len(frame)), 0, 0, 0, 0}, frame...))
		if awaitWord(conn, `40/tasks,{"sid"`) != nil {
			return
		}
		joined()
		for chunk := make([]byte, 4096); err == nil; {
			_, err = conn.Read(chunk)
		}
	}()
	return conn, nil
}

// awaitWord reads until a word has come.
func awaitWord(conn net.Conn, word string) error {
	var heard []byte
	for chunk := make([]byte, 4096); !bytes.Contains(heard, []byte(word)); {
		n, err := conn.Read(chunk)
		if err != nil {
			return err
		}
		heard = append(heard, chunk[:n]...)
	}
	return nil
}
