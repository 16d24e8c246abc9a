package handlers

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

const (
	lacks   = `{"msg":"You lack the permission to do that!"}`
	allKeys = `{"id":5,"type":"user","username":"viewer","firstname":"First","lastname":"Last","email":"viewer@example.org",
		"organization":{"id":2,"link":"/api/organization/2","methods":["GET","PATCH"]},
		"roles":[{"id":4,"link":"/api/role/4","methods":["DELETE","GET","PATCH"]}],"rules":null,"created_tasks":[],
		"last_seen":"*","status":null,"ip":null,"otp_secret":null}`
)

func TestUsersAreListed(t *testing.T) {
	b := newBed(t)
	b.change(t, `INSERT INTO user_rule (user_id, rule_id) VALUES (9, 2), (11, 2)`,
		`UPDATE authenticatable SET last_seen = '2026-03-01T00:00:00.000000Z' WHERE id = 10`)
	get := func(as, query, ids string) row {
		return row{as: as, method: "GET", path: "/user" + query, want: 200, has: ids}
	}
	b.run(
		get("root", "", idObjects(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)),
		get("colladmin", "", idObjects(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)),
		get("viewer", "", idObjects(2, 5, 6, 7, 8, 9)),
		get("researcher_small", "", idObjects(3, 10)),
		get("root", "?username=view%25", idObjects(5, 11)),
		get("root", "?username=VIEWER", idObjects(5)),
		get("root", "?username=viewer%5C_big", idObjects(11)),
		get("root", "?username=viewer%5C", `[]`),
		get("root", "?username=", idObjects(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)),
		get("root", "?username=viewer&username=admin", idObjects(5)),
		get("root", "?firstname=f%25&lastname=la_t&email=%25big%25", idObjects(4, 11)),
		get("root", "?organization_id=3", idObjects(3, 10)),
		get("viewer", "?organization_id=3", `[]`),
		get("root", "?role_id=4", idObjects(5, 11)),
		get("viewer", "?role_id=4", idObjects(5)),
		get("root", "?role_id=99", `[]`),
		get("root", "?rule_id=2", idObjects(9, 11)),
		get("root", "?rule_id=2&organization_id=4", idObjects(11)),
		get("root", "?last_seen_from=2026-03-01&last_seen_till=2026-03-01", idObjects(10)),
		get("root", "?last_seen_till=2026-02-28", `[]`),
		get("root", "?page=2&per_page=4", idObjects(5, 6, 7, 8)),
		get("root", "?page=9&per_page=4", `[]`),
		get("viewer", "?page=2&per_page=4&include=metadata", `{"data":`+idObjects(8, 9)+`,"links":{
			"first":"/api/user?page=1&per_page=4&include=metadata","previous":"/api/user?page=1&per_page=4&include=metadata",
			"self":"/api/user?page=2&per_page=4&include=metadata","last":"/api/user?page=2&per_page=4&include=metadata"}}`),
		row{as: "noperm", method: "GET", path: "/user", want: 401, has: lacks},
		row{as: "node_iknl_z", method: "GET", path: "/user", want: 403, has: `{"msg":"nodes are not allowed to access http://server.example/api/user (GET)"}`},
		row{as: "container", method: "GET", path: "/user", want: 403},
		row{method: "GET", path: "/user", want: 401, has: `{"msg":"Missing Authorization Header"}`},
		row{as: "root", method: "GET", path: "/user?organization_id=x", want: 400, has: `{"msg":"*"}`},
		row{as: "root", method: "GET", path: "/user?role_id=1.5", want: 400},
		row{as: "root", method: "GET", path: "/user?last_seen_from=yesterday", want: 400},
		row{as: "root", method: "GET", path: "/user?username=a%00", want: 400},
		row{as: "root", method: "GET", path: "/user?email=%ff", want: 400},
		row{as: "root", method: "GET", path: "/user?page=0", want: 400, has: `{"msg":"page needs to be >= 1"}`},
		row{as: "root", method: "PUT", path: "/user", want: 405},
	)
	reply := b.send(t, row{as: "viewer", method: "GET", path: "/user?page=1&per_page=4"})
	if got := reply.Header()["total-count"]; len(got) != 1 || got[0] != "6" {
		t.Errorf("total-count is %v, want 6: those that the viewer may view", got)
	}
}

