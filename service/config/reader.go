package config

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// reader walks one parsed file and gathers everything there is to say about it.
type reader struct {
	file     string
	faults   Faults
	warnings []Warning
	merged   map[*yaml.Node]map[string]entry // merge keys already resolved; nil while in progress
	asked    map[string][]string             // keys asked for, by path of their block
}

func newReader(file string) *reader {
	return &reader{file: file, merged: map[*yaml.Node]map[string]entry{}, asked: map[string][]string{}}
}

func (r *reader) fault(line int, key, format string, args ...any) {
	r.faults = append(r.faults, Fault{File: r.file, Line: line, Key: key, Text: fmt.Sprintf(format, args...)})
}

func (r *reader) warn(line int, key, format string, args ...any) {
	r.warnings = append(r.warnings, Warning{File: r.file, Line: line, Key: key, Text: fmt.Sprintf(format, args...)})
}

// entry is a value and the line of its key.
type entry struct {
	node *yaml.Node
	line int
}

func (e entry) null() bool { return e.node.Kind == yaml.ScalarNode && e.node.ShortTag() == "!!null" }

// block is one mapping of the file. Its reader remembers which keys were asked for,
// so that what is left at the end is unknown.
type block struct {
	r       *reader
	path    string
	line    int
	order   []string
	entries map[string]entry
}

// behind follows an alias to the node it stands for.
func behind(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode && n.Alias != nil {
		return n.Alias
	}
	return n
}

// mapping opens a mapping node; other nodes give nil and no fault.
func (r *reader) mapping(path string, line int, n *yaml.Node) *block {
	n = behind(n)
	if n.Kind != yaml.MappingNode {
		return nil
	}
	b := &block{r: r, path: path, line: line, entries: map[string]entry{}}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := behind(n.Content[i])
		if key.Kind != yaml.ScalarNode || key.ShortTag() == "!!merge" {
			continue
		}
		if old, twice := b.entries[key.Value]; twice {
			r.warn(key.Line, b.key(key.Value), "is given twice, the first time on line %d; this one counts", old.line)
		} else {
			b.order = append(b.order, key.Value)
		}
		b.entries[key.Value] = entry{behind(n.Content[i+1]), key.Line}
	}
	for key, e := range r.inherited(n) {
		if _, own := b.entries[key]; !own {
			b.order = append(b.order, key)
			b.entries[key] = e
		}
	}
	slices.SortFunc(b.order, func(x, y string) int {
		return cmp.Or(b.entries[x].line-b.entries[y].line, strings.Compare(x, y))
	})
	return b
}

// inherited resolves the merge keys (<<) of a mapping. Each node is resolved once
// and a mapping that merges itself contributes nothing, so hostile files end.
func (r *reader) inherited(n *yaml.Node) map[string]entry {
	all := map[string]entry{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].ShortTag() != "!!merge" {
			continue
		}
		source := behind(n.Content[i+1])
		sources := []*yaml.Node{source}
		if source.Kind == yaml.SequenceNode {
			sources = source.Content
		}
		for _, s := range sources {
			for key, e := range r.flat(behind(s)) {
				if _, known := all[key]; !known {
					all[key] = e
				}
			}
		}
	}
	return all
}

// flat is everything a merged mapping holds, its own keys over those it merges.
func (r *reader) flat(n *yaml.Node) map[string]entry {
	if done, seen := r.merged[n]; seen || n.Kind != yaml.MappingNode {
		return done
	}
	r.merged[n] = nil
	all := r.inherited(n)
	for i := 0; i+1 < len(n.Content); i += 2 {
		if key := behind(n.Content[i]); key.Kind == yaml.ScalarNode && key.ShortTag() != "!!merge" {
			all[key.Value] = entry{behind(n.Content[i+1]), key.Line}
		}
	}
	r.merged[n] = all
	return all
}

func (b *block) key(name string) string {
	if b.path == "" {
		return name
	}
	return b.path + "." + name
}

// ask looks a key up and marks it as known.
func (b *block) ask(name string) (entry, bool) {
	b.r.asked[b.path] = append(b.r.asked[b.path], name)
	e, ok := b.entries[name]
	return e, ok
}

// given is ask for a key that also has a value.
func (b *block) given(name string) (entry, bool) {
	e, ok := b.ask(name)
	return e, ok && !e.null()
}

// bad records a wrong value, showing it unless it may be a secret.
func (b *block) bad(name string, e entry, must string) {
	if e.null() {
		b.r.fault(e.line, b.key(name), "has no value: %s", must)
		return
	}
	if e.node.Kind != yaml.ScalarNode {
		b.r.fault(e.line, b.key(name), "%s, not a %s", must, kindWord(e.node))
		return
	}
	b.r.fault(e.line, b.key(name), "Invalid value %s: %s", shown(e.node.Value), must)
}

func kindWord(n *yaml.Node) string {
	if n.Kind == yaml.SequenceNode {
		return "list"
	}
	return "block of keys"
}

