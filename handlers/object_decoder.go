package handlers

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"unicode/utf8"

	"vserver/service/fault"
)

// Limits of an input that is an object (/docs/tasks#objects).
const (
	// shortObject is the length up to which an object is converted as a whole.
	shortObject = 256 << 10
	// mostKeys is how many keys the objects that are open at a place of a longer one may have.
	mostKeys = 1_000_000
	// longestNumber is how many characters a number of a longer one may have.
	longestNumber = 64 << 10
	// objectMemory is what a short object takes that is no small body: as it came, once more
	// when it turns out to be long, and its text.
	objectMemory = 1 << 20
	// keysAtOnce is how many keys of a long object get memory at once, and keyMemory what one takes.
	keysAtOnce, keyMemory = 16_384, 32
	// shownKey is how much a message shows of a key.
	shownKey = 100
)

// textOrObject takes an object out as the text that becomes of it, or copies one that stays
// an object.
func (s *splitter) textOrObject() error {
	to := s.takes(s.place, true)
	if to == nil {
		return s.members('}', s.member)
	}
	d := textDecoder{splitter: s, to: to}
	object, err := s.aside(func() error { return s.members('}', s.member) })
	if err == nil && !json.Valid(object) {
		err = errNoJSON
	}
	switch {
	case errors.Is(err, errRestTooLong):
		s.again(object)
		return s.taken(&d, (&objectDecoder{textDecoder: &d, depth: len(s.place)}).decode())
	case err != nil:
		s.rest = append(s.rest, object...) // which shows what is wrong with it
		return err
	case !utf8.Valid(object):
		return s.taken(&d, errNoUTF8)
	}
	text := []byte(inputText(object))
	return s.taken(&d, d.pass(text, extraASCII(text)))
}

// aside has what is read copied elsewhere than to the rest, up to the length of a short object.
func (s *splitter) aside(read func() error) (copied []byte, err error) {
	begin, most, wider := len(s.rest), s.most, s.wider
	s.most, s.wider = begin+min(s.short, smallBody), func(most int) (int, error) {
		if most == begin+s.short {
			return 0, errRestTooLong
		}
		if !s.roomy {
			if err := s.room(objectMemory); err != nil {
				return 0, err
			}
			s.roomy = true
		}
		return begin + s.short, nil
	}
	err = read()
	copied = bytes.Clone(s.rest[begin:])
	s.rest, s.most, s.wider = s.rest[:begin], most, wider
	return copied, err
}

// again has the next bytes be those that were read before.
func (s *splitter) again(p []byte) {
	left := s.buffer[s.at:]
	buffer := make([]byte, 0, len(p)+len(left)+splitBuffer)
	s.buffer, s.at = append(append(buffer, p...), left...), 0
}

// objectDecoder converts a long object while it arrives, to the text that inputText makes of
// a short one. A key that comes twice is refused: its first value may be stored already.
type objectDecoder struct {
	*textDecoder
	depth int
	out   []byte // not passed on yet
	token []byte // a number or word

	hash  maphash.Hash
	seen  map[uint64]struct{} // keys of the objects that are open, each with its depth
	order []uint64            // the same, outer objects first
	keyed bool                // what is written is a key
	key   []byte              // its beginning
}

func (d *objectDecoder) decode() error {
	d.seen = map[uint64]struct{}{}
	if err := d.convert(); err != nil {
		return err
	}
	return d.flush()
}

// write adds to the text; p is ASCII.
func (d *objectDecoder) write(p []byte) error {
	if d.keyed {
		_, _ = d.hash.Write(p) // takes everything
		d.key = append(d.key, p[:min(len(p), shownKey-len(d.key))]...)
	}
	if d.out = append(d.out, p...); len(d.out) < splitBuffer {
		return nil
	}
	return d.flush()
}

func (d *objectDecoder) flush() error {
	defer func() { d.out = d.out[:0] }()
	return d.pass(d.out, extraASCII(d.out))
}

func (d *objectDecoder) convert() error {
	c, err := d.next()
	switch {
	case err != nil:
		return err
	case c == '{':
		return d.object()
	case c == '[':
		return d.group(']', d.convert)
	case c == '"':
		return d.quoted()
	}
	return d.word()
}

func (d *objectDecoder) object() error {
	outer := len(d.order)
	err := d.group('}', d.entry)
	for _, key := range d.order[outer:] {
		delete(d.seen, key)
	}
	d.order = d.order[:outer]
	return err
}

