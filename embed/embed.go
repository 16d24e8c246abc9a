// Package embed holds what the binary carries besides its code: the start page, the web
// interface, the documentation and the description of the API. Everything it ships works without the
// internet: no page names another host. It imports nothing of ours; package handlers
// serves it and supplies the tables of settings and routes.
package embed

import (
	"cmp"
	"embed"
	"fmt"
	"io/fs"
	"strings"
)

//go:embed start
var files embed.FS

// StartPolicy is the Content-Security-Policy of the start page: files of this
// server and nothing else, nothing inline, never in a frame (/docs/security#t15).
const StartPolicy = "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; " +
	"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// StartPage is what the start page shows.
type StartPage struct {
	Version    string // of this program, as `vserver version` says it
	APIPath    string // prefix of the REST routes as configured: "/api", or "" for the root
	SocketPath string // where Socket.IO listens: "/socket.io" (/docs/live#transport)
	UI         string // the way to the web interface: "v6/"; "" when it is off
}

// aboutUI and endOfUI enclose what the start page says of the web interface.
const aboutUI, endOfUI = "<!--ui-->", "<!--/ui-->"

// Start returns the page for "/" in HTML, and the files to serve below "/static/": its
// style, script and icons, and robots.txt.
func Start(shown StartPage) ([]byte, fs.FS, error) {
	static, err := fs.Sub(files, "start/static")
	if err != nil {
		return nil, nil, fmt.Errorf("opening the start page's files: %w", err)
	}
	text, err := files.ReadFile("start/index.html")
	if err != nil {
		return nil, nil, fmt.Errorf("reading the start page: %w", err)
	}
	before, rest, _ := strings.Cut(string(text), aboutUI)
	about, after, _ := strings.Cut(rest, endOfUI)
	if shown.UI == "" {
		about = ""
	}
	return fill(before+about+after, map[string]markup{
		"Version": escaped(shown.Version), "APIPath": escaped(shown.APIPath), "API": escaped(cmp.Or(shown.APIPath, "/")),
		"SocketPath": escaped(shown.SocketPath), "UI": escaped(shown.UI),
	}), static, nil
}
