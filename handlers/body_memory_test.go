package handlers

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"vserver/service/config"
	"vserver/service/limits"
	"vserver/service/promise"
)

// remembering has bodies share 128 MiB, of which those who are no nodes have 96 and one account 64.
func remembering(o *Options) {
	limited(config.Limits{BodyMemory: "128MiB", BodyMemoryPerAccount: "64MiB"})(o)
	o.BodyPause = promise.Patience // the senders of the tests wait for each other
}

// taken is what all bodies have.
func (b *liveBed) taken(bytes int) {
	b.Helper()
	eventually(b.T, fmt.Sprintf("bodies have %d bytes", bytes), func() bool { return b.s.limits.Memory.Len() == bytes })
}

// wait is how many bodies wait.
func (b *liveBed) wait(nodes, others int) {
	b.Helper()
	eventually(b.T, fmt.Sprintf("%d bodies of nodes and %d others wait", nodes, others), func() bool {
		n, o := b.s.limits.Memory.Waiting()
		return n == nodes && o == others
	})
}

// fill takes all memory but some; what comes back gives some back, to the last byte.
func (b *liveBed) fill(free int64) (give func(bytes int64)) {
	b.Helper()
	full := limits.Who{Account: 1001, Node: true}
	other := limits.Who{Account: 1002, Node: true}
	if err := errors.Join(b.s.limits.Memory.Acquire(full, 64<<20), b.s.limits.Memory.Acquire(other, 64<<20-free)); err != nil {
		b.Fatal(err)
	}
	left := 64<<20 - free
	give = func(bytes int64) {
		n := min(bytes, left)
		left -= n
		b.s.limits.Memory.Release(other, n)
		b.s.limits.Memory.Release(full, bytes-n)
	}
	return give
}

// upload is a request whose body is sent part by part.
type upload struct {
	*testing.T
	net.Conn
	body string // what is not sent yet
}

// upload sends a request, with so many bytes of its body.
func (b *liveBed) upload(as, method, path, body string, begin int) *upload {
	b.Helper()
	c := b.bed.dial(b.web)
	_ = c.(*net.TCPConn).SetWriteBuffer(64 << 10)
	b.head(c, method, path, as, len(body))
	u := &upload{b.T, c, body}
	if begin = min(begin, len(body)); u.push(body[:begin], promise.Patience) != nil {
		b.Fatalf("%s %s: not even the begin is read", method, path)
	}
	return u
}

// push sends a part, as far as it is taken within a time.
func (u *upload) push(part string, within time.Duration) error {
	_ = u.SetWriteDeadline(time.Now().Add(within))
	n, err := io.WriteString(u.Conn, part)
	u.body = u.body[n:]
	return err
}

// left wants nobody to read the body.
func (u *upload) left() {
	u.Helper()
	if err := u.push(u.body, 300*time.Millisecond); !errors.Is(err, os.ErrDeadlineExceeded) {
		u.Errorf("the body is taken: %v, %d bytes are left", err, len(u.body))
	}
}

// finish sends the rest and returns the answer.
func (u *upload) finish() string {
	u.Helper()
	if err := u.push(u.body, promise.Patience); err != nil {
		return err.Error()
	}
	return u.answer()
}

// answer returns the status, Retry-After and message of an answer, or why there is none.
func (u *upload) answer() string {
	u.Helper()
	_ = u.SetReadDeadline(time.Now().Add(promise.Patience))
	reply, err := http.ReadResponse(bufio.NewReader(u.Conn), nil)
	if err != nil {
		return err.Error()
	}
	defer func() { _ = reply.Body.Close() }()
	var said struct {
		Msg string `json:"msg"`
	}
	text, _ := io.ReadAll(reply.Body)
	_ = json.Unmarshal(text, &said)
	return strings.TrimSpace(strings.Join([]string{reply.Status[:3], reply.Header.Get("Retry-After"), said.Msg}, " "))
}

// padded is a body of so many bytes that changes a country.
func padded(length int) string {
	const begin, end = `{"country":"x","pad":"`, `"}`
	return begin + strings.Repeat("a", length-len(begin)-len(end)) + end
}

