package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/rs/zerolog"
	"golang.org/x/term"
)

// console writes messages, one line each, with a tag in front (contract 40 §2).
// Errors come on the same stream as everything else, as existing scripts expect.
type console struct {
	out      io.Writer
	colour   bool
	terminal bool // somebody is looking
}

func (c console) info(format string, args ...any)  { c.say("info", "32", format, args...) }
func (c console) warn(format string, args ...any)  { c.say("warn", "33", format, args...) }
func (c console) error(text string)                { c.say("error", "31", "%s", text) }
func (c console) debug(format string, args ...any) { c.say("debug", "36", format, args...) }

// say writes a text that may have several lines, each with the tag.
func (c console) say(word, colour, format string, args ...any) {
	tag := word
	if c.colour {
		tag = "\x1b[" + colour + "m" + word + "\x1b[0m"
	}
	padding := strings.Repeat(" ", len("error")-len(word)+1)
	for line := range strings.SplitSeq(fmt.Sprintf(format, args...), "\n") {
		_, _ = fmt.Fprintf(c.out, "[%s]%s- %s\n", tag, padding, line)
	}
}

// logger makes records of the server messages of the console, for commands that
// open a database without being its server.
func (c console) logger() zerolog.Logger { return zerolog.New(tagged{c}).Level(zerolog.InfoLevel) }

// tagged turns records into messages.
type tagged struct{ console }

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
		t.error(r.Message)
	case level == zerolog.WarnLevel:
		t.warn("%s", r.Message)
	case level == zerolog.InfoLevel:
		t.info("%s", r.Message)
	default:
		t.debug("%s", r.Message)
	}
	return len(record), nil
}

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

// colourful tells whether words may be coloured: on a terminal, unless NO_COLOR asks
// for none.
func colourful(f *os.File, getenv func(string) string) bool {
	return getenv("NO_COLOR") == "" && getenv("TERM") != "dumb" && isTerminal(f)
}

// quietLogger only shows what the user has to know.
func (c console) quietLogger() zerolog.Logger { return c.logger().Level(zerolog.ErrorLevel) }
