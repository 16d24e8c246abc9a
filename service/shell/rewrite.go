package shell

import (
	"cmp"
	"errors"
	"strings"
	"unicode/utf8"
)

// errUnfinished tells that a text ends within a string.
var errUnfinished = errors.New("the text ends within a string")

// deepest is how far f-strings may stand within f-strings.
const deepest = 20

// mostBrackets is how many may be open at once, as in Python.
const mostBrackets = 200

// rewrite turns what Python has and Starlark lacks into Starlark: imports, f-strings,
// `is` and `is not`, strings that stand side by side, and generators in a call. The
// number of lines stays, so that the places in messages are right.
func rewrite(text string) (string, error) { return rewriteWithin(text, 0) }

func rewriteWithin(text string, depth int) (string, error) {
	if depth > deepest {
		return "", errors.New("f-strings are nested too deeply")
	}
	r := &rewriter{src: text, depth: depth, fresh: true}
	for r.at < len(r.src) {
		if err := r.step(); err != nil {
			return "", err
		}
		if len(r.open) > mostBrackets {
			return "", errors.New("too many nested parentheses")
		}
	}
	r.endStrings()
	return string(r.out), nil
}

// rewriter goes once through a text.
type rewriter struct {
	src   string
	at    int // in src
	out   []byte
	depth int  // of f-strings around this text
	fresh bool // a statement begins here
	open  []bracket
	// A run of strings side by side, in out: where it begins, where its last string
	// ends, and how many there are.
	run, runEnd, runs int
}

// bracket is one that is open.
type bracket struct {
	place     int // in out, after it
	round     bool
	generator bool
}

// step takes one token.
func (r *rewriter) step() error {
	c := r.src[r.at]
	switch {
	case c == '#':
		r.keep(lineEnd(r.src, r.at))
	case c == ' ' || c == '\t' || c == '\r':
		r.keep(r.at + 1)
	case c == '\\' && strings.HasPrefix(r.src[r.at:], "\\\n"):
		r.keep(r.at + 2)
	case c == '\n' && len(r.open) > 0:
		r.keep(r.at + 1)
	case c == '"' || c == '\'':
		return r.text("")
	case wordByte(c) && !digit(c):
		return r.word()
	default:
		r.endStrings()
		r.sign(c)
	}
	return nil
}

// keep copies the source up to a place.
func (r *rewriter) keep(end int) {
	r.out = append(r.out, r.src[r.at:end]...)
	r.at = end
}

// sign takes a byte that is no word, string or blank.
func (r *rewriter) sign(c byte) {
	switch c {
	case '(', '[', '{':
		r.keep(r.at + 1)
		r.open = append(r.open, bracket{place: len(r.out), round: c == '('})
		r.fresh = false
		return
	case ')', ']', '}':
		if n := len(r.open); n > 0 {
			if r.open[n-1].generator {
				r.out = append(r.out, ']')
			}
			r.open = r.open[:n-1]
		}
	}
	if digit(c) {
		r.keep(numberEnd(r.src, r.at))
	} else {
		r.keep(r.at + 1)
	}
	r.fresh = len(r.open) == 0 && (c == '\n' || c == ';' || c == ':')
}

// word takes a name, a keyword or the letters before a string.
func (r *rewriter) word() error {
	end := wordEnd(r.src, r.at)
	w := r.src[r.at:end]
	if end < len(r.src) && (r.src[end] == '"' || r.src[end] == '\'') && prefixes[strings.ToLower(w)] {
		return r.text(strings.ToLower(w))
	}
	r.endStrings()
	fresh := r.fresh
	r.fresh = false
	switch {
	case fresh && (w == "import" || w == "from"):
		return r.imports()
	case w == "is":
		r.is(end)
		return nil
	case w == "for" && len(r.open) > 0 && r.open[len(r.open)-1].round:
		r.generator()
	}
	r.keep(end)
	return nil
}

// is writes a comparison: the objects of the shell are the same when they are equal.
func (r *rewriter) is(end int) {
	rest := strings.TrimLeft(r.src[end:], " \t")
	if after, ok := strings.CutPrefix(rest, "not"); ok && (after == "" || !wordByte(after[0])) {
		r.out = append(r.out, "!="...)
		r.at = len(r.src) - len(after)
		return
	}
	r.out = append(r.out, "=="...)
	r.at = end
}

// generator makes a list of what stands in the innermost parentheses.
func (r *rewriter) generator() {
	b := &r.open[len(r.open)-1]
	if b.generator {
		return
	}
	b.generator = true
	r.out = append(r.out, 0)
	copy(r.out[b.place+1:], r.out[b.place:])
	r.out[b.place] = '['
}

// prefixes are the letters that may stand before a string.
var prefixes = map[string]bool{"r": true, "b": true, "u": true, "f": true, "rb": true, "br": true, "rf": true, "fr": true}

// text takes a string with the letters before it.
func (r *rewriter) text(prefix string) error {
	begin := r.at + len(prefix)
	end, err := stringEnd(r.src, begin)
	if err != nil {
		return err
	}
	var written string
	switch strings.ReplaceAll(prefix, "r", "") {
	case "":
		written = prefix + r.src[begin:end]
	case "b":
		written = strings.Replace(prefix, "br", "rb", 1) + r.src[begin:end]
	case "u":
		written = r.src[begin:end]
	case "f":
		if written, err = r.formatted(r.src[begin:end], strings.Contains(prefix, "r")); err != nil {
			return err
		}
	}
	r.addString(written)
	r.at, r.fresh = end, false
	return nil
}

// addString writes a string, with a plus sign when another one stands before it.
func (r *rewriter) addString(written string) {
	if r.runs == 0 {
		r.run = len(r.out)
	} else {
		gap := string(r.out[r.runEnd:])
		r.out = append(r.out[:r.runEnd], " +"...)
		r.out = append(r.out, cmp.Or(gap, " ")...)
	}
	r.out = append(r.out, written...)
	r.runs++
	r.runEnd = len(r.out)
}

// endStrings puts parentheses around strings that were put together, because what
// follows them is meant for all.
func (r *rewriter) endStrings() {
	if r.runs > 1 {
		tail := string(r.out[r.run:r.runEnd]) + ")" + string(r.out[r.runEnd:])
		r.out = append(append(r.out[:r.run], '('), tail...)
	}
	r.runs = 0
}

// stringEnd gives the place after the string whose quote stands at begin.
func stringEnd(s string, begin int) (int, error) {
	quote := s[begin : begin+1]
	if strings.HasPrefix(s[begin:], strings.Repeat(quote, 3)) {
		quote = s[begin : begin+3]
	}
	for i := begin + len(quote); i < len(s); i++ {
		switch {
		case s[i] == '\\':
			i++
		case s[i] == '\n' && len(quote) == 1:
			return 0, errors.New("the line ends within a string")
		case strings.HasPrefix(s[i:], quote):
			return i + len(quote), nil
		}
	}
	if len(quote) == 1 {
		return 0, errors.New("the line ends within a string")
	}
	return 0, errUnfinished
}

func lineEnd(s string, from int) int {
	if n := strings.IndexByte(s[from:], '\n'); n >= 0 {
		return from + n
	}
	return len(s)
}

func wordByte(c byte) bool {
	return c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || digit(c) || c >= utf8.RuneSelf
}

func digit(c byte) bool { return '0' <= c && c <= '9' }

func wordEnd(s string, from int) int {
	for from < len(s) && wordByte(s[from]) {
		from++
	}
	return from
}

// numberEnd keeps the letters of a number, such as 0x1F and 1e5, from being words.
func numberEnd(s string, from int) int { return wordEnd(s, from) }
