package core

import (
	"os/exec"
	"syscall"

	"golang.org/x/sys/windows"
)

// inBackground does nothing: who starts a process says its priority.
func inBackground() {}

// startInBackground starts a process that computes with what others leave of the processors. A service has no
// console that a program could share, and none is to be seen.
func startInBackground(cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: windows.CREATE_NO_WINDOW | windows.IDLE_PRIORITY_CLASS, HideWindow: true}
	return cmd.Start()
}
