package handlers

import (
	"bytes"
	"compress/gzip"
	"crypto/rand"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strings"
	"sync"

	"github.com/labstack/echo/v4"

	"vserver/embed"
)

// webInterface is the web interface, which knows no more of the server than its API and its
// live channel (/docs/ui).
type webInterface struct {
	at      string // its path without a slash at the end, "" for the root
	api     string
	version string
	page    string
	files   map[string]builtFile
}

// builtFile is a file whose name changes with its contents.
type builtFile struct {
	kind   string
	plain  func() ([]byte, error) // not kept: the system has it in the program's file
	zipped func() ([]byte, error) // made when somebody asks for it first
}

// InterfaceAt is where the web interface of an API is: at its parent (/docs/ui#address).
func InterfaceAt(apiPath string) string {
	if apiPath == "" {
		return "/ui"
	}
	return strings.TrimSuffix(path.Dir(apiPath), "/")
}

// registerUI adds the web interface, unless the configuration turns it off.
func (s *Server) registerUI() {
	if !s.opt.UI {
		return
	}
	page, files, err := embed.UI()
	if err != nil {
		panic(err) // what the binary carries is read in every test
	}
	w := &webInterface{at: InterfaceAt(s.opt.APIPath), api: s.opt.APIPath, version: s.opt.Version, page: page, files: map[string]builtFile{}}
	if err := w.list(files); err != nil {
		panic(err)
	}
	s.ui = w
	for pattern, handle := range map[string]echo.HandlerFunc{w.at + "/": w.index, w.at + "/assets/:name": w.asset} {
		s.echo.GET(pattern, s.open(handle))
		s.echo.HEAD(pattern, s.open(handle))
	}
	if w.at != "" {
		s.echo.GET(w.at, s.open(func(c echo.Context) error { return c.Redirect(http.StatusFound, path.Base(w.at)+"/") }))
	}
}

// list takes in the names of the files. What is in them is read when somebody asks for it:
// a server that shows no page needs no memory for it.
func (w *webInterface) list(files fs.FS) error {
	names, err := fs.Glob(files, "*")
	if err != nil {
		return fmt.Errorf("listing the files of the web interface: %w", err)
	}
	for _, name := range names {
		plain := func() ([]byte, error) { return fs.ReadFile(files, name) }
		w.files[name] = builtFile{types[path.Ext(name)], plain, sync.OnceValues(func() ([]byte, error) { return zipped(plain) })}
	}
	return nil
}

func zipped(read func() ([]byte, error)) ([]byte, error) {
	plain, err := read()
	if err != nil {
		return nil, fmt.Errorf("reading a file of the web interface: %w", err)
	}
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(plain); err != nil {
		return nil, fmt.Errorf("compressing a file of the web interface: %w", err)
	}
	if err := z.Close(); err != nil {
		return nil, fmt.Errorf("compressing a file of the web interface: %w", err)
	}
	return b.Bytes(), nil
}

// index answers with the page, whatever screen of it the address names.
func (w *webInterface) index(c echo.Context) error {
	way := c.Request().URL.EscapedPath()
	up := func(from string) string {
		if n := strings.Count(strings.TrimPrefix(way, from), "/") - 1; n > 0 {
			return strings.Repeat("../", n)
		}
		return "./"
	}
	shown := embed.UIPage{Root: up(w.at), Server: up(""), Version: w.version, Nonce: rand.Text()}
	shown.API = strings.TrimSuffix(shown.Server+strings.TrimPrefix(w.api, "/"), "/")
	h := c.Response().Header()
	h.Set("Cache-Control", "private, no-cache") // the nonce is good for one answer
	h.Set("Content-Security-Policy", embed.UIPolicy(shown.Nonce))
	h.Add("Vary", "Accept")
	return send(c, "text/html; charset=utf-8", shown.On(w.page))
}

// asset answers with a file of the interface.
func (w *webInterface) asset(c echo.Context) error {
	file, ok := w.files[c.Param("name")]
	if !ok {
		return unknownURL(c)
	}
	h, read := c.Response().Header(), file.plain
	zip := takesGzip(c.Request().Header)
	if zip {
		read = file.zipped
	}
	body, err := read()
	if err != nil {
		return fmt.Errorf("reading a file of the web interface: %w", err)
	}
	if zip {
		h.Set("Content-Encoding", "gzip")
	}
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Add("Vary", "Accept-Encoding")
	return send(c, file.kind, body)
}

// takesGzip reports whether an answer may be compressed.
func takesGzip(h http.Header) bool {
	for _, asked := range strings.Split(strings.Join(h.Values("Accept-Encoding"), ","), ",") {
		if name, weight, weighed := strings.Cut(asked, ";"); strings.TrimSpace(name) == "gzip" {
			return !weighed || strings.ContainsAny(weight, "123456789")
		}
	}
	return false
}

// notOfUI are the names at the root of the server that belong to others.
var notOfUI = []string{"static", "assets", "docs", "apidocs", "socket.io", "openapi.yaml", "apispec_1.json", "robots.txt", "favicon.ico"}

// unknown answers an address that no route has: a browser that opens a screen of the web
// interface gets its page, everybody else is told that there is nothing.
func (s *Server) unknown(c echo.Context) error {
	r := c.Request()
	if s.ui == nil || (r.Method != http.MethodGet && r.Method != http.MethodHead) || !strings.Contains(r.Header.Get("Accept"), "text/html") {
		return unknownURL(c)
	}
	if s.ui.api != "" && strings.HasPrefix(r.URL.Path+"/", s.ui.api+"/") {
		return unknownURL(c)
	}
	rest, ok := strings.CutPrefix(r.URL.Path, s.ui.at+"/")
	first, _, _ := strings.Cut(rest, "/")
	if !ok || slices.Contains(notOfUI, first) {
		return unknownURL(c)
	}
	return s.ui.index(c)
}
