package shell

import (
	"context"

	"go.starlark.net/starlark"

	"vserver/queries"
	"vserver/service/core"
)

// save stores an object with all that has to go with it: new objects that it refers
// to, and the changes of every other stored object. It is one transaction (/docs/shell#methods).
func (s *session) save(o *object) error {
	if o.deleted {
		return errDeleted(o)
	}
	w := &unitOfWork{session: s, state: map[*object]visitState{}}
	if err := w.gather(o); err != nil {
		return err
	}
	if err := s.core.Administer(s.ctx, w.write); err != nil {
		return s.rollBack(err)
	}
	s.stored(w)
	return nil
}

func errDeleted(o *object) error {
	return problem("ObjectDeletedError", "this %s was deleted", o.model.name)
}

// stored takes over what was written.
func (s *session) stored(w *unitOfWork) {
	s.generation++
	for _, o := range w.objects {
		if row := w.rows[o]; row != nil {
			o.row = row
		}
		s.loaded[key{o.model.name, o.id()}] = o
		o.expire()
	}
}

// expire forgets what was changed; the row is read again when it is asked for.
func (o *object) expire() {
	o.set, o.deferredRead, o.refs, o.lists = names{}, names{}, map[string]*object{}, map[string]*members{}
	o.generation = -1
}

// rollBack discards the changes of stored objects after a transaction that failed, so
// that they do not stand in the way of the next one. New objects keep theirs.
func (s *session) rollBack(err error) error {
	for _, o := range s.pending() {
		o.expire()
	}
	s.generation++
	return worded(err)
}

// remove deletes an object.
func (s *session) remove(o *object) error {
	if o.deleted {
		return errDeleted(o)
	}
	if err := o.current(); err != nil {
		return err
	}
	if o.id() == 0 {
		return problem("InvalidRequestError", "this %s is not stored", o.model.name)
	}
	err := s.core.Administer(s.ctx, func(ctx context.Context, t *core.Tx) error {
		if err := o.model.rows.deleteRow(ctx, t, o.id()); err != nil {
			return &rowError{o.model, err, true}
		}
		return nil
	})
	if err != nil {
		return worded(err)
	}
	delete(s.loaded, key{o.model.name, o.id()})
	s.generation++
	o.deleted = true
	o.set, o.lists = names{}, map[string]*members{}
	return nil
}

// visitState is how far an object has come on its way into the list of what is written.
type visitState uint8

const (
	unvisited visitState = iota
	visiting
	visited
)

// unitOfWork is what one save writes.
type unitOfWork struct {
	*session
	state   map[*object]visitState
	objects []*object       // in the order of writing: who is referred to comes first
	rows    map[*object]any // as they were written
}

// gather lists what has to be written.
func (w *unitOfWork) gather(o *object) error {
	if err := w.visit(o); err != nil {
		return err
	}
	for _, other := range w.pending() {
		if err := w.visit(other); err != nil {
			return err
		}
	}
	return nil
}

func (w *unitOfWork) visit(o *object) error {
	switch w.state[o] {
	case unvisited:
	case visited:
		return nil
	case visiting:
		return problem("CircularDependencyError", "new objects refer to each other; save one of them first")
	}
	w.state[o] = visiting
	for _, r := range o.model.relations {
		if to := o.refs[r.name]; to != nil && to != o {
			if err := w.visit(to); err != nil {
				return err
			}
		}
	}
	w.state[o] = visited
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
func (w *unitOfWork) visitMembers(o *object, r *relation) error {
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
			if member.deleted {
				return errDeleted(member)
			}
			if err := member.current(); err != nil {
				return err
			}
			if err := w.refer(member, member.model.keyed(r.by), o); err != nil {
				return err
			}
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
	return w.detach(o, r, taken)
}

// detach takes members from an owner, unless they have another one already.
func (w *unitOfWork) detach(o *object, r *relation, taken []*object) error {
	for _, member := range taken {
		if member.deleted || member.current() != nil {
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
		if err := w.visit(member); err != nil {
			return err
		}
	}
	return nil
}

// write does it all within a transaction. It may run twice.
func (w *unitOfWork) write(ctx context.Context, t *core.Tx) error {
	w.rows = map[*object]any{}
	for _, o := range w.objects {
		if err := w.writeRow(ctx, t, o); err != nil {
			return &rowError{o.model, err, false}
		}
	}
	for _, o := range w.objects {
		if err := w.writeLinks(ctx, t, o); err != nil {
			return &rowError{o.model, err, false}
		}
	}
	return nil
}

// currentID returns the id of an object, 0 before it is written.
func (w *unitOfWork) currentID(o *object) int64 {
	if row := w.rows[o]; row != nil {
		return *idOf(row)
	}
	return o.id()
}

func (w *unitOfWork) writeRow(ctx context.Context, t *core.Tx, o *object) error {
	if o.id() != 0 && len(o.set) == 0 {
		return nil
	}
	row, err := w.rowToWrite(ctx, t, o)
	if err != nil {
		return err
	}
	for name, to := range o.refs {
		target := w.currentID(to)
		if target == 0 {
			return problem("CircularDependencyError", "new objects refer to each other; save one of them first")
		}
		if err := into(o.model.column(o.model.relation(name).key).at(row), starlark.MakeInt64(target)); err != nil {
			return err
		}
	}
	w.rows[o] = row
	return o.model.rows.write(ctx, t, row, o.set)
}

// rowToWrite returns a copy of a new row, or the stored row as it is at this moment
// with what was set.
func (w *unitOfWork) rowToWrite(ctx context.Context, t *core.Tx, o *object) (any, error) {
	if o.id() == 0 {
		row := o.model.rows.blank()
		o.copyColumns(row, func(*column) bool { return true })
		return row, nil
	}
	row, err := o.model.rows.hold(ctx, t, o.id())
	if queries.Missing(err) {
		return nil, errVanished(o)
	}
	if err != nil {
		return nil, err
	}
	o.copyColumns(row, func(c *column) bool { return o.set[c.name] })
	return row, nil
}

func (o *object) copyColumns(row any, which func(*column) bool) {
	for i := range o.model.columns {
		if c := &o.model.columns[i]; which(c) {
			c.copyTo(row, o.row)
		}
	}
}

// writeLinks joins and parts rows that are many on both sides.
func (w *unitOfWork) writeLinks(ctx context.Context, t *core.Tx, o *object) error {
	for name, m := range o.lists {
		link := o.model.relation(name).link
		if link == nil {
			continue
		}
		added, taken := m.difference()
		for _, other := range taken {
			if err := link.remove(ctx, t, w.currentID(o), other.id()); err != nil {
				return err
			}
		}
		for _, other := range added {
			if err := link.add(ctx, t, w.currentID(o), w.currentID(other)); err != nil {
				return err
			}
		}
	}
	return nil
}
