package shell

import (
	"bufio"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"

	"vserver/service/private"
)

// remembered is how many lines a history keeps.
const remembered = 1000

// history is what was typed, the newest last. It survives the session in a file that
// only its owner can read; without one it is forgotten.
type history struct {
	lines []string
	file  *os.File
}

// confidential finds lines that may hold a secret in clear. They can be had back with
// the arrow keys, but are in no file.
var confidential = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(?i)passw|api_?key|secret|otp|check_key|hash\(`) })

// openHistory reads what was typed before. A history that cannot be read or written
// keeps nobody from working.
func openHistory(path string) *history {
	h := &history{}
	if path == "" {
		return h
	}
	h.lines = newest(readLines(path), remembered)
	if err := private.MakeFolder(filepath.Dir(path), 0o700); err != nil {
		return h
	}
	file, err := private.Open(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE|os.O_TRUNC)
	if err != nil {
		return h
	}
	_, _ = private.Restrict(path) // one that others could read before
	_ = private.HandOver(file)
	h.file = file
	for _, line := range h.lines {
		h.keep(line)
	}
	return h
}

func readLines(path string) (lines []string) {
	file, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer func() { _ = file.Close() }()
	for s := bufio.NewScanner(file); s.Scan(); {
		lines = append(lines, s.Text())
	}
	return lines
}

func newest(lines []string, most int) []string { return lines[max(0, len(lines)-most):] }

// Add takes a line that was typed.
func (h *history) Add(line string) {
	if strings.TrimSpace(line) == "" || h.Len() > 0 && line == h.At(0) {
		return
	}
	h.lines = newest(append(h.lines, line), remembered)
	if !confidential().MatchString(line) {
		h.keep(line)
	}
}

func (h *history) keep(line string) {
	if h.file != nil {
		_, _ = h.file.WriteString(line + "\n")
	}
}

// Len is the number of lines.
func (h *history) Len() int { return len(h.lines) }

// At returns a line, 0 being the newest.
func (h *history) At(i int) string { return h.lines[len(h.lines)-1-i] }

func (h *history) close() {
	if h.file != nil {
		_ = h.file.Close()
	}
}
