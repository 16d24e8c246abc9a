package yaml

import (
	"fmt"
	"slices"
	"strings"
)

// Fault is one mistake in a document: where it is and what is wrong.
type Fault struct {
	File    string `json:"-"`              // path as given
	Line    int    `json:"line,omitempty"` // from 1; 0 when the whole file is meant
	Key     string `json:"key,omitempty"`  // dotted, such as environments.test.port; empty for the whole file
	Text    string `json:"text"`
	Nearest string `json:"nearest,omitempty"` // for an unknown key: the known key most like it, or empty
}

// Error returns the fault as file:line: key: text.
func (f Fault) Error() string {
	where := f.File + ": "
	if f.Line > 0 {
		where = fmt.Sprintf("%s:%d: ", f.File, f.Line)
	}
	if f.Key != "" {
		where += f.Key + ": "
	}
	return where + f.Text
}

// Faults are all mistakes found in one reading, as one error.
type Faults []Fault

// mostShown is how many faults Error spells out.
const mostShown = 50

// Error returns a line for each fault, and how many more there are.
func (fs Faults) Error() string {
	var lines []string
	for _, f := range fs[:min(len(fs), mostShown)] {
		lines = append(lines, f.Error())
	}
	if more := len(fs) - len(lines); more > 0 {
		lines = append(lines, fmt.Sprintf("and %d faults more", more))
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

// Warning is something to know about a document that does not make it unusable.
type Warning Fault

// String returns the warning as file:line: key: text.
func (w Warning) String() string { return Fault(w).Error() }

// Sort puts what was found into the order of the file.
func (r *Reader) Sort() {
	slices.SortStableFunc(r.Faults, func(a, b Fault) int { return a.Line - b.Line })
	slices.SortStableFunc(r.Warnings, func(a, b Warning) int { return a.Line - b.Line })
}
