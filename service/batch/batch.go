// Package batch is the import file: it reads organizations, users, collaborations,
// nodes and tasks from YAML, compares them with the database and adds what is not
// there, all or nothing (contract 40 §9). It imports core, queries, access and fault;
// it knows neither the command line nor the configuration.
package batch

import (
	"fmt"
	"strings"
)

// Fault is one mistake of an import file, or something in it that the database
// cannot take.
type Fault struct {
	File  string
	Line  int    // from 1; 0 when the whole file is meant
	Field string // such as organizations[2].users[1].username; empty for the whole file
	Text  string
}

// Error gives the fault as file:line: field: text.
func (f Fault) Error() string { return place(f.File, f.Line, f.Field) + f.Text }

// Warning is a part of an import file that has no effect.
type Warning Fault

// String gives the warning as file:line: field: text.
func (w Warning) String() string { return place(w.File, w.Line, w.Field) + w.Text }

func place(file string, line int, field string) string {
	where := file
	if line > 0 {
		where = fmt.Sprintf("%s:%d", file, line)
	}
	if field != "" {
		where += ": " + field
	}
	return where + ": "
}

// Faults are all mistakes of a file, in the order of its lines.
type Faults []Fault

// mostFaults is how many faults Error spells out.
const mostFaults = 50

// Error gives a line for each fault, and how many more there are.
func (fs Faults) Error() string {
	var lines []string
	for _, f := range fs[:min(len(fs), mostFaults)] {
		lines = append(lines, f.Error())
	}
	if more := len(fs) - len(lines); more > 0 {
		lines = append(lines, fmt.Sprintf("and %d faults more", more))
	}
	return strings.Join(lines, "\n")
}

// Kind is what a row of the import is.
type Kind string

// The kinds, in the order in which they are made.
const (
	Organization  Kind = "organization"
	Role          Kind = "role"
	User          Kind = "user"
	Collaboration Kind = "collaboration"
	Node          Kind = "node"
	Task          Kind = "task"
	Result        Kind = "result"
)

// Kinds lists all kinds in the order in which they are made.
func Kinds() []Kind {
	return []Kind{Organization, Role, User, Collaboration, Node, Task, Result}
}

// Verdict is what the comparison of a row with the database said.
type Verdict string

// The verdicts of contract 40 §9.3.
const (
	Created   Verdict = "created"   // the database lacks it
	Unchanged Verdict = "unchanged" // the database has it as the file says
	Differs   Verdict = "differs"   // the database has it with other values
)

// Change is one row of the file beside the database.
type Change struct {
	Verdict Verdict
	Kind    Kind
	Name    string // for people
	Line    int    // in the file
	Text    string // what differs
}

// Report is what an import did, or would do.
type Report struct {
	Changes []Change // in the order of the file
}

// Count gives the number of rows with a verdict; of one kind, or of all when kind is
// empty.
func (r Report) Count(v Verdict, kind Kind) int {
	n := 0
	for _, c := range r.Changes {
		if c.Verdict == v && (kind == "" || c.Kind == kind) {
			n++
		}
	}
	return n
}

// Stage names a long part of the work.
type Stage string

// The stages that report their progress.
const (
	Hashing Stage = "hashing passwords"
	Writing Stage = "writing users"
)

// Options of an import.
type Options struct {
	DropAll      bool // remove all data first
	AllowDropAll bool // the configuration's word on DropAll
	DryRun       bool // compare only
	// Progress is told how far a stage is; nil when nobody asks. Calls come one at a
	// time.
	Progress func(stage Stage, done, total int)
}

func (o Options) progress(stage Stage, done, total int) {
	if o.Progress != nil {
		o.Progress(stage, done, total)
	}
}
