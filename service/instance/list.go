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
	URL          string       `json:"url,omitempty"` // of the REST routes, while it runs
}

// ListInstances finds the configurations of both scopes, and what is wrong with those that
// cannot be used. Servers that run with a file from elsewhere come last.
func ListInstances(locations config.Locations) (found []Listed, failed []string, err error) {
	found = []Listed{}
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
			r, running := Find(locations, scope, l.Name)
			found = append(found, Listed{l.Name, l.Environments, running, scope, l.File, r.URL})
		}
	}
	for _, r := range FindAll(locations, config.System, config.User) {
		known := func(l Listed) bool { return l.Name == r.Name && l.Scope == r.Scope }
		if !slices.ContainsFunc(found, known) {
			found = append(found, Listed{r.Name, []string{r.Environment}, true, r.Scope, r.Config, r.URL})
		}
	}
	return found, failed, nil
}