// group converts an object or a list.
func (d *objectDecoder) group(end byte, one func() error) error {
	if d.depth++; d.depth > deepest {
		return tooDeep()
	}
	defer func() { d.depth-- }()
	if err := d.write(d.take()); err != nil {
		return err
	}
	for n := 0; ; n++ {
		c, err := d.next()
		switch {
		case err != nil:
			return err
		case c == end && n == 0:
			return d.write(d.take())
		}
		if err := one(); err != nil {
			return err
		}
		if c, err = d.next(); err != nil {
			return err
		}
		switch p := d.take(); c {
		case end:
			return d.write(p)
		case ',':
			err = d.write([]byte(", "))
		default:
			err = errNoJSON
		}
		if err != nil {
			return err
		}
	}
}

// take takes one byte out of the buffer.
func (d *objectDecoder) take() []byte {
	d.at++
	return d.buffer[d.at-1 : d.at]
}

// entry converts a key and its value.
func (d *objectDecoder) entry() error {
	if d.buffer[d.at] != '"' {
		return errNoJSON
	}
	d.hash.Reset()
	maphash.WriteComparable(&d.hash, d.depth)
	d.keyed, d.key = true, d.key[:0]
	err := d.quoted()
	d.keyed = false
	if err == nil {
		err = d.once(d.hash.Sum64())
	}
	if err != nil {
		return err
	}
	c, err := d.next()
	switch {
	case err != nil:
		return err
	case c != ':':
		return errNoJSON
	}
	d.at++
	if err := d.write([]byte(": ")); err != nil {
		return err
	}
	return d.convert()
}

// once refuses a key that its object has already. Only hashes of keys are kept: two of a million
// are the same by chance once in 30 million such objects, and then not the same at the next try.
func (d *objectDecoder) once(key uint64) error {
	if _, twice := d.seen[key]; twice {
		return textFault(fmt.Sprintf("has the key %s twice in an object of more than %d bytes", d.key, d.short))
	}
	if len(d.order) == mostKeys {
		return textFault(fmt.Sprintf("has an object with more than %d keys", mostKeys))
	}
	if len(d.order) == d.keys {
		if err := d.room(keysAtOnce * keyMemory); err != nil {
			return err
		}
		d.keys += keysAtOnce
	}
	d.seen[key] = struct{}{}
	d.order = append(d.order, key)
	return nil
}

// unescaped are the characters that a text which is made of an object has as they are.
var unescaped = func() (is [256]bool) {
	for c := ' '; c <= '~'; c++ {
		is[c] = c != '"' && c != '\\'
	}
	return is
}()

// quoted converts a string with its quotes.
func (d *objectDecoder) quoted() error {
	if err := d.write(d.take()); err != nil {
		return err
	}
	for {
		if d.at == len(d.buffer) && !d.have(1) {
			return d.failed()
		}
		n := 0
		for p := d.buffer[d.at:]; n < len(p) && unescaped[p[n]]; n++ {
		}
		var err error
		switch d.at += n; {
		case n > 0:
			err = d.write(d.buffer[d.at-n : d.at])
		case d.buffer[d.at] == '"':
			return d.write(d.take())
		default:
			var r rune
			if r, err = d.character(); err == nil {
				err = d.write(appendEscaped(nil, r))
			}
		}
		if err != nil {
			return err
		}
	}
}

// word converts a number, true, false or null.
func (d *objectDecoder) word() error {
	d.token = d.token[:0]
	for {
		if d.at == len(d.buffer) && !d.have(1) {
			return d.failed()
		}
		switch c := d.buffer[d.at]; c {
		case ',', ']', '}', ' ', '\t', '\n', '\r':
			if !json.Valid(d.token) {
				return errNoJSON
			}
			return d.write([]byte(literal(string(d.token))))
		default:
			d.token = append(d.token, c)
			d.at++
		}
		if len(d.token) > longestNumber {
			return textFault(fmt.Sprintf("has a number of more than %d characters in an object of more than %d bytes", longestNumber, d.short))
		}
	}
}

// extraASCII is how many bytes longer ASCII is within the strings that this server sends.
func extraASCII(p []byte) (n int) {
	for _, c := range p {
		if !verbatim[c] {
			n += extra(rune(c))
		}
	}
	return n
}

func tooDeep() error { return fault.New(fault.Invalid, "The JSON body is nested too deeply") }
