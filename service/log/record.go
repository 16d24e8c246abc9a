package log

import (
	"bytes"
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Fields with a meaning of their own; all others follow the message as key=value.
const (
	fieldLevel    = "level"
	fieldLogger   = "logger"
	fieldMessage  = "message"
	fieldTime     = "time"
	fieldStack    = "stack" // trace: printed on the lines after the record
	fieldPathname = "log.pathname"
	fieldFunction = "log.function"
	fieldLine     = "log.line"
)

// eachField walks the members of the one-line JSON object that zerolog writes, in
// order; keys come without their quotes. It stops at the first thing it does not
// understand.
func eachField(event []byte, do func(key, value []byte)) {
	rest := bytes.TrimSpace(event)
	for len(rest) > 1 && (rest[0] == '{' || rest[0] == ',') {
		rest = rest[1:]
		key := span(rest)
		if key < 2 || rest[0] != '"' || key >= len(rest) || rest[key] != ':' {
			return
		}
		value := span(rest[key+1:])
		if value == 0 {
			return
		}
		do(rest[1:key-1], rest[key+1:key+1+value])
		rest = rest[key+1+value:]
	}
}

// span is the length of the JSON value at the start of p, 0 when it does not end.
func span(p []byte) int {
	depth := 0
	for i := 0; i < len(p); i++ {
		switch p[i] {
		case '"':
			for i++; i < len(p) && p[i] != '"'; i++ {
				if p[i] == '\\' {
					i++
				}
			}
			if i >= len(p) {
				return 0
			}
			if depth == 0 {
				return i + 1
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return i
			}
			if depth--; depth == 0 {
				return i + 1
			}
		case ',':
			if depth == 0 {
				return i
			}
		}
	}
	return 0
}

// plain is the text of a JSON string, or any other value as written.
func plain(value []byte) string {
	if len(value) < 2 || value[0] != '"' {
		return string(value)
	}
	if bytes.IndexByte(value, '\\') < 0 {
		return string(value[1 : len(value)-1])
	}
	var s string
	if err := json.Unmarshal(value, &s); err != nil {
		return string(value)
	}
	return s
}

// read fills the record from an event, secrets masked.
func (r *record) read(event []byte, m masker) {
	var fields []byte
	eachField(event, func(key, value []byte) {
		switch string(key) {
		case fieldLevel, fieldTime:
		case fieldLogger:
			r.name = plain(value)
		case fieldMessage:
			r.message = oneLine(m.mask(plain(value)))
		case fieldStack:
			r.trace = m.mask(plain(value))
		case fieldPathname:
			r.pathname = plain(value)
		case fieldFunction:
			r.function = plain(value)
		case fieldLine:
			r.line, _ = strconv.Atoi(string(value))
		default:
			fields = append(append(append(fields, ' '), key...), '=')
			fields = append(fields, quoted(m.mask(plain(value)))...)
		}
	})
	r.message = strings.TrimPrefix(r.message+string(fields), " ")
}

// quoted writes a field's value bare when it is one plain word, else in quotes.
func quoted(value string) string {
	bare := func(c rune) bool { return c > ' ' && c != '"' && c != '=' && unicode.IsPrint(c) }
	if value != "" && utf8.ValidString(value) && strings.IndexFunc(value, func(c rune) bool { return !bare(c) }) < 0 {
		return value
	}
	return strconv.Quote(value)
}

// oneLine writes control characters as escapes, so that a text from outside can
// neither forge a second record nor steer a terminal.
func oneLine(message string) string {
	control := func(c rune) bool { return unicode.IsControl(c) && c != '\t' || c == '\u2028' || c == '\u2029' }
	if strings.IndexFunc(message, control) < 0 {
		return message
	}
	var b strings.Builder
	for _, c := range message {
		if control(c) {
			escape := strconv.QuoteRune(c)
			b.WriteString(escape[1 : len(escape)-1])
		} else {
			b.WriteRune(c)
		}
	}
	return b.String()
}

// masker replaces secret texts by *** (/docs/security#u8): longest first, each also in
// its escaped forms.
type masker []string

// shortestSecret in bytes is masked; replacing shorter ones would garble every line.
const shortestSecret = 4

func newMasker(secrets []string) masker {
	var m masker
	for _, s := range secrets {
		if len(s) < shortestSecret {
			continue
		}
		inJSON, _ := json.Marshal(s) // a string always marshals
		inQuotes := strconv.Quote(s)
		m = append(m, s, url.PathEscape(s), url.QueryEscape(s), inQuotes[1:len(inQuotes)-1], string(inJSON[1:len(inJSON)-1]))
	}
	slices.SortFunc(m, func(a, b string) int {
		if len(a) != len(b) {
			return len(b) - len(a)
		}
		return strings.Compare(a, b)
	})
	return slices.Compact(m)
}

func (m masker) mask(s string) string {
	for _, secret := range m {
		if strings.Contains(s, secret) {
			s = strings.ReplaceAll(s, secret, "***")
		}
	}
	return s
}

// maskEvent masks the values of a JSON event and leaves its shape alone.
func (m masker) maskEvent(event []byte) []byte {
	if len(m) == 0 {
		return event
	}
	line := []byte{'{'}
	eachField(event, func(key, value []byte) {
		if len(line) > 1 {
			line = append(line, ',')
		}
		line = append(append(append(line, '"'), key...), `":`...)
		line = append(line, m.maskValue(value)...)
	})
	return append(line, '}', '\n')
}

func (m masker) maskValue(value []byte) []byte {
	before := plain(value)
	after := m.mask(before)
	if after == before {
		return value
	}
	if value[0] != '"' && json.Valid([]byte(after)) {
		return []byte(after)
	}
	inJSON, _ := json.Marshal(after) // a string always marshals
	return inJSON
}
