package bench

import (
	"fmt"
	"os"
	"strings"
	"time"
)

// resident is how many bytes of memory a process holds (RSS).
func resident(pid int) (bytes int64, ok bool) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0, false
	}
	var size, pages int64
	n, err := fmt.Sscan(string(text), &size, &pages)
	return pages * int64(os.Getpagesize()), n == 2 && err == nil && pages > 0
}

// forgetPeak has the system find the peak of a process's memory anew.
func forgetPeak(pid int) bool {
	return os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte("5"), 0) == nil
}

// peak is the most memory that a process held since forgetPeak.
func peak(pid int) (bytes int64) {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	_, line, _ := strings.Cut(string(text), "\nVmHWM:")
	var kib int64
	_, _ = fmt.Sscan(line, &kib)
	return kib << 10
}

// load is what runs or waits for a core of this machine, on average over a minute.
func load() *float64 {
	text, err := os.ReadFile("/proc/loadavg")
	var l float64
	if _, scanned := fmt.Sscan(string(text), &l); err != nil || scanned != nil {
		return nil
	}
	return &l
}

// processorTime is how long a process has been on a processor.
func processorTime(pid int) (d time.Duration, ok bool) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, fields, named := strings.Cut(string(text), ") ") // the name before it may have blanks
	var state string
	var n [10]int64
	var user, system int64
	_, scanned := fmt.Sscan(fields, &state, &n[0], &n[1], &n[2], &n[3], &n[4], &n[5], &n[6], &n[7], &n[8], &n[9], &user, &system)
	return time.Duration(user+system) * (time.Second / ticksPerSecond), err == nil && named && scanned == nil
}

// ticksPerSecond is the unit of the system's times, whatever its own clock is.
const ticksPerSecond = 100
