package live

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"vserver/service/promise"
)

// raw is the client's end of a websocket with nothing between test and network, which costs next to no memory.
type raw struct {
	net.Conn
	in *bufio.Reader
}

// eager asks for a websocket and sends its first frames in the same segment, without waiting for the answer.
func eager(t testing.TB, addr, path string, frames ...string) *raw {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(promise.Patience))
	out := fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: live\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nAuthorization: Bearer %0300d\r\n\r\n", path, 0)
	for _, f := range frames {
		out = append(out, masked(f)...)
	}
	if _, err := conn.Write(out); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(conn)
	res, err := http.ReadResponse(in, nil)
	if err != nil || res.StatusCode != 101 {
		t.Fatalf("no websocket: %v %v", res, err)
	}
	return &raw{conn, in}
}

// masked is a short text frame of a client, with a mask of zeros.
func masked(text string) []byte {
	return append([]byte{0x81, 0x80 | byte(len(text)), 0, 0, 0, 0}, text...)
}

func (p *raw) frame(t testing.TB) string {
	t.Helper()
	head := make([]byte, 2)
	if _, err := io.ReadFull(p.in, head); err != nil {
		t.Fatal(err)
	}
	n := int(head[1])
	if n == 126 {
		io.ReadFull(p.in, head)
		n = int(binary.BigEndian.Uint16(head))
	}
	body := make([]byte, n)
	if _, err := io.ReadFull(p.in, body); err != nil {
		t.Fatal(err)
	}
	return string(body)
}
