// Package cli is the command line of vserver: one file per command. It reads
// configuration, starts the service and speaks to the user; it holds no rule of
// the wire protocol. It may import every package of service, nothing imports it
// but main.
package cli

// Main runs the command line and returns the process's exit code: 0 for success,
// 1 for a failure that was reported, 2 for a usage error.
func Main(_ []string) int { return 2 }
