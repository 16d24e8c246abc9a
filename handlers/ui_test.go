package handlers

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"vserver/service/core"
)

// asBrowser asks as a browser does that opens a page.
func asBrowser(t *testing.T, b *bed, method, path string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, path, nil)
	r.Header.Set("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	reply := httptest.NewRecorder()
	b.s.ServeHTTP(reply, r)
	return reply
}

func bedWithUI(t *testing.T, apiPath string) *bed {
	t.Helper()
	return newBedWith(t, core.Settings{}, func(o *Options) { o.UI, o.APIPath = true, apiPath })
}

func TestUIIsAtTheParentOfTheAPI(t *testing.T) {
	for _, c := range []struct{ apiPath, path, root, server, api string }{
		{"/api", "/", "./", "./", "./api"},
		{"/api", "/tasks", "./", "./", "./api"},
		{"/api", "/tasks/5", "../", "../", "../api"},
		{"/api", "/tasks/5/", "../../", "../../", "../../api"},
		{"/api", "/tasks/a%2Fb", "../", "../", "../api"},
		{"/v6/api", "/v6/", "./", "../", "../v6/api"},
		{"/v6/api", "/v6/tasks/5", "../", "../../", "../../v6/api"},
		{"", "/ui/", "./", "../", ".."},
		{"", "/ui/tasks/5", "../", "../../", "../.."},
	} {
		b := bedWithUI(t, c.apiPath)
		reply := asBrowser(t, b, "GET", c.path)
		page := reply.Body.String()
		if reply.Code != 200 || reply.Header().Get("Content-Type") != "text/html; charset=utf-8" {
			t.Errorf("api_path %q: GET %s: %d %v", c.apiPath, c.path, reply.Code, reply.Header())
		}
		for _, has := range []string{
			`data-root="` + c.root + `"`, `data-server="` + c.server + `"`, `data-api="` + c.api + `"`, `src="` + c.root + `assets/index-`,
		} {
			if !strings.Contains(page, has) {
				t.Errorf("api_path %q: GET %s: no %s in %s", c.apiPath, c.path, has, page)
			}
		}
	}
}

func TestUIShadowsNothing(t *testing.T) {
	for _, c := range []struct {
		apiPath, method, path, accept string
		want                          int
		has                           string
	}{
		{"/api", "GET", "/api/version", "text/html", 200, `"version"`},
		{"/api", "GET", "/api/nothing", "text/html", 404, `"msg"`},
		{"/api", "GET", "/api", "text/html", 404, `"msg"`},
		{"/api", "GET", "/api/task/x", "text/html", 404, `"msg"`},
		{"/api", "GET", "/docs/nothing", "text/html", 404, `"msg"`},
		{"/api", "GET", "/docs/", "text/html", 200, "All pages"},
		{"/api", "GET", "/apidocs/nothing.js", "text/html", 404, `"msg"`},
		{"/api", "GET", "/static/nothing.js", "text/html", 404, `"msg"`},
		{"/api", "GET", "/assets/nothing.js", "text/html", 404, `"msg"`},
		{"/api", "GET", "/assets/../../embed.go", "text/html", 404, `"msg"`},
		{"/api", "GET", "/assets/..%2findex.html", "text/html", 404, `"msg"`},
		{"/api", "GET", "/socket.io", "text/html", 404, `"msg"`},
		{"/api", "GET", "/socket.io/nothing", "text/html", 404, `"msg"`},
		{"/api", "GET", "/robots.txt", "text/html", 200, "Disallow"},
		{"/api", "GET", "/tasks", "*/*", 404, `"msg"`},
		{"/api", "GET", "/tasks", "", 404, `"msg"`},
		{"/api", "POST", "/tasks", "text/html", 404, `"msg"`},
		{"/v6/api", "GET", "/", "text/html", 200, `<a href="v6/">web interface</a>`},
		{"/v6/api", "GET", "/tasks", "text/html", 404, `"msg"`},
		{"/v6/api", "GET", "/v6/api/nothing", "text/html", 404, `"msg"`},
		{"/v6/api", "GET", "/v6", "text/html", 302, ""},
		{"", "GET", "/", "text/html", 200, `<a href="ui/">web interface</a>`},
		{"", "GET", "/version", "text/html", 200, `"version"`},
		{"", "GET", "/tasks", "text/html", 404, `"msg"`},
	} {
		reply := asBrowser(t, bedWithUI(t, c.apiPath), c.method, c.path, "Accept", c.accept)
		if reply.Code != c.want || !strings.Contains(reply.Body.String(), c.has) {
			t.Errorf("api_path %q: %s %s for %q: %d %.200s", c.apiPath, c.method, c.path, c.accept, reply.Code, reply.Body)
		}
	}
}

