package bench

import (
	"fmt"
	"os"
	"strings"
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
