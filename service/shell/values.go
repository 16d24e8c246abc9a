package shell

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.starlark.net/lib/json"
	"go.starlark.net/starlark"

	"vserver/queries"
)

// outOf returns what a column holds; at is what column.at gave.
func outOf(at any) starlark.Value {
	switch p := at.(type) {
	case *int64:
		return starlark.MakeInt64(*p)
	case **int64:
		if *p != nil {
			return starlark.MakeInt64(**p)
		}
	case *string:
		return starlark.String(*p)
	case **string:
		if *p != nil {
			return starlark.String(**p)
		}
	case *bool:
		return starlark.Bool(*p)
	case **queries.Time:
		if *p != nil {
			return datetime{(*p).Time}
		}
	case *[]byte:
		if *p != nil {
			return starlark.Bytes(*p)
		}
	}
	return starlark.None
}

// into sets a column to a value as far as its type can take it; nothing else is
// checked (contract 40 §10.1).
func into(at any, v starlark.Value) (err error) {
	switch p := at.(type) {
	case *int64:
		*p, err = wholeNumber(v)
	case **int64:
		err = optionally(p, v, wholeNumber)
	case *string:
		*p, err = text(v)
	case **string:
		err = optionally(p, v, text)
	case *bool:
		*p, err = truth(v)
	case **queries.Time:
		err = optionally(p, v, instant)
	case *[]byte:
		*p, err = octets(v)
	}
	return err
}

// optionally sets a column that may be empty.
func optionally[T any](at **T, v starlark.Value, read func(starlark.Value) (T, error)) error {
	if v == starlark.None {
		*at = nil
		return nil
	}
	t, err := read(v)
	if err == nil {
		*at = &t
	}
	return err
}

// unfit is the fault of a value that a column cannot hold.
func unfit(v starlark.Value, wanted string) error {
	return problem("TypeError", "%s is no %s", repr(v), wanted)
}

func wholeNumber(v starlark.Value) (int64, error) {
	const wanted = "whole number"
	switch v := v.(type) {
	case starlark.Int:
		if n, ok := v.Int64(); ok {
			return n, nil
		}
	case starlark.Bool:
		if v {
			return 1, nil
		}
		return 0, nil
	case starlark.String:
		if n, err := strconv.ParseInt(strings.TrimSpace(string(v)), 10, 64); err == nil {
			return n, nil
		}
	}
	return 0, unfit(v, wanted)
}

// text returns what a column of text stores: lists and dictionaries as JSON, as a
// result's input wants it, everything else as str() shows it.
func text(v starlark.Value) (string, error) {
	stored := str(v)
	switch b := v.(type) {
	case starlark.NoneType:
		return "", unfit(v, "text")
	case *starlark.Dict, *starlark.List, starlark.Tuple:
		encoded, err := starlark.Call(&starlark.Thread{Name: "json"}, json.Module.Members["encode"], starlark.Tuple{v}, nil)
		if err != nil {
			return "", problem("TypeError", "%s has no form in JSON", repr(v))
		}
		return string(encoded.(starlark.String)), nil
	case starlark.Bytes:
		stored = string(b)
	}
	if !utf8.ValidString(stored) {
		return "", unfit(v, "text: it holds bytes that are no characters")
	}
	return stored, nil
}

func truth(v starlark.Value) (bool, error) {
	switch v := v.(type) {
	case starlark.Bool:
		return bool(v), nil
	case starlark.Int:
		return v.Sign() != 0, nil
	}
	return false, unfit(v, "truth value")
}

func instant(v starlark.Value) (queries.Time, error) {
	switch v := v.(type) {
	case datetime:
		return queries.At(v.Time), nil
	case starlark.String:
		if t, err := parseDatetime(string(v)); err == nil {
			return queries.At(t), nil
		}
	}
	return queries.Time{}, unfit(v, "datetime")
}

func octets(v starlark.Value) ([]byte, error) {
	switch v := v.(type) {
	case starlark.NoneType:
		return nil, nil
	case starlark.Bytes:
		return []byte(v), nil
	case starlark.String:
		return []byte(v), nil
	}
	return nil, unfit(v, "bytes")
}

// Problem is a fault of a statement, worded as Python would word it.
type Problem struct {
	Kind string // as in `TypeError`
	Text string
}

// Error returns kind and text.
func (p *Problem) Error() string { return p.Kind + ": " + p.Text }

func problem(kind, format string, args ...any) *Problem {
	return &Problem{Kind: kind, Text: fmt.Sprintf(format, args...)}
}
