//go:build unix

package config

import (
	"io/fs"
	"os"
	"syscall"
)

// keepOwner sets the owner of f to that of the file it will replace, so that a service under
// an account of its own can still read it. Who may not do that is the owner already.
func keepOwner(f *os.File, old fs.FileInfo) {
	if stat, ok := old.Sys().(*syscall.Stat_t); ok {
		_ = f.Chown(int(stat.Uid), int(stat.Gid))
	}
}
