package shell

import (
	"context"

	"go.starlark.net/starlark"

	"vserver/queries"
)

// model is a kind of object: a table with its columns, what belongs to it, and what
// can be done with it (contract 40 §10.3).
type model struct {
	name      string // as in db.Organization
	table     string
	columns   []column // the first is the id
	relations []relation
	virtuals  []virtual
	methods   []method // beside those of all models
	show      func(s *session, o *object) string
	rows      rows
	keeps     string // what would have no owner without it, and keeps it from being deleted
	session   *session
}

// column is a field of a row.
type column struct {
	name string
	// at points to the field: *int64, **int64, *string, **string, *bool,
	// **queries.Time or *[]byte.
	at func(row any) any
	// fixed says why the column cannot be set; empty when it can.
	fixed string
	// take changes a value on its way into the row, show on its way out; nil leaves it.
	take func(s *session, v starlark.Value) (starlark.Value, error)
	show func(v starlark.Value) starlark.Value
	// apart tells that the column does not come with the row.
	apart bool
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
	add, remove func(ctx context.Context, tx *queries.Tx, own, other int64) error
}

// virtual is an attribute that no column has.
type virtual struct {
	name string
	get  func(s *session, o *object) (starlark.Value, error)
	set  func(s *session, o *object, v starlark.Value) error // nil: it cannot be set
}

// method is something to call.
type method struct {
	name  string
	class bool // it needs no object
	call  func(call) (starlark.Value, error)
}

// filter narrows rows to those with a value in a column, or in a relation's filter.
// The zero filter narrows nothing.
type filter map[string]any

// number gives the filter's number for a column, nil when it does not filter by it.
func (f filter) number(column string) *int64 {
	if n, ok := f[column].(int64); ok {
		return &n
	}
	return nil
}

func (f filter) text(column string) *string {
	if t, ok := f[column].(string); ok {
		return &t
	}
	return nil
}

// rows is how a model's rows are read and written. A row is a pointer to its struct.
type rows struct {
	blank  func() any // a new row with its defaults
	find   func(ctx context.Context, q *queries.Queries, f filter) ([]any, error)
	insert func(ctx context.Context, tx *queries.Tx, row any) (id int64, err error)
	// hold reads a row that is about to change, so that nobody else changes it.
	hold func(ctx context.Context, tx *queries.Tx, id int64) (any, error)
	// update writes the row; set names the columns that were set.
	update func(ctx context.Context, tx *queries.Tx, row any, set names) error
	remove func(ctx context.Context, tx *queries.Tx, id int64) error
	// rest reads the columns that lie apart; nil when there are none.
	rest func(ctx context.Context, q *queries.Queries, row any) error
}

type names map[string]bool

// typed is rows with the type of the row.
type typed[R any] struct {
	blank  func() R
	find   func(ctx context.Context, q *queries.Queries, f filter) ([]R, error)
	insert func(ctx context.Context, tx *queries.Tx, row *R) (int64, error)
	hold   func(ctx context.Context, tx *queries.Tx, id int64) (R, error)
	update func(ctx context.Context, tx *queries.Tx, row *R, set names) error
	remove func(ctx context.Context, tx *queries.Tx, id int64) error
	rest   func(ctx context.Context, q *queries.Queries, row *R) error
}

// any forgets the type.
func (t typed[R]) any() rows {
	r := rows{
		blank: func() any { return new(R) },
		find: func(ctx context.Context, q *queries.Queries, f filter) ([]any, error) {
			found, err := t.find(ctx, q, f)
			list := make([]any, len(found))
			for i := range found {
				list[i] = &found[i]
			}
			return list, err
		},
		insert: func(ctx context.Context, tx *queries.Tx, row any) (int64, error) { return t.insert(ctx, tx, row.(*R)) },
		hold: func(ctx context.Context, tx *queries.Tx, id int64) (any, error) {
			row, err := t.hold(ctx, tx, id)
			return &row, err
		},
		update: func(ctx context.Context, tx *queries.Tx, row any, set names) error {
			return t.update(ctx, tx, row.(*R), set)
		},
		remove: t.remove,
	}
	if t.blank != nil {
		r.blank = func() any { row := t.blank(); return &row }
	}
	if t.rest != nil {
		r.rest = func(ctx context.Context, q *queries.Queries, row any) error { return t.rest(ctx, q, row.(*R)) }
	}
	return r
}

// field makes a column of a struct's field.
func field[R any](name string, at func(*R) any) column {
	return column{name: name, at: func(row any) any { return at(row.(*R)) }}
}

// idColumn is the first column of every model.
func idColumn[R any](at func(*R) *int64) column {
	c := field("id", func(r *R) any { return at(r) })
	c.fixed = "the database gives it"
	return c
}

func (m *model) column(name string) *column {
	for i := range m.columns {
		if m.columns[i].name == name {
			return &m.columns[i]
		}
	}
	return nil
}

func (m *model) relation(name string) *relation {
	for i := range m.relations {
		if m.relations[i].name == name {
			return &m.relations[i]
		}
	}
	return nil
}

// keyed finds the relation whose id a column has.
func (m *model) keyed(column string) *relation {
	for i := range m.relations {
		if m.relations[i].key == column {
			return &m.relations[i]
		}
	}
	return nil
}

func (m *model) virtual(name string) *virtual {
	for i := range m.virtuals {
		if m.virtuals[i].name == name {
			return &m.virtuals[i]
		}
	}
	return nil
}

func (m *model) method(name string) *method {
	for i := range m.methods {
		if m.methods[i].name == name {
			return &m.methods[i]
		}
	}
	return nil
}

// id points to the id within a row.
func (m *model) id(row any) *int64 { return m.columns[0].at(row).(*int64) }
