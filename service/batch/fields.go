package batch

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// Lengths of texts in characters, contract 10 §1.4 and §5.1.
const (
	shortText    = 1_000
	imageText    = 2_000
	longText     = 100_000
	passwordText = 128
)

// budget is how many keys and values a file may have once its aliases are followed:
// aliases let a small file stand for an endless one.
const budget = 5_000_000

// mostNotes is after how many faults reading ends, and how many warnings are kept.
const mostNotes = 1000

// reader collects the faults of one file.
type reader struct {
	path     string
	faults   Faults
	warnings []Warning
	left     int // of the budget
}

func (r *reader) fault(line int, field, format string, args ...any) {
	if len(r.faults) < mostNotes {
		r.faults = append(r.faults, Fault{r.path, line, field, fmt.Sprintf(format, args...)})
	}
}

func (r *reader) warn(line int, field, format string, args ...any) {
	switch {
	case len(r.warnings) < mostNotes:
		r.warnings = append(r.warnings, Warning{r.path, line, field, fmt.Sprintf(format, args...)})
	case len(r.warnings) == mostNotes:
		r.warnings = append(r.warnings, Warning{File: r.path, Line: line, Text: "further warnings are left out"})
	}
}

// spend takes keys and values out of the budget; false when it is used up, which is
// a fault, or when there are faults enough.
func (r *reader) spend(values int) bool {
	if r.left < 0 || len(r.faults) == mostNotes {
		return false
	}
	if r.left -= values; r.left < 0 {
		r.fault(0, "", "holds more than %d keys and values; divide it", budget)
	}
	return r.left >= 0
}

// entry is a value with the line of its key.
type entry struct {
	node *yaml.Node
	line int
}

func (e entry) null() bool { return e.node.Kind == yaml.ScalarNode && e.node.ShortTag() == "!!null" }

