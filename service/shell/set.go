package shell

import (
	"strings"

	"go.starlark.net/starlark"
)

// SetField changes an attribute of the object; save stores it.
func (o *object) SetField(name string, v starlark.Value) error {
	if o.deleted {
		return errDeleted(o)
	}
	if err := o.current(); err != nil {
		return err
	}
	err := o.assign(name, v)
	if p, ok := err.(*Problem); ok && p.Kind == "TypeError" { //nolint:errorlint // it is made right here
		return problem(p.Kind, "%s of %s: %s", name, article(o.model.name), p.Text)
	}
	return err
}

func (o *object) assign(name string, v starlark.Value) error {
	s := o.model.session
	switch a := o.model.attributes[name].(type) {
	case *column:
		return s.setColumn(o, a, v)
	case *relation:
		if a.many() {
			return s.setMembers(o, a, v)
		}
		return s.setRelated(o, a, v)
	case *virtual:
		if a.set != nil {
			return a.set(s, o, v)
		}
	case nil:
		return problem("AttributeError", "%s has no column or relation %s; db.%s.help() lists them", article(o.model.name), name, o.model.name)
	}
	return problem("AttributeError", "%s of %s cannot be set", name, article(o.model.name))
}

func article(name string) string {
	if strings.ContainsRune("AEIO", rune(name[0])) {
		return "an " + name
	}
	return "a " + name
}

func (s *session) setColumn(o *object, c *column, v starlark.Value) error {
	if c.fixed != "" {
		return problem("AttributeError", "%s of %s cannot be set: %s", c.name, article(o.model.name), c.fixed)
	}
	if c.take != nil && v != starlark.None {
		var err error
		if v, err = c.take(s, v); err != nil {
			return err
		}
	}
	if err := into(c.at(o.row), v); err != nil {
		return err
	}
	o.set[c.name] = true
	if r := o.model.keyed(c.name); r != nil {
		delete(o.refs, r.name)
	}
	return nil
}

// setRelated leads a relation to another object, or to none.
func (s *session) setRelated(o *object, r *relation, v starlark.Value) error {
	c := o.model.column(r.key)
	if v == starlark.None {
		return s.setColumn(o, c, v)
	}
	to, ok := v.(*object)
	if !ok || to.model.name != r.target {
		return problem("TypeError", "%s is no %s", repr(v), r.target)
	}
	return s.refer(o, r, to)
}

// refer sets a relation to an object, which may not be stored yet.
func (s *session) refer(o *object, r *relation, to *object) error {
	c := o.model.column(r.key)
	if to.id() != 0 {
		return s.setColumn(o, c, to.idValue())
	}
	o.set[c.name] = true
	o.refs[r.name] = to
	return nil
}

// setMembers replaces the list of a relation with the elements of another one.
func (s *session) setMembers(o *object, r *relation, v starlark.Value) error {
	from, ok := v.(starlark.Iterable)
	if !ok {
		return problem("TypeError", "%s is no list of %s", repr(v), r.target)
	}
	if _, err := s.members(o, r); err != nil {
		return err
	}
	var list []starlark.Value
	for e := range starlark.Elements(from) {
		if err := isA(e, r.target); err != nil {
			return err
		}
		list = append(list, e)
	}
	m := o.lists[r.name]
	o.lists[r.name] = &members{list: starlark.NewList(list), base: m.base, generation: m.generation}
	return nil
}

// isA refuses what is no object of a model.
func isA(v starlark.Value, model string) error {
	if o, ok := v.(*object); !ok || o.model.name != model {
		return problem("TypeError", "%s is no %s", repr(v), model)
	}
	return nil
}
