package handlers

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"vserver/queries"
	"vserver/queries/dbtest"
	"vserver/service/core"
	"vserver/service/promise"
)

// loose counts the texts that belong to no result.
func (b *bed) loose() int64 {
	b.Helper()
	return b.number(b.T, "SELECT COUNT(*) FROM stream WHERE result_id IS NULL")
}

// succeed sends requests that succeed.
func (b *bed) succeed(rows ...row) {
	b.Helper()
	for _, r := range rows {
		if reply := b.send(b.T, r); reply.Code != 200 && reply.Code != 201 {
			b.Errorf("%s %s: %d %.300s", r.method, r.path, reply.Code, reply.Body)
		}
	}
}

// TestTextsHaveALimit tries the limit of a text from both sides.
func TestTextsHaveALimit(t *testing.T) {
	const limit = 1 << 20
	b := newBedWith(t, core.Settings{TextLimit: limit})
	text := func(n int) string { return strings.Repeat("x", n) }
	task := func(n int) string {
		return `{"name":"t","collaboration_id":1,"organizations":[{"id":2,"input":"aW4="},{"id":3,"input":"` + text(n) + `"}]}`
	}
	tooLong := func(what string) string {
		return fmt.Sprintf(`{"msg":"The %s is longer than 1048576 bytes (limits: payload)"}`, what)
	}
	b.run(
		patch("node_iknl_z", "1", `{"result":"`+text(limit+1)+`"}`, 413, tooLong("result")),
		patch("node_iknl_z", "1", `{"log":"`+text(limit+1)+`","result":"r"}`, 413, tooLong("log")),
		row{as: "admin", method: "POST", path: "/task", body: task(limit + 1), want: 413, has: tooLong("input")},
	)
	b.succeed(
		row{as: "admin", method: "POST", path: "/task", body: task(limit)},
		patch("node_iknl_z", "1", `{"log":"`+text(limit)+`","result":"`+text(limit)+`"}`, 200, ""),
	)
	if n := b.loose(); n != 0 {
		t.Errorf("%d texts that nobody took over are left", n)
	}
}

// TestContentLengthTells tries the lengths of bodies from both sides: what is too long is
// refused by its head alone, the longest one that may be right is taken.
func TestContentLengthTells(t *testing.T) {
	dbtest.Once(t)
	const limit = 1 << 20
	b := newBedWith(t, core.Settings{TextLimit: limit})
	server := httptest.NewServer(b.s)
	defer server.Close()
	text := strings.Repeat(`\u0041`, limit)
	const tooLong = `{"msg":"The body is larger than it can be with texts of at most 1048576 bytes (limits: payload)"}`
	for _, c := range []struct {
		method, path, as, body string
		most                   int
		want                   string
	}{
		{"PATCH", "/result/1", "node_iknl_z", `{"result":"` + text + `","log":"` + text + `"}`, usualBody + 2*escapedByte*limit, tooLong},
		{"PATCH", "/organization/2", "admin", `{"country":"x"}`, usualBody, `{"msg":"The body is larger than 10485760 bytes"}`},
	} {
		for _, length := range []int{c.most - 1, c.most} {
			conn := b.dial(server)
			b.head(conn, c.method, c.path, c.as, length)
			if _, err := io.WriteString(conn, c.body+strings.Repeat(" ", length-len(c.body))); err != nil {
				t.Fatal(err)
			}
			if status, said := answerOn(t, conn); status != http.StatusOK {
				t.Errorf("%s %s with %d bytes: %d %.200s", c.method, c.path, length, status, said)
			}
		}
		conn := b.dial(server)
		b.head(conn, c.method, c.path, c.as, c.most+1)
		if status, said := answerOn(t, conn); status != http.StatusRequestEntityTooLarge || strings.TrimSpace(said) != c.want {
			t.Errorf("%s %s with %d bytes: %d %s", c.method, c.path, c.most+1, status, said)
		}
	}
}

// answerOn reads the answer to what was sent on a connection.
func answerOn(t *testing.T, c net.Conn) (status int, body string) {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(promise.Patience))
	reply, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = reply.Body.Close() }()
	b, err := io.ReadAll(reply.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply.StatusCode, string(b)
}

