// Package log is the log of a running server: it lays out each record of zerolog in the
// configured format with secrets masked, writes it to a rotating file and to the
// console, and lets `attach` follow that file. It may touch the log's own files and imports
// config for the logging block, and private for their folder and owner.
//
// Elsewhere this package is imported as log, an open Log is called logs, and a
// zerolog.Logger is called logger or log.
package log

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"vserver/service/config"
	"vserver/service/private"
)

// level is a level of Python's logging with the colour of its console lines.
type level struct {
	name   string
	number int64
	colour string
}

// levels by zerolog's. What ends the process there is CRITICAL here.
var levels = map[zerolog.Level]level{
	zerolog.TraceLevel: {"DEBUG", 10, "\x1b[36m"},
	zerolog.DebugLevel: {"DEBUG", 10, "\x1b[36m"},
	zerolog.InfoLevel:  {"INFO", 20, "\x1b[32m"},
	zerolog.WarnLevel:  {"WARNING", 30, "\x1b[33m"},
	zerolog.ErrorLevel: {"ERROR", 40, "\x1b[31m"},
	zerolog.FatalLevel: {"CRITICAL", 50, "\x1b[31m"},
	zerolog.PanicLevel: {"CRITICAL", 50, "\x1b[31m"},
	zerolog.NoLevel:    {"NOTSET", 0, ""},
}

const colourReset = "\x1b[0m"

// thresholds by the words of the configuration.
var thresholds = map[string]zerolog.Level{
	"NOTSET":   zerolog.TraceLevel,
	"DEBUG":    zerolog.DebugLevel,
	"INFO":     zerolog.InfoLevel,
	"WARNING":  zerolog.WarnLevel,
	"ERROR":    zerolog.ErrorLevel,
	"CRITICAL": zerolog.FatalLevel,
}

// formatJSON as `logging.format` asks for one JSON object a line.
const formatJSON = "json"

// Options says where and how to log.
type Options struct {
	Settings config.Logging
	File     string           // absolute path of the log file
	Console  io.Writer        // gets every line too if Settings.UseConsole; nil for none
	Plain    bool             // the console's lines have no colours
	Secrets  []string         // texts that never appear, see config.Config.Secrets
	Warned   func(string)     // gets the message of every WARNING; nil for nobody
	Now      func() time.Time // nil for the clock
}

// Log is the open log of a running program. Its loggers may be used from any
// goroutine. A log that cannot be written never stops the program: what is lost is
// counted and reported in the first record that gets through again.
type Log struct {
	threshold zerolog.Level
	named     map[string]zerolog.Level
	layout    *layout // nil for JSON
	plain     bool
	masker    masker
	warned    func(string) // nil for nobody
	now       func() time.Time
	started   time.Time
	recent    recent

	mu      sync.Mutex
	file    *File
	console io.Writer // nil when the console is not used
	lost    int
	kept    bool // the file could not be moved away, which was reported
	closed  bool
}

// Open opens the log file, creating its directory. The error for a file that
// cannot be written is a *DirError; others tell what is wrong with the format.
func Open(o Options) (*Log, error) {
	l := &Log{
		threshold: thresholds[o.Settings.Level],
		named:     map[string]zerolog.Level{},
		plain:     o.Plain || o.Settings.Format == formatJSON,
		masker:    newMasker(o.Secrets),
		warned:    o.Warned,
		now:       o.Now,
	}
	for _, n := range o.Settings.Loggers {
		l.named[n.Name] = thresholds[n.Level]
	}
	if l.now == nil {
		l.now = time.Now
	}
	l.started = l.now()
	if o.Settings.Format != formatJSON {
		var err error
		if l.layout, err = compileLayout(o.Settings.Format, o.Settings.DateFormat); err != nil {
			return nil, err
		}
	}
	if o.Settings.UseConsole {
		l.console = o.Console
	}
	var err error
	if l.file, err = OpenFile(o.File, 1024*int64(o.Settings.MaxSize), o.Settings.BackupCount); err != nil {
		return nil, &DirError{File: o.File, Err: err}
	}
	return l, nil
}

// CheckFormat returns what is wrong with a format, without opening a log.
func CheckFormat(s config.Logging) error {
	if s.Format == formatJSON {
		return nil
	}
	_, err := compileLayout(s.Format, s.DateFormat)
	return err
}

// DirError says that the log file cannot be written (/docs/logging#keys).
type DirError struct {
	File string
	Err  error
}

// Error is the sentence of the contract, and whose file is in the way; any other cause
// is behind Unwrap.
func (e *DirError) Error() string {
	text := "Can't write to log dir: " + e.File + "!"
	if errors.Is(e.Err, fs.ErrPermission) {
		if why := private.Refusal(e.File); why != nil {
			text += " " + why.Error()
		}
	}
	return text
}

// Unwrap returns the cause.
func (e *DirError) Unwrap() error { return e.Err }

