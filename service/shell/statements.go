package shell

import (
	"bufio"
	"errors"
	"io"
	"regexp"
	"strings"
	"sync"
)

// errInterrupted is returned in place of a line that was given up with Ctrl-C.
var errInterrupted = errors.New("interrupted")

// lineReader is where lines of statements come from.
type lineReader interface {
	// next returns a line without its end; more tells that it continues the lines
	// before. pasted reports whether it is part of a longer text. The end is io.EOF.
	next(more bool) (line string, pasted bool, err error)
}

// fileReader reads the lines of a file or a pipe, however long.
type fileReader struct{ r *bufio.Reader }

func newFileReader(r io.Reader) *fileReader { return &fileReader{bufio.NewReader(r)} }

func (f *fileReader) next(bool) (string, bool, error) {
	line, err := f.r.ReadString('\n')
	if errors.Is(err, io.EOF) && line != "" {
		err = nil
	}
	return strings.TrimRight(strings.TrimPrefix(line, "\ufeff"), "\r\n"), false, err
}

// statement is one line, or the lines of a block or of what stands in brackets.
type statement struct {
	*translator
	source []string // as it was written
	line   int      // number of its first line
}

// statements joins lines to statements.
type statements struct {
	from lineReader
	read int     // lines so far
	back *string // a line that was read and belongs to the next statement
	// typed tells that somebody waits: an empty line ends a block then. In a file a
	// block ends where the next statement begins.
	typed bool
}

// block matches the first line of a statement that continues in indented lines. Some
// of these words Starlark does not know; their lines belong together even so.
var block = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^\s*(for|if|while|def|class|try|with)\b`) })

// continuation matches a line that continues a block although it is not indented.
var continuation = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^(\s|(elif|else|except|finally)\b)`) })

// next returns the next statement, io.EOF after the last.
func (s *statements) next() (statement, error) {
	made := statement{translator: &translator{}}
	inBlock := false
	for {
		line, pasted, err := s.readLine(len(made.source) > 0)
		if err != nil && (!errors.Is(err, io.EOF) || len(made.source) == 0) {
			return statement{}, err
		}
		switch {
		case err != nil:
			return made, nil //nolint:nilerr // the end of the text ends its last statement
		case inBlock && made.closed() && s.endsBlock(line, pasted):
			if !blank(line) {
				s.back = &line
				s.read--
			}
			return made, nil
		case len(made.source) == 0 && blank(line):
			continue
		case len(made.source) == 0:
			inBlock = block().MatchString(line)
			if made.line = s.read; s.typed {
				made.line = 1
			}
		}
		made.source = append(made.source, line)
		made.add(line)
		if !inBlock && made.closed() {
			return made, nil
		}
	}
}

// endsBlock reports whether a block ends before a line.
func (s *statements) endsBlock(line string, pasted bool) bool {
	if blank(line) {
		return s.typed && !pasted && strings.TrimSpace(line) == ""
	}
	return !(s.typed && !pasted || continuation().MatchString(line))
}

func (s *statements) readLine(more bool) (line string, pasted bool, err error) {
	if s.back != nil {
		line, pasted, s.back = *s.back, true, nil
	} else {
		line, pasted, err = s.from.next(more)
	}
	if err == nil {
		s.read++
	}
	return line, pasted, err
}

// blank reports whether a line holds no statement.
func blank(line string) bool {
	line = strings.TrimSpace(line)
	return line == "" || line[0] == '#'
}
