//go:build !unix

package config

import (
	"io/fs"
	"os"
)

// keepOwner does nothing: rights are inherited from the directory here.
func keepOwner(*os.File, fs.FileInfo) {}
