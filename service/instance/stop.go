package instance

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"vserver/service/config"
)

// StopTime is how long a server may finish what is under way; it drains within ten
// seconds.
const StopTime = 15 * time.Second

const (
	stopLook = 10 * time.Millisecond  // between two looks whether a process is gone
	fileLook = 200 * time.Millisecond // between two looks for a request to stop
)

// stopFile is what askToEnd leaves where there are no signals.
func stopFile(r Running, state string) string {
	return filepath.Join(filepath.Dir(state), fmt.Sprintf(".stop-%d", r.PID))
}

// Stop asks a server to end, waits, and ends it by force after the given time, which
// it tells. It returns when the process is gone, and removes its record.
func Stop(ctx context.Context, locations config.Locations, r Running, wait time.Duration) (forced bool, err error) {
	state := r.stateFile(locations)
	if !r.Alive() {
		removeStale(state, r)
		return false, nil
	}
	file := stopFile(r, state)
	if err := askToEnd(r.PID, file); err != nil && r.Alive() {
		return false, fmt.Errorf("asking process %d to end: %w", r.PID, err)
	}
	defer func() { _ = os.Remove(file) }()
	if !gone(ctx, r, wait) {
		if err := ctx.Err(); err != nil {
			return false, err
		}
		forced = true
		if err := kill(r.PID); err != nil && r.Alive() {
			return forced, fmt.Errorf("ending process %d: %w", r.PID, err)
		}
		if !gone(ctx, r, wait) {
			return forced, fmt.Errorf("process %d does not end", r.PID)
		}
	}
	if left, err := parseRunning(state); err == nil && left.PID == r.PID && left.Birth == r.Birth {
		removeStale(state, left)
	}
	return forced, nil
}

// gone waits until a server's process has ended and reports whether it has.
func gone(ctx context.Context, r Running, wait time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	tick := time.NewTicker(stopLook)
	defer tick.Stop()
	for r.Alive() {
		select {
		case <-ctx.Done():
			return false
		case <-tick.C:
		}
	}
	return true
}

// awaitFile waits until a file is there, and removes it.
func awaitFile(ctx context.Context, file string) {
	tick := time.NewTicker(fileLook)
	defer tick.Stop()
	for os.Remove(file) != nil {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
