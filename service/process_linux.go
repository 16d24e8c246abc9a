package service

import (
	"bytes"
	"fmt"
	"os"
	"strings"
)

// birth tells when a process began, in a form that no later process with the same
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
