package limits

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// unacknowledged returns how many bytes the other end has not taken yet, -1 where nobody knows: the kernel asks for more
// only when much of its buffer is free, while a slow reader takes little.
func unacknowledged(c net.Conn) int {
	raw, ok := c.(syscall.Conn)
	if !ok {
		return -1
	}
	control, err := raw.SyscallConn()
	if err != nil {
		return -1
	}
	n := -1
	if control.Control(func(fd uintptr) { n, err = unix.IoctlGetInt(int(fd), unix.SIOCOUTQ) }) != nil || err != nil {
		return -1
	}
	return n
}
