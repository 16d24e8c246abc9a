package bench

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"time"
)

// textBlock is how long a piece of a text is; each begins with its number.
const textBlock = 64 << 10

// text is what stands in for results: base64, which no database makes smaller, the same in every
// run, and no two pieces the same.
type text struct {
	block []byte
	at    int // in the block
	left  int64
	count int
}

func newText(size int64) *text {
	raw := make([]byte, textBlock/4*3)
	_, _ = rand.NewChaCha8([32]byte{}).Read(raw) // never fails
	return &text{block: base64.StdEncoding.AppendEncode(nil, raw), at: textBlock, left: size}
}

// Read gives the next part.
func (t *text) Read(p []byte) (int, error) {
	if t.left == 0 {
		return 0, io.EOF
	}
	if t.at == len(t.block) {
		t.count++
		copy(t.block, fmt.Sprintf("%012d", t.count))
		t.at = 0
	}
	n := copy(p[:min(int64(len(p)), t.left)], t.block[t.at:])
	t.at += n
	t.left -= int64(n)
	return n, nil
}

// checker is a writer that takes a text of a size and no other.
type checker struct {
	want *text
	seen int64
	buf  []byte
}

func newChecker(size int64) *checker {
	return &checker{want: newText(size), buf: make([]byte, textBlock)}
}

// Write compares.
func (c *checker) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		n, err := c.want.Read(c.buf[:min(len(c.buf), len(rest))])
		if err != nil {
			return 0, fmt.Errorf("the text is longer than the %d bytes that were sent", c.seen)
		}
		if !bytes.Equal(rest[:n], c.buf[:n]) {
			return 0, fmt.Errorf("the text differs from what was sent behind byte %d", c.seen)
		}
		c.seen += int64(n)
		rest = rest[n:]
	}
	return len(p), nil
}

// complete returns an error while something is missing.
func (c *checker) complete() error {
	if c.want.left > 0 {
		return fmt.Errorf("the text ends after %d bytes, %d are missing", c.seen, c.want.left)
	}
	return nil
}

// nodeTime is how nodes write a moment.
const nodeTime = "2006-01-02T15:04:05.000000"

// finished is the body with which a node ends a result of a size.
func finished(size int64) (body io.Reader, length int64) {
	head := `{"result":"`
	tail := `","log":"measured","status":"completed","finished_at":"` + time.Now().Format(nodeTime) + `"}`
	return io.MultiReader(strings.NewReader(head), newText(size), strings.NewReader(tail)), int64(len(head)+len(tail)) + size
}

// copyField writes the text of a field of a JSON object, without holding it as a whole. The texts
// of the object must have nothing escaped in them.
func copyField(from io.Reader, field string, to io.Writer) error {
	r := bufio.NewReaderSize(from, textBlock)
	for {
		if err := copyUntilQuote(r, io.Discard); err != nil {
			return fmt.Errorf("there is no field %s: %w", field, err)
		}
		var name strings.Builder
		if err := copyUntilQuote(r, &limited{&name, len(field) + 1}); err != nil {
			return err
		}
		if name.String() != field {
			continue
		}
		next, err := r.Peek(2)
		if err != nil || next[0] != ':' {
			continue
		}
		if value := bytes.TrimLeft(next[1:], " "); len(value) > 0 && value[0] != '"' {
			return fmt.Errorf("field %s is no text", field)
		}
		if err := copyUntilQuote(r, io.Discard); err != nil {
			return err
		}
		return copyUntilQuote(r, to)
	}
}

// copyUntilQuote copies what is before the next quotation mark, and reads over that.
func copyUntilQuote(r *bufio.Reader, to io.Writer) error {
	for {
		part, err := r.ReadSlice('"')
		end := err == nil
		if end {
			part = part[:len(part)-1]
		} else if !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
		if _, err := to.Write(part); err != nil || end {
			return err
		}
	}
}

// limited keeps the beginning of what is written.
type limited struct {
	to   *strings.Builder
	room int
}

// Write takes everything.
func (l *limited) Write(p []byte) (int, error) {
	l.to.Write(p[:min(len(p), max(0, l.room-l.to.Len()))])
	return len(p), nil
}