// TestAdvisory_U11_WithoutMemoryBodiesAreLeftUnread has accounts send large bodies: as many as have room are read, what
// is beyond that of an account or of all is left unread until there is room, and then goes well. What is small has room.
func TestAdvisory_U11_WithoutMemoryBodiesAreLeftUnread(t *testing.T) {
	b := newLiveBed(t, remembering)
	const begin = 100 << 10
	large := padded(usualBody)
	one := copiesOfBody * usualBody
	first := b.upload("root", "PATCH", "/organization/1", large, begin)
	b.taken(one)
	second := b.upload("root", "PATCH", "/organization/1", large, begin)
	b.taken(2 * one)
	third := b.upload("root", "PATCH", "/organization/1", large, begin)
	b.wait(0, 1)
	other := b.upload("admin", "PATCH", "/organization/2", large, begin)
	b.taken(3 * one)
	beyond := b.upload("small_admin", "PATCH", "/organization/3", large, begin)
	b.wait(0, 2)
	third.left()
	beyond.left()
	b.taken(3 * one)
	b.succeed(row{as: "root", method: "PATCH", path: "/organization/1", body: padded(smallBody), want: 200})
	b.succeed(row{as: "node_iknl_z", method: "PATCH", path: "/result/1", body: `{"log":"` + strings.Repeat("x", 1<<20) + `"}`, want: 200})
	if got := first.finish(); got != "200" {
		t.Errorf("the first: %s", got)
	}
	for i, u := range []*upload{beyond, third, second, other} { // the account that holds less comes first
		if got := u.finish(); got != "200" {
			t.Errorf("number %d behind the first: %s", i+1, got)
		}
	}
	b.taken(0)
	b.wait(0, 0)
	if n := b.s.limits.Bodies.Len(); n != 0 {
		t.Errorf("%d bodies are under way", n)
	}
}

// TestAdvisory_U11_WhoWaitsForMemoryTooLongIsRefused but for a node, which gives up after a refusal: it is cut.
func TestAdvisory_U11_WhoWaitsForMemoryTooLongIsRefused(t *testing.T) {
	const refused = "503 5 There is no memory for the body at the moment: this server has reached the limit of 134217728 (limits.body_memory), try again in 5 seconds"
	const patience = 300 * time.Millisecond
	b := newLiveBed(t, remembering, func(o *Options) { o.RoomFor = patience })
	give := b.fill(0)
	long := `{"collaboration_id":1,"organizations":[{"id":2,"input":"` + strings.Repeat("QUJD", 100_000) + `"}]}`
	result := `{"result":"` + strings.Repeat("QUJD", 100_000) + `"}`
	for _, c := range []struct{ as, method, path, body, want string }{
		{"root", "PATCH", "/organization/1", padded(usualBody), refused},
		{"root", "PATCH", "/organization/1", padded(smallBody + 1), refused},
		{"researcher", "POST", "/task", long, refused},
		{"", "POST", "/token/user", padded(smallBody + 1), refused},
		{"node_iknl_z", "PATCH", "/result/1", result, io.ErrUnexpectedEOF.Error()},
		{"node_iknl_z", "PATCH", "/node/12", padded(smallBody + 1), io.ErrUnexpectedEOF.Error()},
	} {
		began := time.Now()
		u := b.upload(c.as, c.method, c.path, c.body, 60<<10)
		_ = u.push(u.body, patience) // as far as it goes
		if got := u.answer(); got != c.want && (c.want == refused || !broken(got)) {
			t.Errorf("%s %s as %s: %s, want %s", c.method, c.path, c.as, got, c.want)
		}
		least := patience
		if c.want != refused {
			least *= roomForNodes
		}
		if took := time.Since(began); took < least {
			t.Errorf("%s %s as %s was held for %s", c.method, c.path, c.as, took)
		}
	}
	if n := b.s.limits.Reached()["body_memory"]; n != 6 {
		t.Errorf("the limit was reached %d times", n)
	}
	give(128 << 20)
	if got := b.upload("node_iknl_z", "PATCH", "/result/1", result, 1000).finish(); got != "200" {
		t.Errorf("the node sends its result again: %s", got)
	}
	b.taken(0)
	b.wait(0, 0)
}

