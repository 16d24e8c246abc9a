package service_test

import (
	"fmt"
	"go/ast"
	"go/token"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// The budget of the house. Files count with their tests, functions without.
const (
	fileLimit     = 600 // lines of a file written by hand
	functionLimit = 100 // lines of a function, with its signature and braces
	functionLong  = 60  // at most longShare of the functions are longer
	longShare     = 0.02
	medianLimit   = 12
)

// written returns the sources that somebody wrote; production without tests.
func written(sources []source, production bool) []source {
	return slices.DeleteFunc(slices.Clone(sources), func(s source) bool {
		return s.generated || production && s.test
	})
}

// length is a function of the program with its number of lines.
type length struct {
	lines int
	text  string // where it is, and its name
}

// lengths lists the functions of the program, the longest first.
func lengths(sources []source) []length {
	var list []length
	for _, s := range written(sources, true) {
		for _, f := range functions(s) {
			n := s.fset.Position(f.End()).Line - s.fset.Position(f.Pos()).Line + 1
			list = append(list, length{n, fmt.Sprintf("%s: %s has %d lines", s.path, f.Name.Name, n)})
		}
	}
	slices.SortStableFunc(list, func(a, b length) int { return b.lines - a.lines })
	return list
}

// overBudget names files and functions that are too long.
func overBudget(sources []source) []string {
	var wrong []string
	for _, s := range written(sources, false) {
		if s.lines > fileLimit {
			wrong = append(wrong, fmt.Sprintf("%s has %d lines, more than %d", s.path, s.lines, fileLimit))
		}
	}
	list := lengths(sources)
	var long []string
	for _, f := range list {
		if f.lines > functionLimit {
			wrong = append(wrong, fmt.Sprintf("%s, more than %d", f.text, functionLimit))
		}
		if f.lines > functionLong {
			long = append(long, f.text)
		}
	}
	if float64(len(long)) > longShare*float64(len(list)) {
		wrong = append(wrong, fmt.Sprintf("%d of %d functions have more than %d lines: %s",
			len(long), len(list), functionLong, strings.Join(long, "; ")))
	}
	if len(list) > 0 && list[(len(list)-1)/2].lines > medianLimit {
		wrong = append(wrong, fmt.Sprintf("the median function has %d lines, more than %d", list[(len(list)-1)/2].lines, medianLimit))
	}
	return wrong
}

// A room of more lines than this, written by hand and without its tests, says in its
// package comment why it is not split, in a sentence that begins with largeBecause.
const (
	roomLimit    = 3000
	largeBecause = "It is large because "
)

// measure is what a room holds that was written by hand, without its tests.
type measure struct {
	files, lines int
	explained    bool // its package comment says why it is large
}

func measures(sources []source) map[string]measure {
	rooms := map[string]measure{}
	for _, s := range written(sources, true) {
		m := rooms[s.room()]
		m.files++
		m.lines += s.lines
		m.explained = m.explained || strings.Contains(strings.Join(strings.Fields(s.file.Doc.Text()), " "), largeBecause)
		rooms[s.room()] = m
	}
	return rooms
}

// overlarge names rooms that are large without a reason.
func overlarge(sources []source, limit int) []string {
	var wrong []string
	rooms := measures(sources)
	for _, room := range slices.Sorted(maps.Keys(rooms)) {
		if m := rooms[room]; m.lines > limit && !m.explained {
			wrong = append(wrong, fmt.Sprintf("%s has %d lines, more than %d, and no sentence %q in its package comment",
				room, m.lines, limit, largeBecause+"…"))
		}
	}
	return wrong
}

// undocumented names the packages that do not say what they are for, and those whose
// comment leaves out a room that they import.
func undocumented(sources []source) []string {
	says, uses := map[string]string{}, map[string][]string{}
	for _, s := range written(sources, true) {
		says[s.room()] += s.file.Doc.Text()
		uses[s.room()] = append(uses[s.room()], s.imports()...)
	}
	var wrong []string
	for _, room := range slices.Sorted(maps.Keys(says)) {
		if says[room] == "" {
			wrong = append(wrong, room+" has no package comment")
			continue
		}
		if room == "." || strings.Contains(strings.Join(strings.Fields(says[room]), " "), "every room") {
			continue
		}
		slices.Sort(uses[room])
		for _, used := range slices.Compact(uses[room]) {
			if !regexp.MustCompile(`\b` + path.Base(used) + `\b`).MatchString(says[room]) {
				wrong = append(wrong, room+" does not say in its package comment that it imports "+used)
			}
		}
	}
	return wrong
}

// documentedShare is the part of the exported names that must have a comment.
const documentedShare = 0.9

// silentNames returns the exported names without a comment, when they are too many.
func silentNames(sources []source) []string {
	var silent []string
	exported := 0
	note := func(s source, name *ast.Ident, docs ...*ast.CommentGroup) {
		if !name.IsExported() {
			return
		}
		exported++
		if !slices.ContainsFunc(docs, func(d *ast.CommentGroup) bool { return d != nil }) {
			silent = append(silent, fmt.Sprintf("%s: %s has no comment", s.fset.Position(name.Pos()), name.Name))
		}
	}
	for _, s := range written(sources, true) {
		for _, decl := range s.file.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				note(s, d.Name, d.Doc)
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					switch spec := spec.(type) {
					case *ast.TypeSpec:
						note(s, spec.Name, spec.Doc, spec.Comment, d.Doc)
					case *ast.ValueSpec:
						for _, name := range spec.Names {
							note(s, name, spec.Doc, spec.Comment, d.Doc)
						}
					}
				}
			}
		}
	}
	if float64(len(silent)) <= (1-documentedShare)*float64(exported) {
		return nil
	}
	return silent
}

