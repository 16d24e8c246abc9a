package daemon

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"vserver/service/config"
)

// Service is a service that the manager knows.
type Service struct {
	Instance    string `json:"name"`
	State       State  `json:"state"`
	Environment string `json:"environment"` // as it was installed with; empty when it chooses itself
	Config      string `json:"config"`      // the file it was installed for; empty when it was named
	Program     string `json:"program"`     // that it runs; empty when the manager does not tell
}

// ListServices lists the services of a scope, by the names of their instances: those
// that the service manager keeps, and those of known configurations.
func ListServices(locations config.Locations, scope config.Scope) ([]Service, error) {
	listed, err := locations.List(scope)
	if err != nil {
		return nil, err
	}
	names := slices.Collect(maps.Keys(commandLines(locations, scope)))
	for _, l := range listed {
		names = append(names, l.Name)
	}
	slices.Sort(names)
	var all []Service
	for _, name := range slices.Compact(names) {
		if config.CheckName(name) != nil {
			continue
		}
		m, state, err := named(locations, scope, name)
		if err != nil {
			return nil, err
		}
		if state != NotInstalled {
			o := optionsOf(locations, scope, name)
			if known, ok := m.(manager); ok && o.program == "" {
				o = known.loaded()
			}
			all = append(all, Service{name, state, o.environment, o.file, o.program})
		}
	}
	return all, nil
}

// options are what the command line of a service says.
type options struct{ program, environment, file string }

// optionsOf reads back what the service of a name was installed with. Without a command
// line that can be read the defaults hold.
func optionsOf(locations config.Locations, scope config.Scope, name string) options {
	return optionsIn(commandLines(locations, scope)[name])
}

func optionsIn(words []string) (o options) {
	for i, w := range words {
		switch {
		case i == 0:
			o.program = w
		case words[i-1] == "--environment":
			o.environment = w
		case words[i-1] == "--config":
			o.file = w
		}
	}
	return o
}

// loaded reads the options of a service without a file of its own: it was made of the packages'
// template and started by hand.
func (m manager) loaded() options {
	if m.unit.GOOS != "linux" {
		return options{}
	}
	answer, _ := m.query("systemctl", "show", "--property=FragmentPath", m.unit.Name+".service") // without one nothing is known
	for line := range strings.Lines(answer) {
		if file, ok := strings.CutPrefix(strings.TrimSpace(line), "FragmentPath="); ok {
			text, _ := os.ReadFile(file)
			return optionsIn(wordsOf(string(text)))
		}
	}
	return options{}
}

// configuration returns the file and the environment that a service with these options
// runs: without them it is the file of its name, and the environment that every start
// chooses.
func (o options) configuration(locations config.Locations, scope config.Scope, name string) (file, environment string) {
	file = config.RealPath(cmp.Or(o.file, locations.File(scope, name)))
	if o.environment != "" {
		return file, o.environment
	}
	return file, config.StandardEnvironment(file)
}

// runningFile lists the services that run a configuration file, under whatever names;
// environment is empty for all of them.
func runningFile(locations config.Locations, scope config.Scope, file, environment string) (names []string) {
	file = config.RealPath(file)
	lines := commandLines(locations, scope)
	for _, name := range slices.Sorted(maps.Keys(lines)) {
		its, of := optionsIn(lines[name]).configuration(locations, scope, name)
		if its == file && (environment == "" || environment == of) {
			names = append(names, name)
		}
	}
	return names
}

// NameFor finds the name of the service that runs a configuration file. A service that has
// the usual name and runs another file is not the one that is meant. environment is
// empty when none was asked for.
func NameFor(locations config.Locations, scope config.Scope, file, environment, usual string) (string, error) {
	switch names := runningFile(locations, scope, file, environment); {
	case len(names) == 1:
		return names[0], nil
	case slices.Contains(names, usual):
		return usual, nil
	case len(names) > 1:
		return "", fmt.Errorf("%s is run by several services: say which with --name: %s", file, strings.Join(names, ", "))
	}
	if words := commandLines(locations, scope)[usual]; words != nil {
		its, of := optionsIn(words).configuration(locations, scope, usual)
		return "", fmt.Errorf("no service runs %s: %s runs %s, environment %s", file, UnitName(locations.GOOS, scope, usual), its, of)
	}
	return usual, nil
}

