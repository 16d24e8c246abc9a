//go:build !linux

package limits

import "net"

// unacknowledged is not known here: what the kernel takes counts.
func unacknowledged(net.Conn) int { return -1 }
