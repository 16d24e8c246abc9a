package handlers

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"vserver/service/access"
	"vserver/service/core"
)

// happened reads all events that somebody sees, newest first.
func (b *bed) happened(t *testing.T, as, query string) []eventJSON {
	t.Helper()
	reply := b.send(t, row{as: as, method: "GET", path: "/event" + query})
	var list []eventJSON
	if err := json.Unmarshal(reply.Body.Bytes(), &list); reply.Code != 200 || err != nil {
		t.Fatalf("GET /event%s as %s: %d %.200s", query, as, reply.Code, reply.Body)
	}
	return list
}

// said are events in the order in which they happened, as "type of what with the status".
func said(list []eventJSON) []string {
	texts := []string{}
	for _, e := range list {
		texts = append(texts, strings.TrimSpace(fmt.Sprintf("%s %s %s", e.Type, *e.Name, orNone(e.Status))))
	}
	slices.Reverse(texts)
	return texts
}

func orNone(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func TestEventsTellTheStoryOfATask(t *testing.T) {
	b := newBed(t)
	const task = `{"name":"mean","image":"hello-world","collaboration_id":1,"organizations":[{"id":2},{"id":3}]}`
	b.succeed(
		row{as: "researcher", method: "POST", path: "/task", body: task, want: 201},
		row{as: "node_iknl_z", method: "PATCH", path: "/result/4", body: `{"started_at":"2026-01-02T03:04:05","status":"active"}`, want: 200},
		row{as: "node_iknl_z", method: "PATCH", path: "/result/4", body: `{"status":"active"}`, want: 200},
		row{as: "node_iknl_z", method: "PATCH", path: "/result/4", body: `{"finished_at":"2026-01-02T03:04:06","result":"cg==","status":"completed"}`, want: 200},
		row{as: "node_small_z", method: "PATCH", path: "/result/5", body: `{"finished_at":"2026-01-02T03:04:06","status":"crashed"}`, want: 200},
		row{as: "researcher", method: "POST", path: "/task", body: strings.Replace(task, "mean", "sum", 1), want: 201},
		row{as: "orgadmin", method: "POST", path: "/kill/task", body: `{"id":3}`, want: 200},
	)
	story := []string{
		"task-created mean", "task-started mean active", "task-ended mean completed", "task-ended mean crashed",
		"task-finished mean failed", "task-created sum", "task-killed sum",
	}
	if got := said(b.happened(t, "viewer", "")); !slices.Equal(got, story) {
		t.Errorf("it tells %q, not %q", got, story)
	}
	b.run(
		row{as: "viewer", method: "GET", path: "/event?page=2&per_page=3&include=metadata&task_id=2", want: 200, has: `{"data":[
			{"type":"task-started","name":"mean","status":"active","run_id":2,"node":null,"user":null,"task":{"id":2,"link":"/api/task/2"},
			"result":{"id":4},"organization":{"id":2},"collaboration":{"id":1}},{"type":"task-created","result":null,"organization":null}],"links":{"last":"*"}}`},
		row{as: "viewer", method: "GET", path: "/event?type=task-killed&type=task-finished", want: 200, has: `[{"type":"task-killed"},{"type":"task-finished"}]`},
		row{as: "viewer", method: "GET", path: "/event?collaboration_id=2", want: 200, has: `[]`},
		row{as: "viewer", method: "GET", path: "/event?since=2999-01-01", want: 200, has: `[]`},
		row{as: "viewer", method: "GET", path: "/event?until=2020-01-01", want: 200, has: `[]`},
		row{as: "noperm", method: "GET", path: "/event", want: 200, has: `[]`},
		row{as: "viewer", method: "GET", path: "/event?type=task", want: 400, has: `{"msg":"*"}`},
		row{as: "viewer", method: "GET", path: "/event?since=yesterday", want: 400, has: `{"msg":"since has to be a date like 2026-01-31 or 2026-01-31T12:00:00"}`},
		row{as: "viewer", method: "GET", path: "/event?task_id=one", want: 400, has: `{"msg":"task_id has to be a whole number"}`},
		row{as: "viewer", method: "GET", path: "/event?page=1&per_page=1001", want: 400, has: `{"msg":"per_page needs to be <= 1000"}`},
		row{as: "viewer", method: "GET", path: "/event?page=0", want: 400},
		row{method: "GET", path: "/event", want: 401},
		row{as: "node_iknl_z", method: "GET", path: "/event", want: 403},
		row{as: "container", method: "GET", path: "/event", want: 403},
		row{as: "orgadmin", method: "DELETE", path: "/task/2", want: 200},
		row{as: "viewer", method: "GET", path: "/event", want: 200, has: `[{"type":"task-deleted","name":"mean","task":null,"collaboration":{"id":1}},{"name":"sum"},{"name":"sum"}]`},
		row{as: "viewer", method: "GET", path: "/event?collaboration_id=1&type=task-deleted", want: 200, has: `[{"name":"mean"}]`},
		row{as: "noperm", method: "GET", path: "/event", want: 200, has: `[]`},
	)
}

// TestEventsTellWhatIsGone: an event about a deletion shows to who would see what it names, where that belonged.
func TestEventsTellWhatIsGone(t *testing.T) {
	b := newBed(t)
	b.succeed(
		row{as: "root", method: "DELETE", path: "/node/13", want: 200}, // of another organization
		row{as: "root", method: "DELETE", path: "/node/12", want: 200},
		row{as: "root", method: "POST", path: "/user", body: `{"username":"new","firstname":"f","lastname":"l","password":"Passw0rd!","email":"e","organization_id":2}`, want: 201},
		row{as: "root", method: "DELETE", path: "/user/19", want: 200},
		row{as: "root", method: "DELETE", path: "/collaboration/1", want: 200},
	)
	for as, want := range map[string][]string{
		"root":   {"node-deleted node_small_z", "node-deleted node_iknl_z", "user-deleted new", "collaboration-deleted ZEPPELIN"},
		"viewer": {"node-deleted node_iknl_z", "user-deleted new"},
		"noperm": {},
	} {
		if got := said(b.happened(t, as, "")); !slices.Equal(got, want) {
			t.Errorf("%s is told %q, not %q", as, got, want)
		}
	}
}

// TestEventsMoveWithTheirObjects: a node that moves takes what happened to it along.
func TestEventsMoveWithTheirObjects(t *testing.T) {
	b := newBed(t)
	b.succeed(row{as: "root", method: "PATCH", path: "/node/12", body: `{"name":"near"}`, want: 200})
	b.change(t, `UPDATE node SET collaboration_id = 2, organization_id = 3 WHERE id = 12`)
	b.run(
		row{as: "root", method: "GET", path: "/event?collaboration_id=1", want: 200, has: `[]`},
		row{as: "root", method: "GET", path: "/event?collaboration_id=2", want: 200, has: `[{"type":"node-changed","organization":{"id":3},"collaboration":{"id":2}}]`},
		row{as: "viewer", method: "GET", path: "/event", want: 200, has: `[]`},
	)
}

func TestEventsTellOfAdministration(t *testing.T) {
	b := newBed(t)
	b.succeed(
		row{as: "root", method: "POST", path: "/organization", body: `{"name":"Far"}`, want: 201},
		row{as: "root", method: "PATCH", path: "/organization/5", body: `{"domain":"far.example"}`, want: 200},
		row{as: "root", method: "PATCH", path: "/organization/5", body: `{"domain":"far.example"}`, want: 200}, // as it is
		row{as: "root", method: "POST", path: "/collaboration", body: `{"name":"NEW","organization_ids":[2]}`, want: 200},
		row{as: "root", method: "POST", path: "/collaboration/4/organization", body: `{"id":5}`, want: 200},
		row{as: "root", method: "DELETE", path: "/collaboration/4/organization", body: `{"id":2}`, want: 200},
		row{as: "root", method: "POST", path: "/node", body: `{"collaboration_id":4,"organization_id":5,"name":"far"}`, want: 201},
		row{as: "root", method: "POST", path: "/recover/node", body: `{"id":19}`, want: 200},
		row{as: "root", method: "PATCH", path: "/node/19", body: `{"name":"nearer"}`, want: 200},
		row{as: "node_iknl_z", method: "PATCH", path: "/node/12", body: `{"ip":"10.0.0.1"}`, want: 200}, // no news
		row{as: "root", method: "POST", path: "/user", body: `{"username":"new","firstname":"f","lastname":"l","password":"Passw0rd!","email":"e","organization_id":5}`, want: 201},
		row{as: "root", method: "PATCH", path: "/user/20", body: `{"firstname":"New"}`, want: 200},
	)
	want := []string{
		"organization-created Far", "organization-changed Far", "collaboration-created NEW", "collaboration-changed NEW",
		"collaboration-changed NEW", "node-created nearer", "node-key-reset nearer", "node-changed nearer", "user-created new", "user-changed new",
	}
	if got := said(b.happened(t, "root", "")); !slices.Equal(got, want) {
		t.Errorf("it tells %q, not %q", got, want)
	}
	for range 130 {
		b.succeed(row{as: "root", method: "PATCH", path: "/user/20", body: `{"firstname":"New"}`, want: 200})
	}
	if n := b.number(t, `SELECT COUNT(*) FROM event WHERE user_id = 20`); n != 120 {
		t.Errorf("%d events of one user in an hour", n)
	}
}

// TestEventsTellWhoComesAndGoes: a status that stays is no event, and who was there when the
// server ended without warning has gone.
func TestEventsTellWhoComesAndGoes(t *testing.T) {
	b := newBed(t)
	c, node := b.s.core, access.Actor{Kind: access.Node, ID: 12, Name: "node_iknl_z", OrganizationID: 2}
	for range 2 { // two connections
		if err := c.Arrive(t.Context(), node); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := c.Depart(t.Context(), node, nil); err != nil {
			t.Fatal(err)
		}
	}
	b.change(t, `UPDATE authenticatable SET status = 'online' WHERE id IN (1, 13)`)
	if err := c.AllOffline(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := []string{"node-online node_iknl_z", "node-offline node_iknl_z", "node-offline node_small_z"}
	if got := said(b.happened(t, "root", "")); !slices.Equal(got, want) {
		t.Errorf("it tells %q, not %q", got, want)
	}
	if got := said(b.happened(t, "viewer", "?node_id=13")); len(got) != 0 {
		t.Errorf("another organization is told %q", got)
	}
	for range 100 {
		if err := c.Arrive(t.Context(), node); err != nil {
			t.Fatal(err)
		}
		if err := c.Depart(t.Context(), node, nil); err != nil {
			t.Fatal(err)
		}
	}
	if n := b.number(t, `SELECT COUNT(*) FROM event WHERE node_id = 12`); n != 120 {
		t.Errorf("%d events of one node in an hour", n)
	}
}

func TestEventsAreForgotten(t *testing.T) {
	b := newBed(t)
	b.change(t, `INSERT INTO event (at, type, node_id) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500)
		SELECT '2026-01-02T03:04:05.000000Z', 'node-online', 12 FROM n`)
	b.change(t, `INSERT INTO event (at, type, node_id) VALUES ('2026-02-02T03:04:05.000000Z', 'node-offline', 12)`)
	if err := b.s.core.ForgetEvents(t.Context(), time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC)); err != nil {
		t.Fatal(err)
	}
	if got := said(b.happened(t, "root", "")); !slices.Equal(got, []string{"node-offline node_iknl_z"}) {
		t.Errorf("left are %q", got)
	}
}

// TestManyEventsAreNotCounted: pages go on after what is counted.
func TestManyEventsAreNotCounted(t *testing.T) {
	b := newBed(t)
	b.change(t, `INSERT INTO event (at, type, node_id) WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10050)
		SELECT '2026-01-02T03:04:05.000000Z', 'node-online', 12 FROM n`)
	for query, shown := range map[string]int{"": 1000, "?page=1&per_page=1000": 1000, "?page=11&per_page=1000&since=2026-01-01": 50, "?page=12&per_page=1000": 0} {
		reply := b.send(t, row{as: "root", method: "GET", path: "/event" + query})
		var list []eventJSON
		if err := json.Unmarshal(reply.Body.Bytes(), &list); err != nil || len(list) != shown || !slices.Equal(reply.Header()["total-count"], []string{"10000"}) {
			t.Errorf("%s: %d events of %v, %v", query, len(list), reply.Header()["total-count"], err)
		}
	}
}

// placeEvents says of events where they belong, as those who note them do.
const placeEvents = `UPDATE event SET
	in_collaboration = COALESCE(collaboration_id, (SELECT t.collaboration_id FROM task t WHERE t.id = event.task_id),
		(SELECT n.collaboration_id FROM node n WHERE n.id = event.node_id)),
	of_organization = COALESCE(organization_id, (SELECT n.organization_id FROM node n WHERE n.id = event.node_id),
		(SELECT u.organization_id FROM "user" u WHERE u.id = event.user_id))`

// TestPermissionEvents gives every object of the world an event and reads them as everybody:
// an event shows exactly to those who may get its object.
func TestPermissionEvents(t *testing.T) {
	m := newMatrix(t)
	b := newBedOn(t, worldFixture.Copy(t), core.Settings{})
	kinds := []string{"task", "node", "user", "organization", "collaboration"}
	for _, kind := range kinds {
		for _, id := range m.w.all(kind) {
			b.change(t, fmt.Sprintf(`INSERT INTO event (at, type, %s_id) VALUES ('2026-01-02T03:04:05.000000Z', '%s-created', %d)`, kind, kind, id))
		}
	}
	for id, r := range m.w.results {
		b.change(t, fmt.Sprintf(`INSERT INTO event (at, type, task_id, result_id) VALUES ('2026-01-02T03:04:05.000000Z', 'task-ended', %d, %d)`, r.task, id))
	}
	b.change(t, placeEvents)
	shown := 0
	for id, u := range m.w.users {
		c := m.w.caller(u.name)
		r := &reading{m, b, c, map[string]bool{}}
		reply := r.get("/event")
		var list []eventJSON
		if err := json.Unmarshal(reply.Body.Bytes(), &list); err != nil {
			t.Fatalf("%s: %d %.200s", u.name, reply.Code, reply.Body)
		}
		shown += len(list)
		for _, kind := range kinds {
			if got, want := objectsOf(list, kind), m.w.visible(c, kind, m.w.all(kind)); !slices.Equal(got, want) {
				t.Errorf("user %d %s is told of %s %v, may see %v", id, u.name, kind, got, want)
			}
		}
		tasks := m.w.visible(c, "task", m.w.all("task"))
		want := slices.DeleteFunc(m.w.visible(c, "result", m.w.all("result")), func(id int64) bool { return !slices.Contains(tasks, m.w.results[id].task) })
		if got := objectsOf(list, "result"); !slices.Equal(got, want) {
			t.Errorf("user %d %s is told of results %v, may see %v", id, u.name, got, want)
		}
	}
	if shown < 1000 {
		t.Errorf("only %d events were shown", shown)
	}
	t.Logf("%d events to %d users", shown, len(m.w.users))
}

// objectsOf are the ids of the objects of one kind that events are about, sorted.
func objectsOf(list []eventJSON, kind string) []int64 {
	ids := []int64{}
	for _, e := range list {
		about, _, _ := strings.Cut(e.Type, "-")
		if e.Result != nil {
			about = "result"
		}
		if about != kind {
			continue
		}
		ids = append(ids, map[string]*link{
			"task": e.Task, "result": e.Result, "node": e.Node, "user": e.User, "organization": e.Organization, "collaboration": e.Collaboration,
		}[kind].ID)
	}
	slices.Sort(ids)
	return ids
}
