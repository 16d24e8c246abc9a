package handlers

import (
	"fmt"
	"maps"
	"slices"

	"vserver/service/access"
)

// someRule draws a rule, now and then one that does not exist.
func (m *model) someRule() int64 {
	if m.rnd.IntN(16) == 0 {
		return lastRule + 1 + m.rnd.Int64N(40)
	}
	return 1 + m.rnd.Int64N(lastRule)
}

func (m *model) someRules(most int) []int64 {
	list := []int64{}
	for range m.rnd.IntN(most + 1) {
		list = append(list, m.someRule())
	}
	return list
}

// rulesExist is the refusal of rules that are not there.
func rulesExist(ids []int64) int {
	for _, id := range ids {
		if id > lastRule {
			return 404
		}
	}
	return 0
}

// owns is the refusal of rules that the caller does not hold and yet hands out or takes
// (/docs/permissions#hand-out).
func owns(p party, set ruleSet) int { return unless(set&^p.rules == 0, 401) }

// someRoles draws roles for a user of an organization, of which one may be somebody else's. Root is never
// handed out, so that the user who audits keeps it.
func (m *model) someRoles(organization int64, most int) []int64 {
	list := m.few(sorted(m.roles, func(id int64, r *modelRole) bool {
		return id > 3 && (r.organization == 0 || r.organization == organization)
	}), most)
	if m.rnd.IntN(10) == 0 {
		list = append(list, m.any(sorted(m.roles, func(id int64, _ *modelRole) bool { return id > 3 })))
	}
	return slices.DeleteFunc(list, func(id int64) bool { return id == 1 })
}

// gives is the refusal of roles that the caller may not hand out to a user of an organization. Unknown ones are passed
// over.
func (m *model) gives(p party, organization int64, roles []int64) int {
	for _, id := range roles {
		r := at(m.roles, id)
		if r.rules&^p.rules != 0 || r.organization != 0 && r.organization != organization {
			return 401
		}
	}
	return 0
}

// free reports whether no other user has a name or address.
func (m *model) free(id int64, has func(*modelUser) bool) bool {
	return len(sorted(m.users, func(other int64, u *modelUser) bool { return other != id && has(u) })) == 0
}

func (m *model) createUser(p party) step {
	if len(m.users) >= 16 {
		return m.deleteUser(m.account(access.User, 1))
	}
	name := m.name("u", 40)
	made := &modelUser{name: name, email: name + "@example.org", first: "f", organization: p.organization, roles: membersOf()}
	body := fields{"username": made.name, "firstname": made.first, "lastname": "l", "password": "Passw0rd!", "email": made.email}
	if m.sometimes(body, "organization_id", max(1, m.someOrganization())) {
		made.organization = body["organization_id"].(int64)
	}
	roles, rules := m.someRoles(made.organization, 2), []int64{}
	body["roles"] = roles
	if m.rnd.IntN(3) == 0 {
		rules = m.someRules(2)
		body["rules"] = rules
	}
	for _, id := range roles {
		if known(m.roles, id) {
			made.roles[id] = true
		}
	}
	for _, id := range rules {
		made.rules |= setOf(id) & m.roles[1].rules
	}
	ok := m.can(p, "user|glo|create") || m.can(p, "user|org|create") && made.organization == p.organization
	return step{
		as: p, method: "POST", path: "/user", body: body,
		want: m.judge(p, users, 201, unless(ok, 401), unless(known(m.organizations, made.organization), 404),
			unless(m.free(0, func(u *modelUser) bool { return u.name == made.name || u.email == made.email }), 400),
			m.gives(p, made.organization, roles), owns(p, made.rules)),
		then: func(a answer) string {
			m.users[id(a.body)] = made
			return m.made("account", id(a.body)) + m.shows(p, id(a.body), m.userRow)(a)
		},
	}
}

