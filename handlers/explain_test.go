package handlers

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"vserver/service/core"
)

// why asks about a request.
func why(as, method, path, more string, want int, has string) row {
	return row{as: as, method: "GET", path: "/access/explain?" + url.Values{"method": {method}, "path": {path}}.Encode() + more, want: want, has: has}
}

func TestExplain(t *testing.T) {
	b := newBed(t)
	b.change(t, `INSERT INTO role (name, organization_id) VALUES ('secret', 3)`, `INSERT INTO role_rule (role_id, rule_id) VALUES (11, 21)`,
		`INSERT INTO user_role (user_id, role_id) VALUES (9, 11)`, `INSERT INTO user_rule (user_id, rule_id) VALUES (9, 29), (6, 21)`)
	const viewer = `"caller":{"type":"user","id":5,"name":"viewer"}`
	b.run(
		why("viewer", "GET", "/api/task/1", "", 200, `{"method":"GET","path":"/task/1","route":"/task/<id>",`+viewer+`,"allowed":true,"status":null,
			"reason":"The user viewer may GET /task/1: by task ORGANIZATION VIEW (rule 21) of the role Viewer","lacking":[],
			"checks":[{"resource":"task","operation":"VIEW","passed":true,"needs_rule":true,"reach":null,"rules":[
				{"id":20,"resource":"task","scope":"GLOBAL","operation":"VIEW","held":false,"direct":false,"roles":[],"suffices":true,"reach":null,"default_roles":["Root"]},
				{"id":21,"scope":"ORGANIZATION","held":true,"direct":false,"roles":[{"id":4,"name":"Viewer"}],"suffices":true,
					"default_roles":["Root","container","node","Viewer","Researcher","Organization Admin","Collaboration Admin"]}]}]}`),
		why("viewer", "delete", "task/1?x=y", "", 200, `{"method":"DELETE","path":"/task/1","allowed":false,"status":401,
			"reason":"The user viewer may not DELETE /task/1: that takes task GLOBAL DELETE (rule 24, of the default role Root), or task ORGANIZATION DELETE (rule 25, of the default roles Root, Researcher, Organization Admin, Collaboration Admin)"}`),
		why("viewer", "GET", "/user/3", "", 200, `{"status":401,"reason":"The user viewer may not GET /user/3: that takes user GLOBAL VIEW (rule 28, of the default roles Root, Collaboration Admin)"}`),
		why("viewer", "GET", "/user/5", "", 200, `{"allowed":true,"reason":"The user viewer may GET /user/5: no rule is needed","checks":[{"passed":true,"needs_rule":false,"rules":"*"}]}`),
		// the kind comes first, then what is not there
		why("viewer", "PATCH", "/result/99", "", 200, `{"allowed":false,"status":403,"checks":[],"reason":"The user viewer may not PATCH /result/99: the route is for nodes only"}`),
		why("viewer", "PATCH", "/organization/99", "", 200, `{"status":404,"checks":[],"reason":"The user viewer may not PATCH /organization/99: Organization with id=99 not found"}`),
		why("viewer", "GET", "/task/99999999999999999999", "", 200, `{"status":404}`),
		why("viewer", "PATCH", "/role/4", "", 200, `{"status":400,"checks":[],"reason":"The user viewer may not PATCH /role/4: This role ('Viewer') is a default role. Its name cannot be changed."}`),
		// what a body decides
		why("researcher", "POST", "/task", "", 200, `{"allowed":true,"checks":[{"reach":"collaborations"}],
			"reason":"The user researcher may POST /task: by task ORGANIZATION CREATE (rule 23) of the role Researcher, in the collaborations of its organization"}`),
		why("orgadmin", "POST", "/user", "", 200, `{"checks":[{"reach":"organization","rules":[{"reach":"everywhere"},{"reach":"organization"}]}],
			"reason":"The user orgadmin may POST /user: by user ORGANIZATION CREATE (rule 31) of the role Organization Admin, for its own organization"}`),
		why("colladmin", "POST", "/node", "", 200, `{"checks":[{"reach":"everywhere"}],"reason":"The user colladmin may POST /node: by node GLOBAL CREATE (rule 5) of the role Collaboration Admin, and node ORGANIZATION CREATE (rule 6) of the role Collaboration Admin, everywhere"}`),
		// rules that have to be held
		why("colladmin", "DELETE", "/user/2", "", 200, `{"status":401,"checks":[{"passed":true}],"lacking":"*"}`),
		why("orgadmin", "DELETE", "/role/8/rule/53", "", 200, `{"status":401,"lacking":[{"id":53,"held":false}],
			"reason":"The user orgadmin may not DELETE /role/8/rule/53: rules that are handed out or taken away have to be held, and these are not: event GLOBAL CREATE (rule 53)"}`),
		// two permissions
		why("viewer", "GET", "/collaboration/1/node", "", 200, `{"allowed":true,"checks":[{"resource":"collaboration"},{"resource":"node"}],
			"reason":"The user viewer may GET /collaboration/1/node: by collaboration ORGANIZATION VIEW (rule 10) of the role Viewer; by node ORGANIZATION VIEW (rule 2) of the role Viewer"}`),
		// nodes, containers, everybody
		why("node_iknl_z", "GET", "/node/13", "", 200, `{"caller":{"type":"node","id":12,"name":"node_iknl_z"},"status":401,"reason":"The node node_iknl_z may not GET /node/13: it is out of reach of a node, whatever its rules"}`),
		why("node_iknl_z", "PATCH", "/result/1", "", 200, `{"allowed":true,"reason":"The node node_iknl_z may PATCH /result/1: no rule is needed"}`),
		why("container", "POST", "/task", "", 200, `{"caller":{"type":"container","id":12},"allowed":true,"reason":"A container of the node node_iknl_z may POST /task: no rule is needed, in the run that it works in"}`),
		why("viewer", "POST", "/token/user", "", 200, `{"allowed":true,"checks":[],"reason":"Everybody may POST /token/user, without a token"}`),
		// a rule that is held twice
		why("researcher", "GET", "/task/1", "", 200, `{"reason":"The user researcher may GET /task/1: by task ORGANIZATION VIEW (rule 21) of the role Researcher and given directly"}`),
	)
}

