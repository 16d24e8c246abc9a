package handlers

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http/httptest"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"vserver/service/access"
	"vserver/service/bus"
	"vserver/service/core"
)

// asking sends a GET with headers.
func (b *bed) asking(as, path string, header ...string) *httptest.ResponseRecorder {
	b.Helper()
	r := row{as: as, method: "GET", path: path, header: map[string]string{}}
	for i := 0; i < len(header); i += 2 {
		r.header[header[i]] = header[i+1]
	}
	return b.send(b.T, r)
}

// TestAnswersThatACallerHasAreNotSentAgain walks the table of routes: every GET of who shows a token has a tag, unless
// it is secret, and with the tag it has no body.
func TestAnswersThatACallerHasAreNotSentAgain(t *testing.T) {
	b := newBed(t)
	b.change(t, `INSERT INTO algorithmport (id, port, result_id) VALUES (1, 5000, 1)`)
	secret := []string{"/server", "/vpn"}
	for _, r := range b.s.routes() {
		if r.method != "GET" || r.who&access.User == 0 {
			continue
		}
		path := strings.ReplaceAll(r.path, ":id", "1")
		if strings.HasPrefix(path, "/node/") {
			path = "/node/12"
		}
		if path == "/access/explain" {
			path += "?user_id=5&method=GET&path=/task/1"
		}
		first := b.asking("root", path)
		tag := first.Header().Get("ETag")
		isSecret := strings.HasPrefix(path, secret[0]) || strings.HasPrefix(path, secret[1])
		if tagged := tag != ""; first.Code == 200 && tagged == isSecret || first.Code != 200 && tagged {
			t.Errorf("%s: %d with the tag %q, Cache-Control %s", path, first.Code, tag, first.Header().Get("Cache-Control"))
		}
		if first.Code != 200 && !isSecret {
			t.Errorf("%s: %d", path, first.Code)
		}
		if tag == "" {
			continue
		}
		for _, sent := range []string{tag, `"x", W/` + tag, "*"} {
			again := b.asking("root", path, "If-None-Match", sent)
			h, f := again.Header(), first.Header()
			if again.Code != 304 || again.Body.Len() > 0 || h.Get("ETag") != tag || h.Get("Cache-Control") != "private, no-cache" ||
				strings.Join(h["total-count"], "") != strings.Join(f["total-count"], "") || h.Get("Link") != f.Get("Link") || h.Get("Vary") != f.Get("Vary") {
				t.Errorf("%s with %s: %d %v", path, sent, again.Code, h)
			}
		}
		if other := b.asking("root", path, "If-None-Match", `"x"`); other.Code != 200 || other.Body.String() != first.Body.String() {
			t.Errorf("%s with a tag of something else: %d", path, other.Code)
		}
	}
}

// TestATagOpensNothing sends tags of answers that have changed, or that the caller may see no more.
func TestATagOpensNothing(t *testing.T) {
	b := newBed(t)
	tag := func(as, path string) string { return b.asking(as, path).Header().Get("ETag") }
	task, tasks, own := tag("viewer", "/task/1"), tag("viewer", "/task?page=1&per_page=1"), tag("viewer", "/collaboration/2")
	with := func(as, path, tag string, want int) {
		t.Helper()
		reply := b.asking(as, path, "If-None-Match", tag)
		if reply.Code != want || want != 304 && reply.Body.Len() == 0 {
			t.Errorf("%s as %s: %d %s, want %d", path, as, reply.Code, reply.Body, want)
		}
	}
	with("noperm", "/task/1", task, 401)
	with("noperm", "/task?page=1&per_page=1", "*", 401)
	with("", "/task/1", task, 401)
	with("viewer", "/task/2", "*", 404)
	with("viewer", "/task?page=0", "*", 400)
	with("node_small_s", "/collaboration/2", own, 401)
	with("viewer", "/task/1", task, 304)
	if reply := b.send(t, row{as: "admin", method: "PATCH", path: "/user/5", body: `{"lastname":"New"}`, header: map[string]string{"If-None-Match": "*"}}); reply.Code != 200 {
		t.Errorf("a change with If-None-Match: %d", reply.Code)
	}
	// The first page stays as it is while the number of rows behind it changes.
	b.change(t, `INSERT INTO task (id, name, collaboration_id, run_id, initiator_id) VALUES (7, 'x', 1, 7, 2)`)
	page := tag("viewer", "/task?page=1&per_page=1")
	with("viewer", "/task?page=1&per_page=1", tasks, 200)
	b.change(t, `DELETE FROM task WHERE id = 1`)
	with("viewer", "/task?page=1&per_page=1", page, 200)
	with("viewer", "/task/1", task, 404)
	b.change(t, `UPDATE task SET name = 'y' WHERE id = 7`)
	with("viewer", "/task?page=1&per_page=1", tag("viewer", "/task?page=1&per_page=1"), 304)
	b.change(t, `DELETE FROM member WHERE organization_id = 2`)
	b.news.Publish(bus.Message{Topic: core.TopicRights})
	with("viewer", "/collaboration/2", own, 401)
}

