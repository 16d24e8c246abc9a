package handlers

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestCollaborationLists(t *testing.T) {
	b := newBed(t)
	b.change(t, `UPDATE collaboration SET encrypted = TRUE WHERE id = 3`)
	get := func(as, query string, want int, has string) row {
		return row{as: as, method: "GET", path: "/collaboration" + query, want: want, has: has}
	}
	const other = `{"msg":"You lack the permission to request collaborations for this organization!"}`
	b.run(
		get("root", "", 200, `[{"id":1},{"id":2},{"id":3}]`),
		get("colladmin", "", 200, `[{"id":1},{"id":2},{"id":3}]`),
		get("viewer", "", 200, `[{"id":1},{"id":2}]`),
		get("researcher_small", "", 200, `[{"id":1},{"id":3}]`),
		get("noperm", "", 401, denied),
		get("node_iknl_z", "", 403, ""),
		get("container", "", 403, ""),
		// filters
		get("root", "?name=zeppelin", 200, `[{"id":1}]`),
		get("root", "?name=%25P%25", 200, `[{"id":1},{"id":2},{"id":3}]`),
		get("root", "?name=ZEPP", 200, `[]`),
		get("root", "?encrypted=1", 200, `[{"id":3,"encrypted":true}]`),
		get("root", "?encrypted=True", 200, `[{"id":3}]`),
		get("root", "?encrypted=False", 200, `[{"id":1,"encrypted":false},{"id":2}]`),
		get("root", "?encrypted=maybe", 400, ""),
		get("root", "?organization_id=2", 200, `[{"id":1},{"id":2}]`),
		get("root", "?organization_id=99", 200, `[]`),
		get("root", "?organization_id=x", 400, ""),
		get("viewer", "?organization_id=2", 200, `[{"id":1},{"id":2}]`),
		get("viewer", "?organization_id=3", 401, other),
		get("noperm", "?organization_id=3", 401, other),
		get("noperm", "?organization_id=2", 401, denied),
		get("viewer", "?organization_id=2&name=P%25&encrypted=0", 200, `[{"id":2}]`),
		// pages
		get("viewer", "?page=2&per_page=1", 200, `[{"id":2}]`),
		get("viewer", "?page=1&per_page=1&include=metadata", 200, `{"data":[{"id":1}],"links":{
			"last":"/api/collaboration?page=2&per_page=1&include=metadata"}}`),
		get("root", "?page=-1", 400, `{"msg":"page needs to be >= 1"}`),
	)
}

func TestOneCollaboration(t *testing.T) {
	b := newBed(t)
	get := func(as, id string, want int, has string) row {
		return row{as: as, method: "GET", path: "/collaboration/" + id, want: want, has: has}
	}
	b.run(
		get("viewer", "1", 200, `{"id":1,"name":"ZEPPELIN","encrypted":false,
			"organizations":[{"id":2,"link":"/api/organization/2","methods":["GET","PATCH"]},{"id":3},{"id":4}],
			"nodes":[{"id":12,"link":"/api/node/12","methods":["DELETE","GET","PATCH"]},{"id":13},{"id":14}],
			"tasks":[{"id":1,"link":"/api/task/1","methods":["DELETE","GET"]}]}`),
		get("viewer", "2", 200, `{"id":2,"tasks":null}`),
		get("viewer", "3", 401, denied),
		get("noperm", "1", 401, denied),
		get("noperm", "99", 404, `{"msg":"collaboration having id=99 not found"}`),
		get("root", "99999999999999999999", 404, ""),
		get("node_iknl_z", "1", 200, `{"id":1,"encrypted":false}`),
		get("node_iknl_z", "2", 401, denied), // another collaboration of its organization
		get("node_iknl_z", "99", 404, ""),
		get("container", "1", 200, `{"id":1}`),
		get("container", "2", 401, denied),
		get("container", "99", 404, ""),
	)
	b.change(t, `UPDATE collaboration SET encrypted = TRUE WHERE id = 1`)
	b.run(get("node_iknl_z", "1", 200, `{"id":1,"encrypted":true}`))
}

