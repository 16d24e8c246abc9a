package core

import (
	"slices"
	"time"
)

// rotation has keys take turns, each with what it has. The one that had the fewest turns is
// next, so a key that comes anew is not behind the second turn of another; with a past not
// behind one that came before and comes again either.
type rotation[V any] struct {
	order []string // who came or had a turn last is the last
	by    map[string]V
	had   map[string]int // turns; a key that comes anew begins with those of the last one, or of its past
	last  int
	past  *past // nil: forgets who has left
}

// at returns what a key has; made makes it for a key that comes anew, and is the last then.
func (r *rotation[V]) at(key string, made func() V) V {
	v, ok := r.by[key]
	if !ok {
		if r.by == nil {
			r.by, r.had = map[string]V{}, map[string]int{}
		}
		v = made()
		r.by[key], r.had[key] = v, r.last
		if r.past != nil {
			r.had[key] = r.past.of(key)
		}
		r.order = append(r.order, key)
	}
	return v
}

// turn returns what the next key has, which is the last from now on.
func (r *rotation[V]) turn() V {
	i := 0
	for j, key := range r.order {
		if r.had[key] < r.had[r.order[i]] {
			i = j
		}
	}
	key := r.order[i]
	r.order = append(slices.Delete(r.order, i, i+1), key)
	r.last = r.had[key]
	r.had[key]++
	r.past.add(key, time.Now())
	return r.by[key]
}

func (r *rotation[V]) drop(key string) {
	delete(r.by, key)
	delete(r.had, key)
	r.order = slices.DeleteFunc(r.order, func(k string) bool { return k == key })
}

// longest returns the key with the most, and of those the one that had most turns; the one that
// is preferred when others are equal.
func longest[V any](r *rotation[V], preferred string, size func(V) int) string {
	key, most := preferred, 0
	if v, ok := r.by[preferred]; ok {
		most = size(v)
	}
	for k, v := range r.by {
		if n := size(v); n > most || n == most && r.had[k] > r.had[key] {
			key, most = k, n
		}
	}
	return key
}

// past counts the turns of keys that may have left meanwhile, for some minutes.
type past struct {
	young, old map[string]int
	began      time.Time // of the young ones
}

const (
	pastTime = 10 * time.Minute
	pastMost = 10_000 // young ones
)

// of returns how many turns a key had.
func (p *past) of(key string) int {
	n, ok := p.young[key]
	if !ok {
		n = p.old[key]
	}
	return n
}

// add counts a turn, or the want of room for one. A nil past counts nothing.
func (p *past) add(key string, now time.Time) {
	if p == nil {
		return
	}
	n := p.of(key) + 1
	if now.Sub(p.began) >= pastTime || len(p.young) >= pastMost {
		p.young, p.old, p.began = map[string]int{}, p.young, now
	}
	p.young[key] = n
}

func (p *past) forget(key string) {
	delete(p.young, key)
	delete(p.old, key)
}
