package shell

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"unicode/utf8"
)

// token matches what comes next in a line: a comment, the beginning of a text (its
// prefix and its quotes are submatches), `is not` (another one), a comparison, a word, a
// number, or one character.
//
// It is made when a shell begins: the letters of all languages are much to hold for a server.
var token = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?s)^(?:#.*|([rbufRBUF]{0,2})("""|'''|"|')|(is[ \t]+not\b)|[=!<>]=|[\pL_][\pL\pN_]*|\pN[\pL\pN_]*|.)`)
})

// textEnd returns where the text ends whose opening quotes end at from; -1 when it
// does not end.
func textEnd(s string, from int, quote string) int {
	for i := from; i < len(s); i++ {
		switch {
		case s[i] == '\\':
			i++
		case strings.HasPrefix(s[i:], quote):
			return i + len(quote)
		}
	}
	return -1
}

// mostBrackets is how many may be open at once: the parser calls itself for each.
const mostBrackets = 200

// translator turns what Python has and Starlark lacks into Starlark, line by line:
// imports, f-strings, `is` and `is not`. The number of lines stays, so that the line
// numbers of messages are right.
type translator struct {
	out       strings.Builder
	lines     int
	unclosed  []byte // a text over several lines, from its beginning on
	quote     string // that closes it
	open      []byte // brackets
	continued bool   // the line ends in a backslash
	begins    bool   // a statement begins here
	afterText bool   // the last token was a text
	field     bool   // it translates what stands between { and } of an f-string
	err       error  // the first one
}

// closed reports whether the statement may end after the lines so far.
func (t *translator) closed() bool {
	return len(t.open) == 0 && len(t.unclosed) == 0 && !t.continued
}

// add translates the next line.
func (t *translator) add(line string) {
	if !utf8.ValidString(line) {
		t.refuse("a line is no text in UTF-8; save the file in this encoding")
	}
	if t.lines++; t.lines > 1 {
		line = "\n" + line
	}
	if len(t.unclosed) > 0 {
		t.unclosed = append(t.unclosed, line...)
		if !strings.Contains(line, t.quote) {
			return
		}
		line, t.unclosed = string(t.unclosed), nil
	} else if t.begins = !t.continued && len(t.open) == 0; t.begins {
		t.afterText = false
	}
	t.continued = false
	for t.err == nil && line != "" {
		line = line[t.next(line):]
	}
}

// next translates the token that a rest of a line begins with. It returns the length
// of what it has used.
func (t *translator) next(rest string) int {
	m := token().FindStringSubmatch(rest)
	word, quote := m[0], m[2]
	switch {
	case strings.TrimSpace(word) == "" || word[0] == '#':
		t.out.WriteString(word)
		return len(word)
	case quote != "":
		return t.text(rest, strings.ToLower(m[1]), quote)
	case t.begins && (word == "import" || word == "from"):
		return t.importStatement(rest)
	case m[3] != "":
		t.out.WriteString("!=")
	default:
		t.word(word, len(word) == len(rest))
	}
	t.begins = word == ";" || word == ":" && len(t.open) == 0
	t.afterText = false
	return len(word)
}

