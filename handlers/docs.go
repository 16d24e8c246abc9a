package handlers

import (
	"bytes"
	"fmt"
	"net/http"

	"github.com/labstack/echo/v4"

	"vserver/embed"
)

// registerDocs adds the pages of documentation, beside the API like the start page.
func (s *Server) registerDocs() {
	page, examples, err := embed.Docs()
	if err != nil {
		panic(err) // what the binary carries is read in every test
	}
	var b bytes.Buffer
	if err := page.Execute(&b, examples); err != nil {
		panic(fmt.Errorf("writing the documentation: %w", err)) // as above
	}
	s.registerText("/docs/", "text/html; charset=utf-8", b.Bytes())
	for _, e := range examples {
		s.registerText("/docs/"+e.File, "text/plain; charset=utf-8", []byte(e.Text))
	}
	s.echo.GET("/docs", func(c echo.Context) error { return c.Redirect(http.StatusFound, "docs/") })
}

// registerText serves a text that never changes.
func (s *Server) registerText(path, kind string, text []byte) {
	show := func(c echo.Context) error {
		c.Response().Header().Set("Cache-Control", "no-cache")
		return send(c, kind, text)
	}
	s.echo.GET(path, show)
	s.echo.HEAD(path, show)
}
