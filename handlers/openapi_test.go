package handlers

import (
	"cmp"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	gocmp "github.com/google/go-cmp/cmp"

	"vserver/embed"
	"vserver/service/access"
)

// theDocument is the OpenAPI document, for the API path of the beds.
var theDocument = sync.OnceValues(func() (*openapi3.T, error) {
	d, err := embed.OpenAPI("/api")
	if err != nil {
		return nil, err
	}
	return openapi3.NewLoader().LoadFromData(d.YAML)
})

func description(t *testing.T) *openapi3.T {
	t.Helper()
	doc, err := theDocument()
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// templated is the path of a route as the document has it.
func templated(path string) string {
	parts := strings.Split(path, "/")
	for i, part := range parts {
		if name, ok := strings.CutPrefix(part, ":"); ok {
			parts[i] = "{" + name + "}"
		}
	}
	return strings.Join(parts, "/")
}

// operations are those of the document by "METHOD /path".
func operations(doc *openapi3.T) map[string]*openapi3.Operation {
	all := map[string]*openapi3.Operation{}
	for path, item := range doc.Paths.Map() {
		for method, operation := range item.Operations() {
			all[method+" "+path] = operation
		}
	}
	return all
}

// parametersOf are those of an operation in one place, also where the path names them.
func parametersOf(doc *openapi3.T, name, in string) map[string]*openapi3.Parameter {
	method, path, _ := strings.Cut(name, " ")
	item := doc.Paths.Value(path)
	found := map[string]*openapi3.Parameter{}
	for _, p := range slices.Concat(item.Parameters, item.GetOperation(method).Parameters) {
		if p.Value.In == in {
			found[p.Value.Name] = p.Value
		}
	}
	return found
}

func TestTheDescriptionIsValid(t *testing.T) {
	doc := description(t)
	if err := doc.Validate(t.Context()); err != nil {
		t.Error(err)
	}
	if doc.Info.Version != Emulates {
		t.Errorf("it describes %s, the server answers like %s", doc.Info.Version, Emulates)
	}
}

// TestTheDescriptionIsServed takes both forms and the page that shows them; they lie beside
// the API, whose path they name.
func TestTheDescriptionIsServed(t *testing.T) {
	for apiPath, server := range map[string]string{"/api": "/api", "": "/", `/a "b": #c`: `/a "b": #c`} {
		b := newBed(t)
		b.s = New(b.s.core, b.s.log, Options{APIPath: apiPath, Secret: []byte(testSecret)})
		for path, kind := range map[string]string{"/openapi.yaml": "application/yaml", "/apispec_1.json": "application/json"} {
			reply := b.page(t, "GET", path)
			if reply.Code != 200 || reply.Header().Get("Content-Type") != kind {
				t.Fatalf("%s: %d %v", path, reply.Code, reply.Header())
			}
			doc, err := openapi3.NewLoader().LoadFromData(reply.Body.Bytes())
			if err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			if len(doc.Servers) != 1 || doc.Servers[0].URL != server || len(operations(doc)) != len(b.s.routes()) {
				t.Errorf("%s at %q: %v, %d operations", path, apiPath, doc.Servers[0].URL, len(operations(doc)))
			}
			if kind == "application/json" && !json.Valid(reply.Body.Bytes()) {
				t.Error("it is no JSON")
			}
		}
	}
	b := newBed(t)
	for _, c := range []struct {
		method, path string
		want         int
		kind, has    string
	}{
		{"GET", "/apidocs", 308, "", ""},
		{"GET", "/apidocs/index.html", 302, "", ""},
		{"GET", "/apidocs/", 200, "text/html; charset=utf-8", "<h1>API</h1>"},
		{"HEAD", "/apidocs/", 200, "text/html; charset=utf-8", ""},
		{"GET", "/apidocs/apidocs.js", 200, "text/javascript; charset=utf-8", "openapi.yaml"},
		{"GET", "/apidocs/apidocs.css", 200, "text/css; charset=utf-8", "{"},
		{"GET", "/apidocs/swagger-ui/swagger-ui.css", 200, "text/css; charset=utf-8", "{"},
		{"GET", "/apidocs/swagger-ui/LICENSE", 200, "text/plain; charset=utf-8", "Apache License"},
		{"HEAD", "/openapi.yaml", 200, "application/yaml", ""},
		{"HEAD", "/apispec_1.json", 200, "application/json", ""},
		{"GET", "/apidocs/nothing", 404, "application/json", `"msg"`},
		{"GET", "/apidocs/swagger-ui", 404, "application/json", `"msg"`},
		{"GET", "/apidocs/..%2fopenapi.go", 404, "application/json", `"msg"`},
		{"GET", "/api/openapi.yaml", 404, "application/json", `"msg"`},
	} {
		reply := b.page(t, c.method, c.path)
		if reply.Code != c.want || reply.Header().Get("Content-Type") != c.kind || !strings.Contains(reply.Body.String(), c.has) {
			t.Errorf("%s %s: %d %v %.200s", c.method, c.path, reply.Code, reply.Header(), reply.Body)
		}
	}
	if to := b.page(t, "GET", "/apidocs").Header().Get("Location"); to != "apidocs/" {
		t.Errorf("/apidocs leads to %q", to)
	}
}

// page asks for what lies beside the API.
func (b *bed) page(t *testing.T, method, path string) *httptest.ResponseRecorder {
	t.Helper()
	reply := httptest.NewRecorder()
	b.s.ServeHTTP(reply, httptest.NewRequestWithContext(t.Context(), method, path, nil))
	return reply
}

// TestEveryRouteIsDescribed compares the document with the table of routes, both ways: the
// operations, who may call them, and whether they take a body.
func TestEveryRouteIsDescribed(t *testing.T) {
	doc := description(t)
	left := operations(doc)
	bodies := sourceOf(t).bodies()
	for _, r := range (&Server{}).routes() {
		name := r.method + " " + templated(r.path)
		operation := left[name]
		delete(left, name)
		if operation == nil {
			t.Errorf("embed/openapi.yaml lacks %s", name)
			continue
		}
		if want, got := callersDescribed(r), securityOf(operation); !slices.Equal(want, got) {
			t.Errorf("%s: security names %v, the table of routes %v", name, got, want)
		}
		if takes := bodies[r.method+" "+r.path]; takes != (operation.RequestBody != nil) {
			t.Errorf("%s: takes a body: %t, described: %t", name, takes, !takes)
		}
		if limited := operation.Responses.Status(413) != nil; limited == (r.method == "GET") {
			t.Errorf("%s: 413 is for all operations but GET", name)
		}
		if len(operation.Tags) != 1 || doc.Tags.Get(operation.Tags[0]) == nil || operation.Summary == "" || operation.Description == "" {
			t.Errorf("%s lacks a tag of the list, a summary or a description", name)
		}
	}
	for name := range left {
		t.Errorf("embed/openapi.yaml describes %s, which is no route", name)
	}
}

// callersDescribed are the schemes whose tokens a route takes.
func callersDescribed(r route) []string {
	if r.method+" "+r.path == "POST /token/refresh" {
		return []string{"refresh"}
	}
	var names []string
	for _, k := range []access.Kind{access.User, access.Node, access.Container} {
		if r.who&k != 0 {
			names = append(names, k.String())
		}
	}
	return names
}

func securityOf(operation *openapi3.Operation) []string {
	var names []string
	if operation.Security != nil {
		for _, way := range *operation.Security {
			names = append(names, slices.Collect(maps.Keys(way))...)
		}
	}
	return names
}

// TestEveryParameterIsDescribed compares, for each route, the parameters of the query in the
// document with those that its handler reads, both ways, with their types and, of `include`,
// its values.
func TestEveryParameterIsDescribed(t *testing.T) {
	doc, reads := description(t), sourceOf(t).parameters()
	if len(reads) != len((&Server{}).routes()) {
		t.Fatalf("the rows of %d routes were found in the source", len(reads))
	}
	for _, r := range (&Server{}).routes() {
		name := r.method + " " + templated(r.path)
		got := map[string]string{}
		for _, p := range parametersOf(doc, name, "query") {
			got[p.Name] = describedKind(p.Schema)
		}
		if d := gocmp.Diff(reads[r.method+" "+r.path], got); d != "" {
			t.Errorf("%s: (- read, + described)\n%s", name, d)
		}
	}
}

// describedKind is the type of a parameter: "integer", "string list", or the values of an
// enumeration.
func describedKind(schema *openapi3.SchemaRef) string {
	switch v := schema.Value; {
	case strings.HasSuffix(schema.Ref, "/QueryMoment"):
		return "moment"
	case v.Type.Is("array"):
		return strings.TrimSuffix(describedKind(v.Items)+" list", "| list")
	case len(v.Enum) > 0:
		var words []string
		for _, word := range v.Enum {
			words = append(words, fmt.Sprint(word))
		}
		slices.Sort(words)
		return strings.Join(words, "|") + "|"
	default:
		return strings.Join(v.Type.Slice(), "")
	}
}

// source is what the files of the package say about the handlers.
type source struct {
	functions map[string][]*ast.FuncDecl
	handlers  map[string]string // by "METHOD /path"
}

func sourceOf(t *testing.T) source {
	t.Helper()
	s := source{functions: map[string][]*ast.FuncDecl{}, handlers: map[string]string{}}
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, text, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Body != nil {
				s.functions[f.Name.Name] = append(s.functions[f.Name.Name], f)
			}
		}
		ast.Inspect(file, s.noteRow)
	}
	return s
}