// TestNothingIsLeftOfABodyThatBreaksOff cuts uploads at several places; what was stored of
// them is gone, and the result takes the repetition.
func TestNothingIsLeftOfABodyThatBreaksOff(t *testing.T) {
	b := newBed(t)
	server := httptest.NewServer(b.s)
	defer server.Close()
	body := `{"result":"` + strings.Repeat("QUJD", 300_000) + `","status":"completed","log":"l"}`
	for _, cut := range []int{20, 300 << 10, 1_200_000, len(body) - 1} {
		c := b.dial(server)
		b.head(c, "PATCH", "/result/1", "node_iknl_z", len(body))
		if _, err := io.WriteString(c, body[:cut]); err != nil {
			t.Fatal(err)
		}
		_ = c.Close()
	}
	promiseNone(t, b)
	b.succeed(patch("node_iknl_z", "1", body, 200, ""))
	reply := b.send(t, row{as: "root", method: "GET", path: "/result/1"})
	var r resultJSON
	if got(t, reply, &r); r.Result != strings.Repeat("QUJD", 300_000) {
		t.Error("the repetition changed on its way")
	}
}

// promiseNone waits until no text without a result is left.
func promiseNone(t *testing.T, b *bed) {
	t.Helper()
	for end := time.Now().Add(promise.Patience); b.loose() > 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d texts that nobody took over are left", b.loose())
		}
	}
}

// TestReplacedAndDeletedTextsGo replaces a long log and deletes the task of a long result.
func TestReplacedAndDeletedTextsGo(t *testing.T) {
	b := newBed(t)
	long := `"` + strings.Repeat("x", 700_000) + `"`
	b.succeed(patch("node_iknl_z", "1", `{"log":`+long+`}`, 200, ""), patch("node_iknl_z", "1", `{"log":"short"}`, 200, ""))
	b.run(row{as: "root", method: "GET", path: "/result/1", want: 200, has: `{"log":"short"}`})
	b.succeed(
		patch("node_iknl_z", "1", `{"log":`+long+`,"result":`+long+`}`, 200, ""),
		row{as: "root", method: "DELETE", path: "/task/1"},
	)
	if n := b.loose(); n != 3 {
		t.Errorf("%d texts wait to be swept, want 3", n)
	}
	if b.src.Engine == queries.SQLite { // on Postgres they have to be older
		go b.s.Run(t.Context())
		promiseNone(t, b)
		if n := b.number(t, "SELECT COUNT(*) FROM chunk"); n != 0 {
			t.Errorf("%d chunks are left", n)
		}
	}
}

func (b *bed) dial(server *httptest.Server) net.Conn {
	b.Helper()
	c, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = c.Close() })
	return c
}

// head begins a request with a body of some length.
func (b *bed) head(c net.Conn, method, path, as string, length int) {
	b.Helper()
	head := fmt.Sprintf("%s /api%s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n", method, path, length)
	if as != "" {
		head += "Authorization: Bearer " + b.token(as) + "\r\n"
	}
	if _, err := io.WriteString(c, head+"\r\n"); err != nil {
		b.Fatal(err)
	}
}

// TestAdvisory_U11_RightsComeBeforeBodies sends the heads of requests with 400 MB behind them
// to every route, by those who may not or with more than it takes: the answer does not wait
// for a byte of the body.
func TestAdvisory_U11_RightsComeBeforeBodies(t *testing.T) {
	b := newBed(t)
	server := httptest.NewServer(b.s)
	defer server.Close()
	for _, r := range b.s.routes() {
		if r.method != "POST" && r.method != "PATCH" {
			continue
		}
		for _, as := range []string{"", "viewer", "node_small_z", "root"} {
			if as == "root" && r.path == "/task" {
				continue // may send as much
			}
			c := b.dial(server)
			b.head(c, r.method, filled(r.path, "1"), as, 400<<20)
			_ = c.SetReadDeadline(time.Now().Add(promise.Patience))
			reply, err := http.ReadResponse(bufio.NewReader(c), nil)
			if err != nil {
				t.Errorf("%s %s as %s: %v", r.method, r.path, as, err)
				continue
			}
			said, _ := io.ReadAll(reply.Body)
			_ = reply.Body.Close()
			if reply.StatusCode < 400 || reply.StatusCode >= 500 {
				t.Errorf("%s %s as %s: %s %s", r.method, r.path, as, reply.Status, said)
			}
			_ = c.Close()
		}
	}
}

