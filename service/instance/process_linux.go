package instance

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// birth identifies the start of a process, in a form that no later process with the same
// number shares: the boot of the machine and the clock ticks since. It is empty when
// there is no such process; one that has ended and only waits to be collected by its
// parent counts as gone.
func birth(pid int) string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	// The second field is a name in parentheses, which may hold anything.
	fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
	const state, began = 0, 19
	if len(fields) <= began || bytes.ContainsAny(fields[state], "ZX") {
		return ""
	}
	boot, _ := os.ReadFile("/proc/sys/kernel/random/boot_id") // without one the ticks must do
	return strings.TrimSpace(string(boot)) + "/" + string(fields[began])
}

// sameProcess reports whether two births are one although they name different boots of
// the machine: some containers give themselves a boot of their own, which a service
// within, with a /proc of its own, does not see. Then the process must have begun when
// the record says that the server did.
func sameProcess(recorded, now string, started time.Time) bool {
	const slack, ticksASecond = 2 * time.Minute, 100 // the clock may have been set meanwhile
	_, then, _ := strings.Cut(recorded, "/")
	_, ticks, _ := strings.Cut(now, "/")
	began, err := strconv.ParseInt(ticks, 10, 64)
	var up unix.Timespec
	if then != ticks || err != nil || unix.ClockGettime(unix.CLOCK_BOOTTIME, &up) != nil {
		return false
	}
	age := time.Duration(up.Nano()) - time.Duration(began)*time.Second/ticksASecond
	return (time.Since(started) - age).Abs() < slack
}
