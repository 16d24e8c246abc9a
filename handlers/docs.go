package handlers

import (
	"net/http"
	"sync"

	"github.com/labstack/echo/v4"

	"vserver/embed"
)

// registerDocs adds the documentation, beside the API like the start page. It is
// rendered when somebody asks for it for the first time.
func (s *Server) registerDocs() {
	documents := sync.OnceValues(embed.Docs)
	show := func(c echo.Context) error {
		all, err := documents()
		if err != nil {
			return err
		}
		d, ok := all[c.Param("name")]
		if !ok {
			return unknownURL(c)
		}
		c.Response().Header().Set("Cache-Control", "no-cache")
		return send(c, d.Type, d.Text)
	}
	for _, pattern := range []string{"/docs/", "/docs/:name"} {
		s.echo.GET(pattern, show)
		s.echo.HEAD(pattern, show)
	}
	s.echo.GET("/docs", func(c echo.Context) error { return c.Redirect(http.StatusFound, "docs/") })
}
