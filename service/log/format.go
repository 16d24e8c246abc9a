package log

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/ncruces/go-strftime"
)

// record is one entry of the log, ready to be laid out.
type record struct {
	at       time.Time
	started  time.Time // of the log, for relativeCreated
	level    level
	name     string
	message  string // with the further fields behind it
	trace    string // on lines of its own, unformatted
	pathname string
	function string
	line     int
}

// attribute is a word of Python's logging.Formatter: its value as text, int64 or
// float64. Its zero record tells the type.
type attribute struct {
	value  func(*record) any
	caller bool // the value needs the place of the call
}

func text(get func(*record) string) attribute {
	return attribute{value: func(r *record) any { return get(r) }}
}

func placed(get func(*record) any) attribute { return attribute{value: get, caller: true} }

// attributes are the words a format may use (/docs/logging#format). A Go program has no
// named threads: the words of Python's main thread stand in, so that formats which
// name them go on working.
var attributes = map[string]attribute{
	"name":        text(func(r *record) string { return r.name }),
	"levelname":   text(func(r *record) string { return r.level.name }),
	"message":     text(func(r *record) string { return r.message }),
	"processName": text(func(*record) string { return "MainProcess" }),
	"threadName":  text(func(*record) string { return "MainThread" }),
	"levelno":     {value: func(r *record) any { return r.level.number }},
	"process":     {value: func(*record) any { return int64(os.Getpid()) }},
	"thread":      {value: func(*record) any { return int64(os.Getpid()) }},
	"created":     {value: func(r *record) any { return float64(r.at.UnixMicro()) / 1e6 }},
	"msecs":       {value: func(r *record) any { return float64(r.at.Nanosecond() / 1e6) }},
	"relativeCreated": {value: func(r *record) any {
		return float64(r.at.Sub(r.started).Microseconds()) / 1e3
	}},
	"pathname": placed(func(r *record) any { return r.pathname }),
	"filename": placed(func(r *record) any { return filepath.Base(r.pathname) }),
	"module":   placed(func(r *record) any { return module(r.pathname) }),
	"funcName": placed(func(r *record) any { return r.function }),
	"lineno":   placed(func(r *record) any { return int64(r.line) }),
}

// module is the file's name without its ending, as in Python.
func module(pathname string) string {
	base := filepath.Base(pathname)
	return strings.TrimSuffix(base, filepath.Ext(base))
}

// piece is a literal, or one attribute with the Go verb that renders it.
type piece struct {
	literal string
	value   func(*record) any // nil for a literal
	verb    string            // a fmt verb such as %-14s
	as      byte              // s: as text, d: as whole number, f: as float
}

// layout is a compiled `format` with its `datefmt`.
type layout struct {
	pieces []piece
	date   string // strftime format of %(asctime)s
	caller bool   // some attribute needs the place of the call
}

var formatField = regexp.MustCompile(`^%\((\w+)\)([#0+ -]*)(\d*)(?:\.(\d*))?[hlL]?([a-zA-Z])`)

// widest field accepted; a longer one is a mistake that would fill the disk.
const widest = 1000

// compileLayout reads a percent format and a strftime format. The error says which
// part of the format is wrong.
func compileLayout(format, datefmt string) (*layout, error) {
	l := &layout{date: dateFormat(datefmt)}
	literal := ""
	for format != "" {
		next := strings.IndexByte(format, '%')
		if next < 0 {
			next = len(format)
		}
		literal, format = literal+format[:next], format[next:]
		if rest, ok := strings.CutPrefix(format, "%%"); ok {
			literal, format = literal+"%", rest
			continue
		}
		if format == "" {
			break
		}
		found := formatField.FindStringSubmatch(format)
		if found == nil {
			return nil, fmt.Errorf("logging.format: %.20q is no field; write %%(message)s for a field and %%%% for a percent sign", format)
		}
		if err := l.add(literal, found); err != nil {
			return nil, err
		}
		literal, format = "", format[len(found[0]):]
	}
	l.pieces = append(l.pieces, piece{literal: literal})
	return l, nil
}

