package shell

import (
	"context"

	"go.starlark.net/starlark"

	"vserver/queries"
	"vserver/service/core"
)

// save stores an object with all that has to go with it: new objects that it refers
// to, and the changes of every other stored object. It is one transaction (contract
// 40 §10.2).
func (s *session) save(o *object) error {
	if o.gone {
		return deleted(o)
	}
	w := &writing{session: s, state: map[*object]stage{}}
	if err := w.gather(o); err != nil {
		return err
	}
	if err := s.core.Administer(s.ctx, func(ctx context.Context, tx *core.Tx) error { return w.write(ctx, tx.Tx) }); err != nil {
		return s.undo(err)
	}
	s.stored(w)
	return nil
}

func deleted(o *object) error {
	return problem("ObjectDeletedError", "this %s was deleted", o.model.name)
}

// stored takes over what was written.
func (s *session) stored(w *writing) {
	s.age++
	for _, o := range w.objects {
		if row := w.rows[o]; row != nil {
			o.row = row
		}
		s.loaded[key{o.model.name, o.id()}] = o
		o.settle()
	}
	s.touched = nil
}

// settle forgets what was changed; the row is read again when it is asked for.
func (o *object) settle() {
	o.set, o.refs, o.lists = names{}, map[string]*object{}, map[string]*members{}
	o.touched, o.age = false, -1
}

// undo gives up the changes of stored objects after a transaction that failed, so
// that they do not stand in the way of the next one. New objects keep theirs.
func (s *session) undo(err error) error {
	for _, o := range s.touched {
		o.settle()
	}
	s.touched = nil
	s.age++
	return readable(err)
}

// remove deletes an object.
func (s *session) remove(o *object) error {
	if o.gone {
		return deleted(o)
	}
	if err := o.current(); err != nil {
		return err
	}
	if o.id() == 0 {
		return problem("InvalidRequestError", "this %s is not stored", o.model.name)
	}
	err := s.core.Administer(s.ctx, func(ctx context.Context, tx *core.Tx) error {
		if err := o.model.rows.remove(ctx, tx.Tx, o.id()); err != nil {
			return &failed{o.model, err, true}
		}
		return nil
	})
	if err != nil {
		return readable(err)
	}
	delete(s.loaded, key{o.model.name, o.id()})
	s.age++
	o.gone = true
	o.set, o.lists = names{}, map[string]*members{}
	return nil
}

// stage is how far an object has come on its way into the list of what is written.
type stage uint8

const (
	unseen stage = iota
	entered
	listed
)

// writing is what one save writes.
type writing struct {
	*session
	state   map[*object]stage
	objects []*object       // in the order of writing: who is referred to comes first
	rows    map[*object]any // as they were written
}

