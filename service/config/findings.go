package config

import (
	"fmt"
	"strings"
)

// Fault is one mistake in a configuration: where it is and what is wrong.
type Fault struct {
	File string // path as given
	Line int    // from 1; 0 when the fault has no line
	Key  string // dotted, e.g. environments.test.port; empty for the whole file
	Text string
}

// Error renders `file:line: key: text`.
func (f Fault) Error() string { return place(f.File, f.Line, f.Key) + f.Text }

// Faults is every mistake found in one reading, in file order, as one error.
type Faults []Fault

// Error gives one line a fault.
func (fs Faults) Error() string {
	lines := make([]string, len(fs))
	for i, f := range fs {
		lines[i] = f.Error()
	}
	return strings.Join(lines, "\n")
}

// Unwrap lets errors.As find a single Fault.
func (fs Faults) Unwrap() []error {
	all := make([]error, len(fs))
	for i, f := range fs {
		all[i] = f
	}
	return all
}

// Warning is something the operator should know of that does not stop the server.
type Warning struct {
	File    string
	Line    int
	Key     string
	Text    string
	Nearest string // for an unknown key: the known key most like it, or empty
}

// String renders `file:line: key: text`.
func (w Warning) String() string { return place(w.File, w.Line, w.Key) + w.Text }

func place(file string, line int, key string) string {
	where := file + ": "
	if line > 0 {
		where = fmt.Sprintf("%s:%d: ", file, line)
	}
	if key != "" {
		where += key + ": "
	}
	return where
}

// nearest returns the candidate most like the word, or nothing when none is closer
// than half the word's length. Case does not count, and a word that goes on where a
// candidate ends (production, prod) is near to it.
func nearest(word string, candidates []string) string {
	best, least := "", len(word)/2+1
	for _, c := range candidates {
		a, b := strings.ToLower(word), strings.ToLower(c)
		d := editDistance(a, b)
		if len(b) >= 3 && strings.HasPrefix(a, b) {
			d = min(d, 2)
		}
		if d < least {
			best, least = c, d
		}
	}
	return best
}

// editDistance counts the insertions, removals and replacements between two words.
// Words of an absurd length are simply far apart.
func editDistance(a, b string) int {
	if len(a) > 100 || len(b) > 100 {
		return 100
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
