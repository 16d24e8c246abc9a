package takeover

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// mustClose says whether a file that is open can get another name.
const mustClose = false

// holderOf names another process that has a database open, as far as this account may see; it is empty for none.
func holderOf(file string) string {
	var own []os.FileInfo
	for _, ending := range []string{"", "-wal", "-journal"} {
		if info, err := os.Stat(file + ending); err == nil {
			own = append(own, info)
		}
	}
	open, _ := filepath.Glob("/proc/[0-9]*/fd/*") // the pattern is sound
	for _, link := range open {
		pid := strings.Split(link, "/")[2]
		if pid == strconv.Itoa(os.Getpid()) {
			continue
		}
		info, err := os.Stat(link)
		if err != nil {
			continue
		}
		for _, one := range own {
			if os.SameFile(one, info) {
				words, _ := os.ReadFile("/proc/" + pid + "/cmdline")
				name := strings.TrimSpace(string(bytes.ReplaceAll(words, []byte{0}, []byte{' '})))
				return fmt.Sprintf("process %s (%.60s)", pid, name)
			}
		}
	}
	return ""
}
