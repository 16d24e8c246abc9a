package live

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/coder/websocket"
)

// script is a network connection whose client has sent everything already.
type script struct {
	net.Conn
	in io.Reader

	mu  sync.Mutex
	out bytes.Buffer
}

func (s *script) Read(b []byte) (int, error) { return s.in.Read(b) }

func (s *script) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.out.Write(b)
}

func (s *script) sent() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.out.Bytes())
}

func (*script) Close() error                     { return nil }
func (*script) SetDeadline(time.Time) error      { return nil }
func (*script) SetReadDeadline(time.Time) error  { return nil }
func (*script) SetWriteDeadline(time.Time) error { return nil }

const scriptedPayload = 70_000

// scripted is a websocket that reads a text, the first bytes of which came before the answer.
func scripted(in io.Reader, eager []byte) (*wsConn, *script) {
	s := &script{in: in}
	return &wsConn{net: s, server: &Server{opt: Options{MaxPayload: scriptedPayload}.withDefaults()}, eager: eager}, s
}

// sentFrame is a frame of a client. Its size may be written in more bytes than it takes.
func sentFrame(first byte, size int, content string) []byte {
	mask := []byte{0xa5, 0x00, 0x3c, 0xff}
	b := []byte{first}
	switch n := uint64(len(content)); size {
	case 1:
		b = append(b, 0x80|byte(n))
	case 2:
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0x80|127), n)
	}
	b = append(b, mask...)
	for i := range len(content) {
		b = append(b, content[i]^mask[i%4])
	}
	return b
}

func TestFrames(t *testing.T) {
	long, longer := strings.Repeat("long", 100), strings.Repeat("longer..", 8000)
	const final = frameFinal
	for _, row := range []struct {
		name   string
		frames [][]byte
		want   []string
		sent   string
		err    error
	}{
		{"texts", [][]byte{sentFrame(final|1, 1, "a"), sentFrame(final|1, 2, "b"), sentFrame(final|1, 8, "c")}, []string{"a", "b", "c"}, "", io.EOF},
		{"lengths", [][]byte{sentFrame(final|1, 2, long), sentFrame(final|1, 8, longer), sentFrame(final|1, 1, "")}, []string{long, longer, ""}, "", io.EOF},
		{"parts, and a ping between", [][]byte{sentFrame(1, 1, "a"), sentFrame(0, 2, long), sentFrame(final|framePing, 1, "hello"), sentFrame(0, 1, ""),
			sentFrame(final, 1, "z")}, []string{"a" + long + "z"}, "\x8a\x05hello", io.EOF},
		{"pong", [][]byte{sentFrame(final|framePong, 1, "unasked"), sentFrame(final|1, 1, "a")}, []string{"a"}, "", io.EOF},
		{"close", [][]byte{sentFrame(final|1, 1, "a"), sentFrame(final|frameClose, 1, "\x03\xe8bye"), sentFrame(final|1, 1, "b")}, []string{"a"}, "\x88\x05\x03\xe8bye", io.EOF},
		{"close without a code", [][]byte{sentFrame(final|frameClose, 1, "")}, nil, "\x88\x00", io.EOF},
		{"close with half a code", [][]byte{sentFrame(final|frameClose, 1, "\x03")}, nil, "\x88\x02\x03\xea", errMalformed},
		{"close with a code that is not sent", [][]byte{sentFrame(final|frameClose, 1, "\x03\xee")}, nil, "\x88\x02\x03\xea", errMalformed},
		{"binary", [][]byte{sentFrame(final|2, 1, "a")}, nil, "\x88\x02\x03\xea", errMalformed},
		{"unknown kind", [][]byte{sentFrame(final|3, 1, "a")}, nil, "\x88\x02\x03\xea", errMalformed},
		{"unknown control", [][]byte{sentFrame(final|0xb, 1, "a")}, nil, "\x88\x02\x03\xea", errMalformed},
		{"extension", [][]byte{sentFrame(final|0x40|1, 1, "a")}, nil, "\x88\x02\x03\xea", errMalformed},
		{"no mask", [][]byte{{final | 1, 1, 'a'}}, nil, "\x88\x02\x03\xea", errMalformed},
		{"part of nothing", [][]byte{sentFrame(final, 1, "a")}, nil, "\x88\x02\x03\xea", errMalformed},
		{"text within a text", [][]byte{sentFrame(1, 1, "a"), sentFrame(final|1, 1, "b")}, nil, "\x88\x02\x03\xea", errMalformed},
		{"ping in parts", [][]byte{sentFrame(framePing, 1, "a")}, nil, "\x88\x02\x03\xea", errMalformed},
		{"long ping", [][]byte{sentFrame(final|framePing, 2, long)}, nil, "\x88\x02\x03\xea", errMalformed},
		{"too large in parts", [][]byte{sentFrame(1, 8, longer), sentFrame(final, 8, longer)}, nil, "\x88\x02\x03\xf1", errTooLarge},
		{"size without end", [][]byte{binary.BigEndian.AppendUint64([]byte{final | 1, 0xff}, math.MaxUint64), make([]byte, 4)}, nil, "\x88\x02\x03\xf1", errTooLarge},
		{"cut", [][]byte{sentFrame(final|1, 2, long)[:200]}, nil, "", io.EOF},
	} {
		all := slices.Concat(row.frames...)
		for _, early := range []int{0, 1, min(len(all), 300), len(all)} {
			w, s := scripted(bytes.NewReader(all[early:]), slices.Clone(all[:early]))
			got, err := readAll(w)
			if !slices.Equal(got, row.want) || !errors.Is(err, row.err) {
				t.Errorf("%s, %d early: read %.200q, %v", row.name, early, got, err)
			}
			if sent := string(s.sent()); sent != row.sent {
				t.Errorf("%s, %d early: sent %q", row.name, early, sent)
			}
		}
	}
}

