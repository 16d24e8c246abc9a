package handlers

import "vserver/service/access"

// fields are what the model knows of a row's JSON.
type fields map[string]any

func linkTo(id int64) any {
	if id == 0 {
		return nil
	}
	return fields{"id": id}
}

// linksTo returns null for no ids (/docs/wire#links).
func linksTo(ids []int64) any {
	if len(ids) == 0 {
		return nil
	}
	list := make([]any, len(ids))
	for i, id := range ids {
		list[i] = linkTo(id)
	}
	return list
}

func numbers(ids []int64) []int64 { return append([]int64{}, ids...) }

func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}

func (m *model) collaborationsOf(organization int64) []int64 {
	return sorted(m.collaborations, func(_ int64, c *modelCollaboration) bool { return c.members[organization] })
}

func (m *model) organizationRow(id int64, _ party) fields {
	o := m.organizations[id]
	return fields{
		"id": id, "name": o.name, "country": orNull(o.country), "collaborations": linksTo(m.collaborationsOf(id)),
		"nodes":   linksTo(sorted(m.nodes, func(_ int64, n *modelNode) bool { return n.organization == id })),
		"users":   linksTo(sorted(m.users, func(_ int64, u *modelUser) bool { return u.organization == id })),
		"results": linksTo(sorted(m.results, func(_ int64, r *modelResult) bool { return r.organization == id })),
		"roles":   numbers(sorted(m.roles, func(_ int64, r *modelRole) bool { return r.organization == id })),
	}
}

func (m *model) collaborationRow(id int64, _ party) fields {
	c := m.collaborations[id]
	return fields{
		"id": id, "name": c.name, "encrypted": c.encrypted, "organizations": linksTo(sorted(c.members, nil)),
		"nodes": linksTo(sorted(m.nodes, func(_ int64, n *modelNode) bool { return n.collaboration == id })),
		"tasks": linksTo(sorted(m.tasks, func(_ int64, t *modelTask) bool { return t.collaboration == id })),
	}
}

func (m *model) nodeRow(id int64, p party) fields {
	row := m.simpleNodeRow(id, p)
	row["type"], row["collaboration"], row["config"] = "node", linkTo(m.nodes[id].collaboration), []int64{}
	return row
}

func (m *model) simpleNodeRow(id int64, _ party) fields {
	n := m.nodes[id]
	return fields{"id": id, "name": n.name, "ip": nil, "status": nil, "organization": linkTo(n.organization)}
}

func (m *model) userRow(id int64, _ party) fields {
	u := m.users[id]
	return fields{
		"id": id, "type": "user", "username": u.name, "email": u.email, "firstname": orNull(u.first),
		"organization": linkTo(u.organization), "roles": linksTo(sorted(u.roles, nil)), "rules": linksTo(u.rules.ids()),
		"created_tasks": numbers(sorted(m.tasks, func(_ int64, t *modelTask) bool { return t.user == id })),
	}
}

// roleRow shows of the holders those whom the caller may view (/docs/roles#object).
func (m *model) roleRow(id int64, p party) fields {
	r := m.roles[id]
	return fields{
		"id": id, "name": r.name, "description": r.description, "organization": linkTo(r.organization), "rules": linksTo(r.rules.ids()),
		"users": linksTo(sorted(m.users, func(user int64, u *modelUser) bool { return u.roles[id] && m.seesUser(p, user) })),
	}
}

func (m *model) complete(t *modelTask) bool {
	for _, id := range t.results {
		if m.results[id].finished == nil {
			return false
		}
	}
	return true
}

// status is that of a whole task (/docs/tasks#status).
func (m *model) status(t *modelTask) string {
	if len(t.results) == 0 {
		return "unknown"
	}
	has := map[string]bool{}
	for _, id := range t.results {
		has[m.results[id].status] = true
	}
	for s := range has {
		if s != "initializing" && s != "active" && s != "completed" && s != "pending" {
			return "failed"
		}
	}
	for _, s := range []string{"active", "initializing", "pending"} {
		if has[s] {
			return s
		}
	}
	return "completed"
}

func (m *model) childrenOf(id int64) []int64 {
	return sorted(m.tasks, func(_ int64, t *modelTask) bool { return t.parent == id })
}

// below returns a task with all tasks below it.
func (m *model) below(id int64) []int64 {
	list := []int64{id}
	for _, child := range m.childrenOf(id) {
		list = append(list, m.below(child)...)
	}
	return list
}

