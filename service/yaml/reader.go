package yaml

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// mostNotes is after how many faults reading ends, and how many warnings are kept.
const mostNotes = 1000

// Reader gathers what there is to say about one document.
type Reader struct {
	File     string
	Root     Value // of the document; null for an empty one
	Faults   Faults
	Warnings []Warning
	form     Form
	left     int // keys and values that may still be read
}

// NewReader returns the reader of a document of this form that has no values yet.
func (f Form) NewReader(file string) *Reader {
	return &Reader{File: file, form: f, left: f.Values}
}

// Fault records a mistake. After the first thousand no more are kept.
func (r *Reader) Fault(line int, key, format string, args ...any) {
	if len(r.Faults) < mostNotes {
		r.Faults = append(r.Faults, Fault{File: r.File, Line: line, Key: key, Text: fmt.Sprintf(format, args...)})
	}
}

// Warn records a warning. After the first thousand no more are kept.
func (r *Reader) Warn(line int, key, format string, args ...any) {
	r.addWarning(Warning{File: r.File, Line: line, Key: key, Text: fmt.Sprintf(format, args...)})
}

func (r *Reader) addWarning(w Warning) {
	switch {
	case len(r.Warnings) < mostNotes:
		r.Warnings = append(r.Warnings, w)
	case len(r.Warnings) == mostNotes:
		r.Warnings = append(r.Warnings, Warning{File: r.File, Line: w.Line, Text: "further warnings are left out"})
	}
}

// spend counts keys and values; false when there are too many, which is a fault, or
// when there are faults enough.
func (r *Reader) spend(values int) bool {
	if r.left < 0 || len(r.Faults) == mostNotes {
		return false
	}
	if r.left -= values; r.left < 0 {
		r.Fault(0, "", "holds more than %d keys and values", r.form.Values)
	}
	return r.left >= 0
}

// Block is one mapping of a document. It remembers which keys were asked for, so that
// what is left at the end is unknown.
type Block struct {
	*Reader
	Path   string // dotted
	Line   int
	Names  []string // of the keys: its own, then those it merges in
	values map[string]Value
	asked  []string
}

// Block opens a mapping; nil when the value is none, without a fault, or when reading
// has ended.
func (r *Reader) Block(path string, v Value) *Block {
	if !v.IsBlock() {
		return nil
	}
	b := r.NewBlock(path, v.Line)
	if b.take(v.node, 0); !r.spend(0) {
		return nil
	}
	return b
}

// NewBlock returns a block without keys, or with those of a list of names and values.
func (r *Reader) NewBlock(path string, line int) *Block {
	return &Block{Reader: r, Path: path, Line: line, values: map[string]Value{}}
}

// Set sets a key to a value that stands in no file.
func (b *Block) Set(name string, v Value) {
	b.Names = append(b.Names, name)
	b.values[name] = v
}

// deepest is how many blocks may merge each other in a row; one may merge itself.
const deepest = 16

// take adds the keys of a mapping: its own first, then those that it merges in with
// `<<` and does not have itself.
func (b *Block) take(n *yaml.Node, depth int) {
	if depth > deepest || !b.spend(len(n.Content)) {
		return
	}
	own := b.NewBlock(b.Path, b.Line)
	var merged []Value
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, v := value(n.Content[i], n.Content[i].Line), value(n.Content[i+1], n.Content[i].Line)
		switch {
		case !key.Single():
		case key.node.ShortTag() == "!!merge":
			merged = append(merged, v)
		default:
			own.add(key.Text(), v)
		}
	}
	for _, name := range own.Names {
		if !b.Has(name) {
			b.Set(name, own.values[name])
		}
	}
	for _, source := range merged {
		sources, several := source.Items()
		if !several {
			sources = []Value{source}
		}
		for _, s := range sources {
			if s.IsBlock() {
				b.take(s.node, depth+1)
			}
		}
	}
}