// gather lists what has to be written.
func (w *writing) gather(o *object) error {
	if err := w.visit(o); err != nil {
		return err
	}
	// Lists may touch further objects while this runs.
	for i := 0; i < len(w.touched); i++ {
		if other := w.touched[i]; !other.gone && other.pending() {
			if err := w.visit(other); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *writing) visit(o *object) error {
	switch w.state[o] {
	case unseen:
	case listed:
		return nil
	case entered:
		return problem("CircularDependencyError", "new objects refer to each other; save one of them first")
	}
	w.state[o] = entered
	for _, r := range o.model.relations {
		if to := o.refs[r.name]; to != nil && to != o {
			if err := w.visit(to); err != nil {
				return err
			}
		}
	}
	w.state[o] = listed
	w.objects = append(w.objects, o)
	for i := range o.model.relations {
		if err := w.visitMembers(o, &o.model.relations[i]); err != nil {
			return err
		}
	}
	return nil
}

// visitMembers lists what was added to a list or taken from it. Of members that have
// the id of their owner, the change is one of the members.
func (w *writing) visitMembers(o *object, r *relation) error {
	m := o.lists[r.name]
	if m == nil {
		return nil
	}
	for e := range m.list.Elements() {
		if isA(e, r.target) != nil {
			return problem("TypeError", "%s of %s: %s is no %s", r.name, article(o.model.name), repr(e), r.target)
		}
	}
	added, taken := m.difference()
	for _, member := range added {
		if r.link == nil {
			if member.gone {
				return deleted(member)
			}
			if err := member.current(); err != nil {
				return err
			}
			if err := w.lead(member, member.model.keyed(r.by), o); err != nil {
				return err
			}
			w.touch(member)
		}
		if r.link == nil || member.id() == 0 {
			if err := w.visit(member); err != nil {
				return err
			}
		}
	}
	if r.link != nil {
		return nil
	}
	return w.part(o, r, taken)
}

// part takes members from an owner, unless they have another one already.
func (w *writing) part(o *object, r *relation, taken []*object) error {
	for _, member := range taken {
		if member.gone || member.current() != nil {
			continue
		}
		c, back := member.model.column(r.by), member.model.keyed(r.by)
		owner, ok := outOf(c.at(member.row)).(starlark.Int)
		if id, _ := owner.Int64(); !ok || id != o.id() || member.refs[back.name] != nil {
			continue
		}
		if err := w.setColumn(member, c, starlark.None); err != nil {
			return err
		}
		w.touch(member)
		if err := w.visit(member); err != nil {
			return err
		}
	}
	return nil
}

// write does it all within a transaction. It may run twice.
func (w *writing) write(ctx context.Context, tx *queries.Tx) error {
	w.rows = map[*object]any{}
	for _, o := range w.objects {
		if err := w.writeRow(ctx, tx, o); err != nil {
			return &failed{o.model, err, false}
		}
	}
	for _, o := range w.objects {
		if err := w.writeLinks(ctx, tx, o); err != nil {
			return &failed{o.model, err, false}
		}
	}
	return nil
}

// id gives the id of an object, 0 before it is written.
func (w *writing) id(o *object) int64 {
	if row := w.rows[o]; row != nil {
		return *o.model.id(row)
	}
	return o.id()
}

func (w *writing) writeRow(ctx context.Context, tx *queries.Tx, o *object) error {
	id := o.id()
	if id != 0 && len(o.set) == 0 {
		return nil
	}
	row, err := w.rowToWrite(ctx, tx, o)
	if err != nil {
		return err
	}
	for name, to := range o.refs {
		target := w.id(to)
		if target == 0 {
			return problem("CircularDependencyError", "new objects refer to each other; save one of them first")
		}
		if err := into(o.model.column(o.model.relation(name).key).at(row), starlark.MakeInt64(target)); err != nil {
			return err
		}
	}
	if id == 0 {
		if id, err = o.model.rows.insert(ctx, tx, row); err != nil {
			return err
		}
		*o.model.id(row) = id
	}
	w.rows[o] = row
	return o.model.rows.update(ctx, tx, row, o.set)
}

// rowToWrite gives a copy of a new row, or the stored row as it is at this moment
// with what was set.
func (w *writing) rowToWrite(ctx context.Context, tx *queries.Tx, o *object) (any, error) {
	if o.id() == 0 {
		row := o.model.rows.blank()
		o.copyTo(row, func(*column) bool { return true })
		return row, nil
	}
	row, err := o.model.rows.hold(ctx, tx, o.id())
	if queries.Missing(err) {
		return nil, vanished(o)
	}
	if err != nil {
		return nil, err
	}
	o.copyTo(row, func(c *column) bool { return o.set[c.name] || c.apart && o.rest })
	return row, nil
}

func (o *object) copyTo(row any, which func(*column) bool) {
	for i := range o.model.columns {
		if c := &o.model.columns[i]; which(c) {
			copyColumn(c.at(row), c.at(o.row))
		}
	}
}

// writeLinks joins and parts rows that are many on both sides.
func (w *writing) writeLinks(ctx context.Context, tx *queries.Tx, o *object) error {
	for name, m := range o.lists {
		link := o.model.relation(name).link
		if link == nil {
			continue
		}
		added, taken := m.difference()
		for _, other := range taken {
			if err := link.remove(ctx, tx, w.id(o), other.id()); err != nil {
				return err
			}
		}
		for _, other := range added {
			if err := link.add(ctx, tx, w.id(o), w.id(other)); err != nil {
				return err
			}
		}
	}
	return nil
}
