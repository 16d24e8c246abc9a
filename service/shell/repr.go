package shell

import (
	"fmt"
	"strings"
	"unicode"

	"go.starlark.net/starlark"
)

// deep is how far lists within lists are shown.
const deep = 50

// repr shows a value as a Python prompt does.
func repr(v starlark.Value) string {
	var b strings.Builder
	writeRepr(&b, v, 0)
	return b.String()
}

// str is repr, but of texts the text itself.
func str(v starlark.Value) string {
	switch v := v.(type) {
	case starlark.String:
		return string(v)
	case interface{ str() string }:
		return v.str()
	}
	return repr(v)
}

func writeRepr(b *strings.Builder, v starlark.Value, depth int) {
	if depth > deep {
		b.WriteString("...")
		return
	}
	switch v := v.(type) {
	case starlark.String:
		quote(b, string(v))
	case starlark.Bytes:
		quoteBytes(b, string(v))
	case *starlark.List:
		writeAll(b, "[", v, "]", depth)
	case starlark.Tuple:
		end := ")"
		if len(v) == 1 {
			end = ",)"
		}
		writeAll(b, "(", v, end, depth)
	case *starlark.Set:
		writeAll(b, "{", v, "}", depth)
	case *starlark.Dict:
		writeDict(b, v, depth)
	default:
		b.WriteString(v.String())
	}
}

func writeAll(b *strings.Builder, begin string, v starlark.Iterable, end string, depth int) {
	b.WriteString(begin)
	separator := ""
	for e := range starlark.Elements(v) {
		b.WriteString(separator)
		writeRepr(b, e, depth+1)
		separator = ", "
	}
	b.WriteString(end)
}

func writeDict(b *strings.Builder, d *starlark.Dict, depth int) {
	b.WriteByte('{')
	separator := ""
	for k, v := range starlark.Entries(d) {
		b.WriteString(separator)
		writeRepr(b, k, depth+1)
		b.WriteString(": ")
		writeRepr(b, v, depth+1)
		separator = ", "
	}
	b.WriteByte('}')
}

// quote writes a text in the quotes that Python would choose.
func quote(b *strings.Builder, text string) {
	q := '\''
	if strings.ContainsRune(text, '\'') && !strings.ContainsRune(text, '"') {
		q = '"'
	}
	b.WriteRune(q)
	for _, r := range text {
		switch {
		case r == q || r == '\\':
			b.WriteRune('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < 0x100 && !unicode.IsPrint(r):
			fmt.Fprintf(b, `\x%02x`, r)
		case !unicode.IsPrint(r) && r > 0xffff:
			fmt.Fprintf(b, `\U%08x`, r)
		case !unicode.IsPrint(r):
			fmt.Fprintf(b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteRune(q)
}

func quoteBytes(b *strings.Builder, text string) {
	b.WriteString("b'")
	for i := range len(text) {
		switch c := text[i]; {
		case c == '\'' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c == '\n':
			b.WriteString(`\n`)
		case c < ' ' || c > '~':
			fmt.Fprintf(b, `\x%02x`, c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('\'')
}
