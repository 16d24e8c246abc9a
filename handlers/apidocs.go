package handlers

import (
	"io/fs"
	"net/http"
	"path"
	"sync"

	"github.com/labstack/echo/v4"

	"vserver/embed"
	"vserver/service/fault"
)

// registerAPIDocs adds the description of the API and the page that shows it, beside the
// API like the start page, at the addresses of the reference (/docs/health#pages).
func (s *Server) registerAPIDocs() {
	described := sync.OnceValues(func() (embed.Description, error) { return embed.OpenAPI(s.opt.APIPath) })
	files, err := embed.Viewer()
	if err != nil {
		panic(err) // what the binary carries is read in every test
	}
	describe := func(kind string, form func(embed.Description) []byte) echo.HandlerFunc {
		return func(c echo.Context) error {
			d, err := described()
			if err != nil {
				return err
			}
			c.Response().Header().Set("Cache-Control", "no-cache")
			return send(c, kind, form(d))
		}
	}
	for pattern, handle := range map[string]echo.HandlerFunc{
		"/openapi.yaml":       describe("application/yaml", func(d embed.Description) []byte { return d.YAML }),
		"/apispec_1.json":     describe("application/json", func(d embed.Description) []byte { return d.JSON }),
		"/apidocs":            func(c echo.Context) error { return c.Redirect(http.StatusPermanentRedirect, "apidocs/") },
		"/apidocs/index.html": func(c echo.Context) error { return c.Redirect(http.StatusFound, "./") },
		"/apidocs/*":          viewerFile(files),
	} {
		s.echo.GET(pattern, s.open(handle))
		s.echo.HEAD(pattern, s.open(handle))
	}
}

// viewerFile answers with a file of the page that shows the API.
func viewerFile(files fs.FS) echo.HandlerFunc {
	return func(c echo.Context) error {
		name, keep := c.Param("*"), "no-cache"
		if name == "" {
			name = "index.html"
		}
		b, err := fs.ReadFile(files, name)
		if err != nil {
			return fault.Wrap(fault.Missing, err, "There is nothing at %s", c.Request().URL.Path)
		}
		if path.Dir(name) != "." {
			keep = "public, max-age=86400" // large, and asked for with its version
		}
		h := c.Response().Header()
		h.Set("Cache-Control", keep)
		h.Set("Content-Security-Policy", embed.ViewerPolicy)
		return send(c, types[path.Ext(name)], b)
	}
}
