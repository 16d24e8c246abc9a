package instance

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// zombie is the state of a process that has ended and waits to be collected.
const zombie = 5

// birth identifies the start of a process; it is empty when there is no such process.
func birth(pid int) string {
	p, err := unix.SysctlKinfoProc("kern.proc.pid", pid)
	if err != nil || int(p.Proc.P_pid) != pid || p.Proc.P_stat == zombie {
		return ""
	}
	began := p.Proc.P_starttime
	return fmt.Sprintf("%d.%06d", began.Sec, began.Usec)
}
