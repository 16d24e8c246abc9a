package handlers

import (
	"fmt"
	"strings"
	"testing"
)

const defaultNotChanged = `is a default role. Its name cannot be changed."}`

func TestRolesAreListed(t *testing.T) {
	b := newBed(t)
	b.change(t, `INSERT INTO role (name, description, organization_id) VALUES ('a "b\_', 'Über', 3), ('free', '', NULL)`,
		`INSERT INTO user_role (user_id, role_id) VALUES (9, 8)`)
	get := func(as, query, ids string) row {
		return row{as: as, method: "GET", path: "/role" + query, want: 200, has: ids}
	}
	b.run(
		get("root", "", idObjects(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)),
		get("colladmin", "", idObjects(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)),
		get("viewer", "", idObjects(1, 2, 3, 4, 5, 6, 7, 8, 12)),
		get("researcher_small", "", idObjects(1, 2, 3, 4, 5, 6, 7, 9, 11, 12)),
		get("noperm", "?user_id=9", idObjects(8)),
		get("root", "?name=super", idObjects(8, 9, 10)),
		get("root", "?name=ROOT&name=view%25&name=", idObjects(1, 4)),
		get("root", `?name=a+%22b%5C%5C%5C_`, idObjects(11)),
		get("root", `?name=a+%22b%25&name=%5C`, idObjects(11)),
		get("root", "?description=s&description=%25ber", idObjects(8, 9, 10, 11)),
		get("root", "?description=%25manage%25", idObjects(4, 5, 6, 7)),
		get("root", "?organization_id=2", idObjects(8)),
		get("root", "?organization_id=2&organization_id=4", idObjects(8, 10)),
		get("root", "?organization_id=2&include_root=True", idObjects(1, 2, 3, 4, 5, 6, 7, 8, 12)),
		get("root", "?organization_id=2&include_root=x", idObjects(1, 2, 3, 4, 5, 6, 7, 8, 12)),
		get("root", "?organization_id=2&include_root=False", idObjects(8)),
		get("root", "?organization_id=2&include_root=0", idObjects(8)),
		get("root", "?organization_id=2&include_root=NO", idObjects(8)),
		get("root", "?organization_id=2&include_root=", idObjects(8)),
		get("root", "?include_root=True&name=super", idObjects(8, 9, 10)),
		get("viewer", "?organization_id=3", `[]`),
		get("root", "?rule_id=53", idObjects(1, 8, 9, 10)),
		get("root", "?user_id=5", idObjects(4)),
		get("root", "?user_id=5&rule_id=53", `[]`),
		get("root", "?page=2&per_page=5&include=metadata", `{"data":`+idObjects(6, 7, 8, 9, 10)+`,"links":{"next":"/api/role?page=3&per_page=5&include=metadata"}}`),
		row{as: "root", method: "GET", path: "/role?organization_id=2&organization_id=x", want: 400, has: `{"msg":"*"}`},
		row{as: "root", method: "GET", path: "/role?rule_id=x", want: 400},
		row{as: "root", method: "GET", path: "/role?user_id=x", want: 400},
		row{as: "root", method: "GET", path: "/role?name=a%00", want: 400},
		row{as: "root", method: "GET", path: "/role?name=a&name=%ff", want: 400},
		row{as: "node_iknl_z", method: "GET", path: "/role", want: 403},
		row{as: "container", method: "GET", path: "/role", want: 403},
	)
	b.change(t, `DELETE FROM user_role WHERE user_id = 9`)
	b.run(
		get("noperm", "", `[]`),
		row{as: "root", method: "GET", path: "/role/1", want: 200, has: `{"id":1,"name":"Root","description":"*","organization":null,
			"users":[{"id":1,"link":"/api/user/1","methods":["DELETE","GET","PATCH"]}]}`},
		row{as: "root", method: "GET", path: "/role/12", want: 200, has: `{"rules":null,"users":null}`},
	)
}

