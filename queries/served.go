package queries

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"vserver/service/private"
)

// ServedError is the error of a second server on one SQLite file.
type ServedError struct{ Path, By string }

// Error names the first server.
func (e *ServedError) Error() string {
	return fmt.Sprintf("the database %s is served by %s already, and two servers on one SQLite file do not hear of each other: "+
		"stop that one, or give this one a database of its own", e.Path, e.By)
}

// servedSuffix ends the name of the file that a server holds as long as it serves the
// database beside it. It says which server that is.
const servedSuffix = "-server"

const (
	// occupyTries is how often a server tries to get the file, which whoever looks for
	// a server holds for a moment.
	occupyTries = 20
	occupyPause = 25 * time.Millisecond
)

// errHeld is the error of lockFile when another one has the lock.
var errHeld = errors.New("another process has it")

// Occupy makes this process the one server of an SQLite database until release is called;
// who names it to others. The error is a ServedError when there is one already. Whoever
// else opens the database is not kept from it. On Postgres several servers may be.
func Occupy(src Source, who string) (release func(), err error) {
	if src.Engine == Postgres {
		return func() {}, nil
	}
	path := servedFile(src.Path)
	if err := private.MakeFolder(filepath.Dir(path), folderMode); err != nil {
		return nil, fmt.Errorf("opening the database: making its folder: %w", explained(err, src.Path))
	}
	for try := 1; ; try++ {
		f, err := hold(path)
		switch {
		case err == nil:
			if err := sign(f, who); err != nil {
				return nil, errors.Join(err, f.Close())
			}
			return func() { leave(f, path) }, nil
		case !errors.Is(err, errHeld):
			return nil, fmt.Errorf("becoming the server of the database: %w", explained(err, src.Path))
		case try == occupyTries:
			return nil, &ServedError{src.Path, signed(path)}
		}
		<-time.After(occupyPause)
	}
}

// ServedBy names the server of an SQLite database; it is empty when there is none.
func ServedBy(src Source) string {
	if src.Engine == Postgres {
		return ""
	}
	path := servedFile(src.Path)
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }()
	if err := lockFile(f); errors.Is(err, errHeld) {
		return signed(path)
	}
	return ""
}

// servedFile lies beside the database itself, whatever link leads there.
func servedFile(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		path = real
	}
	return path + servedSuffix
}

// hold opens and locks the file. One that its holder removed meanwhile is not it any more.
func hold(path string) (*os.File, error) {
	if err := private.Create(path); err != nil {
		return nil, err //nolint:wrapcheck // it names the file
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errHeld // it is being removed
	}
	if err != nil {
		return nil, err //nolint:wrapcheck // it names the file
	}
	if err := lockFile(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	mine, err := f.Stat()
	if now, again := os.Stat(path); err != nil || again != nil || !os.SameFile(mine, now) {
		return nil, errors.Join(errHeld, f.Close())
	}
	return f, nil
}

func sign(f *os.File, who string) error {
	err := f.Truncate(0)
	if err == nil {
		_, err = f.WriteAt([]byte(who+"\n"), 0)
	}
	if err != nil && !lacksRoom(err) { // a full disk takes no name, and lets a server serve
		return fmt.Errorf("naming the server of the database: %w", err)
	}
	return nil
}

// signed reads who holds the file.
func signed(path string) string {
	const most = 4096
	who := "another server"
	f, err := os.Open(path)
	if err != nil {
		return who
	}
	defer func() { _ = f.Close() }()
	text, err := io.ReadAll(io.LimitReader(f, most))
	if line := strings.TrimSpace(string(text)); err == nil && line != "" {
		who = line
	}
	return who
}