// Logger returns a logger whose records carry the name, shortened by the rule of
// /docs/logging#keys. `logging.loggers` may give it a threshold of its own.
func (l *Log) Logger(name string) zerolog.Logger {
	threshold, ok := l.named[name]
	if !ok {
		threshold = l.threshold
	}
	logger := zerolog.New(l).Level(threshold).With().Str(fieldLogger, shortName(name)).Logger()
	switch {
	case l.layout == nil:
		return logger.Hook(stamp{l.now})
	case l.layout.caller:
		return logger.Hook(callPlace{})
	}
	return logger
}

// shortName keeps 14 characters; a longer name is cut to 11 and two dots.
func shortName(name string) string {
	runes := []rune(name)
	if len(runes) <= 14 {
		return name
	}
	return string(runes[:11]) + ".."
}

const stampForm = "2006-01-02T15:04:05.000Z07:00"

// stamp adds the time to JSON records.
type stamp struct{ now func() time.Time }

// Run adds the local time with milliseconds and zone.
func (s stamp) Run(e *zerolog.Event, _ zerolog.Level, _ string) {
	e.Str(fieldTime, s.now().Format(stampForm))
}

// callPlace adds the place of the call to records, for formats that show it.
type callPlace struct{}

// Run looks for the first caller outside the logging library.
func (callPlace) Run(e *zerolog.Event, _ zerolog.Level, _ string) {
	var callers [16]uintptr
	frames := runtime.CallersFrames(callers[:runtime.Callers(2, callers[:])])
	for {
		frame, more := frames.Next()
		if !strings.HasPrefix(frame.Function, "github.com/rs/zerolog.") {
			function := frame.Function[strings.LastIndexByte(frame.Function, '.')+1:]
			e.Str(fieldPathname, frame.File).Str(fieldFunction, function).Int(fieldLine, frame.Line)
			return
		}
		if !more {
			return
		}
	}
}

// Write takes an event without level from zerolog.
func (l *Log) Write(event []byte) (int, error) { return l.WriteLevel(zerolog.NoLevel, event) }

// WriteLevel renders one event of zerolog and writes it to file and console. It
// reports success always, since nobody could do anything about a failure, and does not
// panic: what panics elsewhere is told here.
func (l *Log) WriteLevel(at zerolog.Level, event []byte) (int, error) {
	var line []byte
	quietly(func() { line = l.render(at, event) })
	quietly(func() { l.keepRecent(at, event) })
	if at == zerolog.WarnLevel && l.warned != nil {
		quietly(func() {
			var r record
			r.read(event, l.masker)
			l.warned(r.message)
		})
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed {
		l.write(levels[at], line)
	}
	return len(event), nil
}

// quietly does a part of the writing. A panic is no more than an error there.
func quietly(part func()) {
	defer func() { _ = recover() }()
	part()
}

func (l *Log) render(at zerolog.Level, event []byte) []byte {
	if l.layout == nil {
		return l.renderJSON(event)
	}
	r := record{at: l.now(), started: l.started, level: levels[at]}
	r.read(event, l.masker)
	return l.layout.appendRecord(make([]byte, 0, 256), &r)
}

// renderJSON masks an event. One too long for a whole file would be no JSON once cut,
// so a record that says so takes its place.
func (l *Log) renderJSON(event []byte) []byte {
	line := l.masker.maskEvent(event)
	if l.file.fits(len(line)) {
		return line
	}
	return fmt.Appendf(nil, `{"level":"warn","logger":"log","time":%q,"message":"a record of %d bytes is left out"}`+"\n",
		l.now().Format(stampForm), len(line))
}

// write is called with the lock held. A line that could not be rendered is empty.
func (l *Log) write(at level, line []byte) {
	err := errUnwritten
	quietly(func() { _, err = l.file.Write(line) })
	if len(line) == 0 || err != nil {
		l.lost++
	} else {
		quietly(l.report)
	}
	if l.console == nil || len(line) == 0 {
		return
	}
	if !l.plain && at.colour != "" {
		line = append(append([]byte(at.colour), line[:len(line)-1]...), colourReset+"\n"...)
	}
	quietly(func() { _, _ = l.console.Write(line) }) // a closed console is no reason to stop
}

// errUnwritten stands for the error of a file whose writing panicked.
var errUnwritten = errors.New("the log was not written")

// report writes what is to be known about the log itself: how many records are missing
// before the one just written, and a file that grows beyond its limit.
func (l *Log) report() {
	if l.lost > 0 && l.writeWarning("lost", l.lost, "the log could not be written for a while; records before the last one are missing") {
		l.lost = 0
	}
	why := l.file.Kept()
	if why != nil && !l.kept {
		l.writeWarning("error", why.Error(), "the log file cannot be moved away and grows beyond max_size")
	}
	l.kept = why != nil
}

// writeWarning writes a record of the log's own and reports whether it was written.
func (l *Log) writeWarning(key string, value any, message string) bool {
	var event bytes.Buffer
	logger := zerolog.New(&event)
	logger.Warn().Str(fieldLogger, "log").Interface(key, value).Msg(message)
	_, err := l.file.Write(l.render(zerolog.WarnLevel, event.Bytes()))
	return err == nil
}

// ErrClosed is returned by a second Close.
var ErrClosed = errors.New("the log is closed already")

// Close closes the file. Records that come later are dropped.
func (l *Log) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return ErrClosed
	}
	l.closed = true
	return l.file.Close()
}
