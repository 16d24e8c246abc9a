package terminal

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/rs/zerolog"
	"golang.org/x/term"
)

// Console writes messages, one line each, with a tag in front (/docs/commands#output).
// Errors come on the same stream as everything else, as existing scripts expect.
type Console struct {
	Out      io.Writer
	Colour   bool
	Terminal bool // somebody is looking
}

// Info writes a message.
func (c Console) Info(format string, args ...any) { c.say("info", "32", format, args...) }

// Warn writes a message about what needs attention.
func (c Console) Warn(format string, args ...any) { c.say("warn", "33", format, args...) }

// Error writes what went wrong.
func (c Console) Error(text string) { c.say("error", "31", "%s", text) }

// Debug writes a detail.
func (c Console) Debug(format string, args ...any) { c.say("debug", "36", format, args...) }

// say writes a text that may have several lines, each with the tag.
func (c Console) say(word, colour, format string, args ...any) {
	tag := c.coloured(colour, word)
	padding := strings.Repeat(" ", len("error")-len(word)+1)
	for line := range strings.SplitSeq(fmt.Sprintf(format, args...), "\n") {
		_, _ = fmt.Fprintf(c.Out, "[%s]%s- %s\n", tag, padding, line)
	}
}

// Logger makes records of the server messages of the console, for commands that
// open a database without being its server.
func (c Console) Logger() zerolog.Logger { return zerolog.New(tagged{c}).Level(zerolog.InfoLevel) }

// QuietLogger only shows what the user has to know.
func (c Console) QuietLogger() zerolog.Logger { return c.Logger().Level(zerolog.ErrorLevel) }

// tagged turns records into messages.
type tagged struct{ Console }

// Write takes a record without level.
func (t tagged) Write(record []byte) (int, error) { return t.WriteLevel(zerolog.InfoLevel, record) }

// WriteLevel takes a record.
func (t tagged) WriteLevel(level zerolog.Level, record []byte) (int, error) {
	var r struct{ Message, Error string }
	if err := json.Unmarshal(record, &r); err != nil {
		return 0, fmt.Errorf("reading a record: %w", err)
	}
	if r.Error != "" {
		r.Message += ": " + r.Error
	}
	switch {
	case level >= zerolog.ErrorLevel:
		t.Error(r.Message)
	case level == zerolog.WarnLevel:
		t.Warn("%s", r.Message)
	case level == zerolog.InfoLevel:
		t.Info("%s", r.Message)
	default:
		t.Debug("%s", r.Message)
	}
	return len(record), nil
}

// Is reports whether a file is a terminal.
func Is(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// Colourful reports whether words may be coloured: on a terminal, unless NO_COLOR asks
// for none.
func Colourful(f *os.File, getenv func(string) string) bool {
	return getenv("NO_COLOR") == "" && getenv("TERM") != "dumb" && Is(f)
}

// Good colours a name inside a message.
func (c Console) Good(name string) string { return c.coloured("32", name) }

// Bad colours a name that something is wrong with.
func (c Console) Bad(name string) string { return c.coloured("31", name) }

func (c Console) coloured(colour, text string) string {
	if !c.Colour {
		return text
	}
	return "\x1b[" + colour + "m" + text + "\x1b[0m"
}

// Uncoloured takes the colours out of what is written when they are not wanted.
func (c Console) Uncoloured(to io.Writer) io.Writer {
	if c.Colour {
		return to
	}
	return &plain{to: to}
}

// plain leaves the sequences out that set colours: ESC [ numbers m. One may come in
// two writes.
type plain struct {
	to     io.Writer
	begun  bool // behind ESC
	inside bool // behind ESC [
}

// Write passes on the rest.
func (w *plain) Write(text []byte) (int, error) {
	kept := make([]byte, 0, len(text))
	for _, c := range text {
		switch {
		case w.inside:
			w.inside = c >= '0' && c <= '9' || c == ';'
		case w.begun:
			w.begun, w.inside = false, c == '['
			if !w.inside {
				kept = append(kept, '\x1b', c)
			}
		case c == '\x1b':
			w.begun = true
		default:
			kept = append(kept, c)
		}
	}
	if _, err := w.to.Write(kept); err != nil {
		return 0, err
	}
	return len(text), nil
}

// Bar draws how much of a long work is done, with rest for what is left.
func Bar(done, total int, rest string) string {
	const width = 30
	full := width * done / max(total, 1)
	return "[" + strings.Repeat("#", full) + strings.Repeat(rest, width-full) + "]"
}