// TestExplainOthers: about others may ask who may view them, and learns the names of roles that
// it may view.
func TestExplainOthers(t *testing.T) {
	b := newBed(t)
	b.change(t, `INSERT INTO role (name, organization_id) VALUES ('secret', 2)`, `INSERT INTO role_rule (role_id, rule_id) VALUES (11, 21)`,
		`INSERT INTO user_role (user_id, role_id) VALUES (5, 11)`, `INSERT INTO user_rule (user_id, rule_id) VALUES (9, 29)`)
	b.run(
		why("viewer", "GET", "/task/1", "&user=6", 200, `{"caller":{"type":"user","id":6,"name":"researcher"},"allowed":true}`),
		why("root", "GET", "/task/1", "&user=1", 200, `{"caller":{"id":1}}`),
		why("viewer", "GET", "/task/1", "&user=3", 401, lacks),
		why("viewer", "GET", "/task/1", "&user=99", 404, `{"msg":"user id=99 is not found"}`),
		why("viewer", "GET", "/task/1", "&user=12", 404, ""),
		why("node_iknl_z", "GET", "/task/1", "&user=5", 401, lacks),
		why("container", "GET", "/task/1", "&user=5", 401, lacks),
		// noperm views users, but no role
		why("noperm", "GET", "/task/1", "&user=5", 200, `{"reason":"The user viewer may GET /task/1: by task ORGANIZATION VIEW (rule 21) of the role 4 and of the role 11",
			"checks":[{"rules":["*",{"roles":[{"id":4,"name":null},{"id":11,"name":null}]}]}]}`),
		why("orgadmin", "GET", "/task/1", "&user=5", 200, `{"checks":[{"rules":["*",{"roles":[{"name":"Viewer"},{"name":"secret"}]}]}]}`),
		// questions that are none
		row{as: "viewer", method: "GET", path: "/access/explain", want: 400, has: `{"msg":"method and path are required: the request that is asked about, as in ?method=GET&path=/task/1"}`},
		row{as: "viewer", method: "GET", path: "/access/explain?method=GET", want: 400},
		why("viewer", "GET", "/tasks", "", 400, `{"msg":"There is no route /tasks: /docs/routes lists all"}`),
		why("viewer", "GET", "/task/x", "", 400, ""),
		why("viewer", "PUT", "/organization/1", "", 400, `{"msg":"There is no PUT of /organization/1: it takes GET, PATCH"}`),
		why("viewer", "GET", "/task/1", "&user=x", 400, ""),
		row{method: "GET", path: "/access/explain?method=GET&path=/task", want: 401},
	)
	for _, path := range []string{"/", "//", "/task//1", "/task/1/", "/task/../task/1", "\x00", strings.Repeat("/a", 5000), strings.Repeat("a", 1900), "/task/١", "%", "?", "/api", "/api/", ":id", "/task/:id"} {
		b.run(why("viewer", "GET", path, "", 400, `{"msg":"*"}`))
	}
}

