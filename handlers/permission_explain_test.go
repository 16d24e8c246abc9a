package handlers

import (
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	"vserver/service/promise"
)

// handsOut are the routes on which rules have to be held beside the permission.
var handsOut = []string{"DELETE /user/:id", "POST /user/:id/unlock", "POST /user/:id/invite", "DELETE /role/:id", "POST /role/:id/rule/:rule_id", "DELETE /role/:id/rule/:rule_id"}

// explanation asks why a case may be sent or not, as the one who sends it; nil for callers
// without a token, and for three cases of four when there is little time.
func (m *matrix) explanation(b *bed, c trial, r row) *Explained {
	b.Helper()
	if m.asked++; m.asked%4 != 0 && !promise.Long() {
		return nil
	}
	path, _, _ := strings.Cut(r.path, "?")
	ask := row{method: "GET", path: "/access/explain?" + url.Values{"method": {r.method}, "path": {"/api" + path}}.Encode(), header: r.header}
	reply := b.send(b.T, ask)
	if c.c.kind == 0 || c.c.kind == 'e' {
		if reply.Code != 401 {
			b.Errorf("%s as %s: got %d", ask.path, c.c.name, reply.Code)
		}
		return nil
	}
	var e Explained
	if err := json.Unmarshal(reply.Body.Bytes(), &e); err != nil || reply.Code != 200 {
		b.Errorf("%s as %s: got %d %s", ask.path, c.c.name, reply.Code, reply.Body)
		return nil
	}
	m.explained++
	return &e
}

// agrees holds an explanation to what came of the request.
func (m *matrix) agrees(b *bed, c trial, e *Explained, status int) {
	b.Helper()
	if e == nil {
		return
	}
	a := oracle[c.route]
	differs := func(how string) {
		b.Helper()
		b.Errorf("%s %d %d as %s is answered %d, but explained otherwise (%s): %s", c.route, c.id, c.second, c.c.name, status, how, e.Reason)
	}
	refused := status == 401 || status == 403
	switch {
	case a.inBody && (status == 400 || status == 404): // of the body: it is known nowhere else
	case a.who == "":
		if !e.Allowed {
			differs("everybody may")
		}
	case !e.Allowed:
		if status != *e.Status {
			differs("refused")
		}
	case a.inBody:
		if m.w.reaches(c, e) == refused {
			differs("reach")
		}
	case refused || status == 404:
		differs("allowed")
	}
	m.rulesAgree(b, c, a, e)
}

// reaches reports whether what a body is about lies where the caller may, as the explanation
// has it.
func (w *world) reaches(c trial, e *Explained) bool {
	a, reach := oracle[c.route], e.Checks[0].Reach
	organization, collaboration := c.id, c.id
	switch a.object {
	case "node":
		organization, collaboration = w.nodes[c.id].organization, w.nodes[c.id].collaboration
	case "task":
		collaboration = w.tasks[c.id].collaboration
	}
	switch *reach {
	case "everywhere":
		return true
	case "organization":
		return c.c.owns(organization)
	case "collaborations":
		return w.member(c.c.organization, collaboration)
	case "run":
		return collaboration == c.c.collaboration
	case "collaboration": // what is the node's to do there
		return a.may(w, c.c, c.id, 0)
	}
	return false
}

// rulesAgree holds each rule of an explanation to the oracle: whether it is held, and whether
// it would be enough alone.
func (m *matrix) rulesAgree(b *bed, c trial, a answers, e *Explained) {
	b.Helper()
	for _, check := range e.Checks {
		for _, r := range check.Rules {
			name := r.Resource + " " + r.Scope + " " + r.Operation
			if m.w.rules[r.ID-1] != name || r.Held != c.c.rules[name] || r.Held != (r.Direct || len(r.Roles) > 0) {
				b.Errorf("%s %d as %s: %s (%d) is held: %v, %v, %v", c.route, c.id, c.c.name, name, r.ID, r.Held, r.Direct, r.Roles)
			}
			if a.inBody || a.may == nil || len(e.Checks) > 1 || !check.NeedsRule || slices.Contains(handsOut, c.route) || strings.HasPrefix(c.route, "GET /collaboration/:id/") {
				continue
			}
			alone := c.c
			alone.rules = map[string]bool{name: true}
			if may := a.may(m.w, alone, c.id, c.second); may != r.Suffices {
				b.Errorf("%s %d as %s: %s alone is enough: %v, not %v", c.route, c.id, c.c.name, name, may, r.Suffices)
			}
			m.single++
		}
	}
}
