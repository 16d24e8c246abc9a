package shell

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync/atomic"

	"golang.org/x/term"

	"vserver/service/fault"
)

// Console is a terminal that somebody types at.
type Console struct {
	io.ReadWriter
	// Raw takes the terminal's own editing away while a line is typed, and returns what
	// brings it back; nil when there is none to take away.
	Raw func() (restore func(), err error)
	// Size returns the width and height in characters; nil for the usual ones.
	Size func() (width, height int, err error)
}

// OpenConsole makes a console of the files of a terminal.
func OpenConsole(in, out *os.File) Console {
	return Console{
		ReadWriter: struct {
			io.Reader
			io.Writer
		}{in, out},
		Raw: func() (func(), error) {
			was, err := term.MakeRaw(int(in.Fd()))
			if err != nil {
				return nil, fmt.Errorf("preparing the terminal: %w", err)
			}
			return func() { _ = term.Restore(int(in.Fd()), was) }, nil
		},
		Size: func() (int, int, error) { return term.GetSize(int(out.Fd())) },
	}
}

// Interact runs the statements that somebody types, until exit or Ctrl-D. Ctrl-C ends the
// line or the statement. The code is that of exit().
func (sh *Shell) Interact(ctx context.Context, c Console) (code int, err error) {
	sh.typed = true
	history := openHistory(sh.options.History)
	defer history.close()
	t := &lineEditor{shell: sh, console: c, keys: &keyReader{Reader: c}, session: ctx}
	t.terminal = term.NewTerminal(struct {
		io.Reader
		io.Writer
	}{t.keys, c}, "")
	t.terminal.History = history
	t.terminal.AutoCompleteCallback = t.complete
	t.terminal.SetBracketedPasteMode(true)
	defer t.terminal.SetBracketedPasteMode(false)
	about := sh.options.Context
	_, _ = fmt.Fprintf(c, "Shell of %s (%s). help() tells what there is; Ctrl-D ends.\n", about.Name, about.Environment)
	return sh.runAll(ctx, &statements{from: t, typed: true}, interruptible)
}

// interruptible lets Ctrl-C end a statement and not the program.
func interruptible(ctx context.Context) (context.Context, func()) {
	return signal.NotifyContext(ctx, os.Interrupt)
}

// lineEditor reads the lines that are typed at a terminal.
type lineEditor struct {
	shell    *Shell
	console  Console
	terminal *term.Terminal
	keys     *keyReader
	lost     error           // a panic while a line was typed, not told yet
	session  context.Context // whoever waits for a key stops waiting when it ends
}

// next prompts for a line and reads it.
func (t *lineEditor) next(more bool) (line string, pasted bool, err error) {
	prompt := fmt.Sprintf("In [%d]: ", t.shell.number+1)
	if more {
		prompt = fmt.Sprintf("%*s", len(prompt), "...: ")
	}
	t.terminal.SetPrompt(prompt)
	if t.console.Size != nil {
		if width, height, err := t.console.Size(); err == nil && width > 0 { // some terminals do not know theirs
			_ = t.terminal.SetSize(width, height) // it repaints, and that cannot fail
		}
	}
	if t.console.Raw != nil {
		restore, err := t.console.Raw()
		if err != nil {
			return "", false, err
		}
		defer restore()
	}
	line, err = t.read()
	if t.lost != nil {
		_, _ = fmt.Fprintf(t.console, "InternalError: %s\r\n", t.shell.wordedPanic(t.lost))
		t.lost = nil
	}
	if t.keys.interrupted.Swap(false) {
		return "", false, errInterrupted
	}
	if errors.Is(err, io.EOF) {
		_, _ = io.WriteString(t.console, "\r\n")
	}
	if errors.Is(err, term.ErrPasteIndicator) {
		return line, true, nil
	}
	return line, false, err
}

// read waits for a line, or for the end of the session. A line that is still waited
// for then is lost with the process.
func (t *lineEditor) read() (string, error) {
	type result struct {
		line string
		err  error
	}
	typed := make(chan result, 1)
	go func() {
		var r result
		if err := fault.Caught(func() error {
			r.line, r.err = t.terminal.ReadLine()
			return nil
		}); err != nil {
			r = result{"", err}
		}
		typed <- r
	}()
	select {
	case r := <-typed:
		return r.line, r.err
	case <-t.session.Done():
		return "", t.session.Err()
	}
}

// keyReader reads what is typed. Ctrl-C, which the terminal would take for the end, becomes
// the end of an empty line.
type keyReader struct {
	io.Reader
	waiting     []byte
	interrupted atomic.Bool
}

// Read returns what was typed.
func (k *keyReader) Read(p []byte) (int, error) {
	const interrupt, giveUp = "\x03", "\x05\x15\r" // to the end, delete to the beginning, enter
	if len(k.waiting) == 0 {
		buffer := make([]byte, len(p))
		n, err := k.Reader.Read(buffer)
		if n == 0 {
			return 0, err
		}
		k.waiting = buffer[:n]
		if i := bytes.Index(k.waiting, []byte(interrupt)); i >= 0 {
			k.interrupted.Store(true)
			k.waiting = append(bytes.Clone(k.waiting[:i]), giveUp...) // what was typed after it is lost
		}
	}
	n := copy(p, k.waiting)
	k.waiting = k.waiting[n:]
	return n, nil
}
