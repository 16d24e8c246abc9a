package shell

import (
	"crypto/rand"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
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

// namespace is a module, or a class that is called: names behind a dot.
type namespace struct {
	kind, name string
	members    starlark.StringDict
	make       *starlark.Builtin // what a call does; nil: it cannot be called
}

// String shows the namespace as Python does.
func (n *namespace) String() string { return "<" + n.kind + " '" + n.name + "'>" }

// Type is module or type.
func (n *namespace) Type() string { return n.kind }

// Freeze does nothing.
func (n *namespace) Freeze() {}

// Truth is true.
func (n *namespace) Truth() starlark.Bool { return true }

// Hash makes it a key.
func (n *namespace) Hash() (uint32, error) { return starlark.String(n.name).Hash() }

// Name is how messages call it.
func (n *namespace) Name() string { return n.name }

// Attr gives a member; nil when there is none.
func (n *namespace) Attr(name string) (starlark.Value, error) { return n.members[name], nil }

// AttrNames lists the members.
func (n *namespace) AttrNames() []string { return slices.Sorted(keysOf(n.members)) }

// CallInternal makes an object of a class.
func (n *namespace) CallInternal(t *starlark.Thread, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if n.make == nil {
		return nil, problem("TypeError", "'%s' object is not callable", n.kind)
	}
	return n.make.CallInternal(t, args, kwargs)
}

// datetimes is the module datetime.
func datetimes() *namespace {
	now := func(in *time.Location) func() starlark.Value {
		return func() starlark.Value { return moment{time.Now().Truncate(time.Microsecond).In(in)} }
	}
	class := &namespace{kind: "class", name: "datetime.datetime", members: starlark.StringDict{
		"now": without("now", now(time.Local)), "utcnow": without("utcnow", now(time.UTC)), "today": without("today", now(time.Local)),
		"fromisoformat": builtin("fromisoformat", func(unpack unpacker) (starlark.Value, error) {
			var text string
			if err := unpack("date_string", &text); err != nil {
				return nil, err
			}
			t, err := parseMoment(text)
			return moment{t}, err
		}),
	}, make: builtin("datetime", newMoment)}
	delta := &namespace{kind: "class", name: "datetime.timedelta", members: starlark.StringDict{}, make: builtin("timedelta", newSpan)}
	return &namespace{kind: "module", name: "datetime", members: starlark.StringDict{"datetime": class, "timedelta": delta}}
}

func newMoment(unpack unpacker) (starlark.Value, error) {
	var year, month, day, hour, minute, second, micro int
	err := unpack("year", &year, "month", &month, "day", &day, "hour?", &hour, "minute?", &minute, "second?", &second, "microsecond?", &micro)
	if err != nil {
		return nil, err
	}
	t := time.Date(year, time.Month(month), day, hour, minute, second, micro*1000, time.UTC)
	if t.Year() != year || int(t.Month()) != month || t.Day() != day || t.Hour() != hour || t.Minute() != minute || t.Second() != second {
		return nil, problem("ValueError", "there is no such date")
	}
	return moment{t}, nil
}

func newSpan(unpack unpacker) (starlark.Value, error) {
	var days, seconds, micros, millis, minutes, hours, weeks amount
	err := unpack("days?", &days, "seconds?", &seconds, "microseconds?", &micros, "milliseconds?", &millis,
		"minutes?", &minutes, "hours?", &hours, "weeks?", &weeks)
	total := float64(seconds + minutes*60 + (hours+(days+weeks*7)*24)*3600 + millis/1e3 + micros/1e6)
	if limit := time.Duration(1<<63 - 1).Seconds(); total > limit || total < -limit {
		return nil, problem("OverflowError", "so much time does not fit")
	}
	return span(time.Duration(total*1e6) * time.Microsecond), err
}

// amount is an argument that may be whole or not.
type amount float64

// Unpack takes any number.
func (a *amount) Unpack(v starlark.Value) error {
	f, ok := starlark.AsFloat(v)
	if !ok {
		return unfit(v, "number")
	}
	*a = amount(f)
	return nil
}

// uuids is the module uuid.
func uuids() *namespace {
	return &namespace{kind: "module", name: "uuid", members: starlark.StringDict{
		"uuid1": without("uuid1", func() starlark.Value { return newUUID1() }),
		"uuid4": without("uuid4", func() starlark.Value { return identifier(uuid.New()) }),
	}}
}

// newUUID1 has the time in its first half. Its second half is random: it serves as a
// key, and the address of a network card is no secret.
func newUUID1() identifier {
	u := uuid.Must(uuid.NewUUID())
	_, _ = rand.Read(u[8:])
	u[8] = u[8]&0x3f | 0x80 // the variant
	u[10] |= 1              // no network card
	return identifier(u)
}

// identifier is a UUID of Python.
type identifier uuid.UUID

func (u identifier) str() string { return uuid.UUID(u).String() }

// String shows the UUID as Python does.
func (u identifier) String() string { return "UUID('" + u.str() + "')" }

// Type gives the name of the class.
func (u identifier) Type() string { return "UUID" }

// Freeze does nothing.
func (u identifier) Freeze() {}

// Truth is true.
func (u identifier) Truth() starlark.Bool { return true }

// Hash makes it a key.
func (u identifier) Hash() (uint32, error) { return starlark.String(u.str()).Hash() }

// Attr gives the digits alone.
func (u identifier) Attr(name string) (starlark.Value, error) {
	if name == "hex" {
		return starlark.String(fmt.Sprintf("%x", u[:])), nil
	}
	return nil, nil
}

// AttrNames lists what Attr gives.
func (u identifier) AttrNames() []string { return []string{"hex"} }
