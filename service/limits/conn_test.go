package limits

import (
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"vserver/service/promise"
)

// waits is a connection whose client may take nothing for so long.
func (g *gate) waits(d time.Duration) (client *net.TCPConn, server *Conn) {
	g.Helper()
	c, s := g.pair("127.0.0.1")
	s.patience = d
	return c.(*net.TCPConn), s
}

// TestAdvisory_U9_WhoTakesNothingIsCut sends more than the kernel holds to a client that reads nothing.
func TestAdvisory_U9_WhoTakesNothingIsCut(t *testing.T) {
	g := newGate(t, Options{})
	_, s := g.waits(200 * time.Millisecond)
	began := time.Now()
	n, err := s.Write(make([]byte, 64<<20))
	if !errors.Is(err, os.ErrDeadlineExceeded) || n == 64<<20 {
		t.Fatalf("wrote %d, %v", n, err)
	}
	if took := time.Since(began); took > promise.Within(400*time.Millisecond) {
		t.Errorf("it took %s", took)
	}
	if g.Reached()[silentReaders] != 1 || len(g.lines) != 1 || !strings.Contains(g.lines[0], "one of address 127.0.0.1: nothing of it was taken for 200ms") {
		t.Errorf("counted %d, told %q", g.Reached()[silentReaders], g.lines)
	}
}

// TestAdvisory_U9_WhoTakesLittleIsWaitedFor sends to a client that takes much longer than anybody may take nothing, and
// takes so little at a time that the kernel does not ask for more.
func TestAdvisory_U9_WhoTakesLittleIsWaitedFor(t *testing.T) {
	g := newGate(t, Options{})
	c, s := g.waits(4 * time.Second)
	_ = c.SetReadBuffer(8 << 10)
	_ = s.Conn.(*net.TCPConn).SetWriteBuffer(1 << 20)
	ended := make(chan error, 1)
	go func() {
		defer func() { _ = c.Close() }()
		for range 30 { // nine seconds
			time.Sleep(300 * time.Millisecond)
			if _, err := io.CopyN(io.Discard, c, 4<<10); err != nil {
				ended <- err
				return
			}
		}
		ended <- nil
	}()
	if _, err := s.Write(make([]byte, 4<<20)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("writing to a client that left in the end: %v", err)
	}
	if err := <-ended; err != nil {
		t.Errorf("the client: %v", err)
	}
	if n := g.Reached()[silentReaders]; n != 0 {
		t.Errorf("it was cut %d times", n)
	}
}

// A deadline that somebody sets is the one that counts, until it is taken back.
func TestOtherDeadlinesCount(t *testing.T) {
	g := newGate(t, Options{})
	c, s := g.waits(time.Hour)
	if err := s.SetWriteDeadline(time.Now().Add(-time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(s, "x"); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("after the deadline: %v", err)
	}
	if err := s.SetWriteDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(s, "x"); err != nil {
		t.Errorf("without a deadline: %v", err)
	}
	if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
		t.Error(err)
	}
}
