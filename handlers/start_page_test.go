package handlers

import (
	"bytes"
	"image/png"
	"mime"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
)

func TestStartPage(t *testing.T) {
	b := newBed(t)
	for _, c := range []struct {
		method, path string
		want         int
		kind, has    string
	}{
		{"GET", "/", 200, "text/html; charset=utf-8", `data-api="./api"`},
		{"HEAD", "/", 200, "text/html; charset=utf-8", ""},
		{"GET", "/robots.txt", 200, "text/plain; charset=utf-8", "Disallow: /"},
		{"GET", "/static/robots.txt", 200, "text/plain; charset=utf-8", "Disallow: /"},
		{"GET", "/static/icon.svg", 200, "image/svg+xml", "<svg"},
		{"GET", "/static/start.css", 200, "text/css; charset=utf-8", "{"},
		{"GET", "/static/start.js", 200, "text/javascript; charset=utf-8", "fetch("},
		{"GET", "/static/nothing.js", 404, "application/json", `"msg"`},
		{"GET", "/static/..%2f..%2fembed.go", 404, "application/json", `"msg"`},
		{"GET", "/nothing", 404, "application/json", `"msg"`},
	} {
		reply := httptest.NewRecorder()
		b.s.ServeHTTP(reply, httptest.NewRequestWithContext(t.Context(), c.method, c.path, nil))
		if reply.Code != c.want || reply.Header().Get("Content-Type") != c.kind || !strings.Contains(reply.Body.String(), c.has) {
			t.Errorf("%s %s: %d %v %.200s", c.method, c.path, reply.Code, reply.Header(), reply.Body)
		}
	}
}

// TestBrowsersGetTheIconThatTheyAskFor takes the icon that browsers and readers of
// bookmarks ask for although no page names it.
func TestBrowsersGetTheIconThatTheyAskFor(t *testing.T) {
	b := newBed(t)
	for _, method := range []string{"GET", "HEAD"} {
		reply := httptest.NewRecorder()
		b.s.ServeHTTP(reply, httptest.NewRequestWithContext(t.Context(), method, "/favicon.ico", nil))
		h, icon := reply.Header(), reply.Body.Bytes()
		if reply.Code != 200 || h.Get("Content-Type") != "image/x-icon" || h.Get("Cache-Control") != "public, max-age=86400" {
			t.Fatalf("%s: %d %v", method, reply.Code, h)
		}
		if h.Get("Content-Length") != strconv.Itoa(len(icon)) || !bytes.HasPrefix(icon, []byte{0, 0, 1, 0, 2, 0}) {
			t.Fatalf("%s: %v, %d bytes: %x", method, h, len(icon), icon[:min(6, len(icon))])
		}
		for _, start := range bytes.SplitAfter(icon, []byte("IEND"))[:2] {
			at := bytes.Index(start, []byte("\x89PNG"))
			if c, err := png.DecodeConfig(bytes.NewReader(start[at:])); err != nil || c.Width != c.Height {
				t.Errorf("an image of the icon: %+v, %v", c, err)
			}
		}
	}
}

// TestTypesOfFilesAreOurOwn sets other types than ours, as the registry of Windows and
// the tables below /etc may: the pages' files keep theirs.
func TestTypesOfFilesAreOurOwn(t *testing.T) {
	before := mime.TypeByExtension(".js")
	if err := mime.AddExtensionType(".js", "text/plain"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = mime.AddExtensionType(".js", before) })
	reply := httptest.NewRecorder()
	newBed(t).s.ServeHTTP(reply, httptest.NewRequestWithContext(t.Context(), "GET", "/static/start.js", nil))
	if got := reply.Header().Get("Content-Type"); got != "text/javascript; charset=utf-8" {
		t.Errorf("a script has the type %s", got)
	}
}
