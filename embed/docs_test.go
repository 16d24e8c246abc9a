package embed

import (
	"strings"
	"testing"
)

func TestExamplesLetTheLiveChannelThrough(t *testing.T) {
	page, examples, err := Docs()
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := page.Execute(&out, examples); err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{
		"nginx.conf":  {"proxy_http_version 1.1;", "proxy_set_header Upgrade    $http_upgrade;", "$proxy_add_x_forwarded_for;", "Host              $http_host;", "X-Forwarded-Proto $scheme;"},
		"caddy.conf":  {"reverse_proxy 127.0.0.1:5000"},
		"apache.conf": {"upgrade=websocket", "ProxyPreserveHost On", "X-Forwarded-Proto https", "Redirect 308 "},
	}
	for _, e := range examples {
		if strings.Contains(e.Text, "\n        stream_close_delay") { // Caddy knows it from 2.7 on
			t.Errorf("%s is not for the Caddy of Debian 12", e.File)
		}
		for _, line := range append(want[e.File], "trusted_proxies: [127.0.0.1]") {
			if !strings.Contains(e.Text, line) {
				t.Errorf("%s lacks %s", e.File, line)
			}
		}
		if strings.Count(e.Text, "{") != strings.Count(e.Text, "}") {
			t.Errorf("%s has blocks without end", e.File)
		}
		if !strings.Contains(out.String(), `<a href="`+e.File+`">`) {
			t.Errorf("the page does not lead to %s", e.File)
		}
		delete(want, e.File)
	}
	if len(want) > 0 {
		t.Errorf("lacks %v", want)
	}
}