func readAll(w *wsConn) (texts []string, err error) {
	for {
		b, err := w.read()
		if err != nil {
			return texts, err
		}
		texts = append(texts, string(b))
	}
}

// taken is an answer whose connection is taken over.
type taken struct {
	*httptest.ResponseRecorder
	conn net.Conn
}

func (h taken) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	return h.conn, bufio.NewReadWriter(bufio.NewReader(h.conn), bufio.NewWriter(h.conn)), nil
}

// libraryReads reads the same with the library that clients use.
func libraryReads(t *testing.T, in io.Reader) (texts []string) {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	for key, value := range map[string]string{
		"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
	} {
		r.Header.Set(key, value)
	}
	c, err := websocket.Accept(taken{httptest.NewRecorder(), &script{in: in}}, r, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseNow()
	c.SetReadLimit(scriptedPayload)
	for {
		kind, b, err := c.Read(context.Background())
		if err != nil || kind != websocket.MessageText {
			return texts
		}
		texts = append(texts, string(b))
	}
}

// FuzzFrames compares what is read of frames with what another implementation reads of them.
func FuzzFrames(f *testing.F) {
	f.Add(slices.Concat(sentFrame(frameFinal|1, 1, "a"), sentFrame(1, 2, "b"), sentFrame(frameFinal|framePing, 1, "c"), sentFrame(frameFinal, 8, "d")), uint8(3))
	f.Add(slices.Concat(sentFrame(frameFinal|1, 2, strings.Repeat("x", 300)), sentFrame(frameFinal|frameClose, 1, "\x03\xe8bye")), uint8(0))
	f.Add(sentFrame(frameFinal|2, 1, "a"), uint8(9))
	f.Add(binary.BigEndian.AppendUint64([]byte{frameFinal | 1, 0xff}, 1<<63), uint8(1))
	f.Fuzz(func(t *testing.T, in []byte, early uint8) {
		n := min(int(early), len(in))
		w, s := scripted(bytes.NewReader(in[n:]), slices.Clone(in[:n]))
		got, err := readAll(w)
		if err == nil {
			t.Fatal("no end")
		}
		cut := iotest.ErrReader(errors.New("cut")) // it takes a message that ends with the connection for a whole one
		if want := libraryReads(t, io.MultiReader(bytes.NewReader(in), cut)); !slices.Equal(got, want) {
			t.Fatalf("read %q, not %q (%v)", got, want, err)
		}
		for _, text := range got {
			if len(text) > scriptedPayload {
				t.Fatalf("a text of %d bytes", len(text))
			}
		}
		if sent := s.sent(); len(sent) > len(in)+4 {
			t.Fatalf("%d bytes are answered with %d", len(in), len(sent))
		}
	})
}

// TestHandshakes has requests refused that are no handshake of a websocket, before a session begins.
func TestHandshakes(t *testing.T) {
	x := start(t, Options{}, nil)
	good := map[string]string{"Connection": "keep-alive, Upgrade", "Upgrade": "WebSocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
	for _, row := range []struct {
		key, value, header string
		want               int
	}{
		{"Upgrade", "h2c", "", 400},
		{"Connection", "keep-alive", "Upgrade", 426},
		{"Sec-WebSocket-Version", "8", "Sec-WebSocket-Version", 400},
		{"Sec-WebSocket-Key", "short", "", 400},
		{"Sec-WebSocket-Key", "", "", 400},
		{"", "", "Sec-WebSocket-Accept", 101},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, x.web.URL+"/socket.io/?EIO=4&transport=websocket", http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		for key, value := range good {
			r.Header.Set(key, value)
		}
		if row.key != "" {
			r.Header.Set(row.key, row.value)
		}
		res, err := x.client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if res.StatusCode != row.want || row.header != "" && res.Header.Get(row.header) == "" {
			t.Errorf("%s %q: %d %v", row.key, row.value, res.StatusCode, res.Header)
		}
		if row.want == 101 && res.Header.Get("Sec-WebSocket-Accept") != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" { // the example of RFC 6455
			t.Errorf("accepted with %q", res.Header.Get("Sec-WebSocket-Accept"))
		} else if row.want != 101 && x.Sessions() != 0 {
			t.Errorf("%s %q: %d sessions", row.key, row.value, x.Sessions())
		}
		res.Body.Close()
	}
}
