package shell

import "go.starlark.net/starlark"

// The enumerations of /docs/shell#session. Their members are modules with the type's
// name as kind.
var (
	operations = newEnum("Operation", "VIEW", "v", "EDIT", "e", "CREATE", "c", "DELETE", "d")
	scopes     = newEnum("Scope", "OWN", "own", "ORGANIZATION", "org", "COLLABORATION", "col", "GLOBAL", "glo")
)

func newEnum(name string, pairs ...string) *module {
	e := &module{kind: "enum", name: name, members: starlark.StringDict{}}
	for i := 0; i < len(pairs); i += 2 {
		e.members[pairs[i]] = &module{kind: name, name: name + "." + pairs[i], members: starlark.StringDict{
			"name": starlark.String(pairs[i]), "value": starlark.String(pairs[i+1]),
		}}
	}
	return e
}

// enumerated is a column that shows members. It takes them, or their names.
func enumerated(name string, enum *module) column {
	return column{
		name: name,
		take: func(_ *session, v starlark.Value) (starlark.Value, error) {
			member := memberName(v)
			if enum.members[member] == nil {
				return nil, problem("TypeError", "%s is no %s", repr(v), enum.name)
			}
			return starlark.String(member), nil
		},
		show: func(v starlark.Value) starlark.Value {
			if m := enum.members[str(v)]; m != nil {
				return m
			}
			return v
		},
	}
}

// memberName returns the name that a member, or the text of its name, stands for.
func memberName(v starlark.Value) string {
	if m, ok := v.(*module); ok && m.members["value"] != nil {
		return str(m.members["name"])
	}
	return str(v)
}
