package instance

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"vserver/service/config"
	"vserver/service/log"
	"vserver/service/private"
)

// Names of the files for what a service prints where its manager keeps nothing, in the
// folder of its record: its messages, and what the runtime writes when it crashes. Those
// of servers in the background have the mark of the server in the name as well.
const (
	ConsoleFileName = "console.log"
	CrashFileName   = "crash.log"
)

// The console output of a server in the background is bounded like a log: bytes of a
// file, and number of old files.
const (
	consoleSize    = 4 << 20
	consoleBackups = 3
)

// OpenConsole opens the file that takes the console output of a server in the
// background. It may be written from several goroutines.
func OpenConsole(file string) (io.WriteCloser, error) {
	f, err := log.OpenFile(file, consoleSize, consoleBackups)
	if err != nil {
		return nil, fmt.Errorf("opening the file of the console output: %w", err)
	}
	return f, nil
}

// ConsoleFile is where a server that was started in the background writes what it
// would show on a terminal.
func ConsoleFile(locations config.Locations, inst config.Instance) string {
	name := "console-" + NewRunning(inst).mark() + ".log"
	return filepath.Join(stateDir(locations, inst.Scope, inst.Name), name)
}

// clearConsole makes the folder and removes what an earlier server wrote.
func clearConsole(console string) error {
	if err := private.MakeFolder(filepath.Dir(console), stateDirMode); err != nil {
		return fmt.Errorf("making the folder of the console output: %w", private.Explain(err, filepath.Dir(console)))
	}
	for _, file := range append(log.OldFiles(console), console, crashOf(console)) {
		if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("removing old console output: %w", private.Explain(err, file))
		}
	}
	return nil
}

// crashOf is the file that takes what a server writes when it crashes, beside that of
// its console output.
func crashOf(console string) string {
	return filepath.Join(filepath.Dir(console), "crash"+strings.TrimPrefix(filepath.Base(console), "console"))
}

// Crash returns the last lines that a server wrote when it crashed; none when it ended
// in an orderly way, or was not started in the background.
func (r Running) Crash() []string {
	if r.Console == "" {
		return nil
	}
	return lastLines(crashOf(r.Console))
}

// lastLines returns the ends of files.
func lastLines(files ...string) []string {
	const most, size = 20, 1 << 16
	var lines []string
	for _, file := range files {
		text, err := tail(file, size)
		if err != nil || len(bytes.TrimSpace(text)) == 0 {
			continue
		}
		all := strings.Split(strings.TrimRight(string(text), "\r\n"), "\n")
		lines = append(lines, all[max(0, len(all)-most):]...)
	}
	return lines
}

// tail reads at most the last size bytes of a file.
func tail(file string, size int64) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.NewSectionReader(f, max(0, info.Size()-size), size))
}
