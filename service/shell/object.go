package shell

import (
	"errors"
	"fmt"
	"slices"

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
	deferredRead bool // the columns that do not come with the row were read
	deleted      bool
	// dirty tells that the session looks here for changes.
	dirty bool
}

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

// String shows the object as the contract has it, 40 §10.3.
func (o *object) String() string {
	var p *Problem
	if err := o.current(); err != nil && !errors.As(err, &p) {
		return fmt.Sprintf("<%s %s: %s>", o.model.name, repr(o.idValue()), err)
	}
	return o.model.show(o.model.session, o)
}

// Type returns the name of the model.
func (o *object) Type() string { return o.model.name }

// Freeze does nothing: nothing here runs side by side.
func (o *object) Freeze() {}

// Truth is true, as of every object.
func (o *object) Truth() starlark.Bool { return true }

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
func (o *object) AttrNames() []string {
	var list []string
	for _, c := range o.model.columns {
		list = append(list, c.name)
	}
	for _, r := range o.model.relations {
		list = append(list, r.name)
	}
	for _, v := range o.model.virtuals {
		list = append(list, v.name)
	}
	for _, m := range o.model.methods {
		list = append(list, m.name)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// Attr returns a column, related objects, or something to call; nil when there is no
// such name.
func (o *object) Attr(name string) (starlark.Value, error) {
	if m := o.model.method(name); m != nil {
		return o.model.bound(m, o), nil
	}
	if err := o.current(); err != nil {
		return nil, err
	}
	s := o.model.session
	if c := o.model.column(name); c != nil {
		return s.columnOf(o, c)
	}
	if r := o.model.relation(name); r != nil {
		if r.many() {
			return s.members(o, r)
		}
		return s.related(o, r)
	}
	if v := o.model.virtual(name); v != nil {
		return v.get(s, o)
	}
	return nil, nil
}

// columnOf returns the value of a column.
func (s *session) columnOf(o *object, c *column) (starlark.Value, error) {
	if c.deferred {
		if err := s.readDeferred(o); err != nil {
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

// readDeferred reads the columns that do not come with the row, but for those that were set.
func (s *session) readDeferred(o *object) error {
	if o.deferredRead || o.id() == 0 {
		return nil
	}
	row := o.model.rows.blank()
	*idOf(row) = o.id()
	if err := o.model.rows.readDeferred(s.ctx, s.db.Queries, row); err != nil {
		return fmt.Errorf("reading from %s: %w", o.model.table, err)
	}
	for _, c := range o.model.columns {
		if c.deferred && !o.set[c.name] {
			c.copyTo(o.row, row)
		}
	}
	o.deferredRead = true
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
	if m != nil && (m.generation == s.generation || m.changed()) {
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
	s.markDirty(o)
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

func (m *members) changed() bool {
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
	o.row, o.deferredRead = row, false
}

// pending reports whether a stored object has changes that were not saved.
func (o *object) pending() bool {
	if len(o.set) > 0 {
		return true
	}
	for _, m := range o.lists {
		if m.changed() {
			return true
		}
	}
	return false
}

// markDirty has the session look at a stored object at the next save.
func (s *session) markDirty(o *object) {
	if !o.dirty && o.id() != 0 {
		o.dirty = true
		s.dirty = append(s.dirty, o)
	}
}
