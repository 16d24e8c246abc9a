package queries

import (
	"bytes"
	"strings"
)

// pattern is one of LIKE with the escape \, for texts that the engine has lowered as it has the pattern.
type pattern struct {
	steps []step
	// literal is the longest text that everything has in it that fits.
	literal []byte
	// within tells that what has the literal in it fits.
	within bool
}

// step is a part of a pattern: any characters, one character, or a text.
type step struct {
	kind rune
	text []byte
}

const (
	anyCharacters = '%'
	oneCharacter  = '_'
	literally     = '='
)

func patternOf(lowered string) pattern {
	lowered, _, _ = strings.Cut(lowered, "\x00") // as SQLite reads texts
	var p pattern
	for i := 0; i < len(lowered); i++ {
		switch c := lowered[i]; {
		case c == anyCharacters || c == oneCharacter:
			p.add(rune(c))
		case c == '\\' && i+1 < len(lowered):
			i++
			p.addText(lowered[i])
		default:
			p.addText(c)
		}
	}
	for _, s := range p.steps {
		if len(s.text) > len(p.literal) {
			p.literal = s.text
		}
	}
	p.within = len(p.steps) == 3 && p.steps[0].kind == anyCharacters && p.steps[1].kind == literally && p.steps[2].kind == anyCharacters
	return p
}

// add adds a wildcard. Any characters twice in a row are the same as once.
func (p *pattern) add(kind rune) {
	if n := len(p.steps); kind != anyCharacters || n == 0 || p.steps[n-1].kind != anyCharacters {
		p.steps = append(p.steps, step{kind: kind})
	}
}

func (p *pattern) addText(c byte) {
	if n := len(p.steps); n == 0 || p.steps[n-1].kind != literally {
		p.steps = append(p.steps, step{kind: literally})
	}
	last := &p.steps[len(p.steps)-1]
	last.text = append(last.text, c)
}

// fits reports whether a text is one that the pattern describes. Where it does not go on, only the last place with any
// characters is tried again, further on: what lies before it fits already.
func (p *pattern) fits(text []byte) bool {
	last := len(p.steps) - 1
	if last >= 0 && !bytes.HasSuffix(text, p.steps[last].text) {
		return false
	}
	at, place := 0, 0
	again, from := -1, 0
	for {
		went := at > last && place == len(text)
		switch {
		case went:
			return true
		case at > last:
		case p.steps[at].kind == anyCharacters:
			if at == last {
				return true
			}
			again, from = at, place
			if from, went = p.nextPlace(again, text, from); !went {
				return false
			}
			place = from
		case p.steps[at].kind == oneCharacter:
			if went = place < len(text); went {
				place += firstCharacter(text[place:])
			}
		default:
			if went = bytes.HasPrefix(text[place:], p.steps[at].text); went {
				place += len(p.steps[at].text)
			}
		}
		if went {
			at++
			continue
		}
		if again < 0 || from >= len(text) {
			return false
		}
		if from, went = p.nextPlace(again, text, from+firstCharacter(text[from:])); !went {
			return false
		}
		at, place = again+1, from
	}
}

// nextPlace is where what comes after any characters may begin.
func (p *pattern) nextPlace(after int, text []byte, from int) (place int, ok bool) {
	if next := p.steps[after+1]; next.kind == literally {
		further := bytes.Index(text[from:], next.text)
		return from + further, further >= 0
	}
	return from, true
}

// firstCharacter is the length of a text's first character in UTF-8.
func firstCharacter(text []byte) int {
	n := 1
	if text[0] >= 0xC0 {
		for n < len(text) && text[n]&0xC0 == 0x80 {
			n++
		}
	}
	return n
}
