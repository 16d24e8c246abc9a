package handlers

import (
	"net/http/httptest"
	"strings"
	"testing"
)

func TestDocs(t *testing.T) {
	b := newBed(t)
	for _, c := range []struct {
		method, path string
		want         int
		kind, has    string
	}{
		{"GET", "/docs/", 200, "text/html; charset=utf-8", "<h1>Documentation</h1>"},
		{"HEAD", "/docs/", 200, "text/html; charset=utf-8", ""},
		{"GET", "/docs", 302, "", ""},
		{"GET", "/docs/tasks", 200, "text/html; charset=utf-8", `<h2 id="create">`},
		{"HEAD", "/docs/tasks", 200, "text/html; charset=utf-8", ""},
		{"GET", "/docs/proxy", 200, "text/html; charset=utf-8", "proxy_http_version 1.1;"},
		{"GET", "/docs/docs.css", 200, "text/css; charset=utf-8", "{"},
		{"GET", "/docs/docs.js", 200, "text/javascript; charset=utf-8", "clipboard"},
		{"GET", "/docs/nginx.conf", 200, "text/plain; charset=utf-8", "\nmap $http_upgrade"},
		{"GET", "/docs/caddy.conf", 200, "text/plain; charset=utf-8", "reverse_proxy"},
		{"GET", "/docs/apache.conf", 200, "text/plain; charset=utf-8", "upgrade=websocket"},
		{"GET", "/docs/nothing", 404, "application/json", `"msg"`},
		{"GET", "/docs/index", 404, "application/json", `"msg"`},
		{"GET", "/docs/tasks.md", 404, "application/json", `"msg"`},
		{"GET", "/docs/page.html", 404, "application/json", `"msg"`},
	} {
		reply := httptest.NewRecorder()
		b.s.ServeHTTP(reply, httptest.NewRequestWithContext(t.Context(), c.method, c.path, nil))
		if reply.Code != c.want || reply.Header().Get("Content-Type") != c.kind || !strings.Contains(reply.Body.String(), c.has) {
			t.Errorf("%s %s: %d %v %.200s", c.method, c.path, reply.Code, reply.Header(), reply.Body)
		}
	}
}
