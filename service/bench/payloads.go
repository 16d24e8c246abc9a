package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

// upload sends one result and reads it back.
func upload(ctx context.Context, t *trial) error {
	id, err := t.newResult(ctx)
	if err != nil {
		return err
	}
	w := t.watchMemory(ctx)
	err = t.sendResult(ctx, id, t.sizes.Size)
	sent := time.Since(w.began)
	t.foundGrowth("patch", w)
	if err == nil {
		err = t.readResult(ctx, id, t.sizes.Size)
		t.foundGrowth("get", w)
		t.note("PATCH took %.1f s, GET %.1f s", sent.Seconds(), (time.Since(w.began) - sent).Seconds())
	}
	t.rest(ctx)
	t.drawMemory("memory-upload", "Memory while a result of {size} is sent and read", w)
	return err
}

// besideEvery is how often others ask while something happens.
const (
	postEvery = 20 * time.Millisecond
	getEvery  = 5 * time.Millisecond
)

// uploads sends several results at once.
func uploads(ctx context.Context, t *trial) error {
	ids := make([]int64, t.sizes.Clients)
	for i := range ids {
		var err error
		if ids[i], err = t.newResult(ctx); err != nil {
			return err
		}
	}
	post := func(ctx context.Context) error { _, err := t.postTask(ctx, 1); return err }
	var w *watch
	idle, busy, err := t.beside(ctx, postEvery, post, func() { w = t.watchMemory(ctx) }, func() error {
		var all crew
		for _, id := range ids {
			all.do(func() error { return t.sendResult(ctx, id, t.sizes.Size) })
		}
		return all.finish()
	})
	if w == nil {
		return err
	}
	t.foundGrowth("memory", w)
	t.rest(ctx)
	t.drawMemory("memory-uploads", "Memory while {clients} results of {size} arrive at once", w)
	t.foundRatio("p99", "POST /task", idle, busy)
	n, _ := busy.failed()
	t.found("failed", float64(n))
	return err
}

// throughput sends and reads one result after the other.
func throughput(ctx context.Context, t *trial) error {
	var sending, reading time.Duration
	for range t.sizes.Tasks {
		id, err := t.newResult(ctx)
		if err != nil {
			return err
		}
		began := time.Now()
		if err := t.sendResult(ctx, id, t.sizes.Size); err != nil {
			return err
		}
		sent := time.Now()
		if err := t.readResult(ctx, id, t.sizes.Size); err != nil {
			return err
		}
		sending += sent.Sub(began)
		reading += time.Since(sent)
	}
	bytes := float64(t.sizes.Size) * float64(t.sizes.Tasks) / mib
	t.found("patch", bytes/sending.Seconds())
	t.found("get", bytes/reading.Seconds())
	return nil
}

const (
	// backWithin is how near to idle memory counts as back, and the times are how long that is
	// waited for.
	backWithin    = 16 * mib
	backTime      = 60 * time.Second
	backTimeQuick = 5 * time.Second
)

// readers ask for a result and take nothing of it.
func readers(ctx context.Context, t *trial) error {
	id, err := t.storedResult(ctx)
	if err != nil {
		return err
	}
	var w *watch
	var open []net.Conn
	idle, busy, err := t.beside(ctx, getEvery, t.getNode, func() { w = t.watchMemory(ctx) }, func() (err error) {
		for range t.sizes.Readers {
			c, err := t.silentReader(ctx, id)
			if err != nil {
				return err
			}
			open = append(open, c)
		}
		w.grown() // what answers begin with is no lasting burden
		pause(ctx, t.hold())
		if grown, known := w.grown(); known {
			t.found("each", grown/float64(t.sizes.Readers))
		}
		return nil
	})
	for _, c := range open {
		_ = c.Close()
	}
	if w == nil {
		return err
	}
	if err == nil {
		t.foundBack(ctx, w)
	}
	t.drawMemory("memory-readers", "Memory while {readers} readers take nothing of {size}, and after they have gone", w)
	t.foundRatio("p99", "GET /node", idle, busy)
	return err
}

const (
	// usual is the size of the results that are read before, so often, by so many at a time.
	usual, usualReads, usualReaders = mib, 20, 4
)

// storedResult stores the result that is asked for on a server that has read smaller ones, as servers
// have, and where nothing is to be seen any more of how it came.
func (t *trial) storedResult(ctx context.Context) (id int64, err error) {
	var ids [2]int64
	for i, size := range []int64{t.sizes.Size, usual} {
		if ids[i], err = t.newResult(ctx); err != nil {
			return 0, err
		}
		if err := t.sendResult(ctx, ids[i], size); err != nil {
			return 0, err
		}
	}
	if t.proc != nil {
		if err := t.restart(ctx); err != nil {
			return 0, err
		}
	}
	_, err = drive(ctx, usualReaders, usualReads, func(ctx context.Context) error { return t.readResult(ctx, ids[1], usual) })
	return ids[0], err
}