var drawer = regexp.MustCompile(`^(utils?|commons?|helpers?|misc|shared|base|tools?)(_test)?(\.go)?$`)

// drawers names files and folders that say nothing about what is in them.
func drawers(sources []source) []string {
	var wrong []string
	for _, s := range sources {
		if drawer.MatchString(path.Base(s.path)) || drawer.MatchString(path.Base(s.room())) {
			wrong = append(wrong, s.path+" has a name that says nothing")
		}
	}
	return wrong
}

// hiddenState names what runs or changes behind the reader's back: init functions,
// package variables without a value, and package variables that a function changes.
func hiddenState(sources []source) []string {
	sources = written(sources, true)
	globals := map[string]map[string]bool{} // by room, then by name
	var wrong []string
	for _, s := range sources {
		if globals[s.room()] == nil {
			globals[s.room()] = map[string]bool{}
		}
		for _, spec := range variables(s.file) {
			for _, name := range spec.Names {
				globals[s.room()][name.Name] = name.Name != "_" // a check of the compiler, nothing that is kept
			}
			if len(spec.Values) == 0 && !strings.Contains(comments(s.file), "go:embed") {
				wrong = append(wrong, fmt.Sprintf("%s: package variable %s has no value", s.path, spec.Names[0].Name))
			}
		}
	}
	for _, s := range sources {
		for _, decl := range s.file.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok || f.Body == nil {
				continue
			}
			if f.Recv == nil && f.Name.Name == "init" {
				wrong = append(wrong, s.path+" has an init function")
			}
			for _, name := range changed(f) {
				if globals[s.room()][name] {
					wrong = append(wrong, fmt.Sprintf("%s: %s changes the package variable %s", s.path, f.Name.Name, name))
				}
			}
		}
	}
	return wrong
}

// sleepers names tests that sleep outside of a loop that looks for something: that
// is a guess at how long things take.
func sleepers(sources []source) []string {
	var wrong []string
	for _, s := range sources {
		if !s.test {
			continue
		}
		ast.PreorderStack(s.file, nil, func(n ast.Node, above []ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			f, ok := call.Fun.(*ast.SelectorExpr)
			looks := slices.ContainsFunc(above, func(n ast.Node) bool {
				switch n.(type) {
				case *ast.ForStmt, *ast.RangeStmt:
					return true
				}
				return false
			})
			if ok && root(f) == "time" && f.Sel.Name == "Sleep" && !looks {
				wrong = append(wrong, fmt.Sprintf("%s sleeps: wait for what it needs", s.fset.Position(n.Pos())))
			}
			return true
		})
	}
	return wrong
}

// comments returns every comment of a file, the directives too.
func comments(file *ast.File) string {
	var all strings.Builder
	for _, group := range file.Comments {
		for _, c := range group.List {
			all.WriteString(c.Text)
		}
	}
	return all.String()
}

func variables(file *ast.File) []*ast.ValueSpec {
	var specs []*ast.ValueSpec
	for _, decl := range file.Decls {
		if d, ok := decl.(*ast.GenDecl); ok && d.Tok == token.VAR {
			for _, spec := range d.Specs {
				specs = append(specs, spec.(*ast.ValueSpec))
			}
		}
	}
	return specs
}

// changed returns the names that a function assigns to and does not declare itself.
func changed(f *ast.FuncDecl) []string {
	var names []string
	local := map[string]bool{}
	note := func(e ast.Expr) {
		if name := root(e); name != "" {
			names = append(names, name)
		}
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Field:
			for _, name := range n.Names {
				local[name.Name] = true
			}
		case *ast.ValueSpec:
			for _, name := range n.Names {
				local[name.Name] = true
			}
		case *ast.AssignStmt:
			for _, left := range n.Lhs {
				if n.Tok == token.DEFINE {
					local[root(left)] = true
				} else {
					note(left)
				}
			}
		case *ast.RangeStmt:
			for _, left := range []ast.Expr{n.Key, n.Value} {
				local[root(left)] = local[root(left)] || n.Tok == token.DEFINE
			}
		case *ast.IncDecStmt:
			note(n.X)
		case *ast.CallExpr:
			if called := root(n.Fun); len(n.Args) > 0 && (called == "delete" || called == "clear") {
				note(n.Args[0])
			}
		}
		return true
	})
	return slices.DeleteFunc(names, func(name string) bool { return name == "_" || local[name] })
}

