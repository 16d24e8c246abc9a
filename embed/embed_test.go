package embed

import (
	"io/fs"
	"regexp"
	"strings"
	"testing"
)

func render(t *testing.T, page StartPage) string {
	t.Helper()
	text, _, err := Start(page)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestStartPageShowsWhatItWasGiven(t *testing.T) {
	for name, c := range map[string]struct {
		page StartPage
		want []string
	}{
		"usual": {
			StartPage{"1.2.3", "/api", "/socket.io", ""},
			[]string{`<dd id="version">1.2.3</dd>`, `<a href="docs/">`, `data-api="./api"`, `href="./api/health"`, `<code>/api</code>`, `<code>/socket.io</code>`},
		},
		"with an interface": {
			StartPage{"1.2.3", "/v6/api", "/socket.io", "v6/"},
			[]string{`Or open the
            <a href="v6/">web interface</a>.</p>`},
		},
		"at the root": {
			StartPage{"1.2.3", "", "/socket.io", ""},
			[]string{`data-api="."`, `href="./health"`, `<code>/</code>`},
		},
		"hostile": {
			StartPage{"<script>", `/"><script>alert(1)</script>`, "/<b>", ""},
			[]string{`<dd id="version">&lt;script&gt;</dd>`, `data-api="./&#34;&gt;&lt;script&gt;alert(1)&lt;/script&gt;"`, `<code>/&lt;b&gt;</code>`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := render(t, c.page)
			if strings.Contains(got, "{{") || strings.Contains(got, "web interface") != (c.page.UI != "") {
				t.Errorf("a gap, or a sentence of the interface without need: %s", got)
			}
			for _, want := range c.want {
				if !strings.Contains(got, want) {
					t.Errorf("lacks %s in\n%s", want, got)
				}
			}
		})
	}
}

// The policy forbids what is inline, so the page must not need it.
func TestStartPageKeepsItsPolicy(t *testing.T) {
	got := render(t, StartPage{"1.2.3", "/api", "/socket.io", ""})
	inline := regexp.MustCompile(`(?i)<style|\sstyle=|\son[a-z]+=|javascript:|<script[^>]*>[^<]`)
	if found := inline.FindString(got); found != "" {
		t.Errorf("the page holds inline %q", found)
	}
}

func TestStartPageNamesFilesThatAreThere(t *testing.T) {
	_, static, err := Start(StartPage{})
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile(`"static/([^"]+)"`).FindAllStringSubmatch(render(t, StartPage{}), -1)
	if len(named) == 0 {
		t.Fatal("the page names no file")
	}
	for _, name := range append(named, []string{"", "robots.txt"}, []string{"", "favicon.ico"}) {
		if b, err := fs.ReadFile(static, name[1]); err != nil || len(b) == 0 {
			t.Errorf("%s: %d bytes, %v", name[1], len(b), err)
		}
	}
}
