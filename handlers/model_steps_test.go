package handlers

import (
	"fmt"
	"slices"

	"vserver/service/access"
)

// modelCalls are all kinds of steps. What would grow without bound is drawn from a small world: past its size rows are
// deleted instead of made.
func modelCalls() []modelCall {
	return []modelCall{
		{"POST /organization", 2, users, (*model).createOrganization},
		{"PATCH /organization", 4, people, (*model).changeOrganization},
		{"GET /organization/id", 8, anybody, (*model).getOrganization},
		{"GET /organization", 6, anybody, (*model).listOrganizations},
		{"GET /organization/id/", 5, anybody, (*model).ofOrganization},
		{"POST /collaboration", 2, users, (*model).createCollaboration},
		{"PATCH /collaboration", 5, users, (*model).changeCollaboration},
		{"DELETE /collaboration", 1, users, (*model).deleteCollaboration},
		{"POST /collaboration/id/organization", 6, users, (*model).addMember},
		{"DELETE /collaboration/id/organization", 2, users, (*model).removeMember},
		{"POST /collaboration/id/node", 6, users, (*model).moveNode},
		{"DELETE /collaboration/id/node", 2, users, (*model).detachNode},
		{"GET /collaboration/id", 8, anybody, (*model).getCollaboration},
		{"GET /collaboration", 6, users, (*model).listCollaborations},
		{"GET /collaboration/id/", 8, anybody, (*model).ofCollaboration},
		{"POST /node", 20, users, (*model).createNode},
		{"PATCH /node", 8, people, (*model).changeNode},
		{"DELETE /node", 2, users, (*model).deleteNode},
		{"GET /node/id", 8, anybody, (*model).getNode},
		{"GET /node", 6, anybody, (*model).listNodes},
		{"POST /user", 4, users, (*model).createUser},
		{"PATCH /user", 10, users, (*model).changeUser},
		{"DELETE /user", 3, users, (*model).deleteUser},
		{"GET /user/id", 8, users, (*model).getUser},
		{"GET /user", 5, users, (*model).listUsers},
		{"POST /role", 5, users, (*model).createRole},
		{"PATCH /role", 5, users, (*model).changeRole},
		{"DELETE /role", 3, users, (*model).deleteRole},
		{"POST /role/id/rule", 4, users, (*model).addRule},
		{"DELETE /role/id/rule", 4, users, (*model).removeRule},
		{"GET /role/id", 6, users, (*model).getRole},
		{"GET /role", 5, users, (*model).listRoles},
		{"POST /task", 40, users | access.Container, (*model).createTask},
		{"DELETE /task", 3, users, (*model).deleteTask},
		{"GET /task/id", 20, anybody, (*model).getTask},
		{"GET /task", 12, anybody, (*model).listTasks},
		{"POST /kill/task", 4, users, (*model).killTask},
		{"POST /token/container", 14, access.Node, (*model).startContainer},
		{"PATCH /result", 40, access.Node, (*model).changeResult},
		{"GET /result/id", 14, anybody, (*model).getResult},
		{"GET /result", 12, anybody, (*model).listResults},
	}
}

func (m *model) name(start string, names int) string { return fmt.Sprint(start, m.rnd.IntN(names)) }

func (m *model) country() string { return []string{"Netherlands", "Nowhereland"}[m.rnd.IntN(2)] }

func (m *model) someOrganization() int64 { return m.any(sorted(m.organizations, nil)) }

func (m *model) someCollaboration() int64 { return m.any(sorted(m.collaborations, nil)) }

// few draws some ids out of some, each at most once.
func (m *model) few(ids []int64, most int) []int64 {
	list := []int64{}
	for range m.rnd.IntN(most + 1) {
		if id := m.any(ids); !slices.Contains(list, id) {
			list = append(list, id)
		}
	}
	return list
}

// sometimes returns a field that is left out otherwise.
func (m *model) sometimes(f fields, name string, value any) bool {
	if m.rnd.IntN(2) == 0 {
		return false
	}
	f[name] = value
	return true
}

