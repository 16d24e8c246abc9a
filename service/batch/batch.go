// Package batch is the import file: it reads organizations, users, collaborations,
// nodes and tasks from YAML, compares them with the database and adds what is not
// there, all or nothing (/docs/import#effects). It imports core, queries, access,
// fault and yaml; it knows neither the command line nor the configuration.
package batch

import "vserver/service/yaml"

// What is found in an import file, or what of it the database cannot take.
type (
	Fault   = yaml.Fault
	Faults  = yaml.Faults
	Warning = yaml.Warning
)

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

// The verdicts of /docs/import#again.
const (
	Created   Verdict = "created"   // the database lacks it
	Unchanged Verdict = "unchanged" // the database has it as the file says
	Differs   Verdict = "differs"   // the database has it with other values
)

// Change is one row of the file beside the database.
type Change struct {
	Verdict Verdict `json:"-"`
	Line    int     `json:"line"` // in the file
	Kind    Kind    `json:"kind"`
	Name    string  `json:"name"` // for people
	Text    string  `json:"text"` // what differs
}

// Report is what an import did, or would do.
type Report struct {
	Changes []Change // in the order of the file
}

// Count returns the number of rows with a verdict; of one kind, or of all when kind is
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
