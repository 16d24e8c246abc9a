package batch

import (
	"slices"

	"vserver/service/core"
	"vserver/service/yaml"
)

// check finds what does not fit together within a file.
func check(r *yaml.Reader, f *File) {
	names, usernames, emails := firsts{}, firsts{}, firsts{}
	for _, o := range f.organizations {
		names.note(r, o.line, "organization", o.name)
		for _, u := range o.users {
			usernames.note(r, u.line, "user", u.username)
			if u.email.value != nil {
				emails.note(r, u.email.line, "e-mail", *u.email.value)
			}
		}
	}
	checkKeys(r, f)
	names = firsts{}
	keys := map[string]*participant{}
	for _, c := range f.collaborations {
		names.note(r, c.line, "collaboration", c.name)
		within := firsts{}
		for _, p := range c.participants {
			within.note(r, p.line, "participant", p.name)
			if other := keys[p.key]; other != nil {
				r.Fault(p.keyLine, "", "node %s has the same api_key as the node of %s on line %d",
					nodeName(p.name, c.name), other.name, other.keyLine)
				continue
			}
			keys[p.key] = p
		}
	}
}

// checkKeys wants keys that one can encrypt with where a collaboration is encrypted.
func checkKeys(r *yaml.Reader, f *File) {
	for _, o := range f.organizations {
		if len(o.publicKey) == 0 || core.HoldsRSAKey(o.publicKey) {
			continue
		}
		for _, c := range f.collaborations {
			member := func(p *participant) bool { return p.name == o.name }
			if c.encrypted && slices.ContainsFunc(c.participants, member) {
				r.Fault(o.keyLine, "", "public_key of %s %s; collaboration %s is encrypted", o.name, core.TextNoRSAKey, c.name)
			}
		}
	}
}

// firsts remembers on which line a name came first.
type firsts map[string]int

func (f firsts) note(r *yaml.Reader, line int, what, name string) {
	if first, twice := f[name]; twice {
		r.Fault(line, "", "%s %s is there twice, first on line %d", what, name, first)
		return
	}
	f[name] = line
}

// nodeName is the name of an imported node (/docs/import#effects).
func nodeName(organization, collaboration string) string {
	return organization + " - " + collaboration + " Node"
}