// noteRow notes the handler of a row of the table of routes.
func (s source) noteRow(n ast.Node) bool {
	literal, ok := n.(*ast.CompositeLit)
	if !ok {
		return true
	}
	row := map[string]string{}
	for _, e := range literal.Elts {
		pair, ok := e.(*ast.KeyValueExpr)
		if !ok {
			return true
		}
		key, _ := pair.Key.(*ast.Ident)
		if key == nil {
			return true
		}
		row[key.Name] = text(pair.Value)
		if call, ok := pair.Value.(*ast.CallExpr); ok && len(call.Args) == 1 {
			row[key.Name] = called(call.Args[0])
		}
	}
	if row["method"] != "" && row["path"] != "" {
		s.handlers[row["method"]+" "+row["path"]] = row["endpoint"]
	}
	return true
}

// text is the value of a literal, "" for anything else.
func text(e ast.Expr) string {
	literal, _ := e.(*ast.BasicLit)
	if literal == nil || literal.Kind != token.STRING {
		return ""
	}
	s, _ := strconv.Unquote(literal.Value)
	return s
}

// called is the name of a function, without what it belongs to.
func called(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	case *ast.IndexExpr:
		return called(e.X)
	case *ast.IndexListExpr:
		return called(e.X)
	}
	return ""
}

