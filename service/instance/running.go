package instance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"sync"
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

// AlreadyRunning is the error of a second start of an instance.
type AlreadyRunning struct{ Running Running }

// Error is the sentence of contract 40 §4.2.
func (e AlreadyRunning) Error() string {
	return fmt.Sprintf("Server %s is already running", e.Running.Name)
}

// Claim is the right of this process to be the server of an instance. It ends with
// Release, or with the process. The methods of a nil Claim do nothing: for servers
// that leave no record.
type Claim struct {
	file string
	mu   sync.Mutex
	r    Running
}

// Acquire leaves the record of an instance that this process is about to serve. The
// error is an AlreadyRunning when another process has done so. console is the file of
// the console output, or empty.
func Acquire(locations config.Locations, inst config.Instance, console string) (*Claim, error) {
	c := &Claim{
		file: filepath.Join(stateDir(locations, inst.Scope, inst.Name), stateFile),
		r: Running{
			Name: inst.Name, Scope: inst.Scope, Environment: inst.Config.Environment, Config: inst.File,
			PID: os.Getpid(), Birth: birth(os.Getpid()), Started: time.Now().UTC().Truncate(time.Second),
			Console: console, Log: inst.LogFile,
		},
	}
	if err := os.MkdirAll(filepath.Dir(c.file), stateDirMode); err != nil {
		return nil, fmt.Errorf("making the folder of the record of running servers: %w", err)
	}
	defer guard(filepath.Dir(c.file))()
	if other, err := parseRunning(c.file); err == nil && other.Alive() {
		return nil, AlreadyRunning{other}
	}
	return c, c.write()
}

// write makes the record appear in one step.
func (c *Claim) write() error {
	text, err := json.MarshalIndent(c.r, "", "  ")
	if err != nil {
		return fmt.Errorf("writing the record of running servers: %w", err)
	}
	fresh := fmt.Sprintf("%s.%d", c.file, c.r.PID)
	err = os.WriteFile(fresh, append(text, '\n'), stateMode)
	if err == nil {
		err = os.Rename(fresh, c.file)
	}
	if err != nil {
		_ = os.Remove(fresh) // the first error is the one to tell
		return fmt.Errorf("writing the record of running servers: %w", err)
	}
	return nil
}

// Serving adds to the record where the server answers.
func (c *Claim) Serving(conf config.Config, at net.Addr) error {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.r.URL = URL(conf, at.String())
	if conf.TLS != nil {
		var err error
		if c.r.Certificate, err = filepath.Abs(conf.TLS.Cert); err != nil {
			return err
		}
	}
	return c.write()
}

// Release removes the record.
func (c *Claim) Release() {
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	removeStale(c.file, c.r)
	_ = os.Remove(stopFile(c.r, c.file))
}

// Context returns a context that ends when another process asks this one to end by a
// file, where there are no signals for that.
func (c *Claim) Context(parent context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(parent)
	if c != nil && askedByFile {
		go func() {
			awaitFile(ctx, stopFile(c.r, c.file))
			cancel()
		}()
	}
	return ctx, cancel
}
