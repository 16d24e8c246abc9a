package queries

import (
	"bytes"
	"encoding/binary"
	"errors"
)

// A page of names is, in numbers of variable length:
//
//	the length of all names, the names one after the other, each different one once
//	their number, and the length of each
//	the number of tasks that have one, the highest id, and newest first for each task:
//	how much lower its id is than the one before, its collaboration (0: none), its name's place
//
// Most of what is read are names, in which a text is looked for at once.

// taskName is a task as a page has it.
type taskName struct {
	id, collaboration int64
	name              string
}

// namePage writes a page of tasks with ascending ids.
func namePage(tasks []taskName) []byte {
	places, names, lengths := map[string]int64{}, []byte(nil), []byte(nil)
	for _, t := range tasks {
		if _, ok := places[t.name]; !ok {
			places[t.name] = int64(len(places))
			names = append(names, t.name...)
			lengths = binary.AppendVarint(lengths, int64(len(t.name)))
		}
	}
	page := append(binary.AppendVarint(nil, int64(len(names))), names...)
	page = append(binary.AppendVarint(page, int64(len(places))), lengths...)
	page = binary.AppendVarint(page, int64(len(tasks)))
	for i := len(tasks) - 1; i >= 0; i-- {
		lower := tasks[i].id
		if i < len(tasks)-1 {
			lower = tasks[i+1].id - tasks[i].id
		}
		page = binary.AppendVarint(page, lower)
		page = binary.AppendVarint(page, tasks[i].collaboration)
		page = binary.AppendVarint(page, places[tasks[i].name])
	}
	return page
}

var errNamePage = errors.New("a page of names is damaged")

// numbers reads numbers of variable length; after one that is none there are only zeros.
type numbers struct {
	rest   []byte
	broken bool
}

func (n *numbers) next() int64 {
	if len(n.rest) > 0 && n.rest[0] < 0x80 { // most are small
		v := int64(n.rest[0])
		n.rest = n.rest[1:]
		return v>>1 ^ -(v & 1)
	}
	v, length := binary.Varint(n.rest)
	if length <= 0 {
		n.broken = true
		return 0
	}
	n.rest = n.rest[length:]
	return v
}

// bytes takes so many bytes.
func (n *numbers) bytes(length int64) []byte {
	if length < 0 || length > int64(len(n.rest)) {
		n.broken = true
		return nil
	}
	b := n.rest[:length]
	n.rest = n.rest[length:]
	return b
}

// search calls found for the tasks of a page whose names fit, newest first. fitting is used again from page to page.
func (p *pattern) search(page []byte, fitting []bool, found func(id, collaboration int64)) ([]bool, error) {
	n := numbers{rest: page}
	names := n.bytes(n.next())
	if len(p.literal) > 0 && !n.broken && !bytes.Contains(names, p.literal) {
		return fitting, nil
	}
	fitting = p.fitting(names, &n, fitting[:0])
	id := int64(0)
	for i, left := 0, n.next(); left > 0 && !n.broken; i, left = i+1, left-1 {
		lower, collaboration, place := n.next(), n.next(), n.next()
		if i == 0 {
			id = lower
		} else {
			id -= lower
		}
		if place < 0 || place >= int64(len(fitting)) {
			return fitting, errNamePage
		}
		if fitting[place] {
			found(id, collaboration)
		}
	}
	if n.broken {
		return fitting, errNamePage
	}
	return fitting, nil
}

// fitting tells for each name whether it fits. The literal is looked for in all names at once; one that does not have
// it is not looked at.
func (p *pattern) fitting(names []byte, n *numbers, fitting []bool) []bool {
	next, from := int64(-1), int64(0) // where the literal is met next
	if len(p.literal) > 0 {
		next = p.after(names, 0)
	}
	for left := n.next(); left > 0 && !n.broken; left-- {
		till := from + n.next()
		if till < from || till > int64(len(names)) {
			n.broken = true
			break
		}
		fits := len(p.literal) == 0 && p.fits(names[from:till])
		for next >= 0 && next < till {
			if next+int64(len(p.literal)) > till {
				next = p.after(names, next+1) // half of it lies in the next name
				continue
			}
			fits = p.within || p.fits(names[from:till])
			next = p.after(names, till)
		}
		fitting = append(fitting, fits)
		from = till
	}
	return fitting
}

// after finds the literal from a place on.
func (p *pattern) after(names []byte, place int64) int64 {
	if next := bytes.Index(names[place:], p.literal); next >= 0 {
		return place + int64(next)
	}
	return -1
}
