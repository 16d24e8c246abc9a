package shell

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/google/uuid"
	"go.starlark.net/lib/json"
	"go.starlark.net/starlark"
)

// The functions that translated statements call.
const (
	formatFunction     = "__format__"
	importFunction     = "__import__"
	charactersFunction = "__characters__"
)

// Context is what the name ctx holds about the instance.
type Context struct {
	Name, Environment, Scope     string
	ConfigFile, DataDir, LogFile string
}

// predeclared returns the names that a session begins with.
func predeclared(s *session, about Context, out io.Writer) starlark.StringDict {
	db := newModule("db", starlark.StringDict{})
	for name, m := range s.models {
		db.members[name] = m
	}
	names := starlark.StringDict{
		"db": db, "Scope": scopes, "Operation": operations, "datetime": datetimeModule(), "uuid": uuidModule(), "ctx": contextObject(about),
		"print": starlark.NewBuiltin("print", printTo(out)), "help": helpTo(out, db),
		"exit": newExitFunction("exit"), "quit": newExitFunction("quit"),
		"str": ofText("str", str), "repr": ofText("repr", repr),
		"len": ofCharacters("len"), "getattr": ofCharacters("getattr"),
		formatFunction: starlark.NewBuiltin(formatFunction, joinTexts),
		charactersFunction: builtin(charactersFunction, func(unpack unpacker) (starlark.Value, error) {
			var v starlark.Value
			if err := unpack("x", &v); err != nil {
				return nil, err
			}
			return newCharacters(v), nil
		}),
	}
	names[importFunction] = importer(modules(names, db))
	return names
}

func contextObject(about Context) *module {
	members := starlark.StringDict{}
	for name, text := range map[string]string{
		"name": about.Name, "environment": about.Environment, "scope": about.Scope,
		"config_file": about.ConfigFile, "data_dir": about.DataDir, "log_file": about.LogFile,
	} {
		members[name] = starlark.String(text)
	}
	return &module{kind: "object", name: "ctx", members: members}
}

// uuidModule has random UUIDs only, as texts: they serve as keys, and must not be
// guessed from the time.
func uuidModule() *module {
	random := func() starlark.Value { return starlark.String(uuid.NewString()) }
	return newModule("uuid", starlark.StringDict{"uuid1": without("uuid1", random), "uuid4": without("uuid4", random)})
}

// modules are what can be imported, among them those of the reference that hold
// Scope and Operation.
func modules(names starlark.StringDict, db *module) map[string]*module {
	rule := starlark.StringDict{"Scope": scopes, "Operation": operations, "Rule": db.members["Rule"]}
	return map[string]*module{
		"db": db, "datetime": names["datetime"].(*module), "uuid": names["uuid"].(*module),
		"json":                       newModule("json", starlark.StringDict{"dumps": json.Module.Members["encode"], "loads": json.Module.Members["decode"]}),
		"vantage6.server":            newModule("vantage6.server", starlark.StringDict{"db": db}),
		"vantage6.server.model.rule": newModule("vantage6.server.model.rule", rule),
	}
}

// importer returns the function that an import calls with the name of a module, and
// of one of its members or "".
func importer(modules map[string]*module) *starlark.Builtin {
	return builtin(importFunction, func(unpack unpacker) (starlark.Value, error) {
		var name, member string
		if err := unpack("name", &name, "member", &member); err != nil {
			return nil, err
		}
		m := modules[name]
		switch {
		case m == nil:
			return nil, problem("ModuleNotFoundError", "No module named '%s'; this shell has %s", name,
				strings.Join(slices.Sorted(maps.Keys(modules)), ", "))
		case member == "":
			return m, nil
		}
		v, err := m.Attr(member)
		if v == nil && err == nil {
			err = problem("ImportError", "cannot import name '%s' from '%s'; it has %s", member, name, strings.Join(m.AttrNames(), ", "))
		}
		return v, err
	})
}

// joinTexts is what an f-string calls with its parts.
func joinTexts(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
	return starlark.String(joined(args, "")), nil
}

// joined shows values as print does.
func joined(values starlark.Tuple, separator string) string {
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = str(v)
	}
	return strings.Join(texts, separator)
}

type builtinFunction = func(*starlark.Thread, *starlark.Builtin, starlark.Tuple, []starlark.Tuple) (starlark.Value, error)

// printTo returns the function print.
func printTo(out io.Writer) builtinFunction {
	return func(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		separator, end := " ", "\n"
		if err := starlark.UnpackArgs("print", nil, kwargs, "sep?", &separator, "end?", &end); err != nil {
			return nil, err
		}
		if _, err := io.WriteString(out, joined(args, separator)+end); err != nil {
			return nil, fmt.Errorf("printing: %w", err)
		}
		return starlark.None, nil
	}
}

// ofText returns a function from a value to a text; without a value it is empty.
func ofText(name string, show func(starlark.Value) string) *starlark.Builtin {
	return builtin(name, func(unpack unpacker) (starlark.Value, error) {
		var v starlark.Value = starlark.String("")
		err := unpack("object?", &v)
		return starlark.String(show(v)), err
	})
}

// exitRequest is the error that ends a session, with an exit code.
type exitRequest struct{ code int }

// Error says that the session ends.
func (e exitRequest) Error() string { return "the session ends" }

// exitFunction is the function exit: called, or a statement alone, it ends the
// session.
type exitFunction struct{ *starlark.Builtin }

func newExitFunction(name string) exitFunction {
	return exitFunction{builtin(name, func(unpack unpacker) (starlark.Value, error) {
		var code starlark.Value = starlark.MakeInt(0)
		if err := unpack("code?", &code); err != nil {
			return nil, err
		}
		n, err := starlark.AsInt32(code)
		if err != nil && code != starlark.None {
			n = 1 // a text is the reason of a failure
		}
		return nil, exitRequest{n}
	})}
}

// helpTo returns the function help.
func helpTo(out io.Writer, db *module) *starlark.Builtin {
	return builtin("help", func(unpack unpacker) (starlark.Value, error) {
		var about starlark.Value = starlark.None
		if err := unpack("object?", &about); err != nil {
			return nil, err
		}
		text := repr(about) + "\n"
		switch v := about.(type) {
		case starlark.NoneType:
			text = fmt.Sprintf(introduction, strings.Join(db.AttrNames(), ", "))
		case *model:
			text = v.help()
		case *object:
			text = v.model.help()
		case starlark.HasAttrs:
			text += "\nBehind the dot: " + strings.Join(v.AttrNames(), ", ") + "\n"
		}
		_, err := fmt.Fprintln(out, text)
		return starlark.None, err
	})
}

// introduction is the text of help(); it takes the names of the models.
const introduction = `The shell works on the database itself: nothing is checked, nothing is announced.

db has a model for each kind of object: %s.

    org = db.Organization(name="A hospital")    an object that is not stored yet
    org.save()                                  stores it
    db.Organization.get()                       all of them
    db.Organization.get(1)                      the one with an id
    org.country = "Norway"; org.save()          changes one
    org.delete()                                deletes it
    db.Organization.help()                      lists columns, relations and methods

Rules are found by Scope and Operation: db.Rule.get_by_("node", Scope.GLOBAL, Operation.VIEW).
Passwords and API keys are stored as digests only. exit ends the shell.
`
