package service

import (
	"cmp"
	"runtime/debug"

	"vserver/handlers"
)

// Emulates is the release of the reference that this server answers like.
const Emulates = handlers.Emulates

// released is the version that the build of a release writes into the binary.
var released = ""

// Version is what the binary knows of itself: the released version, or "devel", and
// the commit it was built from, with "+changes" when the checkout was not clean;
// empty when the build had no checkout.
func Version() (version, commit string) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return cmp.Or(released, devel), ""
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
	return cmp.Or(released, version), commit
}

const devel = "devel"
