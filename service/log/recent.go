package log

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"
)

// Warning is a record of at least the level WARNING, secrets masked.
type Warning struct {
	At                     time.Time
	Level, Logger, Message string
}

// mostRecent is how many warnings are kept in memory.
const mostRecent = 200

// recent keeps the newest warnings.
type recent struct {
	mu   sync.Mutex
	list []Warning
}

func (r *recent) keep(w Warning) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.list) == mostRecent {
		r.list = r.list[1:]
	}
	r.list = append(r.list, w)
}

// Recent returns the newest warnings and errors since the start, oldest first.
func (l *Log) Recent() []Warning {
	l.recent.mu.Lock()
	defer l.recent.mu.Unlock()
	return append([]Warning{}, l.recent.list...)
}

// keepRecent keeps a record that is at least a warning.
func (l *Log) keepRecent(at zerolog.Level, event []byte) {
	if at < zerolog.WarnLevel || at >= zerolog.NoLevel {
		return
	}
	var r record
	r.read(event, l.masker)
	l.recent.keep(Warning{At: l.now(), Level: levels[at].name, Logger: r.name, Message: r.message})
}

// tailSize is how much of the end of a log is read.
const tailSize = 1 << 20

// Tail returns the last lines of a log, oldest first; none when there is no file.
func Tail(path string, most int) ([]string, error) {
	file, err := openShared(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	info, err := file.Stat()
	if err != nil {
		return nil, fmt.Errorf("looking at the log: %w", err)
	}
	from := max(0, info.Size()-tailSize)
	end, err := io.ReadAll(io.LimitReader(io.NewSectionReader(file, from, tailSize), tailSize))
	if err != nil {
		return nil, fmt.Errorf("reading the log: %w", err)
	}
	if from > 0 { // the first line may have begun before
		_, end, _ = bytes.Cut(end, []byte{'\n'})
	}
	text := strings.ToValidUTF8(strings.TrimSuffix(string(end), "\n"), "\uFFFD")
	if text == "" {
		return nil, nil
	}
	lines := strings.Split(text, "\n")
	return lines[max(0, len(lines)-most):], nil
}