// add appends the literal before a field and the field itself; found holds the
// field, name, flags, width, precision and conversion.
func (l *layout) add(literal string, found []string) error {
	p, err := l.field(found[1])
	if err != nil {
		return err
	}
	flags, width, precision := found[2], found[3], found[4]
	for _, number := range []string{width, precision} {
		if n, err := strconv.Atoi(number); number != "" && (err != nil || n > widest) {
			return fmt.Errorf("logging.format: %s is wider than %d", found[0], widest)
		}
	}
	if strings.Contains(found[0], ".") {
		precision = "." + precision
	}
	if p.as, p.verb, err = verb(p.value(&record{}), found[5][0], flags, width, precision); err != nil {
		return fmt.Errorf("logging.format: %s: %w", found[0], err)
	}
	l.pieces = append(l.pieces, piece{literal: literal}, p)
	return nil
}

func (l *layout) field(name string) (piece, error) {
	if name == "asctime" {
		return piece{value: func(r *record) any { return strftime.Format(l.date, r.at) }}, nil
	}
	a, ok := attributes[name]
	if !ok {
		return piece{}, fmt.Errorf("logging.format: %%(%s) is not known; use asctime, name, levelname, message", name)
	}
	l.caller = l.caller || a.caller
	return piece{value: a.value}, nil
}

// verb translates a Python conversion for a value like sample into one of fmt's.
// Where the two languages differ Python's result counts.
func verb(sample any, conversion byte, flags, width, precision string) (as byte, goVerb string, err error) {
	_, isText := sample.(string)
	_, isWhole := sample.(int64)
	switch {
	case strings.IndexByte("sra", conversion) >= 0:
		if strings.Contains(flags, "-") { // the other flags do nothing to text
			return 's', "%-" + width + precision + "s", nil
		}
		return 's', "%" + width + precision + "s", nil
	case isText:
		return 0, "", fmt.Errorf("is text and needs the conversion s, not %c", conversion)
	case strings.IndexByte("diu", conversion) >= 0:
		return 'd', "%" + flags + width + precision + "d", nil
	case strings.IndexByte("xX", conversion) >= 0 && isWhole:
		return 'd', "%" + flags + width + precision + string(conversion), nil
	case conversion == 'o' && isWhole:
		conversion = 'o'
		if strings.Contains(flags, "#") {
			conversion = 'O'
		}
		return 'd', "%" + strings.ReplaceAll(flags, "#", "") + width + precision + string(conversion), nil
	case strings.IndexByte("eEfFgG", conversion) >= 0:
		if precision == "" {
			precision = ".6"
		}
		return 'f', "%" + flags + width + precision + string(conversion), nil
	}
	return 0, "", fmt.Errorf("the conversion %c does not fit", conversion)
}

// appendRecord renders a record and a line end.
func (l *layout) appendRecord(line []byte, r *record) []byte {
	for i := range l.pieces {
		line = l.pieces[i].append(line, r)
	}
	if r.trace != "" {
		line = append(append(line, '\n'), strings.TrimRight(r.trace, "\n")...)
	}
	return append(line, '\n')
}

func (p *piece) append(line []byte, r *record) []byte {
	if p.value == nil {
		return append(line, p.literal...)
	}
	value := p.value(r)
	switch p.as {
	case 'd':
		return fmt.Appendf(line, p.verb, whole(value))
	case 'f':
		return fmt.Appendf(line, p.verb, float(value))
	}
	if p.verb == "%s" {
		return append(line, asText(value)...)
	}
	return fmt.Appendf(line, p.verb, asText(value))
}

func whole(value any) int64 {
	if f, ok := value.(float64); ok {
		return int64(f)
	}
	return value.(int64)
}

func float(value any) float64 {
	if n, ok := value.(int64); ok {
		return float64(n)
	}
	return value.(float64)
}

// asText is Python's str() of a value: a float always shows a point.
func asText(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case int64:
		return strconv.FormatInt(v, 10)
	}
	f := float(value)
	if f == math.Trunc(f) && math.Abs(f) < 1e16 {
		return strconv.FormatFloat(f, 'f', 1, 64)
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}
