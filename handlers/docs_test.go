package handlers

import (
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"vserver/embed"
	"vserver/service/access"
	"vserver/service/config"
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
		{"HEAD", "/docs", 302, "", ""},
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

// pages returns the text of all pages of the documentation, or of one.
func pages(t *testing.T, name string) string {
	t.Helper()
	all, err := embed.Docs(map[string][][]string{
		"settings": config.Reference(), "routes": routeReference(newBed(t).s.routes()),
	})
	if err != nil {
		t.Fatal(err)
	}
	if name != "" {
		return string(all[name].Text)
	}
	var text strings.Builder
	for _, d := range all {
		text.Write(d.Text)
	}
	return text.String()
}

func TestEveryRouteIsDocumented(t *testing.T) {
	text := pages(t, "routes")
	for _, r := range newBed(t).s.routes() {
		path := strings.NewReplacer(":rule_id", "&lt;rule&gt;", ":id", "&lt;id&gt;").Replace(r.path)
		if !strings.Contains(text, "<td><code>"+r.method+" "+path+"</code></td>") {
			t.Errorf("the page of routes lacks %s %s", r.method, path)
		}
	}
	for _, row := range []string{
		"<td><code>POST /token/user</code></td>\n<td>everybody, without a token</td>\n<td>none</td>",
		"<td><code>PATCH /result/&lt;id&gt;</code></td>\n<td>nodes</td>\n<td>itself</td>",
		"<td><code>POST /task</code></td>\n<td>users, containers</td>\n<td>task CREATE</td>",
	} {
		if !strings.Contains(text, row) {
			t.Errorf("the page of routes lacks\n%s", row)
		}
	}
}

// TestEveryDocumentedEventIsThere finds an event on the page of the live channel that the
// program neither sends nor takes.
func TestEveryDocumentedEventIsThere(t *testing.T) {
	files, err := filepath.Glob("../service/core/*.go")
	if err != nil {
		t.Fatal(err)
	}
	var code strings.Builder
	for _, file := range append(files, "socket.go", "socket_events.go", "socket_run.go") {
		source, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		code.Write(source)
	}
	_, events, _ := strings.Cut(pages(t, "live"), `<h2 id="server-events">`)
	events, _, _ = strings.Cut(events, `<h2 id="presence">`)
	rows := regexp.MustCompile(`(?m)^<tr>\n<td>(.*)</td>`).FindAllStringSubmatch(events, -1)
	if len(rows) < 14 {
		t.Fatalf("only %d rows of events were found", len(rows))
	}
	for _, row := range rows {
		for _, m := range regexp.MustCompile(`<code>(.*?)</code>`).FindAllStringSubmatch(row[1], -1) {
			if !strings.Contains(code.String(), `"`+m[1]+`"`) {
				t.Errorf("nobody sends or takes the event %s", m[1])
			}
		}
	}
}

// TestTheTableOfRulesIsTheProgramsOwn compares the page about permissions with the rules
// and default roles.
func TestTheTableOfRulesIsTheProgramsOwn(t *testing.T) {
	text := pages(t, "permissions")
	roles := access.DefaultRoles()
	for i, rule := range access.Rules {
		row := fmt.Sprintf("<td>%d</td>\n<td>%s %s %s</td>\n", rule.ID, rule.Resource, rule.Scope, rule.Operation)
		for _, role := range []int{0, 3, 4, 5, 6, 2, 1} { // the columns: Root, the four of users, node, container
			mark := ""
			if roles[role].Rules&(1<<i) != 0 {
				mark = "x"
			}
			row += "<td>" + mark + "</td>\n"
		}
		if !strings.Contains(text, row) {
			t.Errorf("the page lacks\n%s", row)
		}
	}
}
