package handlers

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"vserver/queries/dbtest"
	"vserver/service/core"
	"vserver/service/promise"
)

// matrix tries requests, each on a database in which nothing was changed that it depends on.
type matrix struct {
	w *world
	// before are statements that make the database another one than the fixture.
	before []string
	// tokens are good on every bed: the secret is the same.
	tokens map[string]string
	cases  []trial
	// relations counts the cases of each relation, asked those that could be explained,
	// explained those that were, and single the rules of these that were held to the oracle
	// by themselves.
	relations                map[string]int
	asked, explained, single int
}

// trial is a case of the matrix.
type trial struct {
	route      string // its key in oracle
	c          caller
	id, second int64
}

// callersOfRoles are everybody whose rights come from a role, and those without.
var callersOfRoles = []string{
	"none", "expired", "noperm", "viewer", "researcher", "orgadmin", "colladmin", "chief", "root", "holder",
	"node_iknl_z", "node_iknl_p", "node_foreign", "node_left", "container", "container:13", "ended",
}

func newMatrix(t *testing.T) *matrix {
	t.Helper()
	return &matrix{w: newWorld(t), tokens: map[string]string{}, relations: map[string]int{}}
}

// caller finds somebody by name: a user or node, "container" of node 12 and "container:13"
// for task 1, "ended" for one whose task has ended, "expired" with a token that has, "none".
func (w *world) caller(name string) caller {
	switch name {
	case "none":
		return caller{name: name}
	case "expired":
		return caller{name: name, kind: 'e'}
	case "ended":
		return caller{name: name, kind: 'e', id: 12, task: 6}
	}
	if rest, ok := strings.CutPrefix(name, "container"); ok {
		id := int64(12)
		if rest != "" {
			id = 13
		}
		n := w.nodes[id]
		return caller{
			name: name, kind: 'c', id: id, organization: n.organization, collaboration: n.collaboration, task: 1, run: 1,
			rules: w.ruleNames(w.roles[2].rules),
		}
	}
	for id, u := range w.users {
		if u.name == name {
			return caller{name: name, kind: 'u', id: id, organization: u.organization, rules: w.ruleNames(slices.Collect(maps.Keys(w.held(id))))}
		}
	}
	for id, n := range w.nodes {
		if n.name == name {
			return caller{name: name, kind: 'n', id: id, organization: n.organization, collaboration: n.collaboration, rules: w.ruleNames(w.roles[3].rules)}
		}
	}
	panic("nobody is called " + name)
}

func (w *world) ruleNames(ids []int64) map[string]bool {
	names := map[string]bool{}
	for _, id := range ids {
		names[w.rules[id-1]] = true
	}
	return names
}

// token is what a caller sends, "" for nothing.
func (m *matrix) token(b *bed, c caller) string {
	b.Helper()
	if c.kind == 0 {
		return ""
	}
	if t := m.tokens[c.name]; t != "" {
		return t
	}
	kind, life := "user", time.Hour
	switch {
	case c.name == "expired":
		kind, life, c.id = "user", time.Nanosecond, 1
	case c.kind == 'c', c.kind == 'e':
		n := m.w.nodes[c.id]
		sub, err := json.Marshal(containerSubject{
			ClientType: "container", NodeID: c.id, OrganizationID: n.organization, CollaborationID: n.collaboration, TaskID: c.task, Image: "hello-world",
		})
		if err != nil {
			b.Fatal(err)
		}
		m.tokens[c.name] = b.sign(claims{Subject: sub, ClientType: "container", Type: accessToken}, 0)
		return m.tokens[c.name]
	case c.kind == 'n':
		kind = "node"
	}
	m.tokens[c.name] = b.sign(claims{Subject: fmt.Appendf(nil, "%d", c.id), ClientType: kind, Type: accessToken}, life)
	return m.tokens[c.name]
}

// add makes the cases of a caller for a route.
func (m *matrix) add(route string, c caller) {
	a := oracle[route]
	ids := a.ids
	switch {
	case ids == nil && a.object == "":
		ids = []int64{0}
	case ids == nil:
		ids = objects[a.object]
	}
	for _, id := range ids {
		if id == 0 && a.object == "user" {
			id = max(c.id, 1)
		}
		for _, second := range append(a.seconds, 0)[:max(1, len(a.seconds))] {
			m.relations[m.w.relation(c, a.object, id)]++
			m.cases = append(m.cases, trial{route, c, id, second})
		}
	}
}

// request is the row that a case sends.
func (m *matrix) request(b *bed, c trial) row {
	b.Helper()
	a := oracle[c.route]
	method, path, _ := strings.Cut(c.route, " ")
	path = strings.NewReplacer(":rule_id", itoa(c.second), ":id", itoa(c.id)).Replace(path)
	if c.route == "DELETE /port" {
		path += "?result_id=" + itoa(c.id)
	}
	r := row{method: method, path: path}
	if a.body != nil {
		r.body = a.body(m.w, c.c, c.id)
	}
	if t := m.token(b, c.c); t != "" {
		r.header = map[string]string{"Authorization": "Bearer " + t}
	}
	return r
}

