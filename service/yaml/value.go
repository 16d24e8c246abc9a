package yaml

import (
	"math"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Value is a value of a document with the line of its key. The zero Value stands for
// a value that is not there.
type Value struct {
	node *yaml.Node
	Line int
}

// value follows an alias to what it stands for.
func value(n *yaml.Node, line int) Value {
	if n.Kind == yaml.AliasNode && n.Alias != nil {
		n = n.Alias
	}
	return Value{n, line}
}

// Of returns a value that stands in no file. What cannot be written as YAML is no value.
func Of(v any) Value {
	var n yaml.Node
	if n.Encode(v) != nil {
		return Value{}
	}
	return Value{node: &n}
}

// Single reports whether it is a single value: no list and no block, and not absent.
func (v Value) Single() bool { return v.node != nil && v.node.Kind == yaml.ScalarNode }

// Null reports whether nothing stands behind the key, or there is no key.
func (v Value) Null() bool {
	return v.node == nil || v.Single() && v.node.ShortTag() == "!!null"
}

// IsBlock reports whether it is a block of keys.
func (v Value) IsBlock() bool { return v.node != nil && v.node.Kind == yaml.MappingNode }

// Empty reports whether a list or block has no members.
func (v Value) Empty() bool { return v.node == nil || len(v.node.Content) == 0 }

// IsBinary reports whether it is binary data in base64.
func (v Value) IsBinary() bool { return v.Single() && v.node.ShortTag() == "!!binary" }

// Text returns a single value as it is written, so that 007 keeps its zeros.
func (v Value) Text() string {
	if !v.Single() {
		return ""
	}
	return v.node.Value
}

// Kind says in words what the value is.
func (v Value) Kind() string {
	switch {
	case v.Null():
		return "nothing"
	case v.node.Kind == yaml.SequenceNode:
		return "a list"
	case v.IsBlock():
		return "a block of keys"
	}
	return "a single value"
}

// Items returns the members of a list, or false when it is none.
func (v Value) Items() ([]Value, bool) {
	if v.node == nil || v.node.Kind != yaml.SequenceNode {
		return nil, false
	}
	items := make([]Value, len(v.node.Content))
	for i, n := range v.node.Content {
		items[i] = value(n, n.Line)
	}
	return items, true
}

// truth holds the words of booleans, as people write them; YAML's own are among them.
var truth = map[string]bool{
	"true": true, "yes": true, "on": true, "y": true, "t": true, "1": true,
	"false": false, "no": false, "off": false, "n": false, "f": false, "0": false, "": false,
}

// Boolean reads a boolean, also one in quotes; nothing means the default.
func (v Value) Boolean(byDefault bool) (flag, ok bool) {
	if v.Null() {
		return byDefault, true
	}
	flag, ok = truth[strings.ToLower(strings.TrimSpace(v.Text()))]
	return flag, ok && v.Single()
}

// Whole reads an integer, also one in quotes.
func (v Value) Whole() (int, bool) {
	if !v.Single() {
		return 0, false
	}
	switch v.node.ShortTag() {
	case "!!int":
		var number int
		err := v.node.Decode(&number)
		return number, err == nil
	case "!!str":
		number, err := strconv.Atoi(strings.TrimSpace(v.node.Value))
		return number, err == nil
	case "!!float":
		f, err := strconv.ParseFloat(v.node.Value, 64)
		return int(f), err == nil && f == math.Trunc(f) && math.Abs(f) <= 1<<31
	}
	return 0, false
}

// Decimal reads any finite number, also one in quotes.
func (v Value) Decimal() (float64, bool) {
	if !v.Single() || v.node.ShortTag() == "!!bool" {
		return 0, false
	}
	f, err := strconv.ParseFloat(strings.TrimSpace(v.node.Value), 64)
	return f, err == nil && !math.IsNaN(f) && !math.IsInf(f, 0)
}

// Shown quotes a value for a message: control characters escaped, long ones cut.
func Shown(text string) string {
	const most = 60
	if runes := []rune(text); len(runes) > most {
		text = string(runes[:most]) + "…"
	}
	quoted := strconv.Quote(text)
	return "'" + strings.ReplaceAll(quoted[1:len(quoted)-1], `\"`, `"`) + "'"
}

// Nearest returns the candidate most like the word, or nothing when none is closer
// than half the word's length. Case does not count, and a word that goes on where a
// candidate ends (production, prod) is near to it.
func Nearest(word string, candidates []string) string {
	best, least := "", len(word)/2+1
	for _, c := range candidates {
		a, b := strings.ToLower(word), strings.ToLower(c)
		d := editDistance(a, b)
		if len(b) >= 3 && strings.HasPrefix(a, b) {
			d = min(d, 2)
		}
		if d < least {
			best, least = c, d
		}
	}
	return best
}

// editDistance counts the insertions, removals and replacements between two words.
// Words of an absurd length are simply far apart.
func editDistance(a, b string) int {
	const absurd = 100
	if len(a) > absurd || len(b) > absurd {
		return absurd
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
