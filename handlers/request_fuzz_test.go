package handlers

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"vserver/service/promise"
)

// foreignToken is signed with another key than the server's.
const foreignToken = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9" +
	".eyJzdWIiOjEsImlhdCI6MTc5NTQ2OTg4MywibmJmIjoxNzk1NDY5NzYzLCJqdGkiOiJhIiwiZXhwIjo0OTUxMTQzNDgzLCJ0eXBlIjoiYWNjZXNzIiwiZnJlc2giOmZhbHNlLCJjbGllbnRfdHlwZSI6InVzZXIifQ" +
	".c2lnbmF0dXJl"

// FuzzRequest sends any query, body and id to any route, as somebody who may call it, and
// with any token: nothing may cause a server error but that of a VPN that is not configured, what says that it is JSON has to be,
// and no made-up token may get in (/docs/reliability#r13).
func FuzzRequest(f *testing.F) {
	routes := (&Server{}).routes()
	for i, r := range routes {
		f.Add(i, "1", "page=1&per_page=2&include=metadata", sane[r.method+" "+r.path], "")
		if os.Getenv("VSERVER_TEST_POSTGRES") != "" && !promise.Long() {
			continue // each has a database of its own
		}
		f.Add(i, "999", "name=%25&id=x&page=-1", `{"id": 1e400, "name": "\ud800"}`, foreignToken)
	}
	f.Fuzz(func(t *testing.T, at int, id, query, body, token string) {
		b := newBed(t)
		r := routes[max(0, at)%len(routes)]
		path := filled(r.path, url.PathEscape(id)) + "?" + query
		target, err := url.ParseRequestURI("/api" + path)
		if err != nil || strings.ContainsAny(token, "\r\n\x00") {
			return // no client can send this
		}
		req := httptest.NewRequestWithContext(t.Context(), r.method, "http://server.example/", strings.NewReader(body))
		req.URL.Path, req.URL.RawPath, req.URL.RawQuery = target.Path, target.RawPath, target.RawQuery
		req.Header.Set("Content-Type", "application/json")
		as := callerOf(r)
		switch {
		case token != "":
			req.Header.Set("Authorization", "Bearer "+token)
		case as != "":
			req.Header.Set("Authorization", "Bearer "+b.token(as))
		}
		reply := httptest.NewRecorder()
		b.s.ServeHTTP(reply, req)
		if reply.Code >= http.StatusInternalServerError && !(reply.Code == http.StatusNotImplemented && slices.Contains(notOnTheBed, r.path)) {
			t.Errorf("%s %s: %d %s\n%s", r.method, path, reply.Code, reply.Body, b.log.take())
		}
		if token != "" && as != "" && reply.Code < http.StatusBadRequest {
			t.Errorf("%s %s: the token %q got in: %d", r.method, path, token, reply.Code)
		}
		if kind := reply.Header().Get("Content-Type"); strings.HasPrefix(kind, "application/json") && !json.Valid(reply.Body.Bytes()) {
			t.Errorf("%s %s: no JSON: %q", r.method, path, reply.Body)
		}
	})
}

// notOnTheBed is what a server without a portal, and without whoever makes its backups, does not do.
var notOnTheBed = []string{"/vpn", "/vpn/update", "/server/backup"}

// filled puts an id into every place of a route that takes one.
func filled(path, id string) string {
	parts := strings.Split(path, "/")
	for i, part := range parts {
		if strings.HasPrefix(part, ":") {
			parts[i] = id
		}
	}
	return strings.Join(parts, "/")
}