// thin keeps one case of three, others in each run, where all are tried on SQLite too: it is the same code that judges
// them, by rows of the same queries. The long run tries all on both.
func (m *matrix) thin(t *testing.T) {
	t.Helper()
	if os.Getenv("VSERVER_TEST_POSTGRES") == "" || promise.Long() {
		return
	}
	all := len(m.cases)
	m.cases = slices.DeleteFunc(m.cases, func(trial) bool { return rand.IntN(3) != 0 })
	t.Run("others", func(t *testing.T) {
		t.Skipf("skipped: %d of %d cases are tried on SQLite, and on Postgres by make test-long", all-len(m.cases), all)
	})
}

// run sends all cases. What a case has changed is put back before the next one. It returns
// how often that was.
func (m *matrix) run(t *testing.T) (changes int) {
	t.Helper()
	m.thin(t)
	failed := 0
	for i := 0; i < len(m.cases); {
		made := t.Run(fmt.Sprintf("from %d on", i), func(t *testing.T) {
			b := newBedOn(t, worldFixture.Copy(t), core.Settings{})
			b.change(t, m.before...)
			for fresh := true; i < len(m.cases) && fresh; i++ {
				if m.try(b, m.cases[i]) {
					changes++
					fresh = dbtest.Renew(t, b.src)
					b.change(t, m.before...)
				}
			}
		})
		if !made {
			failed++
		}
		if failed > 20 {
			t.Fatal("given up: too many differ")
		}
	}
	return changes
}

// try sends one case, asks before why it may be sent or not, and reports whether it changed
// something.
func (m *matrix) try(b *bed, c trial) bool {
	b.Helper()
	a := oracle[c.route]
	r := m.request(b, c)
	why := m.explanation(b, c, r)
	reply := b.send(b.T, r)
	m.agrees(b, c, why, reply.Code)
	if want := m.w.expects(a, c.c, c.id, c.second); reply.Code != want {
		b.Errorf("%s as %s (%s): got %d %.200s, want %d", r.method+" "+r.path, c.c.name, m.w.relation(c.c, a.object, c.id), reply.Code, reply.Body, want)
	}
	return reply.Code < 300 && r.method != http.MethodGet && !a.harmless
}

// TestPermissionMatrix sends every route as everybody, with objects of every relation, and
// compares the answers with what the documentation says.
func TestPermissionMatrix(t *testing.T) {
	m := newMatrix(t)
	known := map[string]bool{}
	for _, r := range (&Server{}).routes() {
		name := r.method + " " + r.path
		known[name] = true
		if _, ok := oracle[name]; !ok {
			t.Errorf("the oracle does not know %s: say in permission_routes_test.go who gets what", name)
			continue
		}
		for _, who := range callersOfRoles {
			m.add(name, m.w.caller(who))
		}
	}
	for name := range oracle {
		if !known[name] {
			t.Errorf("the oracle knows %s, the route table does not", name)
		}
	}
	changes := m.run(t)
	for _, relation := range []string{"own", "same organization", "same collaboration", "foreign", "missing", "default"} {
		if m.relations[relation] < 100 {
			t.Errorf("only %d cases with something of relation %q", m.relations[relation], relation)
		}
	}
	t.Logf("%d cases of %d routes and %d callers, %d explained with %d rules, %d put back: %v",
		len(m.cases), len(known), len(callersOfRoles), m.explained, m.single, changes, m.relations)
}

// TestPermissionMatrixOfSingleRules does the same with users who hold one rule alone: no
// rule implies another.
func TestPermissionMatrixOfSingleRules(t *testing.T) {
	m := newMatrix(t)
	for _, name := range slices.Sorted(maps.Keys(oracle)) {
		if !strings.Contains(oracle[name].who, "u") {
			continue
		}
		for i, rule := range m.w.rules {
			if concerns(name, rule) {
				m.add(name, m.w.caller(fmt.Sprintf("rule_%d", i+1)))
			}
		}
	}
	changes := m.run(t)
	t.Logf("%d cases, %d explained with %d rules, %d put back", len(m.cases), m.explained, m.single, changes)
}

// concerns reports whether a rule is about a noun of the route: others are tried by the
// roles.
func concerns(route, rule string) bool {
	resource, _, _ := strings.Cut(rule, " ")
	return strings.Contains(route, "/"+resource) || resource == "event" && strings.Contains(route, "/kill/")
}

// TestPermissionMatrixOfWideRoles gives the roles of nodes and containers every rule: they
// reach what they reach by being what they are.
func TestPermissionMatrixOfWideRoles(t *testing.T) {
	m := newMatrix(t)
	all := m.w.roles[1].rules
	m.before = []string{
		`DELETE FROM role_rule WHERE role_id IN (2, 3)`,
		`INSERT INTO role_rule (role_id, rule_id) SELECT o.id, r.id FROM role o CROSS JOIN rule r WHERE o.id IN (2, 3)`,
	}
	for _, id := range []int64{2, 3} {
		m.w.roles[id] = worldRole{name: m.w.roles[id].name, rules: all}
	}
	for _, name := range slices.Sorted(maps.Keys(oracle)) {
		if !strings.ContainsAny(oracle[name].who, "nc") {
			continue
		}
		for _, who := range []string{"node_iknl_z", "node_left", "container"} {
			m.add(name, m.w.caller(who))
		}
	}
	changes := m.run(t)
	t.Logf("%d cases, %d explained with %d rules, %d put back", len(m.cases), m.explained, m.single, changes)
}