func TestUserIsShown(t *testing.T) {
	b := newBed(t)
	b.run(
		row{as: "root", method: "GET", path: "/user/5", want: 200, has: allKeys},
		row{as: "viewer", method: "GET", path: "/user/5", want: 200, has: allKeys},
		row{as: "viewer", method: "GET", path: "/user/2", want: 200, has: `{"created_tasks":[1]}`},
		row{as: "viewer", method: "GET", path: "/user/3", want: 401, has: lacks},
		row{as: "colladmin", method: "GET", path: "/user/3", want: 200, has: `{"id":3}`},
		row{name: "one's own without a rule", as: "noperm", method: "GET", path: "/user/9", want: 200, has: `{"id":9,"roles":null,"rules":null}`},
		row{as: "noperm", method: "GET", path: "/user/5", want: 401, has: lacks},
		row{as: "noperm", method: "GET", path: "/user/99", want: 404, has: `{"msg":"user id=99 is not found"}`},
		row{name: "a node's id", as: "root", method: "GET", path: "/user/12", want: 404, has: `{"msg":"user id=12 is not found"}`},
		row{as: "node_iknl_z", method: "GET", path: "/user/99", want: 403},
	)
	for _, path := range []string{"/user", "/user/2"} {
		reply := b.send(t, row{as: "root", method: "GET", path: path}).Body.String()
		for _, never := range []string{`"password`, "$2a$", "$2b$", "failed_login", "last_login", `"organization_id"`} {
			if strings.Contains(reply, never) {
				t.Errorf("GET %s shows %s", path, never)
			}
		}
	}
}

func TestNewestTasksOfUsers(t *testing.T) {
	b := newBed(t)
	b.change(t, `INSERT INTO task (collaboration_id, init_user_id) SELECT 1, 2 FROM authenticatable a, authenticatable b, authenticatable c LIMIT 1005`,
		`INSERT INTO task (collaboration_id, init_user_id) VALUES (1, 3)`)
	for _, path := range []string{"/user/2", "/user?username=admin"} {
		reply := b.send(t, row{as: "root", method: "GET", path: path}).Body.Bytes()
		var users []userJSON
		if reply[0] == '{' {
			reply = fmt.Appendf(nil, "[%s]", reply)
		}
		if err := json.Unmarshal(reply, &users); err != nil {
			t.Fatal(err)
		}
		tasks := users[0].CreatedTasks
		if len(tasks) != 1000 || tasks[0] != 7 || tasks[999] != 1006 {
			t.Errorf("GET %s: %d tasks; want the newest 1,000, 7 to 1006", path, len(tasks))
		}
	}
	b.run(row{as: "root", method: "GET", path: "/user?username=small_admin", want: 200, has: `[{"created_tasks":[1007]}]`})
}

// person is a valid body of POST user, changed by pairs of field and JSON; the JSON
// "-" leaves a field out.
func person(pairs ...string) string {
	fields := map[string]string{
		"username": `"new"`, "firstname": `"F"`, "lastname": `"L"`, "password": `"Passw0rd!"`, "email": `"new@example.org"`,
	}
	for i := 0; i < len(pairs); i += 2 {
		fields[pairs[i]] = pairs[i+1]
	}
	var parts []string
	for name, v := range fields {
		if v != "-" {
			parts = append(parts, fmt.Sprintf("%q:%s", name, v))
		}
	}
	return "{" + strings.Join(parts, ",") + "}"
}

func TestUserIsCreated(t *testing.T) {
	b := newBed(t)
	b.run(
		row{as: "root", method: "POST", path: "/user", body: person("organization_id", "3", "roles", "[9,4,4,99]", "rules", "[2,2,999]"), want: 201,
			has: `{"id":19,"type":"user","username":"new","firstname":"F","lastname":"L","email":"new@example.org","organization":{"id":3},
				"roles":[{"id":4},{"id":9}],"rules":[{"id":2}],"created_tasks":[],"last_seen":null,"status":null,"ip":null,"otp_secret":null}`},
		row{as: "orgadmin", method: "POST", path: "/user", want: 201,
			body: person("username", `"next"`, "email", `"next@example.org"`, "organization_id", "null", "roles", "4", "rules", "null", "firstname", `""`),
			has:  `{"id":20,"organization":{"id":2},"roles":[{"id":4}],"rules":null,"firstname":""}`},
		row{name: "0 is the caller's organization", as: "colladmin", method: "POST", path: "/user", want: 201,
			body: person("username", `"third"`, "email", `"third@example.org"`, "organization_id", "0", "password", `"`+strings.Repeat("aA1! ", 20)+`"`),
			has:  `{"id":21,"organization":{"id":2},"roles":null}`},
		row{method: "POST", path: "/token/user", body: `{"username":"third","password":"` + strings.Repeat("aA1! ", 20) + `"}`, want: 200,
			has: `{"user_url":"/api/user/21"}`},
	)
}

