package shell

import (
	"errors"
	"fmt"
	"strings"

	"go.starlark.net/resolve"
	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"vserver/queries"
	"vserver/service/fault"
)

// rowError is an error about a row of a model.
type rowError struct {
	model    *model
	err      error
	deleting bool
}

// Error returns the error after the model.
func (f *rowError) Error() string { return f.model.name + ": " + f.err.Error() }

// Unwrap returns the error alone.
func (f *rowError) Unwrap() error { return f.err }

// worded words what the database refused.
func worded(err error) error {
	var p *Problem
	if errors.As(err, &p) {
		return p
	}
	if lost(err) {
		return err
	}
	if f, ok := fault.As(err); ok {
		return problem("OperationalError", "%s", f.Msg)
	}
	name, deleting := "row", false
	var of *rowError
	if errors.As(err, &of) {
		name, deleting = of.model.name, of.deleting
	}
	columns := strings.Join(queries.Columns(err), " and ")
	switch {
	case queries.Taken(err):
		return problem("IntegrityError", "there is another %s with the same %s", name, columns)
	case queries.InUse(err) && deleting:
		return problem("IntegrityError", "%s belong to this %s and have to be deleted first", of.model.requiredBy, name)
	case queries.InUse(err):
		return problem("IntegrityError", "what this %s refers to is not in the database", name)
	case queries.Refused(err) && columns != "":
		return problem("IntegrityError", "%s: %s has no value that the database could take", name, columns)
	}
	return problem("DatabaseError", "%s", err)
}

// describe words the error of a statement for whoever wrote it: what, and in which
// line.
func (sh *Shell) describe(err error, of statement) string {
	if lost(err) {
		return "InternalError: " + sh.wordedPanic(err)
	}
	text, line := explain(err)
	if line > 0 && text != interruption && (!sh.typed || len(of.source) > 1) {
		return fmt.Sprintf("%s (line %d)", text, line)
	}
	return text
}

// lost reports whether an error is a panic.
func lost(err error) bool {
	var p *fault.Panic
	return errors.As(err, &p)
}

// wordedPanic words a panic.
func (sh *Shell) wordedPanic(err error) string {
	if sh.options.Panicked == nil {
		return err.Error()
	}
	return sh.options.Panicked(err)
}

// interruption is all there is to say about Ctrl-C.
const interruption = "KeyboardInterrupt"

// explain returns the text and the line of an error; 0 when no line is to blame.
func explain(err error) (text string, line int32) {
	var (
		evaluation *starlark.EvalError
		parsing    syntax.Error
		naming     resolve.ErrorList
		p          *Problem
	)
	switch {
	case errors.As(err, &evaluation):
		if stack := evaluation.CallStack; len(stack) > 0 {
			line = stack[0].Pos.Line
		}
		return raised(evaluation), line
	case errors.As(err, &parsing):
		return "SyntaxError: " + parsing.Msg, parsing.Pos.Line
	case errors.As(err, &naming) && len(naming) > 0:
		return unknownName(naming[0].Msg), naming[0].Pos.Line
	case errors.As(err, &p):
		return p.Error(), 0
	}
	return err.Error(), 0
}

// raised words what went wrong while a statement ran.
func raised(e *starlark.EvalError) string {
	var p *Problem
	if errors.As(e, &p) {
		return p.Error()
	}
	if reason, ok := strings.CutPrefix(e.Msg, "Starlark computation cancelled: "); ok {
		return reason
	}
	return classified(e.Msg)
}

// unknownName words what the resolver says as Python does.
func unknownName(text string) string {
	if name, ok := strings.CutPrefix(text, "undefined: "); ok {
		name, hint, _ := strings.Cut(name, " ")
		return strings.TrimSpace("NameError: name '" + name + "' is not defined " + hint)
	}
	return "SyntaxError: " + text
}

// classified puts the kind of error that Python names before what Starlark says most,
// and the next step behind it where Python takes what Starlark does not.
func classified(text string) string {
	for _, c := range []struct{ part, kind, hint string }{
		{"string has no .hex", "AttributeError", `; write replace("-", "")`},
		{" has no .", "AttributeError", ""},
		{"can't assign to .", "AttributeError", ""},
		{"out of range", "IndexError", ""},
		{"key ", "KeyError", ""},
		{"unknown binary op", "TypeError", ""},
		{"invalid call of non-function", "TypeError", ""},
		{"got string, want iterable", "TypeError", "; write codepoints()"},
		{"got ", "TypeError", ""},
		{"string value is not iterable", "TypeError", "; write codepoints()"},
		{"enum value is not iterable", "TypeError", "; write its members, as in [Scope.OWN, Scope.GLOBAL]"},
		{"unhandled index operation enum", "TypeError", "; write a member, as in Scope.GLOBAL"},
		{"substring not found", "ValueError", ""},
		{"division by zero", "ZeroDivisionError", ""},
		{"called recursively", "RecursionError", ""},
	} {
		if strings.Contains(text, c.part) {
			return c.kind + ": " + text + c.hint
		}
	}
	return text
}
