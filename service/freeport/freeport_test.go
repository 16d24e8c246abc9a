package freeport

import (
	"net"
	"strconv"
	"testing"
)

func TestPortsAreFreeAndGivenOnce(t *testing.T) {
	given := map[int]bool{}
	for range 50 {
		port, err := Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if given[port] {
			t.Errorf("port %d was given twice", port)
		}
		given[port] = true
		for range 2 { // a server that starts, and starts again
			l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(port))
			if err != nil {
				t.Fatal(err)
			}
			_ = l.Close()
		}
	}
}