func TestRoleIsShown(t *testing.T) {
	b := newBed(t)
	get := func(as string, id, want int, has string) row {
		return row{as: as, method: "GET", path: fmt.Sprintf("/role/%d", id), want: want, has: has}
	}
	const refused = `{"msg":"You do not have permission to view this."}`
	b.change(t, `INSERT INTO role (name, organization_id) VALUES ('empty', 3)`, `INSERT INTO user_role (user_id, role_id) VALUES (9, 11)`)
	b.run(
		get("root", 8, 200, `{"id":8,"name":"super","description":"s","organization":{"id":2,"link":"/api/organization/2","methods":["GET","PATCH"]}}`),
		get("root", 3, 200, `{"rules":`+idObjects(2, 4, 10, 15, 16, 18, 21, 27, 47)+`,"users":null}`),
		get("root", 99, 404, `{"msg":"Role with id=99 not found."}`),
		get("noperm", 99, 404, `{"msg":"Role with id=99 not found."}`),
		get("viewer", 8, 200, `{"id":8}`),
		get("viewer", 1, 200, `{"id":1}`),
		get("viewer", 9, 401, refused),
		get("colladmin", 9, 200, `{"id":9}`),
		get("noperm", 11, 200, `{"id":11,"users":[{"id":9}]}`),
		get("viewer", 11, 401, refused),
		get("noperm", 8, 401, refused),
		get("node_iknl_z", 8, 403, ""),
	)
}

// Holders are only shown to those who may view them (/docs/roles#object).
func TestHoldersOfRolesAreThoseTheCallerMayView(t *testing.T) {
	b := newBed(t)
	b.change(t, `INSERT INTO role (name, organization_id) VALUES ('empty', 2)`,
		`INSERT INTO user_role (user_id, role_id) VALUES (3, 11), (5, 11), (9, 11), (11, 11), (6, 4)`)
	users := func(as string, role int, want string) row {
		return row{as: as, method: "GET", path: fmt.Sprintf("/role/%d", role), want: 200, has: `{"users":` + want + `}`}
	}
	b.run(
		users("root", 11, idObjects(3, 5, 9, 11)),
		users("viewer", 11, idObjects(5, 9)),
		users("viewer_big", 11, idObjects(11)),
		users("noperm", 11, idObjects(9)),
		users("root", 4, idObjects(5, 6, 11)),
		users("viewer", 4, idObjects(5, 6)),
		users("viewer_big", 4, idObjects(11)),
		users("viewer", 1, `null`),
		row{as: "noperm", method: "GET", path: "/role", want: 200, has: `[{"id":11,"users":[{"id":9}]}]`},
		row{as: "viewer_big", method: "GET", path: "/role?name=Viewer", want: 200, has: `[{"id":4,"users":[{"id":11}]}]`},
	)
}

func TestRoleIsCreated(t *testing.T) {
	b := newBed(t)
	post := func(as, body string, want int, has string) row {
		return row{as: as, method: "POST", path: "/role", body: body, want: want, has: has}
	}
	const needs = "Missing required parameter in the JSON body or the post body or the query string"
	b.run(
		post("root", `{"name":"r","description":"d","rules":[3,1,1],"organization_id":2}`, 201,
			`{"id":11,"name":"r","description":"d","organization":{"id":2},"rules":[{"id":1},{"id":3}],"users":null}`),
		post("orgadmin", `{"name":"r","description":"","rules":2}`, 201, `{"id":12,"organization":{"id":2},"rules":[{"id":2}]}`),
		post("orgadmin", `{"name":"","description":"x","rules":null,"organization_id":null}`, 201, `{"id":13,"name":"","rules":null}`),
		post("root", `{}`, 400, `{"message":{"name":"`+needs+`"},"msg":"*"}`),
		post("root", ``, 400, ""),
		post("root", `{"description":"d"}`, 400, `{"message":{"name":"`+needs+`"}}`),
		post("root", `{"name":null,"description":"d"}`, 400, `{"message":{"name":"`+needs+`"}}`),
		post("root", `{"name":"r"}`, 400, `{"message":{"description":"`+needs+`"}}`),
		post("root", `{"name":5,"description":"d"}`, 400, `{"message":{"name":"*"}}`),
		post("root", `{"name":"r","description":"d","rules":["x"]}`, 400, `{"message":{"rules":"invalid literal for int() with base 10: 'x'"}}`),
		post("root", `{"name":"r","description":"d","organization_id":"x"}`, 400, `{"message":{"organization_id":"*"}}`),
		post("viewer", `{"name":"Viewer","description":"d"}`, 400, `{"msg":"Cannot create role 'Viewer' as it is a reserved role name."}`),
		post("root", `{"name":"viewer","description":"line\n"}`, 201, `{"id":14,"organization":{"id":1}}`),
		post("viewer", `{"name":"r","description":"d","rules":[999,1]}`, 404, `{"msg":"Rule id=999 not found."}`),
		post("orgadmin", `{"name":"r","description":"d","rules":[2,1],"organization_id":99}`, 401,
			`{"msg":"You don't have the rule (node, Scope.GLOBAL, Operation.VIEW)"}`),
		post("orgadmin", `{"name":"r","description":"d","organization_id":99}`, 404, `{"msg":"organization \"99\" does not exist!"}`),
		post("orgadmin", `{"name":"r","description":"d","organization_id":3}`, 401, `{"msg":"You cannot create roles for other organizations!"}`),
		post("viewer", `{"name":"r","description":"d","organization_id":3}`, 401, `{"msg":"You cannot create roles for other organizations!"}`),
		post("viewer", `{"name":"r","description":"d"}`, 401, `{"msg":"You lack the permission to create roles!"}`),
		post("node_iknl_z", `{"name":"r","description":"d"}`, 403, ""),
	)
	b.change(t, `UPDATE "user" SET organization_id = NULL WHERE id = 2`)
	b.run(row{name: "no organization, so no default role", as: "admin", method: "POST", path: "/role",
		body: `{"name":"r","description":"d"}`, want: 404, has: `{"msg":"organization \"0\" does not exist!"}`})
}

