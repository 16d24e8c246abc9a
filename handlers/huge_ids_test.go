package handlers

import (
	"strings"
	"testing"
)

// hugeIDs are whole numbers that no row can have as its id, as JSON and as they are printed.
var hugeIDs = map[string]string{
	"99999999999999999999": "99999999999999999999", "9223372036854775808": "9223372036854775808",
	"-9223372036854775809": "-9223372036854775809", "1e30": "1e30", "1e400": "1e400",
	`"99999999999999999999"`:  "99999999999999999999",
	strings.Repeat("9", 5000): strings.Repeat("9", 100) + "…",
}

// TestHugeIDsAreIDsThatAreNotThere: an id of more than 64 bits is answered as one of fewer that no row
// has, and printed as it was asked; in every body and filter that has one.
func TestHugeIDsAreIDsThatAreNotThere(t *testing.T) {
	b := newBed(t)
	const missing = "4242424"
	serial := int64(0)
	for _, r := range []row{
		{as: "root", method: "POST", path: "/role", body: `{"name":"r#N","description":"d","rules":[],"organization_id":#ID}`},
		{as: "admin", method: "POST", path: "/role", body: `{"name":"r#N","description":"d","rules":[],"organization_id":#ID}`},
		{as: "root", method: "POST", path: "/role", body: `{"name":"r#N","description":"d","rules":[1,#ID,2]}`},
		{as: "root", method: "PATCH", path: "/role/8", body: `{"rules":[#ID]}`},
		{as: "root", method: "POST", path: "/user", body: newcomer(`"organization_id":#ID`)},
		{as: "admin", method: "POST", path: "/user", body: newcomer(`"organization_id":#ID`)},
		{as: "root", method: "POST", path: "/user", body: newcomer(`"organization_id":2,"roles":[#ID]`)},
		{as: "root", method: "POST", path: "/user", body: newcomer(`"organization_id":2,"rules":[1,#ID]`)},
		{as: "root", method: "PATCH", path: "/user/5", body: `{"roles":[4,#ID]}`},
		{as: "root", method: "PATCH", path: "/user/5", body: `{"rules":#ID}`},
		{as: "root", method: "POST", path: "/node", body: `{"collaboration_id":#ID,"name":"n#N"}`},
		{as: "root", method: "POST", path: "/node", body: `{"collaboration_id":1,"organization_id":#ID,"name":"n#N"}`},
		{as: "root", method: "PATCH", path: "/node/12", body: `{"organization_id":#ID}`},
		{as: "root", method: "PATCH", path: "/node/12", body: `{"collaboration_id":#ID}`},
		{as: "root", method: "POST", path: "/recover/node", body: `{"id":#ID}`},
		{as: "root", method: "POST", path: "/collaboration", body: `{"name":"c#N","organization_ids":[2,#ID],"encrypted":false}`},
		{as: "root", method: "PATCH", path: "/collaboration/1", body: `{"organization_ids":[2,#ID]}`},
		{as: "root", method: "POST", path: "/collaboration/1/organization", body: `{"id":#ID}`},
		{as: "root", method: "DELETE", path: "/collaboration/1/organization", body: `{"id":#ID}`},
		{as: "root", method: "POST", path: "/collaboration/1/node", body: `{"id":#ID}`},
		{as: "root", method: "DELETE", path: "/collaboration/1/node", body: `{"id":#ID}`},
		{as: "researcher", method: "POST", path: "/task", body: `{"collaboration_id":#ID,"organizations":[{"id":2,"input":"YQ=="}],"image":"i"}`},
		{as: "researcher", method: "POST", path: "/task", body: `{"collaboration_id":1,"organizations":[{"id":#ID,"input":"YQ=="}],"image":"i"}`},
		{as: "node_iknl_z", method: "POST", path: "/port", body: `{"port":80,"result_id":#ID}`},
		{as: "node_iknl_z", method: "POST", path: "/token/container", body: `{"task_id":#ID,"image":"hello-world"}`},
		{as: "root", method: "POST", path: "/kill/task", body: `{"id":#ID}`},
		{as: "root", method: "POST", path: "/kill/node/tasks", body: `{"id":#ID}`},
		{as: "root", method: "GET", path: "/task?collaboration_id=#ID"},
		{as: "root", method: "GET", path: "/task?init_user_id=#ID"},
		{as: "root", method: "GET", path: "/result?task_id=#ID&node_id=#ID"},
		{as: "root", method: "GET", path: "/node?organization_id=#ID"},
		{as: "root", method: "GET", path: "/user?organization_id=#ID"},
		{as: "root", method: "GET", path: "/role?organization_id=#ID"},
		{as: "root", method: "GET", path: "/collaboration?organization_id=#ID"},
		{as: "root", method: "GET", path: "/port?result_id=#ID"},
		{as: "node_iknl_z", method: "DELETE", path: "/port?result_id=#ID"},
		{as: "root", method: "GET", path: "/task/#ID"},
		{as: "root", method: "DELETE", path: "/collaboration/#ID"},
		{as: "root", method: "POST", path: "/role/#ID/rule/1"},
		{as: "root", method: "POST", path: "/role/8/rule/#ID"},
	} {
		with := func(json, text string) (int, string) {
			r := r
			r.path = strings.ReplaceAll(r.path, "#ID", text)
			if body, ok := r.body.(string); ok {
				serial++
				r.body = strings.NewReplacer("#ID", json, "#N", "-"+itoa(serial)).Replace(body)
			}
			reply := b.send(t, r)
			return reply.Code, reply.Body.String()
		}
		status, body := with(missing, missing)
		if status >= 500 || status == 404 && strings.Contains(body, "There is nothing") {
			t.Fatalf("%s %s %s: %d %s", r.method, r.path, r.body, status, body)
		}
		for json, text := range hugeIDs {
			if r.body == nil && strings.Trim(json, "0123456789") != "" {
				continue // no id of an address
			}
			shown := text
			if r.body == nil {
				text = json
			}
			got, said := with(json, text)
			if want := strings.ReplaceAll(body, missing, shown); got != status || status >= 300 && said != want {
				t.Errorf("%s %s %s with %.30s: %d %.300s, not %d %.300s", r.method, r.path, r.body, json, got, said, status, want)
			}
		}
	}
}

// newcomer is the body of a new user.
func newcomer(more string) string {
	return `{"username":"n#N","firstname":"f","lastname":"l","password":"Passw0rd!","email":"n#N@example.org",` + more + `}`
}
