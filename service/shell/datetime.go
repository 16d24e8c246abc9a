package shell

import (
	"fmt"
	"strings"
	"time"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// moment is a datetime of Python. It keeps its time zone, so that what now() gives is
// stored as the moment that it is; what the database gives is UTC.
type moment struct{ time.Time }

// span is a timedelta of Python.
type span time.Duration

var (
	_ starlark.HasBinary  = moment{}
	_ starlark.Comparable = moment{}
	_ starlark.HasBinary  = span(0)
	_ starlark.Comparable = span(0)
)

// momentForms are the texts that datetimes are read from.
var momentForms = []string{
	time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999", "2006-01-02T15:04", "2006-01-02 15:04", time.DateOnly,
}

// parseMoment reads a text; without a time zone it is UTC.
func parseMoment(text string) (t time.Time, err error) {
	for _, form := range momentForms {
		if t, err = time.Parse(form, strings.TrimSpace(text)); err == nil {
			return t, nil
		}
	}
	return t, problem("ValueError", "Invalid isoformat string: %s", repr(starlark.String(text)))
}

// String shows the moment as Python does.
func (m moment) String() string {
	text := fmt.Sprintf("datetime.datetime(%d, %d, %d, %d, %d", m.Year(), m.Month(), m.Day(), m.Hour(), m.Minute())
	micro := m.Nanosecond() / 1000
	if m.Second() > 0 || micro > 0 {
		text += fmt.Sprintf(", %d", m.Second())
	}
	if micro > 0 {
		text += fmt.Sprintf(", %d", micro)
	}
	return text + ")"
}

func (m moment) str() string { return strings.Replace(m.isoformat(), "T", " ", 1) }

func (m moment) isoformat() string {
	if m.Nanosecond()/1000 == 0 {
		return m.Format("2006-01-02T15:04:05")
	}
	return m.Format("2006-01-02T15:04:05.000000")
}

// Type gives the name of the class.
func (m moment) Type() string { return "datetime.datetime" }

// Freeze does nothing.
func (m moment) Freeze() {}

// Truth is true.
func (m moment) Truth() starlark.Bool { return true }

// Hash makes it a key.
func (m moment) Hash() (uint32, error) { return starlark.MakeInt64(m.UnixNano()).Hash() }

// CompareSameType compares two moments.
func (m moment) CompareSameType(op syntax.Token, y starlark.Value, _ int) (bool, error) {
	return ordered(op, m.Compare(y.(moment).Time)), nil
}

// ordered turns a three-way comparison into the answer for an operator.
func ordered(op syntax.Token, c int) bool {
	switch op {
	case syntax.EQL:
		return c == 0
	case syntax.NEQ:
		return c != 0
	case syntax.LT:
		return c < 0
	case syntax.LE:
		return c <= 0
	case syntax.GT:
		return c > 0
	default:
		return c >= 0
	}
}

// Binary adds a timedelta, subtracts one, or gives the one between two moments.
func (m moment) Binary(op syntax.Token, y starlark.Value, side starlark.Side) (starlark.Value, error) {
	switch y := y.(type) {
	case span:
		switch {
		case op == syntax.PLUS:
			return moment{m.Add(time.Duration(y))}, nil
		case op == syntax.MINUS && side == starlark.Left:
			return moment{m.Add(-time.Duration(y))}, nil
		}
	case moment:
		if op == syntax.MINUS && side == starlark.Left {
			return span(m.Sub(y.Time)), nil
		}
	}
	return nil, nil
}

// AttrNames lists the parts of a moment and what can be called.
func (m moment) AttrNames() []string {
	return []string{"day", "hour", "isoformat", "microsecond", "minute", "month", "second", "strftime", "timestamp", "year"}
}

// Attr gives a part of the moment.
func (m moment) Attr(name string) (starlark.Value, error) {
	switch name {
	case "year":
		return starlark.MakeInt(m.Year()), nil
	case "month":
		return starlark.MakeInt(int(m.Month())), nil
	case "day":
		return starlark.MakeInt(m.Day()), nil
	case "hour":
		return starlark.MakeInt(m.Hour()), nil
	case "minute":
		return starlark.MakeInt(m.Minute()), nil
	case "second":
		return starlark.MakeInt(m.Second()), nil
	case "microsecond":
		return starlark.MakeInt(m.Nanosecond() / 1000), nil
	case "isoformat":
		return without(name, func() starlark.Value { return starlark.String(m.isoformat()) }), nil
	case "timestamp":
		return without(name, func() starlark.Value { return starlark.Float(float64(m.UnixMicro()) / 1e6) }), nil
	case "strftime":
		return builtin(name, func(unpack unpacker) (starlark.Value, error) {
			var format string
			err := unpack("format", &format)
			return starlark.String(m.strftime(format)), err
		}), nil
	}
	return nil, nil
}

// directives are those of strftime that the shell knows, as Go writes them.
var directives = map[byte]string{
	'Y': "2006", 'y': "06", 'm': "01", 'd': "02", 'H': "15", 'I': "03", 'M': "04", 'S': "05", 'f': "000000", 'p': "PM",
	'a': "Mon", 'A': "Monday", 'b': "Jan", 'B': "January", 'z': "-0700", 'Z': "MST", 'j': "002",
}

func (m moment) strftime(format string) string {
	var b strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] != '%' || i+1 == len(format) {
			b.WriteByte(format[i])
			continue
		}
		i++
		switch layout := directives[format[i]]; {
		case format[i] == 'f':
			fmt.Fprintf(&b, "%06d", m.Nanosecond()/1000)
		case layout != "":
			b.WriteString(m.Format(layout))
		case format[i] == '%':
			b.WriteByte('%')
		default:
			b.WriteString(format[i-1 : i+1])
		}
	}
	return b.String()
}

