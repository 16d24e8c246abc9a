package shell

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.starlark.net/lib/json"
	"go.starlark.net/starlark"

	"vserver/queries"
)

// outOf returns what a column holds; at is what column.at returned.
func outOf(at any) starlark.Value {
	if p := reflect.ValueOf(at).Elem(); p.Kind() == reflect.Pointer {
		if p.IsNil() {
			return starlark.None
		}
		at = p.Interface()
	}
	switch p := at.(type) {
	case *int64:
		return starlark.MakeInt64(*p)
	case *string:
		return starlark.String(*p)
	case *queries.Opaque:
		return starlark.String(*p)
	case *bool:
		return starlark.Bool(*p)
	case *queries.Time:
		return datetime{Time: p.Time}
	case *[]byte:
		if *p != nil {
			return starlark.Bytes(*p)
		}
	}
	return starlark.None
}

// into sets a column to a value as far as its type can take it; nothing else is
// checked (/docs/shell#session).
func into(at any, v starlark.Value) (err error) {
	if column := reflect.ValueOf(at).Elem(); column.Kind() == reflect.Pointer {
		if v == starlark.None {
			column.SetZero()
			return nil
		}
		value := reflect.New(column.Type().Elem())
		if err := into(value.Interface(), v); err != nil {
			return err
		}
		column.Set(value)
		return nil
	}
	switch p := at.(type) {
	case *int64:
		*p, err = wholeNumber(v)
	case *string:
		*p, err = text(v)
	case *queries.Opaque:
		*p, err = opaque(v)
	case *bool:
		*p, err = truth(v)
	case *queries.Time:
		*p, err = instant(v)
	case *[]byte:
		*p, err = octets(v)
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

// text returns what a column of text stores.
func text(v starlark.Value) (string, error) {
	stored, err := textForm(v)
	if err == nil && !utf8.ValidString(stored) {
		return "", unfit(v, "text: it holds bytes that are no characters")
	}
	return stored, err
}

// opaque returns what the input, result or log of a result stores.
func opaque(v starlark.Value) (queries.Opaque, error) {
	stored, err := textForm(v)
	if err == nil && !queries.Opaque(stored).Whole() {
		return "", unfit(v, "text: it holds bytes that are no characters")
	}
	return queries.Opaque(stored), err
}

// textForm makes a text of a value: JSON of lists and dictionaries, as a result's input
// wants it, of everything else what str() shows.
func textForm(v starlark.Value) (string, error) {
	stored := str(v)
	switch b := v.(type) {
	case starlark.NoneType:
		return "", unfit(v, "text")
	case *starlark.Dict, *starlark.List, starlark.Tuple:
		encoded, err := starlark.Call(&starlark.Thread{Name: "json"}, json.Module.Members["encode"], starlark.Tuple{v}, nil)
		if err != nil {
			return "", problem("TypeError", "%s has no form in JSON", repr(v))
		}
		stored = str(encoded)
	case starlark.Bytes:
		stored = string(b)
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
