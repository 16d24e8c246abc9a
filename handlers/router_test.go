package handlers

import (
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"vserver/service/access"
)

func TestPathsAndMethods(t *testing.T) {
	b := newBed(t)
	for _, c := range []struct {
		method, target string
		want           int
		header, value  string
	}{
		{"GET", "/api/version", 200, "Content-Type", "application/json"},
		{"HEAD", "/api/version", 200, "Content-Length", "19"},
		{"GET", "/api/version/", 404, "Content-Type", "application/json"},
		{"GET", "/api/nothing", 404, "Content-Type", "application/json"},
		{"GET", "/api", 404, "Content-Type", "application/json"},
		{"GET", "/api/organization/abc", 404, "", ""},
		{"GET", "/api/organization/-1", 404, "", ""},
		{"GET", "/api/organization/99999999999999999999", 401, "", ""},
		{"PUT", "/api/organization/1", 405, "Allow", "GET, HEAD, OPTIONS, PATCH"},
		{"POST", "/api/version", 405, "Allow", "GET, HEAD, OPTIONS"},
		{"BREW", "/api/version", 405, "Allow", "GET, HEAD, OPTIONS"},
		{"BREW", "/api/nothing", 404, "Content-Type", "application/json"},
		{"DELETE", "/api/token/user", 405, "Allow", "OPTIONS, POST"},
		{"OPTIONS", "/api/organization", 200, "Allow", "GET, HEAD, OPTIONS, POST"},
		{"OPTIONS", "/api/organization/abc", 404, "", ""},
		{"GET", "/api//version", 308, "Location", "/api/version"},
		{"GET", "//api/version?a=b", 308, "Location", "/api/version?a=b"},
		{"POST", "/api/task//", 308, "Location", "/api/task/"},
	} {
		t.Run(c.method+" "+c.target, func(t *testing.T) {
			req := httptest.NewRequestWithContext(t.Context(), c.method, "/", nil)
			req.URL.RawQuery = ""
			if p, q, ok := strings.Cut(c.target, "?"); ok {
				req.URL.Path, req.URL.RawQuery = p, q
			} else {
				req.URL.Path = c.target
			}
			req.RequestURI = c.target
			reply := httptest.NewRecorder()
			b.s.ServeHTTP(reply, req)
			if reply.Code != c.want || c.header != "" && reply.Header().Get(c.header) != c.value {
				t.Errorf("got %d %v %s", reply.Code, reply.Header(), reply.Body)
			}
		})
	}
}

// TestAnswersOfNoRouteAreJSON: where doubled slashes lead, and what names no path, is for
// clients that read JSON, and for no cache.
func TestAnswersOfNoRouteAreJSON(t *testing.T) {
	b := newBed(t)
	for path, want := range map[string]int{"/api//version": 308, "//": 308, "*": 400, "": 400} {
		for _, method := range []string{"GET", "POST", "HEAD"} {
			req := httptest.NewRequestWithContext(t.Context(), method, "/", nil)
			req.URL.Path, req.RequestURI = path, path
			reply := httptest.NewRecorder()
			b.s.ServeHTTP(reply, req)
			h := reply.Header()
			if reply.Code != want || h.Get("Content-Type") != "application/json" || h.Get("Cache-Control") != "no-store" {
				t.Errorf("%s %q: %d %v", method, path, reply.Code, h)
			}
			contains(t, reply.Body.Bytes(), `{"msg":"*"}`)
		}
	}
}

// TestEveryRouteAsksForItsToken generates, from the route table, a call without a
// token and one with every kind of token that the route is not for.
func TestEveryRouteAsksForItsToken(t *testing.T) {
	b := newBed(t)
	callers := map[access.Kind]string{access.User: "admin", access.Node: "node_iknl_z", access.Container: "container"}
	for _, r := range b.s.routes() {
		if r.who == anyone {
			continue
		}
		path := strings.NewReplacer(":rule_id", "9999", ":id", "9999").Replace(r.path)
		b.run(row{method: r.method, path: path, want: 401, has: `{"msg":"Missing Authorization Header"}`})
		for kind, as := range callers {
			if r.who&kind == 0 {
				b.run(row{as: as, method: r.method, path: path, want: 403, has: `{"msg":"` + kind.String() +
					`s are not allowed to access http://server.example/api` + path + ` (` + r.method + `)"}`})
			}
		}
	}
}

