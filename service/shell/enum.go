package shell

import (
	"go.starlark.net/starlark"
)

// enumMember is one of a few named values, such as Scope.GLOBAL.
type enumMember struct {
	enum, name, value string
	constant
}

// The enumerations of contract 40 §10.1.
var (
	operations = newEnum("Operation", "VIEW", "v", "EDIT", "e", "CREATE", "c", "DELETE", "d")
	scopes     = newEnum("Scope", "OWN", "own", "ORGANIZATION", "org", "COLLABORATION", "col", "GLOBAL", "glo")
)

func newEnum(name string, pairs ...string) *module {
	e := &module{kind: "enum", name: name, members: starlark.StringDict{}}
	for i := 0; i < len(pairs); i += 2 {
		e.members[pairs[i]] = enumMember{enum: name, name: pairs[i], value: pairs[i+1]}
	}
	return e
}

// enumerated is a column that shows members. It takes them, or their names.
func enumerated(name string, enum *module) column {
	return column{
		name: name,
		take: func(_ *session, v starlark.Value) (starlark.Value, error) {
			if m, ok := enum.members[memberName(v)].(enumMember); ok {
				return starlark.String(m.name), nil
			}
			return nil, problem("TypeError", "%s is no %s", repr(v), enum.name)
		},
		show: func(v starlark.Value) starlark.Value {
			if m, ok := enum.members[str(v)]; ok {
				return m
			}
			return v
		},
	}
}

// memberName returns the name that a member, or the text of its name, stands for.
func memberName(v starlark.Value) string {
	if m, ok := v.(enumMember); ok {
		return m.name
	}
	return str(v)
}

// String shows the member as Python does.
func (m enumMember) String() string { return "<" + m.str() + ": '" + m.value + "'>" }

func (m enumMember) str() string { return m.enum + "." + m.name }

// Type returns the name of the enumeration.
func (m enumMember) Type() string { return m.enum }

// Hash makes members keys of dictionaries.
func (m enumMember) Hash() (uint32, error) { return starlark.String(m.str()).Hash() }

// Attr returns name and value.
func (m enumMember) Attr(name string) (starlark.Value, error) {
	return starlark.StringDict{"name": starlark.String(m.name), "value": starlark.String(m.value)}[name], nil
}

// AttrNames lists name and value.
func (m enumMember) AttrNames() []string { return []string{"name", "value"} }