// shows compares the reply with a row as the model has it by then.
func (m *model) shows(p party, id int64, show func(int64, party) fields) func(answer) string {
	return func(a answer) string { return compare(show(id, p), a.body) }
}

// does is a `then` that only changes the model.
func does(change func()) func(answer) string {
	return func(answer) string {
		change()
		return ""
	}
}

func (m *model) createOrganization(p party) step {
	if len(m.organizations) >= 10 {
		return m.changeOrganization(p)
	}
	made := &modelOrganization{m.name("o", 20), m.country()}
	return step{
		as: p, method: "POST", path: "/organization", body: fields{"name": made.name, "country": made.country},
		want: m.judge(p, users, 201, unless(m.can(p, "organization|glo|create"), 401)),
		then: func(a answer) string {
			m.organizations[id(a.body)] = made
			return m.made("organization", id(a.body)) + m.shows(p, id(a.body), m.organizationRow)(a)
		},
	}
}

func (m *model) changeOrganization(p party) step {
	id := m.someOrganization()
	if m.rnd.IntN(2) == 0 {
		id = p.organization
	}
	to := *at(m.organizations, id)
	body := fields{}
	if m.sometimes(body, "name", m.name("o", 20)) {
		to.name = body["name"].(string)
	}
	if m.sometimes(body, "country", m.country()) {
		to.country = body["country"].(string)
	}
	ok := m.can(p, "organization|glo|edit") || m.can(p, "organization|org|edit") && id == p.organization
	return step{
		as: p, method: "PATCH", path: fmt.Sprint("/organization/", id), body: body,
		want: m.judge(p, people, 200, unless(known(m.organizations, id), 404), unless(ok, 401)),
		then: func(a answer) string {
			*m.organizations[id] = to
			return m.shows(p, id, m.organizationRow)(a)
		},
	}
}

// existing returns the ids that organizations have, as members.
func (m *model) existing(ids []int64) map[int64]bool {
	set := membersOf()
	for _, id := range ids {
		if known(m.organizations, id) {
			set[id] = true
		}
	}
	return set
}

// nameFree reports whether no other collaboration has a name.
func (m *model) nameFree(name string, id int64) bool {
	return len(sorted(m.collaborations, func(other int64, c *modelCollaboration) bool { return c.name == name && other != id })) == 0
}

func (m *model) createCollaboration(p party) step {
	if len(m.collaborations) >= 6 {
		return m.changeCollaboration(p)
	}
	made, ids := &modelCollaboration{name: m.name("c", 10), encrypted: m.rnd.IntN(3) == 0}, []int64{m.someOrganization()}
	ids = append(ids, m.few(sorted(m.organizations, nil), 4)...)
	made.members = m.existing(ids)
	return step{
		as: p, method: "POST", path: "/collaboration", body: fields{"name": made.name, "encrypted": made.encrypted, "organization_ids": ids},
		want: m.judge(p, users, 200, unless(m.can(p, "collaboration|glo|create"), 401), unless(m.nameFree(made.name, 0), 400)),
		then: func(a answer) string {
			m.collaborations[id(a.body)] = made
			return m.made("collaboration", id(a.body)) + m.shows(p, id(a.body), m.collaborationRow)(a)
		},
	}
}

func (m *model) changeCollaboration(p party) step {
	id := m.someCollaboration()
	to := *at(m.collaborations, id)
	body := fields{}
	if m.sometimes(body, "name", m.name("c", 10)) {
		to.name = body["name"].(string)
	}
	if m.sometimes(body, "encrypted", m.rnd.IntN(3) == 0) {
		to.encrypted = body["encrypted"].(bool)
	}
	if ids := append(m.few(sorted(m.organizations, nil), 3), sorted(to.members, nil)...); m.rnd.IntN(3) == 0 {
		body["organization_ids"], to.members = ids, m.existing(ids)
	}
	return step{
		as: p, method: "PATCH", path: fmt.Sprint("/collaboration/", id), body: body,
		want: m.judge(p, users, 200, unless(known(m.collaborations, id), 404), unless(m.can(p, "collaboration|glo|edit"), 401),
			unless(m.nameFree(to.name, id), 400)),
		then: func(a answer) string {
			*m.collaborations[id] = to
			return m.shows(p, id, m.collaborationRow)(a)
		},
	}
}

