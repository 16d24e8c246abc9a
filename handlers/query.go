package handlers

import (
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"vserver/service/fault"
)

// filters reads the parameters of a query. The first faulty one is kept and given
// by err. A parameter that is absent or empty filters nothing; of a repeated one
// the first value counts (/docs/wire#filters).
type filters struct {
	k     *call
	fault error
}

func (k *call) filters() *filters { return &filters{k: k} }

func (f *filters) err() error { return f.fault }

func (f *filters) refuse(name, reason string) {
	if f.fault == nil {
		f.fault = fault.New(fault.Invalid, "%s %s", name, reason)
	}
}

// text returns a value as it is.
func (f *filters) text(name string) *string {
	v := f.k.query.Get(name)
	if v == "" || !f.fits(name, v) {
		return nil
	}
	return &v
}

// texts returns all values of a repeatable parameter.
func (f *filters) texts(name string) []string {
	var list []string
	for _, v := range f.k.query[name] {
		if v != "" && f.fits(name, v) {
			list = append(list, v)
		}
	}
	return list
}

// checkQuery refuses a query with bytes that are no UTF-8, whoever would read them.
func (k *call) checkQuery() error {
	for _, name := range slices.Sorted(maps.Keys(k.query)) {
		if !utf8.ValidString(name) {
			return fault.New(fault.Invalid, "The name of a parameter has bytes that are no UTF-8")
		}
		if !utf8.ValidString(strings.Join(k.query[name], "")) {
			return fault.New(fault.Invalid, "%s has bytes that are no UTF-8", name)
		}
	}
	return nil
}

// fits refuses what a database would not take as a text or a pattern.
func (f *filters) fits(name, v string) bool {
	switch {
	case strings.ContainsRune(v, 0):
		f.refuse(name, "has a NUL character")
	case utf8.RuneCountInString(v) > imageText:
		f.refuse(name, "is too long")
	default:
		return true
	}
	return false
}

// id returns a whole number.
func (f *filters) id(name string) *int64 {
	v := f.k.query.Get(name)
	if v == "" {
		return nil
	}
	return f.number(name, v)
}

// ids returns all values of a repeatable parameter.
func (f *filters) ids(name string) []int64 {
	var list []int64
	for _, v := range f.k.query[name] {
		if v == "" {
			continue
		}
		if n := f.number(name, v); n != nil {
			list = append(list, *n)
		}
	}
	return list
}

func (f *filters) number(name, v string) *int64 {
	n, err := strconv.ParseInt(v, 10, 64)
	switch {
	case errors.Is(err, strconv.ErrRange):
		n = f.k.missing(v)
	case err != nil:
		f.refuse(name, "has to be a whole number")
		return nil
	}
	return &n
}

// boolean returns a parameter that is 0, 1, true or false in any case.
func (f *filters) boolean(name string) *bool {
	v := strings.ToLower(f.k.query.Get(name))
	if v == "" {
		return nil
	}
	yes := v == "1" || v == "true"
	if !yes && v != "0" && v != "false" {
		f.refuse(name, "has to be true or false")
		return nil
	}
	return &yes
}

// flag returns a parameter that is true by being there: all words are true but
// false, 0, no and the empty one (/docs/wire#filters).
func (f *filters) flag(name string) bool {
	return !slices.Contains([]string{"", "0", "no", "false"}, strings.ToLower(f.k.query.Get(name)))
}

// dateForms are what a moment in a query may look like (/docs/wire#filters); an
// offset may follow all but the first.
var dateForms = []string{
	"2006-01-02", "2006-01-02 15:04", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02T15:04:05",
	"2006-01-02 15:04Z07:00", "2006-01-02 15:04:05Z07:00", "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05Z07:00",
}

// moment returns a date or date and time, in UTC when it names no offset.
func (f *filters) moment(name string) *time.Time {
	v := f.k.query.Get(name)
	if v == "" {
		return nil
	}
	// A bare + of an offset arrives as a blank.
	for _, text := range []string{v, replaceLast(v, " ", "+")} {
		if t, ok := parseMoment(text); ok {
			return &t
		}
	}
	f.refuse(name, "has to be a date like 2026-01-31 or 2026-01-31T12:00:00")
	return nil
}

// parseMoment reads a moment in one of the forms above, with or without a fraction,
// and returns it in UTC. Moments that databases cannot keep are none.
func parseMoment(text string) (time.Time, bool) {
	for _, form := range dateForms {
		t, err := time.Parse(form, text)
		if t = t.UTC(); err == nil && t.Year() >= 1 && t.Year() <= 9999 {
			return t, true
		}
	}
	return time.Time{}, false
}

func replaceLast(s, old, by string) string {
	if i := strings.LastIndex(s, old); i >= 0 {
		return s[:i] + by + s[i+len(old):]
	}
	return s
}

// includes reports whether the repeatable parameter `include` has one of the values.
func (k *call) includes(values ...string) bool {
	return slices.ContainsFunc(k.query["include"], func(v string) bool { return slices.Contains(values, v) })
}