func TestUserIsNotCreated(t *testing.T) {
	b := newBed(t)
	b.change(t, `INSERT INTO user_rule (user_id, rule_id) VALUES (6, 30)`)
	post := func(as, body string, want int, has string) row {
		return row{as: as, method: "POST", path: "/user", body: body, want: want, has: has}
	}
	missing := func(field string) string {
		return `{"message":{"` + field + `":"Missing required parameter in the JSON body or the post body or the query string"},"msg":"*"}`
	}
	b.run(
		post("root", `{}`, 400, missing("username")),
		post("root", ``, 400, `{"message":"*"}`),
		post("root", `{bad`, 400, `{"message":"The browser (or proxy) sent a request that this server could not understand."}`),
		post("root", `[]`, 400, `{"msg":"*"}`),
		post("root", `null`, 400, missing("username")),
		post("root", person("username", "null"), 400, missing("username")),
		post("root", person("username", "-", "firstname", "-"), 400, missing("username")),
		post("root", person("firstname", "-", "password", "-"), 400, missing("firstname")),
		post("root", person("lastname", "null"), 400, missing("lastname")),
		post("root", person("password", "-"), 400, missing("password")),
		post("root", person("email", "-"), 400, missing("email")),
		post("root", person("username", `""`), 400, `{"message":{"username":"*"}}`),
		post("root", person("email", `""`), 400, `{"message":{"email":"*"}}`),
		post("root", person("username", `12`), 400, `{"message":{"username":"*"}}`),
		post("root", person("username", `"a\u0007"`), 400, `{"message":{"username":"*"}}`),
		post("root", person("firstname", `["a"]`), 400, `{"message":{"firstname":"*"}}`),
		post("root", person("lastname", `"`+strings.Repeat("x", 1001)+`"`), 400, `{"message":{"lastname":"*"}}`),
		post("root", person("password", `true`), 400, `{"message":{"password":"*"}}`),
		post("root", person("password", `"Passw0rd!\u0000"`), 400, `{"message":{"password":"*"}}`),
		post("root", person("organization_id", `"x"`), 400, `{"message":{"organization_id":"This is only used if you're root"}}`),
		post("root", person("roles", `["x"]`), 400, `{"message":{"roles":"invalid literal for int() with base 10: 'x'"}}`),
		post("root", person("rules", `[1.5]`), 400, `{"message":{"rules":"*"}}`),
		post("root", person("rules", `{}`), 400, `{"message":{"rules":"*"}}`),
		post("root", person("organization_id", "99"), 404, `{"msg":"Organization does not exist."}`),
		post("root", person("username", `"viewer"`), 400, `{"msg":"username already exists."}`),
		post("root", person("email", `"viewer@example.org"`), 400, `{"msg":"email already exists."}`),
		post("root", person("organization_id", "3", "roles", "[8]"), 401,
			`{"msg":"You can't assign that role as the role belongs to a different organization than the user."}`),
		post("orgadmin", person("organization_id", "3"), 401, lacks),
		post("orgadmin", person("organization_id", "99"), 401, lacks),
		post("orgadmin", person("roles", "[4,1]"), 401, `{"msg":"You don't have the rule (node, Scope.GLOBAL, Operation.VIEW)"}`),
		post("orgadmin", person("rules", "[3]"), 401, `{"msg":"You don't have the rule (node, Scope.GLOBAL, Operation.EDIT)"}`),
		post("node_iknl_z", person(), 403, `{"msg":"nodes are not allowed to access http://server.example/api/user (POST)"}`),
		post("", person(), 401, `{"msg":"Missing Authorization Header"}`),
	)
	for _, c := range [][2]string{ // in the order of the policy
		{"", "too short"}, {"aA1!aA1", "too short"}, {strings.Repeat("aA1!", 32) + "x", "too long"}, {"Passwords!", "one number"},
		{"passw0rd!", "one uppercase"}, {"PASSW0RD!", "one lowercase"}, {"Passw0rdé", "one special"},
	} {
		reply := b.send(t, post("root", person("password", fmt.Sprintf("%q", c[0])), 400, ""))
		if reply.Code != 400 || !strings.Contains(reply.Body.String(), c[1]) {
			t.Errorf("password %q: %d %s, want the text with %q", c[0], reply.Code, reply.Body, c[1])
		}
	}
	if n, err := b.db.CountUsers(t.Context()); n != 11 || err != nil {
		t.Errorf("there are %d users now, %v; want the 11 of the fixture", n, err)
	}
}

