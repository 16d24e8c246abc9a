package handlers

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// An input that a client sends as an object is stored as the text that the
// reference makes of it, because algorithms and signatures may depend on it: keys
// in the order sent, `", "` and `": "` between, everything but ASCII escaped
// (/docs/tasks#objects). Long ones are converted while they arrive (objectDecoder).

// inputText returns the text of a JSON object.
func inputText(object json.RawMessage) string {
	w := textWriter{src: string(object)}
	w.value()
	return w.out.String()
}

// textWriter copies valid JSON of limited depth in the reference's form.
type textWriter struct {
	src string
	at  int
	out strings.Builder
}

// next skips white space and returns the byte there.
func (w *textWriter) next() byte {
	w.at += len(w.src[w.at:]) - len(strings.TrimLeft(w.src[w.at:], " \t\r\n"))
	return w.src[w.at]
}

func (w *textWriter) value() {
	switch c := w.next(); c {
	case '{':
		w.object()
	case '[':
		w.list()
	case '"':
		w.out.WriteString(w.text())
	default:
		end := strings.IndexAny(w.src[w.at:], ",]} \t\r\n") // there is one: it is within an object
		w.out.WriteString(literal(w.src[w.at : w.at+end]))
		w.at += end
	}
}

func (w *textWriter) list() {
	w.out.WriteByte('[')
	w.at++
	for n := 0; w.next() != ']'; n++ {
		if n > 0 {
			w.at++ // the comma
			w.out.WriteString(", ")
		}
		w.value()
	}
	w.at++
	w.out.WriteByte(']')
}

// object writes the members; of a key that comes twice the last value counts, at
// the first one's place.
func (w *textWriter) object() {
	w.at++
	var keys []string
	values := map[string]string{}
	for w.next() != '}' {
		if len(keys) > 0 {
			w.at++ // the comma
			w.next()
		}
		key := w.text()
		w.next()
		w.at++ // the colon
		inner := textWriter{src: w.src, at: w.at}
		inner.value()
		w.at = inner.at
		if _, twice := values[key]; !twice {
			keys = append(keys, key)
		}
		values[key] = inner.out.String()
	}
	w.at++
	w.out.WriteByte('{')
	for i, key := range keys {
		if i > 0 {
			w.out.WriteString(", ")
		}
		w.out.WriteString(key + ": " + values[key])
	}
	w.out.WriteByte('}')
}

// text reads a string and gives it with its quotes, escaped anew.
func (w *textWriter) text() string {
	b := []byte{'"'}
	w.at++
	for w.src[w.at] != '"' {
		if w.src[w.at] != '\\' {
			r, size := utf8.DecodeRuneInString(w.src[w.at:])
			w.at += size
			b = appendEscaped(b, r)
			continue
		}
		c := w.src[w.at+1]
		w.at += 2
		switch c {
		case 'u':
			unit, _ := strconv.ParseUint(w.src[w.at:w.at+4], 16, 16)
			w.at += 4
			b = appendEscaped(b, rune(unit))
		case '/':
			b = append(b, '/')
		default:
			b = append(b, '\\', c)
		}
	}
	w.at++
	return string(append(b, '"'))
}

// appendEscaped writes a character, or half of a surrogate pair, as the reference does.
func appendEscaped(b []byte, r rune) []byte {
	const short = "\b\f\n\r\t\"\\"
	switch i := strings.IndexRune(short, r); {
	case i >= 0:
		return append(b, '\\', `bfnrt"\`[i])
	case r >= ' ' && r <= '~':
		return append(b, byte(r))
	case r > 0xffff:
		high, low := utf16.EncodeRune(r)
		return appendEscaped(appendEscaped(b, high), low)
	}
	return fmt.Appendf(b, `\u%04x`, r)
}

// literal returns true, false, null or a number; numbers with a fraction or an exponent
// take the shortest form that gives the same number.
func literal(s string) string {
	switch {
	case s == "-0":
		return "0"
	case !strings.ContainsAny(s, ".eE") || slices.Contains([]string{"true", "false"}, s):
		return s
	}
	f, _ := strconv.ParseFloat(s, 64) // past the range it is infinite
	if math.IsInf(f, 0) {
		return strings.TrimPrefix(strings.Replace(strconv.FormatFloat(f, 'g', -1, 64), "Inf", "Infinity", 1), "+")
	}
	short := strconv.FormatFloat(f, 'e', -1, 64)
	_, exponent, _ := strings.Cut(short, "e")
	if e, _ := strconv.Atoi(exponent); e >= -4 && e < 16 {
		short = strconv.FormatFloat(f, 'f', -1, 64)
		if !strings.Contains(short, ".") {
			short += ".0"
		}
	}
	return short
}
