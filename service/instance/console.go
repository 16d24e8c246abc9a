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
)

// Names of the files for what a server without a terminal prints, in the folder of its
// record: its messages, and what the runtime writes when it crashes.
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
func ConsoleFile(locations config.Locations, scope config.Scope, name string) string {
	return filepath.Join(stateDir(locations, scope, name), ConsoleFileName)
}

// clearConsole makes the folder and removes what an earlier server wrote.
func clearConsole(dir string) error {
	if err := os.MkdirAll(dir, stateDirMode); err != nil {
		return fmt.Errorf("making the folder of the console output: %w", err)
	}
	console := filepath.Join(dir, ConsoleFileName)
	for _, file := range append(log.OldFiles(console), console, filepath.Join(dir, CrashFileName)) {
		if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("removing old console output: %w", err)
		}
	}
	return nil
}

// crashOf is the file that takes what a server writes when it crashes, beside that of
// its console output.
func crashOf(console string) string { return filepath.Join(filepath.Dir(console), CrashFileName) }

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