// Whether a user exists is only told to those who may create one (/docs/permissions#order).
func TestNamesAreNotProbedWithoutPermission(t *testing.T) {
	b := newBed(t)
	for _, body := range []string{person(), person("username", `"root"`), person("email", `"viewer@example.org"`)} {
		b.run(row{as: "viewer", method: "POST", path: "/user", body: body, want: 401, has: lacks})
	}
}

func TestUserIsChanged(t *testing.T) {
	b := newBed(t)
	patch := func(as string, id int, body string, want int, has string) row {
		return row{as: as, method: "PATCH", path: fmt.Sprintf("/user/%d", id), body: body, want: want, has: has}
	}
	b.run(
		patch("root", 99, `{}`, 404, `{"msg":"user id=99 not found"}`),
		patch("noperm", 9, `{"firstname":"N"}`, 401, lacks),
		patch("viewer", 6, `{"firstname":"N"}`, 401, lacks),
		patch("orgadmin", 10, `{"firstname":"N"}`, 401, lacks),
		patch("container", 9, `{}`, 403, ""),
		patch("viewer", 5, ``, 400, `{"msg":"*"}`),
		patch("viewer", 5, `[1]`, 400, `{"msg":"*"}`),
		patch("viewer", 5, `{}`, 200, allKeys),
		patch("viewer", 5, `{"firstname":null,"lastname":null,"email":null,"username":null,"roles":null,"rules":null,"password":null}`, 200, allKeys),
		patch("viewer", 5, `{"username":"viewer","email":"viewer@example.org","firstname":"First","lastname":"Last","organization_id":2}`, 200, allKeys),
		patch("viewer", 5, `{"firstname":"","lastname":"N"}`, 200, `{"firstname":"","lastname":"N","username":"viewer"}`),
		patch("viewer", 5, `{"username":"seer","email":"seer@example.org"}`, 200, `{"username":"seer","email":"seer@example.org"}`),
		patch("viewer", 5, `{"username":5}`, 400, `{"message":{"username":"*"}}`),
		patch("viewer", 5, `{"firstname":{},"roles":"x"}`, 400, `{"message":{"firstname":"*"}}`),
		patch("viewer", 5, `{"roles":[null]}`, 400, `{"message":{"roles":"*"}}`),
		patch("viewer", 5, `{"password":"x","username":""}`, 400, `{"msg":"You cannot change your password here!"}`),
		patch("viewer", 5, `{"password":[0]}`, 400, `{"msg":"You cannot change your password here!"}`),
		patch("viewer", 5, `{"password":""}`, 200, ""),
		patch("viewer", 5, `{"username":"","email":""}`, 400, `{"msg":"Empty username is not allowed!"}`),
		patch("viewer", 5, `{"username":"root"}`, 400, `{"msg":"User with that username already exists"}`),
		patch("root", 5, `{"username":"root"}`, 400, `{"msg":"User with that username already exists"}`),
		patch("root", 5, `{"username":"other"}`, 400, `{"msg":"You cannot change the username of another user"}`),
		patch("root", 5, `{"username":"seer","firstname":"R"}`, 200, `{"firstname":"R"}`),
		patch("viewer", 5, `{"email":""}`, 400, `{"msg":"Empty email is not allowed!"}`),
		patch("viewer", 5, `{"email":"admin@example.org"}`, 400, `{"msg":"User with that email already exists."}`),
		patch("orgadmin", 5, `{"email":"by-admin@example.org","lastname":"A"}`, 200, `{"email":"by-admin@example.org","lastname":"A"}`),
		patch("colladmin", 10, `{"lastname":"C"}`, 200, `{"lastname":"C"}`),
	)
}

