package shell

import (
	"errors"
	"io"
	"strings"
)

// errInterrupted tells that whoever types gave up what was typed so far.
var errInterrupted = errors.New("interrupted")

// lines is where statements come from.
type lines interface {
	// next gives a line without its end; more tells that it goes on with what came
	// before. pasted tells that it is part of a longer text. The end is io.EOF.
	next(more bool) (line string, pasted bool, err error)
}

// chunk is a statement with the number of its first line.
type chunk struct {
	text string
	line int
}

// chunks puts lines together to statements.
type chunks struct {
	from lines
	read int // lines so far
	back *string
	// typed tells that somebody waits: an empty line ends a block then. In a file a
	// block ends where the next statement begins.
	typed bool
}

// next gives the next statement, io.EOF after the last.
func (c *chunks) next() (chunk, error) {
	var made chunk
	var text []string
	var n nesting
	block := false
	for {
		line, pasted, err := c.line(len(text) > 0)
		if err != nil && (!errors.Is(err, io.EOF) || len(text) == 0) {
			return chunk{}, err
		}
		closed := n.closed()
		switch {
		case err != nil, block && closed && c.ends(line, pasted):
			if err == nil && !blank(line) {
				c.putBack(line)
			}
			made.text = strings.Join(text, "\n")
			return made, nil
		case len(text) == 0 && blank(line):
			continue
		}
		if len(text) == 0 {
			made.line, block = c.read, beginsBlock(line)
			if c.typed {
				made.line = 1
			}
		}
		text = append(text, line)
		n.add(line)
		if !block && n.closed() {
			made.text = strings.Join(text, "\n")
			return made, nil
		}
	}
}

// ends tells whether a block ends before a line.
func (c *chunks) ends(line string, pasted bool) bool {
	if blank(line) {
		return c.typed && !pasted && strings.TrimSpace(line) == ""
	}
	if c.typed && !pasted || line[0] == ' ' || line[0] == '\t' {
		return false
	}
	switch firstWord(line) {
	case "elif", "else", "except", "finally":
		return false
	}
	return true
}

func (c *chunks) line(more bool) (string, bool, error) {
	if c.back != nil {
		line := *c.back
		c.back = nil
		c.read++
		return line, true, nil
	}
	line, pasted, err := c.from.next(more)
	if err == nil {
		c.read++
	}
	return line, pasted, err
}

func (c *chunks) putBack(line string) {
	c.back = &line
	c.read--
}

// blank tells whether a line has no statement.
func blank(line string) bool {
	line = strings.TrimSpace(line)
	return line == "" || line[0] == '#'
}

func firstWord(line string) string {
	line = strings.TrimLeft(line, " \t")
	return line[:wordEnd(line, 0)]
}

// beginsBlock tells whether more lines belong to a statement although it is closed.
// Some of these words Starlark does not know; their lines belong together even so.
func beginsBlock(line string) bool {
	switch firstWord(line) {
	case "for", "if", "while", "def", "class", "try", "with":
		return true
	}
	return false
}

// nesting is what is open at the end of a text: brackets, a string, a line that goes
// on.
type nesting struct {
	brackets int
	quote    string // of a string over several lines
	joined   bool
}

func (n *nesting) closed() bool { return n.brackets <= 0 && n.quote == "" && !n.joined }

// add goes through a line.
func (n *nesting) add(line string) {
	n.joined = false
	for i := 0; i < len(line); i++ {
		switch {
		case line[i] == '\\':
			n.joined = i == len(line)-1
			i++
		case n.quote != "":
			if strings.HasPrefix(line[i:], n.quote) {
				i += len(n.quote) - 1
				n.quote = ""
			}
		case line[i] == '#':
			return
		case line[i] == '"' || line[i] == '\'':
			i += n.begin(line[i:]) - 1
		default:
			n.brackets += bracketed(line[i])
		}
	}
	if len(n.quote) == 1 && !n.joined {
		n.quote = "" // a fault, which the next stage names
	}
}

// begin takes the quote that a string begins with and gives its length.
func (n *nesting) begin(rest string) int {
	n.quote = rest[:1]
	if three := strings.Repeat(n.quote, 3); strings.HasPrefix(rest, three) {
		n.quote = three
	}
	return len(n.quote)
}

func bracketed(c byte) int {
	switch c {
	case '(', '[', '{':
		return 1
	case ')', ']', '}':
		return -1
	}
	return 0
}
