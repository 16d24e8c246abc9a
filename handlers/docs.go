package handlers

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/labstack/echo/v4"

	"vserver/embed"
	"vserver/service/access"
	"vserver/service/config"
)

// registerDocs adds the documentation, beside the API like the start page. It is
// put together when somebody asks for it for the first time.
func (s *Server) registerDocs() {
	documents := sync.OnceValues(func() (map[string]embed.Document, error) {
		return embed.Docs(map[string][][]string{"settings": config.Reference(), "routes": routeReference(s.routes())})
	})
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
	for pattern, handle := range map[string]echo.HandlerFunc{
		"/docs/": show, "/docs/:name": show,
		"/docs": func(c echo.Context) error { return c.Redirect(http.StatusFound, "docs/") },
	} {
		s.echo.GET(pattern, s.open(handle))
		s.echo.HEAD(pattern, s.open(handle))
	}
}

// routeReference is the table of routes, its head in the first row; code stands between backquotes.
func routeReference(routes []route) [][]string {
	rows := [][]string{{"Route", "Who may call", "Permission"}}
	ids := strings.NewReplacer(":rule_id", "<rule>", ":id", "<id>")
	slices.SortStableFunc(routes, func(a, b route) int { return cmp.Compare(a.path, b.path) })
	for _, r := range routes {
		rows = append(rows, []string{fmt.Sprintf("`%s %s`", r.method, ids.Replace(r.path)), callersOf(r.who), permissionOf(r.pair)})
	}
	return rows
}

// callersOf names the kinds of callers of a route.
func callersOf(who access.Kind) string {
	var names []string
	for _, k := range []access.Kind{access.User, access.Node, access.Container} {
		if who&k != 0 {
			names = append(names, k.String()+"s")
		}
	}
	return cmp.Or(strings.Join(names, ", "), "everybody, without a token")
}

// permissionOf names what a route requires, in any scope.
func permissionOf(p access.Pair) string {
	switch {
	case p.Every:
		return "every rule"
	case p.Only != 0:
		return "itself"
	case p.Resource == "":
		return "none"
	}
	return fmt.Sprintf("%s %s", p.Resource, p.Operation)
}
