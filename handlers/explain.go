package handlers

import (
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"vserver/service/access"
	"vserver/service/core"
	"vserver/service/fault"
)

func (s *Server) accessRoutes() []route {
	const all = access.User | access.Node | access.Container
	return []route{
		{method: "GET", path: "/access/explain", who: all, judges: core.NeedsNoRule, endpoint: requires[access.ViewUsers](s.handleExplain)},
	}
}

// decisionOf is how a route judges (/docs/permissions#explain); nil: not at all. All do that take a token and require
// what a rule gives, and of the others those that look at an object. What they require stands in the route table alone.
func decisionOf(r route) core.Decision {
	if r.judges != nil || r.pair.Only == 0 {
		return r.judges
	}
	return core.NeedsNoRule // what callers may by being what they are
}

// inquiry is a request that somebody asks about.
type inquiry struct {
	method, path string // below the API path, without a query
	route        route
	core.Question
}

// ask finds the route of a request. The path may have the API path, and a query, which decides
// nothing.
func ask(apiPath, method, path string) (inquiry, error) {
	q := inquiry{method: strings.ToUpper(method), path: below(apiPath, path)}
	if q.method == http.MethodHead {
		q.method = http.MethodGet
	}
	var methods []string
	for _, r := range (&Server{}).routes() {
		ids, fits := match(r.path, q.path)
		switch {
		case !fits:
		case r.method != q.method:
			methods = append(methods, r.method)
		default:
			q.route = r
			q.Question = core.Question{Callers: r.who, Pair: r.pair, Decide: decisionOf(r), IDs: ids}
			return q, nil
		}
	}
	if methods != nil {
		slices.Sort(methods)
		return q, fault.New(fault.Invalid, "There is no %s of %s: it takes %s", q.method, q.path, strings.Join(methods, ", "))
	}
	return q, fault.New(fault.Invalid, "There is no route %s: /docs/routes lists all", q.path)
}

// below is a path without the API path in front of it and the query behind it.
func below(apiPath, path string) string {
	path, _, _ = strings.Cut(path, "?")
	if rest, ok := strings.CutPrefix(path, apiPath+"/"); ok {
		path = rest
	}
	return "/" + strings.TrimPrefix(path, "/")
}

// match reads the numbers of a path that has the pattern of a route.
func match(pattern, path string) (ids []int64, fits bool) {
	want, have := strings.Split(pattern, "/"), strings.Split(path, "/")
	if len(want) != len(have) {
		return nil, false
	}
	for i, part := range want {
		if !strings.HasPrefix(part, ":") {
			if part != have[i] {
				return nil, false
			}
			continue
		}
		if !decimal(have[i]) {
			return nil, false
		}
		id, err := strconv.ParseInt(have[i], 10, 64)
		if err != nil {
			id = math.MaxInt64 // which no row has
		}
		ids = append(ids, id)
	}
	return ids, true
}

func (s *Server) handleExplain(k *call, g access.Grant[access.ViewUsers]) error {
	f := k.filters()
	user, method, path := f.id("user"), f.text("method"), f.text("path")
	switch {
	case f.err() != nil:
		return f.err()
	case method == nil || path == nil:
		return fault.New(fault.Invalid, "method and path are required: the request that is asked about, as in ?method=GET&path=/task/1")
	}
	q, err := ask(s.opt.APIPath, *method, *path)
	if err != nil {
		return err
	}
	e, err := s.core.Explain(k.ctx, g, user, q.Question)
	if err != nil {
		return err
	}
	return k.reply(http.StatusOK, explained(q, e))
}

// pattern is the path of a route as the documentation has it.
func pattern(path string) string {
	return strings.NewReplacer(":rule_id", "<rule>", ":id", "<id>").Replace(path)
}

// ruleName is a rule as the documentation has it.
func ruleName(r access.Rule) string {
	return fmt.Sprintf("%s %s %s", r.Resource, r.Scope, r.Operation)
}
