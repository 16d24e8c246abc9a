package handlers

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"vserver/service/core"
	"vserver/service/fault"
)

// Lengths of text fields in characters (/docs/wire#fields).
const (
	shortText = 1_000
	imageText = 2_000
	longText  = 100_000
	// unbounded texts are bounded by the body alone, and may hold control characters.
	unbounded = math.MaxInt
)

// missingField is the reason that users of the reference see.
const missingField = "Missing required parameter in the JSON body or the post body or the query string"

// body reads the fields of a request's JSON object. The first faulty field, in the
// order of reading, is kept and given by err; after it everything reads as absent.
type body struct {
	call   *call
	fields map[string]json.RawMessage
	texts  []*core.Text // what the numbers in place of long texts stand for
	parser bool         // answers about fields in the shape of /docs/wire#field
	fault  error
}

// body reads the request's object; no body is a fault.
func (k *call) body() (*body, error) { return k.read(&body{}, "A JSON body is required") }

// tokenBody is body for the routes that hand out keys and tokens.
func (k *call) tokenBody() (*body, error) { return k.read(&body{}, "Missing JSON in request") }

// parserBody reads the object of a route that reports its fields one by one; no
// body is an empty object.
func (k *call) parserBody() (*body, error) { return k.read(&body{parser: true}, "") }

// sent reads what a request wants written, with the fault of its body kept for
// later.
func sent[F any](open func() (*body, error), read func(*body) F) core.Sent[F] {
	b, err := open()
	if err != nil {
		return core.Sent[F]{Fault: err}
	}
	fields := read(b)
	return core.Sent[F]{Fields: fields, Fault: b.err()}
}

func (k *call) read(b *body, none string) (*body, error) {
	b.call = k
	if k.textFault != nil {
		return nil, k.textFault
	}
	b.texts = k.texts
	raw := bytes.TrimSpace(k.raw)
	isJSON := strings.Contains(strings.ToLower(k.echo.Request().Header.Get("Content-Type")), "json")
	switch {
	case deep(raw):
		return nil, tooDeep()
	case !json.Valid(raw) && isJSON:
		return nil, fault.New(fault.Unparsed, textUnparsed)
	case !json.Valid(raw), string(raw) == "null":
		if none != "" {
			return nil, fault.New(fault.Invalid, "%s", none)
		}
		return b, nil
	}
	if err := json.Unmarshal(raw, &b.fields); err != nil {
		return nil, fault.New(fault.Invalid, "The JSON body has to be an object")
	}
	if utf8.Valid(raw) {
		return b, nil
	}
	for _, field := range slices.Sorted(maps.Keys(b.fields)) {
		if !utf8.Valid(b.fields[field]) {
			b.refuse(field, "has bytes that are no UTF-8")
		}
	}
	if b.fault == nil { // a name of a field, then
		b.fault = fault.New(fault.Invalid, "The JSON body has bytes that are no UTF-8")
	}
	return nil, b.fault
}

// beginning reads a field of an object of which only the beginning is there; nil when it is
// not whole yet.
func beginning(begun []byte, field string) json.RawMessage {
	d := json.NewDecoder(bytes.NewReader(begun))
	if open, err := d.Token(); err != nil || open != json.Delim('{') {
		return nil
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil
		}
		var value json.RawMessage
		if d.Decode(&value) != nil || d.InputOffset() == int64(len(begun)) { // a number may go on
			return nil
		}
		if key == field {
			return value
		}
	}
	return nil
}

// deep reports whether a body nests more than 100 levels.
func deep(raw []byte) bool {
	depth, quoted := 0, false
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{', c == '[':
			if depth++; depth > deepest {
				return true
			}
		case c == '}', c == ']':
			depth--
		}
	}
	return false
}

// err returns the fault of the first faulty field.
func (b *body) err() error { return b.fault }

func (b *body) refuse(field, format string, args ...any) {
	reason := fmt.Sprintf(format, args...)
	switch {
	case b.fault != nil:
	case b.parser:
		b.fault = fault.OfField(field, reason)
	default:
		b.fault = fault.New(fault.Invalid, "%s: %s", field, reason)
	}
}

// has reports whether a field is there and not null.
func (b *body) has(field string) bool {
	raw, ok := b.fields[field]
	return ok && string(raw) != "null"
}

