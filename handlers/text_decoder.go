package handlers

import (
	"unicode/utf16"
	"unicode/utf8"

	"vserver/service/core"
)

// textFault ends the reading of a body at a text that cannot be taken, and says why.
type textFault string

func (f textFault) Error() string { return string(f) }

const errNoUTF8 textFault = "has bytes that are no UTF-8"

// textDecoder decodes the rest of a JSON string into a text.
type textDecoder struct {
	*splitter
	to      *core.Arriving
	encoded int64 // bytes within the quotes when it is sent back
	letter  [utf8.UTFMax]byte
}

// verbatim are the bytes that stand for themselves in JSON, both ways.
var verbatim = func() (is [256]bool) {
	for c := ' '; c < utf8.RuneSelf; c++ {
		is[c] = extra(c) == 0 && c != '"' && c != '\\'
	}
	return is
}()

// decode reads up to the closing quote.
func (d *textDecoder) decode() error {
	for {
		if d.at == len(d.buffer) && !d.have(1) {
			return d.failed()
		}
		p := d.buffer[d.at:]
		n := 0
		for n < len(p) && verbatim[p[n]] {
			n++
		}
		if n > 0 {
			if err := d.pass(p[:n], 0); err != nil {
				return err
			}
			d.at += n
			continue
		}
		ended, err := d.special(p[0])
		if err != nil || ended {
			return err
		}
	}
}

// pass hands a part of the text on; more is how much longer it is when it is sent.
func (d *textDecoder) pass(p []byte, more int) error {
	d.encoded += int64(len(p) + more)
	return d.to.Add(d.ctx, p)
}

// special decodes what does not stand for itself.
func (d *textDecoder) special(c byte) (ended bool, err error) {
	if c == '"' {
		d.at++
		return true, nil
	}
	r, err := d.character()
	switch {
	case err != nil:
		return false, err
	case utf16.IsSurrogate(r):
		return false, d.pass(core.AddHalf(d.letter[:0], r), 3)
	}
	return false, d.pass(utf8.AppendRune(d.letter[:0], r), extra(r))
}

// character takes in one character or its escape, or the escape of half of a surrogate pair.
func (d *textDecoder) character() (rune, error) {
	switch c := d.buffer[d.at]; {
	case c == '\\':
		return d.escape()
	case c < ' ':
		return 0, errNoJSON
	}
	d.have(utf8.UTFMax)
	r, size := utf8.DecodeRune(d.buffer[d.at:])
	switch {
	case r != utf8.RuneError || size > 1:
		d.at += size
		return r, nil
	case utf8.FullRune(d.buffer[d.at:]):
		return 0, errNoUTF8
	}
	return 0, d.failed()
}

// escape decodes an escape of one character, or of half of a surrogate pair.
func (d *textDecoder) escape() (rune, error) {
	const letters, meant = `"\/bfnrt`, "\"\\/\b\f\n\r\t"
	if !d.have(2) {
		return 0, d.failed()
	}
	for i := range letters {
		if letters[i] == d.buffer[d.at+1] {
			d.at += 2
			return rune(meant[i]), nil
		}
	}
	d.have(12)
	first, ok := unit16(d.buffer[d.at:])
	if !ok {
		return 0, d.brokenOff()
	}
	d.at += 6
	if second, ok := unit16(d.buffer[d.at:]); ok && utf16.IsSurrogate(first) {
		if r := utf16.DecodeRune(first, second); r != utf8.RuneError {
			d.at += 6
			return r, nil
		}
	}
	return first, nil
}

// brokenOff is what is wrong with an escape: the body may have ended in it.
func (d *textDecoder) brokenOff() error {
	if d.ended != nil {
		return d.failed()
	}
	return errNoJSON
}

// unit16 reads the escape `\uXXXX` at the beginning of p.
func unit16(p []byte) (rune, bool) {
	if len(p) < 6 || p[0] != '\\' || p[1] != 'u' {
		return 0, false
	}
	var r rune
	for _, c := range p[2:6] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// extra is how many bytes longer than in UTF-8 a character is within the strings that this
// server sends.
func extra(r rune) int {
	switch {
	case r == '"', r == '\\', r == '\b', r == '\f', r == '\n', r == '\r', r == '\t':
		return 1
	case r < ' ', r == '<', r == '>', r == '&':
		return 5
	case r == '\u2028', r == '\u2029':
		return 3
	}
	return 0
}