// shown quotes a value for a message: control characters escaped, long ones cut.
func shown(value string) string {
	runes := []rune(value)
	if len(runes) > 60 {
		value = string(runes[:60]) + "…"
	}
	quoted := strconv.Quote(value)
	return "'" + strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`) + "'"
}

// text reads any scalar as written; a missing or empty key gives the default.
func (b *block) text(name, byDefault string) string {
	e, ok := b.given(name)
	if !ok {
		return byDefault
	}
	if e.node.Kind != yaml.ScalarNode {
		b.bad(name, e, "must be text")
		return byDefault
	}
	return e.node.Value
}

// secret is text that no message may show.
func (b *block) secret(name string) Secret { return Secret(b.text(name, "")) }

// truth words, as people write them; YAML's own true and false are among them.
var truth = map[string]bool{
	"true": true, "yes": true, "on": true, "y": true, "t": true, "1": true,
	"false": false, "no": false, "off": false, "n": false, "f": false, "0": false, "": false,
}

// flag reads a boolean, also one written as a word in quotes: the wizard of the
// reference writes 'True' and 'False' (contract 40 §6.2).
func (b *block) flag(name string, byDefault bool) bool {
	e, ok := b.given(name)
	if !ok {
		return byDefault
	}
	value, known := truth[strings.ToLower(strings.TrimSpace(e.node.Value))]
	if e.node.Kind != yaml.ScalarNode || !known {
		b.bad(name, e, "must be true or false")
		return byDefault
	}
	return value
}

// noDefault marks a number that must be there, unbounded one without upper limit.
const (
	noDefault = math.MinInt32
	unbounded = math.MaxInt32
)

// whole reads an integer from lowest to highest, also one in quotes.
func (b *block) whole(name string, byDefault, lowest, highest int) int {
	must := fmt.Sprintf("must be a whole number from %d to %d", lowest, highest)
	if highest == unbounded {
		must = fmt.Sprintf("must be a whole number of at least %d", lowest)
	}
	e, ok := b.ask(name)
	if !ok && byDefault == noDefault {
		b.r.fault(b.line, b.key(name), "is missing: %s", must)
	}
	if !ok || e.null() && byDefault != noDefault {
		return byDefault
	}
	n, err := wholeNumber(e.node)
	if err != nil || n < lowest || n > highest {
		b.bad(name, e, must)
		return lowest
	}
	return n
}

func wholeNumber(n *yaml.Node) (int, error) {
	if n.Kind != yaml.ScalarNode {
		return 0, strconv.ErrSyntax
	}
	switch n.ShortTag() {
	case "!!int":
		var number int
		err := n.Decode(&number)
		return number, err
	case "!!str":
		return strconv.Atoi(strings.TrimSpace(n.Value))
	case "!!float":
		f, err := strconv.ParseFloat(n.Value, 64)
		if err != nil || f != math.Trunc(f) || math.Abs(f) > 1<<31 {
			return 0, strconv.ErrSyntax
		}
		return int(f), nil
	}
	return 0, strconv.ErrSyntax
}

// decimal reads any finite number, also one in quotes.
func decimal(n *yaml.Node) (float64, bool) {
	if n.Kind != yaml.ScalarNode || n.ShortTag() == "!!bool" {
		return 0, false
	}
	f, err := strconv.ParseFloat(strings.TrimSpace(n.Value), 64)
	return f, err == nil && !math.IsNaN(f) && !math.IsInf(f, 0)
}

// list reads a sequence of scalars; a single scalar is a list of one.
func (b *block) list(name string) (entry, []entry) {
	e, ok := b.given(name)
	if !ok {
		return entry{}, nil
	}
	if e.node.Kind == yaml.ScalarNode {
		return e, []entry{e}
	}
	if e.node.Kind != yaml.SequenceNode {
		b.bad(name, e, "must be a list")
		return e, nil
	}
	items := make([]entry, len(e.node.Content))
	for i, item := range e.node.Content {
		items[i] = entry{behind(item), item.Line}
	}
	return e, items
}

// block opens a sub-block; nil when it is absent, without value or of another shape
// (which is a fault).
func (b *block) block(name string) *block {
	e, ok := b.given(name)
	if !ok {
		return nil
	}
	sub := b.r.mapping(b.key(name), e.line, e.node)
	if sub == nil {
		b.bad(name, e, "must be a block of keys")
	}
	return sub
}

// unknown warns of every key nobody asked for.
func (b *block) unknown() {
	known := b.r.asked[b.path]
	for _, name := range b.order {
		if slices.Contains(known, name) {
			continue
		}
		w := Warning{File: b.r.file, Line: b.entries[name].line, Key: b.key(name), Nearest: nearest(name, known)}
		w.Text = "unknown key, ignored"
		if w.Nearest != "" {
			w.Text += "; did you mean " + w.Nearest + "?"
		}
		b.r.warnings = append(b.r.warnings, w)
	}
}
