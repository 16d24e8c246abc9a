// Command tally reads what `go test -json` prints. It shows one line for each
// package, the whole output of what failed, the reason of what was skipped and
// what took long, and appends "passed failed skipped" as three numbers to the
// file that its only argument names.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"strings"
)

// event is a line of `go test -json` (go doc test2json).
type event struct {
	Action     string
	Package    string
	ImportPath string
	Test       string
	Output     string
	Elapsed    float64
}

// slow is how many seconds a test may take without being named.
const slow = 10

// tally counts the tests of one run.
type tally struct {
	passed, failed, skipped int
	inPackage               map[string]int      // tests seen so far, by package
	failedIn                map[string]int      // tests that failed, by package
	output                  map[string][]string // lines of what has not ended, by "package test"
}

func main() {
	log.SetFlags(0)
	t := tally{inPackage: map[string]int{}, failedIn: map[string]int{}, output: map[string][]string{}}
	lines := bufio.NewReader(os.Stdin)
	for {
		line, err := lines.ReadString('\n')
		if line != "" {
			t.line(line)
		}
		if err != nil {
			break
		}
	}
	if err := t.appendTo(os.Args[1]); err != nil {
		log.Fatal("tally: ", err)
	}
}

// line takes one line of the run; what is not JSON is shown as it is.
func (t *tally) line(line string) {
	var e event
	if err := json.Unmarshal([]byte(line), &e); err != nil {
		fmt.Print(line)
		return
	}
	key := e.Package + " " + e.Test
	switch e.Action {
	case "output":
		t.output[key] = append(t.output[key], e.Output)
	case "build-output":
		fmt.Print(e.Output)
	case "pass", "fail", "skip":
		if e.Test == "" {
			t.endPackage(e)
		} else {
			t.endTest(e)
		}
		delete(t.output, key)
	}
}

func (t *tally) endTest(e event) {
	t.inPackage[e.Package]++
	if e.Elapsed >= slow {
		fmt.Printf("slow: %s %s: %.1fs\n", e.Package, e.Test, e.Elapsed)
	}
	switch e.Action {
	case "pass":
		t.passed++
	case "fail":
		t.fail(e.Package, e.Test)
	case "skip":
		t.skipped++
		fmt.Printf("skipped: %s %s: %s\n", e.Package, e.Test, t.reason(e.Package+" "+e.Test))
	}
}

// endPackage shows a package's line and, when it failed, what no test accounts
// for: a panic, a data race after the last test, a test that never ended.
func (t *tally) endPackage(e event) {
	tests := t.inPackage[e.Package]
	if e.Action != "fail" {
		if tests > 0 {
			fmt.Printf("ok    %s  %d tests  %.1fs\n", e.Package, tests, e.Elapsed)
		}
		return
	}
	fmt.Printf("FAIL  %s  %.1fs\n", e.Package, e.Elapsed)
	for key := range t.output {
		if name, ok := strings.CutPrefix(key, e.Package+" "); ok && name != "" {
			t.fail(e.Package, name)
			delete(t.output, key)
		}
	}
	if t.failedIn[e.Package] == 0 {
		t.fail(e.Package, "") // it did not build, or ended outside of any test
	} else {
		t.show(e.Package + " ")
	}
}

// fail counts a test as failed, or a package that has no other failure.
func (t *tally) fail(pkg, test string) {
	t.failed++
	t.failedIn[pkg]++
	t.show(pkg + " " + test)
}

func (t *tally) show(key string) {
	fmt.Printf("----- %s\n%s", key, strings.Join(t.output[key], ""))
}

// reason finds the text given to t.Skip, which follows "file.go:line: ".
func (t *tally) reason(key string) string {
	for _, line := range t.output[key] {
		if _, text, ok := strings.Cut(line, ".go:"); ok {
			_, text, _ = strings.Cut(text, ": ")
			return strings.TrimSpace(text)
		}
	}
	return "no reason given"
}

func (t *tally) appendTo(file string) error {
	f, err := os.OpenFile(file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = fmt.Fprintln(f, t.passed, t.failed, t.skipped)
	return err
}