func TestCollaborationListsTheNewestTasks(t *testing.T) {
	b := newBed(t)
	values := slices.Repeat([]string{`('more', 1, 2)`}, 1003)
	b.change(t, `INSERT INTO task (name, collaboration_id, run_id) VALUES `+strings.Join(values, ", "))
	var c collaborationJSON
	got(t, b.send(t, row{as: "viewer", method: "GET", path: "/collaboration/1"}), &c)
	if len(c.Tasks) != 1000 || c.Tasks[0].ID != 5 || c.Tasks[999].ID != 1004 {
		t.Errorf("%d tasks from %d on, want the newest 1000 of 1004 in ascending order", len(c.Tasks), c.Tasks[0].ID)
	}
}

func TestCreateCollaboration(t *testing.T) {
	b := newBed(t)
	post := func(as string, body any, want int, has string) row {
		return row{as: as, method: "POST", path: "/collaboration", body: body, want: want, has: has}
	}
	field := func(name, reason string) string {
		return fmt.Sprintf(`{"message":{%q:%q},"msg":"%s: %s"}`, name, reason, name, reason)
	}
	const blank = "This field cannot be left blank!"
	b.run(
		// the body first, in the order of the fields
		post("root", nil, 400, field("name", blank)),
		post("root", `{}`, 400, field("name", blank)),
		post("viewer", `{"name":null}`, 400, field("name", blank)),
		post("root", `{"organization_ids":[]}`, 400, field("name", blank)),
		post("root", `{"name":5,"organization_ids":[2]}`, 400, `{"message":{"name":"*"}}`),
		post("root", `{"name":"x"}`, 400, field("organization_ids", missingField)),
		post("root", `{"name":"x","organization_ids":null}`, 400, field("organization_ids", missingField)),
		post("root", `{"name":"x","organization_ids":[]}`, 400, field("organization_ids", missingField)),
		post("root", `{"name":"x","organization_ids":["x"]}`, 400, field("organization_ids", "invalid literal for int() with base 10: 'x'")),
		post("root", `{"name":"x","organization_ids":"x"}`, 400, field("organization_ids", "invalid literal for int() with base 10: 'x'")),
		post("root", `{"name":"x","organization_ids":[2],"encrypted":"yes"}`, 400, field("encrypted", "invalid literal for int() with base 10: 'yes'")),
		post("root", `{"name":"x","organization_ids":[2],"encrypted":2}`, 400, `{"message":{"encrypted":"*"}}`),
		post("root", `{"name":"x","organization_ids":[2],"encrypted":[]}`, 400, `{"message":{"encrypted":"*"}}`),
		post("root", `[]`, 400, ""),
		post("root", `{`, 400, ""),
		// then the permission, then the name: nobody learns which names are taken
		post("viewer", `{"name":"ZEPPELIN","organization_ids":[2]}`, 401, denied),
		post("colladmin", `{"name":"NEW","organization_ids":[2]}`, 401, denied),
		post("node_iknl_z", `{"name":"NEW","organization_ids":[2]}`, 403, ""),
		post("container", `{"name":"NEW","organization_ids":[2]}`, 403, ""),
		post("root", `{"name":"ZEPPELIN","organization_ids":[2]}`, 400, `{"msg":"Collaboration name 'ZEPPELIN' already exists!"}`),
		post("root", `{"name":"NEW","organization_ids":[3,2,2,999],"encrypted":1}`, 200,
			`{"id":"*","name":"NEW","encrypted":true,"organizations":[{"id":2},{"id":3}],"nodes":null,"tasks":null}`),
		post("root", `{"name":"one","organization_ids":"3"}`, 200, `{"encrypted":false,"organizations":[{"id":3}]}`),
		post("root", `{"name":"two","organization_ids":3,"encrypted":null}`, 200, `{"encrypted":false,"organizations":[{"id":3}]}`),
		post("root", `{"name":"three","organization_ids":[999],"encrypted":false}`, 200, `{"encrypted":false,"organizations":null}`),
		post("root", `{"name":"","organization_ids":[2],"encrypted":true}`, 200, `{"name":"","encrypted":true}`),
		row{name: "its members see it at once", as: "viewer", method: "GET", path: "/collaboration?name=NEW", want: 200, has: `[{"name":"NEW"}]`},
	)
}

