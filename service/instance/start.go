package instance

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"time"

	"vserver/service/config"
	"vserver/service/private"
)

const (
	// readyTime is how long a start may take; a large database may have to be brought
	// to a new form.
	readyTime = 2 * time.Minute
	readyLook = 5 * time.Millisecond // between two looks whether a server answers
	// recordTime is how long a server may take to add its address to its record. Then
	// it is asked where its configuration says: it has the address before all else, and
	// ends without it.
	recordTime = 3 * time.Second
)

// Start starts this program as a server that outlives the caller and its
// terminal. args is its command line; it has to serve the instance, with Acquire. The
// call returns when the server answers; the error is a FailedStart when it ends before,
// or takes too long.
func Start(ctx context.Context, locations config.Locations, inst config.Instance, args []string) (Running, error) {
	console := ConsoleFile(locations, inst)
	if err := clearConsole(console); err != nil {
		return Running{}, err
	}
	program, err := os.Executable()
	if err != nil {
		return Running{}, fmt.Errorf("finding this program: %w", err)
	}
	crash, err := private.Open(crashOf(console), os.O_CREATE|os.O_TRUNC|os.O_WRONLY)
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
	return pollReady(ctx, locations, inst, cmd.Process.Pid, ended)
}

// Await waits until an instance that somebody else starts, such as a service
// manager, answers. The error is a FailedStart when that takes too long.
func Await(ctx context.Context, locations config.Locations, inst config.Instance) (Running, error) {
	return pollReady(ctx, locations, inst, 0, nil)
}

// pollReady gives up when ended is closed, or after readyTime. pid is the process
// that has to answer, 0 for any.
func pollReady(ctx context.Context, locations config.Locations, inst config.Instance, pid int, ended <-chan struct{}) (Running, error) {
	ctx, cancel := context.WithTimeout(ctx, readyTime)
	defer cancel()
	tick := time.NewTicker(readyLook)
	defer tick.Stop()
	failed := func(why string) error {
		console := ConsoleFile(locations, inst)
		return FailedStart{Name: inst.Name, Why: why, Output: lastLines(console, crashOf(console))}
	}
	began, answered := time.Now(), time.Time{}
	for {
		r, ok := Find(locations, inst)
		guessed := ok && r.URL == "" && inst.Config.Port != 0 && time.Since(began) > recordTime
		if guessed {
			r.URL = URL(inst.Config, "")
			if inst.Config.TLS != nil {
				r.Certificate = inst.Config.TLS.Cert
			}
		}
		if ok && r.URL != "" && (pid == 0 || pid == r.PID) {
			if _, err := NewClient(r.URL, r.Certificate).Version(ctx); err == nil {
				// The record that comes a moment after the first answer has the warnings.
				if !guessed || !answered.IsZero() && time.Since(answered) > recordTime {
					return r, nil
				}
				answered = cmp.Or(answered, time.Now())
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

// FailedStart is the error of a server that does not come up.
type FailedStart struct {
	Name   string
	Why    string
	Output []string // the last lines it wrote
}

// Error returns the reason, without the output.
func (e FailedStart) Error() string { return fmt.Sprintf("Server %s did not start: %s", e.Name, e.Why) }