func TestUICanBeTurnedOff(t *testing.T) {
	b := newBedWith(t, core.Settings{}, func(o *Options) { o.APIPath = "/api" })
	if reply := asBrowser(t, b, "GET", "/"); reply.Code != 200 || !strings.Contains(reply.Body.String(), "Where to go next") {
		t.Errorf("the start page: %d %.200s", reply.Code, reply.Body)
	}
	for _, path := range []string{"/tasks", "/assets/index.js", "/ui/"} {
		if reply := asBrowser(t, b, "GET", path); reply.Code != 404 {
			t.Errorf("GET %s: %d", path, reply.Code)
		}
	}
}

func TestAdvisory_T15_UI(t *testing.T) {
	b := bedWithUI(t, "/api")
	nonce := regexp.MustCompile(`style-src 'self' 'nonce-([A-Z0-9]{20,})';`)
	seen := map[string]bool{}
	for range 3 {
		reply := asBrowser(t, b, "GET", "/tasks/5")
		h := reply.Header()
		policy := h.Get("Content-Security-Policy")
		m := nonce.FindStringSubmatch(policy)
		if m == nil || strings.Contains(policy, "unsafe") || !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "script-src 'self';") || !strings.Contains(policy, "frame-ancestors 'none'") {
			t.Fatalf("policy %q", policy)
		}
		if seen[m[1]] || !strings.Contains(reply.Body.String(), `nonce="`+m[1]+`"`) {
			t.Errorf("the nonce %s was there before, or is not that of the page", m[1])
		}
		seen[m[1]] = true
		if h.Get("Cache-Control") != "private, no-cache" || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Referrer-Policy") == "" {
			t.Errorf("%v", h)
		}
		if inline := regexp.MustCompile(`<script[^>]*>[^<]|<style|\son\w+=|\sstyle=`).FindString(reply.Body.String()); inline != "" {
			t.Errorf("the page has %q within it", inline)
		}
	}
}

func TestUIFilesAreKeptAndCompressed(t *testing.T) {
	b := bedWithUI(t, "/api")
	names := regexp.MustCompile(`\./(assets/[\w.-]+)`).FindAllStringSubmatch(asBrowser(t, b, "GET", "/").Body.String(), -1)
	if len(names) < 3 {
		t.Fatalf("the page names %v", names)
	}
	for _, name := range names {
		path := "/" + name[1]
		plain := asBrowser(t, b, "GET", path)
		h := plain.Header()
		if plain.Code != 200 || h.Get("Cache-Control") != "public, max-age=31536000, immutable" || h.Get("Content-Encoding") != "" || h.Get("Vary") != "Accept-Encoding" {
			t.Errorf("%s: %d %v", path, plain.Code, h)
		}
		for asked, want := range map[string]string{"gzip, deflate, br": "gzip", "br;q=1, gzip;q=0.5": "gzip", "br": "", "gzip;q=0": "", "gzip; q=0.0": "", "": ""} {
			reply := asBrowser(t, b, "GET", path, "Accept-Encoding", asked)
			if got := reply.Header().Get("Content-Encoding"); got != want {
				t.Fatalf("%s for %q: encoding %q", path, asked, got)
			}
			body := io.Reader(reply.Body)
			if want == "gzip" {
				z, err := gzip.NewReader(body)
				if err != nil {
					t.Fatal(err)
				}
				body = z
			}
			if got, err := io.ReadAll(body); err != nil || string(got) != plain.Body.String() {
				t.Errorf("%s for %q: another text, %v", path, asked, err)
			}
		}
		kinds := map[bool]string{true: "text/javascript; charset=utf-8", false: "text/css; charset=utf-8"}
		if got := h.Get("Content-Type"); got != kinds[strings.HasSuffix(path, ".js")] {
			t.Errorf("%s: %s", path, got)
		}
		if reply := asBrowser(t, b, http.MethodHead, path); reply.Code != 200 {
			t.Errorf("HEAD %s: %d", path, reply.Code)
		}
	}
}
