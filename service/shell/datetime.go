package shell

import (
	"fmt"
	"strings"
	"time"

	"github.com/ncruces/go-strftime"
	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// datetime is a datetime of Python. It keeps its time zone, so that what now() returns
// is stored as the moment that it is; what the database returns is UTC.
type datetime struct {
	time.Time
	constant
}

var (
	_ starlark.HasBinary      = datetime{}
	_ starlark.TotallyOrdered = datetime{}
)

// datetimeModule is the module datetime.
func datetimeModule() *module {
	now := func(in *time.Location) func() starlark.Value {
		return func() starlark.Value { return datetime{Time: time.Now().Truncate(time.Microsecond).In(in)} }
	}
	class := &module{kind: "class", name: "datetime.datetime", members: starlark.StringDict{
		"now": without("now", now(time.Local)), "utcnow": without("utcnow", now(time.UTC)),
	}, make: builtin("datetime", newDatetime)}
	return newModule("datetime", starlark.StringDict{"datetime": class})
}

func newDatetime(unpack unpacker) (starlark.Value, error) {
	var year, month, day, hour, minute, second, micro int
	err := unpack("year", &year, "month", &month, "day", &day, "hour?", &hour, "minute?", &minute, "second?", &second, "microsecond?", &micro)
	if err != nil {
		return nil, err
	}
	t := time.Date(year, time.Month(month), day, hour, minute, second, micro*1000, time.UTC)
	if t.Year() != year || int(t.Month()) != month || t.Day() != day || t.Hour() != hour || t.Minute() != minute || t.Second() != second {
		return nil, problem("ValueError", "there is no such date")
	}
	return datetime{Time: t}, nil
}

// parseDatetime reads a text; without a time zone it is UTC.
func parseDatetime(text string) (t time.Time, err error) {
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02 15:04", time.DateOnly} {
		if t, err = time.Parse(layout, strings.TrimSpace(text)); err == nil {
			break
		}
	}
	return t, err
}

// String shows the datetime as Python does.
func (d datetime) String() string {
	text := fmt.Sprintf("datetime.datetime(%d, %d, %d, %d, %d", d.Year(), d.Month(), d.Day(), d.Hour(), d.Minute())
	micro := d.Nanosecond() / 1000
	if d.Second() > 0 || micro > 0 {
		text += fmt.Sprintf(", %d", d.Second())
	}
	if micro > 0 {
		text += fmt.Sprintf(", %d", micro)
	}
	return text + ")"
}

func (d datetime) asText() string { return strings.Replace(d.isoformat(), "T", " ", 1) }

func (d datetime) isoformat() string {
	if d.Nanosecond()/1000 == 0 {
		return d.Format("2006-01-02T15:04:05")
	}
	return d.Format("2006-01-02T15:04:05.000000")
}

// Type returns the name of the class.
func (d datetime) Type() string { return "datetime.datetime" }

// Hash makes it a key of dictionaries.
func (d datetime) Hash() (uint32, error) { return starlark.MakeInt64(d.UnixNano()).Hash() }

// Cmp compares two datetimes.
func (d datetime) Cmp(y starlark.Value, _ int) (int, error) {
	return d.Compare(y.(datetime).Time), nil
}

// Binary refuses to calculate.
func (d datetime) Binary(op syntax.Token, _ starlark.Value, _ starlark.Side) (starlark.Value, error) {
	if op == syntax.IN || op == syntax.NOT_IN {
		return nil, nil
	}
	return nil, problem("TypeError", "dates are compared here, not calculated with: %s", removed["datetime.timedelta"])
}

// AttrNames lists the parts of a datetime and what can be called.
func (d datetime) AttrNames() []string {
	return []string{"day", "hour", "isoformat", "microsecond", "minute", "month", "second", "strftime", "year"}
}

// Attr returns a part of the datetime, or something to call.
func (d datetime) Attr(name string) (starlark.Value, error) {
	switch name {
	case "isoformat":
		return without(name, func() starlark.Value { return starlark.String(d.isoformat()) }), nil
	case "strftime":
		return builtin(name, func(unpack unpacker) (starlark.Value, error) {
			var format string
			err := unpack("format", &format)
			return starlark.String(strftime.Format(format, d.Time)), err
		}), nil
	}
	parts := map[string]int{
		"year": d.Year(), "month": int(d.Month()), "day": d.Day(), "hour": d.Hour(), "minute": d.Minute(), "second": d.Second(),
		"microsecond": d.Nanosecond() / 1000,
	}
	if n, ok := parts[name]; ok {
		return starlark.MakeInt(n), nil
	}
	return nil, removedAttr(d.Type(), name)
}
