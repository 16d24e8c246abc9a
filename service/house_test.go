package service_test

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"vserver/queries/dbtest"
)

// arrows are the imports within the house, tests aside: each room with what it imports,
// and nothing else. A room that is not here does not belong to the house.
var arrows = map[string][]string{
	".":            {"service/cli"},
	"schema":       nil,
	"queries":      {"schema", "service/fault", "service/private"},
	"embed":        nil,
	"embed/render": nil, // it is run by go generate, and not shipped
	"handlers":     {"embed", "service/access", "service/bus", "service/config", "service/core", "service/fault", "service/limits", "service/live"},
	"service": {
		"handlers", "queries", "service/bus", "service/config", "service/core", "service/daemon",
		"service/fault", "service/limits", "service/log", "service/mail", "service/private", "service/vpn",
	},
	"service/access": {"service/fault"},
	"service/batch":  {"queries", "service/access", "service/core", "service/fault", "service/yaml"},
	"service/bench":  {"queries", "service/demo", "service/fault", "service/freeport", "service/plot"}, // and public REST and Socket.IO
	"service/bus":    {"service/fault"},
	"service/cli": {
		"handlers", "service", "service/batch", "service/bench", "service/config", "service/core", "service/daemon", "service/demo",
		"service/fault", "service/instance", "service/log", "service/mail", "service/manual", "service/shell", "service/terminal",
		"service/takeover", "service/upkeep", "service/yaml",
	},
	"service/config":   {"service/private", "service/yaml"},
	"service/core":     {"queries", "service/access", "service/bus", "service/fault", "service/vpn"},
	"service/daemon":   {"service/config", "service/instance", "service/private"},
	"service/demo":     {"service/fault"}, // and public REST and Socket.IO
	"service/fault":    nil,
	"service/freeport": nil,
	"service/instance": {"service/config", "service/log", "service/private"},
	"service/limits":   {"service/config"},
	"service/live":     {"service/fault"},
	"service/log":      {"service/config", "service/private"},
	"service/mail":     {"service/config", "service/core", "service/fault"},
	"service/manual":   nil,
	"service/plot":     nil,
	"service/private":  nil,
	"service/shell":    {"queries", "service/access", "service/core", "service/fault", "service/private"},
	"service/takeover": {"queries", "service", "service/access", "service/config", "service/core", "service/private", "service/upkeep"},
	"service/terminal": nil,
	"service/upkeep":   {"queries", "service", "service/config", "service/core", "service/instance", "service/mail", "service/private", "service/vpn"},
	"service/vpn":      {"service/config"},
	"service/yaml":     nil,
	// Rooms for tests: nothing that is shipped imports them.
	"queries/dbtest":        {"queries"},          // databases
	"service/mail/mailtest": {"service/freeport"}, // mail servers
	"service/promise":       nil,                  // how promised times are held to
	"service/vpn/vpntest":   nil,                  // a portal that answers like a real one
}

// strangers are packages of others that a room must not know.
var strangers = map[string][]string{
	"service/core":   {"net/http", "github.com/labstack/echo/", "database/sql"},
	"service/access": {"net/http", "database/sql"},
	"service/fault":  {"net/http", "database/sql"},
	"handlers":       {"database/sql"},
}

// topLevel is what the house's top level may hold beside dot files.
var topLevel = []string{
	"main.go", "schema", "queries", "handlers", "service", "embed", "sqlc.yaml", "install.sh",
	"README.md", "go.mod", "go.sum", "Makefile", "LICENSE", "CHANGELOG.md", "findings",
}

// source is a Go file of the house.
type source struct {
	path      string // from the top level, with slashes
	lines     int
	file      *ast.File
	fset      *token.FileSet
	test      bool
	generated bool
}

// room returns the folder of a file: "." for the top level.
func (s source) room() string { return path.Dir(s.path) }

// load reads every Go file of the house that the build may see.
func load(house fs.FS) ([]source, error) {
	var sources []source
	err := fs.WalkDir(house, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := entry.Name()
		if entry.IsDir() {
			if name != "." && (base[0] == '.' || base[0] == '_' || base == "testdata" || base == "node_modules") {
				return fs.SkipDir
			}
			return nil
		}
		if path.Ext(name) != ".go" {
			return nil
		}
		if path.Ext(name) == ".png" {
			return nil
		}
		text, err := fs.ReadFile(house, name)
		if err != nil {
			return err
		}
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, name, text, parser.ParseComments)
		if err != nil {
			return err
		}
		sources = append(sources, source{
			path: name, lines: strings.Count(string(text), "\n"), file: file, fset: fset,
			test: strings.HasSuffix(name, "_test.go"), generated: ast.IsGenerated(file),
		})
		return nil
	})
	return sources, err
}

