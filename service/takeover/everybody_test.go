package takeover

import (
	"fmt"
	"testing"
	"time"

	"vserver/queries/dbtest"
	"vserver/service/promise"
)

// TestEverybodyLogsInAfterATakeover: each user with the old password, each node with its key, of every file, and which is
// whose; but for the node that lost its place.
func TestEverybodyLogsInAfterATakeover(t *testing.T) {
	onSQLite(t)
	for _, name := range dbtest.ReferenceFiles {
		if !promise.Long() && name != dbtest.Reference330 {
			continue
		}
		t.Run(name, func(t *testing.T) {
			p := newPatient(t, name)
			if name == dbtest.ReferenceImported { // from the same import file
				dbtest.ReferenceFacts(t, dbtest.Reference3111, &p.told)
			}
			p.take(Options{})
			p.serve()
			p.wantUsersLogIn()
			p.wantNodesLogIn()
		})
	}
}

// wantUsersLogIn logs each user in that is still there.
func (p *patient) wantUsersLogIn() {
	p.Helper()
	names := map[any]any{}
	for _, row := range p.query(p.src(), `SELECT username, id FROM "user"`) {
		names[row[0]] = row[1]
	}
	users := 0
	for name, known := range p.told.Users {
		if names[name] == nil || !promise.Long() && users == 3 { // each costs two hashes
			continue
		}
		users++
		status, reply := p.call("POST", "/token/user", "", map[string]any{"username": name, "password": known.Password})
		if got := fmt.Sprint(field(reply, "user_url")); status != 200 || got != fmt.Sprint("/api/user/", names[name]) {
			p.Errorf("%s logs in: %d %v", name, status, reply)
		}
	}
	p.Logf("%d users", users)
}

// wantNodesLogIn logs each node in whose key is known, the one that was seen last first.
func (p *patient) wantNodesLogIn() {
	p.Helper()
	there := map[any]any{}
	for _, row := range p.query(p.src(), `SELECT n.name, n.id FROM node n JOIN node_old_key k ON k.node_id = n.id`) {
		there[row[0]] = row[1]
	}
	nodes := 0
	for name, known := range p.told.Nodes {
		if !promise.Long() && nodes == 2 { // each is compared with all that are left
			break
		}
		if known.Key == "" {
			continue
		}
		nodes++
		status, reply, err := p.tryCall("POST", "/token/node", "", map[string]any{"api_key": known.Key})
		for end := time.Now().Add(promise.Patience); err != nil && time.Now().Before(end); { // cut while it is searched for: nodes ask again
			status, reply, err = p.tryCall("POST", "/token/node", "", map[string]any{"api_key": known.Key})
		}
		p.must(err)
		switch id := there[name]; {
		case id == nil && status != 401:
			p.Errorf("%s, which is gone, logs in: %d %v", name, status, reply)
		case id != nil && (status != 200 || field(reply, "node_url") != fmt.Sprint("/api/node/", id)):
			p.Errorf("%s logs in: %d %v", name, status, reply)
		}
	}
	left := p.query(p.src(), `SELECT node_id FROM node_old_key`)
	p.Logf("%d nodes, %d left", nodes, len(left))
}

// field is that of a reply.
func field(reply any, name string) any {
	m, _ := reply.(map[string]any)
	return m[name]
}
