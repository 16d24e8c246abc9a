package private

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Rights of files on Windows are lists: who may do what, and whether what is made in a
// folder gets it too. The logic stands here, for every system to test; identifiers of
// accounts are in the form S-1-….
const (
	systemSID         = "S-1-5-18"
	administratorsSID = "S-1-5-32-544"
	usersSID          = "S-1-5-32-545"
	everyoneSID       = "S-1-1-0"
	authenticatedSID  = "S-1-5-11"
	creatorSID        = "S-1-3-0" // stands for whoever makes something in the folder
	ownerRightsSID    = "S-1-3-4" // stands for the owner
	servicesSID       = "S-1-5-80-"
	allServicesSID    = "S-1-5-80-0"
)

// Sets of rights, as Windows has them in a mask.
const (
	anyRight     = 0xffffffff
	allRights    = 0x1f01ff
	changeRights = 0x1301bf // all but to change the list, the owner, and what others have in a folder
	readRights   = 0x1200a9
	makeRights   = 0x50000006 // to make files or folders in a folder, or what stands for that and more
)

// Flags of an entry of a folder's list.
const (
	toFiles     = 0x1
	toFolders   = 0x2
	oneLevel    = 0x4 // files that are made in it get the entry, but none below its folders
	notItself   = 0x8
	inherited   = 0x10 // it comes from the folder above
	inheritance = toFiles | toFolders
)

// entry lets an account do something.
type entry struct {
	sid   string
	mask  uint32
	flags uint8
}

// list says who may use a file or folder.
type list struct {
	owner   string
	all     bool // there is none: everybody may do everything
	entries []entry
}

// ofService reports whether an account is that of one service of the machine.
func ofService(sid string) bool { return strings.HasPrefix(sid, servicesSID) && sid != allServicesSID }

// own reports whether an account may be in the list of a private file: its owner, the system,
// administrators, a service, or one of those who ask.
func (l list) own(sid string, asking ...string) bool {
	return ofService(sid) || slices.Contains(asking, sid) ||
		slices.Contains([]string{l.owner, systemSID, administratorsSID, ownerRightsSID}, sid)
}

// others are the accounts beside its own that may do any of these things with a file or folder.
func (l list) others(what uint32, asking ...string) (sids []string) {
	if l.all {
		return []string{everyoneSID}
	}
	for _, e := range l.entries {
		if e.flags&notItself == 0 && e.mask&what != 0 && !l.own(e.sid, asking...) && !slices.Contains(sids, e.sid) {
			sids = append(sids, e.sid)
		}
	}
	return sids
}

// sealed returns the list of a private file or folder: its owner, the system, administrators, and
// who is kept. The flags say what is made in a folder gets of the first.
func sealed(owner string, flags uint8, kept ...entry) list {
	l := list{owner: owner}
	for _, sid := range []string{systemSID, administratorsSID, owner} {
		l.add(entry{sid, allRights, flags})
	}
	for _, e := range kept {
		l.add(e)
	}
	return l
}

// add adds an entry, unless the account has those rights already.
func (l *list) add(e entry) {
	for i, has := range l.entries {
		if has.sid == e.sid && has.flags == e.flags {
			l.entries[i].mask |= e.mask
			return
		}
	}
	if e.sid != "" {
		l.entries = append(l.entries, e)
	}
}

// admit lets the account of a service in, and none whom the folder lets in.
func (l *list) admit(e entry) {
	l.entries = slices.DeleteFunc(l.entries, func(has entry) bool {
		return ofService(has.sid) && has.flags&inherited != 0
	})
	l.put(e)
}

// put sets what an account may do, whatever it could before.
func (l *list) put(e entry) {
	l.entries = slices.DeleteFunc(l.entries, func(has entry) bool { return has.sid == e.sid })
	l.entries = append(l.entries, e)
}

