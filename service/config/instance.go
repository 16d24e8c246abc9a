package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"vserver/service/private"
	"vserver/service/yaml"
)

// Wanted is what the command line says about an instance (/docs/commands#choose).
type Wanted struct {
	Name        string // --name
	File        string // --config, wins over Name
	Environment string // --environment; empty when not given
	Scope       Scope
}

// Instance is one configuration, found, chosen and checked.
type Instance struct {
	Name     string
	Scope    Scope
	File     string // absolute path of the configuration
	Config   Config
	DataDir  string
	LogFile  string // absolute
	Database Database
	Warnings []Warning
}

// Refusal is why a start refuses a setting whose value can be read.
type Refusal struct {
	Key string
	Err error
}

// FaultAt says of a refusal where its setting stands: in the file, with its line, or in
// the process's environment.
func (p Locations) FaultAt(i Instance, r Refusal) Fault {
	file, err := ReadFile(i.File)
	if err != nil {
		return Fault{File: i.File, Key: r.Key, Text: r.Err.Error()}
	}
	return file.locateRefusal(i.Config.Environment, r, p.Getenv)
}

// RealPath returns a path without links, so that two paths of one file are equal; of a
// file that is not there the path itself.
func RealPath(path string) string {
	if real, err := filepath.EvalSymlinks(path); err == nil {
		return real
	}
	return path
}

// Identity is the name under which people know a running server. Several servers may
// have it: what a server is tell its file and its environment (/docs/commands#instances).
func (i Instance) Identity() string {
	return fmt.Sprintf("vantage6-%s-%s-server", i.Name, i.Scope)
}

// ErrNothingWanted is returned when neither a name nor a file is given: the caller
// then offers what List finds.
var ErrNothingWanted = errors.New("no configuration is named")

// StandardEnvironment returns the environment of a file that a start without
// --environment chooses; empty when there is none.
func StandardEnvironment(path string) string {
	file, err := ReadFile(path)
	if err != nil {
		return ""
	}
	environment, _ := file.Choose("")
	return environment
}

// File returns the path of an instance's configuration in the folder of its scope.
func (p Locations) File(scope Scope, name string) string {
	return p.join(p.Folders(scope, name).Config, name+suffix)
}

// Resolve finds and loads the wanted instance. Errors carry the sentences of
// /docs/commands#choose; mistakes in the file are Faults.
func (p Locations) Resolve(w Wanted) (Instance, error) {
	if w.File == "" && w.Name == "" {
		return Instance{}, ErrNothingWanted
	}
	path, name, err := p.locate(w)
	if err != nil {
		return Instance{}, err
	}
	file, err := ReadFile(path)
	if err != nil {
		return Instance{}, err
	}
	environment, err := file.Choose(w.Environment)
	if missing, ok := errors.AsType[NoEnvironment](err); ok && w.File == "" {
		return Instance{}, absent(w, missing.Why)
	}
	if err != nil {
		return Instance{}, err
	}
	c, warnings, err := file.Load(environment, p.Getenv)
	if err != nil {
		return Instance{}, err
	}
	return p.instance(name, w.Scope, c, warnings)
}

// locate returns path and name of the wanted instance: the file as given, else the
// scope's directory, else the current one.
func (p Locations) locate(w Wanted) (path, name string, err error) {
	if w.File != "" {
		path = w.File
		if !filepath.IsAbs(path) {
			path = filepath.Join(p.WorkDir, path)
		}
		if !isFile(path) {
			if why := private.Unreadable(path); why != nil {
				return "", "", fmt.Errorf("config %s: %w", w.File, why)
			}
			return "", "", fmt.Errorf("config %s not found", w.File)
		}
		name = p.nameOf(path)
		return path, name, CheckName(name)
	}
	if err := CheckName(w.Name); err != nil {
		return "", "", err
	}
	for _, dir := range []string{p.Folders(w.Scope, w.Name).Config, p.WorkDir} {
		path = p.join(dir, w.Name+suffix)
		if dir != "" && isFile(path) {
			return path, w.Name, nil
		}
	}
	return "", "", absent(w, p.instead(w))
}

