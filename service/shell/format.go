package shell

import (
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.starlark.net/starlark"
)

// joinFormat is what a string with expressions becomes a call of: its arguments are
// texts, and triples of value, conversion and format.
func joinFormat(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
	var b strings.Builder
	for _, a := range args {
		part, ok := a.(starlark.Tuple)
		if !ok {
			b.WriteString(str(a))
			continue
		}
		shown, err := formatOne(part[0], str(part[1]), str(part[2]))
		if err != nil {
			return nil, err
		}
		b.WriteString(shown)
	}
	return starlark.String(b.String()), nil
}

func formatOne(v starlark.Value, conversion, format string) (string, error) {
	switch conversion {
	case "r", "a":
		v = starlark.String(repr(v))
	case "s":
		v = starlark.String(str(v))
	case "":
	default:
		return "", problem("SyntaxError", "f-string: invalid conversion character '%s'", conversion)
	}
	if format == "" {
		return str(v), nil
	}
	if m, ok := v.(moment); ok {
		return m.strftime(format), nil
	}
	f := formatParts.FindStringSubmatch(format)
	if f == nil {
		return "", problem("ValueError", "Invalid format specifier '%s'", format)
	}
	return layout{fill: f[1], align: f[2], sign: f[3], zero: f[4] != "", width: f[5], group: f[6], precision: f[7], kind: f[8]}.apply(v)
}

// formatParts is a format of Python: [[fill]align][sign][0][width][grouping][.precision][type].
var formatParts = regexp.MustCompile(`^(?:(.)?([<>^=]))?([+ -])?#?(0)?(\d{0,4})([,_])?(?:\.(\d{1,3}))?([bcdeEfFgGnosxX%])?$`)

// layout is a format that was read.
type layout struct {
	fill, align, sign       string
	zero                    bool
	width, group, precision string
	kind                    string
}

func (l layout) apply(v starlark.Value) (string, error) {
	body, numeric, err := l.body(v)
	if err != nil {
		return "", err
	}
	if numeric && !strings.HasPrefix(body, "-") && (l.sign == "+" || l.sign == " ") {
		body = l.sign + body
	}
	if l.zero && l.align == "" {
		l.fill, l.align = "0", "="
	}
	if l.align == "" {
		l.align = "<"
		if numeric {
			l.align = ">"
		}
	}
	return l.pad(body), nil
}

// body writes a value without its margins.
func (l layout) body(v starlark.Value) (text string, numeric bool, err error) {
	n, isInt := v.(starlark.Int)
	x, isNumber := starlark.AsFloat(v)
	switch {
	case isInt && (l.kind == "" || l.kind == "d" || l.kind == "n"):
		return grouped(n.String(), l.group), true, nil
	case isInt && bases[l.kind] != 0:
		text = n.BigInt().Text(bases[l.kind])
		if l.kind == "X" {
			text = strings.ToUpper(text)
		}
		return text, true, nil
	case isNumber && !(l.kind == "s" || bases[l.kind] != 0 || l.kind == "c"):
		return l.float(v, x), true, nil
	case l.kind == "" || l.kind == "s":
		text = str(v)
		if p, err := strconv.Atoi(l.precision); err == nil {
			text = string([]rune(text)[:min(p, utf8.RuneCountInString(text))])
		}
		return text, false, nil
	}
	return "", false, problem("ValueError", "Unknown format code '%s' for %s", l.kind, repr(v))
}

var bases = map[string]int{"b": 2, "o": 8, "x": 16, "X": 16}

func (l layout) float(v starlark.Value, x float64) string {
	precision, kind := 6, l.kind
	if p, err := strconv.Atoi(l.precision); err == nil {
		precision = p
	}
	switch kind {
	case "%":
		return grouped(strconv.FormatFloat(x*100, 'f', precision, 64), l.group) + "%"
	case "", "n":
		if l.precision == "" {
			return grouped(str(v), l.group)
		}
		kind = "g"
	case "F":
		kind = "f"
	case "d":
		kind, precision = "f", 0
	}
	return grouped(strconv.FormatFloat(x, kind[0], precision, 64), l.group)
}

// grouped sets a sign between the thousands.
func grouped(digits, sign string) string {
	if sign == "" {
		return digits
	}
	end := strings.IndexAny(digits, ".e")
	if end < 0 {
		end = len(digits)
	}
	for i := end - 3; i > 0 && digit(digits[i-1]); i -= 3 {
		digits = digits[:i] + sign + digits[i:]
	}
	return digits
}

// pad brings a text to the width.
func (l layout) pad(body string) string {
	width, _ := strconv.Atoi(l.width)
	missing := width - utf8.RuneCountInString(body)
	if missing <= 0 {
		return body
	}
	fill := l.fill
	if fill == "" {
		fill = " "
	}
	switch l.align {
	case "<":
		return body + strings.Repeat(fill, missing)
	case "^":
		return strings.Repeat(fill, missing/2) + body + strings.Repeat(fill, missing-missing/2)
	case "=":
		if body != "" && strings.IndexByte("+- ", body[0]) >= 0 {
			return body[:1] + strings.Repeat(fill, missing) + body[1:]
		}
	}
	return strings.Repeat(fill, missing) + body
}
