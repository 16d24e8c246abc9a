package handlers

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strconv"

	"vserver/service/core"
)

// splitter reads the JSON of a body as it arrives and takes its long texts out, so that
// neither has to be in memory as a whole. In the place of each text stands a string with
// its number. What is left is checked by whoever reads it: at the first fault the
// splitter stops, and what it has left then is no JSON either.
type splitter struct {
	ctx    context.Context //nolint:containedctx // that of the request, which the splitter does not outlive
	src    io.Reader
	buffer []byte
	at     int // of the next byte in the buffer
	ended  error

	// takes returns where the text at a place goes, or the object, nil when it stays in the
	// rest. The place is the keys from the outermost object on; a list has the key "".
	takes func(place []string, object bool) *core.Arriving
	place []string
	bad   string // the field of a text that cannot be read
	rest  []byte
	most  int // length of the rest
	// wider returns a greater such length, or why there is none.
	wider func(most int) (int, error)
	short int // length of an object that is converted as a whole
	// room has more memory, for an object that is no small one.
	room  func(bytes int64) error
	roomy bool // there is memory for a short one
	keys  int  // so many keys of a long one have memory
	texts []*core.Text
	held  int64 // bytes of short texts in memory
}

var (
	// errNoJSON ends the reading: the rest tells what is wrong.
	errNoJSON = errors.New("no JSON")
	// errRestTooLong ends the reading of a body with too much beside its texts.
	errRestTooLong = errors.New("too much beside the texts")
)

const (
	// splitBuffer is how much of a body is read at once.
	splitBuffer = 32 << 10
	// heldTexts is how much of the short texts of one body is in memory; more go to drafts.
	heldTexts = 1 << 20
)

// split reads to the end of the body or its first fault.
func (s *splitter) split() error {
	s.buffer = s.buffer[:0]
	err := s.value()
	for err == nil {
		var c byte
		if c, err = s.next(); err == nil {
			s.rest = append(s.rest, c) // something behind the end
			err = errNoJSON
		}
	}
	if errors.Is(err, io.EOF) || errors.Is(err, errNoJSON) {
		return nil
	}
	return err
}

// fill reads more behind what is left of the buffer; its error is io.EOF at the end.
func (s *splitter) fill() error {
	if s.ended != nil {
		return s.ended
	}
	left := copy(s.buffer, s.buffer[s.at:])
	if cap(s.buffer) == 0 {
		s.buffer = make([]byte, 0, splitBuffer)
	}
	s.buffer, s.at = s.buffer[:left], 0
	n, err := s.src.Read(s.buffer[left:cap(s.buffer)])
	s.buffer = s.buffer[:left+n]
	if err != nil {
		s.ended = err
	}
	if n == 0 {
		return err
	}
	return nil
}

// have reports whether the next n bytes are in the buffer, after reading on for them.
func (s *splitter) have(n int) bool {
	for len(s.buffer)-s.at < n {
		if s.fill() != nil && len(s.buffer)-s.at < n {
			return false
		}
	}
	return true
}

// failed is why there is nothing more: the fault of the sender, or the end.
func (s *splitter) failed() error {
	if s.ended == nil || errors.Is(s.ended, io.EOF) {
		return io.EOF
	}
	return s.ended
}

// next skips white space, which the rest goes without, and returns the byte behind it,
// which it leaves there.
func (s *splitter) next() (byte, error) {
	for {
		for ; s.at < len(s.buffer); s.at++ {
			switch c := s.buffer[s.at]; c {
			case ' ', '\t', '\n', '\r':
			default:
				return c, nil
			}
		}
		if !s.have(1) {
			return 0, s.failed()
		}
	}
}

// keep adds n bytes of the buffer to the rest.
func (s *splitter) keep(n int) error {
	for len(s.rest)+n > s.most {
		var err error
		if s.most, err = s.wider(s.most); err != nil {
			return err
		}
	}
	s.rest = append(s.rest, s.buffer[s.at:s.at+n]...)
	s.at += n
	return nil
}

