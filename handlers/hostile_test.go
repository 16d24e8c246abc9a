package handlers

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"vserver/service/access"
	"vserver/service/promise"
)

// sane are requests that work on the fixture, one for each route that takes a body:
// the hostile values replace their fields one by one.
var sane = map[string]string{
	"POST /token/user":                     `{"username": "admin", "password": "Passw0rd!", "mfa_code": "123456"}`,
	"POST /token/node":                     `{"api_key": "key-12"}`,
	"POST /token/container":                `{"task_id": 1, "image": "hello-world"}`,
	"POST /token/refresh":                  `{}`,
	"POST /organization":                   `{"name": "n", "domain": "d", "address1": "a", "address2": "b", "zipcode": "z", "country": "c", "public_key": "YWJj"}`,
	"PATCH /organization/:id":              `{"name": "n", "domain": "d", "address1": "a", "address2": "b", "zipcode": "z", "country": "c", "public_key": "YWJj"}`,
	"POST /collaboration":                  `{"name": "c", "organization_ids": [2, 3], "encrypted": true}`,
	"PATCH /collaboration/:id":             `{"name": "c", "organization_ids": [2, 3], "encrypted": true}`,
	"POST /collaboration/:id/organization": `{"id": 2}`, "DELETE /collaboration/:id/organization": `{"id": 2}`,
	"POST /collaboration/:id/node": `{"id": 13}`, "DELETE /collaboration/:id/node": `{"id": 13}`,
	"POST /node":                         `{"collaboration_id": 1, "organization_id": 2, "name": "n"}`,
	"PATCH /node/:id":                    `{"name": "n", "organization_id": 2, "collaboration_id": 1, "ip": "10.0.0.1", "clear_ip": true}`,
	"POST /recover/node":                 `{"id": 12}`,
	"POST /recover/lost":                 `{"username": "u", "email": "e"}`,
	"POST /recover/2fa/lost":             `{"username": "u", "email": "e", "password": "x"}`,
	"POST /recover/reset":                `{"reset_token": "x", "password": "Passw0rd!"}`,
	"POST /recover/2fa/reset":            `{"reset_token": "x"}`,
	"POST /second-factor/recovery-codes": `{"mfa_code": "123456"}`,
	"POST /user":                         `{"username": "u", "firstname": "f", "lastname": "l", "password": "Passw0rd!", "email": "e", "organization_id": 2, "roles": [4], "rules": [2]}`,
	"PATCH /user/:id":                    `{"username": "u", "firstname": "f", "lastname": "l", "email": "e", "organization_id": 2, "roles": [4], "rules": [2], "password": "x"}`,
	"POST /user/:id/unlock":              `{}`,
	"POST /user/:id/invite":              `{"by": "link"}`,
	"POST /token/revoke":                 `{}`,
	"PATCH /password/change":             `{"current_password": "x", "new_password": "Passw0rd?"}`,
	"POST /role":                         `{"name": "r", "description": "d", "rules": [2], "organization_id": 2}`,
	"PATCH /role/:id":                    `{"name": "r", "description": "d", "rules": [2]}`,
	"POST /task":                         `{"name": "t", "description": "d", "image": "i", "collaboration_id": 1, "organizations": [{"id": 2, "input": "aW4="}], "database": "d", "master": false}`,
	"PATCH /result/:id":                  `{"started_at": "2026-01-02T03:04:05.6", "finished_at": "", "result": "cg==", "log": "l", "status": "active"}`,
	"POST /kill/task":                    `{"id": 1}`, "POST /kill/node/tasks": `{"id": 12}`,
	"POST /port":       `{"port": 8080, "result_id": 1, "label": "l"}`,
	"POST /vpn/update": `{"vpn_config": "client\n"}`,
	// without a body
	"POST /role/:id/rule/:rule_id": `{}`,
}

// hostile are values of every wrong kind, as JSON.
func hostile() []string {
	return []string{
		`null`, `true`, `false`, `0`, `1`, `-1`, `99999`, `1.5`, `1e3`, `1e400`, `99999999999999999999`, `-9223372036854775809`,
		`""`, `"x"`, `"1"`, `"01"`, `"١"`, `"\u0000"`, `"\u0001"`, `"\ud800"`, `"2026-13-45T99:99:99"`, `[]`, `[1]`, `["x"]`, `[null]`, `[[1]]`, `[{}]`,
		`[{"id":"2"}]`, `[{"id":null}]`, `[{"id":2,"input":{"a":1}}]`, `[{"id":2,"input":[1]}]`, `[{"id":99999999999999999999}]`,
		`{}`, `{"id":1}`, `{"a":{"b":[1,2,{"c":null}]}}`, strings.Repeat("[", 90) + strings.Repeat("]", 90),
		`"` + strings.Repeat("a", 200_000) + `"`,
	}
}

// callerOf picks somebody with every right who may call a route.
func callerOf(r route) string {
	switch {
	case r.who == anyone:
		return ""
	case r.who&access.User != 0:
		return "admin"
	case r.who&access.Node != 0:
		return "node_iknl_z"
	}
	return "container"
}