// changeUser writes names and at most one of roles and rules (/docs/users#change).
func (m *model) changeUser(p party) step {
	id := m.any(sorted(m.users, nil))
	u := at(m.users, id)
	to, body := *u, fields{}
	to.roles = maps.Clone(u.roles)
	if m.sometimes(body, "firstname", m.name("f", 9)) {
		to.first = body["firstname"].(string)
	}
	ok := m.can(p, "user|glo|edit") || m.can(p, "user|org|edit") && u.organization == p.organization || m.can(p, "user|own|edit") && id == p.id
	refusals := []int{unless(known(m.users, id), 404), unless(ok, 401)}
	switch n := m.rnd.IntN(10); {
	case n == 0 && id != 1:
		to.name = m.name("u", 40)
		body["username"] = to.name
		refusals = append(refusals, unless(m.free(id, func(o *modelUser) bool { return o.name == to.name }), 400),
			unless(to.name == u.name || id == p.id, 400))
	case n == 1:
		to.email = m.name("u", 40) + "@example.org"
		body["email"] = to.email
		refusals = append(refusals, unless(id == p.id || to.email == u.email || owns(p, m.held(u)) == 0, 401),
			unless(m.free(id, func(o *modelUser) bool { return o.email == to.email }), 400))
	case n < 7:
		roles := m.someRoles(u.organization, 3)
		body["roles"], to.roles = roles, membersOf(roles...)
		refusals = append(refusals, m.rolesRefused(p, id, roles)...)
	default:
		rules := m.someRules(3)
		body["rules"], to.rules = rules, setOf(rules...)
		refusals = append(refusals, rulesExist(rules), unless(id != p.id, 401), owns(p, to.rules), owns(p, u.rules&^to.rules))
	}
	return step{
		as: p, method: "PATCH", path: fmt.Sprint("/user/", id), body: body, want: m.judge(p, users, 200, refusals...),
		then: func(a answer) string {
			*m.users[id] = to
			return m.shows(p, id, m.userRow)(a)
		},
	}
}

// rolesRefused are the refusals of /docs/users#change.
func (m *model) rolesRefused(p party, id int64, roles []int64) []int {
	u, to := at(m.users, id), membersOf(roles...)
	exist := true
	for _, r := range roles {
		exist = exist && known(m.roles, r)
	}
	var taken ruleSet
	for r := range u.roles {
		if !to[r] {
			taken |= m.roles[r].rules
		}
	}
	return []int{
		unless(exist, 404), unless(id != p.id, 401), m.gives(p, u.organization, roles), owns(p, taken),
		unless(to[1] || !m.lastRoot(id), 400),
	}
}

// lastRoot reports whether nobody else holds Root.
func (m *model) lastRoot(id int64) bool {
	return at(m.users, id).roles[1] && m.free(id, func(u *modelUser) bool { return u.roles[1] })
}

func (m *model) deleteUser(p party) step {
	id := m.any(sorted(m.users, nil))
	if len(m.users) < 8 {
		id = 1
	}
	u := at(m.users, id)
	ok := m.can(p, "user|glo|delete") || m.can(p, "user|org|delete") && u.organization == p.organization || m.can(p, "user|own|delete") && id == p.id
	return step{
		as: p, method: "DELETE", path: fmt.Sprint("/user/", id),
		want: m.judge(p, users, 200, unless(known(m.users, id), 404), unless(ok, 401), unless(id == p.id || owns(p, m.held(u)) == 0, 401),
			unless(!m.lastRoot(id), 400)),
		then: does(func() {
			for _, t := range m.tasks {
				if t.user == id {
					t.user = 0
				}
			}
			m.gone = append(m.gone, id)
			delete(m.users, id)
		}),
	}
}

func (m *model) createRole(p party) step {
	if len(m.roles) >= 16 {
		return m.deleteRole(m.account(access.User, 1))
	}
	made, rules := &modelRole{name: m.name("r", 20), description: m.name("d", 9), organization: p.organization}, m.someRules(12)
	made.rules = setOf(rules...)
	body := fields{"name": made.name, "description": made.description, "rules": rules}
	if m.rnd.IntN(2) == 0 {
		made.organization = m.someOrganization()
		body["organization_id"] = made.organization
	}
	reserved := m.rnd.IntN(20) == 0
	if reserved {
		body["name"] = "Viewer"
	}
	return step{
		as: p, method: "POST", path: "/role", body: body,
		want: m.judge(p, users, 201, unless(!reserved, 400), rulesExist(rules), owns(p, made.rules), unless(known(m.organizations, made.organization), 404),
			unless(m.can(p, "role|glo|create") || m.can(p, "role|org|create") && made.organization == p.organization, 401)),
		then: func(a answer) string {
			m.roles[id(a.body)] = made
			return m.made("role", id(a.body)) + m.shows(p, id(a.body), m.roleRow)(a)
		},
	}
}

// mayWriteRole reports whether the caller holds a rule for all roles or for this one.
func (m *model) mayWriteRole(p party, operation string, id int64) bool {
	return m.can(p, "role|glo|"+operation) || m.can(p, "role|org|"+operation) && at(m.roles, id).organization == p.organization
}