// nameOf returns the name of the instance whose file is given.
func (p Locations) nameOf(path string) string {
	return p.either("VANTAGE6_CONFIG_NAME", strings.TrimSuffix(filepath.Base(path), filepath.Ext(path)))
}

// instead suggests what may be meant by a name that does not exist: the same name at the
// other level, or one that is like it.
func (p Locations) instead(w Wanted) string {
	other := User
	if w.Scope == User {
		other = System
	}
	if isFile(p.File(other, w.Name)) {
		return fmt.Sprintf("it is in the %s folders: add --%s", other, other)
	}
	all, err := p.List(w.Scope)
	if err != nil {
		return ""
	}
	var names []string
	for _, l := range all {
		names = append(names, l.Name)
	}
	if near := yaml.Nearest(w.Name, names); near != "" {
		return "did you mean " + near + "?"
	}
	return ""
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.IsDir()
}

// absent is the error of /docs/commands#choose for a name, with a reason if there is one.
func absent(w Wanted, why string) error {
	environment := w.Environment
	if environment == "" {
		environment = "prod"
	}
	text := fmt.Sprintf("Configuration %s with %s does not exist in the %s folders!", w.Name, environment, w.Scope)
	if why != "" {
		text += " (" + why + ")"
	}
	return errors.New(text)
}

// instance adds the locations to loaded settings.
func (p Locations) instance(name string, scope Scope, c Config, warnings []Warning) (Instance, error) {
	folders := p.Folders(scope, name)
	if c.Directories.Data != "" {
		folders.Data = c.Directories.Data
	}
	if c.Directories.Log != "" {
		folders.Log = c.Directories.Log
	}
	database, err := p.Database(c.URI, folders.Data)
	if err != nil {
		return Instance{}, fmt.Errorf("reading the database URI: %w", err)
	}
	if c.URIListen != "" && database.Engine == Postgres {
		direct, err := p.Database(c.URIListen, "")
		if err != nil {
			return Instance{}, fmt.Errorf("reading uri_listen: %w", err)
		}
		database.Direct = direct.DSN
	}
	file := c.Logging.File
	if file == "" {
		file = fmt.Sprintf("%s-%s-%s.log", name, c.Environment, scope)
	}
	return Instance{
		Name: name, Scope: scope, File: c.File, Config: c, DataDir: folders.Data,
		LogFile: p.under(folders.Log, file), Database: database, Warnings: warnings,
	}, nil
}

// suffix of the files that count as configurations.
const suffix = ".yaml"

// Listed is a configuration file found in a directory.
type Listed struct {
	Name         string
	File         string
	Environments []string // usable ones, in the order of Environments
	Err          error    // set when it cannot be used: unreadable, wrong values, or no environment
}

// List reads every *.yaml file of the scope's directory, sorted by name. A directory
// that does not exist holds none.
func (p Locations) List(scope Scope) ([]Listed, error) {
	dir := p.Folders(scope, "").Config
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("listing configurations: %w", err)
	}
	var all []Listed
	for _, e := range entries {
		if filepath.Ext(e.Name()) == suffix && !e.IsDir() {
			all = append(all, listed(filepath.Join(dir, e.Name())))
		}
	}
	return all, nil
}

func listed(path string) Listed {
	l := Listed{Name: strings.TrimSuffix(filepath.Base(path), suffix), File: path}
	file, err := ReadFile(path)
	if err != nil {
		l.Err = err
		return l
	}
	l.Environments = file.Environments()
	if len(l.Environments) == 0 {
		l.Err = fmt.Errorf("%s has no usable environment", path)
		return l
	}
	l.Err = file.refused()
	return l
}
