// Package yaml reads YAML documents for people: every value with its line, every
// mistake with file, line and key, all mistakes of a document at once, unknown keys
// with the key that was probably meant. Configuration and import file are both read
// through it. It knows the syntax and the kinds of values, no key of either file, and
// imports no other package of the program.
//
// Values are taken generously, so that no file is refused that another program of
// this protocol accepts: numbers and booleans may stand in quotes; true, yes, on, y,
// t and 1 are true in any case of letters; false, no, off, n, f, 0 and the empty text
// are false; without a value the default counts.
package yaml

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"sort"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Form says what a document is, for messages, and how large it may be.
type Form struct {
	Name   string // such as "a configuration"
	Bytes  int
	Values int  // keys and values once aliases are followed: they let a small file stand for an endless one
	Once   bool // a key that is given twice in one block is a fault, not a warning
}

// FromFile reads the document in a file, see FromText.
func (f Form) FromFile(path string) (*Reader, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", strings.TrimPrefix(f.Name, "a "), err)
	}
	defer func() { _ = file.Close() }()
	data, err := io.ReadAll(io.LimitReader(file, int64(f.Bytes)+1))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", strings.TrimPrefix(f.Name, "a "), err)
	}
	return f.FromText(path, data)
}

// FromText parses the one document of a text; path is for messages. What is no document is
// Faults with a line.
func (f Form) FromText(path string, data []byte) (*Reader, error) {
	refused := func(line int, format string, args ...any) (*Reader, error) {
		return nil, Faults{{File: path, Line: line, Text: fmt.Sprintf(format, args...)}}
	}
	if len(data) > f.Bytes {
		return refused(0, "is larger than %d bytes", f.Bytes)
	}
	r := f.NewReader(path)
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	var doc, second yaml.Node
	err := decoder.Decode(&doc)
	if errors.Is(err, io.EOF) {
		return r, nil
	}
	if err == nil {
		err = decoder.Decode(&second)
	}
	switch {
	case err == nil:
		return refused(second.Line, "holds a second YAML document; %s is one", f.Name)
	case !errors.Is(err, io.EOF):
		line, text := syntaxError(data, err)
		return refused(line, "is not YAML: %s", text)
	}
	if len(doc.Content) > 0 {
		r.Root = value(doc.Content[0], doc.Content[0].Line)
	}
	return r, nil
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)`)

// Sizes up to which the line of a syntax error is searched for.
const (
	searchedLines = 10_000
	searchedBytes = 1 << 20
)

// syntaxError takes the parser's message apart.
func syntaxError(data []byte, err error) (line int, text string) {
	text, _, _ = strings.Cut(err.Error(), "\n")
	if found := yamlLine.FindStringSubmatch(text); found != nil {
		line, _ = strconv.Atoi(found[1])
		text = found[2]
	}
	if lines := bytes.SplitAfter(data, []byte("\n")); len(lines) < searchedLines && len(data) <= searchedBytes {
		line = badLine(lines, err)
	}
	return line, text
}

// badLine is the line with which the text stops being YAML; the parser's own number
// is where an enclosing structure began, or one off. The parser gave up somewhere
// with a certain error: that place is where shorter texts begin to fail the same
// way, and the culprit is the line after the longest good text before it.
func badLine(lines [][]byte, full error) int {
	failure := func(n int) error {
		decoder := yaml.NewDecoder(bytes.NewReader(bytes.Join(lines[:n], nil)))
		for {
			var doc yaml.Node
			if err := decoder.Decode(&doc); errors.Is(err, io.EOF) {
				return nil
			} else if err != nil {
				return err
			}
		}
	}
	n := sort.Search(len(lines), func(n int) bool {
		err := failure(n)
		return err != nil && err.Error() == full.Error()
	})
	for tries := 0; n > 0 && tries < 50 && failure(n) != nil; tries++ {
		n--
	}
	return n + 1
}