func (m *model) changeRole(p party) step {
	id := m.any(sorted(m.roles, nil))
	r := at(m.roles, id)
	to, body := *r, fields{}
	if m.sometimes(body, "name", m.name("r", 20)) {
		to.name = body["name"].(string)
	}
	refusals := []int{unless(known(m.roles, id), 404), unless(id > 7, 400), unless(m.mayWriteRole(p, "edit", id), 401)}
	if rules := m.someRules(12); m.sometimes(body, "rules", rules) {
		to.rules = setOf(rules...)
		refusals = append(refusals, rulesExist(rules), owns(p, to.rules), owns(p, r.rules&^to.rules))
	}
	return step{
		as: p, method: "PATCH", path: fmt.Sprint("/role/", id), body: body, want: m.judge(p, users, 200, refusals...),
		then: func(a answer) string {
			*m.roles[id] = to
			return m.shows(p, id, m.roleRow)(a)
		},
	}
}

func (m *model) deleteRole(p party) step {
	id := m.any(sorted(m.roles, nil))
	kept := id <= 7 && m.can(p, "role|glo|delete")
	return step{
		as: p, method: "DELETE", path: fmt.Sprint("/role/", id),
		want: m.judge(p, users, 200, unless(known(m.roles, id), 404), unless(!kept, 400), unless(m.mayWriteRole(p, "delete", id), 401),
			owns(p, at(m.roles, id).rules)),
		then: does(func() {
			for _, u := range m.users {
				delete(u.roles, id)
			}
			delete(m.roles, id)
		}),
	}
}

// addRule gives a role one more rule (/docs/roles#add-rule). The roles of Root, nodes and containers stay as they
// are.
func (m *model) addRule(p party) step {
	return m.addRuleTo(p, m.any(sorted(m.roles, nil)), m.someRule())
}

func (m *model) addRuleTo(p party, id, rule int64) step {
	locked := id >= 1 && id <= 3
	return step{
		as: p, method: "POST", path: fmt.Sprintf("/role/%d/rule/%d", id, rule),
		want: m.judge(p, users, 201, unless(known(m.roles, id), 404), rulesExist([]int64{rule}), unless(m.mayWriteRole(p, "edit", id), 401),
			unless(!locked, 400), owns(p, setOf(rule))),
		then: does(func() { m.roles[id].rules |= setOf(rule) }),
	}
}

func (m *model) removeRule(p party) step {
	id, rule := m.any(sorted(m.roles, nil)), m.someRule()
	if has := at(m.roles, id).rules.ids(); len(has) > 0 && m.rnd.IntN(3) > 0 {
		rule = m.one(has)
	}
	return m.removeRuleFrom(p, id, rule)
}

func (m *model) removeRuleFrom(p party, id, rule int64) step {
	locked := id >= 1 && id <= 3
	return step{
		as: p, method: "DELETE", path: fmt.Sprintf("/role/%d/rule/%d", id, rule),
		want: m.judge(p, users, 200, unless(known(m.roles, id), 404), rulesExist([]int64{rule}), unless(m.mayWriteRole(p, "delete", id), 401),
			unless(!locked, 400), owns(p, setOf(rule)), unless(at(m.roles, id).rules&setOf(rule) != 0, 404)),
		then: does(func() { m.roles[id].rules &^= setOf(rule) }),
	}
}

// probe puts three steps next: a user reads a list, a role of the user gains or loses the rule for it, and the user reads
// once more. What the server remembers of the user's rights must not be what it was.
func (m *model) probe() {
	holders := sorted(m.users, func(_ int64, u *modelUser) bool { return len(u.roles) > 0 })
	user := m.one(holders)
	role := m.one(sorted(m.users[user].roles, nil))
	nouns := []string{"node", "organization", "collaboration", "task", "result", "user", "role"}
	lists := []func(*model, party) step{
		(*model).listNodes, (*model).listOrganizations, (*model).listCollaborations, (*model).listTasks, (*model).listResults,
		(*model).listUsers, (*model).listRoles,
	}
	n := m.rnd.IntN(len(nouns))
	rule := m.rule[nouns[n]+"|glo|view"]
	look := func() step { return lists[n](m, m.account(access.User, user)) }
	tune := func() step {
		if at(m.roles, role).rules&setOf(rule) != 0 {
			return m.removeRuleFrom(m.account(access.User, 1), role, rule)
		}
		return m.addRuleTo(m.account(access.User, 1), role, rule)
	}
	m.next = []func() step{look, tune, look}
}