// CheckVacant refuses an instance whose name a service of another file has: the service
// manager knows services by their names.
func CheckVacant(locations config.Locations, inst config.Instance) error {
	words := commandLines(locations, inst.Scope)[inst.Name]
	path := optionsIn(words).file
	if path == "" {
		path = locations.File(inst.Scope, inst.Name)
	}
	if _, err := os.Stat(path); words == nil || err != nil || config.RealPath(path) == config.RealPath(inst.File) {
		return nil //nolint:nilerr // a service without its file runs nothing
	}
	return fmt.Errorf("the service %s runs %s: uninstall it first, or give this instance another name with VANTAGE6_CONFIG_NAME",
		UnitName(locations.GOOS, inst.Scope, inst.Name), path)
}

// commandLines finds the services of a scope at their service manager: the names of
// the instances, with the words that start them.
func commandLines(locations config.Locations, scope config.Scope) map[string][]string {
	if locations.GOOS == "windows" {
		return registered(scope)
	}
	lines := map[string][]string{}
	for name, file := range unitFiles(locations, scope) {
		text, _ := os.ReadFile(file) // one that is unreadable has no words
		lines[name] = append([]string{}, wordsOf(string(text))...)
	}
	return lines
}

// unitFiles finds instances by the files that their service manager keeps: names with
// paths.
func unitFiles(locations config.Locations, scope config.Scope) map[string]string {
	dirs, suffix := []string{"/etc/systemd/system/multi-user.target.wants", "/etc/systemd/system"}, ".service"
	switch {
	case locations.GOOS == "darwin" && scope == config.System:
		dirs, suffix = []string{"/Library/LaunchDaemons"}, ".plist"
	case locations.GOOS == "darwin":
		dirs, suffix = []string{path.Join(locations.Home, "Library/LaunchAgents")}, ".plist"
	case scope == config.User:
		dirs = []string{path.Join(locations.Home, ".config/systemd/user")}
	}
	before, after := around(locations.GOOS, scope)
	after += suffix
	files := map[string]string{}
	for _, dir := range dirs {
		found, _ := filepath.Glob(path.Join(dir, before+"*"+after)) // the pattern is sound
		for _, file := range found {
			files[strings.TrimSuffix(strings.TrimPrefix(filepath.Base(file), before), after)] = file
		}
	}
	return files
}

// around is what stands before and after the instance in the name of a service.
func around(goos string, scope config.Scope) (before, after string) {
	before, after, _ = strings.Cut(UnitName(goos, scope, "*"), "*")
	return before, after
}

// wordsOf reads the command line in the text of a unit.
func wordsOf(text string) []string {
	if strings.HasPrefix(text, "<?xml") {
		all := stringsIn(text)
		return all[min(1, len(all)):] // the first is the label
	}
	for line := range strings.Lines(text) {
		if command, ok := strings.CutPrefix(line, "ExecStart="); ok {
			return split(strings.TrimSpace(command))
		}
	}
	return nil
}

// stringsIn returns the strings of a property list.
func stringsIn(text string) (all []string) {
	d := xml.NewDecoder(strings.NewReader(text))
	for {
		token, err := d.Token()
		if err != nil { // mostly the end
			return all
		}
		if start, ok := token.(xml.StartElement); ok && start.Name.Local == "string" {
			var s string
			if d.DecodeElement(&s, &start) == nil {
				all = append(all, s)
			}
		}
	}
}

// split undoes what Unit.words does.
func split(command string) (words []string) {
	var word strings.Builder
	quoted := false
	for i := 0; i < len(command); i++ {
		c := command[i]
		switch {
		case c == '"':
			quoted = !quoted
			continue
		case c == ' ' && !quoted:
			words = append(words, word.String())
			word.Reset()
			continue
		case (c == '\\' || c == '%' || c == '$') && i+1 < len(command):
			i++ // the next one is meant
			c = command[i]
		}
		word.WriteByte(c)
	}
	return append(words, word.String())
}