func TestRoleIsChanged(t *testing.T) {
	b := newBed(t)
	b.change(t, `INSERT INTO role (name, description, organization_id) VALUES ('r', 'd', 2), ('rs', 'd', 3), ('free', 'd', NULL)`,
		`INSERT INTO role_rule (role_id, rule_id) VALUES (11, 2), (11, 1), (12, 2)`,
		`INSERT INTO user_role (user_id, role_id) VALUES (9, 11)`)
	patch := func(as string, id int, body string, want int, has string) row {
		return row{as: as, method: "PATCH", path: fmt.Sprintf("/role/%d", id), body: body, want: want, has: has}
	}
	const lacksOne = `{"msg":"You don't have the rule (node, Scope.GLOBAL, Operation.VIEW)"}`
	b.run(
		patch("root", 99, `{}`, 404, `{"msg":"Role with id=99 not found."}`),
		patch("viewer", 9, `{"name":"Root"}`, 400, `{"msg":"Cannot change role name into 'Root' as that is a reserved role name."}`),
		patch("root", 4, `{"description":"x"}`, 400, `{"msg":"This role ('Viewer') `+defaultNotChanged),
		patch("viewer", 4, `{}`, 400, `{"msg":"This role ('Viewer') `+defaultNotChanged),
		patch("viewer", 11, `{"name":"x"}`, 401, `{"msg":"You do not have permission to edit roles!"}`),
		patch("orgadmin", 12, `{"name":"x"}`, 401, `{"msg":"You can't edit roles from another organization"}`),
		patch("orgadmin", 13, `{"name":"x"}`, 401, `{"msg":"You can't edit roles from another organization"}`),
		patch("container", 11, `{}`, 403, ""),
		patch("root", 11, ``, 400, `{"msg":"*"}`),
		patch("root", 11, `[]`, 400, `{"msg":"*"}`),
		patch("root", 11, `{"name":1}`, 400, `{"msg":"*"}`),
		patch("root", 11, `{"rules":"x"}`, 400, `{"msg":"*"}`),
		patch("orgadmin", 11, `{"name":"n","rules":[999]}`, 404, `{"msg":"rule with id=999 not found!"}`),
		patch("orgadmin", 11, `{"rules":[2,1]}`, 401, lacksOne),
		row{name: "removing what one lacks", as: "orgadmin", method: "PATCH", path: "/role/11", body: `{"name":"n","rules":[2]}`, want: 401, has: lacksOne},
		row{name: "nothing was written", as: "orgadmin", method: "GET", path: "/role/11", want: 200, has: `{"name":"r","rules":[{"id":1},{"id":2}]}`},
		patch("orgadmin", 11, `{"name":null,"description":"x","rules":null}`, 200, `{"name":"r","description":"x","rules":[{"id":1},{"id":2}]}`),
		patch("root", 11, `{"name":"n","organization_id":3,"rules":[34,34]}`, 200, `{"name":"n","organization":{"id":2},"rules":[{"id":34}],"users":[{"id":9}]}`),
		row{name: "rights count at once", as: "noperm", method: "PATCH", path: "/user/9", body: `{"firstname":"N"}`, want: 200},
		patch("orgadmin", 11, `{"name":"","rules":[]}`, 200, `{"name":"","rules":null}`),
		row{name: "and end at once", as: "noperm", method: "PATCH", path: "/user/9", body: `{"firstname":"N"}`, want: 401},
		patch("root", 13, `{"name":"x"}`, 200, `{"name":"x","organization":null}`),
	)
}

