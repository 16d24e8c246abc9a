package cli

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// promises is how many rows /docs/developing#acceptance speaks of.
const promises = 154

var (
	promiseRow = regexp.MustCompile(`^\| (\d+) \| [^|]+ \| ([^|]*) \|$`)
	testName   = regexp.MustCompile(`^([a-z/]+): (Test\w+)(?:/(.+))?$`)
	nextTest   = regexp.MustCompile(`, ([a-z/]+: Test)`) // names of subtests have commas too
)

// Every promise of the documentation stands once in the table, with tests that exist.
func TestEveryPromiseHasItsTest(t *testing.T) {
	text, err := os.ReadFile("testdata/acceptance.md")
	if err != nil {
		t.Fatal(err)
	}
	tests := testsOfTheModule(t)
	_, table, _ := strings.Cut(string(text), "\n|---|---|---|\n")
	want := 0
	for line := range strings.Lines(table) {
		want++
		m := promiseRow.FindStringSubmatch(strings.TrimSuffix(line, "\n"))
		if m == nil || m[1] != strconv.Itoa(want) {
			t.Fatalf("this should be row %d: %s", want, line)
		}
		for name := range strings.SplitSeq(nextTest.ReplaceAllString(m[2], "\n$1"), "\n") {
			if fault := missing(tests, name); fault != "" {
				t.Errorf("row %d: %s", want, fault)
			}
		}
	}
	if want != promises {
		t.Errorf("%d rows, want %d", want, promises)
	}
	for name, fault := range map[string]string{
		"": "is no name of a test", "service/cli: TestNothing": "there is no test", "service/cli: TestScripts/nothing": "there is no script",
		"service/cli: TestScripts": "which script", "service/config: TestFolders/nowhere": "has no subtest", "service/config: TestFolders/linux user": "",
	} {
		if got := missing(tests, name); (got == "") != (fault == "") || !strings.Contains(got, fault) {
			t.Errorf("%q: got %q, want %q", name, got, fault)
		}
	}
}

var mendedRow = regexp.MustCompile(`^\| ([RA]-[SCK]\d+) \| [^|]+ \| ([^|]*) \|$`)

// Every fault of the reference that is mended, and every oddity that is kept, has tests
// that exist.
func TestEveryMendedFaultHasItsTest(t *testing.T) {
	text, err := os.ReadFile("testdata/mended.md")
	if err != nil {
		t.Fatal(err)
	}
	tests := testsOfTheModule(t)
	_, table, _ := strings.Cut(string(text), "\n|---|---|---|\n")
	seen := map[string]bool{}
	for line := range strings.Lines(table) {
		m := mendedRow.FindStringSubmatch(strings.TrimSuffix(line, "\n"))
		if m == nil || seen[m[1]] {
			t.Fatalf("this is no row of the table, or there twice: %s", line)
		}
		seen[m[1]] = true
		for name := range strings.SplitSeq(nextTest.ReplaceAllString(m[2], "\n$1"), "\n") {
			if fault := missing(tests, name); fault != "" {
				t.Errorf("%s: %s", m[1], fault)
			}
		}
	}
	for kind, most := range map[string]int{"R-S": 16, "R-C": 21, "R-K": 18, "A-S": 18, "A-C": 19, "A-K": 17} {
		for i := 1; i <= most; i++ {
			if id := kind + strconv.Itoa(i); !seen[id] {
				t.Errorf("%s is not in the table", id)
			}
		}
	}
}

// missing says what is wrong with the name of a test, or nothing.
func missing(tests map[string]string, name string) string {
	m := testName.FindStringSubmatch(name)
	if m == nil {
		return strconv.Quote(name) + " is no name of a test"
	}
	body, there := tests[m[1]+": "+m[2]]
	switch sub := m[3]; {
	case !there:
		return "there is no test " + name
	case m[2] == "TestScripts" && sub == "":
		return "which script of " + name
	case m[2] == "TestScripts":
		if _, err := os.Stat(filepath.Join("testdata", "script", sub+".txtar")); err != nil {
			return "there is no script " + name
		}
	case sub != "" && !strings.Contains(body, strconv.Quote(sub)):
		return m[2] + " has no subtest " + sub
	}
	return ""
}

// testsOfTheModule has the text of every test by "folder: name".
func testsOfTheModule(t *testing.T) map[string]string {
	t.Helper()
	tests := map[string]string{}
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			if err == nil && entry.IsDir() && entry.Name() == "node_modules" {
				return filepath.SkipDir
			}
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, path, text, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		folder, err := filepath.Rel(root, filepath.Dir(path))
		for _, decl := range file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && f.Recv == nil {
				tests[filepath.ToSlash(folder)+": "+f.Name.Name] = string(text[files.Position(f.Pos()).Offset:files.Position(f.End()).Offset])
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return tests
}

// tries counts what the scripts try of a command.
type tries struct{ help, success, failures int }

var (
	tryLine   = regexp.MustCompile(`^(?:\[\S+\] )*(! )?exec (?:vserver|\$VSERVER) ([a-z-]+)(.*)$`)
	checkLine = regexp.MustCompile(`^(?:\[\S+\] )*(! )?(stdout|stderr|cmp) `)
)

// Every command has scripts for its help, for success and for three failures, of which
// each is looked at.
func TestEveryCommandIsTried(t *testing.T) {
	scripts, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]*tries{}
	for _, script := range scripts {
		archive, err := txtar.ParseFile(script)
		if err != nil {
			t.Fatal(err)
		}
		countTries(seen, strings.Split(string(archive.Comment), "\n"))
	}
	root := (&program{}).root()
	root.InitDefaultCompletionCmd()
	if len(root.Commands()) < 20 {
		t.Errorf("only %d commands", len(root.Commands()))
	}
	for _, command := range root.Commands() {
		got := seen[command.Name()]
		if got == nil || got.help < 1 || got.success < 1 || got.failures < 3 {
			t.Errorf("%s: the scripts have %+v", command.Name(), got)
		}
	}
}

func countTries(seen map[string]*tries, lines []string) {
	for i, line := range lines {
		m := tryLine.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		of := seen[m[2]]
		if of == nil {
			of = &tries{}
			seen[m[2]] = of
		}
		switch {
		case strings.Contains(m[3], " --help"):
			of.help++
		case m[1] == "":
			of.success++
		case i+1 < len(lines) && checkLine.MatchString(lines[i+1]):
			of.failures++
		}
	}
}