// broken reports whether a connection ended without an answer.
func broken(err string) bool {
	return strings.Contains(err, "EOF") || strings.Contains(err, "reset by peer") || strings.Contains(err, "broken pipe")
}

// TestAdvisory_U11_ResultsComeFirst has a task and then a result wait for memory: what becomes free is the result's.
func TestAdvisory_U11_ResultsComeFirst(t *testing.T) {
	b := newLiveBed(t, remembering)
	give := b.fill(0)
	text := strings.Repeat("QUJD", 500_000)
	task := b.upload("researcher", "POST", "/task", `{"collaboration_id":1,"organizations":[{"id":2,"input":"`+text+`"}]}`, 100<<10)
	b.wait(0, 1)
	result := b.upload("node_iknl_z", "PATCH", "/result/1", `{"result":"`+text+`","finished_at":"2026-01-02T03:04:05.6"}`, 100<<10)
	b.wait(1, 1)
	task.left()
	result.left()
	give(streamMemory)
	if got := result.finish(); got != "200" {
		t.Errorf("the result: %s", got)
	}
	b.wait(0, 1)
	give(64 << 20)
	if got := task.finish(); got != "201" {
		t.Errorf("the task: %s", got)
	}
	give(64<<20 - streamMemory)
	b.taken(0)
}

// TestBodiesGiveTheirMemoryBack after a client that goes away, a fault, and as soon as a reply begins, however slowly
// that is read.
func TestBodiesGiveTheirMemoryBack(t *testing.T) {
	b := newLiveBed(t, remembering)
	for name, u := range map[string]*upload{
		"a whole one":  b.upload("root", "PATCH", "/organization/1", padded(usualBody), 200<<10),
		"a long text":  b.upload("node_iknl_z", "PATCH", "/result/1", `{"result":"`+strings.Repeat("x", 1<<20)+`"}`, 700<<10),
		"many at once": b.upload("researcher", "POST", "/task", `{"collaboration_id":1,"organizations":[{"id":2,"input":"`+strings.Repeat("x", 1<<20), 100<<10),
	} {
		eventually(t, name+" has memory", func() bool { return b.s.limits.Memory.Len() > 0 })
		_ = u.Close()
	}
	b.taken(0)
	for _, body := range []string{strings.Repeat("[", 200_000), `{"country":5,"pad":"` + strings.Repeat("x", 200_000) + `"}`} {
		if got := b.upload("root", "PATCH", "/organization/1", body, 0).finish(); got[:3] != "400" {
			t.Errorf("%.20s: %s", body, got)
		}
	}
	b.taken(0)
	slow := b.upload("node_iknl_z", "PATCH", "/result/1", `{"result":"`+strings.Repeat("x", 20<<20)+`"}`, 100<<10)
	b.taken(streamMemory)
	if err := slow.push(slow.body, promise.Patience); err != nil {
		t.Fatal(err)
	}
	b.taken(0)
	if got := slow.answer(); got != "200" {
		t.Errorf("the reply that was not read: %s", got)
	}
}

// TestTheRestOfABodyTakesMemory sends much beside the texts: it has as much memory as it needs, or none. Nobody waits
// for more with what he has already.
func TestTheRestOfABodyTakesMemory(t *testing.T) {
	b := newLiveBed(t, remembering)
	padding := `"pad":"` + strings.Repeat("x", 2<<20) + `",`
	task := `{"collaboration_id":1,` + padding + `"organizations":[{"id":2,"input":""}]}`
	result := `{` + padding + `"log":"l"}`
	most := streamMemory + copiesOfBody*(8*8-1)*streamRest
	u := b.upload("researcher", "POST", "/task", task, len(task)-10)
	b.taken(most)
	if got := u.finish(); got != "201" {
		t.Errorf("with room: %s", got)
	}
	b.taken(0)
	give := b.fill(int64(most))
	if got := b.upload("node_iknl_z", "PATCH", "/result/1", result, 0).finish(); got != "200" {
		t.Errorf("a node with just enough room: %s", got)
	}
	give(32 << 20) // those who are no nodes leave as much
	if got := b.upload("researcher", "POST", "/task", task, 0).finish(); got != "201" {
		t.Errorf("with just enough room: %s", got)
	}
	if err := b.s.limits.Memory.Acquire(limits.Who{Account: 1003, Node: true}, 1); err != nil {
		t.Fatal(err)
	}
	u = b.upload("researcher", "POST", "/task", task, 100<<10)
	_ = u.push(u.body, promise.Patience)
	if got := u.answer(); !strings.HasPrefix(got, "503 5") {
		t.Errorf("with a byte too little: %s", got)
	}
	if err := b.s.limits.Memory.Acquire(limits.Who{Account: 1003, Node: true}, 32<<20); err != nil {
		t.Fatal(err)
	}
	u = b.upload("node_iknl_z", "PATCH", "/result/1", result, 100<<10)
	_ = u.push(u.body, promise.Patience)
	if got := u.answer(); !broken(got) {
		t.Errorf("a node with a byte too little: %s", got)
	}
	b.taken(128<<20 - most + 1)
}