// imports lists what of the house a file imports.
func (s source) imports() []string {
	var list []string
	for _, spec := range s.file.Imports {
		if ours, inside := strings.CutPrefix(strings.Trim(spec.Path.Value, `"`), "vserver/"); inside {
			list = append(list, ours)
		}
	}
	return list
}

// wrongArrows compares the imports with the tables above.
func wrongArrows(sources []source, table map[string][]string) []string {
	var wrong []string
	used := map[string][]string{}
	for _, s := range sources {
		allowed, known := table[s.room()]
		if !known {
			wrong = append(wrong, s.path+": its folder is no room of the house")
			continue
		}
		used[s.room()] = append(used[s.room()], "")
		if s.test {
			continue
		}
		for _, ours := range s.imports() {
			used[s.room()] = append(used[s.room()], ours)
			if !slices.Contains(allowed, ours) {
				wrong = append(wrong, fmt.Sprintf("%s: %s must not import %s", s.path, s.room(), ours))
			}
		}
		for _, spec := range s.file.Imports {
			name := strings.Trim(spec.Path.Value, `"`)
			for _, stranger := range strangers[s.room()] {
				if name == stranger || strings.HasSuffix(stranger, "/") && strings.HasPrefix(name, stranger) {
					wrong = append(wrong, fmt.Sprintf("%s: %s must not know %s", s.path, s.room(), name))
				}
			}
		}
	}
	for _, room := range slices.Sorted(maps.Keys(table)) {
		if used[room] == nil {
			wrong = append(wrong, room+" is no room any more")
			continue
		}
		for _, ours := range table[room] {
			if !slices.Contains(used[room], ours) {
				wrong = append(wrong, room+" does not import "+ours+" any more")
			}
		}
	}
	return wrong
}

// wrongAtTop names what does not belong on the top level; what git ignores may
// lie there.
func wrongAtTop(house fs.FS) ([]string, error) {
	ignored, err := fs.ReadFile(house, ".gitignore")
	if err != nil {
		return nil, err
	}
	entries, err := fs.ReadDir(house, ".")
	if err != nil {
		return nil, err
	}
	var wrong []string
	for _, entry := range entries {
		name := entry.Name()
		if name[0] == '.' || slices.Contains(topLevel, name) {
			continue
		}
		known := false
		for pattern := range strings.FieldsSeq(string(ignored)) {
			match, _ := path.Match(strings.Trim(pattern, "/"), name)
			known = known || match
		}
		if !known {
			wrong = append(wrong, name)
		}
	}
	return wrong, nil
}

var mapLine = regexp.MustCompile(`(?m)^( *)([a-z]+)/ +\S`)

// wrongMap compares the map of the rooms in the README with the rooms: the folders
// of the top level and those of service. What is below belongs to its room.
func wrongMap(house fs.FS, sources []source) ([]string, error) {
	readme, err := fs.ReadFile(house, "README.md")
	if err != nil {
		return nil, err
	}
	listed := map[string]bool{}
	for _, m := range mapLine.FindAllStringSubmatch(string(readme), -1) {
		room := m[2]
		if len(m[1]) > 4 {
			room = "service/" + room
		}
		listed[room] = true
	}
	var wrong []string
	exist := map[string]bool{}
	for _, s := range sources {
		room := s.room()
		if strings.Contains(strings.TrimPrefix(room, "service/"), "/") {
			continue
		}
		if room != "." && !exist[room] && !listed[room] {
			wrong = append(wrong, "README.md does not list "+room+"/")
		}
		exist[room] = true
	}
	for room := range listed {
		if !exist[room] {
			wrong = append(wrong, "README.md lists "+room+"/, which is not there")
		}
	}
	slices.Sort(wrong)
	return wrong, nil
}

var requirement = regexp.MustCompile(`(?m)^\s*(?:require )?([a-z0-9.-]+\.[a-z]+/\S+|[a-z.]+\.[a-z]+) v\S+`)