func (m *model) bareTaskRow(id int64) fields {
	t := m.tasks[id]
	return fields{
		"id": id, "name": t.name, "image": t.image, "run_id": t.run, "collaboration": linkTo(t.collaboration), "initiator": t.initiator,
		"init_user": nullable(t.user), "parent": linkTo(t.parent), "children": linksTo(m.childrenOf(id)),
		"complete": m.complete(t), "status": m.status(t),
	}
}

func nullable(id int64) any {
	if id == 0 {
		return nil
	}
	return id
}

func (m *model) taskRow(id int64, _ party) fields {
	row := m.bareTaskRow(id)
	row["results"] = linksTo(m.tasks[id].results)
	return row
}

// taskWithResults embeds the results that the caller could read by themselves (/docs/permissions#reach).
func (m *model) taskWithResults(id int64, p party) fields {
	row := m.taskRow(id, p)
	if !m.reaches(p, "result", id) {
		return row
	}
	list := []any{}
	for _, r := range m.tasks[id].results {
		embedded := m.bareResultRow(r)
		embedded["organization"] = m.results[r].organization
		list = append(list, embedded)
	}
	row["results"] = list
	return row
}

func (m *model) bareResultRow(id int64) fields {
	r := m.results[id]
	row := fields{
		"id": id, "input": r.input, "result": r.output, "status": r.status, "started_at": r.started, "finished_at": r.finished,
		"node": nil, "ports": []any{}, // null stands for {}
	}
	at := m.tasks[r.task].collaboration
	for node, n := range m.nodes {
		if n.organization == r.organization && n.collaboration == at {
			row["node"] = fields{"id": node, "name": n.name}
		}
	}
	return row
}

func (m *model) resultRow(id int64, _ party) fields {
	row := m.bareResultRow(id)
	row["organization"], row["task"] = linkTo(m.results[id].organization), linkTo(m.results[id].task)
	return row
}

func (m *model) resultWithTask(id int64, p party) fields {
	row := m.resultRow(id, p)
	if task := m.results[id].task; m.reaches(p, "task", task) {
		row["task"] = m.bareTaskRow(task)
	}
	return row
}

func (m *model) resultOfTaskRow(id int64, _ party) fields {
	row := m.bareResultRow(id)
	row["organization"], row["task"] = m.results[id].organization, m.results[id].task
	return row
}

// reaches reports whether the caller may see a task or what belongs to it: /docs/tasks#see with the bounds of
// /docs/permissions#reach.
func (m *model) reaches(p party, noun string, task int64) bool {
	t := at(m.tasks, task)
	return m.seesCollaboration(p, noun, t.collaboration) && (p.kind != access.Container || t.run == p.run)
}

// isMember reports whether the caller's organization is in a collaboration, and for nodes and containers that the
// collaboration is theirs.
func (m *model) isMember(p party, collaboration int64) bool {
	return at(m.collaborations, collaboration).members[p.organization] && (p.kind == access.User || collaboration == p.collaboration)
}

// seesCollaboration is the view-one decision of /docs/collaborations#see.
func (m *model) seesCollaboration(p party, noun string, id int64) bool {
	return p.kind == access.User && m.can(p, noun+"|glo|view") || m.can(p, noun+"|org|view") && m.isMember(p, id)
}

// seesOrganization is the view decision of /docs/organizations#see.
func (m *model) seesOrganization(p party, id int64) bool {
	switch {
	case p.kind == access.User && m.can(p, "organization|glo|view"):
		return true
	case id == p.organization:
		return m.can(p, "organization|org|view", "organization|col|view")
	case !m.can(p, "organization|col|view"):
		return false
	}
	for c, collaboration := range m.collaborations {
		if collaboration.members[id] && m.isMember(p, c) {
			return true
		}
	}
	return false
}

// seesNode is the decision of /docs/nodes#list with the bounds of /docs/permissions#reach.
func (m *model) seesNode(p party, id int64) bool {
	n := at(m.nodes, id)
	switch {
	case p.kind == access.User:
		return m.can(p, "node|glo|view") || m.can(p, "node|org|view") && n.organization == p.organization
	case p.kind == access.Container || !m.isMember(p, p.collaboration):
		return id == p.id
	}
	return n.organization == p.organization
}

// seesUser is the decision of /docs/users#get.
func (m *model) seesUser(p party, id int64) bool {
	return id == p.id || m.can(p, "user|glo|view") || m.can(p, "user|org|view") && at(m.users, id).organization == p.organization
}

// seesRole is the decision of /docs/roles#get.
func (m *model) seesRole(p party, id int64) bool {
	r := at(m.roles, id)
	return m.can(p, "role|glo|view") || m.can(p, "role|org|view") && (r.organization == 0 || r.organization == p.organization) ||
		at(m.users, p.id).roles[id]
}