func TestChangeCollaboration(t *testing.T) {
	b := newBed(t)
	patch := func(as, id string, body any, want int, has string) row {
		return row{as: as, method: "PATCH", path: "/collaboration/" + id, body: body, want: want, has: has}
	}
	b.run(
		patch("noperm", "99", `{}`, 404, `{"msg":"collaboration having collaboration_id=99 can not be found"}`),
		patch("viewer", "1", `{"name":"x"}`, 401, denied),
		patch("viewer", "1", `{"name":5}`, 401, denied),
		patch("node_iknl_z", "1", `{}`, 403, ""),
		patch("colladmin", "1", `{"name":"Z","id":7,"tasks":[]}`, 200, `{"id":1,"name":"Z","encrypted":false}`),
		patch("root", "1", `{"encrypted":true}`, 200, `{"name":"Z","encrypted":true}`),
		patch("root", "1", `{"encrypted":0}`, 200, `{"encrypted":false}`),
		patch("root", "1", `{"name":null,"encrypted":null,"organization_ids":null}`, 200,
			`{"name":"Z","encrypted":false,"organizations":[{"id":2},{"id":3},{"id":4}]}`),
		patch("root", "1", `{}`, 200, `{"name":"Z"}`),
		patch("root", "1", `{"name":"PIPELINE","encrypted":true}`, 400, `{"msg":"Collaboration name 'PIPELINE' already exists!"}`),
		patch("root", "1", `{"name":"Z"}`, 200, `{"name":"Z","encrypted":false}`),
		patch("root", "1", `{"encrypted":"yes"}`, 400, ""),
		patch("root", "1", `{"encrypted":2}`, 400, ""),
		patch("root", "1", `{"organization_ids":["x"]}`, 400, ""),
		patch("root", "1", `null`, 400, ""),
		patch("root", "1", `[]`, 400, ""),
		patch("root", "1", `{"organization_ids":[4,1,999,1]}`, 200, `{"organizations":[{"id":1},{"id":4}],"nodes":[{"id":12},{"id":13},{"id":14}]}`),
	)
	// The nodes of who left stay, and see nothing of it any more.
	b.run(
		row{as: "viewer", method: "GET", path: "/collaboration/1", want: 401, has: denied},
		row{as: "node_iknl_z", method: "GET", path: "/collaboration/1", want: 401, has: denied},
		row{as: "container", method: "GET", path: "/collaboration/1", want: 401, has: denied},
		row{as: "node_big_z", method: "GET", path: "/collaboration/1", want: 200},
		patch("root", "1", `{"organization_ids":[]}`, 200, `{"organizations":null}`),
		patch("root", "1", `{"organization_ids":2}`, 200, `{"organizations":[{"id":2}]}`),
		row{as: "node_iknl_z", method: "GET", path: "/collaboration/1", want: 200},
	)
}