func TestRolesAndRulesOfUsersAreChanged(t *testing.T) {
	b := newBed(t)
	b.change(t, `INSERT INTO user_rule (user_id, rule_id) VALUES (6, 3)`)
	patch := func(as string, id int, body string, want int, has string) row {
		return row{as: as, method: "PATCH", path: fmt.Sprintf("/user/%d", id), body: body, want: want, has: has}
	}
	b.run(
		patch("root", 5, `{"roles":[4,999]}`, 404, `{"msg":"Role=999 can not be found!"}`),
		patch("viewer", 5, `{"roles":[999]}`, 404, `{"msg":"Role=999 can not be found!"}`),
		patch("viewer", 5, `{"roles":[4]}`, 401, `{"msg":"You can't changes your own roles!"}`),
		patch("orgadmin", 5, `{"roles":[4,1]}`, 401, `{"msg":"You don't have the rule (node, Scope.GLOBAL, Operation.VIEW)"}`),
		patch("root", 5, `{"roles":[9]}`, 401,
			`{"msg":"You can't assign that role to that user as the role belongs to a different organization than the user "}`),
		patch("orgadmin", 8, `{"roles":[]}`, 401, `{"msg":"You are trying to delete the role Collaboration Admin from this user but that is not allowed `+
			`because they have permissions you don't have: You don't have the rule (node, Scope.GLOBAL, Operation.VIEW) (and they do!)"}`),
		patch("orgadmin", 8, `{"roles":[7,4]}`, 401, `{"msg":"You don't have the rule (node, Scope.GLOBAL, Operation.VIEW)"}`),
		patch("orgadmin", 5, `{"roles":[5,5,4]}`, 200, `{"roles":[{"id":4},{"id":5}]}`),
		patch("orgadmin", 5, `{"roles":6}`, 200, `{"roles":[{"id":6}]}`),
		patch("orgadmin", 5, `{"roles":[]}`, 200, `{"roles":null}`),
		patch("root", 5, `{"roles":[8,4],"rules":[1,2,1]}`, 200, `{"roles":[{"id":4},{"id":8}],"rules":[{"id":1},{"id":2}]}`),
		patch("root", 5, `{"rules":[999]}`, 404, `{"msg":"Rule=999 can not be found!"}`),
		patch("viewer", 5, `{"rules":[999]}`, 404, `{"msg":"Rule=999 can not be found!"}`),
		patch("viewer", 5, `{"rules":[1,2]}`, 401, `{"msg":"You can't changes your own rules!"}`),
		patch("orgadmin", 9, `{"rules":[2,1]}`, 401, `{"msg":"You don't have the rule (node, Scope.GLOBAL, Operation.VIEW)"}`),
		patch("orgadmin", 6, `{"rules":[]}`, 401, `{"msg":"You don't have the rule (node, Scope.GLOBAL, Operation.EDIT). `+
			`You can't delete permissions for another user that you don't have yourself!"}`),
		patch("orgadmin", 9, `{"rules":[2,4]}`, 200, `{"rules":[{"id":2},{"id":4}]}`),
		patch("orgadmin", 9, `{"rules":[]}`, 200, `{"rules":null}`),
		row{name: "rights count at once", as: "orgadmin", method: "PATCH", path: "/user/9", body: `{"rules":[34]}`, want: 200},
		patch("noperm", 9, `{"firstname":"N"}`, 200, `{"firstname":"N"}`),
		row{name: "and end at once", as: "orgadmin", method: "PATCH", path: "/user/9", body: `{"rules":[]}`, want: 200},
		patch("noperm", 9, `{"firstname":"M"}`, 401, lacks),
	)
}

// A refused change leaves nothing behind, whatever came before the refusal
// (/docs/users#change).
func TestRefusedChangeOfUserWritesNothing(t *testing.T) {
	b := newBed(t)
	b.run(
		row{as: "root", method: "PATCH", path: "/user/5", body: `{"firstname":"X","email":"x@example.org","roles":[4,999]}`, want: 404},
		row{as: "root", method: "PATCH", path: "/user/5", body: `{"firstname":"X","roles":[5],"rules":[999]}`, want: 404},
		row{as: "orgadmin", method: "PATCH", path: "/user/5", body: `{"roles":[5],"rules":[1]}`, want: 401},
		row{as: "root", method: "GET", path: "/user/5", want: 200, has: allKeys},
	)
}

