package takeover

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"vserver/queries"
	"vserver/queries/dbtest"
	"vserver/service/access"
	"vserver/service/promise"
)

// oldWorld is what the rows of a 3.x server say of rights.
type oldWorld struct {
	organizations, collaborations []int64
	members                       map[[2]int64]bool // organization and collaboration
	users, roles                  map[int64]int64   // their organization; 0 for none
	roleNames                     map[int64]string
	nodes                         map[int64][2]int64 // organization and collaboration
	tasks                         map[int64]int64    // their collaboration
	results, ports                map[int64]int64    // the task, the result
	rules                         map[int64]string   // "node GLOBAL VIEW"
	ofRole, ofUser, holds         map[int64][]int64  // rules of a role, of a user directly, and the roles of a user
}

// readOldWorld reads it.
func (p *patient) readOldWorld() *oldWorld {
	p.Helper()
	old, err := queries.OpenOld(p.Context(), p.src(), false)
	p.must(err)
	defer func() { _ = old.Close() }()
	w := &oldWorld{
		members: map[[2]int64]bool{}, users: map[int64]int64{}, roles: map[int64]int64{}, roleNames: map[int64]string{}, nodes: map[int64][2]int64{},
		tasks: map[int64]int64{}, results: map[int64]int64{}, ports: map[int64]int64{}, rules: map[int64]string{},
		ofRole: map[int64][]int64{}, ofUser: map[int64][]int64{}, holds: map[int64][]int64{},
	}
	read := func(table, columns string, each func(id, a, b int64, v []any)) {
		p.must(old.Each(p.Context(), table, strings.Fields(columns), func(v []any) error {
			n := func(i int) (n int64) {
				if i < len(v) {
					n, _ = v[i].(int64)
				}
				return n
			}
			each(n(0), n(1), n(2), v)
			return nil
		}))
	}
	read("organization", "id name", func(id, _, _ int64, _ []any) { w.organizations = append(w.organizations, id) })
	read("collaboration", "id name", func(id, _, _ int64, _ []any) { w.collaborations = append(w.collaborations, id) })
	read("Member", "organization_id collaboration_id", func(o, c, _ int64, _ []any) { w.members[[2]int64{o, c}] = true })
	read("user", "id organization_id", func(id, o, _ int64, _ []any) { w.users[id] = o })
	read("node", "id organization_id collaboration_id", func(id, o, c int64, _ []any) { w.nodes[id] = [2]int64{o, c} })
	read("role", "id organization_id name", func(id, o, _ int64, v []any) { w.roles[id], w.roleNames[id] = o, fmt.Sprint(v[2]) })
	read("task", "id collaboration_id", func(id, c, _ int64, _ []any) { w.tasks[id] = c })
	read("result", "id task_id", func(id, t, _ int64, _ []any) { w.results[id] = t })
	read("algorithmport", "id result_id", func(id, r, _ int64, _ []any) { w.ports[id] = r })
	read("rule", "id name scope operation", func(id, _, _ int64, v []any) { w.rules[id] = fmt.Sprint(v[1], " ", v[2], " ", v[3]) })
	read("role_rule_association", "role_id rule_id", func(role, rule, _ int64, _ []any) { w.ofRole[role] = append(w.ofRole[role], rule) })
	read("UserPermission", "user_id rule_id", func(user, rule, _ int64, _ []any) { w.ofUser[user] = append(w.ofUser[user], rule) })
	read("Permission", "user_id role_id", func(user, role, _ int64, _ []any) { w.holds[user] = append(w.holds[user], role) })
	return w
}

// The rules that each start of a 3.x server gives to the roles of containers and nodes. Root gets all.
const (
	ofContainers = "node ORGANIZATION VIEW,collaboration ORGANIZATION VIEW,organization ORGANIZATION VIEW,organization COLLABORATION VIEW," +
		"task ORGANIZATION VIEW,result ORGANIZATION VIEW,port ORGANIZATION VIEW"
	ofNodes = ofContainers + ",node ORGANIZATION EDIT,organization ORGANIZATION EDIT"
)

