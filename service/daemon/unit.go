package daemon

import (
	_ "embed" // texts of units
	"encoding/xml"
	"fmt"
	"path"
	"slices"
	"strings"
	"unicode"

	"vserver/service/config"
	"vserver/service/instance"
)

// Account is the user that services of the system run as, on Linux.
const Account = "vserver"

// Unit says how an instance is run as a service of the operating system. The text that
// a service manager reads is made of it, for each system from any other.
type Unit struct {
	GOOS        string
	Name        string // of the service
	Instance    string
	Scope       config.Scope
	Executable  string   // absolute path of this program
	Arguments   []string // to serve the instance
	Environment []string // "NAME=value": where the folders are, when the standard is overruled
	Secrets     string   // file with more environment, which need not be there; systemd only
	Account     string   // that it runs as; empty for the user who installs it
	Writes      []string // the folders it writes to
	Data        string   // the first of them, its data folder
	Console     string   // file for its console output, where the manager keeps none
	Crash       string   // file for what it prints beside that; launchd only

	shared bool // one text for all instances, whose name the manager fills in
}

// UnitOptions is what installing a service decides beside the instance.
type UnitOptions struct {
	Executable  string
	ByFile      bool   // the instance was named by its file
	Environment string // as asked for; empty when it was not
}

// UnitName is the name of an instance's service. On Linux it is one of the units
// vserver@.service, which the packages bring; elsewhere it is the identity.
func UnitName(goos string, scope config.Scope, name string) string {
	if goos == "linux" {
		return "vserver@" + name
	}
	return config.Instance{Name: name, Scope: scope}.Identity()
}

