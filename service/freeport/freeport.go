// Package freeport finds ports for servers that are started beside this process, by tests and
// by the measurements: ports that are still free when such a server starts, and when it starts
// again. It imports nothing of the house.
package freeport

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
)

// lowest and highest are below the ports that systems give to outgoing connections: one of
// those may be taken at any moment while nobody listens on it.
const lowest, highest = 12000, 29999

// tries is how many ports are looked at before the search is given up.
const tries = 1000

var errNone = errors.New("no port is free")

// Next returns a TCP port of 127.0.0.1 that nobody has, and that nobody else who asks here is
// given as long as this process runs.
func Next(ctx context.Context) (port int, err error) {
	var c net.ListenConfig
	for range tries {
		port = lowest + rand.IntN(highest-lowest+1) //nolint:gosec // no secret
		address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
		// The port of the same number of UDP, which nobody uses, says that this one is given.
		mark, err := c.ListenPacket(ctx, "udp4", address)
		if err != nil {
			continue
		}
		l, err := c.Listen(ctx, "tcp4", address)
		if err != nil {
			_ = mark.Close()
			continue
		}
		if err := l.Close(); err != nil {
			return 0, fmt.Errorf("finding a free port: %w", err)
		}
		return port, nil
	}
	return 0, errNone
}
