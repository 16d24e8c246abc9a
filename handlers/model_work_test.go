package handlers

import (
	"fmt"
	"slices"

	"vserver/service/access"
)

// The two forms of an input or result (/docs/tasks#forms).
const plainText, encryptedText = "aW4=", "YWJj$YWJj$YWJj"

// text draws an input or result, most of the time of the form that a collaboration asks for; fits reports whether it is.
func (m *model) text(collaboration int64) (text any, fits bool) {
	encrypted := at(m.collaborations, collaboration).encrypted
	switch m.rnd.IntN(12) {
	case 0:
		return nil, true
	case 1:
		encrypted, fits = !encrypted, false
	default:
		fits = true
	}
	if encrypted {
		return encryptedText, fits
	}
	return plainText, fits
}

// working draws an open result and the node that has to work on it; there may be none.
func (m *model) working() (node, result int64) {
	open := sorted(m.results, func(_ int64, r *modelResult) bool { return r.finished == nil })
	if len(open) == 0 {
		return 0, 0
	}
	result = m.one(open)
	r := m.results[result]
	for _, node := range sorted(m.nodes, nil) {
		if n := m.nodes[node]; n.organization == r.organization && n.collaboration == m.tasks[r.task].collaboration {
			return node, result
		}
	}
	return 0, 0
}

// startContainer asks for a token of a container (/docs/tokens#container-token), and keeps it
// as a caller.
func (m *model) startContainer(p party) step {
	id := m.any(sorted(m.tasks, nil))
	if node, result := m.working(); node != 0 && m.rnd.IntN(2) == 0 {
		p, id = m.account(access.Node, node), m.results[result].task
	}
	t := at(m.tasks, id)
	image := t.image
	if m.rnd.IntN(8) == 0 {
		image = "other"
	}
	own := len(t.results) == 0
	for _, r := range t.results {
		own = own || m.results[r].organization == p.organization
	}
	return step{
		as: p, method: "POST", path: "/token/container", body: fields{"task_id": id, "image": image},
		want: m.judge(p, access.Node, 200, unless(known(m.tasks, id), 400), unless(image == t.image, 401),
			unless(t.collaboration == p.collaboration, 401), unless(at(m.collaborations, p.collaboration).members[p.organization], 401), unless(own, 401), unless(!m.complete(t), 400)),
		then: func(a answer) string {
			token, _ := a.object()["container_token"].(string)
			m.containers = append(m.containers, party{
				kind: access.Container, id: p.id, organization: p.organization, collaboration: p.collaboration,
				task: id, image: image, token: token,
			})
			m.containers = m.containers[max(0, len(m.containers)-6):]
			return ""
		},
	}
}

// targets draws the organizations of a task, most of the time some that have a node.
func (m *model) targets(collaboration int64) []int64 {
	list := sorted(at(m.collaborations, collaboration).members, func(o int64, _ bool) bool { return m.placeTaken(o, collaboration) })
	m.rnd.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	list = list[:m.rnd.IntN(len(list)+1)]
	switch m.rnd.IntN(16) {
	case 0:
		list = append(list, m.someOrganization())
	case 1:
		list = append(list, list...)
	}
	return list
}

// targetsRefused is the refusal of rules 2 and 3 of /docs/tasks#create.
func (m *model) targetsRefused(collaboration int64, targets []int64) int {
	for i, o := range targets {
		if !at(m.collaborations, collaboration).members[o] || !m.placeTaken(o, collaboration) || slices.Contains(targets[:i], o) {
			return 400
		}
	}
	return 0
}

// createTask makes a task as a user, or below its own as a container (/docs/tasks#create).
func (m *model) createTask(p party) step {
	if len(m.tasks) >= 30 {
		return m.deleteTask(m.account(access.User, 1))
	}
	made := &modelTask{name: m.name("t", 20), image: m.name("img:", 3), collaboration: m.someCollaboration(), initiator: p.organization, user: p.id}
	if own := m.collaborationsOf(p.organization); len(own) > 0 && m.rnd.IntN(8) > 0 {
		made.collaboration = m.one(own)
	}
	permitted := m.can(p, "task|glo|create", "task|org|create")
	if p.kind == access.Container {
		made.parent, made.user, made.run = p.task, at(m.tasks, p.task).user, p.run
		if m.rnd.IntN(8) > 0 {
			made.image, made.collaboration = p.image, p.collaboration
		}
		permitted = made.image == p.image && made.collaboration == p.collaboration
	}
	targets, entries := m.targets(made.collaboration), []fields{}
	results, fit := []*modelResult{}, true
	for _, o := range targets {
		input, fits := m.text(made.collaboration)
		fit = fit && fits
		entries = append(entries, fields{"id": o, "input": input})
		results = append(results, &modelResult{organization: o, status: "pending", input: input})
	}
	return step{
		as: p, method: "POST", path: "/task",
		body: fields{"name": made.name, "image": made.image, "collaboration_id": made.collaboration, "organizations": entries},
		want: m.judge(p, users|access.Container, 201, unless(known(m.collaborations, made.collaboration), 404),
			m.targetsRefused(made.collaboration, targets), unless(at(m.collaborations, made.collaboration).members[p.organization], 401),
			unless(permitted, 401), unless(fit, 400)),
		then: func(a answer) string { return m.taskMade(p, made, results, a) },
	}
}