func TestMembers(t *testing.T) {
	b := newBed(t)
	b.grant("noperm", 11, 13) // changes and deletes collaborations, sees no organization
	const path = "/collaboration/1/organization"
	const gone = `{"msg":"collaboration having collaboration_id=99 can not be found"}`
	b.run(
		row{as: "viewer", method: "GET", path: path, want: 200, has: `[{"id":2,"name":"IKNL","public_key":""},{"id":3},{"id":4}]`},
		row{as: "node_iknl_z", method: "GET", path: path, want: 200, has: `[{"id":2},{"id":3},{"id":4}]`},
		row{as: "container", method: "GET", path: path, want: 200, has: `[{"id":2},{"id":3},{"id":4}]`},
		row{as: "container", method: "GET", path: path + "?page=2&per_page=2&include=metadata", want: 200, has: `{"data":[{"id":4}],"links":{"first":"*"}}`},
		row{as: "node_iknl_z", method: "GET", path: "/collaboration/2/organization", want: 401, has: denied},
		row{as: "viewer", method: "GET", path: "/collaboration/3/organization", want: 401, has: denied},
		row{as: "noperm", method: "GET", path: path, want: 401, has: denied},
		row{as: "noperm", method: "GET", path: "/collaboration/99/organization", want: 404, has: `{"msg":"collaboration (id=99) can not be found"}`},

		row{as: "noperm", method: "POST", path: "/collaboration/99/organization", body: `{"id":1}`, want: 404, has: gone},
		row{as: "viewer", method: "POST", path: path, body: `{"id":99}`, want: 401, has: denied},
		row{as: "node_iknl_z", method: "POST", path: path, body: `{"id":1}`, want: 403},
		row{as: "root", method: "POST", path: path, body: `{"id":99}`, want: 404, has: `{"msg":"organization with id=99 is not found"}`},
		row{as: "root", method: "POST", path: path, body: `{}`, want: 400, has: `{"msg":"id: is required"}`},
		row{as: "root", method: "POST", path: path, body: `{"id":"x"}`, want: 400},
		row{as: "root", method: "POST", path: path, want: 400},
		row{as: "root", method: "POST", path: path, body: `{"id":1}`, want: 200, has: `[{"id":1,"name":"root"},{"id":2},{"id":3},{"id":4}]`},
		row{name: "twice is once", as: "root", method: "POST", path: path, body: `{"id":1}`, want: 200, has: `[{"id":1},{"id":2},{"id":3},{"id":4}]`},
		row{name: "sees nobody", as: "noperm", method: "POST", path: "/collaboration/2/organization", body: `{"id":1}`, want: 200, has: `[]`},

		row{as: "viewer", method: "DELETE", path: "/collaboration/99/organization", body: `{"id":1}`, want: 404, has: gone},
		row{as: "viewer", method: "DELETE", path: path, body: `{"id":99}`, want: 404, has: `{"msg":"organization with id=99 is not found"}`},
		row{as: "viewer", method: "DELETE", path: path, body: `{"id":1}`, want: 401, has: denied},
		row{name: "edit is not enough", as: "colladmin", method: "DELETE", path: path, body: `{"id":1}`, want: 401, has: denied},
		row{as: "viewer", method: "DELETE", path: path, body: `{}`, want: 401, has: denied},
		row{as: "root", method: "DELETE", path: path, body: `{}`, want: 400},
		row{as: "root", method: "DELETE", path: path, want: 400},
		row{as: "root", method: "DELETE", path: path, body: `{"id":1}`, want: 200, has: `[{"id":2},{"id":3},{"id":4}]`},
		row{as: "root", method: "DELETE", path: path, body: `{"id":1}`, want: 400, has: `{"msg":"organization id=1 is not part of collaboration id=1"}`},
		row{name: "sees nobody", as: "noperm", method: "DELETE", path: "/collaboration/2/organization", body: `{"id":1}`, want: 200, has: `[]`},
		row{name: "its node stays", as: "root", method: "DELETE", path: path, body: `{"id":2}`, want: 200, has: `[{"id":3},{"id":4}]`},
		row{as: "root", method: "GET", path: "/node/12", want: 200, has: `{"organization":{"id":2},"collaboration":{"id":1}}`},
	)
}

func TestNodesOfACollaboration(t *testing.T) {
	b := newBed(t)
	b.grant("noperm", 11)
	b.grant("researcher", 9) // sees every collaboration, and the nodes of its organization
	const path = "/collaboration/1/node"
	b.change(t, `INSERT INTO nodeconfig (node_id, key, value) VALUES (12, 'encryption', '0'), (12, 'allowed_users', '5')`)
	b.run(
		row{as: "root", method: "GET", path: path, want: 200, has: `[{"id":12,"name":"node_iknl_z","ip":null,"status":null,
			"last_seen":null,"organization":{"id":2,"link":"/api/organization/2"},"config":[1,2]},{"id":13,"config":[]},{"id":14}]`},
		row{as: "root", method: "GET", path: path + "?page=1&per_page=1&include=metadata", want: 200, has: `{"data":[{"id":12}],"links":{"last":"*"}}`},
		row{name: "own nodes only", as: "viewer", method: "GET", path: path, want: 200, has: `[{"id":12}]`},
		row{name: "own nodes only", as: "researcher", method: "GET", path: "/collaboration/3/node", want: 200, has: `[]`},
		row{as: "viewer", method: "GET", path: "/collaboration/3/node", want: 401, has: denied},
		row{as: "noperm", method: "GET", path: path, want: 401, has: denied},
		row{as: "noperm", method: "GET", path: "/collaboration/99/node", want: 404, has: `{"msg":"collaboration id=99 can not be found"}`},
		row{as: "node_iknl_z", method: "GET", path: path, want: 403},
		row{as: "container", method: "GET", path: path, want: 403},
	)
	simple := b.send(t, row{as: "root", method: "GET", path: path}).Body.String()
	if strings.Contains(simple, `"type"`) || strings.Contains(simple, `"collaboration"`) {
		t.Errorf("the simple form has too much: %s", simple)
	}
}

