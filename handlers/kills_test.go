package handlers

import (
	"strings"
	"testing"
)

func kill(as, body string, want int, has string, events ...string) row {
	return row{as: as, method: "POST", path: "/kill/task", body: body, want: want, has: has, events: events}
}

func TestKillTask(t *testing.T) {
	b := newBed(t)
	b.addTasks()
	b.run(
		kill("orgadmin", ``, 400, ""),
		kill("orgadmin", `{}`, 400, `{"msg":"No task id provided!"}`),
		kill("noperm", `{"id":0}`, 400, `{"msg":"No task id provided!"}`),
		kill("orgadmin", `{"id":null}`, 400, `{"msg":"No task id provided!"}`),
		kill("orgadmin", `{"id":"x"}`, 400, `{"msg":"*"}`),
		kill("orgadmin", `{"id":[1]}`, 400, `{"msg":"*"}`),
		kill("noperm", `{"id":99}`, 404, `{"msg":"Task id=99 not found"}`),
		kill("noperm", `{"id":3}`, 400, `{"msg":"Task 3 already finished with status 'unknown', so cannot kill it!"}`),
		kill("noperm", `{"id":5}`, 400, `{"msg":"Task 5 already finished with status 'completed', so cannot kill it!"}`),
		kill("viewer", `{"id":1}`, 401, denied),
		kill("researcher", `{"id":1}`, 401, denied),
		kill("node_iknl_z", `{"id":1}`, 403, ""),
		kill("container", `{"id":1}`, 403, ""),
		row{as: "root", method: "GET", path: "/task/1", want: 200, has: `{"status":"pending"}`},
		// one failed result does not keep the rest from being killed, nor is it changed
		kill("orgadmin", `{"id":4}`, 200, `{"msg":"Nodes have been instructed to kill any containers running for task 4."}`,
			`collaboration_1 kill_containers {"kill_list":[{"task_id":4,"result_id":7,"organization_id":4}],"collaboration_id":1}`),
		row{as: "root", method: "GET", path: "/task/4?include=results", want: 200, has: `{"complete":true,"status":"failed","results":[
			{"id":6,"status":"crashed","finished_at":"2026-03-03T00:00:00+00:00"},{"id":7,"status":"killed by user","finished_at":"*"}]}`},
		kill("orgadmin", `{"id":4}`, 400, `{"msg":"Task 4 already finished with status 'failed', so cannot kill it!"}`),
		kill("root", `{"id":"1"}`, 200, "", `collaboration_1 kill_containers {"kill_list":[{"task_id":1,"result_id":1,"organization_id":2},`+
			`{"task_id":1,"result_id":2,"organization_id":3},{"task_id":1,"result_id":3,"organization_id":4}],"collaboration_id":1}`),
		patch("node_iknl_z", "1", `{"status":"killed by user"}`, 400, `{"msg":"Cannot update an already finished result!"}`),
	)
}

// TestKillReachesTheWholeSubtree: what runs three levels below is killed, though the
// task itself has ended.
func TestKillReachesTheWholeSubtree(t *testing.T) {
	b := newBed(t)
	b.addTasks()
	b.change(t, `UPDATE result SET finished_at = '2026-01-01T00:00:00.000000Z', status = 'completed' WHERE id IN (1, 2, 3, 7)`,
		`INSERT INTO task (name, collaboration_id, run_id, parent_id) VALUES ('grandchild', 1, 1, 4)`,
		`INSERT INTO result (task_id, organization_id, status) VALUES (6, 2, 'active')`)
	b.run(
		kill("orgadmin", `{"id":1}`, 200, "", `collaboration_1 kill_containers {"kill_list":[{"task_id":6,"result_id":9,"organization_id":2}],"collaboration_id":1}`),
		kill("orgadmin", `{"id":1}`, 400, `{"msg":"Task 1 already finished with status 'completed', so cannot kill it!"}`),
		row{as: "root", method: "GET", path: "/result/1", want: 200, has: `{"status":"completed","finished_at":"2026-01-01T00:00:00+00:00"}`},
	)
	if n := b.number(t, `SELECT COUNT(*) FROM result WHERE status = 'killed by user' AND finished_at > assigned_at`); n != 0 {
		t.Errorf("%d results without a time of assignment have one", n)
	}
}

