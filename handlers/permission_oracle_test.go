package handlers

import (
	"maps"
	"slices"
	"strings"
)

// The oracle says what comes of a request by the pages of the documentation alone: it
// knows nothing of package access. /docs/permissions has its words.

// caller is somebody who calls; the zero kind has no token.
type caller struct {
	name         string
	kind         byte // 'u'ser, 'n'ode, 'c'ontainer; 'e': whose token has ended
	id           int64
	organization int64
	// Of nodes and containers.
	collaboration, task, run int64
	rules                    map[string]bool
}

// has reports whether the caller holds one of the rules.
func (c caller) has(resource, operation string, scopes ...string) bool {
	for _, scope := range scopes {
		if c.rules[resource+" "+scope+" "+operation] {
			return true
		}
	}
	return false
}

// owns reports whether an organization is the caller's.
func (c caller) owns(organization int64) bool {
	return organization != 0 && organization == c.organization
}

// answers is what a route answers to whom.
type answers struct {
	who    string // the kinds of callers by their letters; "" takes no token
	object string // what the id in the path is of, or with inBody the one in the body
	inBody bool
	ids    []int64 // which ones are asked for; nil: those of objects
	// early is an answer that comes before the permission is looked at, late one that
	// comes after it; 0 for none.
	early, late func(w *world, c caller, id, second int64) int
	may         func(w *world, c caller, id, second int64) bool // nil: who calls may
	good        int
	body        func(w *world, c caller, id int64) any
	seconds     []int64 // the second id in the path
	harmless    bool    // changes nothing that another case would notice
}

// objects are asked for by each route that takes one of a kind: of every relation to
// the callers, and one that is not there.
var objects = map[string][]int64{
	"organization":  {1, 2, 3, 5, 7, 9999},
	"collaboration": {1, 2, 3, 4, 9999},
	"node":          {12, 13, 15, 17, 22, 23, 24, 9999},
	"user":          {2, 9, 10, 20, 0, 9999}, // 0: the caller
	"role":          {1, 3, 4, 8, 11, 12, 13, 14, 9999},
	"rule":          {2, 53, 9999},
	"task":          {1, 2, 3, 4, 5, 6, 7, 9999},
	"result":        {1, 2, 4, 6, 8, 9, 11, 12, 9999},
	"port":          {1, 2, 3, 4, 5, 6, 9999},
}

// exists reports whether there is such an object.
func (w *world) exists(kind string, id int64) bool {
	there := map[string][]int64{
		"organization": w.organizations, "collaboration": slices.Collect(maps.Keys(w.members)), "node": slices.Collect(maps.Keys(w.nodes)),
		"user": slices.Collect(maps.Keys(w.users)), "role": slices.Collect(maps.Keys(w.roles)), "task": slices.Collect(maps.Keys(w.tasks)),
		"result": slices.Collect(maps.Keys(w.results)), "port": slices.Collect(maps.Keys(w.ports)),
	}
	return kind == "" || slices.Contains(there[kind], id) || kind == "rule" && id >= 1 && id <= int64(len(w.rules))
}

// place is the collaboration and run in which a task, result or port lies.
func (w *world) place(kind string, id int64) (collaboration, run int64) {
	switch kind {
	case "port":
		id = w.results[w.ports[id]].task
	case "result":
		id = w.results[id].task
	}
	return w.tasks[id].collaboration, w.tasks[id].run
}

// seesOrganization is /docs/organizations#see with /docs/permissions#reach.
func seesOrganization(w *world, c caller, id, _ int64) bool {
	switch {
	case c.kind == 'u':
		return c.has("organization", "VIEW", "GLOBAL") || c.has("organization", "VIEW", "COLLABORATION") && (c.owns(id) || w.partners(c.organization, id)) ||
			c.has("organization", "VIEW", "ORGANIZATION") && c.owns(id)
	case c.owns(id):
		return c.has("organization", "VIEW", "GLOBAL", "COLLABORATION", "ORGANIZATION")
	}
	return c.has("organization", "VIEW", "GLOBAL", "COLLABORATION") && w.member(c.organization, c.collaboration) && w.member(id, c.collaboration)
}

// seesWithin is what a caller sees of a resource in a collaboration: /docs/collaborations#see,
// /docs/tasks#see and the lists of results and ports, with /docs/permissions#reach.
func seesWithin(resource string, w *world, c caller, collaboration, run int64) bool {
	if c.kind == 'u' {
		return c.has(resource, "VIEW", "GLOBAL") || c.has(resource, "VIEW", "ORGANIZATION") && w.member(c.organization, collaboration)
	}
	return c.has(resource, "VIEW", "GLOBAL", "ORGANIZATION") && collaboration == c.collaboration && w.member(c.organization, collaboration) &&
		(c.kind == 'n' || resource == "collaboration" || run == c.run)
}

func seesCollaboration(w *world, c caller, id, _ int64) bool {
	return seesWithin("collaboration", w, c, id, 0)
}

