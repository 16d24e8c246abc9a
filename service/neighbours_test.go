package service_test

import (
	"fmt"
	"go/ast"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// customary names mean the same everywhere, most of them because an interface of Go or
// of a library asks for them: whoever wraps a thing passes the call on under its name.
// Upper and lower case are the same.
var customary = strings.Fields(`
	main new close read write writeString writeByte run start stop join leave emit
	string error unwrap len fd
	header writeHeader serveHTTP hijack setDeadline setWriteDeadline closeWrite
	accept connect beginTx execContext prepareContext queryContext queryRowContext next
	openFilename fullPathname access delete readAt writeAt truncate sync size sizeHint lock unlock checkReservedLock
	attr hash iterate callInternal
	install uninstall restart status
	encode listen logger`)

// namesakes finds functions that call another one of the same name, upper and lower case
// aside: two neighbours on a path must not be told apart by their rooms alone. A
// function may call itself, and what is no function of the house.
func namesakes(sources []source) []string {
	sources = written(sources, true)
	house := map[string]bool{}
	for _, s := range sources {
		for _, f := range functions(s) {
			house[f.Name.Name] = true
		}
	}
	var found []string
	for _, s := range sources {
		for _, f := range functions(s) {
			if f.Body == nil || slices.ContainsFunc(customary, func(name string) bool { return strings.EqualFold(name, f.Name.Name) }) {
				continue
			}
			ast.Inspect(f.Body, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok {
					return true
				}
				name, of := called(call.Fun)
				if strings.EqualFold(name, f.Name.Name) && house[name] && !itself(f, name, of) && !outside(s, of) {
					text := fmt.Sprintf("%s: %s calls %s", s.room(), receiver(f)+f.Name.Name, strings.TrimPrefix(of+"."+name, "."))
					if !slices.Contains(found, text) {
						found = append(found, text)
					}
				}
				return true
			})
		}
	}
	return found
}

func functions(s source) []*ast.FuncDecl {
	var list []*ast.FuncDecl
	for _, decl := range s.file.Decls {
		if f, ok := decl.(*ast.FuncDecl); ok {
			list = append(list, f)
		}
	}
	return list
}

// called returns the name of a called function and what stands before its dot.
func called(fun ast.Expr) (name, of string) {
	switch f := fun.(type) {
	case *ast.Ident:
		if slices.Contains([]string{"append", "clear", "close", "copy", "delete", "len", "max", "min", "new", "print"}, f.Name) {
			return "", ""
		}
		return f.Name, ""
	case *ast.SelectorExpr:
		return f.Sel.Name, dotted(f.X)
	case *ast.IndexExpr: // of a generic function
		return called(f.X)
	}
	return "", ""
}

func dotted(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return dotted(e.X) + "." + e.Sel.Name
	}
	return "(…)"
}

// itself reports whether a call is one of a function to itself.
func itself(f *ast.FuncDecl, name, of string) bool {
	if name != f.Name.Name {
		return false
	}
	if f.Recv == nil {
		return of == ""
	}
	own := f.Recv.List[0].Names
	return len(own) == 1 && of == own[0].Name
}

var version = regexp.MustCompile(`^v\d+$`)

// outside reports whether a call goes to a package that is no room of the house.
func outside(s source, of string) bool {
	for _, spec := range s.file.Imports {
		name := strings.Trim(spec.Path.Value, `"`)
		short := path.Base(name)
		if version.MatchString(short) {
			short = path.Base(path.Dir(name))
		}
		if spec.Name != nil {
			short = spec.Name.Name
		}
		if short == of {
			return !strings.HasPrefix(name, "vserver/")
		}
	}
	return false
}

// receiver returns the type of a method with a dot, "" for a function.
func receiver(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return ""
	}
	return root(f.Recv.List[0].Type) + "."
}

func TestHouse_NeighboursHaveNamesOfTheirOwn(t *testing.T) {
	_, sources := openHouse(t)
	for _, n := range namesakes(sources) {
		t.Errorf("%s: give one of them a name of its own", n)
	}
}

func TestHouse_NeighboursAreNoticed(t *testing.T) {
	sources, err := load(fstest.MapFS{
		"queries/q.go":      {Data: []byte("package queries\nfunc (q *Q) AddRow() {}\nfunc Open() {}\nfunc (q *Q) Close() {}\nfunc append() {}\n")},
		"service/core/c.go": {Data: []byte("package core\nimport \"a.b/queries\"\nfunc (c *Core) AddRow() { c.db.AddRow() }\nfunc open() { queries.Open(); open() }\n")},
		"service/core/d.go": {Data: []byte("package core\nimport \"vserver/queries\"\nfunc (d *D) open() { queries.Open(); d.open(); d.x.open() }\nfunc (d *D) Close() { d.x.Close() }\n")},
		"handlers/h.go":     {Data: []byte("package handlers\nfunc (s *S) addRow() { s.core.AddRow(); s.core.Other() }\nfunc Append() { append() }\nfunc strange() { x.Strange() }\n")},
		"handlers/g.go":     {Data: []byte("package handlers\nfunc one() { One[int]() }\nfunc One[T any]() { f().One() }\n")},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"handlers: one calls One",
		"handlers: One calls (…).One",
		"handlers: S.addRow calls s.core.AddRow",
		"service/core: Core.AddRow calls c.db.AddRow",
		"service/core: D.open calls queries.Open",
		"service/core: D.open calls d.x.open",
	}
	if got := namesakes(sources); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