func TestRoleIsDeleted(t *testing.T) {
	b := newBed(t)
	b.change(t, `INSERT INTO role (name, organization_id) VALUES ('r', 2), ('rs', 3), ('free', NULL), ('strong', 2)`,
		`INSERT INTO role_rule (role_id, rule_id) VALUES (11, 34), (14, 3)`, `INSERT INTO user_role (user_id, role_id) VALUES (9, 11)`)
	del := func(as string, id, want int, has string) row {
		return row{as: as, method: "DELETE", path: fmt.Sprintf("/role/%d", id), want: want, has: has}
	}
	rows := []row{
		del("viewer", 99, 404, `{"msg":"Role with id=99 not found."}`),
		del("viewer", 11, 401, `{"msg":"You do not have permission to delete roles!"}`),
		del("orgadmin", 12, 401, `{"msg":"You can't delete a role from another organization"}`),
		del("orgadmin", 14, 401, `{"msg":"You don't have the rule (node, Scope.GLOBAL, Operation.EDIT)"}`),
		del("node_iknl_z", 11, 403, ""),
		{name: "held before", as: "noperm", method: "PATCH", path: "/user/9", body: `{}`, want: 200},
		del("orgadmin", 11, 200, `{"msg":"Role removed from the database."}`),
		{name: "not after", as: "noperm", method: "PATCH", path: "/user/9", body: `{}`, want: 401},
		del("root", 11, 404, ""),
		del("orgadmin", 13, 401, `{"msg":"You can't delete a role from another organization"}`),
		del("root", 13, 200, ""),
	}
	for id := 1; id <= 7; id++ {
		rows = append(rows, del("root", id, 400, `{"msg":"*"}`),
			del("orgadmin", id, 401, `{"msg":"You can't delete a role from another organization"}`))
	}
	b.run(rows...)
	if n := b.number(t, `SELECT COUNT(*) FROM role_rule WHERE role_id = 11`) + b.number(t, `SELECT COUNT(*) FROM user_role WHERE role_id = 11`); n != 0 {
		t.Errorf("%d rows of the deleted role are left", n)
	}
}

func TestRulesOfRoleAreListed(t *testing.T) {
	b := newBed(t)
	b.change(t, `INSERT INTO user_role (user_id, role_id) VALUES (9, 3)`, `INSERT INTO user_rule (user_id, rule_id) VALUES (9, 2), (11, 2)`)
	get := func(as string, path string, want int, has string) row {
		return row{as: as, method: "GET", path: "/role/" + path, want: want, has: has}
	}
	const refused = `{"msg":"You lack permissions to do that"}`
	b.run(
		get("noperm", "99/rule", 404, `{"msg":"Role id=99 not found!"}`),
		get("root", "3/rule", 200, idObjects(2, 4, 10, 15, 16, 18, 21, 27, 47)),
		get("root", "3/rule?page=2&per_page=4&include=metadata", 200, `{"data":`+idObjects(16, 18, 21, 27)+`,"links":{
			"self":"/api/role/3/rule?page=2&per_page=4&include=metadata","last":"/api/role/3/rule?page=3&per_page=4&include=metadata"}}`),
		get("viewer", "3/rule?page=1&per_page=1", 200, `[{"id":2,"name":"node","operation":"VIEW","scope":"ORGANIZATION","users":[{"id":9}]}]`),
		get("viewer", "8/rule?page=53&per_page=1", 200, idObjects(53)),
		get("viewer", "9/rule", 401, refused),
		get("noperm", "3/rule?page=1&per_page=1", 200, idObjects(2)),
		get("noperm", "8/rule", 401, refused),
		get("root", "3/rule?page=x", 400, `{"msg":"page needs to be >= 1"}`),
		get("container", "3/rule", 403, ""),
		get("root", "3/rule/2", 405, `{"message":"The method is not allowed for the requested URL."}`),
	)
}

