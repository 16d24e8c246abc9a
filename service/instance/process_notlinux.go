//go:build !linux

package instance

import "time"

// sameProcess reports whether two different births are one process, which happens on Linux alone.
func sameProcess(string, string, time.Time) bool { return false }

// neighbours are not known here.
func neighbours() []neighbour { return nil }

// parseForeign is not needed where no neighbours are known.
func parseForeign(file string) (Running, error) { return parseRunning(file) }
