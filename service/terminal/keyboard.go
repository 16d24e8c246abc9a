package terminal

import (
	"bytes"
	"io"
	"os"
	"sync"
	"time"
)

// keyboard reads a terminal for one question after the other. The library of the
// menus would read on behind the answer, and now and then takes a key away from the
// next question; here what is typed ahead waits for it.
type keyboard struct {
	file   *os.File
	chunks chan []byte // what was typed; closed at the end of the input

	mu   sync.Mutex
	rest []byte // typed, but for a later question
}

func newKeyboard(file *os.File) *keyboard {
	k := &keyboard{file: file, chunks: make(chan []byte)}
	go k.pump()
	return k
}

// pump reads until the input ends; with the process at the latest.
func (k *keyboard) pump() {
	defer close(k.chunks)
	for {
		chunk := make([]byte, 256)
		n, err := k.file.Read(chunk)
		if n > 0 {
			k.chunks <- chunk[:n]
		}
		if err != nil {
			return
		}
	}
}

// turn reserves the keyboard for one question until it is closed.
func (k *keyboard) turn() *turn { return &turn{keyboard: k, done: make(chan struct{})} }

// turn is the keyboard as the library wants it: a file, though one whose reading ends
// when the question is answered.
type turn struct {
	*keyboard
	done  chan struct{}
	enter bool // the last thing read was the end of a line
}

// pause is how long a question may take to end after the key that can answer it.
const pause = 50 * time.Millisecond

// Read returns what was typed, no more than a line at a time, and waits a little behind
// each: if that line was the answer, the rest belongs to the next question.
func (t *turn) Read(p []byte) (int, error) {
	if t.enter {
		select {
		case <-t.done:
			return 0, io.EOF
		case <-time.After(pause):
		}
	}
	if n := t.take(p); n > 0 {
		return n, nil
	}
	select {
	case <-t.done:
		return 0, io.EOF
	case chunk, ok := <-t.chunks:
		if !ok {
			return 0, io.EOF
		}
		t.mu.Lock()
		t.rest = append(t.rest, chunk...)
		t.mu.Unlock()
	}
	if n := t.take(p); n > 0 {
		return n, nil
	}
	return 0, io.EOF
}

// take returns what waits already, unless the turn is over.
func (t *turn) take(p []byte) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	select {
	case <-t.done:
		return 0
	default:
	}
	line := t.rest
	if end := bytes.IndexAny(line, "\r\n"); end >= 0 {
		line = line[:end+1]
	}
	n := copy(p, line)
	t.enter = n > 0 && (p[n-1] == '\r' || p[n-1] == '\n')
	t.rest = t.rest[n:]
	return n
}

// Write is there for the library, which writes elsewhere.
func (t *turn) Write(p []byte) (int, error) { return t.file.Write(p) }

// Close ends the turn; the keyboard stays.
func (t *turn) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	select {
	case <-t.done:
	default:
		close(t.done)
	}
	return nil
}

// Fd lets the library set the terminal up.
func (t *turn) Fd() uintptr { return t.file.Fd() }
