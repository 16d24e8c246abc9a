package queries

import (
	"database/sql/driver"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Opaque is a text of others that is stored as bytes and comes back unchanged: UTF-8, in
// which half of a surrogate pair has the three bytes that its number would have.
type Opaque string

// Value returns what is sent to the driver.
func (o Opaque) Value() (driver.Value, error) { return []byte(o), nil }

// Scan reads what a driver returns.
func (o *Opaque) Scan(src any) error {
	b, ok := src.([]byte)
	if !ok {
		return fmt.Errorf("reading stored bytes: unexpected %T", src)
	}
	*o = Opaque(b)
	return nil
}

// NextHalf returns where the first half of a surrogate pair begins and which one it is;
// -1 when there is none. It takes three bytes.
func (o Opaque) NextHalf() (at int, half rune) {
	const lead = 0xed // of the halves and of no character from U+E000 on
	for at < len(o) {
		i := strings.IndexByte(string(o[at:]), lead)
		if i < 0 || at+i+2 >= len(o) {
			break
		}
		at += i
		if b, c := o[at+1], o[at+2]; 0xa0 <= b && b <= 0xbf && 0x80 <= c && c <= 0xbf {
			return at, 0xd000 | rune(b&0x3f)<<6 | rune(c&0x3f)
		}
		at++
	}
	return -1, 0
}

// AppendHalf adds a half of a surrogate pair.
func AppendHalf(b []byte, half rune) []byte {
	return append(b, 0xed, 0x80|byte(half>>6&0x3f), 0x80|byte(half&0x3f))
}

// Whole reports whether everything in the text is a character or half of a surrogate pair.
func (o Opaque) Whole() bool {
	for {
		at, _ := o.NextHalf()
		if at < 0 {
			return utf8.ValidString(string(o))
		}
		if !utf8.ValidString(string(o[:at])) {
			return false
		}
		o = o[at+3:]
	}
}