// heldBy are the rules of a role after a start.
func (w *oldWorld) heldBy(role int64) (names []string) {
	for _, rule := range w.ofRole[role] {
		names = append(names, w.rules[rule])
	}
	switch {
	case w.roles[role] != 0:
	case w.roleNames[role] == "node":
		names = append(names, strings.Split(ofNodes, ",")...)
	case w.roleNames[role] == "container":
		names = append(names, strings.Split(ofContainers, ",")...)
	case w.roleNames[role] == "Root":
		for _, r := range access.Rules {
			names = append(names, fmt.Sprint(r.Resource, " ", r.Scope, " ", r.Operation))
		}
	}
	return names
}

// heldByUser are those of a user, however held.
func (w *oldWorld) heldByUser(user int64) (names []string) {
	for _, rule := range w.ofUser[user] {
		names = append(names, w.rules[rule])
	}
	for _, role := range w.holds[user] {
		names = append(names, w.heldBy(role)...)
	}
	return names
}

// oldCaller is a user or a node with the rules that it holds.
type oldCaller struct {
	*oldWorld

	id, organization, collaboration int64
	node                            bool
	held                            map[string]bool
}

func (w *oldWorld) caller(id int64) oldCaller {
	c := oldCaller{oldWorld: w, id: id, held: map[string]bool{}}
	if n, node := w.nodes[id]; node {
		c.organization, c.collaboration, c.node = n[0], n[1], true
		for name := range strings.SplitSeq(ofNodes, ",") {
			c.held[name] = true
		}
		return c
	}
	c.organization = w.users[id]
	for _, name := range w.heldByUser(id) {
		c.held[name] = true
	}
	return c
}

// has reports whether the caller holds one of the rules of a noun and operation.
func (c oldCaller) has(noun, operation string, scopes ...string) bool {
	return slices.ContainsFunc(scopes, func(scope string) bool { return c.held[noun+" "+scope+" "+operation] })
}

func (c oldCaller) own(organization int64) bool {
	return organization != 0 && organization == c.organization
}

func (c oldCaller) member(collaboration int64) bool {
	return c.members[[2]int64{c.organization, collaboration}]
}

// partner reports whether an organization shares a collaboration with that of the caller.
func (c oldCaller) partner(organization int64) bool {
	return slices.ContainsFunc(c.collaborations, func(id int64) bool { return c.member(id) && c.members[[2]int64{organization, id}] })
}

// may is what a 3.x server decides, as the description of the reference has it: a noun, an operation and a row, or of what
// is made the organization or collaboration that it is for.
func (c oldCaller) may(noun, operation string, id int64) bool {
	if c.has(noun, operation, "GLOBAL") && (noun != "task" || operation != "CREATE") {
		return true
	}
	switch noun + " " + operation {
	case "organization VIEW":
		return c.has(noun, operation, "COLLABORATION") && (c.own(id) || c.partner(id)) || c.has(noun, operation, "ORGANIZATION") && c.own(id)
	case "rule VIEW", "port VIEW": // everybody may, ports by mistake
		return true
	case "collaboration VIEW", "task VIEW", "task DELETE", "result VIEW":
		return c.has(noun, operation, "ORGANIZATION") && c.member(c.place(noun, id))
	case "task CREATE":
		return c.has(noun, operation, "GLOBAL", "ORGANIZATION") && c.member(id)
	case "user VIEW":
		return id == c.id || c.has(noun, operation, "ORGANIZATION") && c.own(c.users[id])
	case "user EDIT", "user DELETE":
		return id == c.id && c.has(noun, operation, "OWN") || c.has(noun, operation, "ORGANIZATION") && c.own(c.users[id])
	case "role VIEW":
		return slices.Contains(c.holds[c.id], id) || c.has(noun, operation, "ORGANIZATION") && c.own(c.roles[id])
	case "role EDIT", "role DELETE":
		return c.has(noun, operation, "ORGANIZATION") && c.own(c.roles[id])
	case "node VIEW", "node EDIT", "node DELETE":
		return c.has(noun, operation, "ORGANIZATION") && c.own(c.nodes[id][0])
	}
	return c.has(noun, operation, "ORGANIZATION") && c.own(id) // organizations change, and what is made for them
}

