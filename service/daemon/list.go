package daemon

import (
	"encoding/xml"
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
}

// ListServices lists the services of a scope, by the names of their instances:
// those with a file at the service manager, and those of known configurations.
func ListServices(locations config.Locations, scope config.Scope) ([]Service, error) {
	listed, err := locations.List(scope)
	if err != nil {
		return nil, err
	}
	files := unitFiles(locations, scope)
	names := slices.Collect(maps.Keys(files))
	for _, l := range listed {
		names = append(names, l.Name)
	}
	slices.Sort(names)
	var all []Service
	for _, name := range slices.Compact(names) {
		if config.CheckName(name) != nil {
			continue
		}
		_, state, err := Find(locations, scope, name)
		if err != nil {
			return nil, err
		}
		if state != NotInstalled {
			s := Service{Instance: name, State: state}
			text, _ := os.ReadFile(files[name]) // without a file the defaults hold
			s.Environment, s.Config = optionsIn(string(text))
			all = append(all, s)
		}
	}
	return all, nil
}

// unitFiles finds instances by the files that their service manager keeps: names with
// paths. Windows keeps none.
func unitFiles(locations config.Locations, scope config.Scope) map[string]string {
	dirs, suffix := []string{"/etc/systemd/system/multi-user.target.wants", "/etc/systemd/system"}, ".service"
	switch {
	case locations.GOOS == "windows":
		return nil
	case locations.GOOS == "darwin" && scope == config.System:
		dirs, suffix = []string{"/Library/LaunchDaemons"}, ".plist"
	case locations.GOOS == "darwin":
		dirs, suffix = []string{path.Join(locations.Home, "Library/LaunchAgents")}, ".plist"
	case scope == config.User:
		dirs = []string{path.Join(locations.Home, ".config/systemd/user")}
	}
	before, after, _ := strings.Cut(UnitName(locations.GOOS, scope, "*"), "*")
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

// optionsIn reads back what Text wrote about the instance.
func optionsIn(text string) (environment, file string) {
	words := wordsOf(text)
	for i, w := range words[:max(0, len(words)-1)] {
		switch w {
		case "--environment":
			environment = words[i+1]
		case "--config":
			file = words[i+1]
		}
	}
	return environment, file
}

// wordsOf reads the command line in the text of a unit.
func wordsOf(text string) []string {
	if strings.HasPrefix(text, "<?xml") {
		return stringsIn(text)
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
