package shell

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"

	"go.starlark.net/starlark"
)

// object is one row, stored or not, with the changes that were made to it.
type object struct {
	model      *model
	number     uint32
	row        any   // with the changes
	generation int64 // of the session when the row was read
	set        names // columns that were set and not saved
	// refs are the objects that relations were set to while these were not stored.
	refs         map[string]*object
	lists        map[string]*members
	deferredRead names // columns that do not come with the row and were read
	deleted      bool
	constant
}

// constant is embedded by values that are true and that nobody freezes, because
// nothing here runs side by side.
type constant struct{}

// Freeze does nothing.
func (constant) Freeze() {}

// Truth is true.
func (constant) Truth() starlark.Bool { return true }

// members is a list of related objects as it was handed out.
type members struct {
	list       *starlark.List
	base       []*object // what it held when it was read
	generation int64
}

var (
	_ starlark.HasSetField = (*object)(nil)
	_ starlark.HasAttrs    = (*object)(nil)
)

// String shows the object as /docs/shell#models has it. Lines about objects come out
// whatever is missing.
func (o *object) String() string {
	var p *Problem
	if err := o.current(); err != nil && !errors.As(err, &p) {
		return fmt.Sprintf("<%s %s: %s>", o.model.name, repr(o.idValue()), err)
	}
	return placeholder().ReplaceAllStringFunc(o.model.line, func(place string) string {
		v, err := o.follow(strings.Trim(place, "{}"))
		if err != nil {
			return "?"
		}
		return str(v)
	})
}

