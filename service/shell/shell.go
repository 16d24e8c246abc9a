// Package shell is the console of the administrator: the statements of the
// specification's Shell section, and what is like them, on the objects of the database
// (/docs/shell#session). Statements are Starlark; of what only Python has they may hold
// imports, f-strings, `is` and texts that are counted by character. The package may use
// core, queries, access and fault, and private for the file of the history; it knows
// neither the command line nor the configuration.
//
// Whoever holds the database may do everything: no permission is asked for and nothing
// is validated, but each save and each delete is one transaction.
//
// It is large because it is a language of its own with a class for each table, which
// nothing but the console needs.
package shell

import (
	"context"
	"errors"
	"fmt"
	"io"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"vserver/queries"
	"vserver/service/core"
	"vserver/service/fault"
)

// Options of a shell.
type Options struct {
	Out io.Writer // values and what is printed
	Err io.Writer // faults of statements
	// History is the file that typed lines are kept in; empty for none. Lines that
	// may hold a password or a key are never written to it.
	History string
	Context Context
	// Panicked words a panic, whose stack is kept somewhere; nil for its text alone.
	Panicked func(error) string
}

// Shell is one session. It is not for use by several goroutines.
type Shell struct {
	options Options
	session *session
	globals starlark.StringDict
	typed   bool // somebody types
	number  int  // of the statement, as the prompt shows it
}

// New begins a session on a database that core has prepared.
func New(c *core.Core, db *queries.DB, o Options) *Shell {
	s := newSession(c, db)
	o.Out, o.Err = legible{o.Out}, legible{o.Err}
	return &Shell{options: o, session: s, globals: predeclared(s, o.Context, o.Out)}
}

// Script runs all statements of a file or a pipe. A fault is reported and does not end
// it. The code is that of exit(), else 1 when a statement failed; the error is one of
// reading, or a panic.
func (sh *Shell) Script(ctx context.Context, r io.Reader) (code int, err error) {
	sh.typed = false
	return sh.runAll(ctx, &statements{from: newFileReader(r)}, func(ctx context.Context) (context.Context, func()) { return ctx, func() {} })
}

// runAll runs statements until they end. within returns the context of each of them.
func (sh *Shell) runAll(ctx context.Context, from *statements, within func(context.Context) (context.Context, func())) (code int, err error) {
	for ctx.Err() == nil {
		sh.session.ctx = ctx
		next, err := from.next()
		switch {
		case errors.Is(err, io.EOF):
			return code, nil
		case errors.Is(err, errInterrupted):
			sh.report(interruption)
			continue
		case err != nil:
			return 1, fmt.Errorf("reading statements: %w", err)
		}
		inner, done := within(ctx)
		err = sh.run(inner, next)
		done()
		var exit exitRequest
		if errors.As(err, &exit) {
			return exit.code, nil
		}
		if lost(err) && !sh.typed {
			return 1, err // what comes next may count on it
		}
		if err != nil {
			sh.report(sh.describe(err, next))
			if !sh.typed {
				code = 1
			}
		}
	}
	return 1, ctx.Err()
}

func (sh *Shell) report(text string) { _, _ = fmt.Fprintln(sh.options.Err, text) }

// dialect is what of Starlark is allowed beyond its strict form.
func dialect() *syntax.FileOptions {
	return &syntax.FileOptions{Set: true, While: true, TopLevelControl: true, GlobalReassign: true, LoadBindsGlobally: true}
}

// run executes one line or block. A panic is a fault of this program, and ends the
// statement; it is undone, as after any other error.
func (sh *Shell) run(ctx context.Context, next statement) error {
	return fault.Caught(func() error { return sh.runStatement(ctx, next) })
}

func (sh *Shell) runStatement(ctx context.Context, next statement) error {
	sh.number++
	if next.err != nil {
		return problem("SyntaxError", "%s (line %d)", next.err, next.line)
	}
	code := syntax.FilePortion{Content: []byte(next.out.String()), FirstLine: int32(next.line), FirstCol: 1} //nolint:gosec // no text has so many lines
	file, err := dialect().Parse("shell", code, 0)
	if err != nil {
		return err
	}
	countCharacters(file)
	thread := &starlark.Thread{Name: "shell", Print: func(_ *starlark.Thread, text string) { _, _ = fmt.Fprintln(sh.options.Out, text) }}
	stop := context.AfterFunc(ctx, func() { thread.Cancel(interruption) })
	defer stop()
	sh.session.ctx = ctx
	for _, statement := range file.Stmts {
		if err := sh.execute(thread, file, statement); err != nil {
			return err
		}
	}
	return nil
}

// execute runs a statement. Of an expression it shows the value.
func (sh *Shell) execute(thread *starlark.Thread, file *syntax.File, statement syntax.Stmt) error {
	expression, ok := statement.(*syntax.ExprStmt)
	if !ok {
		one := &syntax.File{Path: file.Path, Stmts: []syntax.Stmt{statement}, Options: file.Options}
		return starlark.ExecREPLChunk(one, thread, sh.globals)
	}
	v, err := starlark.EvalExprOptions(file.Options, thread, expression.X, sh.globals)
	if err != nil || v == starlark.None {
		return err
	}
	if _, ok := v.(exitFunction); ok {
		return exitRequest{}
	}
	sh.globals["_"] = v
	prompt := ""
	if sh.typed {
		prompt = fmt.Sprintf("Out[%d]: ", sh.number)
	}
	if _, err := fmt.Fprintln(sh.options.Out, prompt+repr(v)); err != nil {
		return fmt.Errorf("showing a value: %w", err)
	}
	return nil
}