// TestReliability_R2_ResultsOfNodesAreHeld fills the disk under a node's result: it is
// stored as soon as there is room, and cut without an answer when that takes too long.
func TestReliability_R2_ResultsOfNodesAreHeld(t *testing.T) {
	b, disk := newBedOnDisk(t, core.Settings{HoldFor: promise.Patience})
	server := httptest.NewServer(b.s)
	defer server.Close()
	b.fillDisk(disk)
	statuses := make(chan string, 2)
	for _, text := range []string{`{"log":"short"}`, `{"result":"` + strings.Repeat("QUJD", 200_000) + `"}`} {
		c := b.dial(server)
		b.head(c, "PATCH", "/result/1", "node_iknl_z", len(text))
		go func() {
			_, _ = io.WriteString(c, text)
			reply, err := http.ReadResponse(bufio.NewReader(c), nil)
			if err != nil {
				statuses <- err.Error()
				return
			}
			_ = reply.Body.Close()
			statuses <- reply.Status
		}()
	}
	for !strings.Contains(b.log.take(), "it is held") {
		time.Sleep(time.Millisecond)
	}
	select {
	case s := <-statuses:
		t.Errorf("without room a result is answered: %s", s)
	default:
	}
	disk.Heal()
	for range 2 {
		if s := <-statuses; s != "200 OK" {
			t.Errorf("with room again: %s", s)
		}
	}
}

// TestReliability_R2_ResultsOfNodesAreCut has a result wait for longer than it may.
func TestReliability_R2_ResultsOfNodesAreCut(t *testing.T) {
	b, disk := newBedOnDisk(t, core.Settings{HoldFor: time.Second})
	server := httptest.NewServer(b.s)
	defer server.Close()
	disk.Fill()
	text := `{"log":"` + strings.Repeat("x", 100_000) + `"}`
	for range 100 { // into room that the log had already
		c := b.dial(server)
		b.head(c, "PATCH", "/result/1", "node_iknl_z", len(text))
		if _, err := io.WriteString(c, text); err != nil {
			t.Fatal(err)
		}
		reply, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			return
		}
		if _ = reply.Body.Close(); reply.StatusCode != http.StatusOK {
			t.Fatalf("answered with %s", reply.Status)
		}
	}
	t.Error("the disk was never full")
}

// TestABodyThatBreaksOffIsNoSuccess sends half a body and nothing more, and waits for the
// answer: to nodes there is none, so that they send their result again.
func TestABodyThatBreaksOffIsNoSuccess(t *testing.T) {
	b := newBed(t)
	server := httptest.NewServer(b.s)
	defer server.Close()
	for _, c := range []struct{ method, path, as, want string }{
		{"POST", "/organization", "root", "400 Bad Request"},
		{"POST", "/task", "admin", "400 Bad Request"},
		{"POST", "/token/user", "", "400 Bad Request"},
		{"PATCH", "/result/1", "node_iknl_z", io.ErrUnexpectedEOF.Error()},
	} {
		conn := b.dial(server)
		b.head(conn, c.method, c.path, c.as, 100_000)
		_, _ = io.WriteString(conn, `{"result":"`+strings.Repeat("x", 50_000))
		_ = conn.(*net.TCPConn).CloseWrite()
		_ = conn.SetReadDeadline(time.Now().Add(promise.Patience))
		got := ""
		reply, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			got = err.Error()
		} else {
			got = reply.Status
			_ = reply.Body.Close()
		}
		if got != c.want {
			t.Errorf("%s %s: %s, want %s", c.method, c.path, got, c.want)
		}
	}
}
