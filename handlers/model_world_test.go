package handlers

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"vserver/service/access"
)

// model is a small server of its own, in plain maps, with the rules of the contract: what it answers to a call, the
// real server has to answer, too. Calls are drawn at random; which ones depends on the seed alone.
type model struct {
	*bed
	rnd  *rand.Rand
	rule map[string]int64 // the ids of the rules by their names

	organizations  map[int64]*modelOrganization
	collaborations map[int64]*modelCollaboration
	nodes          map[int64]*modelNode
	users          map[int64]*modelUser
	roles          map[int64]*modelRole
	tasks          map[int64]*modelTask
	results        map[int64]*modelResult
	newest         map[string]int64 // the highest id that a kind of row ever had; users and nodes are accounts

	gone       []int64 // accounts that were deleted, whose tokens must not work
	containers []party
	tokens     map[int64]string
	next       []func() step // what comes before anything drawn
	recent     []string      // the last steps
}

type (
	modelOrganization  struct{ name, country string }
	modelCollaboration struct {
		name      string
		encrypted bool
		members   map[int64]bool
	}
	modelNode struct {
		name                        string
		organization, collaboration int64
	}
	modelUser struct {
		name, email, first string
		organization       int64
		roles              map[int64]bool
		rules              ruleSet
	}
	modelRole struct {
		name, description string
		organization      int64 // 0: a default role
		rules             ruleSet
	}
	modelTask struct {
		name, image                                 string
		collaboration, parent, run, initiator, user int64
		results                                     []int64
	}
	modelResult struct {
		task, organization int64
		status             string
		input, output      any // nil for null, also below
		started, finished  any
	}
)

// ruleSet has a bit for each id of a rule.
type ruleSet uint64

func setOf(ids ...int64) ruleSet {
	var s ruleSet
	for _, id := range ids {
		s |= 1 << id
	}
	return s
}

func (s ruleSet) ids() []int64 {
	var list []int64
	for id := range int64(64) {
		if s&setOf(id) != 0 {
			list = append(list, id)
		}
	}
	return list
}

// contractRules are the rules in the order of their ids (/docs/permissions#table).
const contractRules = `node|glo|view node|org|view node|glo|edit node|org|edit node|glo|create node|org|create
	node|glo|delete node|org|delete
	collaboration|glo|view collaboration|org|view collaboration|glo|edit collaboration|glo|create collaboration|glo|delete
	organization|glo|view organization|org|view organization|col|view organization|glo|edit organization|org|edit
	organization|glo|create
	task|glo|view task|org|view task|glo|create task|org|create task|glo|delete task|org|delete result|glo|view result|org|view
	user|glo|view user|org|view user|glo|create user|org|create user|glo|edit user|org|edit user|own|edit
	user|glo|delete user|org|delete user|own|delete
	role|glo|view role|org|view role|glo|create role|org|create role|glo|edit role|org|edit role|glo|delete role|org|delete
	port|glo|view port|org|view
	event|org|view event|col|view event|glo|view event|org|create event|col|create event|glo|create`

const lastRule = 53

// The rules of the default roles (/docs/permissions#table).
func defaultRules() (all, container, node, viewer, researcher, organizationAdmin, collaborationAdmin ruleSet) {
	all = 1<<(lastRule+1) - 2
	container = setOf(2, 10, 15, 16, 21, 27, 47)
	node = container | setOf(4, 18)
	viewer = container | setOf(29, 34, 37, 39, 48)
	researcher = viewer | setOf(23, 25)
	organizationAdmin = researcher | setOf(4, 6, 18, 31, 33, 36, 41, 43, 45, 51)
	collaborationAdmin = organizationAdmin | setOf(1, 5, 7, 9, 11, 14, 17, 28, 30, 32, 38, 49, 52)
	return
}

// newModel is the model of the fixture.
func newModel(t *testing.T, seed uint64) *model {
	t.Helper()
	m := &model{
		bed: newBed(t), rnd: rand.New(rand.NewPCG(seed, 14)), rule: map[string]int64{}, tokens: map[int64]string{},
		organizations: map[int64]*modelOrganization{
			1: {name: "root"}, 2: {"IKNL", "Netherlands"}, 3: {"Small", "Nowhereland"}, 4: {"Big", "Nowhereland"},
		},
		collaborations: map[int64]*modelCollaboration{
			1: {name: "ZEPPELIN", members: membersOf(2, 3, 4)}, 2: {name: "PIPELINE", members: membersOf(2, 4)},
			3: {name: "SLIPPERS", members: membersOf(3, 4)},
		},
		users: map[int64]*modelUser{1: {name: "root", email: "root@domain.ext", organization: 1, roles: membersOf(1)}},
		nodes: map[int64]*modelNode{},
		tasks: map[int64]*modelTask{1: {"first", "hello-world", 1, 0, 1, 2, 2, []int64{1, 2, 3}}},
		results: map[int64]*modelResult{
			1: {task: 1, organization: 2, status: "pending", input: "aW4="}, 2: {task: 1, organization: 3, status: "pending", input: "aW4="},
			3: {task: 1, organization: 4, status: "pending", input: "aW4="},
		},
		newest: map[string]int64{"organization": 4, "collaboration": 3, "account": 18, "role": 10, "task": 1, "result": 3, "run": 1},
	}
	for i, name := range strings.Fields(contractRules) {
		m.rule[name] = int64(i + 1)
	}
	all, container, node, viewer, researcher, organizationAdmin, collaborationAdmin := defaultRules()
	m.roles = map[int64]*modelRole{
		1: {"Root", "*", 0, all}, 2: {"container", "*", 0, container}, 3: {"node", "*", 0, node}, 4: {"Viewer", "*", 0, viewer},
		5: {"Researcher", "*", 0, researcher}, 6: {"Organization Admin", "*", 0, organizationAdmin},
		7: {"Collaboration Admin", "*", 0, collaborationAdmin},
		8: {"super", "s", 2, all}, 9: {"super", "s", 3, all}, 10: {"super", "s", 4, all},
	}
	for i, u := range fixtureUsers {
		made := &modelUser{name: u.name, email: u.name + "@example.org", first: "First", organization: int64(u.organization), roles: membersOf()}
		if u.role > 0 {
			made.roles[int64(u.role)] = true
		}
		m.users[int64(i+2)] = made
	}
	for i, n := range fixtureNodes {
		m.nodes[int64(i+12)] = &modelNode{n.name, int64(n.organization), int64(n.collaboration)}
	}
	return m
}

