package shell

import (
	"errors"
	"strings"
	"testing"

	"go.starlark.net/starlark"

	"vserver/service/fault"
)

// brittleValue panics when it is looked at.
type brittleValue struct{ starlark.NoneType }

// AttrNames panics.
func (brittleValue) AttrNames() []string { panic("a test wanted a panic of a value") }

// Attr panics.
func (brittleValue) Attr(string) (starlark.Value, error) {
	panic("a test wanted a panic of a value")
}

// brittleShell is a shell with a value that panics.
func brittleShell(out, err *strings.Builder) *Shell {
	return &Shell{
		options: Options{Out: out, Err: err}, session: &session{}, globals: starlark.StringDict{"odd": brittleValue{}},
	}
}

// TestCompletionThatPanicsLeavesTheLine: the library that edits lines holds a lock around it,
// which a panic would leave in disorder and end the program with a terminal in raw mode.
func TestCompletionThatPanicsLeavesTheLine(t *testing.T) {
	var out, said strings.Builder
	editor := &lineEditor{shell: brittleShell(&out, &said)}
	line, at, ok := editor.complete("odd.a", 5, '\t')
	var p *fault.Panic
	if line != "odd.a" || at != 5 || !ok || !errors.As(editor.lost, &p) {
		t.Errorf("%q %d %t, %v", line, at, ok, editor.lost)
	}
}

// TestStatementThatPanics ends a script with the panic; to somebody who types it is told, and
// the next statement runs.
func TestStatementThatPanics(t *testing.T) {
	const script = "odd.a\nprint('next')\n"
	var out, said strings.Builder
	code, err := brittleShell(&out, &said).Script(t.Context(), strings.NewReader(script))
	var p *fault.Panic
	if code != 1 || !errors.As(err, &p) || !strings.Contains(p.Stack, "panic_test.go") || out.Len() > 0 {
		t.Errorf("a script: code %d, %v, printed %q", code, err, &out)
	}
	sh := brittleShell(&out, &said)
	sh.typed = true
	sh.options.Panicked = func(err error) string { return "worded " + err.Error() }
	code, err = sh.runAll(t.Context(), &statements{from: newFileReader(strings.NewReader(script))}, interruptible)
	if code != 0 || err != nil || out.String() != "next\n" || said.String() != "InternalError: worded panic: a test wanted a panic of a value\n" {
		t.Errorf("typed: code %d, %v, printed %q, said %q", code, err, &out, &said)
	}
}
