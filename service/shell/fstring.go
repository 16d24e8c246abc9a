package shell

import (
	"errors"
	"fmt"
	"strings"
)

// formatted rewrites a string with expressions, given with its quotes, as a call of
// __format__ with its parts: strings, and triples of value, conversion and format.
func (r *rewriter) formatted(literal string, raw bool) (string, error) {
	quote := literal[:1]
	if strings.HasPrefix(literal, strings.Repeat(quote, 3)) && len(literal) >= 6 {
		quote = literal[:3]
	}
	f := &fstring{src: literal[len(quote) : len(literal)-len(quote)], quote: quote, raw: raw, depth: r.depth}
	for f.at < len(f.src) {
		if err := f.step(); err != nil {
			return "", err
		}
	}
	f.flush()
	written := strings.Join(f.parts, ", ")
	lines := strings.Count(literal, "\n") - strings.Count(written, "\n")
	return "__format__(" + written + strings.Repeat("\n", max(0, lines)) + ")", nil
}

// fstring goes once through a string with expressions.
type fstring struct {
	src   string
	at    int
	raw   bool
	quote string
	depth int
	plain strings.Builder
	parts []string
}

func (f *fstring) step() error {
	rest := f.src[f.at:]
	switch {
	case strings.HasPrefix(rest, "{{"), strings.HasPrefix(rest, "}}"):
		f.plain.WriteByte(rest[0])
		f.at += 2
	case rest[0] == '}':
		return errors.New("f-string: a single } stands in it; write }} for the sign itself")
	case rest[0] == '\\' && !f.raw && len(rest) > 1:
		f.plain.WriteString(rest[:2])
		f.at += 2
	case rest[0] == '{':
		f.flush()
		return f.field()
	default:
		f.plain.WriteByte(rest[0])
		f.at++
	}
	return nil
}

// flush ends a part that is plain text.
func (f *fstring) flush() {
	if f.plain.Len() == 0 {
		return
	}
	text := f.quote + f.plain.String() + f.quote
	if f.raw {
		text = `"` + escapes.Replace(f.plain.String()) + `"`
	}
	f.parts = append(f.parts, text)
	f.plain.Reset()
}

// escapes writes raw text as a string without the letter r, which could not end in a
// backslash.
var escapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`)

// field takes {expression}, {expression=}, {expression!r} and {expression:format}.
func (f *fstring) field() error {
	begin := f.at + 1
	end, err := expressionEnd(f.src, begin)
	if err != nil {
		return err
	}
	expression, conversion, format := f.src[begin:end], "", `""`
	if shown := strings.TrimRight(expression, " "); strings.HasSuffix(shown, "=") && !strings.HasSuffix(shown, "==") {
		f.parts = append(f.parts, `"`+escapes.Replace(expression)+`"`)
		expression, conversion = strings.TrimSuffix(shown, "="), "r"
	}
	if f.src[end] == '!' {
		after := wordEnd(f.src, end+1)
		conversion, end = f.src[end+1:after], after
	}
	if end < len(f.src) && f.src[end] == ':' {
		if conversion == "r" && strings.HasSuffix(strings.TrimRight(f.src[begin:end], " "), "=") {
			conversion = ""
		}
		if format, end, err = f.format(end + 1); err != nil {
			return err
		}
	}
	return f.add(expression, conversion, format, end)
}

// add writes one expression; its field has to end here.
func (f *fstring) add(expression, conversion, format string, end int) error {
	if end >= len(f.src) || f.src[end] != '}' {
		return errors.New("f-string: a } is missing")
	}
	if strings.TrimSpace(expression) == "" {
		return errors.New("f-string: there is nothing between { and }")
	}
	written, err := rewriteWithin(strings.ReplaceAll(expression, "\n", " "), f.depth+1)
	if err != nil {
		return err
	}
	f.parts = append(f.parts, fmt.Sprintf("((%s), %q, %s)", written, conversion, format))
	f.at = end + 1
	return nil
}

// format takes a format, which may have expressions itself, up to the end of its
// field.
func (f *fstring) format(begin int) (written string, end int, err error) {
	depth := 0
	for end = begin; end < len(f.src); end++ {
		switch c := f.src[end]; {
		case c == '{':
			depth++
		case c == '}' && depth == 0:
			within := &rewriter{depth: f.depth + 1}
			if within.depth > deepest {
				return "", 0, errors.New("f-strings are nested too deeply")
			}
			written, err = within.formatted(f.quote+f.src[begin:end]+f.quote, f.raw)
			return written, end, err
		case c == '}':
			depth--
		}
	}
	return "", 0, errors.New("f-string: a } is missing")
}

// expressionEnd gives the place of the sign that ends an expression: } or ! or :.
func expressionEnd(s string, from int) (int, error) {
	depth := 0
	for i := from; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"' || c == '\'':
			end, err := stringEnd(s, i)
			if err != nil {
				return 0, err
			}
			i = end - 1
		case strings.IndexByte("([{", c) >= 0:
			depth++
		case depth > 0 && strings.IndexByte(")]}", c) >= 0:
			depth--
		case depth == 0 && (c == '}' || c == ':' || c == '!' && !strings.HasPrefix(s[i:], "!=")):
			return i, nil
		}
	}
	return 0, errors.New("f-string: a } is missing")
}
