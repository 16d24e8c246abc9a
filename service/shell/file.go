package shell

import (
	"bufio"
	"errors"
	"io"
	"strings"
)

// file gives the lines of a file or a pipe, however long.
type file struct{ r *bufio.Reader }

func newFile(r io.Reader) *file { return &file{bufio.NewReader(r)} }

func (f *file) next(bool) (string, bool, error) {
	line, err := f.r.ReadString('\n')
	if errors.Is(err, io.EOF) && line != "" {
		err = nil
	}
	return strings.TrimRight(strings.TrimPrefix(line, "\ufeff"), "\r\n"), false, err
}
