package handlers

import (
	"encoding/json"
	"net/http/httptest"
	"regexp"
	"slices"
	"sync"
	"testing"
)

// got reads a reply that had to be fine.
func got(t *testing.T, reply *httptest.ResponseRecorder, into any) {
	t.Helper()
	if reply.Code >= 300 {
		t.Fatalf("got %d %s", reply.Code, reply.Body)
	}
	if err := json.Unmarshal(reply.Body.Bytes(), into); err != nil {
		t.Fatal(err)
	}
}

// closes runs a row and checks whose connections it ends.
func (b *bed) closes(r row, accounts ...int64) {
	b.Helper()
	b.run(r)
	b.mu.Lock()
	defer b.mu.Unlock()
	slices.Sort(b.closed)
	if !slices.Equal(b.closed, accounts) {
		b.Errorf("%s %s ended the connections of %v, want %v", r.method, r.path, b.closed, accounts)
	}
}

func TestNodeLists(t *testing.T) {
	b := newBed(t)
	b.change(t, `UPDATE authenticatable SET status = 'online', ip = '10.0.0.1', last_seen = '2026-01-31T12:00:00.500000Z' WHERE id = 12`,
		`UPDATE authenticatable SET status = 'offline', last_seen = '2026-02-01T00:00:00.000000Z' WHERE id = 13`)
	get := func(as, query string, want int, has string) row {
		return row{as: as, method: "GET", path: "/node" + query, want: want, has: has}
	}
	b.run(
		get("root", "", 200, `[{"id":12},{"id":13},{"id":14},{"id":15},{"id":16},{"id":17},{"id":18}]`),
		get("colladmin", "?page=2&per_page=5", 200, `[{"id":17},{"id":18}]`),
		get("viewer", "", 200, `[{"id":12},{"id":15}]`),
		get("noperm", "", 401, denied),
		get("node_iknl_z", "", 200, `[{"id":12},{"id":15}]`),
		get("container", "", 403, ""),
		// filters
		get("root", "?name=NODE\\_big%25", 200, `[{"id":14},{"id":16},{"id":18}]`),
		get("root", "?organization_id=3", 200, `[{"id":13},{"id":17}]`),
		get("root", "?collaboration_id=2", 200, `[{"id":15},{"id":16}]`),
		get("root", "?organization_id=3&collaboration_id=3", 200, `[{"id":17}]`),
		get("viewer", "?organization_id=3", 200, `[]`),
		get("root", "?organization_id=x", 400, ""),
		get("root", "?status=online", 200, `[{"id":12}]`),
		get("root", "?status=offline", 200, `[{"id":13}]`),
		get("root", "?ip=10.0.0.1", 200, `[{"id":12}]`),
		get("root", "?last_seen_from=2026-01-31", 200, `[{"id":12},{"id":13}]`),
		get("root", "?last_seen_from=2026-01-31+12:00:01", 200, `[{"id":13}]`),
		get("root", "?last_seen_till=2026-01-31T13:00:00%2B01:00", 200, `[]`),
		get("root", "?last_seen_till=2026-02-01", 200, `[{"id":12},{"id":13}]`),
		get("root", "?last_seen_till=2026-02-01&last_seen_from=2026-02-01", 200, `[{"id":13}]`),
		get("root", "?last_seen_from=yesterday", 400, ""),
		get("viewer", "?page=1&per_page=1&include=metadata", 200, `{"data":[{"id":12}],"links":{"last":"/api/node?page=2&per_page=1&include=metadata"}}`),
		get("root", "?page=x", 400, `{"msg":"page needs to be >= 1"}`),
	)
}

