package handlers

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"vserver/service/core"
	"vserver/service/promise"
)

// crowd is who joins at once: nodes, in a few collaborations, and sockets of one user
// who sees all of these.
type crowd struct {
	nodes, collaborations, sockets int
}

// settle makes the rows of a crowd, and returns the tokens that its sockets join with,
// nodes and users mixed.
func (c crowd) settle(b *liveBed) []string {
	b.Helper()
	var statements []string
	for i := range c.collaborations {
		statements = append(statements, fmt.Sprintf(`INSERT INTO collaboration (id, name, encrypted) VALUES (%d, 'crowd %d', FALSE)`, 100+i, i))
	}
	var tokens []string
	for i := range c.nodes {
		id, organization, collaboration := 1000+i, 1000+i/c.collaborations, 100+i%c.collaborations
		if i%c.collaborations == 0 {
			statements = append(statements, fmt.Sprintf(`INSERT INTO organization (id, name) VALUES (%d, 'crowd %d')`, organization, organization))
		}
		statements = append(statements,
			fmt.Sprintf(`INSERT INTO member (organization_id, collaboration_id) VALUES (%d, %d)`, organization, collaboration),
			fmt.Sprintf(`INSERT INTO authenticatable (id, type) VALUES (%d, 'node')`, id),
			fmt.Sprintf(`INSERT INTO node (id, name, api_key, organization_id, collaboration_id) VALUES (%d, 'crowd-%d', 'crowd-%d', %d, %d)`,
				id, id, id, organization, collaboration))
		tokens = append(tokens, b.sign(claims{Subject: []byte(strconv.Itoa(id)), ClientType: "node", Type: accessToken}, 0))
	}
	b.exec("BEGIN; " + strings.Join(statements, "; ") + "; COMMIT")
	every := max(1, c.sockets/max(1, c.nodes))
	user := b.token("admin")
	for i := range c.sockets {
		tokens = slices.Insert(tokens, min(len(tokens), i+i/every), user)
	}
	return tokens
}

// percentile is the p-th of a hundred parts of the times.
func percentile(times []time.Duration, p float64) time.Duration {
	if len(times) == 0 {
		return 0
	}
	slices.Sort(times)
	return times[min(len(times)-1, int(float64(len(times))*p/100))]
}

// probe reads a node again and again until stop is closed, each time over a connection of its
// own as nodes do, and returns the times that it took. It makes as little work as it can.
func (b *liveBed) probe(stop chan struct{}) []time.Duration {
	var times []time.Duration
	request := []byte("GET /api/node/12 HTTP/1.1\r\nHost: test\r\nConnection: close\r\nAuthorization: Bearer " + b.token("viewer") + "\r\n\r\n")
	reply := make([]byte, 4096)
	for {
		select {
		case <-stop:
			return times
		case <-time.After(2 * time.Millisecond):
		}
		begin := time.Now()
		n, err := b.exchange(request, reply)
		if err != nil || !bytes.HasPrefix(reply[:n], []byte("HTTP/1.1 200 ")) {
			b.Errorf("GET /node/12: %q, %v", reply[:n], err)
			return times
		}
		times = append(times, time.Since(begin))
	}
}

// exchange sends a request over a connection of its own and reads the reply to its end.
func (b *liveBed) exchange(request, reply []byte) (int, error) {
	conn, err := net.Dial("tcp", strings.TrimPrefix(b.web.URL, "http://"))
	if err != nil {
		return 0, err
	}
	defer func() { _ = conn.Close() }()
	if _, err := conn.Write(request); err != nil {
		return 0, err
	}
	n, err := io.ReadFull(conn, reply)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil // it was shorter than there is room for
	}
	return n, err
}

// TestSocketStormTakesNothingFromOthers has many join at once: all are let in, and in
// the long run within 5 s, while requests of others take at most twice their time; so they do
// when all leave at once. The crowd is a process of its own on the same cores: what its
// thousands of sockets cost it would otherwise be in the way of the one who measures.
func TestSocketStormTakesNothingFromOthers(t *testing.T) {
	const within = 5 * time.Second
	c, over := crowd{nodes: 60, collaborations: 3, sockets: 120}, time.Second
	if promise.Long() {
		c, over = crowd{nodes: 1000, collaborations: 20, sockets: 2000}, within*9/10
	}
	b := newLiveBedWith(t, core.Settings{})
	tokens := c.settle(b)
	idle := b.during(func() { <-time.After(2 * time.Second) })
	f := newFlood(b, tokens, over)
	begin := time.Now()
	joining := b.during(f.join)
	took := time.Since(begin)
	if took > promise.Within(within) {
		t.Errorf("%d joined in %s", len(tokens), took)
	}
	if n := b.s.SocketCount(); n != len(tokens) {
		t.Errorf("%d sockets of %d", n, len(tokens))
	}
	leaving := b.during(func() {
		f.leave()
		eventually(t, "all have left", func() bool { return b.s.SocketCount() == 0 })
	})
	before := percentile(idle, 99)
	t.Logf("%+v joined in %s; p50/p99 of others: idle %s/%s, joining %s/%s, leaving %s/%s", c, took, percentile(idle, 50), before,
		percentile(joining, 50), percentile(joining, 99), percentile(leaving, 50), percentile(leaving, 99))
	for when, times := range map[string][]time.Duration{"joining": joining, "leaving": leaving} {
		if p99 := percentile(times, 99); promise.Long() && p99 > 2*max(before, 2*time.Millisecond) {
			t.Errorf("p99 of others while all are %s: %s, before %s", when, p99, before)
		}
	}
	eventually(t, "admin is offline after all have left", func() bool { return b.status("admin") == "offline" })
}

// during returns how long requests take while f runs.
func (b *liveBed) during(f func()) []time.Duration {
	stop, done := make(chan struct{}), make(chan []time.Duration, 1)
	go func() { done <- b.probe(stop) }()
	f()
	close(stop)
	return <-done
}

// TestSocketStormIsToldInFewMessages: each node hears its own joins and the others hear
// that it is online, but a room hears of many joins in few messages.
func TestSocketStormIsToldInFewMessages(t *testing.T) {
	b := newLiveBedWith(t, core.Settings{NoticePause: time.Second})
	c := crowd{nodes: 40, collaborations: 1}
	tokens := c.settle(b)
	watcher := b.join("admin", means{only: "websocket"})
	watcher.take()
	var last *socketClient
	for _, token := range tokens {
		last = b.join("node", means{only: "websocket", token: token})
	}
	const room = "collaboration_100"
	own := joined("Node", "crowd-1039", room)
	if heard := last.take(); !slices.Equal(heard[:min(3, len(heard))], []string{own, joined("Node", "crowd-1039", room+"_organization_1039"), "connect"}) {
		t.Errorf("the last node heard %v", heard)
	}
	online, told, messages := 0, 0, 0
	for deadline := time.Now().Add(promise.Patience); told < c.nodes && time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		for _, e := range watcher.take() {
			more := 0
			switch n, _ := fmt.Sscanf(e, `message "%d more joined room <`+room+`>"`, &more); {
			case strings.HasPrefix(e, "node-online"):
				online++
			case n == 1:
				told += more
			case strings.HasPrefix(e, `message "Node <crowd-`):
				told++
				more = 1
			}
			if more > 0 {
				messages++
			}
		}
	}
	if online != c.nodes || told != c.nodes {
		t.Errorf("heard that %d are online and %d joined, of %d", online, told, c.nodes)
	}
	if messages > c.nodes/2 {
		t.Errorf("%d joins were told in %d messages", told, messages)
	}
}
