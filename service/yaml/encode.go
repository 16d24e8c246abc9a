package yaml

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Encode writes a value in block style.
func Encode(v any) ([]byte, error) {
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	if err := encoder.Encode(v); err != nil {
		return nil, err
	}
	return out.Bytes(), encoder.Close()
}

// Decode reads a value that a program holds as text.
func Decode(text string) (v any, err error) {
	err = yaml.Unmarshal([]byte(text), &v)
	return v, err
}

// Pair is a key with its value.
type Pair struct {
	Key   string
	Value any
}

// Pairs is a block of keys that keep their order, in JSON as well.
type Pairs []Pair

// MarshalYAML returns the block as a node.
func (p Pairs) MarshalYAML() (any, error) {
	block := &yaml.Node{Kind: yaml.MappingNode}
	for _, pair := range p {
		var n yaml.Node
		if err := n.Encode(pair.Value); err != nil {
			return nil, err
		}
		block.Content = append(block.Content, word(pair.Key), &n)
	}
	return block, nil
}

// MarshalJSON returns the block as an object.
func (p Pairs) MarshalJSON() ([]byte, error) {
	var out bytes.Buffer
	for i, pair := range p {
		key, err1 := json.Marshal(pair.Key)
		value, err2 := json.Marshal(pair.Value)
		if err := errors.Join(err1, err2); err != nil {
			return nil, err
		}
		out.WriteByte("{,"[min(i, 1)])
		out.Write(append(append(key, ':'), value...))
	}
	if len(p) == 0 {
		out.WriteByte('{')
	}
	out.WriteByte('}')
	return out.Bytes(), nil
}

func word(text string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}
}

// mostWritten bounds what a document may unfold to when its aliases are written out.
const mostWritten = 50_000

// Tidy copies a value into the form of a written file: aliases and merge keys written
// out, keys sorted, block style, no comments. False when aliases make it too large.
func (v Value) Tidy() (Value, bool) {
	t := tidier{Form{Values: mostWritten}.NewReader("")}
	n := t.nodeOf(v)
	return Value{node: n}, len(t.Faults) == 0
}

// MarshalYAML returns the value itself.
func (v Value) MarshalYAML() (any, error) { return v.node, nil }

type tidier struct{ *Reader }

func (t tidier) nodeOf(v Value) *yaml.Node {
	if v.node == nil || !t.spend(1) {
		return word("")
	}
	if b := t.Block("", v); b != nil {
		block := &yaml.Node{Kind: yaml.MappingNode}
		for _, name := range slices.Sorted(slices.Values(b.Names)) {
			block.Content = append(block.Content, word(name), t.nodeOf(b.values[name]))
		}
		return block
	}
	if items, ok := v.Items(); ok {
		list := &yaml.Node{Kind: yaml.SequenceNode, Tag: v.node.Tag}
		for _, item := range items {
			list.Content = append(list.Content, t.nodeOf(item))
		}
		return list
	}
	scalar := &yaml.Node{Kind: yaml.ScalarNode, Tag: v.node.Tag, Value: v.node.Value, Style: v.node.Style}
	if scalar.Style == yaml.DoubleQuotedStyle && !strings.ContainsFunc(scalar.Value, func(c rune) bool { return c < ' ' || c > '~' }) {
		scalar.Style = yaml.SingleQuotedStyle
	}
	return scalar
}
