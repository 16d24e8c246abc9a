package shell

import (
	"slices"

	"go.starlark.net/starlark"
)

// enumeration is a class of a few named values, such as Scope.
type enumeration struct {
	name    string
	members []member
}

// member is one of them.
type member struct {
	of          *enumeration
	name, value string
}

// The enumerations of contract 40 §10.1, in its order.
var (
	operations = enumerate("Operation", "VIEW", "v", "EDIT", "e", "CREATE", "c", "DELETE", "d")
	scopes     = enumerate("Scope", "OWN", "own", "ORGANIZATION", "org", "COLLABORATION", "col", "GLOBAL", "glo")
)

func enumerate(name string, pairs ...string) *enumeration {
	e := &enumeration{name: name}
	for p := range slices.Chunk(pairs, 2) {
		e.members = append(e.members, member{e, p[0], p[1]})
	}
	return e
}

// enumerated makes a column show members. It takes them, or their names.
func enumerated(c column, e *enumeration) column {
	c.take = func(_ *session, v starlark.Value) (starlark.Value, error) {
		if m := e.find(memberName(v)); m != nil {
			return starlark.String(m.name), nil
		}
		return nil, problem("TypeError", "%s is no %s", repr(v), e.name)
	}
	c.show = func(v starlark.Value) starlark.Value {
		if m := e.find(str(v)); m != nil {
			return *m
		}
		return v
	}
	return c
}

// memberName gives the name that a member, or the text of its name, stands for.
func memberName(v starlark.Value) string {
	if m, ok := v.(member); ok {
		return m.name
	}
	return str(v)
}

func (e *enumeration) find(name string) *member {
	for i := range e.members {
		if e.members[i].name == name {
			return &e.members[i]
		}
	}
	return nil
}

// String shows the enumeration as Python does.
func (e *enumeration) String() string { return "<enum '" + e.name + "'>" }

// Type is that of an enumeration.
func (e *enumeration) Type() string { return "EnumMeta" }

// Freeze does nothing.
func (e *enumeration) Freeze() {}

// Truth is true.
func (e *enumeration) Truth() starlark.Bool { return true }

// Hash makes it a key.
func (e *enumeration) Hash() (uint32, error) { return starlark.String(e.name).Hash() }

// Attr gives a member by its name; nil when there is none.
func (e *enumeration) Attr(name string) (starlark.Value, error) {
	if m := e.find(name); m != nil {
		return *m, nil
	}
	return nil, nil
}

// AttrNames lists the members.
func (e *enumeration) AttrNames() []string {
	list := make([]string, len(e.members))
	for i, m := range e.members {
		list[i] = m.name
	}
	slices.Sort(list)
	return list
}

// Get gives a member by its name in brackets.
func (e *enumeration) Get(k starlark.Value) (starlark.Value, bool, error) {
	m := e.find(str(k))
	if m == nil {
		return nil, false, nil
	}
	return *m, true, nil
}

// Iterate goes through the members.
func (e *enumeration) Iterate() starlark.Iterator {
	list := make(starlark.Tuple, len(e.members))
	for i, m := range e.members {
		list[i] = m
	}
	return list.Iterate()
}

// Name is how messages call it.
func (e *enumeration) Name() string { return e.name }

// CallInternal gives the member with a value, as in Scope("glo").
func (e *enumeration) CallInternal(_ *starlark.Thread, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	var value string
	if err := starlark.UnpackArgs(e.name, args, kwargs, "value", &value); err != nil {
		return nil, err
	}
	for _, m := range e.members {
		if m.value == value {
			return m, nil
		}
	}
	return nil, problem("ValueError", "%s is not a valid %s", repr(starlark.String(value)), e.name)
}

// String shows the member as Python does.
func (m member) String() string { return "<" + m.str() + ": '" + m.value + "'>" }

func (m member) str() string { return m.of.name + "." + m.name }

// Type gives the name of the enumeration.
func (m member) Type() string { return m.of.name }

// Freeze does nothing.
func (m member) Freeze() {}

// Truth is true.
func (m member) Truth() starlark.Bool { return true }

// Hash makes members keys of dictionaries.
func (m member) Hash() (uint32, error) { return starlark.String(m.str()).Hash() }

// Attr gives name and value.
func (m member) Attr(name string) (starlark.Value, error) {
	switch name {
	case "name":
		return starlark.String(m.name), nil
	case "value":
		return starlark.String(m.value), nil
	}
	return nil, nil
}

// AttrNames lists name and value.
func (m member) AttrNames() []string { return []string{"name", "value"} }
