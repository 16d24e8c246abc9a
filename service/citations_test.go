package service_test

import (
	"fmt"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"vserver/embed"
)

// cites lists the kinds of files that may cite a page of the documentation.
var cites = []string{".go", ".sql", ".md", ".yaml", ".yml", ".txtar", ".sh", ".js", ".mjs", ".css", ".conf"}

var (
	citation = regexp.MustCompile(`/docs/([a-z]+)#([A-Za-z0-9-]+)`)
	promise  = regexp.MustCompile(`(?m)\bfunc Test(Advisory|Reliability)_([TUR]\d+)_|\bfunc (Fuzz)[A-Z]|^(advisory|reliability)_([tur]\d+)\.txtar$`)
	promised = regexp.MustCompile(`<h3 id="([tur]\d+)">`)
	anchor   = regexp.MustCompile(` id="([^"]+)"`)
	// absent are pages that the repository does not hold.
	absent = regexp.MustCompile(`§\d|SECURITY +[TUS]\d|RELIABILITY +R\d`)
)

// texts reads the files of the house that may cite.
func texts(house fs.FS) (map[string]string, error) {
	all := map[string]string{}
	err := fs.WalkDir(house, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		base := entry.Name()
		if entry.IsDir() {
			if name != "." && (base[0] == '.' && base != ".ci" || base == "node_modules" || base == "dist" || base == "bin") {
				return fs.SkipDir
			}
			return nil
		}
		if !slices.Contains(cites, path.Ext(name)) {
			return nil
		}
		text, err := fs.ReadFile(house, name)
		all[name] = string(text)
		return err
	})
	return all, err
}

// anchorsOf returns what can be cited: "tasks#create" for each anchor of each page.
func anchorsOf(pages map[string]embed.Document) map[string]bool {
	all := map[string]bool{}
	for name, page := range pages {
		for _, m := range anchor.FindAllStringSubmatch(string(page.Text), -1) {
			all[name+"#"+m[1]] = true
		}
	}
	return all
}

// wrongCitations names the citations whose page or anchor is not there.
func wrongCitations(files map[string]string, anchors map[string]bool) []string {
	var wrong []string
	for _, name := range slices.Sorted(maps.Keys(files)) {
		for i, line := range strings.Split(files[name], "\n") {
			if !strings.Contains(line, "§") && !strings.Contains(line, "ITY") && !strings.Contains(line, "/docs/") {
				continue // the patterns would see the same, in ten times as long
			}
			if m := absent.FindString(line); m != "" {
				wrong = append(wrong, fmt.Sprintf("%s:%d: %s is no page of /docs/", name, i+1, m))
			}
			for _, m := range citation.FindAllStringSubmatch(line, -1) {
				if !anchors[m[1]+"#"+m[2]] {
					wrong = append(wrong, fmt.Sprintf("%s:%d: %s leads nowhere", name, i+1, m[0]))
				}
			}
		}
	}
	return wrong
}

// testsOf keeps the lines of a file that may begin a test.
func testsOf(text string) string {
	var lines []string
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "func ") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "")
}

// wrongPromises compares the tests that are named after a promise with the promises on
// the pages: each of either needs the other.
func wrongPromises(files map[string]string, pages map[string]embed.Document) []string {
	kept := map[string]bool{}
	for name, text := range files {
		for _, m := range promise.FindAllStringSubmatch(path.Base(name)+"\n"+testsOf(text), -1) {
			switch {
			case m[3] == "Fuzz":
				kept["reliability#r13"] = true
			case m[1] == "Advisory" || m[4] == "advisory":
				kept["security#"+strings.ToLower(m[2]+m[5])] = true
			default:
				kept["reliability#"+strings.ToLower(m[2]+m[5])] = true
			}
		}
	}
	said := map[string]bool{}
	for _, page := range []string{"security", "reliability"} {
		for _, m := range promised.FindAllStringSubmatch(string(pages[page].Text), -1) {
			said[page+"#"+m[1]] = true
		}
	}
	var wrong []string
	for p := range kept {
		if !said[p] {
			wrong = append(wrong, "a test is named after /docs/"+p+", which promises nothing")
		}
	}
	for p := range said {
		if !kept[p] {
			wrong = append(wrong, "/docs/"+p+" promises what no test is named after")
		}
	}
	slices.Sort(wrong)
	return wrong
}

func TestHouse_CitationsLeadSomewhere(t *testing.T) {
	house, _ := openHouse(t)
	files, err := texts(house)
	if err != nil {
		t.Fatal(err)
	}
	pages, err := embed.Docs(nil)
	if err != nil {
		t.Fatal(err)
	}
	delete(files, "service/citations_test.go") // its own examples lead nowhere
	report(t, wrongCitations(files, anchorsOf(pages)))
	report(t, wrongPromises(files, pages))
}

// The checks themselves notice what they are for.
func TestCitationChecksNotice(t *testing.T) {
	pages := map[string]embed.Document{
		"tasks":       {Text: []byte(`<h2 id="create">`)},
		"security":    {Text: []byte(`<h3 id="t01"><h3 id="t02"><h3 id="t22">`)},
		"reliability": {Text: []byte(`<h3 id="r13"><h3 id="r15"><h3 id="r16">`)},
	}
	files, err := texts(fstest.MapFS{
		"core/a.go":                 {Data: []byte("// One (/docs/tasks#create).\n// Two (/docs/tasks#kill, /docs/gone#x).\n// Three (contract 20 " + "§7.3), RELIABILITY " + "R5.\nfunc FuzzIt(\n")},
		"core/a_test.go":            {Data: []byte("func TestAdvisory_T01_Holds(\nfunc TestReliability_R7_Holds(\n")},
		"cli/reliability_r15.txtar": {Data: []byte("# /docs/security#t02\n")},
		"cli/advisory_t22.txtar":    {Data: []byte("")},
		"node_modules/b.md":         {Data: []byte("/docs/tasks#kill")},
		"c.png":                     {Data: []byte("/docs/tasks#kill")},
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ got, want []string }{
		"citations": {wrongCitations(files, anchorsOf(pages)), []string{
			"core/a.go:2: /docs/tasks#kill leads nowhere", "core/a.go:2: /docs/gone#x leads nowhere",
			"core/a.go:3: §7 is no page of /docs/",
		}},
		"promises": {wrongPromises(files, pages), []string{
			"/docs/reliability#r16 promises what no test is named after",
			"/docs/security#t02 promises what no test is named after",
			"a test is named after /docs/reliability#r7, which promises nothing",
		}},
	} {
		if !slices.Equal(c.got, c.want) {
			t.Errorf("%s: got %q, want %q", name, c.got, c.want)
		}
	}
}