func (m *model) deleteCollaboration(p party) step {
	id := m.someCollaboration()
	if len(m.collaborations) < 3 {
		id = 1 << 40
	}
	return step{
		as: p, method: "DELETE", path: fmt.Sprint("/collaboration/", id),
		want: m.judge(p, users, 200, unless(known(m.collaborations, id), 404), unless(m.can(p, "collaboration|glo|delete"), 401)),
		then: does(func() {
			for _, t := range sorted(m.tasks, func(_ int64, t *modelTask) bool { return t.collaboration == id }) {
				m.forgetTask(t)
			}
			for _, n := range sorted(m.nodes, func(_ int64, n *modelNode) bool { return n.collaboration == id }) {
				m.forgetNode(n)
			}
			delete(m.collaborations, id)
		}),
	}
}

func (m *model) forgetTask(id int64) {
	for _, r := range m.tasks[id].results {
		delete(m.results, r)
	}
	delete(m.tasks, id)
}

func (m *model) forgetNode(id int64) {
	m.gone = append(m.gone, id)
	delete(m.nodes, id)
}

func (m *model) addMember(p party) step {
	id, organization := m.someCollaboration(), m.someOrganization()
	return step{
		as: p, method: "POST", path: fmt.Sprintf("/collaboration/%d/organization", id), body: fields{"id": organization},
		want: m.judge(p, users, 200, unless(known(m.collaborations, id), 404), unless(m.can(p, "collaboration|glo|edit"), 401),
			unless(known(m.organizations, organization), 404)),
		then: func(a answer) string {
			m.collaborations[id].members[organization] = true
			return m.rowsAre(p, m.visibleMembers(p, id), m.organizationRow)(a)
		},
	}
}

func (m *model) removeMember(p party) step {
	id := m.someCollaboration()
	organization := m.any(sorted(at(m.collaborations, id).members, nil))
	return step{
		as: p, method: "DELETE", path: fmt.Sprintf("/collaboration/%d/organization", id), body: fields{"id": organization},
		want: m.judge(p, users, 200, unless(known(m.collaborations, id), 404), unless(known(m.organizations, organization), 404),
			unless(m.can(p, "collaboration|glo|delete"), 401), unless(at(m.collaborations, id).members[organization], 400)),
		then: func(a answer) string {
			delete(m.collaborations[id].members, organization)
			return m.rowsAre(p, m.visibleMembers(p, id), m.organizationRow)(a)
		},
	}
}

// placeTaken reports whether an organization has a node in a collaboration.
func (m *model) placeTaken(organization, collaboration int64) bool {
	return len(sorted(m.nodes, func(_ int64, n *modelNode) bool {
		return n.organization == organization && n.collaboration == collaboration
	})) > 0
}

// isPlaced returns the refusal when an organization cannot get its node in a collaboration.
func (m *model) isPlaced(organization, collaboration int64) int {
	ok := at(m.collaborations, collaboration).members[organization] && !m.placeTaken(organization, collaboration)
	return unless(ok, 400)
}

func (m *model) moveNode(p party) step {
	id, node := m.someCollaboration(), m.any(sorted(m.nodes, nil))
	return step{
		as: p, method: "POST", path: fmt.Sprintf("/collaboration/%d/node", id), body: fields{"id": node},
		want: m.judge(p, users, 201, unless(known(m.collaborations, id), 404), unless(m.can(p, "collaboration|glo|edit"), 401),
			unless(known(m.nodes, node), 404), m.isPlaced(at(m.nodes, node).organization, id)),
		then: func(a answer) string {
			m.nodes[node].collaboration = id
			return m.rowsAre(p, m.visibleNodes(p, id), m.simpleNodeRow)(a)
		},
	}
}