// Nobody takes over an account that may do more by way of its mail, or deletes it
// (/docs/users#change).
func TestMorePowerfulAccountsAreOutOfReach(t *testing.T) {
	b := newBed(t)
	const first = `{"msg":"You don't have the rule (node, Scope.GLOBAL, Operation.VIEW)"}`
	b.change(t, `INSERT INTO user_rule (user_id, rule_id) VALUES (6, 1)`)
	b.run(
		row{as: "orgadmin", method: "PATCH", path: "/user/2", body: `{"email":"mine@example.org"}`, want: 401, has: first},
		row{name: "an extra rule", as: "orgadmin", method: "PATCH", path: "/user/6", body: `{"email":"mine@example.org"}`, want: 401, has: first},
		row{name: "nor is it told who has the address", as: "orgadmin", method: "PATCH", path: "/user/2", body: `{"email":"root@domain.ext"}`, want: 401, has: first},
		row{name: "unchanged", as: "orgadmin", method: "PATCH", path: "/user/2", body: `{"email":"admin@example.org","lastname":"L"}`, want: 200},
		row{as: "orgadmin", method: "DELETE", path: "/user/2", want: 401, has: first},
		row{as: "orgadmin", method: "DELETE", path: "/user/6", want: 401, has: first},
		row{as: "orgadmin", method: "DELETE", path: "/user/5", want: 200},
	)
}

func TestAdvisory_T06_UsersLeaveNothing(t *testing.T) {
	b := newBed(t)
	b.change(t, `INSERT INTO user_rule (user_id, rule_id) VALUES (2, 1), (5, 1)`,
		`INSERT INTO failed_login (user_id, network, attempts, last_attempt) VALUES (2, '192.0.2.1', 1, '2026-01-02T03:04:05.000000Z')`,
		`INSERT INTO recovery (user_id, purpose, digest, expires_at) VALUES (2, 'password', 'd', '2036-01-02T03:04:05.000000Z')`)
	del := func(as string, id, want int, has string) row {
		return row{as: as, method: "DELETE", path: fmt.Sprintf("/user/%d", id), want: want, has: has}
	}
	b.run(
		del("root", 99, 404, `{"msg":"user id=99 not found"}`),
		del("root", 12, 404, `{"msg":"user id=12 not found"}`),
		del("noperm", 9, 401, lacks),
		del("viewer", 6, 401, lacks),
		del("orgadmin", 10, 401, lacks),
		del("node_iknl_z", 5, 403, ""),
		row{name: "known before", as: "viewer", method: "GET", path: "/user/5", want: 200},
		del("viewer", 5, 200, `{"msg":"user id=5 is removed from the database"}`),
		row{as: "viewer", method: "GET", path: "/user/5", want: 401, has: `{"msg":"Error loading the user 5"}`},
		del("root", 2, 200, `{"msg":"user id=2 is removed from the database"}`),
		row{as: "root", method: "GET", path: "/role/8", want: 200, has: `{"users":null}`},
		row{as: "root", method: "GET", path: "/user/5", want: 404},
		row{as: "root", method: "PATCH", path: "/user/5", body: `{}`, want: 404},
		row{as: "root", method: "GET", path: "/rule/1", want: 200, has: `{"users":null}`},
		row{as: "root", method: "GET", path: "/access/explain?method=GET&path=/task&user=5", want: 404},
		row{method: "POST", path: "/token/user", body: `{"username":"viewer","password":"Passw0rd!"}`, want: 401},
	)
	for what, query := range map[string]string{
		"account":    `SELECT COUNT(*) FROM authenticatable WHERE id IN (2, 5)`,
		"assignment": `SELECT COUNT(*) FROM user_role WHERE user_id IN (2, 5)`,
		"initiator":  `SELECT COUNT(*) FROM task WHERE init_user_id = 2`,
		"lost task":  `SELECT 1 - COUNT(*) FROM task WHERE id = 1`,
		"rule":       `SELECT COUNT(*) FROM user_rule`,
		"failure":    `SELECT COUNT(*) FROM failed_login`,
		"recovery":   `SELECT COUNT(*) FROM recovery`,
	} {
		if n := b.number(t, query); n != 0 {
			t.Errorf("%d of %s are left", n, what)
		}
	}
}

