package handlers

import (
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"vserver/embed"
	"vserver/service/fault"
)

// types are the content types of the files by extension. Those of package mime depend
// on the machine.
var types = map[string]string{
	"":      "text/plain; charset=utf-8", // licences
	".css":  "text/css; charset=utf-8",
	".html": "text/html; charset=utf-8",
	".ico":  "image/x-icon",
	".js":   "text/javascript; charset=utf-8",
	".svg":  "image/svg+xml",
	".txt":  "text/plain; charset=utf-8",
}

// startPage is the page at the root of the server and the files that it needs. They
// stand beside the API, not below its path.
type startPage struct {
	page  []byte
	files fs.FS
}

// registerStartPage adds the start page, its files, and those that browsers and robots
// ask for by themselves.
func (s *Server) registerStartPage() {
	shown := embed.StartPage{Version: s.opt.Version, APIPath: s.opt.APIPath, SocketPath: "/socket.io"}
	if s.ui != nil {
		shown.UI = strings.TrimPrefix(s.ui.at, "/") + "/"
	}
	page, files, err := embed.Start(shown)
	if err != nil {
		panic(err) // what the binary carries is read in every test
	}
	p := &startPage{page, files}
	routes := map[string]echo.HandlerFunc{
		"/": p.index, "/robots.txt": p.file("robots.txt"), "/favicon.ico": p.file("favicon.ico"), "/static/:name": p.static,
	}
	if s.ui != nil && s.ui.at == "" {
		delete(routes, "/") // which is the interface's
	}
	for pattern, handle := range routes {
		s.echo.GET(pattern, s.open(handle))
		s.echo.HEAD(pattern, s.open(handle))
	}
}

func (p *startPage) index(c echo.Context) error { return send(c, "text/html; charset=utf-8", p.page) }

func (p *startPage) static(c echo.Context) error { return p.file(c.Param("name"))(c) }

func (p *startPage) file(name string) echo.HandlerFunc {
	return func(c echo.Context) error {
		b, err := fs.ReadFile(p.files, path.Clean(name))
		if err != nil {
			return fault.Wrap(fault.Missing, err, "There is nothing at %s", c.Request().URL.Path)
		}
		keep := "no-cache"
		if name == "favicon.ico" {
			keep = "public, max-age=86400" // asked for with every page, and never changed
		}
		c.Response().Header().Set("Cache-Control", keep)
		return send(c, types[path.Ext(name)], b)
	}
}

func send(c echo.Context, kind string, b []byte) error {
	c.Response().Header().Set("Content-Length", strconv.Itoa(len(b)))
	return c.Blob(http.StatusOK, kind, b)
}