// NewUnit makes the unit of an instance.
func NewUnit(locations config.Locations, inst config.Instance, o UnitOptions) Unit {
	folders := locations.Folders(inst.Scope, inst.Name)
	u := Unit{
		GOOS: locations.GOOS, Name: UnitName(locations.GOOS, inst.Scope, inst.Name), Instance: inst.Name, Scope: inst.Scope,
		Executable: o.Executable, Arguments: []string{"run", "--" + string(inst.Scope)},
		Environment: overruled(locations, inst, o.ByFile),
		Data:        folders.Data,
	}
	switch locations.GOOS {
	case "windows":
		u.Console = folders.Data + `\` + instance.ConsoleFileName
	case "darwin":
		u.Console, u.Crash = path.Join(folders.Data, instance.ConsoleFileName), path.Join(folders.Data, instance.CrashFileName)
	default:
		u.Secrets = path.Join(folders.Config, inst.Name+".env")
	}
	if o.ByFile {
		u.Arguments = append(u.Arguments, "--config", inst.File)
	} else {
		u.Arguments = append(u.Arguments, "--name", inst.Name)
	}
	if o.Environment != "" {
		u.Arguments = append(u.Arguments, "--environment", o.Environment)
	}
	if u.Console != "" {
		u.Arguments = append(u.Arguments, "--console", u.Console)
	}
	u.Account = accountOf(u)
	u.Writes = writes(locations, inst, folders)
	return u
}

// accountOf names the account for services of the system.
func accountOf(u Unit) string {
	switch {
	case u.Scope == config.User:
		return ""
	case u.GOOS == "windows":
		return `NT SERVICE\` + u.Name // made by Windows with the service
	case u.GOOS == "darwin":
		return "_" + Account // as accounts of services are called there
	}
	return Account
}

// overruled returns the variables that move folders. The service has none of its
// installer's environment, and must find the same locations.
func overruled(locations config.Locations, inst config.Instance, byFile bool) []string {
	if locations.GOOS == "windows" {
		return nil
	}
	names := []string{"XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME"}
	if inst.Scope == config.System {
		names = []string{"XDG_CONFIG_DIRS", "XDG_DATA_DIRS"}
	}
	if locations.GOOS == "darwin" {
		names = nil
	}
	if byFile {
		names = append(names, "VANTAGE6_CONFIG_NAME")
	}
	var set []string
	for _, name := range names {
		if value := locations.Getenv(name); value != "" {
			set = append(set, name+"="+value)
		}
	}
	return set
}

// writes lists the folders that a server writes to: its data, its log, its database.
func writes(locations config.Locations, inst config.Instance, folders config.Folders) []string {
	all := []string{folders.Data, inst.DataDir, folderOf(locations.GOOS, inst.LogFile)}
	if inst.Database.Engine == config.SQLite {
		all = append(all, folderOf(locations.GOOS, inst.Database.Path))
	}
	var kept []string
	for _, dir := range all {
		// On Windows a private folder has nothing of the one above, so each is named.
		within := func(other string) bool { return locations.GOOS != "windows" && strings.HasPrefix(dir, other+"/") }
		if dir != "" && !slices.ContainsFunc(all, within) && !slices.Contains(kept, dir) {
			kept = append(kept, dir)
		}
	}
	return kept
}

// folderOf is filepath.Dir on the asked system.
func folderOf(goos, file string) string {
	separators := "/"
	if goos == "windows" {
		separators = `/\`
	}
	return file[:max(0, strings.LastIndexAny(file, separators))]
}

// NotSeen names what whoever installs the unit sees, by its environment and its
// rights, and the service will not.
func (u Unit) NotSeen(getenv func(string) string) []string {
	var texts []string
	for _, name := range []string{"VSERVER_JWT_SECRET_KEY", "VSERVER_ROOT_PASSWORD"} {
		for _, n := range []string{name, name + "_FILE"} {
			if getenv(n) != "" && u.Secrets != "" {
				texts = append(texts, fmt.Sprintf("%s is set here, but the service does not see it: write it to %s", n, u.Secrets))
			}
		}
	}
	if u.Scope == config.System && (strings.HasPrefix(u.Executable, "/home/") || strings.HasPrefix(u.Executable, "/root/")) {
		texts = append(texts, fmt.Sprintf("%s lies in a home folder, where %s may not be able to run it", u.Executable, u.Account))
	}
	return texts
}

// PackageUnit is the unit that packages bring: one text for every instance of the
// system in the standard folders. executable is where the package puts the program.
func PackageUnit(executable string) Unit {
	locations := config.Locations{GOOS: "linux", Getenv: func(string) string { return "" }, IsDir: func(string) bool { return false }}
	log := locations.Folders(config.System, "").Log
	inst := config.Instance{Name: "%i", Scope: config.System, DataDir: log, LogFile: log + "/%i.log"}
	u := NewUnit(locations, inst, UnitOptions{Executable: executable})
	u.shared = true
	return u
}

//go:embed unit/vserver.service
var systemdText string

//go:embed unit/vserver.plist
var launchdText string

// Text is what the service manager of the unit's system reads; for Windows, which has
// no such text, the settings in words.
func (u Unit) Text() (string, error) {
	for _, value := range append([]string{u.Executable, u.Secrets, u.Crash, u.Account}, slices.Concat(u.Arguments, u.Environment, u.Writes)...) {
		if strings.ContainsFunc(value, unicode.IsControl) || strings.Contains(value, "{{") {
			return "", fmt.Errorf("%q cannot stand in the text of a service", value)
		}
	}
	switch u.GOOS {
	case "windows":
		return u.windowsText()
	case "darwin":
		return u.launchd(), nil
	}
	return u.systemd(), nil
}

func (u Unit) systemd() string {
	values := map[string][]string{
		"name": {u.literal(u.Name)}, "instance": {u.literal(u.Instance)}, "target": {"default.target"},
		"command": {u.words(append([]string{u.Executable}, u.Arguments...), true)}, "secrets": {u.literal(u.Secrets)},
	}
	for _, pair := range u.Environment {
		values["environment"] = append(values["environment"], u.words([]string{pair}, false))
	}
	if u.Scope == config.System {
		values["target"] = []string{"multi-user.target"}
		values["system"] = []string{""}
		values["account"] = []string{u.Account}
		values["home"] = []string{u.home()}
		for _, dir := range u.Writes {
			values["writes"] = append(values["writes"], u.words([]string{"-" + dir}, false))
		}
	}
	return fillIn(systemdText, values)
}

// home returns how home folders are protected: hidden, unless the service needs something there.
func (u Unit) home() string {
	for _, p := range slices.Concat(u.Writes, u.Arguments, []string{u.Executable}) {
		for _, home := range []string{"/home/", "/root/", "/run/user/"} {
			if strings.HasPrefix(p, home) {
				return "read-only"
			}
		}
	}
	return "yes"
}

// literal keeps systemd from replacing what follows a percent sign.
func (u Unit) literal(text string) string {
	if u.shared {
		return text
	}
	return strings.ReplaceAll(text, "%", "%%")
}

// plainWord reports whether systemd takes a word as it stands.
func plainWord(word string) bool {
	return word != "" && !strings.ContainsFunc(word, func(c rune) bool {
		return !unicode.IsLetter(c) && !unicode.IsDigit(c) && !strings.ContainsRune("/.,:=@_+%-", c)
	})
}

// words writes words for systemd. In a command a dollar sign would name a variable.
func (u Unit) words(words []string, command bool) string {
	written := make([]string, len(words))
	for i, word := range words {
		if plainWord(word) {
			written[i] = u.literal(word)
			continue
		}
		word = strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(word)
		if command {
			word = strings.ReplaceAll(word, "$", "$$")
		}
		written[i] = `"` + u.literal(word) + `"`
	}
	return strings.Join(written, " ")
}

func (u Unit) launchd() string {
	values := map[string][]string{
		"name": {inXML(u.Name)}, "executable": {inXML(u.Executable)},
		"data": {inXML(u.Data)}, "crash": {inXML(u.Crash)},
	}
	for _, a := range u.Arguments {
		values["argument"] = append(values["argument"], inXML(a))
	}
	for _, pair := range u.Environment {
		name, value, _ := strings.Cut(pair, "=")
		values["variable"] = append(values["variable"], "<key>"+inXML(name)+"</key><string>"+inXML(value)+"</string>")
	}
	if u.Account != "" {
		values["account"] = []string{inXML(u.Account)}
	}
	return fillIn(launchdText, values)
}

func inXML(text string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(text)) // a builder takes everything
	return b.String()
}

// windowsText shows the settings that kardianos hands to Windows.
func (u Unit) windowsText() (string, error) {
	if u.Scope == config.User {
		return "", fmt.Errorf("%w: Windows has no services of single users: use --system, or `vserver start --user`", ErrNoManager)
	}
	c := u.settings("")
	text := fmt.Sprintf("name         %s\ndisplay name %s\ndescription  %s\nprogram      %s\narguments    %s\naccount      %s\n",
		c.Name, c.DisplayName, c.Description, c.Executable, strings.Join(c.Arguments, " "), c.UserName)
	for _, key := range []string{"StartType", "DelayedAutoStart", "OnFailure", "OnFailureDelayDuration", "OnFailureResetPeriod"} {
		text += fmt.Sprintf("%s = %v\n", key, c.Option[key])
	}
	return text, nil
}

// fillIn writes each line of a text as often as the names in braces in it have values:
// a line with a name that has none is left out.
func fillIn(text string, values map[string][]string) string {
	var out strings.Builder
	for line := range strings.Lines(text) {
		for _, written := range filledLine(line, values) {
			out.WriteString(written)
		}
	}
	return out.String()
}

func filledLine(line string, values map[string][]string) []string {
	before, rest, ok := strings.Cut(line, "{")
	if !ok {
		return []string{line}
	}
	name, after, _ := strings.Cut(rest, "}")
	var all []string
	for _, tail := range filledLine(after, values) {
		for _, value := range values[name] {
			all = append(all, before+value+tail)
		}
	}
	return all
}