// typed are the types of parameters by the methods that read them.
var typed = map[string]string{
	"text": "string", "texts": "string list", "id": "integer", "ids": "integer list", "boolean": "boolean", "flag": "boolean",
	"moment": "moment",
}

// walk visits every function of the handlers that a route's handler reaches.
func (s source) walk(name string, seen map[*ast.FuncDecl]bool, visit func(*ast.FuncDecl)) {
	for _, f := range s.functions[name] {
		if seen[f] || !concernsCalls(f) {
			continue
		}
		seen[f] = true
		visit(f)
		ast.Inspect(f.Body, func(n ast.Node) bool {
			if c, ok := n.(*ast.CallExpr); ok {
				s.walk(called(c.Fun), seen, visit)
				for _, a := range c.Args {
					if handed, ok := a.(*ast.SelectorExpr); ok {
						s.walk(called(handed), seen, visit) // a method that somebody else calls
					}
				}
			}
			return true
		})
	}
}

// concernsCalls reports whether a function gets a request: one that does not reads nothing
// of it.
func concernsCalls(f *ast.FuncDecl) bool {
	for _, fields := range []*ast.FieldList{f.Recv, f.Type.Params} {
		if fields == nil {
			continue
		}
		for _, p := range fields.List {
			if star, ok := p.Type.(*ast.StarExpr); ok && slices.Contains([]string{"call", "filters"}, called(star.X)) {
				return true
			}
		}
	}
	return false
}

// parameters returns what each route reads of the query, as describedKind has it.
func (s source) parameters() map[string]map[string]string {
	all := map[string]map[string]string{}
	for row, handler := range s.handlers {
		found, included := map[string]string{}, []string{}
		s.walk(handler, map[*ast.FuncDecl]bool{}, func(f *ast.FuncDecl) { included = append(included, readBy(f, found)...) })
		if len(included) > 0 {
			slices.Sort(included)
			found["include"] = strings.Join(slices.Compact(included), "|")
		}
		all[row] = found
	}
	return all
}