func (m *model) detachNode(p party) step {
	node := m.any(sorted(m.nodes, nil))
	id := at(m.nodes, node).collaboration
	if m.rnd.IntN(4) == 0 {
		id = m.someCollaboration()
	}
	return step{
		as: p, method: "DELETE", path: fmt.Sprintf("/collaboration/%d/node", id), body: fields{"id": node},
		want: m.judge(p, users, 200, unless(known(m.collaborations, id), 404), unless(m.can(p, "collaboration|glo|edit"), 401),
			unless(known(m.nodes, node), 404), unless(at(m.nodes, node).collaboration == id, 400)),
		then: does(func() { m.nodes[node].collaboration = 0 }),
	}
}

func (m *model) createNode(p party) step {
	if len(m.nodes) >= 20 {
		return m.deleteNode(m.account(access.User, 1))
	}
	made := &modelNode{"", p.organization, m.someCollaboration()}
	body := fields{"collaboration_id": made.collaboration}
	if m.rnd.IntN(3) > 0 {
		made.organization = m.any(sorted(at(m.collaborations, made.collaboration).members, func(o int64, _ bool) bool {
			return !m.placeTaken(o, made.collaboration) || m.rnd.IntN(8) == 0
		}))
		body["organization_id"] = made.organization
	}
	made.name = at(m.organizations, made.organization).name + " - " + at(m.collaborations, made.collaboration).name + " Node"
	if m.sometimes(body, "name", m.name("n", 20)) {
		made.name = body["name"].(string)
	}
	ok := m.can(p, "node|glo|create") || m.can(p, "node|org|create") && made.organization == p.organization
	return step{
		as: p, method: "POST", path: "/node", body: body,
		want: m.judge(p, users, 201, unless(known(m.collaborations, made.collaboration), 404), unless(ok, 401),
			m.isPlaced(made.organization, made.collaboration)),
		then: func(a answer) string {
			m.nodes[id(a.body)] = made
			return m.made("account", id(a.body)) + m.shows(p, id(a.body), m.nodeRow)(a)
		},
	}
}

func (m *model) changeNode(p party) step {
	id := m.any(sorted(m.nodes, nil))
	if p.kind == access.Node && m.rnd.IntN(2) == 0 {
		id = p.id
	}
	n := at(m.nodes, id)
	to, body := *n, fields{}
	if m.sometimes(body, "name", m.name("n", 20)) {
		to.name = body["name"].(string)
	}
	if m.rnd.IntN(3) == 0 {
		to.organization = max(1, m.someOrganization())
		body["organization_id"] = to.organization
	}
	if m.rnd.IntN(3) == 0 {
		to.collaboration = max(1, m.someCollaboration())
		body["collaboration_id"] = to.collaboration
	}
	own := n.organization == p.organization
	moved, placed := to.organization != n.organization, to.collaboration != n.collaboration
	ok := (m.can(p, "node|glo|edit") || m.can(p, "node|org|edit") && own) && (p.kind == access.User || id == p.id && !moved && !placed)
	refusals := []int{unless(known(m.nodes, id), 404), unless(ok, 401), unless(!moved || m.can(p, "node|glo|edit"), 401)}
	if moved || placed {
		refusals = append(refusals, unless(known(m.organizations, to.organization), 404),
			unless(to.collaboration == 0 || known(m.collaborations, to.collaboration), 404),
			unless(to.collaboration == 0 || m.isPlaced(to.organization, to.collaboration) == 0, 400))
	}
	return step{
		as: p, method: "PATCH", path: fmt.Sprint("/node/", id), body: body, want: m.judge(p, people, 200, refusals...),
		then: func(a answer) string {
			*m.nodes[id] = to
			return m.shows(p, id, m.nodeRow)(a)
		},
	}
}

func (m *model) deleteNode(p party) step {
	id := m.any(sorted(m.nodes, nil))
	ok := m.can(p, "node|glo|delete") || m.can(p, "node|org|delete") && at(m.nodes, id).organization == p.organization
	return step{
		as: p, method: "DELETE", path: fmt.Sprint("/node/", id),
		want: m.judge(p, users, 200, unless(known(m.nodes, id), 404), unless(ok, 401)),
		then: does(func() { m.forgetNode(id) }),
	}
}