// place is the collaboration that a row is in; 0 for none.
func (w *oldWorld) place(noun string, id int64) int64 {
	switch noun {
	case "collaboration":
		return id
	case "port":
		id = w.tasks[w.results[w.ports[id]]]
		return id
	case "result":
		return w.tasks[w.results[id]]
	}
	return w.tasks[id]
}

// The differences that are wanted, with where they are promised.
const (
	ofOneCollaboration = "a node reaches what is in its collaboration"                 // /docs/permissions#reach
	itselfSeen         = "a node sees itself, also when its organization is gone"      // /docs/permissions#reach
	itselfOnly         = "a node changes no other node"                                // /docs/permissions#reach
	portsOfOthers      = "ports are for those who see the collaboration"               // /docs/permissions#rules
	defaultRolesSeen   = "who sees the roles of an organization sees the default ones" // /docs/roles#list
	fixedRole          = "default roles stay as they are"                              // /docs/permissions#roles
	notHandedOut       = "who takes rules away holds them"                             // /docs/permissions#hand-out
	lastRoot           = "the last one with the role Root stays"                       // /docs/permissions#hand-out
	noPlace            = "of two nodes of one place one is let in"                     // /docs/takeover#carried
)

// difference names why the new server decides otherwise; empty when it should not.
func (c oldCaller) difference(noun, operation string, id int64, now bool) string {
	standard := c.roles[id] == 0 && slices.Contains([]string{"Root", "container", "node", "Viewer", "Researcher", "Organization Admin", "Collaboration Admin"}, c.roleNames[id])
	switch at := noun + " " + operation; {
	case now && at == "role VIEW" && standard && c.has("role", "VIEW", "ORGANIZATION"):
		return defaultRolesSeen
	case now && at == "node VIEW" && id == c.id:
		return itselfSeen
	case now:
	case c.node && at == "organization VIEW" && !(c.member(c.collaboration) && c.members[[2]int64{id, c.collaboration}]):
		return ofOneCollaboration
	case c.node && at == "node VIEW" && id != c.id && !c.member(c.collaboration):
		return ofOneCollaboration
	case c.node && at == "node EDIT" && id != c.id:
		return itselfOnly
	case c.node && operation == "VIEW" && slices.Contains([]string{"collaboration", "task", "result", "port"}, noun) && (c.place(noun, id) != c.collaboration || !c.member(c.collaboration)):
		return ofOneCollaboration
	case at == "port VIEW" && !c.has("port", "VIEW", "GLOBAL") && !(c.has("port", "VIEW", "ORGANIZATION") && c.member(c.place("port", id))):
		return portsOfOthers
	case (at == "role DELETE" || at == "role EDIT") && standard:
		return fixedRole
	case at == "role DELETE" && !c.holdsAll(c.heldBy(id)):
		return notHandedOut
	case at == "user DELETE" && id != c.id && !c.holdsAll(c.heldByUser(id)):
		return notHandedOut
	case at == "user DELETE" && slices.Equal(c.roots(), []int64{id}):
		return lastRoot
	}
	return ""
}

func (c oldCaller) holdsAll(names []string) bool {
	return !slices.ContainsFunc(names, func(name string) bool { return !c.held[name] })
}

// roots are the users with the role Root.
func (w *oldWorld) roots() (list []int64) {
	for id, roles := range w.holds {
		if slices.ContainsFunc(roles, func(role int64) bool { return w.roleNames[role] == "Root" }) {
			list = append(list, id)
		}
	}
	return list
}

// asker asks the new server as one caller.
type asker struct {
	*patient

	token string
	asked int
}