// word translates a name, a number or a sign; last tells that its line ends after it.
func (t *translator) word(word string, last bool) {
	switch word {
	case `\`:
		t.continued = last
	case "(", "[", "{":
		if t.open = append(t.open, word[0]); len(t.open) > mostBrackets {
			t.refuse("too many nested brackets; give names to parts of it")
		}
	case ")", "]", "}":
		t.open = t.open[:max(0, len(t.open)-1)]
	case "is":
		word = "=="
	case "for":
		if len(t.open) > 0 && t.open[len(t.open)-1] == '(' {
			t.refuse("a generator is not taken here; write a list, as in any([x for x in y])")
		}
	case ":", "!", "=":
		if t.field && len(t.open) == 0 {
			t.refuse("an f-string takes no format after %s here; write str(…) or repr(…), and strftime(…) of a date", word)
		}
	}
	t.out.WriteString(word)
}

func (t *translator) refuse(format string, args ...any) {
	t.err = cmp.Or(t.err, fmt.Errorf(format, args...))
}

// text translates a text with the letters before it. It returns its length.
func (t *translator) text(rest, prefix, quote string) int {
	begin := len(prefix) + len(quote)
	end := textEnd(rest, begin, quote)
	switch {
	case end < 0 && len(quote) == 3:
		t.unclosed, t.quote = []byte(rest), quote
		return len(rest)
	case end < 0:
		t.refuse(`a text is not closed in its line; a text over several lines stands in """`)
		return len(rest)
	case t.afterText:
		t.refuse("texts side by side are not joined here; write + between them")
	case prefix == "f":
		t.formatted(rest[begin:end-len(quote)], quote)
	case prefix != "" && prefix != "r" && prefix != "b" && prefix != "rb":
		t.refuse("the letters %s before a text are not taken here; write it without them, and \\\\ for a backslash", prefix)
	default:
		t.out.WriteString(prefix + rest[len(prefix):end])
	}
	t.begins, t.afterText = false, true
	return end
}

// piece matches the next part of an f-string: a doubled brace, an expression between
// braces (a submatch), plain text, or one character.
var piece = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?s)^(?:\{\{|\}\}|\{([^{}\n]*)\}|(?:\\.|[^{}\\])+|.)`)
})

// formatted writes what stands in an f-string as a call of formatFunction.
func (t *translator) formatted(rest, quote string) {
	t.out.WriteString(formatFunction + "(")
	for rest != "" {
		m := piece().FindStringSubmatch(rest)
		rest = rest[len(m[0]):]
		switch {
		case m[0] == "{" || m[0] == "}":
			t.refuse("an f-string needs { and } around a simple expression (give a name to what has braces itself), and {{ or }} for the signs")
		case m[0] == "{{" || m[0] == "}}":
			t.out.WriteString(quote + m[0][:1] + quote + ", ")
		case m[0][0] != '{':
			t.out.WriteString(quote + m[0] + quote + ", ")
		case strings.TrimSpace(m[1]) == "":
			t.refuse("an f-string needs an expression between { and }")
		default:
			inner := translator{field: true}
			inner.add(m[1])
			if t.err = cmp.Or(t.err, inner.err); t.err == nil && !inner.closed() {
				t.refuse("a bracket is not closed in an f-string")
			}
			t.out.WriteString("(" + inner.out.String() + "), ")
		}
	}
	t.out.WriteString(")")
}

var (
	fromImport   = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^from\s+([\w.]+)\s+import\b(.*)$`) })
	importedName = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^([A-Za-z_]\w*)(?:\s+as\s+([A-Za-z_]\w*))?$`) })
)

// errImport is what is wrong with an import that is not of the form it names.
var errImport = errors.New("an import stands in one line and reads: import MODULE, or from MODULE import NAME, NAME; NAME as OTHER is possible")

// importStatement writes assignments in place of an import, which ends with its line,
// a semicolon or a comment. It returns the length of the import.
func (t *translator) importStatement(rest string) int {
	end := strings.IndexAny(rest, ";#")
	if end < 0 {
		end = len(rest)
	}
	module, list := "", strings.TrimPrefix(rest[:end], "import")
	if m := fromImport().FindStringSubmatch(rest[:end]); m != nil {
		module, list = m[1], m[2]
	}
	var assignments []string
	for item := range strings.SplitSeq(list, ",") {
		m := importedName().FindStringSubmatch(strings.TrimSpace(item))
		if m == nil {
			t.err = cmp.Or(t.err, errImport)
			return end
		}
		from, member := module, m[1]
		if module == "" {
			from, member = m[1], ""
		}
		assignments = append(assignments, fmt.Sprintf("%s = %s(%q, %q)", cmp.Or(m[2], m[1]), importFunction, from, member))
	}
	t.out.WriteString(strings.Join(assignments, "; "))
	return end
}
