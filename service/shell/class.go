package shell

import (
	"fmt"
	"slices"
	"strings"

	"go.starlark.net/starlark"
)

var (
	_ starlark.Callable = (*model)(nil)
	_ starlark.HasAttrs = (*model)(nil)
)

// String shows the model as Python shows a class.
func (m *model) String() string { return "<class 'db." + m.name + "'>" }

// Type is that of a class.
func (m *model) Type() string { return "type" }

// Hash makes models keys of dictionaries.
func (m *model) Hash() (uint32, error) { return starlark.String(m.name).Hash() }

// Name is how messages call the constructor.
func (m *model) Name() string { return m.name }

// AttrNames lists what can follow the dot.
func (m *model) AttrNames() []string {
	var list []string
	for name, a := range m.attributes {
		if _, ok := a.(*method); ok {
			list = append(list, name)
		}
	}
	slices.Sort(list)
	return list
}

// Attr returns something to call; nil when there is no such name.
func (m *model) Attr(name string) (starlark.Value, error) {
	method, ok := m.attributes[name].(*method)
	switch {
	case !ok:
		return nil, nil
	case !method.class:
		return nil, problem("TypeError", "%s() is for one %s: call it on an object", name, m.name)
	}
	return m.bound(method, nil), nil
}

// bound makes a method callable on an object, or on the class.
func (m *model) bound(method *method, o *object) *starlark.Builtin {
	return starlark.NewBuiltin(method.name, func(t *starlark.Thread, b *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		return m.call(method, call{m.session, m, o, t, b.Name(), args, kwargs})
	})
}

// call runs a method. What it works on is read again when it may have changed.
func (m *model) call(method *method, c call) (starlark.Value, error) {
	if c.object != nil {
		if err := c.object.current(); err != nil {
			return nil, err
		}
	}
	return method.invoke(c)
}

// CallInternal makes an object of the values of its columns and relations; it is
// stored by save.
func (m *model) CallInternal(_ *starlark.Thread, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if m.rows == nil {
		return nil, problem("TypeError", "%s is made as a User or a Node", article(m.name))
	}
	if len(args) > 0 {
		return nil, problem("TypeError", "%s() takes its values by name, as in %s(%s=…)", m.name, m.name, m.columns[min(1, len(m.columns)-1)].name)
	}
	o := m.session.newObject(m)
	for _, pair := range kwargs {
		name := string(pair[0].(starlark.String))
		if !m.settable(name) {
			return nil, problem("TypeError", "'%s' is an invalid keyword argument for %s", name, m.name)
		}
		if pair[1] == starlark.None && m.relation(name) != nil {
			continue
		}
		if err := o.SetField(name, pair[1]); err != nil {
			return nil, err
		}
	}
	return o, nil
}

// settable reports whether an object's attribute can be set.
func (m *model) settable(name string) bool {
	switch a := m.attributes[name].(type) {
	case *column, *relation:
		return true
	case *virtual:
		return a.set != nil
	}
	return false
}

// call is one call of a method.
type call struct {
	*session
	model  *model
	object *object // nil: of the class
	thread *starlark.Thread
	name   string
	args   starlark.Tuple
	kwargs []starlark.Tuple
}

// unpack reads the arguments, as starlark.UnpackArgs does.
func (c call) unpack(pairs ...any) error {
	return starlark.UnpackArgs(c.name, c.args, c.kwargs, pairs...)
}

// one reads the only argument, an object of a model.
func (c call) one(name, model string) (*object, error) {
	var v starlark.Value
	if err := c.unpack(name, &v); err != nil {
		return nil, err
	}
	o, ok := v.(*object)
	if err := isA(v, model); !ok || err != nil {
		return nil, err
	}
	return o, o.current()
}

// plain makes a method without arguments.
func plain(f func(c call) (starlark.Value, error)) func(call) (starlark.Value, error) {
	return func(c call) (starlark.Value, error) {
		if err := c.unpack(); err != nil {
			return nil, err
		}
		return f(c)
	}
}

// withText makes a method with one argument, a text.
func withText(argument string, f func(c call, text string) (starlark.Value, error)) func(call) (starlark.Value, error) {
	return func(c call) (starlark.Value, error) {
		var text string
		if err := c.unpack(argument, &text); err != nil {
			return nil, err
		}
		return f(c, text)
	}
}

// commonMethods are the methods of all models (/docs/shell#methods).
var commonMethods = []method{
	{"get", true, get},
	{"help", true, plain(func(c call) (starlark.Value, error) {
		c.thread.Print(c.thread, c.model.help())
		return starlark.None, nil
	})},
	{"save", false, plain(func(c call) (starlark.Value, error) { return starlark.None, c.save(c.object) })},
	{"delete", false, plain(func(c call) (starlark.Value, error) { return starlark.None, c.remove(c.object) })},
}

// get returns all objects, or the one with an id, or None.
func get(c call) (starlark.Value, error) {
	var id starlark.Value = starlark.None
	if err := c.unpack("id?", &id); err != nil {
		return nil, err
	}
	if id == starlark.None {
		all, err := c.find(c.model, nil)
		return listOf(all), err
	}
	n, err := wholeNumber(id)
	if err != nil {
		return nil, err
	}
	o, err := c.load(c.model, n)
	if err != nil || o == nil {
		return starlark.None, err
	}
	return o, nil
}

// help returns the text of /docs/shell#methods.
func (m *model) help() string {
	var b strings.Builder
	fmt.Fprintf(&b, "Table: %s\n\nProperties: \n", m.table)
	for _, c := range m.columns {
		fmt.Fprintf(&b, " ->%s\n", c.name)
	}
	b.WriteString("\nRelations: \n")
	for _, r := range m.relations {
		fmt.Fprintf(&b, " ->%s\n", r.name)
	}
	b.WriteString("\nMethods: \n")
	for _, name := range m.AttrNames() {
		fmt.Fprintf(&b, " ->%s\n", name)
	}
	return b.String() + "\n"
}
