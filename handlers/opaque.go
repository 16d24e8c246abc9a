package handlers

import (
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"vserver/service/core"
)

// longText reads a text that is kept as it is, with every control character and with
// escaped halves of surrogate pairs; nil when absent or null.
func (b *body) longText(field string) *core.Text {
	raw, ok := b.get(field)
	if !ok {
		return nil
	}
	n, err := strconv.Atoi(strings.Trim(string(raw), `"`))
	if raw[0] != '"' || err != nil { // the splitter leaves no other string here
		b.refuse(field, "has to be a text")
		return nil
	}
	return b.texts[n]
}

// unquoted decodes a part of a valid JSON string.
func unquoted(s string) (text string) {
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	_ = json.Unmarshal([]byte(`"`+s+`"`), &text)
	return text
}

// nextHalf returns where the first escape of a half without its other half is within a
// JSON string, and which half; -1 when there is none.
func nextHalf(s string) (at int, half rune) {
	for {
		i := strings.IndexByte(s[at:], '\\')
		if i < 0 {
			return -1, 0
		}
		if at += i; s[at+1] != 'u' {
			at += 2
			continue
		}
		r := unit(s[at:])
		if !utf16.IsSurrogate(r) {
			at += 6
			continue
		}
		if utf16.DecodeRune(r, unit(s[at+6:])) == utf8.RuneError {
			return at, r
		}
		at += 12
	}
}

// unit reads the escape `\uXXXX` at the beginning of s; 0 when there is none.
func unit(s string) rune {
	r, _ := unit16([]byte(s[:min(len(s), len(`\uXXXX`))]))
	return r
}

// hasHalf reports whether a JSON value is a string with an escaped half of a surrogate pair.
func hasHalf(raw json.RawMessage) bool {
	if raw[0] != '"' {
		return false
	}
	at, _ := nextHalf(string(raw))
	return at >= 0
}

// opaqueJSON returns an opaque text as the wire has it: null, a text, or one with
// escaped halves of surrogate pairs.
func opaqueJSON(o *core.Opaque) any {
	switch {
	case o == nil:
		return nil
	case utf8.ValidString(string(*o)):
		return string(*o)
	}
	return json.RawMessage(`"` + string(encodeOpaque([]byte(*o))) + `"`)
}

// quotedPart encodes a text without halves for within a JSON string.
func quotedPart(o core.Opaque) []byte {
	b, err := json.Marshal(string(o))
	if err != nil {
		panic(err) // a string always encodes
	}
	return b[1 : len(b)-1]
}
