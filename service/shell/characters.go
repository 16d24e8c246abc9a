package shell

import (
	"slices"
	"unicode/utf8"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// Starlark counts the bytes of a text, Python and everybody who writes a name counts
// its characters. A text with others than ASCII is therefore replaced by characters
// wherever places in it are counted.

// positional are the methods of a text that take or return places in it, or that cut
// it into bytes.
var positional = map[string]bool{
	"count": true, "find": true, "rfind": true, "index": true, "rindex": true, "startswith": true, "endswith": true,
	"elems": true, "elem_ords": true,
}

// countCharacters has each index, slice and positional method of a parsed statement
// count characters: x[0] becomes charactersFunction(x)[0].
func countCharacters(file *syntax.File) {
	syntax.Walk(file, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.IndexExpr:
			n.X = charactersOf(n.X)
		case *syntax.SliceExpr:
			n.X = charactersOf(n.X)
		case *syntax.DotExpr:
			if positional[n.Name.Name] {
				n.X = charactersOf(n.X)
			}
		}
		return true
	})
}

func charactersOf(x syntax.Expr) syntax.Expr {
	at := syntax.Start(x)
	return &syntax.CallExpr{Fn: &syntax.Ident{NamePos: at, Name: charactersFunction}, Lparen: at, Args: []syntax.Expr{x}, Rparen: at}
}

// bytesText is a text as Starlark has it, by its bytes.
type bytesText = starlark.String

// characters is a text with others than ASCII, by its characters.
type characters struct {
	bytesText
	list []rune
}

var _ starlark.Sliceable = characters{}

// newCharacters returns a text by its characters. Every other value, and a text of
// which each byte is a character, is returned as it is.
func newCharacters(v starlark.Value) starlark.Value {
	text, ok := v.(starlark.String)
	if !ok || utf8.RuneCountInString(string(text)) == len(text) {
		return v
	}
	return characters{text, []rune(string(text))}
}

// Len returns the number of characters.
func (c characters) Len() int { return len(c.list) }

// Index returns one character.
func (c characters) Index(i int) starlark.Value { return starlark.String(c.list[i]) }

// Slice returns some of the characters.
func (c characters) Slice(start, end, step int) starlark.Value {
	if step == 1 {
		return starlark.String(c.list[start:end])
	}
	var cut []rune
	for i := start; step > 0 && i < end || step < 0 && i > end; i += step {
		cut = append(cut, c.list[i])
	}
	return starlark.String(cut)
}

// Attr returns a method of the text that counts characters.
func (c characters) Attr(name string) (starlark.Value, error) {
	method, err := c.bytesText.Attr(name)
	switch {
	case err != nil || method == nil || !positional[name]:
		return method, err
	case name == "elems" || name == "elem_ords":
		return nil, problem("TypeError", "%s() would cut characters into bytes; write codepoints()", name)
	}
	return starlark.NewBuiltin(name, func(t *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		args = slices.Clone(args)
		for i := 1; i < len(args); i++ {
			if n, err := starlark.AsInt32(args[i]); err == nil {
				args[i] = starlark.MakeInt(c.offset(n))
			}
		}
		found, err := starlark.Call(t, method, args, kwargs)
		if n, ok := found.(starlark.Int); ok && err == nil && name != "count" {
			if at, _ := starlark.AsInt32(n); at > 0 {
				return starlark.MakeInt(utf8.RuneCountInString(string(c.bytesText[:at]))), nil
			}
		}
		return found, err
	}), nil
}

// offset returns the byte at which the n-th character begins; a negative n counts
// from the end.
func (c characters) offset(n int) int {
	if n < 0 {
		n += len(c.list)
	}
	return len(string(c.list[:min(max(n, 0), len(c.list))]))
}

// ofCharacters makes a built-in function count characters in its first argument.
func ofCharacters(name string) *starlark.Builtin {
	return starlark.NewBuiltin(name, func(t *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		args = slices.Clone(args)
		if len(args) > 0 {
			args[0] = newCharacters(args[0])
		}
		return starlark.Call(t, starlark.Universe[name], args, kwargs)
	})
}
