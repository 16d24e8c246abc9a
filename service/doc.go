// Package service is the running program: the wiring of all its parts, the daemon
// that the operating system starts and stops. It may import every room
// but the command line.
package service
