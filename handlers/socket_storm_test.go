package handlers

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
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

// joinCheaply opens a websocket and joins /tasks by it; what comes after the acknowledgement
// is read and thrown away, as cheaply as can be.
func (b *liveBed) joinCheaply(token string, joined func()) (net.Conn, error) {
	conn, err := net.Dial("tcp", strings.TrimPrefix(b.web.URL, "http://"))
	if err != nil {
		return nil, err
	}
	_, err = fmt.Fprintf(conn, "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\n"+
		"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nAuthorization: Bearer %s\r\n\r\n", token)
	if err != nil {
		return nil, err
	}
	go func() {
		chunk, told := make([]byte, 4096), false
		var tail, ack = []byte{}, []byte(`40/tasks,{"sid"`)
		asked := false
		for {
			n, err := conn.Read(chunk)
			if err != nil {
				return
			}
			if told {
				continue
			}
			tail = append(tail, chunk[:n]...)
			if !asked && bytes.Contains(tail, []byte(`"pingInterval"`)) {
				asked = true
				frame := "40/tasks,"
				_, _ = conn.Write(append([]byte{0x81, 0x80 | byte(len(frame)), 0, 0, 0, 0}, frame...))
			}
			if told = bytes.Contains(tail, ack); told {
				tail = nil
				joined()
			}
		}
	}()
	return conn, nil
}

// percentile is the p-th of a hundred parts of the times.
func percentile(times []time.Duration, p float64) time.Duration {
	if len(times) == 0 {
		return 0
	}
	slices.Sort(times)
	return times[min(len(times)-1, int(float64(len(times))*p/100))]
}

// probe reads a node again and again until stop is closed, and returns the times that it took.
func (b *liveBed) probe(stop chan struct{}) []time.Duration {
	var times []time.Duration
	token := b.token("viewer")
	for {
		select {
		case <-stop:
			return times
		case <-time.After(2 * time.Millisecond):
		}
		begin := time.Now()
		r, err := http.NewRequest(http.MethodGet, b.web.URL+"/api/node/12", nil)
		if err != nil {
			b.Error(err)
			return times
		}
		r.Header.Set("Authorization", "Bearer "+token)
		reply, err := b.client.Do(r)
		if err != nil {
			b.Error(err)
			return times
		}
		_ = reply.Body.Close()
		if reply.StatusCode != http.StatusOK {
			b.Errorf("GET /node/12: %d", reply.StatusCode)
		}
		times = append(times, time.Since(begin))
	}
}

// TestSocketStormTakesNothingFromOthers has many join at once: all are let in, and in
// the long run within 5 s, while requests of others take at most twice their time.
func TestSocketStormTakesNothingFromOthers(t *testing.T) {
	const within = 5 * time.Second
	c, over := crowd{nodes: 60, collaborations: 3, sockets: 120}, time.Second
	if promise.Long() {
		c, over = crowd{nodes: 1000, collaborations: 20, sockets: 2000}, within*9/10
	}
	b := newLiveBedWith(t, core.Settings{})
	tokens := c.settle(b)
	idle := b.during(func() { <-time.After(time.Second) })
	var begin time.Time
	var conns []net.Conn
	busy := b.during(func() {
		begin = time.Now()
		conns = b.joinAll(tokens, over)
	})
	took := time.Since(begin)
	if took > promise.Within(within) {
		t.Errorf("%d joined in %s", len(tokens), took)
	}
	if n := b.s.SocketCount(); n != len(tokens) {
		t.Errorf("%d sockets of %d", n, len(tokens))
	}
	before, after := percentile(idle, 99), percentile(busy, 99)
	t.Logf("%+v joined in %s; p99 of others %s, before %s", c, took, after, before)
	if promise.Long() && after > 2*max(before, 2*time.Millisecond) {
		t.Errorf("p99 of others %s, before %s", after, before)
	}
	for _, conn := range conns {
		_ = conn.Close()
	}
	eventually(t, "all have left", func() bool { return b.s.SocketCount() == 0 })
	if got := b.status("admin"); got != "offline" {
		t.Errorf("admin is %s after all have left", got)
	}
}

// during returns how long requests take while f runs.
func (b *liveBed) during(f func()) []time.Duration {
	stop, done := make(chan struct{}), make(chan []time.Duration, 1)
	go func() { done <- b.probe(stop) }()
	f()
	close(stop)
	return <-done
}

// joinAll has a socket join for each token, evenly over a time, and waits until all have joined.
func (b *liveBed) joinAll(tokens []string, over time.Duration) []net.Conn {
	b.Helper()
	var joined atomic.Int64
	var conns []net.Conn
	begin := time.Now()
	for i, token := range tokens {
		time.Sleep(time.Until(begin.Add(over * time.Duration(i) / time.Duration(len(tokens)))))
		conn, err := b.joinCheaply(token, func() { joined.Add(1) })
		if err != nil {
			b.Fatal(err)
		}
		conns = append(conns, conn)
	}
	eventually(b.T, "all have joined", func() bool { return int(joined.Load()) == len(tokens) })
	return conns
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
