package instance

import (
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"vserver/service/config"
	"vserver/service/private"
)

// FindOnMachine is FindAll with the servers that other accounts have started with the
// folders of their own, where this process may end them and the system tells of them.
func FindOnMachine(locations config.Locations, scopes ...config.Scope) []Running {
	all := FindAll(locations, scopes...)
	if !endsAny() || !slices.Contains(scopes, config.User) {
		return all
	}
	for _, n := range neighbours() {
		if moved := locations.Getenv("XDG_DATA_DIRS"); moved != "" && n.getenv("XDG_DATA_DIRS") != moved {
			continue // who has moved the folders of the system looks at a machine of its own
		}
		if r, ok := n.record(locations); ok {
			all = append(all, r)
		}
	}
	return all
}

// Unseen explains why servers of the system may run that this account cannot see. It is
// nil when it sees all of them.
func Unseen(locations config.Locations) error {
	return private.Hidden(filepath.Dir(stateDir(locations, config.System, "x")))
}

// neighbour is a process of another account that serves an instance of that account.
type neighbour struct {
	pid              int
	account, program string
	getenv           func(string) string
}

// record finds what a neighbour has left. Its account may have written anything there:
// process, account and program are those that the system tells.
func (n neighbour) record(locations config.Locations) (Running, bool) {
	theirs := locations
	theirs.Getenv, theirs.Home = n.getenv, n.getenv("HOME")
	for file := range recordFiles(theirs, config.User) {
		r, err := parseForeign(file)
		if err == nil && r.PID == n.pid && r.Alive() && r.presentable() {
			r.Scope, r.Account, r.Program, r.Warnings = config.User, n.account, n.program, nil
			return r, true
		}
	}
	return Running{}, false
}

// presentable reports whether the words of a record may be shown at a terminal.
func (r Running) presentable() bool {
	return config.CheckName(r.Name) == nil && config.CheckEnvironment(r.Environment) == nil &&
		!strings.ContainsFunc(r.Config+r.URL+r.Log+r.Console+r.Certificate, unicode.IsControl)
}
