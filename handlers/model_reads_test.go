package handlers

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"vserver/service/access"
)

const (
	users   = access.User
	people  = access.User | access.Node
	anybody = access.User | access.Node | access.Container
)

// wanted is a filter of a list: it may be drawn, and then only rows that fit are shown.
type wanted struct {
	name  string
	value any
	fits  func(int64) bool
}

// list is a step that reads a list with some of the filters and by pages or as a whole.
func (m *model) list(p party, path string, want int, ids []int64, show func(int64, party) fields, filters ...wanted) step {
	query := url.Values{}
	for _, f := range filters {
		if m.rnd.IntN(2+len(filters)) < 2 {
			query.Set(f.name, fmt.Sprint(f.value))
			ids = slices.DeleteFunc(slices.Clone(ids), func(id int64) bool { return !f.fits(id) })
		}
	}
	envelope := m.rnd.IntN(4) == 0
	if envelope {
		query.Set("include", "metadata")
	}
	page := ids
	if m.rnd.IntN(3) > 0 {
		number, size := 1+m.rnd.IntN(3), 1+m.rnd.IntN(6)
		query.Set("page", fmt.Sprint(number))
		query.Set("per_page", fmt.Sprint(size))
		page = ids[min(len(ids), (number-1)*size):min(len(ids), number*size)]
	}
	if more := query.Encode(); more != "" {
		path += "?" + more
	}
	return step{as: p, method: "GET", path: path, want: want, then: m.lists(p, ids, page, envelope, show)}
}

// get is a step that reads one row.
func (m *model) get(p party, path string, id int64, want int, show func(int64, party) fields) step {
	return step{as: p, method: "GET", path: fmt.Sprintf(path, id), want: want, then: func(a answer) string {
		return compare(show(id, p), a.body)
	}}
}

// like matches a pattern that may end in a %.
func like(pattern, text string) bool {
	start, open := strings.CutSuffix(pattern, "%")
	return open && strings.HasPrefix(text, start) || pattern == text
}

func (m *model) getOrganization(p party) step {
	id := m.any(sorted(m.organizations, nil))
	want := m.judge(p, anybody, 200, unless(known(m.organizations, id), 404), unless(m.seesOrganization(p, id), 401))
	return m.get(p, "/organization/%d", id, want, m.organizationRow)
}

func (m *model) listOrganizations(p party) step {
	ids := sorted(m.organizations, func(id int64, _ *modelOrganization) bool { return m.seesOrganization(p, id) })
	want := m.judge(p, anybody, 200, unless(m.can(p, "organization|glo|view", "organization|col|view", "organization|org|view"), 401))
	c, name, country := m.any(sorted(m.collaborations, nil)), fmt.Sprintf("o%d%%", m.rnd.IntN(10)), m.country()
	return m.list(p, "/organization", want, ids, m.organizationRow,
		wanted{"name", name, func(id int64) bool { return like(name, m.organizations[id].name) }},
		wanted{"country", country, func(id int64) bool { return m.organizations[id].country == country }},
		wanted{"collaboration_id", c, func(id int64) bool { return at(m.collaborations, c).members[id] }})
}

// ofOrganization reads the collaborations or nodes of an organization
// (/docs/organizations#collaborations and /docs/organizations#nodes).
func (m *model) ofOrganization(p party) step {
	id := m.any(sorted(m.organizations, nil))
	noun, path := "node", "/organization/%d/node"
	ids, show := sorted(m.nodes, func(n int64, r *modelNode) bool { return r.organization == id && m.seesNode(p, n) }), m.nodeRow
	if m.rnd.IntN(2) == 0 {
		noun, path, show = "collaboration", "/organization/%d/collaboration", m.collaborationRow
		ids = sorted(m.collaborations, func(c int64, r *modelCollaboration) bool { return r.members[id] && m.seesCollaboration(p, noun, c) })
	}
	ok := p.kind == access.User && m.can(p, noun+"|glo|view") || m.can(p, noun+"|org|view") && id == p.organization
	want := m.judge(p, people, 200, unless(known(m.organizations, id), 404), unless(ok, 401))
	return step{as: p, method: "GET", path: fmt.Sprintf(path, id), want: want, then: m.rowsAre(p, ids, show)}
}

func (m *model) getCollaboration(p party) step {
	id := m.any(sorted(m.collaborations, nil))
	want := m.judge(p, anybody, 200, unless(known(m.collaborations, id), 404), unless(m.seesCollaboration(p, "collaboration", id), 401))
	return m.get(p, "/collaboration/%d", id, want, m.collaborationRow)
}

