package embed

import (
	"os"
	"path"
	"regexp"
	"strings"
	"testing"

	"vserver/service/config"
)

func documents(t *testing.T) map[string]Document {
	t.Helper()
	all, err := Docs(map[string][][]string{"settings": config.Reference(), "routes": {{"Route"}}})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestExamplesLetTheLiveChannelThrough(t *testing.T) {
	all := documents(t)
	shown := string(all["proxy"].Text)
	for name, want := range map[string][]string{
		"nginx.conf":  {"proxy_http_version 1.1;", "proxy_set_header Upgrade    $http_upgrade;", "$proxy_add_x_forwarded_for;", "Host              $http_host;", "X-Forwarded-Proto $scheme;"},
		"caddy.conf":  {"reverse_proxy 127.0.0.1:5000"},
		"apache.conf": {"upgrade=websocket", "ProxyPreserveHost On", "X-Forwarded-Proto https", "Redirect 308 "},
	} {
		text := string(all[name].Text)
		if strings.Contains(text, "\n        stream_close_delay") { // Caddy knows it from 2.7 on
			t.Errorf("%s is not for the Caddy of Debian 12", name)
		}
		for _, line := range append(want, "trusted_proxies: [127.0.0.1]", "public_url: https://vserver.example.org") {
			if !strings.Contains(text, line) {
				t.Errorf("%s lacks %s", name, line)
			}
		}
		if strings.Count(text, "{") != strings.Count(text, "}") {
			t.Errorf("%s has blocks without end", name)
		}
		if !strings.Contains(shown, `<a href="`+name+`">`) || !strings.Contains(shown, want[0]) {
			t.Errorf("the page does not show %s or lead to it", name)
		}
	}
}

func TestEveryPageIsInTheNavigation(t *testing.T) {
	all := documents(t)
	entries, err := os.ReadDir("docs")
	if err != nil {
		t.Fatal(err)
	}
	pages := 0
	for _, e := range entries {
		name, isPage := strings.CutSuffix(e.Name(), ".md")
		if !isPage {
			continue
		}
		pages++
		if name == "index" {
			name = ""
		}
		if !strings.HasPrefix(string(all[name].Text), "<!doctype html>") {
			t.Errorf("%s is not among the chapters", e.Name())
		}
	}
	if pages < 15 {
		t.Errorf("only %d pages were found", pages)
	}
}

var (
	hrefs   = regexp.MustCompile(`(?:href|src)="([^"]+)"`)
	anchors = regexp.MustCompile(` id="([^"]+)"`)
)

func TestLinksOfTheDocumentationLeadSomewhere(t *testing.T) {
	all := documents(t)
	ids := map[string]map[string]bool{}
	for name, d := range all {
		ids[name] = map[string]bool{}
		for _, m := range anchors.FindAllStringSubmatch(string(d.Text), -1) {
			if ids[name][m[1]] {
				t.Errorf("page %q has the anchor %s twice", name, m[1])
			}
			ids[name][m[1]] = true
		}
	}
	_, static, err := Start(StartPage{})
	if err != nil {
		t.Fatal(err)
	}
	for name, d := range all {
		for _, m := range hrefs.FindAllStringSubmatch(string(d.Text), -1) {
			to, anchor, _ := strings.Cut(m[1], "#")
			if file, ok := strings.CutPrefix(to, "../static/"); ok {
				if _, err := static.Open(file); err != nil {
					t.Errorf("page %q: %s leads nowhere", name, m[1])
				}
				continue
			}
			switch to {
			case "../":
				continue
			case "":
				to = name
			case "./":
				to = ""
			}
			if _, ok := all[to]; !ok || anchor != "" && !ids[to][anchor] {
				t.Errorf("page %q: %s leads nowhere", name, m[1])
			}
		}
	}
}

// The policy of the server forbids what is inline, and Markdown that is no Markdown shows
// as itself.
func TestDocumentationKeepsThePolicy(t *testing.T) {
	bad := regexp.MustCompile(`(?i)<style|\sstyle=|\son[a-z]+=|javascript:|<script[^>]*>[^<]|raw html omitted|<h\d[^>]*>[^<]*\{#|\{\{|<!--`)
	for name, d := range documents(t) {
		if found := bad.FindString(string(d.Text)); found != "" && path.Ext(name) == "" {
			t.Errorf("page %q holds %q", name, found)
		}
	}
}

func TestEverySettingIsExplained(t *testing.T) {
	page := string(documents(t)["configuration"].Text)
	all := config.Settings()
	if len(all) < 40 {
		t.Fatalf("only %d settings were found", len(all))
	}
	for _, s := range all {
		switch {
		case s.Key == "" && !strings.Contains(page, "<code>"+s.Variable+"</code>"):
			t.Errorf("the page does not name %s", s.Variable)
		case s.Key != "" && !s.Hidden && !strings.Contains(page, "<td><code>"+s.Key+"</code>"):
			t.Errorf("the page does not explain %s", s.Key)
		}
		if s.Variable != "" && strings.Count(page, "<code>"+s.Variable+"</code>") == 0 {
			t.Errorf("the page does not name %s", s.Variable)
		}
	}
}