// sees is who sees a task, result or port; resource is what the rule is about.
func sees(resource, object string) func(w *world, c caller, id, _ int64) bool {
	return func(w *world, c caller, id, _ int64) bool {
		collaboration, run := w.place(object, id)
		return seesWithin(resource, w, c, collaboration, run)
	}
}

// seesNode is /docs/nodes#list with /docs/permissions#reach.
func seesNode(w *world, c caller, id, _ int64) bool {
	own := c.owns(w.nodes[id].organization)
	switch c.kind {
	case 'u':
		return c.has("node", "VIEW", "GLOBAL") || c.has("node", "VIEW", "ORGANIZATION") && own
	case 'n':
		return c.has("node", "VIEW", "GLOBAL", "ORGANIZATION") && own && (id == c.id || w.member(c.organization, c.collaboration))
	}
	return c.has("node", "VIEW", "GLOBAL", "ORGANIZATION") && id == c.id
}

// changesNode is /docs/nodes#change: a node changes none but itself.
func changesNode(operation string) func(w *world, c caller, id, _ int64) bool {
	return func(w *world, c caller, id, _ int64) bool {
		if c.kind == 'n' && id != c.id {
			return false
		}
		return c.has("node", operation, "GLOBAL") || c.has("node", operation, "ORGANIZATION") && c.owns(w.nodes[id].organization)
	}
}

// belowOrganization is /docs/organizations#collaborations.
func belowOrganization(resource string) func(w *world, c caller, id, _ int64) bool {
	return func(_ *world, c caller, id, _ int64) bool {
		if c.kind != 'u' {
			return c.owns(id) && c.has(resource, "VIEW", "GLOBAL", "ORGANIZATION")
		}
		return c.has(resource, "VIEW", "GLOBAL") || c.has(resource, "VIEW", "ORGANIZATION") && c.owns(id)
	}
}

// ofOrganization is the rule of what belongs to an organization, whose id is asked for.
func ofOrganization(resource, operation string) func(w *world, c caller, id, _ int64) bool {
	return func(_ *world, c caller, id, _ int64) bool {
		return c.has(resource, operation, "GLOBAL") || c.has(resource, operation, "ORGANIZATION") && c.owns(id)
	}
}

func changesOrganization(_ *world, c caller, id, _ int64) bool {
	if c.kind == 'n' && !c.owns(id) {
		return false
	}
	return c.has("organization", "EDIT", "GLOBAL") || c.has("organization", "EDIT", "ORGANIZATION") && c.owns(id)
}

func holds(resource, operation string, scopes ...string) func(w *world, c caller, id, _ int64) bool {
	return func(_ *world, c caller, _, _ int64) bool { return c.has(resource, operation, scopes...) }
}

// seesUser is /docs/users#get.
func seesUser(w *world, c caller, id, _ int64) bool {
	return id == c.id || ofOrganization("user", "VIEW")(w, c, w.users[id].organization, 0)
}

func changesUser(operation string) func(w *world, c caller, id, _ int64) bool {
	return func(w *world, c caller, id, _ int64) bool {
		return ofOrganization("user", operation)(w, c, w.users[id].organization, 0) || id == c.id && c.has("user", operation, "OWN")
	}
}

// deletesUser is /docs/users#delete.
func deletesUser(w *world, c caller, id, _ int64) bool {
	return changesUser("DELETE")(w, c, id, 0) && (id == c.id || c.holdsAll(w, slices.Collect(maps.Keys(w.held(id)))))
}

// inCharge is /docs/users#unlock.
func inCharge(w *world, c caller, id, _ int64) bool {
	return changesUser("EDIT")(w, c, id, 0) && (id == c.id || c.holdsAll(w, slices.Collect(maps.Keys(w.held(id)))))
}

// holdsEverything is /docs/server#who.
func holdsEverything(w *world, c caller, _, _ int64) bool { return len(c.rules) == len(w.rules) }

// holdsAll is /docs/permissions#hand-out.
func (c caller) holdsAll(w *world, rules []int64) bool {
	return !slices.ContainsFunc(rules, func(id int64) bool { return !c.rules[w.rules[id-1]] })
}

// seesRole is /docs/roles#list.
func seesRole(w *world, c caller, id, _ int64) bool {
	r := w.roles[id]
	return c.has("role", "VIEW", "GLOBAL") || c.has("role", "VIEW", "ORGANIZATION") && (r.organization == 0 || c.owns(r.organization)) ||
		slices.Contains(w.users[c.id].roles, id)
}

func changesRole(operation string) func(w *world, c caller, id, _ int64) bool {
	return func(w *world, c caller, id, _ int64) bool {
		return ofOrganization("role", operation)(w, c, w.roles[id].organization, 0)
	}
}

// deletesRole is /docs/roles#delete: a default role is a 400 for who may delete any.
func deletesRole(w *world, c caller, id, _ int64) bool {
	return changesRole("DELETE")(w, c, id, 0) && (w.roles[id].organization == 0 || c.holdsAll(w, w.roles[id].rules))
}

