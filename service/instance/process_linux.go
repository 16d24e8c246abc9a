package instance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"vserver/service/config"

	"golang.org/x/sys/unix"
)

// birth identifies the start of a process, in a form that no later process with the same
// number shares: the boot of the machine and the clock ticks since. It is empty when
// there is no such process; one that has ended and only waits to be collected by its
// parent counts as gone. It has not ended while a thread of it is left, which keeps its
// ports and locks.
func birth(pid int) string {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	// The second field is a name in parentheses, which may hold anything.
	fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
	const state, threads, began = 0, 17, 19
	if len(fields) <= began || bytes.ContainsAny(fields[state], "ZX") && len(fields[threads]) == 1 && fields[threads][0] <= '1' {
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

// neighbours lists the processes of other accounts that serve an instance of a user.
func neighbours() (all []neighbour) {
	own := account()
	processes, _ := filepath.Glob("/proc/[0-9]*") // the pattern is sound
	for _, dir := range processes {
		text, err := os.ReadFile(filepath.Join(dir, "cmdline"))
		words := strings.Split(string(text), "\x00")
		if err != nil || len(words) < 2 || words[1] != "run" || !slices.Contains(words, "--"+string(config.User)) {
			continue
		}
		info, err := os.Stat(dir)
		if err != nil {
			continue // it has ended
		}
		stat, ok := info.Sys().(*syscall.Stat_t)
		pid, err := strconv.Atoi(filepath.Base(dir))
		if !ok || err != nil || strconv.Itoa(int(stat.Uid)) == own {
			continue
		}
		program, _ := os.Readlink(filepath.Join(dir, "exe")) // empty is that of nobody
		program = strings.TrimSuffix(program, " (deleted)")  // replaced by an upgrade
		all = append(all, neighbour{pid, strconv.Itoa(int(stat.Uid)), program, variables(filepath.Join(dir, "environ"))})
	}
	return all
}

// variables reads the environment of a process.
func variables(file string) func(string) string {
	text, _ := os.ReadFile(file) // one that has ended has none
	return func(name string) string {
		for line := range bytes.SplitSeq(text, []byte{0}) {
			if value, ok := bytes.CutPrefix(line, []byte(name+"=")); ok {
				return string(value)
			}
		}
		return ""
	}
}

// parseForeign reads a record where another account may have put anything else.
func parseForeign(file string) (r Running, err error) {
	const most = 1 << 20
	f, err := os.OpenFile(file, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return r, err
	}
	defer func() { _ = f.Close() }()
	text, err := io.ReadAll(io.LimitReader(f, most))
	if err != nil {
		return r, err
	}
	return r, json.Unmarshal(text, &r)
}