// TestAnswersAreMadeOnceForTheSameCaller asks for all that lasts twice: the second answer is the first one, until somebody
// commits or the caller has other rights, and nobody else gets it.
func TestAnswersAreMadeOnceForTheSameCaller(t *testing.T) {
	b := newBed(t)
	for _, r := range b.s.routes() {
		if !r.lasting {
			continue
		}
		path := strings.ReplaceAll(r.path, ":id", "1")
		if strings.HasPrefix(path, "/node/") {
			path = "/node/12"
		}
		for _, asks := range [][]string{nil, {"Accept-Encoding", "gzip"}} {
			first, again := b.asking("root", path, asks...), b.asking("root", path, asks...)
			if first.Code != 200 || again.Code != 200 || again.Body.String() != first.Body.String() || !reflect.DeepEqual(again.Header(), first.Header()) {
				t.Errorf("%s with %s:\n%d %v\n%d %v", path, asks, first.Code, first.Header(), again.Code, again.Header())
			}
		}
		if reply := b.asking("noperm", path); reply.Code == 200 && reply.Body.String() == b.asking("root", path).Body.String() {
			t.Errorf("%s: who may see nothing gets the answer of root", path)
		}
	}
	name := func(as string) string {
		reply := b.asking(as, "/task/1")
		return strconv.Itoa(reply.Code) + " " + regexp.MustCompile(`"name":"[^"]*"`).FindString(reply.Body.String())
	}
	for _, step := range []struct{ change, root, viewer string }{
		{"", `200 "name":"first"`, `200 "name":"first"`},
		{`UPDATE task SET name = 'other' WHERE id = 1`, `200 "name":"other"`, `200 "name":"other"`},
		{`DELETE FROM user_role WHERE user_id = 5; DELETE FROM user_rule WHERE user_id = 5`, `200 "name":"other"`, "401 "},
		{`DELETE FROM task WHERE id = 1`, "404 ", "404 "},
	} {
		if step.change != "" {
			b.change(t, strings.Split(step.change, "; ")...)
		}
		for range 2 {
			if root, viewer := name("root"), name("viewer"); root != step.root || viewer != step.viewer {
				t.Errorf("after %q: %s, %s", step.change, root, viewer)
			}
		}
	}
}

// TestAnswersAreCompressedForWhoAsks compares them with what is sent plainly: the same, but what is encrypted, short or
// repeats the request comes as it is.
func TestAnswersAreCompressedForWhoAsks(t *testing.T) {
	b := newBed(t)
	b.addMany()
	for _, c := range []struct {
		path      string
		zip, vary bool
	}{
		{"/task?page=1&per_page=10", true, true},
		{"/task", true, true}, // comes in parts
		{"/collaboration/1", true, true},
		{"/organization/4", true, true},
		{"/rule", true, true},
		{"/rule/1", false, true}, // short
		{"/result", false, false},
		{"/result?page=1&per_page=50", false, false},
		{"/result/1", false, false},
		{"/task/1/result", false, false},
		{"/task?page=1&per_page=10&include=results", false, false},
		{"/task?include=result", false, false},
		{"/task?page=1&per_page=10&include=metadata&x=secret", false, false},
	} {
		plain := b.asking("root", c.path)
		reply := b.asking("root", c.path, "Accept-Encoding", "gzip, deflate")
		h := reply.Header()
		body := reply.Body.Bytes()
		if zip := h.Get("Content-Encoding") == "gzip"; zip != c.zip {
			t.Errorf("%s: compressed is %v", c.path, zip)
		} else if zip {
			if len(body) >= plain.Body.Len() {
				t.Errorf("%s: %d bytes of %d", c.path, len(body), plain.Body.Len())
			}
			var err error
			if body, err = unzipped(body); err != nil {
				t.Error(err)
			}
		}
		if !bytes.Equal(body, plain.Body.Bytes()) || strings.Join(h["total-count"], "") != strings.Join(plain.Header()["total-count"], "") {
			t.Errorf("%s: another answer", c.path)
		}
		for name, one := range map[string]*httptest.ResponseRecorder{"plain": plain, "asked": reply} {
			vary := strings.Join(one.Header().Values("Vary"), ", ")
			if vary == "Accept-Encoding" != c.vary || !c.vary && vary != "" {
				t.Errorf("%s, %s: Vary %q", c.path, name, vary)
			}
		}
		if a, z := plain.Header().Get("ETag"), h.Get("ETag"); (a == z) == c.zip && a != "" {
			t.Errorf("%s: tags %s and %s", c.path, a, z)
		}
		if length := plain.Header().Get("Content-Length"); c.zip && length != "" && h.Get("Content-Length") == length {
			t.Errorf("%s: the length is that of the plain answer", c.path)
		}
		head := b.send(t, row{as: "root", method: "HEAD", path: c.path, header: map[string]string{"Accept-Encoding": "gzip"}})
		for _, name := range []string{"ETag", "Content-Encoding", "Vary", "Content-Type", "Content-Length"} {
			if head.Code != 200 || head.Header().Get(name) != h.Get(name) {
				t.Errorf("HEAD %s: %s is %q, of GET %q", c.path, name, head.Header().Get(name), h.Get(name))
			}
		}
	}
	if reply := b.send(t, row{as: "admin", method: "PATCH", path: "/organization/2", body: `{"name":"x"}`, header: map[string]string{"Accept-Encoding": "gzip"}}); reply.Header().Get("Content-Encoding") != "" {
		t.Error("the answer to a change is compressed")
	}
}

func unzipped(b []byte) ([]byte, error) {
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}

// TestManyLinksAreWrittenAsOneByOne compares both ways of writing links.
func TestManyLinksAreWrittenAsOneByOne(t *testing.T) {
	for _, path := range []string{"/api", "", "/a%20b/0/x<y"} {
		s := &Server{opt: Options{APIPath: path}}
		for kind := range methodsOf {
			for _, ids := range [][]int64{{1}, {7, 10, 9007199254740993}, {0, 100}} {
				want, err := json.Marshal(s.links(kind, ids))
				if got := s.appendLinks(nil, kind, ids); err != nil || string(got) != string(want) {
					t.Errorf("%s below %q:\ngot  %s\nwant %s", kind, path, got, want)
				}
			}
		}
	}
}