// The last holder of Root keeps it, whoever asks (/docs/users#change, /docs/users#delete).
func TestLastRootStays(t *testing.T) {
	b := newBed(t)
	b.change(t, `UPDATE "user" SET organization_id = 2 WHERE id = 1`)
	b.run(
		row{as: "root", method: "DELETE", path: "/user/1", want: 400, has: `{"msg":"*"}`},
		row{as: "admin", method: "DELETE", path: "/user/1", want: 400, has: `{"msg":"*"}`},
		row{as: "admin", method: "PATCH", path: "/user/1", body: `{"roles":[],"firstname":"Gone"}`, want: 400, has: `{"msg":"*"}`},
		row{as: "admin", method: "PATCH", path: "/user/1", body: `{"roles":[1,4]}`, want: 200, has: `{"firstname":null,"roles":[{"id":1},{"id":4}]}`},
		row{as: "root", method: "PATCH", path: "/user/1", body: `{"roles":[]}`, want: 401, has: `{"msg":"You can't changes your own roles!"}`},
		row{as: "root", method: "PATCH", path: "/user/2", body: `{"roles":[8,1]}`, want: 200},
		row{as: "admin", method: "PATCH", path: "/user/1", body: `{"roles":[]}`, want: 200, has: `{"roles":null}`},
		row{as: "admin", method: "DELETE", path: "/user/2", want: 400},
		row{as: "admin", method: "DELETE", path: "/user/1", want: 200},
	)
}

func TestAdvisory_T02_OrganizationOfUserStays(t *testing.T) {
	b := newBed(t)
	for _, as := range []string{"root", "admin", "orgadmin", "colladmin", "researcher", "viewer", "noperm"} {
		_, id := accountOf(as)
		for _, organization := range []string{"3", "99", "0", "null", `"x"`, `{}`} {
			for _, target := range []int64{id, 9} {
				path := fmt.Sprintf("/user/%d", target)
				reply := b.send(t, row{as: as, method: "PATCH", path: path, body: `{"organization_id":` + organization + `}`})
				if reply.Code != http.StatusOK && reply.Code != http.StatusUnauthorized {
					t.Errorf("%s, PATCH %s to %s: %d %s", as, path, organization, reply.Code, reply.Body)
				}
			}
		}
	}
	if n := b.number(t, `SELECT COUNT(*) FROM "user" WHERE organization_id <> 2 AND id IN (2, 5, 6, 7, 8, 9) OR organization_id <> 1 AND id = 1`); n != 0 {
		t.Errorf("%d users have moved", n)
	}
}

func TestAdvisory_T05_UsernameIsNoID(t *testing.T) {
	b := newBed(t)
	for _, name := range []string{"1", "01", " 1 ", "１", "٣", "\u00a07\u00a0"} {
		quoted := fmt.Sprintf("%q", name)
		b.run(
			row{name: name, as: "root", method: "POST", path: "/user", body: person("username", quoted), want: 400, has: `{"message":{"username":"*"},"msg":"*"}`},
			row{name: name, as: "viewer", method: "PATCH", path: "/user/5", body: `{"username":` + quoted + `}`, want: 400, has: `{"msg":"*"}`},
		)
	}
	for _, id := range []string{"viewer", "%31%20", "+5", "-5", "0x5", "%EF%BC%95", "5.0", "5e0"} {
		b.run(row{as: "root", method: "GET", path: "/user/" + id, want: 404, has: `{"msg":"*"}`})
	}
	b.change(t, `UPDATE "user" SET username = '77' WHERE id = 5`)
	b.run(row{name: "an old name may stay", as: "viewer", method: "PATCH", path: "/user/5", body: `{"username":"77","firstname":"N"}`, want: 200})
}

// idObjects is a list of objects with these ids, for a row's `has`.
func idObjects(ids ...int) string {
	var list []string
	for _, id := range ids {
		list = append(list, fmt.Sprintf(`{"id":%d}`, id))
	}
	return "[" + strings.Join(list, ",") + "]"
}
