package service

import (
	"runtime/debug"

	"vserver/handlers"
)

// Emulates is the release of the reference that this server answers like.
const Emulates = handlers.Emulates

// Version is what the binary knows of itself: the released version, or "devel", and
// the commit it was built from, with "+changes" when the checkout was not clean;
// empty when the build had no checkout.
func Version() (version, commit string) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return devel, ""
	}
	changed := false
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			commit = s.Value[:min(len(s.Value), 12)]
		case "vcs.modified":
			changed = s.Value == "true"
		}
	}
	if commit != "" && changed {
		commit += "+changes"
	}
	if version = info.Main.Version; version == "" || version == "(devel)" {
		version = devel
	}
	return version, commit
}

const devel = "devel"
