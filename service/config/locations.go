package config

import (
	"fmt"
	"os"
	"os/user"
	"regexp"
	"runtime"
	"strings"
)

// Scope is the level at which an instance is kept: for everybody or for one user.
type Scope string

// The two scopes; servers default to System (/docs/commands#instances).
const (
	System Scope = "system"
	User   Scope = "user"
)

// Locations knows where files lie on one machine. It only computes paths; nothing is
// created. The fields are what the answer depends on, so that each operating system
// can be asked about from any other.
type Locations struct {
	GOOS    string              // linux, darwin, windows; others are treated like linux
	Getenv  func(string) string // environment look-up
	Home    string              // home directory of the user
	WorkDir string              // current directory
	IsDir   func(string) bool   // reports whether a directory exists
}

// ThisMachine is where the program runs, with getenv as its environment.
func ThisMachine(getenv func(string) string) Locations {
	work, _ := os.Getwd() // without one, names are looked up in the standard locations only
	return Locations{GOOS: runtime.GOOS, Getenv: getenv, Home: home(getenv), WorkDir: work, IsDir: isDir}
}

// home prefers the environment; services may have none and ask the system.
func home(getenv func(string) string) string {
	name := "HOME"
	if runtime.GOOS == "windows" {
		name = "USERPROFILE"
	}
	if dir := getenv(name); dir != "" {
		return dir
	}
	if u, err := user.Current(); err == nil {
		return u.HomeDir
	}
	return ""
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// Folders are the directories of /docs/configuration#places, without a separator at the end.
type Folders struct {
	Config string // holds <name>.yaml of every instance
	Data   string // of one instance
	Log    string // of every instance
}

// Folders returns the directories of an instance in a scope.
func (p Locations) Folders(scope Scope, name string) Folders {
	var f Folders
	switch p.GOOS {
	case "windows":
		f = p.windowsFolders(scope)
	case "darwin":
		f = p.macFolders(scope)
	default:
		f = p.linuxFolders(scope)
	}
	f.Data = p.join(f.Data, name)
	return f
}

func (p Locations) windowsFolders(scope Scope) Folders {
	if scope == System {
		all := p.join(p.either("ProgramData", `C:\ProgramData`), "vantage6", "server")
		return Folders{all, all, all}
	}
	local := p.join(p.either("LOCALAPPDATA", p.join(p.Home, "AppData", "Local")), "vantage6")
	server := p.join(local, "server")
	return Folders{server, server, p.join(local, "Logs", "server")}
}

func (p Locations) macFolders(scope Scope) Folders {
	all := p.join("/Library/Application Support", "vantage6", "server")
	if scope == System {
		return Folders{all, all, all}
	}
	return Folders{p.Home + all, p.Home + all, p.join(p.Home, "Library", "Logs", "vantage6", "server")}
}

func (p Locations) linuxFolders(scope Scope) Folders {
	const tail = "vantage6/server"
	if scope == System {
		data := p.join(first(p.either("XDG_DATA_DIRS", "/usr/local/share")), tail)
		return Folders{p.join(p.xdgConfig(), tail), data, data}
	}
	return Folders{
		Config: p.join(p.either("XDG_CONFIG_HOME", p.join(p.Home, ".config")), tail),
		Data:   p.join(p.either("XDG_DATA_HOME", p.join(p.Home, ".local", "share")), tail),
		Log:    p.join(p.either("XDG_CACHE_HOME", p.join(p.Home, ".cache")), "vantage6", "log", "server"),
	}
}

// xdgConfig picks the system configuration directory: the first of XDG_CONFIG_DIRS.
// Desktop Ubuntu puts /etc/xdg/xdg-ubuntu there, before the /etc/xdg that the
// documentation promises; then /etc/xdg is taken, unless only the first one already
// holds files of a server (/docs/configuration#places).
func (p Locations) xdgConfig() string {
	const promised = "/etc/xdg"
	listed := p.either("XDG_CONFIG_DIRS", promised)
	foremost := first(listed)
	for entry := range strings.SplitSeq(listed, ":") {
		if strings.TrimRight(entry, "/") != promised || !p.IsDir(promised) {
			continue
		}
		if !p.IsDir(p.join(promised, "vantage6")) && p.IsDir(p.join(foremost, "vantage6", "server")) {
			return foremost
		}
		return promised
	}
	return foremost
}

func (p Locations) either(variable, byDefault string) string {
	if value := p.Getenv(variable); value != "" {
		return value
	}
	return byDefault
}

func first(list string) string {
	head, _, _ := strings.Cut(list, ":")
	return head
}

func (p Locations) separator() string {
	if p.GOOS == "windows" {
		return `\`
	}
	return "/"
}

// join puts parts together with the separator of the asked system, not of the one
// that runs this code.
func (p Locations) join(base string, parts ...string) string {
	for _, part := range parts {
		base = strings.TrimRight(base, `/`+p.separator()) + p.separator() + part
	}
	return base
}

var drive = regexp.MustCompile(`^[A-Za-z]:[\\/]`)

// absolute reports whether a path stands on its own on the asked system.
func (p Locations) absolute(path string) bool {
	if p.GOOS == "windows" && (drive.MatchString(path) || strings.HasPrefix(path, `\`)) {
		return true
	}
	return strings.HasPrefix(path, "/")
}

// under returns path, below dir when it is relative.
func (p Locations) under(dir, path string) string {
	if p.absolute(path) {
		return path
	}
	return p.join(dir, path)
}

var allowedName = regexp.MustCompile(`^[A-Za-z0-9_.-]+$`)

// CheckName refuses instance names with other characters than those of /docs/commands#instances.
func CheckName(name string) error {
	if !allowedName.MatchString(name) {
		return fmt.Errorf("Name '%s' is not allowed. Please use only the following characters: a-zA-Z0-9_.-", name)
	}
	return nil
}