func TestMoveAndDetachNodes(t *testing.T) {
	b := newBed(t)
	b.grant("noperm", 11)
	const gone = `{"msg":"collaboration having collaboration_id=99 can not be found"}`
	b.run(
		row{as: "viewer", method: "POST", path: "/collaboration/99/node", body: `{"id":12}`, want: 404, has: gone},
		row{as: "viewer", method: "POST", path: "/collaboration/1/node", body: `{"id":99}`, want: 401, has: denied},
		row{as: "node_iknl_z", method: "POST", path: "/collaboration/1/node", body: `{"id":12}`, want: 403},
		row{as: "root", method: "POST", path: "/collaboration/1/node", body: `{}`, want: 400},
		row{as: "root", method: "POST", path: "/collaboration/1/node", body: `{"id":99}`, want: 404, has: `{"msg":"node id=99 not found"}`},
		row{name: "a user is no node", as: "root", method: "POST", path: "/collaboration/1/node", body: `{"id":2}`, want: 404},
		row{as: "root", method: "POST", path: "/collaboration/1/node", body: `{"id":12}`, want: 400, has: `{"msg":"node id=12 is already in collaboration id=1"}`},
		row{
			as: "root", method: "POST", path: "/collaboration/3/node", body: `{"id":12}`, want: 400,
			has: `{"msg":"The organization id=2 is not part of collabotation id=3. Add it first!"}`,
		},
		row{
			as: "root", method: "POST", path: "/collaboration/2/node", body: `{"id":12}`, want: 400,
			has: `{"msg":"Organization id=2 already has a node for collaboration id=2"}`,
		},

		row{as: "viewer", method: "DELETE", path: "/collaboration/99/node", body: `{"id":15}`, want: 404, has: gone},
		row{as: "viewer", method: "DELETE", path: "/collaboration/2/node", body: `{"id":15}`, want: 401, has: denied},
		row{as: "root", method: "DELETE", path: "/collaboration/2/node", body: `{}`, want: 400},
		row{as: "root", method: "DELETE", path: "/collaboration/2/node", body: `{"id":99}`, want: 404, has: `{"msg":"node id=99 not found"}`},
		row{
			as: "root", method: "DELETE", path: "/collaboration/2/node", body: `{"id":12}`, want: 400,
			has: `{"msg":"node id=12 is not part of collaboration id=2"}`,
		},
	)
	b.closes(row{
		as: "noperm", method: "DELETE", path: "/collaboration/2/node", body: `{"id":15}`, want: 200,
		has: `{"msg":"node id=15 removed from collaboration id=2"}`,
	}, 15)
	b.run(
		row{as: "node_iknl_p", method: "GET", path: "/node/15", want: 200, has: `{"id":15,"collaboration":null}`},
		row{as: "node_iknl_p", method: "GET", path: "/collaboration/2", want: 401, has: denied},
		row{as: "node_iknl_p", method: "GET", path: "/node", want: 200, has: `[{"id":15}]`},
	)
	b.closes(row{
		as: "root", method: "POST", path: "/collaboration/2/node", body: `{"id":12}`, want: 201,
		has: `[{"id":12,"organization":{"id":2},"config":[]},{"id":16}]`,
	}, 12)
	b.run(
		row{name: "its container ends", as: "container", method: "GET", path: "/collaboration/1", want: 401, has: `{"msg":"Container-token is not valid"}`},
		row{as: "node_iknl_z", method: "GET", path: "/collaboration/2", want: 200},
		row{as: "node_iknl_z", method: "GET", path: "/collaboration/1", want: 401, has: denied},
	)
	b.closes(row{name: "sees no node", as: "noperm", method: "POST", path: "/collaboration/1/node", body: `{"id":15}`, want: 201, has: `[]`}, 15)
}