func membersOf(ids ...int64) map[int64]bool {
	set := map[int64]bool{}
	for _, id := range ids {
		set[id] = true
	}
	return set
}

// party is who makes a call.
type party struct {
	kind                        access.Kind
	id                          int64 // of a container, that of its node
	organization, collaboration int64
	task, run                   int64 // of a container
	image, token                string
	rules                       ruleSet
	dead                        bool // its account or task is gone
}

func (p party) String() string {
	if p.kind == access.Container {
		return fmt.Sprintf("container of node %d in task %d", p.id, p.task)
	}
	return fmt.Sprintf("%s %d", p.kind, p.id)
}

// can reports whether the caller holds one of the rules.
func (m *model) can(p party, rules ...string) bool {
	for _, name := range rules {
		id, known := m.rule[name]
		if !known {
			m.Fatalf("there is no rule %s", name)
		}
		if p.rules&setOf(id) != 0 {
			return true
		}
	}
	return false
}

// account is the caller behind a user's or node's token.
func (m *model) account(kind access.Kind, id int64) party {
	p := party{kind: kind, id: id, token: m.tokens[id]}
	if p.token == "" {
		p.token = m.sign(claims{Subject: []byte(itoa(id)), ClientType: kind.String(), Type: accessToken}, 100*time.Hour)
		m.tokens[id] = p.token
	}
	u, n := m.users[id], m.nodes[id]
	switch {
	case kind == access.User && u != nil:
		p.organization, p.rules = u.organization, m.held(u)
	case kind == access.Node && n != nil:
		p.organization, p.collaboration, p.rules = n.organization, n.collaboration, m.roles[3].rules
	default:
		p.dead = true
	}
	return p
}

// held are the rules that a user has, by its roles and by itself.
func (m *model) held(u *modelUser) ruleSet {
	set := u.rules
	for id := range u.roles {
		set |= m.roles[id].rules
	}
	return set
}

// caller draws who makes the next call.
func (m *model) caller() party {
	switch n := m.rnd.IntN(100); {
	case n < 2 && len(m.gone) > 0:
		return m.account([]access.Kind{access.User, access.Node}[m.rnd.IntN(2)], m.gone[m.rnd.IntN(len(m.gone))])
	case n < 14 && len(m.containers) > 0:
		return m.container(m.containers[m.rnd.IntN(len(m.containers))])
	case n < 38 && len(m.nodes) > 0:
		return m.account(access.Node, m.one(sorted(m.nodes, nil)))
	case n < 75:
		return m.account(access.User, m.one(sorted(m.users, nil)))
	}
	return m.account(access.User, 1)
}

// container looks at what has become of a container's node and task (/docs/permissions#reach).
func (m *model) container(p party) party {
	n, t := at(m.nodes, p.id), at(m.tasks, p.task)
	p.dead = n.collaboration != p.collaboration || n.organization != p.organization || t.collaboration != p.collaboration ||
		m.complete(t)
	p.run, p.rules = t.run, m.roles[2].rules
	return p
}

// at returns a row, an empty one when there is none.
func at[R any](rows map[int64]*R, id int64) *R {
	if r := rows[id]; r != nil {
		return r
	}
	return new(R)
}

// sorted returns the ids of the rows that fit, ascending.
func sorted[R any](rows map[int64]R, fits func(int64, R) bool) []int64 {
	var list []int64
	for _, id := range slices.Sorted(maps.Keys(rows)) {
		if fits == nil || fits(id, rows[id]) {
			list = append(list, id)
		}
	}
	return list
}

// one draws one of some ids.
func (m *model) one(ids []int64) int64 { return ids[m.rnd.IntN(len(ids))] }

// any draws the id of a row, now and then one that no row has.
func (m *model) any(ids []int64) int64 {
	if len(ids) == 0 || m.rnd.IntN(16) == 0 {
		return []int64{0, 1000, 1 << 40}[m.rnd.IntN(3)] + m.rnd.Int64N(20)
	}
	return ids[m.rnd.IntN(len(ids))]
}
