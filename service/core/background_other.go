//go:build !linux

package core

// inBackground does nothing where a thread has no priority of its own.
func inBackground() (end func()) { return func() {} }