// get asks for a row; true when it is shown.
func (a *asker) get(noun string, id int64) bool {
	a.Helper()
	a.asked++
	status, _ := a.read(fmt.Sprintf("/%s/%d", noun, id))
	if status != 200 && status != 401 {
		a.Errorf("GET /%s/%d: %d", noun, id, status)
	}
	return status == 200
}

func (a *asker) read(path string) (int, []byte) {
	a.Helper()
	r, err := http.NewRequestWithContext(a.Context(), http.MethodGet, "http://"+a.address+"/api"+path, nil)
	a.must(err)
	r.Header.Set("Authorization", "Bearer "+a.token)
	reply, err := http.DefaultClient.Do(r)
	a.must(err)
	defer func() { _ = reply.Body.Close() }()
	body, err := io.ReadAll(reply.Body)
	a.must(err)
	return reply.StatusCode, body
}

// explained asks whether a request would be refused, and what it may be about.
func (a *asker) explained(method, path string) (allowed bool, reach string) {
	a.Helper()
	a.asked++
	status, body := a.read("/access/explain?method=" + method + "&path=" + path)
	var e struct {
		Allowed bool
		Checks  []struct{ Reach *string }
	}
	if err := json.Unmarshal(body, &e); err != nil || status != 200 {
		a.Errorf("%s %s: %d %s", method, path, status, body)
	}
	if e.Allowed && len(e.Checks) > 0 && e.Checks[0].Reach != nil {
		reach = *e.Checks[0].Reach
	}
	return e.Allowed, reach
}

// may is what the new server answers.
func (a *asker) may(c oldCaller, noun, operation string, id int64) bool {
	a.Helper()
	path := fmt.Sprintf("/%s/%d", noun, id)
	switch operation {
	case "VIEW":
		return a.get(noun, id)
	case "EDIT":
		allowed, _ := a.explained(http.MethodPatch, path)
		return allowed
	case "DELETE":
		allowed, _ := a.explained(http.MethodDelete, path)
		return allowed
	}
	allowed, reach := a.explained(http.MethodPost, "/"+noun)
	switch {
	case !allowed || reach == "everywhere" || id == 0:
		return allowed
	case reach == "organization":
		return c.own(id)
	case reach == "collaborations":
		return c.member(id)
	}
	a.Errorf("POST /%s reaches %s", noun, reach)
	return false
}

// deeds are the operations of each noun that users and nodes have routes for, with the rows that they are about.
func (w *oldWorld) deeds(node bool) map[string][]int64 {
	keys := func(m map[int64]int64) []int64 { return slices.Collect(maps.Keys(m)) }
	nodes := slices.Collect(maps.Keys(w.nodes))
	deeds := map[string][]int64{
		"organization VIEW": w.organizations, "organization EDIT": w.organizations, "collaboration VIEW": w.collaborations, "node VIEW": nodes, "node EDIT": nodes,
		"task VIEW": keys(w.tasks), "result VIEW": keys(w.results), "port VIEW": keys(w.ports),
	}
	if node {
		return deeds
	}
	maps.Copy(deeds, map[string][]int64{
		"organization CREATE": {0}, "collaboration EDIT": w.collaborations, "collaboration DELETE": w.collaborations, "collaboration CREATE": {0},
		"node CREATE": w.organizations, "node DELETE": nodes, "task CREATE": w.collaborations, "task DELETE": keys(w.tasks),
		"user VIEW": keys(w.users), "user EDIT": keys(w.users), "user DELETE": keys(w.users), "user CREATE": w.organizations,
		"role VIEW": keys(w.roles), "role EDIT": keys(w.roles), "role DELETE": keys(w.roles), "role CREATE": w.organizations,
		"rule VIEW": slices.Collect(maps.Keys(w.rules)),
	})
	return deeds
}

