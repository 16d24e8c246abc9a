package shell

import (
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strings"

	"go.starlark.net/lib/json"
	"go.starlark.net/starlark"
)

// About is what the name ctx tells about the instance.
type About struct {
	Name, Environment, Scope     string
	ConfigFile, DataDir, LogFile string
}

// leaving is the end of a session, with the exit code that was asked for.
type leaving struct{ code int }

// Error says that the session ends.
func (l leaving) Error() string { return "the session ends" }

// door is what exit and quit are: shown or called, they end the session.
type door struct{ *starlark.Builtin }

func newDoor(name string) door {
	return door{builtin(name, func(unpack unpacker) (starlark.Value, error) {
		var code starlark.Value = starlark.None
		if err := unpack("code?", &code); err != nil {
			return nil, err
		}
		if code == starlark.None {
			return nil, leaving{}
		}
		n, err := wholeNumber(code)
		if err != nil {
			return nil, leaving{1} // a text is the reason of a failure
		}
		return nil, leaving{int(n)}
	})}
}

// universe gives the names that a session begins with.
func universe(s *session, about About, out io.Writer) starlark.StringDict {
	db := &namespace{kind: "module", name: "db", members: starlark.StringDict{}}
	for name, m := range s.models {
		db.members[name] = m
	}
	names := starlark.StringDict{
		"db": db, "Scope": scopes, "Operation": operations, "datetime": datetimes(), "uuid": uuids(), "ctx": aboutObject(about),
		"print": printer(out), "help": helper(out, db), "exit": newDoor("exit"), "quit": newDoor("quit"),
		"str": builtin("str", func(unpack unpacker) (starlark.Value, error) {
			var v starlark.Value = starlark.String("")
			err := unpack("object?", &v)
			return starlark.String(str(v)), err
		}),
		"repr": builtin("repr", func(unpack unpacker) (starlark.Value, error) {
			var v starlark.Value
			if err := unpack("object", &v); err != nil {
				return nil, err
			}
			return starlark.String(repr(v)), nil
		}),
		"__format__": starlark.NewBuiltin("__format__", joinFormat),
	}
	names["__import__"] = importer(modules(names, db))
	return names
}

func aboutObject(about About) *namespace {
	members := starlark.StringDict{}
	for name, text := range map[string]string{
		"name": about.Name, "environment": about.Environment, "scope": about.Scope,
		"config_file": about.ConfigFile, "data_dir": about.DataDir, "log_file": about.LogFile,
	} {
		members[name] = starlark.String(text)
	}
	return &namespace{kind: "object", name: "ctx", members: members}
}

// modules are what can be imported, the places of the reference's names among them.
func modules(names starlark.StringDict, db *namespace) map[string]*namespace {
	rule := starlark.StringDict{"Scope": scopes, "Operation": operations, "Rule": db.members["Rule"]}
	return map[string]*namespace{
		"db": db, "datetime": names["datetime"].(*namespace), "uuid": names["uuid"].(*namespace),
		"json": {kind: "module", name: "json", members: starlark.StringDict{
			"dumps": json.Module.Members["encode"], "loads": json.Module.Members["decode"],
		}},
		"vantage6.server":            {kind: "module", name: "vantage6.server", members: starlark.StringDict{"db": db}},
		"vantage6.server.db":         db,
		"vantage6.server.model":      db,
		"vantage6.server.model.rule": {kind: "module", name: "vantage6.server.model.rule", members: rule},
	}
}

// importer is what an import statement becomes a call of.
func importer(modules map[string]*namespace) *starlark.Builtin {
	return builtin("__import__", func(unpack unpacker) (starlark.Value, error) {
		var name, member string
		if err := unpack("name", &name, "member?", &member); err != nil {
			return nil, err
		}
		module := modules[name]
		if module == nil {
			return nil, problem("ModuleNotFoundError", "No module named '%s'; this shell has %s", name,
				strings.Join(slices.Sorted(keysOf(modules)), ", "))
		}
		if member == "" {
			return module, nil
		}
		v := module.members[member]
		if v == nil {
			return nil, problem("ImportError", "cannot import name '%s' from '%s'", member, name)
		}
		return v, nil
	})
}

func keysOf[M ~map[string]V, V any](m M) iter.Seq[string] { return maps.Keys(m) }

// printer is the function print of Python.
func printer(out io.Writer) *starlark.Builtin {
	return starlark.NewBuiltin("print", func(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		separator, end := " ", "\n"
		var flush bool
		if err := starlark.UnpackArgs("print", nil, kwargs, "sep?", &separator, "end?", &end, "flush?", &flush); err != nil {
			return nil, err
		}
		texts := make([]string, len(args))
		for i, a := range args {
			texts[i] = str(a)
		}
		if _, err := io.WriteString(out, strings.Join(texts, separator)+end); err != nil {
			return nil, fmt.Errorf("printing: %w", err)
		}
		return starlark.None, nil
	})
}

// helper is the function help.
func helper(out io.Writer, db *namespace) *starlark.Builtin {
	return builtin("help", func(unpack unpacker) (starlark.Value, error) {
		var about starlark.Value = starlark.None
		if err := unpack("object?", &about); err != nil {
			return nil, err
		}
		text := ""
		switch v := about.(type) {
		case starlark.NoneType:
			text = fmt.Sprintf(introduction, strings.Join(db.AttrNames(), ", "))
		case *model:
			text = v.help()
		case *object:
			text = v.model.help()
		case starlark.HasAttrs:
			text = repr(about) + "\n\nBehind the dot: " + strings.Join(v.AttrNames(), ", ") + "\n"
		default:
			text = repr(about) + "\n"
		}
		_, err := fmt.Fprintln(out, text)
		return starlark.None, err
	})
}

// introduction is what help() tells; it takes the names of the models.
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
