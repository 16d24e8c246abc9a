package handlers

import (
	"net/http/httptest"
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
