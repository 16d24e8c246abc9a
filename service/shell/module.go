package shell

import (
	"maps"
	"slices"
	"strings"

	"go.starlark.net/starlark"
)

// unpacker reads the arguments of a call, as starlark.UnpackArgs does.
type unpacker func(pairs ...any) error

// builtin makes a function of the shell.
func builtin(name string, f func(unpack unpacker) (starlark.Value, error)) *starlark.Builtin {
	return starlark.NewBuiltin(name, func(_ *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		return f(func(pairs ...any) error { return starlark.UnpackArgs(b.Name(), args, kwargs, pairs...) })
	})
}

// without makes a function that takes no arguments.
func without(name string, f func() starlark.Value) *starlark.Builtin {
	return builtin(name, func(unpack unpacker) (starlark.Value, error) {
		if err := unpack(); err != nil {
			return nil, err
		}
		return f(), nil
	})
}

// module is names behind a dot: a module, an enumeration, one of its members (which
// have a name and a value), or a class that is called.
type module struct {
	kind, name string
	members    starlark.StringDict
	make       *starlark.Builtin // what a call does; nil: it cannot be called
	constant
}

func newModule(name string, members starlark.StringDict) *module {
	return &module{kind: "module", name: name, members: members}
}

// String shows the module as Python does.
func (m *module) String() string {
	if value, ok := m.members["value"].(starlark.String); ok {
		return "<" + m.name + ": '" + string(value) + "'>"
	}
	return "<" + m.kind + " '" + m.name + "'>"
}

// asText shows a member of an enumeration by its name.
func (m *module) asText() string {
	if m.members["value"] != nil {
		return m.name
	}
	return m.String()
}

// Type returns its kind.
func (m *module) Type() string { return m.kind }

// Hash makes it a key of dictionaries.
func (m *module) Hash() (uint32, error) { return starlark.String(m.name).Hash() }

// Name is how messages call it.
func (m *module) Name() string { return m.name }

// Attr returns a member; nil when there is none.
func (m *module) Attr(name string) (starlark.Value, error) {
	return m.members[name], removedAttr(m.name, name)
}

// AttrNames lists the members.
func (m *module) AttrNames() []string { return slices.Sorted(maps.Keys(m.members)) }

// CallInternal makes an object of a class.
func (m *module) CallInternal(t *starlark.Thread, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if m.make == nil {
		return nil, problem("TypeError", "'%s' object is not callable; behind the dot of %s are %s", m.kind, m.name, strings.Join(m.AttrNames(), ", "))
	}
	return m.make.CallInternal(t, args, kwargs)
}

// removed are attributes that Python has and scripts may use, with what to write here.
var removed = map[string]string{
	"datetime.timedelta":              "compare with a date, as in datetime.datetime(2024, 5, 31)",
	"datetime.date":                   "write datetime.datetime(2024, 5, 31)",
	"datetime.datetime.today":         "write datetime.datetime.now()",
	"datetime.datetime.fromisoformat": "write datetime.datetime(2024, 5, 31), or set the column to the text itself",
	"datetime.datetime.strptime":      "write datetime.datetime(2024, 5, 31), or set the column to the text in the form 2024-05-31 12:00",
	"datetime.datetime.timestamp":     "write strftime('%s')",
}

// removedAttr returns the error of an attribute that is not there any more, or nil.
func removedAttr(of, name string) error {
	if instead, ok := removed[of+"."+name]; ok {
		return problem("AttributeError", "%s has no %s here; %s", of, name, instead)
	}
	return nil
}
