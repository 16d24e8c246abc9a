//go:build unix && !linux

package core

import (
	"os/exec"

	"golang.org/x/sys/unix"
)

// inBackground has this process compute with what others leave of the processors, for good.
func inBackground() {
	const lowest = 19
	_ = unix.Setpriority(unix.PRIO_PROCESS, 0, lowest)
}

// startInBackground starts a process that calls inBackground.
func startInBackground(cmd *exec.Cmd) error { return cmd.Start() }
