package service

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"vserver/service/config"
	"vserver/service/log"
)

const (
	// readyTime is how long a start may take; a large database may have to be brought
	// to a new form.
	readyTime = 2 * time.Minute
	readyLook = 5 * time.Millisecond // between two looks whether a server answers
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

// StartBackground starts this program as a server that outlives the caller and its
// terminal. args is its command line; it has to serve the instance of that scope and
// name, with Occupy. The call returns when the server answers; the error is a
// FailedStart when it ends before, or takes too long.
func StartBackground(ctx context.Context, locations config.Locations, scope config.Scope, name string, args []string) (Running, error) {
	dir := stateDir(locations, scope, name)
	if err := clearConsole(dir); err != nil {
		return Running{}, err
	}
	program, err := os.Executable()
	if err != nil {
		return Running{}, fmt.Errorf("finding this program: %w", err)
	}
	crash, err := os.OpenFile(filepath.Join(dir, crashFile), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, stateMode)
	if err != nil {
		return Running{}, fmt.Errorf("starting the server: %w", err)
	}
	defer func() { _ = crash.Close() }()
	// The server must not end with the caller, so it does not get its context.
	cmd := exec.Command(program, args...) //nolint:gosec,noctx // its own path and options
	cmd.Args[0] = os.Args[0]
	cmd.Stderr = crash
	detach(cmd)
	if err := cmd.Start(); err != nil {
		return Running{}, fmt.Errorf("starting the server: %w", err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // how it ended is in its output
		close(ended)
	}()
	return awaitServer(ctx, locations, scope, name, cmd.Process.Pid, ended)
}

// clearConsole makes the folder and removes what an earlier server wrote.
func clearConsole(dir string) error {
	if err := os.MkdirAll(dir, stateDirMode); err != nil {
		return fmt.Errorf("making the folder of the console output: %w", err)
	}
	old, _ := filepath.Glob(filepath.Join(dir, consoleFile+"*")) // the pattern is sound
	for _, file := range append(old, filepath.Join(dir, crashFile)) {
		if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("removing old console output: %w", err)
		}
	}
	return nil
}

// AwaitServer waits until an instance that somebody else starts, such as a service
// manager, answers. The error is a FailedStart when that takes too long.
func AwaitServer(ctx context.Context, locations config.Locations, scope config.Scope, name string) (Running, error) {
	return awaitServer(ctx, locations, scope, name, 0, nil)
}

// awaitServer gives up when ended is closed, or after readyTime. pid is the process
// that has to answer, 0 for any.
func awaitServer(ctx context.Context, locations config.Locations, scope config.Scope, name string, pid int, ended <-chan struct{}) (Running, error) {
	ctx, cancel := context.WithTimeout(ctx, readyTime)
	defer cancel()
	tick := time.NewTicker(readyLook)
	defer tick.Stop()
	failed := func(why string) error {
		console := ConsoleFile(locations, scope, name)
		return FailedStart{Name: name, Why: why, Output: lastLines(console, crashOf(console))}
	}
	for {
		if r, ok := FindRunning(locations, scope, name); ok && r.URL != "" && (pid == 0 || pid == r.PID) {
			if _, err := NewAsker(r.URL, r.Certificate).Version(ctx); err == nil {
				return r, nil
			}
		}
		select {
		case <-ended:
			return Running{}, failed("it has ended")
		case <-ctx.Done():
			return Running{}, failed("it does not answer yet")
		case <-tick.C:
		}
	}
}

// crashOf is the file that takes what a server writes when it crashes, beside that of
// its console output.
func crashOf(console string) string { return filepath.Join(filepath.Dir(console), crashFile) }

// Crash gives the last lines that a server wrote when it crashed; none when it ended
// in an orderly way, or was not started in the background.
func (r Running) Crash() []string {
	if r.Console == "" {
		return nil
	}
	return lastLines(crashOf(r.Console))
}

// FailedStart is the error of a server that does not come up.
type FailedStart struct {
	Name   string
	Why    string
	Output []string // the last lines it wrote
}

// Error tells without the output.
func (e FailedStart) Error() string { return fmt.Sprintf("Server %s did not start: %s", e.Name, e.Why) }

// lastLines gives the ends of files.
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
