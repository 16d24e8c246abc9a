//go:build !windows

package cli

// unfit says why this system cannot run a server: every one that the program is built
// for can.
func unfit() error { return nil }
