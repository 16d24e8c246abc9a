// Package promise says how tests treat a promised time. The normal run asserts order
// and outcome, on busy cores too: there a promised time is only the deadline of a
// wait, ten times as long as promised. The long run holds the program to the promise,
// on a quiet machine. Only tests import this package; it imports nothing of the house.
package promise

import (
	"os"
	"time"
)

// slack is how many times a promised time the normal run waits.
const slack = 10

// Long reports whether this is the long run (`make test-long`).
func Long() bool { return os.Getenv("VSERVER_LONG") != "" }

// Within returns how long a test waits for something that is promised within d.
func Within(d time.Duration) time.Duration {
	if Long() {
		return d
	}
	return slack * d
}

// Patience is how long a test waits for what nobody promised a time for.
const Patience = 2 * time.Minute
