package log

import (
	"strconv"
	"strings"
	"time"
)

// datePart is a literal or one strftime directive.
type datePart struct {
	literal string
	append  func(line []byte, t time.Time) []byte // nil for a literal
}

// goLayout renders a directive by a layout of package time.
func goLayout(form string) func([]byte, time.Time) []byte {
	return func(line []byte, t time.Time) []byte { return t.AppendFormat(line, form) }
}

// padded renders a number with zeros in front, to two or three places.
func padded(places int, get func(time.Time) int) func([]byte, time.Time) []byte {
	return func(line []byte, t time.Time) []byte {
		digits := strconv.Itoa(get(t))
		for range places - len(digits) {
			line = append(line, '0')
		}
		return append(line, digits...)
	}
}

// directives of strftime, in the C locale. Others stay as they are written, as the
// C library leaves them; %f is one of those.
var directives = map[byte]func([]byte, time.Time) []byte{
	'Y': goLayout("2006"), 'm': goLayout("01"), 'd': goLayout("02"), 'e': goLayout("_2"),
	'H': goLayout("15"), 'I': goLayout("03"), 'M': goLayout("04"), 'S': goLayout("05"),
	'y': goLayout("06"), 'j': goLayout("002"), 'p': goLayout("PM"),
	'a': goLayout("Mon"), 'A': goLayout("Monday"),
	'b': goLayout("Jan"), 'h': goLayout("Jan"), 'B': goLayout("January"),
	'z': goLayout("-0700"), 'Z': goLayout("MST"),
	'c': goLayout("Mon Jan _2 15:04:05 2006"), 'x': goLayout("01/02/06"), 'X': goLayout("15:04:05"),
	'D': goLayout("01/02/06"), 'F': goLayout("2006-01-02"), 'T': goLayout("15:04:05"), 'R': goLayout("15:04"),
	'C': padded(2, func(t time.Time) int { return t.Year() / 100 }),
	's': padded(0, func(t time.Time) int { return int(t.Unix()) }),
	'u': padded(1, func(t time.Time) int { return (int(t.Weekday())+6)%7 + 1 }),
	'w': padded(1, func(t time.Time) int { return int(t.Weekday()) }),
	'U': padded(2, func(t time.Time) int { return (t.YearDay() + 6 - int(t.Weekday())) / 7 }),
	'W': padded(2, func(t time.Time) int { return (t.YearDay() + 6 - (int(t.Weekday())+6)%7) / 7 }),
	'V': padded(2, func(t time.Time) int { _, week := t.ISOWeek(); return week }),
	'G': padded(4, func(t time.Time) int { year, _ := t.ISOWeek(); return year }),
	'n': goLayout("\n"), 't': goLayout("\t"), '%': goLayout("%"),
}

// compileDate reads a strftime format; empty means Python's own, with a comma and
// milliseconds.
func compileDate(format string) []datePart {
	if format == "" {
		return []datePart{{append: goLayout("2006-01-02 15:04:05,000")}}
	}
	var parts []datePart
	for {
		next := strings.IndexByte(format, '%')
		if next < 0 || next+1 == len(format) {
			return append(parts, datePart{literal: format})
		}
		directive, known := directives[format[next+1]]
		if !known {
			parts = append(parts, datePart{literal: format[:next+2]})
		} else {
			parts = append(parts, datePart{literal: format[:next]}, datePart{append: directive})
		}
		format = format[next+2:]
	}
}

func appendDate(line []byte, parts []datePart, t time.Time) []byte {
	for i := range parts {
		if parts[i].append == nil {
			line = append(line, parts[i].literal...)
		} else {
			line = parts[i].append(line, t)
		}
	}
	return line
}
