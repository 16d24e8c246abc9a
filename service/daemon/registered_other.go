//go:build !windows

package daemon

import "vserver/service/config"

// registered is for Windows: elsewhere services are found by their files.
func registered(config.Scope) map[string][]string { return nil }
