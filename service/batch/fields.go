package batch

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"vserver/service/yaml"
)

// Lengths of texts in characters (/docs/wire#fields, /docs/tokens#password-policy).
const (
	shortText    = 1_000
	imageText    = 2_000
	longText     = 100_000
	passwordText = 128
)

// block is a block of keys of the file.
type block struct{ *yaml.Block }

// blockOf opens the block of a list's member; nil when it is none, with a fault that
// says what it must be, or when reading has ended.
func blockOf(r *yaml.Reader, path string, v yaml.Value, must string) *block {
	if !v.IsBlock() {
		r.Fault(v.Line, path, "must be %s, not %s", must, v.Kind())
	}
	if b := r.Block(path, v); b != nil {
		return &block{b}
	}
	return nil
}

// text is a field of the file.
type text struct {
	value *string // nil when null or not there
	given bool    // the key is there
	line  int     // of the key, or of the block when the key is not there
}

// orEmpty returns the value, the empty text when there is none.
func (t text) orEmpty() string {
	if t.value == nil {
		return ""
	}
	return *t.value
}

// text reads a single value as it is written, so that `zipcode: 54331` is "54331".
func (b *block) text(name string, limit int) text {
	v, there := b.Ask(name)
	t := text{given: there, line: b.LineOf(name)}
	if v.Null() {
		return t
	}
	value, why := plain(v, limit)
	if why != "" {
		b.Refuse(name, "%s", why)
		return t
	}
	t.value = &value
	return t
}

// plain returns a single value as text, or why it cannot be taken.
func plain(v yaml.Value, limit int) (value, why string) {
	value = v.Text()
	switch {
	case !v.Single() || v.Null():
		return "", "must be a text, not " + v.Kind()
	case v.IsBinary():
		return "", "must be a text, not binary data"
	case utf8.RuneCountInString(value) > limit:
		return "", fmt.Sprintf("is longer than %d characters", limit)
	case strings.ContainsFunc(value, forbidden(limit)):
		return "", "holds control characters"
	}
	return value, ""
}

// forbidden finds control characters; long texts may have lines and tabs.
func forbidden(limit int) func(rune) bool {
	return func(c rune) bool {
		override := c >= 0x202a && c <= 0x202e || c >= 0x2066 && c <= 0x2069
		return override && limit != longText || unicode.IsControl(c) && (limit != longText || !strings.ContainsRune("\t\n\r", c))
	}
}

// need reads a text that must be there and not be empty.
func (b *block) need(name string, limit int) (string, int) {
	before := len(b.Faults)
	t := b.text(name, limit)
	switch {
	case len(b.Faults) > before:
	case !t.given:
		b.Refuse(name, "is missing")
	case t.orEmpty() == "":
		b.Refuse(name, "has no value")
	}
	return t.orEmpty(), t.line
}

// key reads a text whose key must be there; the value may be null.
func (b *block) key(name string) text {
	t := b.text(name, shortText)
	if !t.given {
		b.Refuse(name, "is missing; write the key without a value for none")
	}
	return t
}

// item names the n-th member of a list, counted from 1 as people do.
func (b *block) item(name string, n int) string {
	return fmt.Sprintf("%s[%d]", b.Key(name), n+1)
}

// blocks opens the members of a list of blocks.
func (b *block) blocks(name, must string) []*block {
	var all []*block
	items, _ := b.List(name)
	for i, v := range items {
		if sub := blockOf(b.Reader, b.item(name, i), v, must); sub != nil {
			all = append(all, sub)
		}
	}
	return all
}