func TestOneNode(t *testing.T) {
	b := newBed(t)
	b.change(t, `UPDATE authenticatable SET status = 'online', ip = '10.0.0.1', last_seen = '2026-01-31T12:00:00.500000Z' WHERE id = 15`,
		`INSERT INTO nodeconfig (node_id, key, value) VALUES (15, 'encryption', '0'), (15, 'allowed_orgs', 'IKNL')`)
	get := func(as, id string, want int, has string) row {
		return row{as: as, method: "GET", path: "/node/" + id, want: want, has: has}
	}
	b.run(
		get("viewer", "15", 200, `{"id":15,"type":"node","name":"node_iknl_p","ip":"10.0.0.1","status":"online",
			"last_seen":"2026-01-31T12:00:00.500000+00:00","organization":{"id":2,"link":"/api/organization/2","methods":["GET","PATCH"]},
			"collaboration":{"id":2,"link":"/api/collaboration/2"},"config":[{"key":"encryption","value":"0"},{"key":"allowed_orgs","value":"IKNL"}]}`),
		get("viewer", "12", 200, `{"ip":null,"status":null,"config":[]}`),
		get("viewer", "13", 401, denied),
		get("viewer", "99", 404, `{"msg":"Node id=99 is not found!"}`),
		get("root", "2", 404, `{"msg":"Node id=2 is not found!"}`), // a user
		get("noperm", "12", 401, denied),
		get("noperm", "99", 404, ""),
		get("colladmin", "13", 200, `{"id":13}`),
		get("node_iknl_z", "12", 200, `{"id":12}`),
		get("node_iknl_z", "15", 200, `{"id":15}`),
		get("node_iknl_z", "13", 401, denied),
		get("node_iknl_z", "99", 404, ""),
		get("container", "12", 200, `{"id":12}`),
		get("container", "15", 401, denied), // of its organization, but not its own
		get("container", "99", 404, `{"msg":"Node id=99 is not found!"}`),
	)
	if body := b.send(t, get("root", "12", 200, "")).Body.String(); regexp.MustCompile("api_?key").MatchString(body) {
		t.Errorf("the key shows: %s", body)
	}
	b.run(
		row{as: "root", method: "DELETE", path: "/collaboration/1/organization", body: `{"id":2}`, want: 200},
		get("node_iknl_z", "12", 200, `{"id":12}`),
		get("node_iknl_z", "15", 401, denied),
	)
}