func (s *splitter) value() error {
	c, err := s.next()
	switch {
	case err != nil:
		return err
	case c == '{':
		return s.textOrObject()
	case c == '[':
		return s.members(']', s.item)
	case c == '"':
		return s.textOrString()
	}
	return s.literal()
}

// deepest is how deep a body may nest; who reads the rest refuses what is deeper.
const deepest = 100

// members reads an object or a list.
func (s *splitter) members(end byte, one func() error) error {
	if err := s.keep(1); err != nil {
		return err
	}
	s.place = append(s.place, "")
	defer func() { s.place = s.place[:len(s.place)-1] }()
	if len(s.place) > deepest {
		return errNoJSON
	}
	for n := 0; ; n++ {
		c, err := s.next()
		switch {
		case err != nil:
			return err
		case c == end && n == 0:
			return s.keep(1)
		}
		if err := one(); err != nil {
			return err
		}
		if c, err = s.next(); err != nil {
			return err
		}
		if err := s.keep(1); err != nil || c == end {
			return err
		}
		if c != ',' {
			return errNoJSON
		}
	}
}

func (s *splitter) item() error { return s.value() }

// member reads a key and its value.
func (s *splitter) member() error {
	if s.buffer[s.at] != '"' {
		return s.wrong()
	}
	begin := len(s.rest)
	if err := s.copyString(); err != nil {
		return err
	}
	key := string(s.rest[begin+1 : len(s.rest)-1])
	if bytes.IndexByte(s.rest[begin:], '\\') >= 0 {
		key = unquoted(key)
	}
	s.place[len(s.place)-1] = key
	c, err := s.next()
	switch {
	case err != nil:
		return err
	case c != ':':
		return s.wrong()
	}
	if err := s.keep(1); err != nil {
		return err
	}
	return s.value()
}

// wrong keeps the byte that is wrong.
func (s *splitter) wrong() error {
	if err := s.keep(1); err != nil {
		return err
	}
	return errNoJSON
}

// literal copies a number, true, false, null, or what is none of them.
func (s *splitter) literal() error {
	for n := 0; ; n++ {
		if s.at == len(s.buffer) && !s.have(1) {
			return s.failed()
		}
		switch s.buffer[s.at] {
		case ',', ']', '}', ' ', '\t', '\n', '\r', ':', '"', '{', '[':
			if n == 0 {
				return s.wrong()
			}
			return nil
		}
		if err := s.keep(1); err != nil {
			return err
		}
	}
}

// copyString copies a string into the rest.
func (s *splitter) copyString() error {
	if err := s.keep(1); err != nil {
		return err
	}
	for {
		n := bytes.IndexAny(s.buffer[s.at:], `"\`)
		if n < 0 {
			if err := s.keep(len(s.buffer) - s.at); err != nil {
				return err
			}
			if !s.have(1) {
				return s.failed()
			}
			continue
		}
		quote := s.buffer[s.at+n] == '"'
		if err := s.keep(n + 1); err != nil || quote {
			return err
		}
		if !s.have(1) {
			return s.failed()
		}
		if err := s.keep(1); err != nil {
			return err
		}
	}
}

// textOrString takes a text out, or copies a string that is none.
func (s *splitter) textOrString() error {
	to := s.takes(s.place, false)
	if to == nil {
		return s.copyString()
	}
	s.at++
	d := textDecoder{splitter: s, to: to}
	return s.taken(&d, d.decode())
}

// taken puts its number in the place of a text that was decoded, unless that failed.
func (s *splitter) taken(d *textDecoder, err error) error {
	if err != nil {
		s.bad = s.place[0]
		return err
	}
	text, err := d.to.End(s.ctx, d.encoded, s.held+d.to.Held() > heldTexts)
	if err != nil {
		return err
	}
	s.held += int64(len(text.Whole))
	s.rest = append(s.rest, '"')
	s.rest = strconv.AppendInt(s.rest, int64(len(s.texts)), 10)
	s.rest = append(s.rest, '"')
	s.texts = append(s.texts, text)
	return nil
}