func TestRulesOfRoleAreTuned(t *testing.T) {
	b := newBed(t)
	b.change(t, `INSERT INTO role (name, organization_id) VALUES ('r', 2), ('rs', 3)`, `INSERT INTO role_rule (role_id, rule_id) VALUES (11, 3)`,
		`INSERT INTO user_role (user_id, role_id) VALUES (9, 11)`, `INSERT INTO user_rule (user_id, rule_id) VALUES (6, 45)`)
	tune := func(as, method, path string, want int, has string) row {
		return row{as: as, method: method, path: "/role/" + path, want: want, has: has}
	}
	const (
		refused  = `{"msg":"You lack permissions to do that"}`
		lacksOne = `{"msg":"You don't have the rule (node, Scope.GLOBAL, Operation.VIEW)"}`
	)
	b.run(
		tune("noperm", "POST", "99/rule/1", 404, `{"msg":"Role id=99 not found!"}`),
		tune("noperm", "POST", "11/rule/99", 404, `{"msg":"Rule id=99 not found!"}`),
		tune("noperm", "DELETE", "99/rule/99", 404, `{"msg":"Role id=99 not found!"}`),
		tune("noperm", "DELETE", "11/rule/99", 404, `{"msg":"Rule id=99 not found!"}`),
		tune("viewer", "POST", "11/rule/34", 401, refused),
		tune("viewer", "DELETE", "11/rule/34", 401, refused),
		tune("orgadmin", "POST", "12/rule/34", 401, refused),
		tune("orgadmin", "POST", "4/rule/34", 401, refused),
		tune("orgadmin", "POST", "11/rule/1", 401, lacksOne),
		tune("orgadmin", "DELETE", "11/rule/1", 401, lacksOne),
		tune("node_iknl_z", "POST", "11/rule/2", 403, ""),
		tune("orgadmin", "POST", "11/rule/34", 201, `{}`),
		tune("orgadmin", "POST", "11/rule/34", 201, `{}`),
		row{name: "rights count at once", as: "noperm", method: "PATCH", path: "/user/9", body: `{}`, want: 200},
		tune("root", "GET", "11", 200, `{"rules":[{"id":3},{"id":34}]}`),
		row{name: "to remove takes the rule to delete, not to edit", as: "researcher", method: "POST", path: "/role/11/rule/2", want: 401, has: refused},
		row{as: "researcher", method: "DELETE", path: "/role/11/rule/34", want: 200, has: `{}`},
		row{name: "and end at once", as: "noperm", method: "PATCH", path: "/user/9", body: `{}`, want: 401},
		tune("root", "GET", "11", 200, `{"rules":[{"id":3}]}`),
		tune("orgadmin", "DELETE", "11/rule/34", 404, `{"msg":"Rule id=34 not found in Role=11!"}`),
		tune("root", "POST", "4/rule/53", 201, `{}`),
		tune("root", "DELETE", "4/rule/53", 200, `{}`),
		tune("root", "POST", "3/rule/53", 400, `{"msg":"This role ('node') `+defaultNotChanged),
		tune("root", "DELETE", "1/rule/53", 400, `{"msg":"This role ('Root') `+defaultNotChanged),
		tune("root", "DELETE", "2/rule/47", 400, `{"msg":"This role ('container') `+defaultNotChanged),
		tune("root", "POST", "11/rule/x", 404, `{"msg":"*"}`),
	)
}