// kept are the entries of a file that stay when it is made private: those of who asks, and of
// services. Where a service was let in to this very file, others have no business there that
// its folder lets in.
func (l list) kept(asking ...string) (entries []entry) {
	let := slices.ContainsFunc(l.entries, func(e entry) bool { return ofService(e.sid) && e.flags&inherited == 0 })
	for _, e := range l.entries {
		stays := ofService(e.sid) && (!let || e.flags&inherited == 0) || slices.Contains(asking, e.sid)
		if stays && e.flags&notItself == 0 {
			entries = append(entries, entry{sid: e.sid, mask: e.mask})
		}
	}
	return entries
}

// handed are the entries that something made in a folder gets from it: those of services, and
// of who makes it. An administrator's rights would make the file the administrators'.
func (l list) handed(folder bool, asking ...string) (entries []entry) {
	for _, e := range l.entries {
		if !ofService(e.sid) && !slices.Contains(asking, e.sid) {
			continue
		}
		switch {
		case folder && e.flags&toFolders != 0 && e.flags&oneLevel == 0:
			entries = append(entries, entry{e.sid, e.mask, inheritance})
		case !folder && e.flags&toFiles != 0:
			entries = append(entries, entry{sid: e.sid, mask: e.mask})
		}
	}
	return entries
}

// shown reports whether all users may list a folder.
func (l list) shown() bool {
	for _, e := range l.entries {
		if e.sid == usersSID || e.sid == authenticatedSID || e.sid == everyoneSID {
			return true
		}
	}
	return l.all
}

// closed is the list that a file should have after the one it had. owner and user are the
// accounts of who changes it: those go on in it.
func closed(before list, owner, user string) list {
	l := sealed(cmp.Or(before.owner, owner), 0, before.kept(user)...)
	if !l.own(owner) {
		l.add(entry{sid: owner, mask: allRights})
	}
	return l
}

// closedFolder is closed for a folder, which all users may go on to list where shown says so.
func closedFolder(before list, owner, user string, shown bool) list {
	l := sealed(cmp.Or(before.owner, owner), inheritance, before.kin(user)...)
	if shown && before.shown() {
		l.add(listed())
	}
	return l
}

// kin are the entries of a folder that stay when it is made private: those of services, with
// what they hand down, and of who asks.
func (l list) kin(asking ...string) (entries []entry) {
	for _, e := range l.entries {
		if ofService(e.sid) || slices.Contains(asking, e.sid) {
			entries = append(entries, entry{e.sid, e.mask, e.flags & (inheritance | oneLevel | notItself)})
		}
	}
	return entries
}

// listed lets all users see what is in a folder, and no more.
func listed() entry { return entry{sid: usersSID, mask: readRights} }

// text is the list as Windows reads it. Nothing comes from the folder above.
func (l list) text() string {
	var b strings.Builder
	b.WriteString("D:P")
	for _, e := range l.entries {
		fmt.Fprintf(&b, "(A;%s;0x%x;;;%s)", flagsText(e.flags, "OI", "CI", "NP", "IO"), e.mask, e.sid)
	}
	return b.String()
}

func flagsText(flags uint8, names ...string) (text string) {
	for i, name := range names {
		if flags&(1<<i) != 0 {
			text += name
		}
	}
	return text
}

// command is what an administrator types to give a file or folder this list in place of another.
func (l list) command(path string, before list) string {
	var b strings.Builder
	fmt.Fprintf(&b, `icacls "%s" /inheritance:r /grant:r`, path)
	mine := []string{}
	for _, e := range l.entries {
		b.WriteString(" *" + e.sid + ":" + flagsText(e.flags, "(OI)", "(CI)", "(NP)", "(IO)") + word(e.mask))
		mine = append(mine, e.sid)
	}
	out := " /remove:g"
	for _, sid := range before.others(anyRight, mine...) {
		b.WriteString(out + " *" + sid)
		out = ""
	}
	return b.String()
}

// word is what icacls calls a set of rights: all, to change, or to read.
func word(mask uint32) string {
	const writes = 0x50000002
	switch {
	case mask&allRights == allRights || mask&0x10000000 != 0:
		return "F"
	case mask&writes != 0:
		return "M"
	}
	return "RX"
}
