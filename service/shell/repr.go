package shell

import (
	"fmt"
	"strings"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"vserver/queries"
)

// mostNested is how far lists within lists are shown.
const mostNested = 20

// repr shows a value as a Python prompt does.
func repr(v starlark.Value) string { return reprNested(v, 0) }

// str is repr, but of texts the text itself.
func str(v starlark.Value) string {
	switch v := v.(type) {
	case starlark.String:
		return string(v)
	case interface{ asText() string }:
		return v.asText()
	}
	return repr(v)
}

func reprNested(v starlark.Value, depth int) string {
	if depth > mostNested {
		return "..."
	}
	switch v := v.(type) {
	case starlark.String:
		return requoted(quoteWithHalves(queries.Opaque(v)))
	case starlark.Bytes:
		return "b" + requoted(syntax.Quote(string(v), true)[1:])
	case *starlark.List:
		return "[" + reprElements(v, depth) + "]"
	case *starlark.Set:
		return "{" + reprElements(v, depth) + "}"
	case starlark.Tuple:
		if len(v) == 1 {
			return "(" + reprElements(v, depth) + ",)"
		}
		return "(" + reprElements(v, depth) + ")"
	case *starlark.Dict:
		var list []string
		for k, v := range starlark.Entries(v) {
			list = append(list, reprNested(k, depth+1)+": "+reprNested(v, depth+1))
		}
		return "{" + strings.Join(list, ", ") + "}"
	}
	return v.String()
}

// quoteWithHalves writes halves of surrogate pairs as their escapes.
func quoteWithHalves(o queries.Opaque) string {
	var out strings.Builder
	out.WriteByte('"')
	part := func(o queries.Opaque) string {
		quoted := syntax.Quote(string(o), false)
		return quoted[1 : len(quoted)-1]
	}
	for at, half := o.NextHalf(); at >= 0; at, half = o.NextHalf() {
		fmt.Fprintf(&out, `%s\u%04x`, part(o[:at]), half)
		o = o[at+3:]
	}
	return out.String() + part(o) + `"`
}

func reprElements(v starlark.Iterable, depth int) string {
	var list []string
	for e := range starlark.Elements(v) {
		list = append(list, reprNested(e, depth+1))
	}
	return strings.Join(list, ", ")
}

// requoted turns a text in double quotes, as Starlark writes it, into one in the
// quotes that Python would choose.
func requoted(literal string) string {
	inner := literal[1 : len(literal)-1]
	if strings.Contains(inner, "'") && !strings.Contains(inner, `\"`) {
		return literal
	}
	return "'" + strings.NewReplacer(`\\`, `\\`, `\"`, `"`, "'", `\'`).Replace(inner) + "'"
}