// TestAdvisory_U5_NoBodyCausesAServerError sends every field of every route with
// every wrong kind of value, and leaves each out in turn.
func TestAdvisory_U5_NoBodyCausesAServerError(t *testing.T) {
	b, _ := newVPNBed(t)
	tried := 0
	for _, r := range b.s.routes() {
		name := r.method + " " + r.path
		if r.method == "GET" || r.method == "DELETE" && sane[name] == "" {
			continue
		}
		if sane[name] == "" {
			t.Errorf("%s takes a body, but this test does not know its fields", name)
			continue
		}
		for _, body := range variants(t, sane[name]) {
			tried++
			b.refuses(t, r, body)
		}
	}
	for name := range sane {
		if !b.routed(name) {
			t.Errorf("this test knows %s, the route table does not", name)
		}
	}
	if tried < 3000 {
		t.Errorf("only %d bodies were tried", tried)
	}
}

func (b *bed) routed(name string) bool {
	for _, r := range b.s.routes() {
		if r.method+" "+r.path == name {
			return true
		}
	}
	return false
}

// variants returns bodies of every wrong form: no object, fields left out, fields of
// the wrong kind.
func variants(t *testing.T, good string) []string {
	t.Helper()
	list := append([]string{``, `{`, `nul`, `"x"`, `{"a":1}{"b":2}`, strings.Repeat(`{"a":`, 5000), "\xff\xfe"}, hostile()...)
	var fields map[string]json.RawMessage
	if err := json.Unmarshal([]byte(good), &fields); err != nil {
		t.Fatal(err)
	}
	with := func(name string, value json.RawMessage) string {
		c := map[string]json.RawMessage{}
		for k, v := range fields {
			if k != name {
				c[k] = v
			}
		}
		if value != nil {
			c[name] = value
		}
		raw, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	for name := range fields {
		list = append(list, with(name, nil))
		for _, v := range hostile() {
			if json.Valid([]byte(v)) {
				list = append(list, with(name, json.RawMessage(v)))
			}
		}
	}
	return list
}

// refuses checks that a request ends below 500, with JSON that has a text.
func (b *bed) refuses(t *testing.T, r route, body string) {
	t.Helper()
	path := strings.NewReplacer(":rule_id", "2", ":id", "2").Replace(r.path)
	if strings.HasPrefix(path, "/node") {
		path = strings.Replace(path, "2", "12", 1)
	}
	b.reply5xx(t, row{as: callerOf(r), method: r.method, path: path, body: body})
}

func (b *bed) reply5xx(t *testing.T, r row) {
	t.Helper()
	reply := b.send(t, r)
	if reply.Code >= 500 && reply.Code != 501 {
		t.Errorf("%s %s as %q %.200s: %d %s", r.method, r.path, r.as, r.body, reply.Code, reply.Body)
	}
	if !json.Valid(reply.Body.Bytes()) {
		t.Errorf("%s %s %.200s: no JSON: %.200s", r.method, r.path, r.body, reply.Body)
	}
}

// parameters are all query parameters of lists, of every kind.
var parameters = []string{
	"page", "per_page", "include", "name", "description", "country", "status", "ip", "image", "database", "username", "firstname",
	"lastname", "email", "operation", "scope", "encrypted", "include_root", "organization_id", "collaboration_id", "role_id", "rule_id",
	"user_id", "task_id", "result_id", "node_id", "run_id", "parent_id", "initiator_id", "init_user_id", "port", "state",
	"last_seen_from", "last_seen_till", "assigned_from", "assigned_till", "started_from", "started_till", "finished_from", "finished_till",
	"label", "include_children", "include_parent", "only_children", "only_parent",
}

// hostileValues are what no parameter may fall over.
var hostileValues = []string{
	"", "0", "1", "-1", "x", "%", `\`, `a\`, "'", "true", "99999999999999999999", "\x00", "\xff", "2026-01-01",
	"2026-01-01T00:00:00+02:00", "1&%s=2",
}

// TestAdvisory_U5_NoQueryCausesAServerError tries each value with each parameter and, when there is time, on each route.
func TestAdvisory_U5_NoQueryCausesAServerError(t *testing.T) {
	b := newBed(t)
	for i, r := range b.s.routes() {
		if r.method != "GET" {
			continue
		}
		path := strings.NewReplacer(":rule_id", "2", ":id", "1").Replace(r.path)
		for _, p := range parameters {
			for j, v := range hostileValues {
				if (i+j)%4 != 0 && !promise.Long() {
					continue
				}
				q := "?" + p + "=" + url.QueryEscape(v)
				if strings.Contains(v, "&") {
					q = "?" + p + "=" + fmt.Sprintf(v, p)
				}
				b.reply5xx(t, row{as: callerOf(r), method: "GET", path: path + q + "&page=1"})
			}
		}
		b.reply5xx(t, row{as: callerOf(r), method: "GET", path: path + "?" + strings.Repeat("a=1&", 50_000)})
		b.reply5xx(t, row{as: callerOf(r), method: "GET", path: fmt.Sprintf("%s?page=%d&per_page=%d", path, int64(1)<<62, int64(1)<<62)})
	}
}