// wantRights compares what everybody may with what the old rules give them, and returns how often they differ, and why.
func (p *patient) wantRights(w *oldWorld) (asked int, differ map[string]int) {
	p.Helper()
	differ = map[string]int{}
	callers := slices.Sorted(maps.Keys(w.users))
	callers = append(callers, slices.Sorted(maps.Keys(w.nodes))...)
	for _, id := range callers {
		c := w.caller(id)
		kind := map[bool]string{false: "user", true: "node"}[c.node]
		a := &asker{patient: p, token: p.oldToken("access", kind, id, time.Now().Add(-time.Minute), jwt.MapClaims{"exp": time.Now().Add(time.Hour).Unix()})}
		if c.node && c.collaboration != 0 && len(p.query(p.src(), fmt.Sprintf(`SELECT 1 FROM node WHERE id = %d AND collaboration_id IS NULL`, id))) > 0 {
			if a.get("node", id) {
				p.Errorf("node %d lost its place, and is still let in", id)
			}
			differ[noPlace]++
			continue
		}
		for deed, rows := range w.deeds(c.node) {
			noun, operation, _ := strings.Cut(deed, " ")
			for _, row := range rows {
				before, now := c.may(noun, operation, row), a.may(c, noun, operation, row)
				if before == now {
					continue
				}
				why := c.difference(noun, operation, row, now)
				if why == "" {
					p.Errorf("%s %d, %s of %s %d: with the old server %v, now %v", kind, id, operation, noun, row, before, now)
				}
				differ[why]++
			}
		}
		asked += a.asked
	}
	return asked, differ
}

// rightsThatDiffer are how many, by file and reason.
var rightsThatDiffer = map[string]map[string]int{
	dbtest.Reference304: {itselfOnly: 33, ofOneCollaboration: 267, itselfSeen: 3, fixedRole: 104, noPlace: 1, notHandedOut: 36},
	dbtest.Reference330: {
		itselfOnly: 33, ofOneCollaboration: 328, itselfSeen: 3, fixedRole: 60, noPlace: 1, portsOfOthers: 58, lastRoot: 1, defaultRolesSeen: 48, notHandedOut: 5,
	},
	dbtest.Reference373: {
		itselfOnly: 33, ofOneCollaboration: 328, itselfSeen: 3, fixedRole: 90, noPlace: 1, portsOfOthers: 51, defaultRolesSeen: 48, notHandedOut: 2,
	},
	dbtest.Reference3111: {
		itselfOnly: 33, ofOneCollaboration: 328, itselfSeen: 3, fixedRole: 90, noPlace: 1, portsOfOthers: 51, defaultRolesSeen: 48, notHandedOut: 2,
	},
	dbtest.ReferenceUpgraded: {
		itselfOnly: 33, ofOneCollaboration: 328, itselfSeen: 3, fixedRole: 60, noPlace: 1, portsOfOthers: 58, lastRoot: 1, defaultRolesSeen: 48, notHandedOut: 5,
	},
	dbtest.ReferenceImported: {itselfOnly: 2, ofOneCollaboration: 9},
	dbtest.Reference373Postgres: {
		itselfOnly: 33, ofOneCollaboration: 328, itselfSeen: 3, fixedRole: 90, noPlace: 1, portsOfOthers: 51, defaultRolesSeen: 48, notHandedOut: 2,
	},
}

// TestRightsMeanWhatTheyMeant: what each user and each node may do with each row, by the rules of the old server, is what the
// new one lets them do, but for the differences that are promised.
func TestRightsMeanWhatTheyMeant(t *testing.T) {
	if os.Getenv("VSERVER_TEST_POSTGRES") != "" {
		if promise.Long() {
			newPostgres(t).wantSameRights(dbtest.Reference373Postgres)
		}
		return
	}
	for _, name := range dbtest.ReferenceFiles {
		if !promise.Long() && name != dbtest.Reference373 {
			continue
		}
		t.Run(name, func(t *testing.T) { newPatient(t, name).wantSameRights(name) })
	}
}

func (p *patient) wantSameRights(name string) {
	p.Helper()
	w := p.readOldWorld()
	p.take(Options{})
	p.serve()
	asked, differ := p.wantRights(w)
	p.Logf("%d questions", asked)
	if want := rightsThatDiffer[name]; !maps.Equal(differ, want) {
		p.Errorf("there differ %v, want %v", differ, want)
	}
}