// taskMade takes over what the server numbers: the task, its run, and its results in the order of the organizations.
func (m *model) taskMade(p party, made *modelTask, results []*modelResult, a answer) string {
	fault := m.made("task", id(a.body))
	if made.parent == 0 {
		run, _ := a.object()["run_id"].(float64)
		made.run = int64(run)
		fault += m.made("run", made.run)
	}
	m.tasks[id(a.body)] = made
	links, _ := a.object()["results"].([]any)
	if len(links) != len(results) {
		return fmt.Sprintf("%d results, want %d", len(links), len(results))
	}
	for i, r := range results {
		r.task = id(a.body)
		fault += m.made("result", id(links[i]))
		m.results[id(links[i])] = r
		made.results = append(made.results, id(links[i]))
	}
	return fault + m.shows(p, id(a.body), m.taskRow)(a)
}

// mayIn reports whether the caller holds a rule for all collaborations or, as a member, for that of a task.
func (m *model) mayIn(p party, task int64, global string, member ...string) bool {
	return m.can(p, global) || m.can(p, member...) && at(m.collaborations, at(m.tasks, task).collaboration).members[p.organization]
}

// deleteTask removes a task with all below it (/docs/tasks#delete).
func (m *model) deleteTask(p party) step {
	id := m.any(sorted(m.tasks, nil))
	return step{
		as: p, method: "DELETE", path: fmt.Sprint("/task/", id),
		want: m.judge(p, users, 200, unless(known(m.tasks, id), 404), unless(m.mayIn(p, id, "task|glo|delete", "task|org|delete"), 401)),
		then: does(func() {
			for _, t := range m.below(id) {
				for _, r := range m.tasks[t].results {
					if r := m.results[r]; r.finished == nil {
						r.status, r.finished = "killed by user", "*"
					}
				}
			}
			for _, child := range m.childrenOf(id) {
				m.tasks[child].parent = 0
			}
			m.forgetTask(id)
		}),
	}
}

// killTask ends what runs of a task and below it (/docs/tasks#kill).
func (m *model) killTask(p party) step {
	id := m.any(sorted(m.tasks, nil))
	var open []*modelResult
	for _, t := range m.below(id) {
		for _, r := range at(m.tasks, t).results {
			if m.results[r].finished == nil {
				open = append(open, m.results[r])
			}
		}
	}
	return step{
		as: p, method: "POST", path: "/kill/task", body: fields{"id": id},
		want: m.judge(p, users, 200, unless(id != 0, 400), unless(known(m.tasks, id), 404), unless(len(open) > 0, 400),
			unless(m.mayIn(p, id, "event|glo|create", "event|org|create", "event|col|create"), 401)),
		then: does(func() {
			for _, r := range open {
				r.status, r.finished = "killed by user", "*"
			}
		}),
	}
}

// changeResult is what a node says about a result (/docs/results#change).
func (m *model) changeResult(p party) step {
	id := m.any(sorted(m.results, nil))
	if node, result := m.working(); node != 0 && m.rnd.IntN(2) == 0 {
		p, id = m.account(access.Node, node), result
	}
	r := at(m.results, id)
	to, body, fits := *r, fields{}, true
	at := at(m.tasks, r.task).collaboration
	if m.sometimes(body, "status", []string{"initializing", "active", "completed", "crashed"}[m.rnd.IntN(4)]) {
		to.status = body["status"].(string)
	}
	if m.sometimes(body, "started_at", "2026-03-04T05:06:07.000008") {
		to.started = "2026-03-04T05:06:07.000008+00:00"
	}
	if m.rnd.IntN(3) == 0 {
		body["finished_at"], to.finished = "2026-03-04T05:06:09", "2026-03-04T05:06:09+00:00"
		if body["status"] == nil && slices.Contains([]string{"pending", "initializing", "active"}, r.status) {
			to.status = "completed"
		}
	}
	if m.rnd.IntN(3) == 0 {
		var output any
		output, fits = m.text(at)
		body["result"] = output
		if output != nil {
			to.output = output
		}
	}
	own := r.organization == p.organization && at == p.collaboration && m.isMember(p, at)
	return step{
		as: p, method: "PATCH", path: fmt.Sprint("/result/", id), body: body,
		want: m.judge(p, access.Node, 200, unless(known(m.results, id), 404), unless(own, 401), unless(r.finished == nil, 400),
			unless(fits, 400)),
		then: func(a answer) string {
			*m.results[id] = to
			return m.shows(p, id, m.resultRow)(a)
		},
	}
}
