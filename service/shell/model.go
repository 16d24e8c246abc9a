package shell

import (
	"context"
	"slices"

	"go.starlark.net/starlark"

	"vserver/service/core"
)

// model is a kind of object: a table with its columns, what belongs to it, and what
// can be done with it (/docs/shell#models).
type model struct {
	name       string // as in db.Organization
	table      string
	columns    []column // the first is the id
	relations  []relation
	virtuals   []virtual
	methods    []method // beside those of all models
	line       string   // what an object looks like, with places for what show knows
	rows       store    // nil: its objects are those of other models
	requiredBy string   // what would have no owner without it, and keeps it from being deleted
	session    *session
	attributes map[string]any // *column, *relation, *virtual and *method by name
	constant
}

// column is a field of a row.
type column struct {
	name  string
	index []int // of the field within the row
	// fixed says why the column cannot be set; empty when it can.
	fixed string
	// take changes a value on its way into the row, show on its way out; nil leaves it.
	take func(s *session, v starlark.Value) (starlark.Value, error)
	show func(v starlark.Value) starlark.Value
	// deferred tells that the column does not come with the row.
	deferred bool
}

// relation leads to other objects.
type relation struct {
	name   string
	target string // name of a model
	// one object: the column of this row that has its id.
	key string
	// many objects: the filter of the target that finds them.
	by string
	// many objects on both sides: how they are joined and parted. Without it the
	// target's column by has the id of this row.
	link *link
}

func (r relation) many() bool { return r.by != "" }

// link adds or removes what joins two rows.
type link struct {
	add, remove func(ctx context.Context, t *core.Tx, own, other int64) error
}

// reversed is a link seen from the other side.
func (l link) reversed() *link {
	return &link{
		add:    func(ctx context.Context, t *core.Tx, own, other int64) error { return l.add(ctx, t, other, own) },
		remove: func(ctx context.Context, t *core.Tx, own, other int64) error { return l.remove(ctx, t, other, own) },
	}
}

// virtual is an attribute that no column has.
type virtual struct {
	name string
	get  func(s *session, o *object) (starlark.Value, error)
	set  func(s *session, o *object, v starlark.Value) error // nil: it cannot be set
}

// method is something to call.
type method struct {
	name   string
	class  bool // it needs no object
	invoke func(call) (starlark.Value, error)
}

// names is a set of names of columns.
type names map[string]bool

// bind makes a model part of a session, and its attributes known by name.
func (m *model) bind(s *session) {
	m.session, m.attributes = s, map[string]any{}
	m.methods = append(slices.Clone(commonMethods), m.methods...)
	for i := range m.columns {
		m.attributes[m.columns[i].name] = &m.columns[i]
	}
	for i := range m.relations {
		m.attributes[m.relations[i].name] = &m.relations[i]
	}
	for i := range m.virtuals {
		m.attributes[m.virtuals[i].name] = &m.virtuals[i]
	}
	for i := range m.methods { // a model's own method wins over the common one
		m.attributes[m.methods[i].name] = &m.methods[i]
	}
}

func (m *model) column(name string) *column {
	c, _ := m.attributes[name].(*column)
	return c
}

func (m *model) relation(name string) *relation {
	r, _ := m.attributes[name].(*relation)
	return r
}

// keyed finds the relation whose id a column has; nil when there is none.
func (m *model) keyed(column string) *relation {
	for i := range m.relations {
		if m.relations[i].key == column {
			return &m.relations[i]
		}
	}
	return nil
}
