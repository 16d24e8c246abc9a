package instance

import (
	"slices"

	"vserver/service/config"
)

// Listed is an instance that has a configuration, or runs.
type Listed struct {
	Name         string       `json:"name"`
	Environments []string     `json:"environments"`
	Running      bool         `json:"running"`
	Scope        config.Scope `json:"scope"`
	File         string       `json:"file"`
	URL          string       `json:"url,omitempty"` // of the REST routes of the first server
	Servers      []Running    `json:"servers"`       // that run with the file, one for each environment
}

// ListInstances finds the configurations of both scopes, and what is wrong with those that
// cannot be used. Servers that run with a file from elsewhere, or that other accounts run,
// come last.
func ListInstances(locations config.Locations) (found []Listed, failed []string, err error) {
	found = []Listed{}
	running := FindOnMachine(locations, config.System, config.User)
	for _, scope := range []config.Scope{config.System, config.User} {
		all, err := locations.List(scope)
		if err != nil {
			return nil, nil, err
		}
		for _, l := range all {
			if l.Err != nil {
				failed = append(failed, l.Err.Error())
				continue
			}
			row := Listed{Name: l.Name, Environments: l.Environments, Scope: scope, File: l.File, Servers: []Running{}}
			row, running = row.take(running)
			found = append(found, row)
		}
	}
	for len(running) > 0 {
		first := running[0]
		row := Listed{Name: first.Name, Environments: []string{first.Environment}, Scope: first.Scope, File: first.Config}
		row, running = row.take(running)
		found = append(found, row)
	}
	return found, failed, nil
}

// take adds the servers that run with the file of the row, and returns the others.
func (l Listed) take(running []Running) (with Listed, others []Running) {
	file := config.RealPath(l.File)
	for _, r := range running {
		if r.Config != file {
			others = append(others, r)
			continue
		}
		l.Servers = append(l.Servers, r)
		if !slices.Contains(l.Environments, r.Environment) {
			l.Environments = append(l.Environments, r.Environment)
		}
	}
	if l.Running = len(l.Servers) > 0; l.Running {
		l.URL = l.Servers[0].URL
	}
	return l, others
}
