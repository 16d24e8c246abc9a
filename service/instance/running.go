package instance

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"time"

	"vserver/service/config"
)

// Running is the record that a server leaves while it runs, so that other commands
// find it. A server is its configuration file and its environment (/docs/commands#instances):
// there is one record for each, and several servers may have one name.
type Running struct {
	Name        string       `json:"name"`
	Scope       config.Scope `json:"scope"`
	Environment string       `json:"environment"`
	Config      string       `json:"config"`  // real path, without links
	Account     string       `json:"account"` // number of the account it runs as
	Program     string       `json:"program"` // real path of the program
	PID         int          `json:"pid"`
	Birth       string       `json:"birth"`                 // tells the process from a later one with its number
	Started     time.Time    `json:"started"`               // for people
	URL         string       `json:"url,omitempty"`         // of the REST routes; empty until they answer
	Certificate string       `json:"certificate,omitempty"` // its file, when URL is https
	Console     string       `json:"console,omitempty"`     // file of the console output; empty when that goes elsewhere
	Log         string       `json:"log"`
	Warnings    []string     `json:"warnings,omitempty"` // those of its log until it answered
}

// NewRunning returns the record of an instance that no process serves.
func NewRunning(inst config.Instance) Running {
	return Running{
		Name: inst.Name, Scope: inst.Scope, Environment: inst.Config.Environment, Config: config.RealPath(inst.File), Log: inst.LogFile,
	}
}

// Instance returns what the record says of the instance.
func (r Running) Instance() config.Instance {
	return config.Instance{
		Name: r.Name, Scope: r.Scope, File: r.Config, LogFile: r.Log, Config: config.Config{Environment: r.Environment},
	}
}

// FullName is the name under which the server is known to people.
func (r Running) FullName() string { return r.Instance().Identity() }

// same reports whether two records are of one server.
func (r Running) same(other Running) bool {
	return r.Config == other.Config && r.Environment == other.Environment
}

// Describe returns what distinguishes a server from others of its name.
func (r Running) Describe() string {
	text := r.Environment
	if r.URL != "" {
		text += " at " + r.URL
	}
	return text + ", " + r.Config
}

// Own reports whether this account started the server. Who may end all processes of
// the machine owns those as well that run this program, as services do.
func (r Running) Own() bool {
	return r.Account == account() || endsAny() && r.Program == program()
}

// program returns the real path of this program; empty when the system does not know it.
func program() string {
	path, err := os.Executable()
	if err != nil {
		return ""
	}
	return config.RealPath(path)
}

// Alive reports whether the process that left the record still runs.
func (r Running) Alive() bool {
	now := birth(r.PID)
	return now != "" && (now == r.Birth || sameProcess(r.Birth, now, r.Started))
}

// stateDirMode is that of the folder of the record, which is private: it names paths of secrets.
const stateDirMode = 0o750

// stateFiles is the pattern of the names of records.
const stateFiles = ".running-*.json"

// mark returns what distinguishes the files of a server from those of others in the same folder.
func (r Running) mark() string {
	const length = 8
	sum := sha256.Sum256([]byte(r.Config))
	return r.Environment + "-" + hex.EncodeToString(sum[:])[:length]
}

// stateDir is where a running instance keeps its record and console output: the
// standard data folder, since `directories` of the configuration is not known to
// those who look for it.
func stateDir(locations config.Locations, scope config.Scope, name string) string {
	return locations.Folders(scope, name).Data
}

// stateFile is where the record of a server is.
func (r Running) stateFile(locations config.Locations) string {
	return filepath.Join(stateDir(locations, r.Scope, r.Name), ".running-"+r.mark()+".json")
}

// Find looks for the server of an instance, whatever it is called and at whatever
// level. A record whose process is gone, or whose number belongs to another process by
// now, is removed.
func Find(locations config.Locations, inst config.Instance) (Running, bool) {
	wanted := NewRunning(inst)
	if r, ok := readRunning(wanted.stateFile(locations)); ok && r.same(wanted) {
		return r, true
	}
	for _, r := range FindAll(locations, config.System, config.User) {
		if r.same(wanted) {
			return r, true
		}
	}
	return Running{}, false
}

// FindAll lists the servers that run in the given scopes, by scope, name, file and
// environment, without the warnings of their starts.
func FindAll(locations config.Locations, scopes ...config.Scope) []Running {
	var all []Running
	for file, scope := range recordFiles(locations, scopes...) {
		if r, ok := readRunning(file); ok && r.Scope == scope { // folders of scopes can be the same
			r.Warnings = nil
			all = append(all, r)
		}
	}
	slices.SortStableFunc(all, func(a, b Running) int {
		return cmp.Or(cmp.Compare(a.Scope, b.Scope), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Config, b.Config), cmp.Compare(a.Environment, b.Environment))
	})
	return all
}

// recordFiles yields the files of all records, with the scope of their folder.
func recordFiles(locations config.Locations, scopes ...config.Scope) iter.Seq2[string, config.Scope] {
	return func(yield func(string, config.Scope) bool) {
		for _, scope := range scopes {
			files, _ := filepath.Glob(filepath.Join(stateDir(locations, scope, "*"), stateFiles)) // the pattern is sound
			for _, file := range files {
				if !yield(file, scope) {
					return
				}
			}
		}
	}
}

// readRunning reads a record whose process lives. A stale one is removed; one that
// cannot be read at the moment stays.
func readRunning(file string) (Running, bool) {
	r, err := parseRunning(file)
	if err == nil && r.Alive() {
		return r, true
	}
	if _, unread := errors.AsType[*fs.PathError](err); !unread {
		removeStale(file, r)
	}
	return Running{}, false
}

func parseRunning(file string) (r Running, err error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return r, err
	}
	return r, json.Unmarshal(text, &r)
}

// removeStale removes a record that was found stale, unless a server that starts at
// this very moment has put its own in the place.
func removeStale(file string, stale Running) {
	defer guard(filepath.Dir(file))()
	now, err := parseRunning(file)
	if _, unread := errors.AsType[*fs.PathError](err); unread {
		return
	}
	if err != nil || now.PID == stale.PID && now.Birth == stale.Birth {
		_ = os.Remove(file) // who may not is not the one to do it
	}
}
