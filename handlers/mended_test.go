package handlers

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"vserver/service/promise"
)

// TestIDsAreNeverUsedAgain: a token that names a row which is gone never names another.
func TestIDsAreNeverUsedAgain(t *testing.T) {
	b := newBed(t)
	made := func(path, body string) int64 {
		t.Helper()
		var row struct {
			ID int64 `json:"id"`
		}
		got(t, b.send(t, asked("root", "POST", path, body)), &row)
		return row.ID
	}
	b.run(row{as: "root", method: "POST", path: "/collaboration", body: `{"name":"NEW","organization_ids":[1,2]}`, want: 200, has: `{"id":4}`},
		row{as: "root", method: "POST", path: "/node", body: `{"collaboration_id":4}`, want: 201})
	for _, c := range []struct{ path, body string }{
		{"/user", person("username", `"gone"`, "email", `"gone@example.org"`)},
		{"/node", `{"collaboration_id":4,"organization_id":2}`},
		{"/role", `{"name":"gone","description":"d"}`},
		{"/collaboration", `{"name":"GONE","organization_ids":[2]}`},
		{"/task", `{"collaboration_id":4,"organizations":[]}`},
	} {
		first := made(c.path, c.body)
		token := b.sign(claims{Subject: fmt.Appendf(nil, "%d", first), ClientType: "user", Type: accessToken}, time.Hour)
		if reply := b.send(t, asked("root", "DELETE", c.path+"/"+itoa(first), "")); reply.Code != 200 {
			t.Fatalf("DELETE %s/%d: %d %s", c.path, first, reply.Code, reply.Body)
		}
		if second := made(c.path, c.body); second <= first {
			t.Errorf("%s: %d after %d", c.path, second, first)
		}
		if c.path == "/user" {
			b.run(row{method: "GET", path: "/rule/1", header: map[string]string{"Authorization": "Bearer " + token}, want: 401,
				has: fmt.Sprintf(`{"msg":"Error loading the user %d"}`, first)})
		}
	}
}

// asked is a row that is only sent.
func asked(as, method, path, body string) row {
	r := row{as: as, method: method, path: path}
	if body != "" {
		r.body = body
	}
	return r
}

// TestAWrongAPIKeyIsOneLookUp: with hundreds of nodes a key that is none costs no more
// than with one, and no hash of a password.
func TestAWrongAPIKeyIsOneLookUp(t *testing.T) {
	b := newBed(t)
	const nodes, tries = 500, 200
	b.change(t,
		`INSERT INTO organization (name) VALUES `+strings.Join(slices.Repeat([]string{`('more')`}, nodes), ", "),
		`INSERT INTO authenticatable (type) VALUES `+strings.Join(slices.Repeat([]string{`('node')`}, nodes), ", "),
		`INSERT INTO node (id, name, api_key, organization_id, collaboration_id) SELECT a.id, 'more', 'digest of ' || a.id, a.id - 14, 1 FROM authenticatable a WHERE a.id > 18`,
	)
	begun := time.Now()
	for i := range tries {
		if reply := b.send(t, row{method: "POST", path: "/token/node", body: fmt.Sprintf(`{"api_key":"wrong-%d"}`, i)}); reply.Code != 401 {
			t.Fatalf("%d %s", reply.Code, reply.Body)
		}
	}
	// Even at the least cost a comparison with every node's hash would take 100,000 ms.
	if took := time.Since(begun); took > promise.Patience {
		t.Errorf("%d wrong keys took %s", tries, took)
	}
	b.run(row{method: "POST", path: "/token/node", body: `{"api_key":"key-12"}`, want: 200})
}

// TestOldRoutesAnswer: what later releases dropped is there for older scripts, without a
// token.
func TestOldRoutesAnswer(t *testing.T) {
	b := newBed(t)
	if reply := b.send(t, row{method: "GET", path: "/health/fix"}); reply.Code != 200 || reply.Body.String() != "null" {
		t.Errorf("%d %s", reply.Code, reply.Body)
	}
	b.run(row{method: "POST", path: "/health/fix", body: `{}`, want: 405}, row{method: "HEAD", path: "/health/fix", want: 200})
}

func TestOrganizationListsTheNewestResults(t *testing.T) {
	b := newBed(t)
	b.change(t, `INSERT INTO result (task_id, organization_id) VALUES `+strings.Join(slices.Repeat([]string{`(1, 2)`}, 1003), ", "))
	var o organizationJSON
	got(t, b.send(t, row{as: "viewer", method: "GET", path: "/organization/2"}), &o)
	if len(o.Results) != 1000 || o.Results[0].ID != 7 || o.Results[999].ID != 1006 {
		t.Errorf("%d results from %d on, want the newest 1000 of 1004 in ascending order", len(o.Results), o.Results[0].ID)
	}
}