// TestWhoMayKill gives a user each rule about events, with and without membership.
func TestWhoMayKill(t *testing.T) {
	const org, col, glo = 51, 52, 53
	for _, c := range []struct {
		rule             int64
		own, outside     int // POST /kill/task in ZEPPELIN and SLIPPERS
		mine, near, away int // POST /kill/node/tasks of the own node, of another in ZEPPELIN, of one in SLIPPERS
	}{
		{org, 200, 401, 200, 401, 401},
		{col, 200, 401, 200, 200, 401},
		{glo, 200, 200, 200, 200, 200},
		{22, 401, 401, 401, 401, 401}, // every task may be created
		{50, 401, 401, 401, 401, 401}, // every event may be watched
	} {
		b := newBed(t)
		b.addTasks()
		b.change(t, `INSERT INTO result (task_id, organization_id, status) VALUES (3, 3, 'active')`,
			`UPDATE authenticatable SET status = 'online' WHERE type = 'node'`)
		b.hold(t, c.rule)
		for _, k := range []struct {
			path, id string
			want     int
		}{
			{"task", "1", c.own},
			{"task", "3", c.outside},
			{"node/tasks", "12", c.mine},
			{"node/tasks", "13", c.near},
			{"node/tasks", "17", c.away},
		} {
			reply := b.send(t, row{as: "noperm", method: "POST", path: "/kill/" + k.path, body: `{"id":` + k.id + `}`})
			if reply.Code != k.want {
				t.Errorf("rule %d, %s %s: %d %s, want %d", c.rule, k.path, k.id, reply.Code, reply.Body, k.want)
			}
			if said := len(b.sent) == 1 && strings.Contains(b.sent[0], "kill_containers"); said != (k.want == 200) {
				t.Errorf("rule %d, %s %s sent %v", c.rule, k.path, k.id, b.sent)
			}
		}
	}
}

func TestKillNode(t *testing.T) {
	b := newBed(t)
	b.change(t, `UPDATE authenticatable SET status = 'online' WHERE id IN (12, 15)`, `UPDATE authenticatable SET status = 'offline' WHERE id = 13`,
		`UPDATE node SET collaboration_id = NULL WHERE id = 15`)
	kill := func(as, body string, want int, has string, events ...string) row {
		return row{as: as, method: "POST", path: "/kill/node/tasks", body: body, want: want, has: has, events: events}
	}
	b.run(
		kill("orgadmin", ``, 400, ""),
		kill("orgadmin", `{}`, 400, `{"msg":"No node id provided!"}`),
		kill("noperm", `{"id":0}`, 400, `{"msg":"No node id provided!"}`),
		kill("noperm", `{"id":99}`, 404, `{"msg":"Node id=99 not found"}`),
		kill("noperm", `{"id":2}`, 404, `{"msg":"Node id=2 not found"}`), // a user
		kill("noperm", `{"id":13}`, 400, `{"msg":"Node 13 is not online so cannot kill its tasks!"}`),
		kill("noperm", `{"id":14}`, 400, `{"msg":"Node 14 is not online so cannot kill its tasks!"}`),
		kill("root", `{"id":15}`, 400, `{"msg":"Node 15 is not online so cannot kill its tasks!"}`),
		kill("noperm", `{"id":12}`, 401, denied),
		kill("viewer", `{"id":12}`, 401, denied),
		kill("node_iknl_z", `{"id":12}`, 403, ""),
		kill("orgadmin", `{"id":12}`, 200, `{"msg":"Node 12 has been instructed to kill all containers running on it."}`,
			`collaboration_1 kill_containers {"collaboration_id":1,"node_id":12}`),
		row{as: "root", method: "GET", path: "/result/1", want: 200, has: `{"status":"pending","finished_at":null}`},
	)
}