// TestAdvisory_U11_TheCollaborationIsJudgedBeforeTheInput begins long tasks of those who may make tasks, but not there:
// they are refused before the body is read, when the collaboration comes before the first long input.
func TestAdvisory_U11_TheCollaborationIsJudgedBeforeTheInput(t *testing.T) {
	b := newLiveBed(t)
	const notThere = "You can only create tasks for collaborations you are participating in!"
	input := strings.Repeat("QUJD", 25_000)
	for _, c := range []struct{ as, begin, want string }{
		{"researcher", `{"name":"n","collaboration_id":3,"organizations":[{"id":3,"input":"`, "401  " + notThere},
		{"researcher", `{"collaboration_id":"3","organizations":[{"id":3},{"id":4,"input":"`, "401  " + notThere},
		{"root", `{"collaboration_id":1,"organizations":[{"id":2,"input":"`, "401  " + notThere},
		{"researcher", `{"collaboration_id":99,"organizations":[{"id":3,"input":"`, "404  Collaboration id=99 not found!"},
		{"researcher", `{"collaboration_id":1.5,"organizations":[{"id":3,"input":"`, "400  collaboration_id: has to be a whole number"},
		{"container", `{"collaboration_id":2,"image":"hello-world","organizations":[{"id":2,"input":"`, "401  Container-token is not valid"},
		{"container", `{"collaboration_id":3,"image":"hello-world","organizations":[{"id":3,"input":"`, "401  " + notThere},
	} {
		u := b.upload(c.as, "POST", "/task", c.begin+input+strings.Repeat("x", 100<<20), len(c.begin)+len(input))
		if got := u.answer(); got != c.want {
			t.Errorf("%s %s: %s, want %s", c.as, c.begin, got, c.want)
		}
		_ = u.Close()
	}
	for _, c := range []struct{ name, as, body, want string }{
		{"a member", "researcher", `{"collaboration_id":1,"organizations":[{"id":2,"input":"` + input + `"}]}`, "201"},
		{"a container", "container", `{"collaboration_id":1,"image":"hello-world","organizations":[{"id":2,"input":"` + input + `"}]}`, "201"},
		{"behind the input", "researcher", `{"organizations":[{"id":3,"input":"` + input + `"}],"collaboration_id":3}`, "401  " + notThere},
		{"a short one", "researcher", `{"collaboration_id":3,"organizations":[{"id":99,"input":"x"}]}`, "400  At least one of the supplied organizations in not within the collaboration."},
	} {
		if got := b.upload(c.as, "POST", "/task", c.body, 0).finish(); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// TestBeginningOfAnObject reads fields of objects that go on.
func TestBeginningOfAnObject(t *testing.T) {
	for begun, want := range map[string]string{
		`{"a":1,"b":`: "1", `{"a":"x","b":[{"a":2},`: `"x"`, `{"b":{"a":2},"a":[3],`: "[3]", `{"a":1}`: "1",
		``: "", `{`: "", `{"a"`: "", `{"a":`: "", `{"a":1`: "", `{"a":12`: "", `{"a":[1`: "", `{"b":{"a":2}`: "", `{"b":[{"a":2},`: "", `[1,2,`: "", `{"b":x,"a":1,`: "",
	} {
		if got := string(beginning([]byte(begun), "a")); got != want {
			t.Errorf("%s: %s, want %s", begun, got, want)
		}
	}
}