func (m *model) listCollaborations(p party) step {
	global := m.can(p, "collaboration|glo|view")
	ids := sorted(m.collaborations, func(id int64, _ *modelCollaboration) bool { return m.seesCollaboration(p, "collaboration", id) })
	name, encrypted, organization := fmt.Sprintf("c%d", m.rnd.IntN(10)), m.rnd.IntN(2) == 0, m.any(sorted(m.organizations, nil))
	if m.rnd.IntN(2) == 0 {
		organization = p.organization
	}
	s := m.list(p, "/collaboration", 0, ids, m.collaborationRow,
		wanted{"name", name, func(id int64) bool { return m.collaborations[id].name == name }},
		wanted{"encrypted", encrypted, func(id int64) bool { return m.collaborations[id].encrypted == encrypted }},
		wanted{"organization_id", organization, func(id int64) bool { return m.collaborations[id].members[organization] }})
	foreign := strings.Contains(s.path, "organization_id") && organization != p.organization
	s.want = m.judge(p, users, 200, unless(global || !foreign, 401), unless(global || m.can(p, "collaboration|org|view"), 401))
	return s
}

// ofCollaboration reads the members, nodes or tasks of a collaboration (/docs/collaborations#members,
// /docs/collaborations#nodes and /docs/collaborations#tasks).
func (m *model) ofCollaboration(p party) step {
	id := m.any(sorted(m.collaborations, nil))
	missing, refused := unless(known(m.collaborations, id), 404), unless(m.seesCollaboration(p, "collaboration", id), 401)
	path := fmt.Sprintf("/collaboration/%d/", id)
	switch m.rnd.IntN(3) {
	case 0:
		want := m.judge(p, anybody, 200, missing, refused,
			unless(m.can(p, "organization|glo|view", "organization|col|view", "organization|org|view"), 401))
		return m.list(p, path+"organization", want, m.visibleMembers(p, id), m.organizationRow)
	case 1:
		want := m.judge(p, users, 200, missing, refused, unless(m.can(p, "node|glo|view", "node|org|view"), 401))
		return m.list(p, path+"node", want, m.visibleNodes(p, id), m.simpleNodeRow)
	}
	want := m.judge(p, people, 200, missing, unless(m.seesCollaboration(p, "task", id), 401))
	return m.list(p, path+"task", want, sorted(m.tasks, func(_ int64, t *modelTask) bool { return t.collaboration == id }), m.taskRow)
}

func (m *model) visibleMembers(p party, id int64) []int64 {
	return sorted(at(m.collaborations, id).members, func(o int64, _ bool) bool { return m.seesOrganization(p, o) })
}

func (m *model) visibleNodes(p party, id int64) []int64 {
	return sorted(m.nodes, func(n int64, r *modelNode) bool { return r.collaboration == id && m.seesNode(p, n) })
}

func (m *model) getNode(p party) step {
	id := m.any(sorted(m.nodes, nil))
	if p.kind != access.User && m.rnd.IntN(2) == 0 {
		id = p.id
	}
	want := m.judge(p, anybody, 200, unless(known(m.nodes, id), 404), unless(m.seesNode(p, id), 401))
	return m.get(p, "/node/%d", id, want, m.nodeRow)
}

func (m *model) listNodes(p party) step {
	ids := sorted(m.nodes, func(id int64, _ *modelNode) bool { return m.seesNode(p, id) })
	name, o, c := fmt.Sprintf("n%d%%", m.rnd.IntN(10)), m.any(sorted(m.organizations, nil)), m.any(sorted(m.collaborations, nil))
	return m.list(p, "/node", m.judge(p, people, 200, unless(m.can(p, "node|glo|view", "node|org|view"), 401)), ids, m.nodeRow,
		wanted{"name", name, func(id int64) bool { return like(name, m.nodes[id].name) }},
		wanted{"organization_id", o, func(id int64) bool { return m.nodes[id].organization == o }},
		wanted{"collaboration_id", c, func(id int64) bool { return m.nodes[id].collaboration == c && c != 0 }})
}

func (m *model) getUser(p party) step {
	id := m.any(sorted(m.users, nil))
	want := m.judge(p, users, 200, unless(known(m.users, id), 404), unless(m.seesUser(p, id), 401))
	return m.get(p, "/user/%d", id, want, m.userRow)
}

func (m *model) listUsers(p party) step {
	global := m.can(p, "user|glo|view")
	ids := sorted(m.users, func(_ int64, u *modelUser) bool { return global || u.organization == p.organization })
	name, o, role, rule := fmt.Sprintf("u%d%%", m.rnd.IntN(4)), m.any(sorted(m.organizations, nil)), m.any(sorted(m.roles, nil)), m.someRule()
	return m.list(p, "/user", m.judge(p, users, 200, unless(global || m.can(p, "user|org|view"), 401)), ids, m.userRow,
		wanted{"username", name, func(id int64) bool { return like(name, m.users[id].name) }},
		wanted{"organization_id", o, func(id int64) bool { return m.users[id].organization == o }},
		wanted{"role_id", role, func(id int64) bool { return m.users[id].roles[role] }},
		wanted{"rule_id", rule, func(id int64) bool { return m.users[id].rules&setOf(rule) != 0 }})
}

func (m *model) getRole(p party) step {
	id := m.any(sorted(m.roles, nil))
	want := m.judge(p, users, 200, unless(known(m.roles, id), 404), unless(m.seesRole(p, id), 401))
	if m.rnd.IntN(4) == 0 {
		ids := at(m.roles, id).rules.ids()
		return m.list(p, fmt.Sprintf("/role/%d/rule", id), want, ids, func(id int64, _ party) fields { return fields{"id": id} })
	}
	return m.get(p, "/role/%d", id, want, m.roleRow)
}