// add takes one key of a mapping.
func (b *Block) add(name string, v Value) {
	first, twice := b.values[name]
	switch {
	case !twice:
		b.Set(name, v)
	case b.form.Once:
		b.Fault(v.Line, b.Key(name), "is there twice, first on line %d", first.Line)
	default:
		b.Warn(v.Line, b.Key(name), "is given twice, the first time on line %d; this one counts", first.Line)
		b.values[name] = v
	}
}

// Key returns the whole path of a key.
func (b *Block) Key(name string) string {
	if b.Path == "" {
		return name
	}
	return b.Path + "." + name
}

// Ask looks a key up and marks it as known.
func (b *Block) Ask(name string) (v Value, there bool) {
	b.asked = append(b.asked, name)
	v, there = b.values[name]
	return v, there
}

// Given is Ask for a key that also has a value.
func (b *Block) Given(name string) (v Value, given bool) {
	v, there := b.Ask(name)
	return v, there && !v.Null()
}

// Has reports whether the key is there, without marking it as known.
func (b *Block) Has(name string) bool {
	_, there := b.values[name]
	return there
}

// LineOf returns the line of a key, or that of the block when the key is not there.
func (b *Block) LineOf(name string) int {
	if v, there := b.values[name]; there {
		return v.Line
	}
	return b.Line
}

// Refuse records a fault of a key.
func (b *Block) Refuse(name, format string, args ...any) {
	b.Fault(b.LineOf(name), b.Key(name), format, args...)
}

// Note records a warning about a key.
func (b *Block) Note(name, format string, args ...any) {
	b.Warn(b.LineOf(name), b.Key(name), format, args...)
}

// Bad records a wrong value, showing it: not for secrets.
func (b *Block) Bad(name string, v Value, must string) {
	switch {
	case v.Null():
		b.Fault(v.Line, b.Key(name), "has no value: %s", must)
	case !v.Single():
		b.Fault(v.Line, b.Key(name), "%s, not %s", must, v.Kind())
	default:
		b.Fault(v.Line, b.Key(name), "Invalid value %s: %s", Shown(v.Text()), must)
	}
}

// mustFlag is what a boolean has to be.
const mustFlag = "must be true or false"

// Flag reads a boolean.
func (b *Block) Flag(name string, byDefault bool) bool {
	v, _ := b.Ask(name)
	flag, ok := v.Boolean(byDefault)
	if !ok {
		b.Bad(name, v, mustFlag)
	}
	return flag
}

// List reads a list; given is false when the key is absent, null or, which is a fault,
// no list.
func (b *Block) List(name string) (items []Value, given bool) {
	v, given := b.Given(name)
	if !given {
		return nil, false
	}
	if items, given = v.Items(); !given {
		b.Refuse(name, "must be a list, not %s", v.Kind())
		return nil, false
	}
	return items, b.spend(len(items))
}

// unknownKey begins the text about every key that nobody asked for.
const unknownKey = "unknown key"

// EachUnknown calls f with every key that nobody asked for and with a text about it.
func (b *Block) EachUnknown(f func(name, nearest, text string)) {
	const few = 10
	for _, name := range b.Names {
		if slices.Contains(b.asked, name) {
			continue
		}
		if len(b.Faults) >= mostNotes || len(b.Warnings) > mostNotes {
			return // what is not kept need not be compared with every known key
		}
		near, more := Nearest(name, b.asked), ""
		switch {
		case near != "":
			more = "; did you mean " + near + "?"
		case len(b.asked) <= few:
			more = "; known here: " + strings.Join(b.asked, ", ")
		}
		f(name, near, more)
	}
}

// Unknown warns of every key that nobody asked for.
func (b *Block) Unknown() {
	b.EachUnknown(func(name, nearest, more string) {
		b.addWarning(Warning{File: b.File, Line: b.LineOf(name), Key: b.Key(name), Text: unknownKey + ", ignored" + more, Nearest: nearest})
	})
}

// RefuseUnknown makes a fault of every warning about an unknown key: one that is
// misspelt explains one that is missing.
func (r *Reader) RefuseUnknown() {
	for _, w := range r.Warnings {
		if strings.HasPrefix(w.Text, unknownKey) {
			r.Faults = append(r.Faults, Fault(w))
		}
	}
}