// getNode is what others ask for.
func (s *server) getNode(ctx context.Context) error {
	return s.nodes[0].get(ctx, fmt.Sprintf("/node/%d", s.nodes[0].id))
}

// silentReader asks for a result, and waits for the first byte of the answer.
func (s *server) silentReader(ctx context.Context, id int64) (net.Conn, error) {
	c, err := s.dial(ctx, "")
	if err != nil {
		return nil, err
	}
	_ = c.(*net.TCPConn).SetReadBuffer(4 << 10) // the system takes as little as it can
	path := s.root.url[len("http://")+len(s.host):]
	_, err = fmt.Fprintf(c, "GET %s/result/%d HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n\r\n", path, id, s.host, s.root.token)
	if err == nil {
		_ = c.SetReadDeadline(time.Now().Add(callTime))
		_, err = c.Read(make([]byte, 1))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("a silent reader: %w", err), c.Close())
	}
	return c, nil
}

// foundBack waits until the memory is as it was, and keeps how long that took.
func (t *trial) foundBack(ctx context.Context, w *watch) {
	most := backTime
	if t.quick {
		most = backTimeQuick
	}
	for began := time.Now(); w.idle > 0; {
		now, ok := resident(w.pid)
		took := time.Since(began)
		over := took > most || !pause(ctx, watchEvery)
		if ok && now > w.idle+backWithin && !over {
			continue
		}
		if over {
			t.note("after %.0f s the memory is still %.0f MiB above idle", took.Seconds(), float64(now-w.idle)/mib)
		}
		t.found("back", took.Seconds())
		return
	}
}

// refused sends a body that its sender has no right to send.
func refused(ctx context.Context, t *trial) error {
	if err := t.addNobody(ctx); err != nil {
		return err
	}
	w := t.watchMemory(ctx)
	defer w.end()
	sent, err := t.sendWithoutRight(ctx)
	t.foundGrowth("memory", w)
	if err != nil {
		return err
	}
	t.found("sent", float64(sent)/(1<<10))
	return nil
}

const (
	// piece is how much is sent at a time. The first pieces wait a moment, so that what the system
	// takes without anybody reading it does not count.
	piece       = 16 << 10
	firstPieces = 16
	pieceWait   = 50 * time.Millisecond
)

// sendWithoutRight sends until the answer comes, and returns how many bytes that took.
func (t *trial) sendWithoutRight(ctx context.Context) (sent int64, err error) {
	c, err := t.dial(ctx, "")
	if err != nil {
		return 0, err
	}
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(callTime))
	answered := make(chan answer, 1)
	go func() { answered <- firstLine(c) }()
	path := t.root.url[len("http://")+len(t.host):]
	head := fmt.Sprintf("POST %s/task HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n",
		path, t.host, t.nobody.token, t.sizes.Size)
	if _, err := io.WriteString(c, head); err != nil {
		return 0, err
	}
	var count atomic.Int64
	stop := make(chan struct{})
	var sender crew
	sender.do(func() error { writePieces(c, t.taskBody(), &count, stop); return nil })
	got := <-answered
	sent = count.Load()
	close(stop)
	_ = c.Close()
	_ = sender.finish()
	if got.err == nil && got.status != http.StatusUnauthorized {
		got.err = fmt.Errorf("the answer to a body without a right is %d", got.status)
	}
	return sent, got.err
}

// taskBody is a task with a large input.
func (t *trial) taskBody() io.Reader {
	head := fmt.Sprintf(`{"name":"bench","image":"i","collaboration_id":%d,"organizations":[{"id":%d,"input":"`, t.collaboration, t.nodes[0].organization)
	tail := `"}]}`
	return io.MultiReader(strings.NewReader(head), newText(t.sizes.Size-int64(len(head)+len(tail))), strings.NewReader(tail))
}

// writePieces writes until all is sent, the connection ends or stop is closed.
func writePieces(c net.Conn, body io.Reader, count *atomic.Int64, stop <-chan struct{}) {
	buf := make([]byte, piece)
	for i := 0; ; i++ {
		n, err := io.ReadFull(body, buf)
		if n == 0 {
			return
		}
		if _, failed := c.Write(buf[:n]); failed != nil || err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
			return
		}
		count.Add(int64(n))
		if i < firstPieces {
			select {
			case <-stop:
				return
			case <-time.After(pieceWait):
			}
		}
	}
}