// TestEveryRouteRequiresAPermission finds a row without a permission whose callers have a
// token, and one that is for callers who cannot have its permission.
func TestEveryRouteRequiresAPermission(t *testing.T) {
	for _, r := range (&Server{}).routes() {
		judged := r.pair != access.Pair{}
		if judged != (r.who != anyone) {
			t.Errorf("%s %s: callers %b, requires %+v", r.method, r.path, r.who, r.pair)
		}
		if r.pair.Only != 0 && r.who != r.pair.Only {
			t.Errorf("%s %s is for callers who cannot have its permission", r.method, r.path)
		}
	}
}

func TestPageLinks(t *testing.T) {
	b := newBed(t)
	for _, c := range []struct{ query, link, total string }{
		{"", "</api/organization?page=1>; rel=first,</api/organization?page=1>; rel=self,</api/organization?page=1>; rel=last", "4"},
		{
			"?per_page=3&page=2&name=%25", "</api/organization?per_page=3&page=1&name=%25>; rel=first," +
				"</api/organization?per_page=3&page=1&name=%25>; rel=previous,</api/organization?per_page=3&page=2&name=%25>; rel=self," +
				"</api/organization?per_page=3&page=2&name=%25>; rel=last", "4",
		},
		{
			"?page=9&per_page=2&include=a&include=b+c", "</api/organization?page=1&per_page=2&include=a&include=b+c>; rel=first," +
				"</api/organization?page=8&per_page=2&include=a&include=b+c>; rel=previous," +
				"</api/organization?page=9&per_page=2&include=a&include=b+c>; rel=self," +
				"</api/organization?page=2&per_page=2&include=a&include=b+c>; rel=last", "4",
		},
		{"?name=nope", "</api/organization?name=nope&page=1>; rel=first,</api/organization?name=nope&page=1>; rel=self", "0"},
		{"?page=&per_page=1", "</api/organization?page=1&per_page=1>; rel=first,</api/organization?page=1&per_page=1>; rel=self,</api/organization?page=1&per_page=1>; rel=last", "4"},
	} {
		reply := b.send(t, row{as: "root", method: "GET", path: "/organization" + c.query})
		if got := reply.Header().Get("Link"); got != c.link {
			t.Errorf("%s\ngot  %s\nwant %s", c.query, got, c.link)
		}
		if got := reply.Header()["total-count"]; !slices.Equal(got, []string{c.total}) {
			t.Errorf("%s: total-count %v, want %s", c.query, got, c.total)
		}
	}
	b.run(
		row{as: "root", method: "GET", path: "/organization?page=0", want: 400, has: `{"msg":"page needs to be >= 1"}`},
		row{as: "root", method: "GET", path: "/organization?page=x", want: 400, has: `{"msg":"page needs to be >= 1"}`},
		row{as: "root", method: "GET", path: "/organization?page=1&per_page=0", want: 400, has: `{"msg":"per_page needs to be >= 1"}`},
		row{as: "root", method: "GET", path: "/organization?per_page=0", want: 200},
		row{
			as: "root", method: "GET", path: "/organization?page=2&per_page=1&include=x&include=metadata", want: 200,
			has: `{"data":[{"id":2}],"links":{"first":"/api/organization?page=1&per_page=1&include=x&include=metadata","previous":"*","self":"*","next":"*","last":"/api/organization?page=4&per_page=1&include=x&include=metadata"}}`,
		},
		row{as: "root", method: "GET", path: "/organization?include=metadata&name=nope", want: 200, has: `{"data":[],"links":{"first":"*","self":"*"}}`},
	)
}
