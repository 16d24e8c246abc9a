package takeover

import (
	"cmp"
	"slices"
	"strconv"
)

// Report says what a takeover carries, and what it cannot carry as it is.
type Report struct {
	Database   string  `json:"database"`
	Generation string  `json:"generation"`
	Zone       string  `json:"zone"` // of the local times
	Tables     []Table `json:"tables"`
	// Changes are what becomes something else, or needs to be known, each once.
	Changes []Change `json:"changes"`
	// Lacking are roles without rules that later releases gave to roles of their name.
	Lacking []Lacking `json:"roles_lacking_rules"`
	Needs   Needs     `json:"needs"`
	Holder  string    `json:"held_by,omitempty"` // who uses the database just now
	Kept    string    `json:"kept,omitempty"`    // where the old one is after a takeover
	Seconds float64   `json:"seconds,omitempty"` // that the takeover took
}

// Table is a table of the old database.
type Table struct {
	Name    string `json:"name"`
	Rows    int64  `json:"rows"`
	Carried int64  `json:"carried"`
}

// Change is one kind of thing that does not stay as it is.
type Change struct {
	What    string   `json:"what"`
	Becomes string   `json:"becomes"`
	Count   int64    `json:"count"`
	First   []string `json:"first"` // the ids of the first of them, with names where there are some
}

// Lacking is a role that lacks rules.
type Lacking struct {
	ID    int64    `json:"id"`
	Name  string   `json:"name"`
	Lacks []string `json:"lacks"`
}

// Needs is what a takeover takes.
type Needs struct {
	Bytes   int64 `json:"bytes"`
	Free    int64 `json:"free_bytes,omitempty"` // not known on Postgres
	Seconds int64 `json:"seconds"`
}

// kind is what is noted of rows of a kind.
type kind struct{ what, becomes string }

// firstShown is how many of a kind are named.
const firstShown = 5

// notes gathers changes.
type notes struct {
	by   map[kind]*Change
	kind []kind // in the order of their first
}

func (n *notes) add(k kind, who string) {
	c := n.by[k]
	if c == nil {
		if n.by == nil {
			n.by = map[kind]*Change{}
		}
		c = &Change{What: k.what, Becomes: k.becomes, First: []string{}}
		n.by[k] = c
		n.kind = append(n.kind, k)
	}
	c.Count++
	if len(c.First) < firstShown {
		c.First = append(c.First, who)
	}
}

func (n *notes) list() []Change {
	list := make([]Change, 0, len(n.kind))
	for _, k := range n.kind {
		list = append(list, *n.by[k])
	}
	return list
}

// named writes an id with a name.
func named(id int64, name any) string {
	text, _ := name.(string)
	if text == "" {
		return strconv.FormatInt(id, 10)
	}
	return strconv.FormatInt(id, 10) + " " + strconv.Quote(text)
}

// numbers is a set of ids that come in their order, with what belongs to each.
type numbers struct{ ids, of []int64 }

func (n *numbers) add(id, of int64) {
	n.ids = append(n.ids, id)
	n.of = append(n.of, of)
}

// get returns what belongs to an id.
func (n *numbers) get(id int64) (of int64, there bool) {
	i, there := slices.BinarySearchFunc(n.ids, id, cmp.Compare[int64])
	if !there {
		return 0, false
	}
	return n.of[i], true
}

func (n *numbers) has(id int64) bool {
	_, there := slices.BinarySearch(n.ids, id)
	return there
}