// root returns the name that an expression starts with: table for table[i].x.
func root(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.IndexExpr:
		return root(e.X)
	case *ast.SelectorExpr:
		return root(e.X)
	case *ast.StarExpr:
		return root(e.X)
	case *ast.ParenExpr:
		return root(e.X)
	}
	return ""
}

func TestHouse_FilesAndFunctionsStaySmall(t *testing.T) {
	_, sources := openHouse(t)
	report(t, overBudget(sources))
}

func TestHouse_NoRoomIsLargeWithoutAReason(t *testing.T) {
	_, sources := openHouse(t)
	report(t, overlarge(sources, roomLimit))
	rooms, total := measures(sources), measure{}
	for _, room := range slices.Sorted(maps.Keys(rooms)) {
		m := rooms[room]
		t.Logf("%-18s %3d files %6d lines", room, m.files, m.lines)
		total.files += m.files
		total.lines += m.lines
	}
	t.Logf("%-18s %3d files %6d lines, without tests and what is generated", "together", total.files, total.lines)
	longest := slices.MaxFunc(written(sources, false), func(a, b source) int { return a.lines - b.lines })
	t.Logf("the longest file: %s has %d lines", longest.path, longest.lines)
	t.Logf("the longest function: %s", lengths(sources)[0].text)
}

func TestHouse_EveryPackageSaysWhatItIsFor(t *testing.T) {
	_, sources := openHouse(t)
	report(t, undocumented(sources))
}

func TestHouse_ExportedNamesAreExplained(t *testing.T) {
	_, sources := openHouse(t)
	report(t, silentNames(sources))
}

func TestHouse_NoDrawerForEverything(t *testing.T) {
	_, sources := openHouse(t)
	report(t, drawers(sources))
}

func TestHouse_NothingHappensBehindTheReadersBack(t *testing.T) {
	_, sources := openHouse(t)
	report(t, hiddenState(sources))
}

func TestHouse_NoTestWaitsByGuessing(t *testing.T) {
	_, sources := openHouse(t)
	report(t, sleepers(sources))
}

// The checks themselves notice what they are for.
func TestHouse_SizeChecksNotice(t *testing.T) {
	lines := func(n int) string { return strings.Repeat("\n", n) }
	sources, err := load(fstest.MapFS{
		"schema/long.go":      {Data: []byte("package schema\nfunc f() {" + lines(100) + "}\n" + lines(500))},
		"schema/made.go":      {Data: []byte("// Code generated by x. DO NOT EDIT.\n\npackage schema\n" + lines(700))},
		"schema/util.go":      {Data: []byte("package schema\nfunc g() {" + lines(61) + "}\n")},
		"queries/doc.go":      {Data: []byte("// Package queries is documented. It is\n// large because it has to be.\npackage queries\n")},
		"queries/init.go":     {Data: []byte("package queries\nfunc init() {}\nfunc (t T) init() {}\n")},
		"queries/helpers.go":  {Data: []byte("package queries\nvar none T\nvar some = T{}\n")},
		"queries/change.go":   {Data: []byte("package queries\nfunc f() { some.x[1] = 2 }\nvar _ = T{}\nfunc g() { some := 1; some = 2; _ = some }\nfunc h() { delete(some.x, 1) }\n")},
		"queries/use.go":      {Data: []byte("package queries\nimport \"vserver/service/is\"\nimport \"vserver/service/iss\"\n")},
		"queries/embed.go":    {Data: []byte("package queries\n//go:embed x\nvar files FS\nfunc (f FS) Open() {}\n// Is it?\ntype FS struct{}\n")},
		"queries/doc_test.go": {Data: []byte("package queries\nvar test T\nfunc f() {\ntime.Sleep(1)\nfor {\ntime.Sleep(1)\n}\n}\n")},
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ got, want []string }{
		"budget": {overBudget(sources), []string{
			"schema/long.go has 602 lines, more than 600",
			"schema/long.go: f has 101 lines, more than 100",
			"2 of 8 functions have more than 60 lines: schema/long.go: f has 101 lines; schema/util.go: g has 62 lines",
		}},
		"large":     {overlarge(sources, 650), []string{`schema has 665 lines, more than 650, and no sentence "It is large because …" in its package comment`}},
		"explained": {overlarge(sources, 10), []string{`schema has 665 lines, more than 10, and no sentence "It is large because …" in its package comment`}},
		"documented": {undocumented(sources), []string{
			"queries does not say in its package comment that it imports service/iss",
			"schema has no package comment",
		}},
		"silent": {silentNames(sources), []string{"queries/embed.go:4:13: Open has no comment"}},
		"drawers": {drawers(sources), []string{
			"queries/helpers.go has a name that says nothing",
			"schema/util.go has a name that says nothing",
		}},
		"sleepers": {sleepers(sources), []string{"queries/doc_test.go:4:1 sleeps: wait for what it needs"}},
		"state": {hiddenState(sources), []string{
			"queries/helpers.go: package variable none has no value",
			"queries/change.go: f changes the package variable some",
			"queries/change.go: h changes the package variable some",
			"queries/init.go has an init function",
		}},
	} {
		if !slices.Equal(c.got, c.want) {
			t.Errorf("%s: got %q, want %q", name, c.got, c.want)
		}
	}
}