// single are the parameters that no filter reads.
var single = map[string]string{"page": "integer", "per_page": "integer", "state": "open|"}

// readBy adds the parameters that a function reads to those found, and returns the values of
// `include` that it looks for.
func readBy(f *ast.FuncDecl, found map[string]string) (included []string) {
	filters := map[string]bool{}
	for _, p := range f.Type.Params.List {
		if star, ok := p.Type.(*ast.StarExpr); ok && called(star.X) == "filters" {
			for _, name := range p.Names {
				filters[name.Name] = true
			}
		}
	}
	ast.Inspect(f.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			if c, ok := n.Rhs[0].(*ast.CallExpr); ok && called(c.Fun) == "filters" {
				filters[called(n.Lhs[0])] = true
			}
		case *ast.CallExpr:
			method, ok := n.Fun.(*ast.SelectorExpr)
			if !ok || len(n.Args) == 0 || text(n.Args[0]) == "" {
				return true
			}
			name := text(n.Args[0])
			switch on := called(method.X); {
			case method.Sel.Name == "includes":
				for _, a := range n.Args {
					included = append(included, text(a))
				}
			case on == "query" && single[name] != "":
				found[name] = single[name]
			case on == "query":
				found[name] = "of no known type"
			case filters[on]:
				found[name] = typed[method.Sel.Name]
			}
		}
		return true
	})
	return included
}

// bodies reports which routes read a body.
func (s source) bodies() map[string]bool {
	all := map[string]bool{}
	for row, handler := range s.handlers {
		s.walk(handler, map[*ast.FuncDecl]bool{}, func(f *ast.FuncDecl) {
			all[row] = all[row] || slices.Contains([]string{"body", "tokenBody", "parserBody"}, f.Name.Name)
		})
	}
	return all
}

// TestEveryFieldIsDescribed compares the fields of bodies in the document with those that
// requests of the other tests send, and looks whether their handlers read them.
func TestEveryFieldIsDescribed(t *testing.T) {
	// passedOver are fields that clients send and no handler has a use for.
	passedOver := map[string][]string{
		"PATCH /user/:id": {"organization_id", "password"},
		"POST /task":      {"master"},
	}
	for _, r := range (&Server{}).routes() {
		name := r.method + " " + r.path
		operation := description(t).Paths.Value(templated(r.path)).GetOperation(r.method)
		if operation.RequestBody == nil {
			continue
		}
		var sent map[string]json.RawMessage
		if err := json.Unmarshal([]byte(sane[name]), &sent); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, field := range passedOver[name] {
			delete(sent, field)
		}
		schema := operation.RequestBody.Value.Content.Get("application/json").Schema.Value
		if d := gocmp.Diff(slices.Sorted(maps.Keys(sent)), slices.Sorted(maps.Keys(schema.Properties))); d != "" {
			t.Errorf("%s: (- sent, + described)\n%s", name, d)
		}
		b, refused := newBed(t), map[string]string{}
		if strings.HasPrefix(r.path, "/vpn") {
			b, _ = newVPNBed(t)
		}
		for field := range schema.Properties {
			wrong := maps.Clone(sent)
			wrong[field] = json.RawMessage(`[{"x": [1]}]`)
			if reply := b.sendBody(t, r, wrong); reply.Code == http.StatusBadRequest {
				refused[field] = reply.Body.String()
			}
		}
		good := b.sendBody(t, r, sent).Body.String()
		for field := range schema.Properties {
			// A code of any kind is a wrong one, where codes are asked for.
			if (refused[field] == "" || refused[field] == good) && field != "mfa_code" {
				t.Errorf("%s: does not read %s", name, field)
			}
		}
	}
}

// sendBody sends a body to something that the caller may change.
func (b *bed) sendBody(t *testing.T, r route, fields map[string]json.RawMessage) *httptest.ResponseRecorder {
	t.Helper()
	id := map[string]string{"/node/:id": "12", "/role/:id": "8", "/user/:id": "5"}[r.path]
	return b.send(t, row{as: callerOf(r), method: r.method, path: filled(r.path, cmp.Or(id, "1")), body: fields})
}