// modules returns the modules that the house imports itself.
func modules(gomod []byte, sources []source) []string {
	var required []string
	for _, m := range requirement.FindAllSubmatch(gomod, -1) {
		required = append(required, string(m[1]))
	}
	direct := map[string]bool{}
	for _, s := range sources {
		for _, spec := range s.file.Imports {
			name, best := strings.Trim(spec.Path.Value, `"`), ""
			for _, module := range required {
				if (name == module || strings.HasPrefix(name, module+"/")) && len(module) > len(best) {
					best = module
				}
			}
			direct[best] = true
		}
	}
	delete(direct, "") // the standard library and the house itself
	names := make([]string, 0, len(direct))
	for name := range direct {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

var (
	address  = regexp.MustCompile(`(?i)\b(?:https?|wss?)://([a-z0-9.-]+)`)
	relative = regexp.MustCompile(`(?i)(?:(?:src|href)\s*=\s*["']?|url\(\s*["']?|@import\s+["'])//[a-z0-9]`)
	// harmless hosts are names of formats, examples and this machine; nothing is
	// fetched from them.
	harmless = regexp.MustCompile(`(?i)^(www\.w3\.org|localhost|127\.0\.0\.1|172\.17\.0\.1|host\.docker\.internal|(.+\.)?example(\.(org|com|net))?)$`)
)

// foreign are libraries that are shipped as their authors build them, alone or within the web
// interface. They name hosts in messages and formats; tests in a browser look that they ask none.
var foreign = []string{"apidocs/swagger-ui/", "dist/assets/", "dist/licences.txt"}

// outsideAddresses names what in a shipped file points to another host.
func outsideAddresses(text string) []string {
	found := relative.FindAllString(text, -1)
	for _, m := range address.FindAllStringSubmatch(text, -1) {
		if !harmless.MatchString(m[1]) {
			found = append(found, m[0])
		}
	}
	return found
}

// openHouse returns the project's own tree.
func openHouse(t *testing.T) (fs.FS, []source) {
	t.Helper()
	dbtest.Once(t)
	house := os.DirFS("..")
	sources, err := load(house)
	if err != nil {
		t.Fatal(err)
	}
	return house, sources
}

func report(t *testing.T, wrong []string) {
	t.Helper()
	for _, text := range wrong {
		t.Error(text)
	}
}

func TestHouse_ImportsRunOneWay(t *testing.T) {
	_, sources := openHouse(t)
	report(t, wrongArrows(sources, arrows))
	for _, room := range slices.Sorted(maps.Keys(arrows)) {
		t.Logf("%s → %s", room, strings.Join(arrows[room], ", "))
	}
}

func TestHouse_TopLevelIsFixed(t *testing.T) {
	house, _ := openHouse(t)
	wrong, err := wrongAtTop(house)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range wrong {
		t.Errorf("%s does not belong on the top level", name)
	}
}

func TestHouse_ReadmeMapsTheRooms(t *testing.T) {
	house, sources := openHouse(t)
	wrong, err := wrongMap(house, sources)
	if err != nil {
		t.Fatal(err)
	}
	report(t, wrong)
}

func TestHouse_FewModules(t *testing.T) {
	house, sources := openHouse(t)
	gomod, err := fs.ReadFile(house, "go.mod")
	if err != nil {
		t.Fatal(err)
	}
	if direct := modules(gomod, sources); len(direct) > 28 {
		t.Errorf("%d direct modules, more than 28: %s", len(direct), strings.Join(direct, " "))
	}
}

func TestHouse_ShippedFilesNameNoOtherHost(t *testing.T) {
	list := exec.CommandContext(t.Context(), "go", "list", "-json=Dir,EmbedFiles", "./...")
	list.Dir = ".."
	out, err := list.Output()
	if err != nil {
		t.Fatal(err)
	}
	files := 0
	for decoder := json.NewDecoder(strings.NewReader(string(out))); decoder.More(); {
		var room struct {
			Dir        string
			EmbedFiles []string
		}
		if err := decoder.Decode(&room); err != nil {
			t.Fatal(err)
		}
		for _, name := range room.EmbedFiles {
			if slices.ContainsFunc(foreign, func(of string) bool { return strings.HasPrefix(name, of) }) {
				continue
			}
			text, err := os.ReadFile(path.Join(room.Dir, name))
			if err != nil {
				t.Fatal(err)
			}
			files++
			for _, found := range outsideAddresses(string(text)) {
				t.Errorf("%s: %s", name, found)
			}
		}
	}
	if files == 0 {
		t.Error("no embedded file was found")
	}
}

// TestAdvisory_T10_NoSecretIsShipped looks for keys and passwords in all that the program is built
// of, and in the examples that it prints.
func TestAdvisory_T10_NoSecretIsShipped(t *testing.T) {
	house, _ := openHouse(t)
	files := 0
	err := fs.WalkDir(house, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := entry.Name()
		if entry.IsDir() {
			if name != "." && (base[0] == '.' || base == "testdata" || base == "node_modules" || base == "dist" || base == "bin") {
				return fs.SkipDir
			}
			return nil
		}
		if strings.HasSuffix(base, "_test.go") || strings.HasPrefix(name, "embed/ui/test/") {
			return nil
		}
		text, err := fs.ReadFile(house, name)
		if err != nil {
			return err
		}
		files++
		for _, found := range secretsIn(string(text)) {
			t.Errorf("%s: %s", name, found)
		}
		return nil
	})
	if err != nil || files < 100 {
		t.Errorf("%d files: %v", files, err)
	}
}

var (
	privateKey = regexp.MustCompile(`-----BEGIN [A-Z ]*PRIVATE KEY-----\s*[A-Za-z0-9+/=]{16}`)
	// assigned is a key or password with a value of its own; words and variables are none.
	assigned = regexp.MustCompile(`(?i)\b(?:password|passwd|secret|secret_key|api_key|token)\b["']?\s*(?::=|[:=])\s*["']?([A-Za-z0-9+/=_-]{20,})["'\s]`)
)

// secretsIn names what looks like a private key, or like a password that was chosen at random.
func secretsIn(text string) []string {
	found := privateKey.FindAllString(text, -1)
	for _, m := range assigned.FindAllStringSubmatch(text, -1) {
		if strings.ContainsAny(m[1], "0123456789") && strings.ToLower(m[1]) != m[1] {
			found = append(found, m[0])
		}
	}
	return found
}

// The checks themselves notice what they are for.
func TestHouse_ChecksNotice(t *testing.T) {
	house := fstest.MapFS{
		".gitignore":               {Data: []byte("/bin/\n*.prof\n")},
		"README.md":                {Data: []byte("    queries/  SQL\n        core/  use cases\n    gone/  nothing\n")},
		"bin/x":                    {},
		"a.prof":                   {},
		"notes.txt":                {},
		"queries/q.go":             {Data: []byte("package queries\nimport _ \"vserver/service/core\"\n")},
		"queries/q_test.go":        {Data: []byte("package queries\nimport _ \"vserver/service/core\"\n")},
		"service/core/c.go":        {Data: []byte("package core\nimport _ \"github.com/labstack/echo/v4\"\nimport _ \"a.b/c/d\"\n")},
		"service/helpers/h.go":     {Data: []byte("package helpers\n")},
		"embed/node_modules/n.go":  {Data: []byte("not Go")},
		"queries/testdata/bad.go":  {Data: []byte("not Go")},
		"service/core/.hidden/h.g": {},
		"queries/below/b.go":       {Data: []byte("package below\n")},
	}
	sources, err := load(house)
	if err != nil {
		t.Fatal(err)
	}
	top, err := wrongAtTop(house)
	if err != nil {
		t.Fatal(err)
	}
	rooms, err := wrongMap(house, sources)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ got, want []string }{
		"arrows": {wrongArrows(sources, map[string][]string{
			"queries": {"schema"}, "service/core": nil, "service/post": nil, "embed/node_modules": nil, ".": nil,
		}), []string{
			"queries/below/b.go: its folder is no room of the house",
			"queries/q.go: queries must not import service/core",
			"service/core/c.go: service/core must not know github.com/labstack/echo/v4",
			"service/helpers/h.go: its folder is no room of the house",
			". is no room any more",
			"embed/node_modules is no room any more",
			"queries does not import schema any more",
			"service/post is no room any more",
		}},
		"top": {top, []string{"notes.txt"}},
		"map": {rooms, []string{
			"README.md does not list service/helpers/",
			"README.md lists gone/, which is not there",
		}},
		"modules": {modules([]byte("require (\n\ta.b/c v1.0.0 // indirect\n\ta.b/e v1.0.0\n)\n"), sources), []string{"a.b/c"}},
		"secrets": {secretsIn("-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEAabcd\n password: \"Zm9vYmFyYmF6cXV4Mjk0\" token := aVariableOfSomeLength\n"), []string{
			"-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA", "password: \"Zm9vYmFyYmF6cXV4Mjk0\"",
		}},
		"addresses": {outsideAddresses(`<a href="https://cdn.test/x"> url(//cdn) xmlns="http://www.w3.org/2000/svg"`), []string{"url(//c", "https://cdn.test"}},
	} {
		if !slices.Equal(c.got, c.want) {
			t.Errorf("%s: got %q, want %q", name, c.got, c.want)
		}
	}
}