// placeholder matches the places of a model's line: {attribute}, {relation.attribute},
// and {#relation} for the number of objects that it leads to.
var placeholder = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\{[#\w.]+\}`) })

// follow returns what names with dots between them lead to.
func (o *object) follow(path string) (starlark.Value, error) {
	for {
		name, rest, more := strings.Cut(path, ".")
		if counted, ok := strings.CutPrefix(name, "#"); ok {
			return o.model.session.count(o, o.model.relation(counted))
		}
		v, err := o.attribute(name)
		next, ok := v.(*object)
		if err != nil || !ok || !more {
			return v, err
		}
		o, path = next, rest
	}
}

// count returns how many stored objects a relation leads to.
func (s *session) count(o *object, r *relation) (starlark.Value, error) {
	if o.id() == 0 {
		return starlark.MakeInt(0), nil
	}
	found, err := s.models[r.target].rows.list(s.ctx, s.db.Queries, filter{r.by: o.id()})
	return starlark.MakeInt(len(found)), err
}

// Type returns the name of the model.
func (o *object) Type() string { return o.model.name }

// Hash makes objects keys of dictionaries.
func (o *object) Hash() (uint32, error) { return o.number, nil }

func (o *object) id() int64 { return *idOf(o.row) }

func (o *object) idValue() starlark.Value {
	if id := o.id(); id != 0 {
		return starlark.MakeInt64(id)
	}
	return starlark.None
}

// AttrNames lists what can follow the dot.
func (o *object) AttrNames() []string { return slices.Sorted(maps.Keys(o.model.attributes)) }

// Attr returns a column, related objects, or something to call; nil when there is no
// such name.
func (o *object) Attr(name string) (starlark.Value, error) {
	if m, ok := o.model.attributes[name].(*method); ok {
		return o.model.bound(m, o), nil
	}
	if err := o.current(); err != nil {
		return nil, err
	}
	return o.attribute(name)
}

// attribute is Attr for what is not called, of the row as it was read.
func (o *object) attribute(name string) (starlark.Value, error) {
	s := o.model.session
	switch a := o.model.attributes[name].(type) {
	case *column:
		return s.columnOf(o, a)
	case *relation:
		if a.many() {
			return s.members(o, a)
		}
		return s.related(o, a)
	case *virtual:
		return a.get(s, o)
	}
	return nil, nil
}

// columnOf returns the value of a column.
func (s *session) columnOf(o *object, c *column) (starlark.Value, error) {
	if c.deferred {
		if err := s.readDeferred(o, c); err != nil {
			return nil, err
		}
	}
	if c == &o.model.columns[0] {
		return o.idValue(), nil
	}
	if r := o.model.keyed(c.name); r != nil && o.refs[r.name] != nil {
		return o.refs[r.name].idValue(), nil
	}
	v := outOf(c.at(o.row))
	if c.show != nil && v != starlark.None {
		v = c.show(v)
	}
	return v, nil
}

// readDeferred reads a column that does not come with the row, unless it was set.
func (s *session) readDeferred(o *object, c *column) error {
	if o.deferredRead[c.name] || o.set[c.name] || o.id() == 0 {
		return nil
	}
	row := o.model.rows.blank()
	*idOf(row) = o.id()
	if err := o.model.rows.fetchDeferred(s.ctx, s.db.Queries, row, c.name); err != nil {
		return fmt.Errorf("reading from %s: %w", o.model.table, err)
	}
	c.copyTo(o.row, row)
	o.deferredRead[c.name] = true
	return nil
}

// related returns the object that a relation leads to, or None.
func (s *session) related(o *object, r *relation) (starlark.Value, error) {
	if to := o.refs[r.name]; to != nil {
		return to, nil
	}
	id, ok := outOf(o.model.column(r.key).at(o.row)).(starlark.Int)
	if !ok {
		return starlark.None, nil
	}
	n, _ := id.Int64()
	to, err := s.load(s.models[r.target], n)
	if err != nil || to == nil {
		return starlark.None, err
	}
	return to, nil
}

// members returns the list of a relation, the same one until something is saved, so
// that what is added to it is known.
func (s *session) members(o *object, r *relation) (*starlark.List, error) {
	m := o.lists[r.name]
	if m != nil && (m.generation == s.generation || m.differs()) {
		return m.list, nil
	}
	var stored []*object
	if o.id() != 0 {
		var err error
		if stored, err = s.find(s.models[r.target], filter{r.by: o.id()}); err != nil {
			return nil, err
		}
	}
	m = &members{list: listOf(stored), base: stored, generation: s.generation}
	o.lists[r.name] = m
	return m.list, nil
}

// difference returns what was added to the list and what was taken from it.
func (m *members) difference() (added, taken []*object) {
	base, now := map[*object]bool{}, map[*object]bool{}
	for _, o := range m.base {
		base[o] = true
	}
	for e := range m.list.Elements() {
		if o, ok := e.(*object); ok && !now[o] {
			now[o] = true
			if !base[o] {
				added = append(added, o)
			}
		}
	}
	for _, o := range m.base {
		if !now[o] {
			taken = append(taken, o)
		}
	}
	return added, taken
}

func (m *members) differs() bool {
	added, taken := m.difference()
	return len(added)+len(taken) > 0
}

// current reads the row again when something was committed since it was read. What
// was deleted here stays as it was.
func (o *object) current() error {
	s := o.model.session
	if o.id() == 0 || o.deleted || o.generation == s.generation {
		return nil
	}
	found, err := s.load(o.model, o.id())
	if err == nil && found == nil {
		err = errVanished(o)
	}
	return err
}

func errVanished(o *object) error {
	return problem("ObjectDeletedError", "the %s with id %d is not in the database any more", o.model.name, o.id())
}

// renew takes a row that was read anew, and keeps what was set.
func (o *object) renew(row any) {
	for _, c := range o.model.columns {
		if o.set[c.name] {
			c.copyTo(row, o.row)
		}
	}
	o.row, o.deferredRead = row, names{}
}

// changed reports whether the object has changes that were not saved.
func (o *object) changed() bool {
	if len(o.set) > 0 {
		return true
	}
	for _, m := range o.lists {
		if m.differs() {
			return true
		}
	}
	return false
}