// String shows the span as Python does.
func (d span) String() string {
	days, seconds, micros := d.parts()
	var list []string
	for _, p := range []struct {
		name string
		n    int64
	}{{"days", days}, {"seconds", seconds}, {"microseconds", micros}} {
		if p.n != 0 {
			list = append(list, fmt.Sprintf("%s=%d", p.name, p.n))
		}
	}
	if list == nil {
		list = []string{"0"}
	}
	return "datetime.timedelta(" + strings.Join(list, ", ") + ")"
}

// parts splits a span so that only the days can be negative.
func (d span) parts() (days, seconds, micros int64) {
	const day = int64(24 * time.Hour / time.Microsecond)
	micros = int64(time.Duration(d) / time.Microsecond)
	days = micros / day
	if micros -= days * day; micros < 0 {
		days--
		micros += day
	}
	return days, micros / 1e6, micros % 1e6
}

func (d span) str() string {
	days, seconds, micros := d.parts()
	text := fmt.Sprintf("%d:%02d:%02d", seconds/3600, seconds/60%60, seconds%60)
	if micros != 0 {
		text += fmt.Sprintf(".%06d", micros)
	}
	switch days {
	case 0:
		return text
	case 1, -1:
		return fmt.Sprintf("%d day, %s", days, text)
	}
	return fmt.Sprintf("%d days, %s", days, text)
}

// Type gives the name of the class.
func (d span) Type() string { return "datetime.timedelta" }

// Freeze does nothing.
func (d span) Freeze() {}

// Truth is false for no time at all.
func (d span) Truth() starlark.Bool { return d != 0 }

// Hash makes it a key.
func (d span) Hash() (uint32, error) { return starlark.MakeInt64(int64(d)).Hash() }

// CompareSameType compares two spans.
func (d span) CompareSameType(op syntax.Token, y starlark.Value, _ int) (bool, error) {
	other := y.(span)
	switch {
	case d < other:
		return ordered(op, -1), nil
	case d > other:
		return ordered(op, 1), nil
	}
	return ordered(op, 0), nil
}

// Binary adds and subtracts spans.
func (d span) Binary(op syntax.Token, y starlark.Value, side starlark.Side) (starlark.Value, error) {
	other, ok := y.(span)
	switch {
	case ok && op == syntax.PLUS:
		return d + other, nil
	case ok && op == syntax.MINUS && side == starlark.Left:
		return d - other, nil
	}
	return nil, nil
}

// AttrNames lists the parts.
func (d span) AttrNames() []string {
	return []string{"days", "microseconds", "seconds", "total_seconds"}
}

// Attr gives a part.
func (d span) Attr(name string) (starlark.Value, error) {
	days, seconds, micros := d.parts()
	switch name {
	case "days":
		return starlark.MakeInt64(days), nil
	case "seconds":
		return starlark.MakeInt64(seconds), nil
	case "microseconds":
		return starlark.MakeInt64(micros), nil
	case "total_seconds":
		return without(name, func() starlark.Value { return starlark.Float(time.Duration(d).Seconds()) }), nil
	}
	return nil, nil
}