func TestAdvisory_T05_RoleNameIsNoID(t *testing.T) {
	b := newBed(t)
	for _, name := range []string{"1", "01", " 1 ", "１", "٣"} {
		b.run(
			row{name: name, as: "root", method: "POST", path: "/role", body: fmt.Sprintf(`{"name":%q,"description":"d"}`, name), want: 400,
				has: `{"message":{"name":"*"},"msg":"*"}`},
			row{name: name, as: "root", method: "PATCH", path: "/role/8", body: fmt.Sprintf(`{"name":%q}`, name), want: 400, has: `{"msg":"*"}`},
		)
	}
	for _, id := range []string{"super", "%38%20", "+8", "-8", "%EF%BC%98"} {
		b.run(row{as: "root", method: "GET", path: "/role/" + id, want: 404, has: `{"msg":"*"}`})
	}
	b.change(t, `UPDATE role SET name = '8' WHERE id = 8`)
	b.run(row{name: "an old name may stay", as: "root", method: "PATCH", path: "/role/8", body: `{"name":"8","description":"x"}`, want: 200})
}

func TestRulesAreListed(t *testing.T) {
	b := newBed(t)
	b.change(t, `INSERT INTO user_rule (user_id, rule_id) VALUES (5, 1), (9, 1), (11, 1)`)
	get := func(as, query string, want int, has string) row {
		return row{as: as, method: "GET", path: "/rule" + query, want: want, has: has}
	}
	var all []int
	for id := 1; id <= 53; id++ {
		all = append(all, id)
	}
	b.run(
		get("noperm", "", 200, idObjects(all...)),
		get("noperm", "?per_page=3", 200, idObjects(all...)),
		get("root", "?name=role&operation=VIEW", 200, idObjects(38, 39)),
		get("root", "?name=Role", 200, `[]`),
		get("root", "?scope=OWN", 200, idObjects(34, 37)),
		get("root", "?scope=glo", 200, `[]`),
		get("root", "?operation=v", 200, `[]`),
		get("noperm", "?role_id=2", 200, idObjects(2, 10, 15, 16, 21, 27, 47)),
		get("noperm", "?role_id=2&page=2&per_page=5&include=metadata", 200, `{"data":`+idObjects(27, 47)+`,"links":{
			"previous":"/api/rule?role_id=2&page=1&per_page=5&include=metadata"}}`),
		get("root", "?page=2&per_page=20&include=metadata", 200, `{"data":`+idObjects(all[20:40]...)+`,"links":{
			"first":"/api/rule?page=1&per_page=20&include=metadata","previous":"/api/rule?page=1&per_page=20&include=metadata",
			"self":"/api/rule?page=2&per_page=20&include=metadata","next":"/api/rule?page=3&per_page=20&include=metadata",
			"last":"/api/rule?page=3&per_page=20&include=metadata"}}`),
		get("root", "?page=40&per_page=10", 200, `[]`),
		get("root", "?role_id=x", 400, `{"msg":"*"}`),
		get("root", "?page=-1", 400, `{"msg":"page needs to be >= 1"}`),
		get("root", "?page=1&per_page=0", 400, `{"msg":"per_page needs to be >= 1"}`),
		get("root", "/1", 200, `{"id":1,"name":"node","operation":"VIEW","scope":"GLOBAL","description":"*","users":`+idObjects(5, 9, 11)+`}`),
		get("viewer", "/1", 200, `{"users":`+idObjects(5, 9)+`}`),
		get("noperm", "/1", 200, `{"users":`+idObjects(9)+`}`),
		get("viewer_big", "?name=node&operation=VIEW&scope=GLOBAL", 200, `[{"users":`+idObjects(11)+`}]`),
		get("researcher_small", "/1", 200, `{"users":null}`),
		get("noperm", "/99", 404, `{"msg":"Rule id=99 not found!"}`),
		get("node_iknl_z", "", 403, ""),
		get("container", "/1", 403, ""),
		get("", "", 401, `{"msg":"Missing Authorization Header"}`),
		row{as: "root", method: "POST", path: "/rule", body: `{}`, want: 405},
		row{as: "root", method: "DELETE", path: "/rule/1", want: 405},
	)
	reply := b.send(t, get("root", "?page=40&per_page=10", 200, ""))
	if link := reply.Header().Get("Link"); !strings.Contains(link, "page=39&per_page=10>; rel=previous") ||
		!strings.Contains(link, "page=6&per_page=10>; rel=last") || strings.Contains(link, "rel=next") || reply.Header()["total-count"][0] != "53" {
		t.Errorf("past the end: Link %s, total-count %v", link, reply.Header()["total-count"])
	}
}