// get returns a field's JSON, false when it is absent, null, or an earlier field was
// faulty.
func (b *body) get(field string) (json.RawMessage, bool) {
	if b.fault != nil || !b.has(field) {
		return nil, false
	}
	return b.fields[field], true
}

// need refuses when one of the fields is absent or null; with several, the first
// in order. It is called before the field is read.
func (b *body) need(field string) {
	if !b.has(field) {
		b.refuse(field, missingField)
	}
}

// needOr is need with another reason.
func (b *body) needOr(field, reason string) {
	if !b.has(field) {
		b.refuse(field, "%s", reason)
	}
}

// text reads a string of at most limit characters; nil when absent or null.
func (b *body) text(field string, limit int) *string {
	raw, ok := b.get(field)
	if !ok {
		return nil
	}
	var s string
	switch {
	case json.Unmarshal(raw, &s) != nil:
		b.refuse(field, "has to be a text")
	case utf8.RuneCountInString(s) > limit:
		b.refuse(field, "has more than %d characters", limit)
	case hasHalf(raw):
		b.refuse(field, "has half of a surrogate pair, which is no character")
	case limit == unbounded && strings.ContainsRune(s, 0):
		b.refuse(field, "has a NUL character")
	case limit != unbounded && strings.ContainsFunc(s, forbidden(limit)):
		b.refuse(field, "has control characters")
	default:
		return &s
	}
	return nil
}

// forbidden finds control characters and, in names, overrides of the direction of writing.
// Long texts may have lines and tabs.
func forbidden(limit int) func(rune) bool {
	return func(r rune) bool {
		if limit == longText && (r == '\t' || r == '\n' || r == '\r') {
			return false
		}
		override := r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069
		return unicode.IsControl(r) || override && limit != longText
	}
}

// name reads a name that must not be taken for an id (/docs/security#t05).
func (b *body) name(field string) *string {
	s := b.text(field, shortText)
	if s != nil && core.LooksLikeID(*s) {
		b.refuse(field, "%s", core.TextLooksLikeID)
		return nil
	}
	return s
}

// integer reads a whole number: a JSON number without fraction, or a string of
// digits; nil when absent or null.
func (b *body) integer(field string) *int64 {
	raw, ok := b.get(field)
	if !ok {
		return nil
	}
	n, err := b.whole(raw)
	if err != nil {
		b.refuse(field, "%s", err)
		return nil
	}
	return &n
}

// whole reads a whole number. One that no id can be stands for a row that is not there.
func (b *body) whole(raw json.RawMessage) (int64, error) {
	text := string(raw)
	var s string
	if json.Unmarshal(raw, &s) == nil {
		if !decimal(s) {
			return 0, fmt.Errorf("invalid literal for int() with base 10: '%s'", s)
		}
		text = s
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n, nil
	}
	f, err := strconv.ParseFloat(text, 64)
	switch {
	case errors.Is(err, strconv.ErrRange), err == nil && math.Abs(f) >= 1<<53: // which have no fraction
		return b.call.missing(text), nil
	case err != nil || f != math.Trunc(f):
		return 0, errors.New("has to be a whole number")
	}
	return int64(f), nil
}

// boolean reads true, false, 0 or 1; nil when absent or null.
func (b *body) boolean(field string) *bool {
	raw, ok := b.get(field)
	if !ok {
		return nil
	}
	yes := string(raw) == "true" || string(raw) == "1"
	if !yes && string(raw) != "false" && string(raw) != "0" {
		b.refuse(field, "has to be true or false")
		return nil
	}
	return &yes
}

// ids reads a list of whole numbers, or a single one; nil when absent or null, and
// an empty list when it is empty.
func (b *body) ids(field string) []int64 {
	raw, ok := b.get(field)
	if !ok {
		return nil
	}
	list := []json.RawMessage{raw}
	if raw[0] == '[' && json.Unmarshal(raw, &list) != nil {
		b.refuse(field, "has to be a list of ids")
		return nil
	}
	ids := []int64{}
	for _, item := range list {
		n, err := b.whole(item)
		if err != nil {
			b.refuse(field, "%s", err)
			return nil
		}
		ids = append(ids, n)
	}
	return ids
}