// TestEveryRouteIsExplained finds a route that judges and says nothing of it.
func TestEveryRouteIsExplained(t *testing.T) {
	for _, r := range (&Server{}).routes() {
		if (decisionOf(r) == nil) != (r.who == anyone) {
			t.Errorf("%s %s: say how it judges", r.method, r.path)
		}
	}
}

// TestWhoMay compares the list of who may with what each of them is told.
func TestWhoMay(t *testing.T) {
	m := newMatrix(t)
	b := newBedOn(t, worldFixture.Copy(t), core.Settings{})
	for _, q := range []string{
		"GET /task/1", "DELETE /task/3", "GET /node/13", "PATCH /node/12", "GET /organization/3", "PATCH /user/5", "DELETE /user/9",
		"GET /role/11", "DELETE /role/8", "POST /role/11/rule/2", "GET /collaboration/4", "GET /collaboration/1/node", "PATCH /result/1",
		"GET /port/5", "POST /task", "GET /rule", "GET /user",
	} {
		method, path, _ := strings.Cut(q, " ")
		h, err := ListHolders(t.Context(), b.s.core, "/api", method, path)
		if err != nil {
			t.Fatal(err)
		}
		listed := map[int64]string{}
		for _, c := range h.Callers {
			if c.Type != "container" {
				listed[c.ID] = c.Through
			}
		}
		for id := int64(1); id <= 77; id++ {
			c := m.w.account(id)
			reply := b.send(t, row{method: "GET", path: why("", method, path, "", 0, "").path, header: map[string]string{"Authorization": "Bearer " + m.token(b, c)}})
			var e Explained
			if err := json.Unmarshal(reply.Body.Bytes(), &e); err != nil {
				t.Fatal(err)
			}
			through, may := listed[id]
			if may != e.Allowed || may && !strings.HasSuffix(e.Reason, through) {
				t.Errorf("%s: %s is listed: %v (%s), and told %s", q, c.name, may, through, e.Reason)
			}
		}
		if len(listed) == 0 {
			t.Errorf("%s: nobody is listed", q)
		}
	}
	h, err := ListHolders(t.Context(), b.s.core, "/api", "GET", "/task/1")
	if err != nil {
		t.Fatal(err)
	}
	var containers []int64
	for _, c := range h.Callers {
		if c.Type == "container" {
			containers = append(containers, c.ID)
		}
	}
	if text, _ := json.Marshal(containers); string(text) != "[12,13,14]" {
		t.Errorf("containers of the nodes %s", text)
	}
	for q, want := range map[string]string{"GET /task/99": "task id=99 is not found", "GET /health": "Everybody may GET /health, without a token"} {
		method, path, _ := strings.Cut(q, " ")
		if h, err := ListHolders(t.Context(), b.s.core, "/api", method, path); err != nil || h.Reason != want || len(h.Callers) != 0 {
			t.Errorf("%s: %v %+v", q, err, h)
		}
	}
}

// account finds a user or node by id.
func (w *world) account(id int64) caller {
	if u, ok := w.users[id]; ok {
		return w.caller(u.name)
	}
	return w.caller(w.nodes[id].name)
}