func (m *model) listRoles(p party) step {
	ids := sorted(m.roles, func(id int64, _ *modelRole) bool { return m.seesRole(p, id) })
	name, o, rule, user := fmt.Sprintf("r%d%%", m.rnd.IntN(4)), m.any(sorted(m.organizations, nil)), m.someRule(), m.any(sorted(m.users, nil))
	return m.list(p, "/role", m.judge(p, users, 200), ids, m.roleRow,
		wanted{"name", name, func(id int64) bool { return like(name, m.roles[id].name) }},
		wanted{"organization_id", o, func(id int64) bool { return m.roles[id].organization == o && o != 0 }},
		wanted{"rule_id", rule, func(id int64) bool { return m.roles[id].rules&setOf(rule) != 0 }},
		wanted{"user_id", user, func(id int64) bool { return at(m.users, user).roles[id] }})
}

func (m *model) getTask(p party) step {
	id := m.any(sorted(m.tasks, nil))
	missing := unless(known(m.tasks, id), 404)
	switch m.rnd.IntN(4) {
	case 0:
		want := m.judge(p, users|access.Container, 200, missing, unless(m.reaches(p, "result", id), 401))
		return m.list(p, fmt.Sprintf("/task/%d/result", id), want, at(m.tasks, id).results, m.resultOfTaskRow)
	case 1:
		want := m.judge(p, anybody, 200, missing, unless(m.reaches(p, "task", id), 401))
		return m.get(p, "/task/%d?include=results", id, want, m.taskWithResults)
	}
	return m.get(p, "/task/%d", id, m.judge(p, anybody, 200, missing, unless(m.reaches(p, "task", id), 401)), m.taskRow)
}

func (m *model) listTasks(p party) step {
	ids := down(sorted(m.tasks, func(id int64, _ *modelTask) bool { return m.reaches(p, "task", id) }))
	o, u, c := m.any(sorted(m.organizations, nil)), m.any(sorted(m.users, nil)), m.any(sorted(m.collaborations, nil))
	parent, result, run := m.any(sorted(m.tasks, nil)), m.any(sorted(m.results, nil)), max(1, m.newest["run"]-m.rnd.Int64N(40))
	name := fmt.Sprintf("t%d%%", m.rnd.IntN(10))
	status := []string{"pending", "active", "completed", "failed", "unknown", "%"}[m.rnd.IntN(6)]
	return m.list(p, "/task", m.judge(p, anybody, 200, unless(m.can(p, "task|glo|view", "task|org|view"), 401)), ids, m.taskRow,
		wanted{"initiator_id", o, func(id int64) bool { return m.tasks[id].initiator == o }},
		wanted{"init_user_id", u, func(id int64) bool { return m.tasks[id].user == u && u != 0 }},
		wanted{"collaboration_id", c, func(id int64) bool { return m.tasks[id].collaboration == c }},
		wanted{"parent_id", parent, func(id int64) bool { return m.tasks[id].parent == parent && parent != 0 }},
		wanted{"run_id", run, func(id int64) bool { return m.tasks[id].run == run }},
		wanted{"result_id", result, func(id int64) bool { return at(m.results, result).task == id }},
		wanted{"name", name, func(id int64) bool { return like(name, m.tasks[id].name) }},
		wanted{"status", status, func(id int64) bool { return like(status, m.status(m.tasks[id])) }})
}

func (m *model) getResult(p party) step {
	id := m.any(sorted(m.results, nil))
	want := m.judge(p, anybody, 200, unless(known(m.results, id), 404), unless(m.reaches(p, "result", at(m.results, id).task), 401))
	if m.rnd.IntN(2) == 0 {
		return m.get(p, "/result/%d?include=task", id, want, m.resultWithTask)
	}
	return m.get(p, "/result/%d", id, want, m.resultRow)
}

func (m *model) listResults(p party) step {
	ids := down(sorted(m.results, func(_ int64, r *modelResult) bool { return m.reaches(p, "result", r.task) }))
	o, task, node := m.any(sorted(m.organizations, nil)), m.any(sorted(m.tasks, nil)), m.any(sorted(m.nodes, nil))
	if p.kind == access.Node && m.rnd.IntN(2) == 0 {
		node = p.id
	}
	n := at(m.nodes, node)
	return m.list(p, "/result", m.judge(p, anybody, 200, unless(m.can(p, "result|glo|view", "result|org|view"), 401)), ids, m.resultRow,
		wanted{"organization_id", o, func(id int64) bool { return m.results[id].organization == o }},
		wanted{"task_id", task, func(id int64) bool { return m.results[id].task == task }},
		wanted{"state", "open", func(id int64) bool { return m.results[id].finished == nil }},
		wanted{"node_id", node, func(id int64) bool {
			r := m.results[id]
			return n.collaboration != 0 && r.organization == n.organization && m.tasks[r.task].collaboration == n.collaboration
		}})
}