// behind gives what an alias stands for.
func behind(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// block is one mapping of the file.
type block struct {
	r       *reader
	path    string // dotted
	line    int
	order   []string
	entries map[string]entry
	asked   []string
}

// block reads a mapping; nil when it is none, with a fault that says what it must
// be, or when reading has ended.
func (r *reader) block(path string, e entry, must string) *block {
	n := behind(e.node)
	if n.Kind != yaml.MappingNode {
		r.fault(e.line, path, "must be %s, not %s", must, kindOf(entry{n, e.line}))
		return nil
	}
	b := &block{r: r, path: path, line: e.line, entries: map[string]entry{}}
	if b.take(n, 0); !r.spend(0) {
		return nil
	}
	return b
}

// kindOf says in words what a value is.
func kindOf(e entry) string {
	switch {
	case e.node.Kind == yaml.SequenceNode:
		return "a list"
	case e.node.Kind == yaml.MappingNode:
		return "a block of keys"
	case e.null():
		return "nothing"
	}
	return "a single value"
}

// take adds the keys of a mapping: its own first, then those that it merges in with
// `<<` and does not have itself.
func (b *block) take(n *yaml.Node, depth int) {
	const deepest = 8
	if depth > deepest || !b.r.spend(len(n.Content)) {
		return
	}
	own := map[string]int{}
	for key, value := range pairs(n) {
		if key.ShortTag() == "!!merge" || key.Kind != yaml.ScalarNode {
			continue
		}
		if first, twice := own[key.Value]; twice {
			b.r.fault(key.Line, b.field(key.Value), "is there twice, first on line %d", first)
			continue
		}
		own[key.Value] = key.Line
		if _, there := b.entries[key.Value]; !there {
			b.order = append(b.order, key.Value)
			b.entries[key.Value] = entry{behind(value), key.Line}
		}
	}
	for key, value := range pairs(n) {
		if key.ShortTag() != "!!merge" {
			continue
		}
		for _, source := range sources(behind(value)) {
			if source.Kind == yaml.MappingNode {
				b.take(source, depth+1)
			}
		}
	}
}

// pairs walks the keys and values of a mapping.
func pairs(n *yaml.Node) func(yield func(key, value *yaml.Node) bool) {
	return func(yield func(key, value *yaml.Node) bool) {
		for i := 0; i+1 < len(n.Content); i += 2 {
			if !yield(behind(n.Content[i]), n.Content[i+1]) {
				return
			}
		}
	}
}

// sources gives the mappings of a merge: one, or a list.
func sources(n *yaml.Node) []*yaml.Node {
	if n.Kind != yaml.SequenceNode {
		return []*yaml.Node{n}
	}
	list := make([]*yaml.Node, len(n.Content))
	for i, item := range n.Content {
		list[i] = behind(item)
	}
	return list
}

func (b *block) field(name string) string {
	if b.path == "" {
		return name
	}
	return b.path + "." + name
}

func (b *block) refuse(line int, name, format string, args ...any) {
	b.r.fault(line, b.field(name), format, args...)
}

// ask looks up a key; ok is false when it is not there.
func (b *block) ask(name string) (e entry, ok bool) {
	b.asked = append(b.asked, name)
	e, ok = b.entries[name]
	return e, ok
}

// text is a field of the file.
type text struct {
	value *string // nil when null or not there
	given bool    // the key is there
	line  int     // of the key, or of the block when the key is not there
}

// or gives the value, or another one when there is none.
func (t text) or(other string) string {
	if t.value == nil {
		return other
	}
	return *t.value
}

// text reads a single value as it is written, so that `zipcode: 54331` is "54331".
func (b *block) text(name string, limit int) text {
	e, ok := b.ask(name)
	if !ok {
		return text{line: b.line}
	}
	t := text{given: true, line: e.line}
	if e.null() {
		return t
	}
	value, why := plain(e, limit)
	if why != "" {
		b.refuse(e.line, name, "%s", why)
		return t
	}
	t.value = &value
	return t
}

// plain gives a single value as text, or why it cannot be taken.
func plain(e entry, limit int) (value, why string) {
	if e.node.Kind != yaml.ScalarNode || e.null() {
		return "", "must be a text, not " + kindOf(e)
	}
	if e.node.ShortTag() == "!!binary" {
		return "", "must be a text, not binary data"
	}
	if utf8.RuneCountInString(e.node.Value) > limit {
		return "", fmt.Sprintf("is longer than %d characters", limit)
	}
	if strings.ContainsFunc(e.node.Value, forbidden(limit)) {
		return "", "holds control characters"
	}
	return e.node.Value, ""
}

// forbidden finds control characters; long texts may have lines and tabs.
func forbidden(limit int) func(rune) bool {
	return func(c rune) bool {
		return (c < 0x20 || c == 0x7f) && (limit != longText || !strings.ContainsRune("\t\n\r", c))
	}
}

// need reads a text that must be there and not be empty.
func (b *block) need(name string, limit int) (string, int) {
	before := len(b.r.faults)
	t := b.text(name, limit)
	switch {
	case len(b.r.faults) > before:
	case !t.given:
		b.refuse(t.line, name, "is missing")
	case t.or("") == "":
		b.refuse(t.line, name, "has no value")
	}
	return t.or(""), t.line
}

// key reads a text whose key must be there; the value may be null.
func (b *block) key(name string) text {
	t := b.text(name, shortText)
	if !t.given {
		b.refuse(t.line, name, "is missing; write the key without a value for none")
	}
	return t
}

// flag reads true or false.
func (b *block) flag(name string, byDefault bool) (bool, int) {
	e, ok := b.ask(name)
	if !ok || e.null() {
		return byDefault, b.line
	}
	switch strings.ToLower(e.node.Value) {
	case "true", "yes", "on":
		return true, e.line
	case "false", "no", "off":
		return false, e.line
	}
	b.refuse(e.line, name, "must be true or false")
	return byDefault, e.line
}

// list reads a list; given is false when the key is absent or null.
func (b *block) list(name string) (items []entry, given bool) {
	e, ok := b.ask(name)
	if !ok || e.null() {
		return nil, false
	}
	if e.node.Kind != yaml.SequenceNode {
		b.refuse(e.line, name, "must be a list, not %s", kindOf(e))
		return nil, false
	}
	if !b.r.spend(len(e.node.Content)) {
		return nil, false
	}
	for _, item := range e.node.Content {
		items = append(items, entry{behind(item), item.Line})
	}
	return items, true
}

// item names the n-th member of a list, counted from 1 as people do.
func (b *block) item(name string, n int) string {
	return fmt.Sprintf("%s[%d]", b.field(name), n+1)
}

// unknown calls f with every key that nobody asked for.
func (b *block) unknown(f func(name string, line int)) {
	for _, name := range b.order {
		if !slices.Contains(b.asked, name) {
			f(name, b.entries[name].line)
		}
	}
}

const unknownKey = "unknown key"

// ignore warns of every key that nobody asked for.
func (b *block) ignore() {
	b.unknown(func(name string, line int) {
		b.r.warn(line, b.field(name), unknownKey+", ignored; known here: %s", strings.Join(b.asked, ", "))
	})
}