func TestCreateNode(t *testing.T) {
	b := newBed(t)
	b.run(row{as: "root", method: "POST", path: "/collaboration", body: `{"name":"NEW","organization_ids":[2,3]}`, want: 200, has: `{"id":4}`})
	post := func(as string, body any, want int, has string) row {
		return row{as: as, method: "POST", path: "/node", body: body, want: want, has: has}
	}
	const blank = `{"message":{"collaboration_id":"This field cannot be left blank!"},"msg":"collaboration_id: This field cannot be left blank!"}`
	b.run(
		post("root", nil, 400, blank),
		post("viewer", `{}`, 400, blank),
		post("root", `{"collaboration_id":null}`, 400, blank),
		post("root", `{"collaboration_id":"x"}`, 400, blank),
		post("root", `{"collaboration_id":1.5}`, 400, blank),
		post("root", `{"collaboration_id":4,"organization_id":"x"}`, 400, `{"message":{"organization_id":"*"}}`),
		post("root", `{"collaboration_id":4,"name":5}`, 400, `{"message":{"name":"*"}}`),
		post("viewer", `{"collaboration_id":99}`, 404, `{"msg":"collaboration id=99 does not exist"}`),
		post("viewer", `{"collaboration_id":4}`, 401, denied),
		post("orgadmin", `{"collaboration_id":4,"organization_id":3}`, 401, denied),
		post("node_iknl_z", `{"collaboration_id":4}`, 403, ""),
		post("root", `{"collaboration_id":4}`, 400, `{"msg":"The organization id=None is not part of collabotation id=4. Add it first!"}`),
		post("root", `{"collaboration_id":4,"organization_id":4}`, 400, `{"msg":"The organization id=4 is not part of collabotation id=4. Add it first!"}`),
		post("root", `{"collaboration_id":4,"organization_id":99}`, 400, `{"msg":"The organization id=99 is not part of collabotation id=4. Add it first!"}`),
		post("orgadmin", `{"collaboration_id":3}`, 400, `{"msg":"The organization id=2 is not part of collabotation id=3. Add it first!"}`),
		post("orgadmin", `{"collaboration_id":1}`, 400, `{"msg":"Organization id=2 already has a node for collaboration id=1"}`),
		post("orgadmin", `{"collaboration_id":"4","api_key":"mine","ip":"1.2.3.4"}`, 201, `{"id":19,"type":"node","name":"IKNL - NEW Node","ip":null,"status":null,
			"last_seen":null,"organization":{"id":2},"collaboration":{"id":4},"config":[],"api_key":"*"}`),
		post("orgadmin", `{"collaboration_id":4}`, 400, `{"msg":"Organization id=2 already has a node for collaboration id=4"}`),
		row{
			name: "failures left nothing", as: "root", method: "GET", path: "/node?page=1&per_page=1&include=metadata", want: 200,
			has: `{"links":{"last":"/api/node?page=8&per_page=1&include=metadata"}}`,
		},
	)
	var made nodeJSON
	got(t, b.send(t, post("root", `{"collaboration_id":4,"organization_id":3,"name":"mine"}`, 201, "")), &made)
	if !regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`).MatchString(made.APIKey) || *made.Name != "mine" {
		t.Errorf("made %+v", made)
	}
	b.run(row{name: "the key works", method: "POST", path: "/token/node", body: map[string]string{"api_key": made.APIKey}, want: 200})
	if n := b.number(t, `SELECT COUNT(*) FROM node WHERE api_key = '`+made.APIKey+`'`); n != 0 {
		t.Error("the key itself is stored")
	}
	if n := b.number(t, `SELECT COUNT(*) FROM authenticatable`); n != 20 {
		t.Errorf("%d accounts, want 20: refused nodes left theirs", n)
	}
}

// TestOnlyOneWins sends the same request several times at once: one is done, the
// others hear why not.
func TestOnlyOneWins(t *testing.T) {
	b := newBed(t)
	b.run(
		row{as: "root", method: "POST", path: "/collaboration", body: `{"name":"NEW","organization_ids":[2,3]}`, want: 200, has: `{"id":4}`},
		row{as: "root", method: "PATCH", path: "/organization/1", body: `{"name":"x"}`, want: 200},
	)
	for _, r := range []row{
		{method: "POST", path: "/node", body: `{"collaboration_id":4,"organization_id":2}`},
		{method: "POST", path: "/collaboration", body: `{"name":"SAME","organization_ids":[2]}`},
		{method: "POST", path: "/collaboration/4/node", body: `{"id":13}`},
		{method: "DELETE", path: "/collaboration/4/node", body: `{"id":13}`},
		{method: "DELETE", path: "/collaboration/4/organization", body: `{"id":3}`},
		{method: "DELETE", path: "/node/17"},
		{method: "DELETE", path: "/collaboration/1"},
	} {
		r.as = "root"
		codes := make([]int, 6)
		var all sync.WaitGroup
		for i := range codes {
			all.Go(func() { codes[i] = b.send(t, r).Code })
		}
		all.Wait()
		slices.Sort(codes)
		if codes[0] >= 300 || codes[1] != codes[5] || codes[1] != 400 && codes[1] != 404 {
			t.Errorf("%s %s: %v", r.method, r.path, codes)
		}
	}
}

func TestChangeNode(t *testing.T) {
	b := newBed(t)
	b.run(row{as: "root", method: "POST", path: "/collaboration", body: `{"name":"NEW","organization_ids":[2,3,1]}`, want: 200, has: `{"id":4}`})
	patch := func(as, id, body string, want int, has string) row {
		return row{as: as, method: "PATCH", path: "/node/" + id, body: body, want: want, has: has}
	}
	b.run(
		patch("noperm", "99", `{}`, 404, `{"msg":"Node id=99 not found!"}`),
		patch("viewer", "12", `{"name":"x"}`, 401, denied),
		patch("viewer", "12", `{"name":5}`, 401, denied),
		patch("orgadmin", "13", `{"name":"x"}`, 401, denied),
		patch("colladmin", "13", `{"name":"x"}`, 401, denied),
		patch("container", "12", `{"name":"x"}`, 403, ""),
		patch("node_iknl_z", "13", `{"ip":"10.0.0.1"}`, 401, denied),
		patch("node_iknl_z", "15", `{"ip":"10.0.0.1"}`, 401, denied), // of its organization, but not itself
		patch("root", "12", `null`, 400, ""),
		patch("root", "12", `[]`, 400, ""),
		// name and address
		patch("orgadmin", "12", `{"name":"new","status":"online","api_key":"x"}`, 200, `{"id":12,"name":"new","status":null}`),
		patch("root", "12", `{"name":null}`, 200, `{"name":"new"}`),
		patch("root", "12", `{}`, 200, `{"name":"new","ip":null}`),
		patch("node_iknl_z", "12", `{"ip":"10.0.0.1"}`, 200, `{"name":"new","ip":"10.0.0.1"}`),
		patch("node_iknl_z", "12", `{"ip":""}`, 200, `{"ip":"10.0.0.1"}`),
		patch("node_iknl_z", "12", `{"ip":null,"clear_ip":false}`, 200, `{"ip":"10.0.0.1"}`),
		patch("node_iknl_z", "12", `{"ip":"fd00::1","clear_ip":true}`, 200, `{"ip":"fd00::1"}`),
		patch("node_iknl_z", "12", `{"clear_ip":true}`, 200, `{"ip":null}`),
		patch("node_iknl_z", "12", `{"ip":"10.0.0"}`, 400, ""),
		patch("node_iknl_z", "12", `{"ip":"fe80::1%eth0"}`, 400, ""),
		patch("node_iknl_z", "12", `{"clear_ip":"x"}`, 400, ""),
		// the same place, and 0, are no change
		patch("node_iknl_z", "12", `{"organization_id":2,"collaboration_id":1}`, 200, ""),
		patch("node_iknl_z", "12", `{"organization_id":0,"collaboration_id":0}`, 200, `{"organization":{"id":2},"collaboration":{"id":1}}`),
		patch("node_iknl_z", "12", `{"collaboration_id":4}`, 401, denied),
		patch("node_iknl_z", "12", `{"organization_id":3}`, 401, denied),
		// another place
		patch("orgadmin", "12", `{"organization_id":99}`, 401, denied),
		patch("root", "12", `{"organization_id":99,"collaboration_id":99}`, 404, `{"msg":"Organization id=99 not found!"}`),
		patch("root", "12", `{"collaboration_id":99}`, 404, `{"msg":"collaboration id=99not found!"}`),
		patch("orgadmin", "12", `{"collaboration_id":3,"name":"x"}`, 400, `{"msg":"Organization id=2 of this node is not part of this collaboration id=3"}`),
		patch("root", "12", `{"organization_id":1}`, 400, `{"msg":"Organization id=1 of this node is not part of this collaboration id=1"}`),
		patch("root", "12", `{"organization_id":3,"name":"x"}`, 400, `{"msg":"A node with organization id=3 and collaboration id=1 already exists!"}`),
		patch("root", "12", `{"collaboration_id":2}`, 400, `{"msg":"A node with organization id=2 and collaboration id=2 already exists!"}`),
		row{
			name: "refused changes left nothing", as: "root", method: "GET", path: "/node/12", want: 200,
			has: `{"name":"new","organization":{"id":2},"collaboration":{"id":1}}`,
		},
	)
	b.closes(patch("orgadmin", "12", `{"name":"newer"}`, 200, ""))
	b.closes(patch("orgadmin", "12", `{"collaboration_id":4}`, 200, `{"collaboration":{"id":4}}`), 12)
	b.closes(patch("root", "12", `{"organization_id":3,"collaboration_id":4}`, 200, `{"organization":{"id":3},"collaboration":{"id":4}}`), 12)
	b.run(
		row{as: "node_iknl_z", method: "GET", path: "/organization/2", want: 200}, // a partner now
		row{as: "node_iknl_z", method: "GET", path: "/collaboration/4", want: 200},
		row{as: "node_iknl_z", method: "GET", path: "/collaboration/1", want: 401},
		row{as: "node_iknl_z", method: "GET", path: "/node", want: 200, has: `[{"id":12},{"id":13},{"id":17}]`},
	)
}

func TestDetachedNodesCanBePlaced(t *testing.T) {
	b := newBed(t)
	b.run(
		row{as: "root", method: "DELETE", path: "/collaboration/1/node", body: `{"id":12}`, want: 200},
		row{as: "root", method: "PATCH", path: "/node/12", body: `{"organization_id":1}`, want: 200, has: `{"organization":{"id":1},"collaboration":null}`},
		row{
			as: "root", method: "PATCH", path: "/node/12", body: `{"collaboration_id":1}`, want: 400,
			has: `{"msg":"Organization id=1 of this node is not part of this collaboration id=1"}`,
		},
		row{
			as: "root", method: "PATCH", path: "/node/12", body: `{"organization_id":2,"collaboration_id":1}`, want: 200,
			has: `{"organization":{"id":2},"collaboration":{"id":1}}`,
		},
	)
}

func TestAdvisory_T06_NodesLeaveNothing(t *testing.T) {
	b := newBed(t)
	b.grant("orgadmin", 8)
	b.change(t, `INSERT INTO nodeconfig (node_id, key, value) VALUES (12, 'encryption', '0')`)
	del := func(as, id string, want int, has string) row {
		return row{as: as, method: "DELETE", path: "/node/" + id, want: want, has: has}
	}
	b.run(
		del("noperm", "99", 404, `{"msg":"Node id=99 not found"}`),
		del("root", "2", 404, `{"msg":"Node id=2 not found"}`), // a user
		del("viewer", "12", 401, denied),
		del("orgadmin", "13", 401, denied),
		del("node_iknl_z", "12", 403, ""),
		row{as: "node_iknl_z", method: "GET", path: "/node/12", want: 200},
		row{as: "container", method: "GET", path: "/node/12", want: 200},
	)
	b.closes(del("orgadmin", "12", 200, `{"msg":"Successfully deleted node id=12"}`), 12)
	b.closes(del("colladmin", "13", 200, ""), 13)
	for query, want := range map[string]int64{
		`SELECT COUNT(*) FROM node WHERE id IN (12, 13)`:            0,
		`SELECT COUNT(*) FROM authenticatable WHERE id IN (12, 13)`: 0,
		`SELECT COUNT(*) FROM nodeconfig`:                           0,
		`SELECT COUNT(*) FROM result`:                               3,
	} {
		if got := b.number(t, query); got != want {
			t.Errorf("%s: %d, want %d", query, got, want)
		}
	}
	b.run(
		del("root", "12", 404, ""),
		row{as: "root", method: "GET", path: "/node/12", want: 404},
		row{as: "root", method: "PATCH", path: "/node/12", body: `{}`, want: 404},
		row{as: "root", method: "POST", path: "/recover/node", body: `{"id":12}`, want: 404},
		row{as: "node_iknl_z", method: "GET", path: "/node/12", want: 401, has: `{"msg":"Error loading the user 12"}`},
		row{as: "container", method: "GET", path: "/node/12", want: 401, has: `{"msg":"Container-token is not valid"}`},
		row{method: "POST", path: "/token/node", body: `{"api_key":"key-12"}`, want: 401},
		row{as: "root", method: "GET", path: "/collaboration/1", want: 200, has: `{"nodes":[{"id":14}]}`},
	)
}

func TestResetAPIKey(t *testing.T) {
	b := newBed(t)
	post := func(as string, body any, want int, has string) row {
		return row{as: as, method: "POST", path: "/recover/node", body: body, want: want, has: has}
	}
	b.run(
		post("root", nil, 400, `{"msg":"Missing JSON in request"}`),
		post("root", `null`, 400, `{"msg":"Missing JSON in request"}`),
		post("viewer", `{}`, 400, `{"msg":"ID missing in JSON body"}`),
		post("root", `{"id":0}`, 400, `{"msg":"ID missing in JSON body"}`),
		post("root", `{"id":null}`, 400, `{"msg":"ID missing in JSON body"}`),
		post("root", `{"id":"x"}`, 400, ""),
		post("viewer", `{"id":99}`, 404, `{"msg":"Node id=99 is not found!"}`),
		post("viewer", `{"id":12}`, 401, denied),
		post("orgadmin", `{"id":13}`, 401, denied),
		post("node_iknl_z", `{"id":12}`, 403, ""),
		post("root", `{"id":13}`, 200, `{"api_key":"*"}`),
	)
}

func TestAdvisory_T03_NodeTokensDieWithTheirKey(t *testing.T) {
	b := newBed(t)
	var old sessionJSON
	got(t, b.send(t, row{method: "POST", path: "/token/node", body: `{"api_key":"key-12"}`}), &old)
	var reset struct {
		APIKey string `json:"api_key"`
	}
	reply := b.send(t, row{as: "orgadmin", method: "POST", path: "/recover/node", body: `{"id":12}`})
	if !slices.Equal(b.closed, []int64{12}) {
		t.Errorf("ended the connections of %v", b.closed)
	}
	got(t, reply, &reset)
	bearer := func(token string) map[string]string { return map[string]string{"Authorization": "Bearer " + token} }
	const revoked = `{"msg":"Token has been revoked"}`
	b.run(
		row{name: "old key", method: "POST", path: "/token/node", body: `{"api_key":"key-12"}`, want: 401},
		row{name: "old refresh", method: "POST", path: "/token/refresh", header: bearer(old.RefreshToken), want: 401, has: revoked},
		row{name: "old access", method: "GET", path: "/node/12", header: bearer(old.AccessToken), want: 401, has: revoked},
		row{name: "another node", method: "POST", path: "/token/node", body: `{"api_key":"key-15"}`, want: 200},
	)
	var fresh sessionJSON
	got(t, b.send(t, row{method: "POST", path: "/token/node", body: map[string]string{"api_key": reset.APIKey}}), &fresh)
	b.run(
		row{name: "new access", method: "GET", path: "/node/12", header: bearer(fresh.AccessToken), want: 200, has: `{"id":12}`},
		row{name: "new refresh", method: "POST", path: "/token/refresh", header: bearer(fresh.RefreshToken), want: 200},
	)
}