// changesRuleOf is /docs/roles#add-rule and /docs/roles#remove-rule.
func changesRuleOf(operation string) func(w *world, c caller, id, rule int64) bool {
	return func(w *world, c caller, id, rule int64) bool {
		return changesRole(operation)(w, c, id, 0) && (fixedRole(w, id) || c.holdsAll(w, []int64{rule}))
	}
}

func fixedRole(w *world, id int64) bool {
	return w.roles[id].organization == 0 && slices.Contains([]string{"Root", "container", "node"}, w.roles[id].name)
}

// deletesTask is /docs/tasks#delete.
func deletesTask(w *world, c caller, id, _ int64) bool {
	return c.has("task", "DELETE", "GLOBAL") || c.has("task", "DELETE", "ORGANIZATION") && w.member(c.organization, w.tasks[id].collaboration)
}

// createsTask is /docs/tasks#create and /docs/tasks#subtasks; the image is that of all tasks.
func createsTask(w *world, c caller, id, _ int64) bool {
	if c.kind == 'c' {
		return id == c.collaboration
	}
	return w.member(c.organization, id) && c.has("task", "CREATE", "GLOBAL", "ORGANIZATION")
}

// killsTask is /docs/tasks#kill.
func killsTask(w *world, c caller, id, _ int64) bool {
	return c.has("event", "CREATE", "GLOBAL") || c.has("event", "CREATE", "COLLABORATION", "ORGANIZATION") && w.member(c.organization, w.tasks[id].collaboration)
}

// killsNode is /docs/tasks#kill-node.
func killsNode(w *world, c caller, id, _ int64) bool {
	n := w.nodes[id]
	return c.has("event", "CREATE", "GLOBAL") || c.has("event", "CREATE", "COLLABORATION") && w.member(c.organization, n.collaboration) ||
		c.has("event", "CREATE", "ORGANIZATION") && c.owns(n.organization)
}

// writesResult is /docs/results#change and the same for ports.
func writesResult(w *world, c caller, id, _ int64) bool {
	r := w.results[id]
	return c.owns(r.organization) && w.tasks[r.task].collaboration == c.collaboration && w.member(c.organization, c.collaboration)
}

// relation is what an object is to a caller, for the count of the cases.
func (w *world) relation(c caller, kind string, id int64) string {
	if id == 0 || !w.exists(kind, id) {
		return "missing"
	}
	organization, collaboration, own := int64(0), int64(0), false
	switch kind {
	case "organization":
		organization, own = id, c.owns(id)
	case "collaboration":
		collaboration = id
		own = id == c.collaboration || c.kind == 'u' && w.member(c.organization, id)
		if !own && w.member(c.organization, id) {
			organization = c.organization
		}
	case "node":
		organization, collaboration, own = w.nodes[id].organization, w.nodes[id].collaboration, c.kind != 'u' && id == c.id
	case "user":
		organization, own = w.users[id].organization, c.kind == 'u' && id == c.id
	case "role":
		organization, own = w.roles[id].organization, c.kind == 'u' && slices.Contains(w.users[c.id].roles, id)
		if organization == 0 && !own {
			return "default"
		}
	case "rule":
		return "default"
	case "task", "result", "port":
		collaboration, _ = w.place(kind, id)
		organization, own = w.ownerOf(c, kind, id)
	}
	switch {
	case own:
		return "own"
	case c.owns(organization):
		return "same organization"
	case collaboration != 0 && w.member(c.organization, collaboration), organization != 0 && w.partners(c.organization, organization):
		return "same collaboration"
	}
	return "foreign"
}

// ownerOf is whose a task, result or port is, and whether it is the caller's very own.
func (w *world) ownerOf(c caller, kind string, id int64) (organization int64, own bool) {
	if kind == "task" {
		return w.tasks[id].initiator, c.kind == 'u' && w.tasks[id].user == c.id || c.kind == 'c' && id == c.task
	}
	if kind == "port" {
		id = w.ports[id]
	}
	organization = w.results[id].organization
	return organization, c.kind != 'u' && c.owns(organization) && w.tasks[w.results[id].task].collaboration == c.collaboration
}

// expects is the answer to a request: the order of /docs/permissions#order.
func (w *world) expects(a answers, c caller, id, second int64) int {
	switch {
	case a.who == "":
		if a.late != nil {
			if status := a.late(w, c, id, second); status != 0 {
				return status
			}
		}
		return a.good
	case c.kind == 0 || c.kind == 'e':
		return 401
	case !strings.Contains(a.who, string(c.kind)):
		return 403
	case !w.exists(a.object, id), len(a.seconds) > 0 && !w.exists("rule", second):
		return 404
	}
	if a.early != nil {
		if status := a.early(w, c, id, second); status != 0 {
			return status
		}
	}
	if a.may != nil && !a.may(w, c, id, second) {
		return 401
	}
	if a.late != nil {
		if status := a.late(w, c, id, second); status != 0 {
			return status
		}
	}
	return a.good
}