func TestAdvisory_T06_CollaborationsLeaveNothing(t *testing.T) {
	b := newBed(t)
	b.change(t,
		`INSERT INTO task (name, collaboration_id, run_id, parent_id) VALUES ('below', 1, 1, 1), ('elsewhere', 2, 2, NULL)`,
		`INSERT INTO result (task_id, organization_id, status, finished_at) VALUES
			(2, 2, 'completed', '2026-01-02T03:04:05.000000Z'), (2, 3, 'active', NULL), (3, 4, 'pending', NULL)`,
		`INSERT INTO payload (result_id, input) SELECT id, `+b.octets("aW4=")+` FROM result WHERE id IN (4, 5, 6)`,
		`INSERT INTO algorithmport (port, result_id) VALUES (8080, 1), (8081, 5), (8082, 6)`,
		`INSERT INTO nodeconfig (node_id, key, value) VALUES (12, 'encryption', '0'), (15, 'encryption', '0')`,
	)
	b.run(
		row{as: "noperm", method: "DELETE", path: "/collaboration/99", want: 404, has: `{"msg":"collaboration id=99 is not found"}`},
		row{as: "colladmin", method: "DELETE", path: "/collaboration/1", want: 401, has: denied},
		row{as: "node_iknl_z", method: "DELETE", path: "/collaboration/1", want: 403},
	)
	b.closes(row{
		as: "root", method: "DELETE", path: "/collaboration/1", want: 200, has: `{"msg":"Collaboration id=1 successfully deleted"}`,
		events: []string{`collaboration_1 kill_containers {"kill_list":[{"task_id":1,"result_id":1,"organization_id":2},` +
			`{"task_id":1,"result_id":2,"organization_id":3},{"task_id":1,"result_id":3,"organization_id":4},` +
			`{"task_id":2,"result_id":5,"organization_id":3}],"collaboration_id":1}`},
	}, 12, 13, 14)
	for query, want := range map[string]int64{
		`SELECT COUNT(*) FROM member WHERE collaboration_id = 1`:   0,
		`SELECT COUNT(*) FROM member`:                              4,
		`SELECT COUNT(*) FROM task`:                                1,
		`SELECT COUNT(*) FROM result`:                              1,
		`SELECT COUNT(*) FROM payload`:                             1,
		`SELECT COUNT(*) FROM algorithmport`:                       1,
		`SELECT COUNT(*) FROM nodeconfig`:                          1,
		`SELECT COUNT(*) FROM node`:                                4,
		`SELECT COUNT(*) FROM authenticatable`:                     15,
		`SELECT COUNT(*) FROM task WHERE collaboration_id IS NULL`: 0,
		`SELECT COUNT(*) FROM node WHERE collaboration_id IS NULL`: 0,
		`SELECT SUM(tasks) FROM extent WHERE collaboration_id = 2`: 1,
		`SELECT SUM(tasks) FROM extent`:                            1,
		`SELECT COUNT(*) FROM result r WHERE NOT EXISTS (SELECT 1 FROM task t WHERE t.id = r.task_id)`:                         0,
		`SELECT COUNT(*) FROM algorithmport p WHERE NOT EXISTS (SELECT 1 FROM result r WHERE r.id = p.result_id)`:              0,
		`SELECT COUNT(*) FROM payload p WHERE NOT EXISTS (SELECT 1 FROM result r WHERE r.id = p.result_id)`:                    0,
		`SELECT COUNT(*) FROM authenticatable a WHERE a.type = 'node' AND NOT EXISTS (SELECT 1 FROM node n WHERE n.id = a.id)`: 0,
	} {
		if got := b.number(t, query); got != want {
			t.Errorf("%s: %d, want %d", query, got, want)
		}
	}
	for _, path := range []string{
		"/collaboration/1", "/collaboration/1/organization", "/collaboration/1/node", "/collaboration/1/task", "/node/12",
		"/task/1", "/task/2", "/task/1/result", "/result/1", "/result/5", "/port/1",
	} {
		b.run(row{as: "root", method: "GET", path: path, want: 404})
	}
	b.run(
		row{as: "node_iknl_z", method: "GET", path: "/node/12", want: 401, has: `{"msg":"Error loading the user 12"}`},
		row{as: "container", method: "GET", path: "/organization/2", want: 401, has: `{"msg":"Container-token is not valid"}`},
		row{method: "POST", path: "/token/node", body: `{"api_key":"key-12"}`, want: 401},
		row{name: "nothing runs there", as: "root", method: "DELETE", path: "/collaboration/3", want: 200},
		row{as: "root", method: "DELETE", path: "/collaboration/1", want: 404},
	)
}
