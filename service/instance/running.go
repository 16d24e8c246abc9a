package instance

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"vserver/service/config"
)

// Running is the record that a server leaves while it runs, so that other commands
// find it: one for each name and scope, since an instance runs once at a time
// (contract 40 §1).
type Running struct {
	Name        string       `json:"name"`
	Scope       config.Scope `json:"scope"`
	Environment string       `json:"environment"`
	Config      string       `json:"config"` // absolute path
	PID         int          `json:"pid"`
	Birth       string       `json:"birth"`                 // tells the process from a later one with its number
	Started     time.Time    `json:"started"`               // for people
	URL         string       `json:"url,omitempty"`         // of the REST routes; empty until they answer
	Certificate string       `json:"certificate,omitempty"` // its file, when URL is https
	Console     string       `json:"console,omitempty"`     // file of the console output; empty when that goes elsewhere
	Log         string       `json:"log"`
}

// FullName is the name under which the server is known.
func (r Running) FullName() string {
	return config.Instance{Name: r.Name, Scope: r.Scope}.Identity()
}

// Alive reports whether the process that left the record still runs.
func (r Running) Alive() bool {
	now := birth(r.PID)
	return now != "" && (now == r.Birth || sameProcess(r.Birth, now, r.Started))
}

// Modes of the record and of its folder: the record names paths of secrets.
const (
	stateMode    = 0o600
	stateDirMode = 0o750
)

const stateFile = ".running.json"

// stateDir is where a running instance keeps its record and console output: the
// standard data folder, since `directories` of the configuration is not known to
// those who look for it.
func stateDir(locations config.Locations, scope config.Scope, name string) string {
	return locations.Folders(scope, name).Data
}

// Find looks for the record of an instance. One whose process is gone, or
// whose number belongs to another process by now, is removed.
func Find(locations config.Locations, scope config.Scope, name string) (Running, bool) {
	r, ok := readRunning(filepath.Join(stateDir(locations, scope, name), stateFile))
	return r, ok && r.Name == name && r.Scope == scope
}

// FindAll lists the servers that run in the given scopes, by scope and name.
func FindAll(locations config.Locations, scopes ...config.Scope) []Running {
	var all []Running
	for _, scope := range scopes {
		files, _ := filepath.Glob(filepath.Join(stateDir(locations, scope, "*"), stateFile)) // the pattern is sound
		for _, file := range files {
			if r, ok := readRunning(file); ok && r.Scope == scope { // folders of scopes can be the same
				all = append(all, r)
			}
		}
	}
	return all
}

// readRunning reads a record whose process lives; others are removed.
func readRunning(file string) (Running, bool) {
	r, err := parseRunning(file)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return Running{}, false
	}
	if err == nil && r.Alive() {
		return r, true
	}
	removeStale(file, r)
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
	if now, err := parseRunning(file); err != nil || now == stale {
		_ = os.Remove(file) // who may not is not the one to do it
	}
}
