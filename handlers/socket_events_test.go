package handlers

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

const relayed = `algorithm_status_change {"collaboration_id":%s,"node_id":%s,"organization_id":%s,"parent_id":%s,"result_id":1,"run_id":1,"status":%s,"task_id":%s}`

// TestSocketStatusChangeIsRelayedAsStored: eight keys, those that were sent with the
// values of the database, the others null.
func TestSocketStatusChangeIsRelayedAsStored(t *testing.T) {
	b := newLiveBed(t)
	b.exec(
		`INSERT INTO task (image, collaboration_id, run_id, parent_id) VALUES ('x', 1, 1, 1)`,
		`UPDATE result SET task_id = 2 WHERE id = 2`,
	)
	node, child, watcher := b.join("node_iknl_z", means{}), b.join("node_small_z", means{}), b.join("root", means{only: "polling"})
	for _, x := range []struct {
		name, sent string
		from       *socketClient
		want       string
	}{
		{"all", `{"node_id":12,"status":"active","result_id":1,"task_id":1,"collaboration_id":1,"organization_id":2,"parent_id":null}`, node, fmt.Sprintf(relayed, "1", "12", "2", "null", `"active"`, "1")},
		{"no more than needed", `{"result_id":1}`, node, fmt.Sprintf(relayed, "null", "null", "null", "null", "null", "null")},
		{"a status of one's own", `{"result_id":1,"status":"à la carte","collaboration_id":1}`, node, fmt.Sprintf(relayed, "1", "null", "null", "null", `"à la carte"`, "null")},
		{"other keys", `{"result_id":1,"extra":{"a":[1]},"run_id":99}`, node, fmt.Sprintf(relayed, "null", "null", "null", "null", "null", "null")},
		{"foreign ids beside an own result", `{"result_id":1,"node_id":13,"task_id":99,"organization_id":3,"parent_id":5}`, node, fmt.Sprintf(relayed, "null", "12", "2", "null", "null", "1")},
		{"a subtask", `{"result_id":2,"task_id":2,"parent_id":1,"status":"completed"}`, child, `algorithm_status_change {"collaboration_id":null,"node_id":null,"organization_id":null,"parent_id":1,"result_id":2,"run_id":1,"status":"completed","task_id":2}`},
	} {
		t.Run(x.name, func(t *testing.T) {
			for _, c := range []*socketClient{node, child, watcher} {
				c.take()
			}
			if got := x.from.emit("algorithm_status_change", x.sent); got != "[]" {
				t.Errorf("acknowledged with %s", got)
			}
			for _, c := range []*socketClient{node, child, watcher} {
				hears(t, c, x.want)
			}
		})
	}
	if got := b.rows(`SELECT status FROM result WHERE id = 1`); !slices.Equal(got, []string{"pending"}) {
		t.Errorf("the event changed the result: %v", got)
	}
}

func TestSocketFailureIsCritical(t *testing.T) {
	b := newLiveBed(t)
	node := b.join("node_iknl_z", means{})
	for status, level := range map[string]string{
		`"pending"`: "info", `"initializing"`: "info", `"active"`: "info", `"completed"`: "info",
		`"failed"`: "fatal", `"crashed"`: "fatal", `"not allowed"`: "fatal", `"whatever"`: "fatal", `null`: "fatal",
	} {
		b.log.take()
		node.emit("algorithm_status_change", `{"result_id":1,"status":`+status+`}`)
		if got := b.log.take(); !strings.Contains(got, `"level":"`+level+`"`) {
			t.Errorf("%s: %s", status, got)
		}
	}
}

// TestAdvisory_U4: sender × event × ids of others. Nothing is relayed or stored, the
// log warns, and the connection stays.
func TestAdvisory_U4_NobodySpeaksForOthers(t *testing.T) {
	b := newLiveBed(t)
	b.exec(
		// result 4: of the own organization in another collaboration
		`INSERT INTO task (image, collaboration_id, run_id) VALUES ('x', 2, 2)`,
		`INSERT INTO result (task_id, organization_id, status, collaboration_id) VALUES (2, 2, 'pending', 2)`,
	)
	everybody := map[string]*socketClient{}
	for _, name := range []string{"root", "admin", "noperm", "viewer", "node_iknl_z", "node_small_z", "node_iknl_p", "node_small_s"} {
		everybody[name] = b.join(name, means{only: "websocket"})
	}
	results := map[string][]string{
		// what each may not speak for; users may speak for nothing
		"root": {"1", "2", "4"}, "admin": {"1", "4"}, "viewer": {"1"}, "noperm": {"1"},
		"node_iknl_z": {"2", "3", "4", "4711", "-1", "9223372036854775807"}, "node_small_z": {"1", "3", "4"},
		"node_iknl_p": {"1", "2"}, "node_small_s": {"1", "2", "3", "4"},
	}
	type attempt struct{ sender, event, args string }
	var all []attempt
	for sender, ids := range results {
		for _, id := range ids {
			all = append(all,
				attempt{sender, "algorithm_status_change", `{"result_id":` + id + `,"status":"failed"}`},
				attempt{sender, "container_failed", `{"result_id":` + id + `,"status_code":1}`})
		}
	}
	for _, sender := range []string{"root", "admin", "viewer", "noperm"} {
		all = append(all, attempt{sender, "node_info_update", `{"encryption":true,"allowed_users":[1]}`})
	}
	for _, event := range []string{"algorithm_status_change", "container_failed"} {
		for _, args := range []string{
			`{"result_id":1,"collaboration_id":2}`, `{"result_id":1,"collaboration_id":3}`, `{"result_id":1,"collaboration_id":0}`,
			`{"result_id":"1"}`, `{"result_id":1.5}`, `{"result_id":true}`, `{"result_id":null}`, `{"result_id":[1]}`, `{"result_id":{}}`, `{"result_id":1e0}`,
			`{"result_id":99999999999999999999}`, `{"result_id":1,"collaboration_id":"1"}`, `{"result_id":1,"node_id":"12"}`, `{"result_id":1,"collaboration_id":[]}`,
			`{}`, `[]`, `[1]`, `null`, `1`, `"1"`, ``, `{"result_id":1},{"result_id":1}`,
		} {
			all = append(all, attempt{"node_iknl_z", event, args})
		}
	}
	for _, args := range []string{
		`{"result_id":1,"status":5}`, `{"result_id":1,"status":["active"]}`, `{"result_id":1,"status":{}}`, `{"result_id":1,"status":true}`,
		`{"result_id":1,"status":"` + strings.Repeat("x", 1001) + `"}`,
		`{"result_id":1,"task_id":"1"}`, `{"result_id":1,"organization_id":2.5}`, `{"result_id":1,"parent_id":false}`,
	} {
		all = append(all, attempt{"node_iknl_z", "algorithm_status_change", args})
	}
	for _, args := range []string{`[]`, `null`, `"x"`, ``, `1,2`} {
		all = append(all, attempt{"node_iknl_z", "node_info_update", args})
	}
	for _, c := range everybody {
		c.take()
	}
	for _, a := range all {
		b.log.take()
		b.mu.Lock()
		b.sent = nil
		b.mu.Unlock()
		if got := everybody[a.sender].emit(a.event, a.args); got != "[]" {
			t.Errorf("%v: answered %q", a, got)
		}
		b.mu.Lock()
		if len(b.sent) > 0 {
			t.Errorf("%v: sent %q", a, b.sent)
		}
		b.mu.Unlock()
		if got := b.log.take(); !strings.Contains(got, `"level":"warn"`) || !strings.Contains(got, a.event) {
			t.Errorf("%v: no warning in %q", a, got)
		}
	}
	for _, c := range everybody {
		hears(t, c)
	}
	if got := b.rows(`SELECT DISTINCT status FROM result`); !slices.Equal(got, []string{"pending"}) {
		t.Errorf("statuses %q", got)
	}
	if got := b.rows(`SELECT key FROM nodeconfig`); len(got) > 0 {
		t.Errorf("configuration %q", got)
	}
	t.Run("an organization that has left the collaboration", func(t *testing.T) {
		b.exec(`DELETE FROM member WHERE organization_id = 2 AND collaboration_id = 1`)
		everybody["node_iknl_z"].emit("algorithm_status_change", `{"result_id":1}`)
		for _, c := range everybody {
			hears(t, c)
		}
	})
}

func TestSocketContainerFailedOfOldNodes(t *testing.T) {
	b := newLiveBed(t)
	node, watcher := b.join("node_iknl_z", means{}), b.join("colladmin", means{})
	node.take()
	watcher.take()
	node.emit("container_failed", `{"node_id":12,"status_code":137,"result_id":1,"collaboration_id":1}`)
	hears(t, node, "container_failed 1")
	hears(t, watcher, "container_failed 1")
	// such nodes never send a status, not even at the end
	finish := `{"result":"cg==","log":"l","finished_at":"2026-01-02T03:04:05.000001"}`
	b.run(
		row{as: "node_iknl_z", method: "PATCH", path: "/result/1", body: finish, want: 200, has: `{"status":"failed"}`, events: []string{`collaboration_1 status_update {"result_id":1}`}},
		row{as: "node_small_z", method: "PATCH", path: "/result/2", body: finish, want: 200, has: `{"status":"completed"}`, events: []string{`collaboration_1 status_update {"result_id":2}`}},
	)
	b.join("node_small_z", means{}).emit("container_failed", `{"status_code":1,"result_id":2}`)
	if got := b.rows(`SELECT status FROM result WHERE id = 2`); !slices.Equal(got, []string{"completed"}) {
		t.Errorf("a finished result became %v", got)
	}
}

func TestSocketNodeInfo(t *testing.T) {
	b := newLiveBed(t)
	node := b.join("node_iknl_z", means{connect: "40/tasks,{}"})
	for _, x := range []struct {
		name, sent string
		want       []string
	}{
		{"everything", `{"encryption":true,"allowed_algorithms":["^a/.*","b"],"allowed_users":[1,2],"allowed_orgs":[3,"Big"]}`, []string{
			"encryption=1", "allowed_algorithms=^a/.*", "allowed_algorithms=b", "allowed_users=1", "allowed_users=2", "allowed_orgs=3", "allowed_orgs=Big",
		}},
		{"replaced", `{"encryption":false,"allowed_algorithms":"all"}`, []string{"encryption=0", "allowed_algorithms=all"}},
		{"wrong values are left out", `{"encryption":"yes","allowed_algorithms":[1,"ok",null],"allowed_users":"all","allowed_orgs":[{"a":1},2,2.5,true,"a\u0000b","x\ud800"]}`, []string{
			"allowed_algorithms=ok", "allowed_orgs=2",
		}},
		{"unknown keys", `{"encryption":true,"api_key":"secret"}`, []string{"encryption=1"}},
		{"too much", `{"allowed_users":[1` + strings.Repeat(",1", 1000) + `]}`, []string{"encryption=1"}},
		{"nothing", `{}`, nil},
	} {
		t.Run(x.name, func(t *testing.T) {
			node.emit("node_info_update", x.sent)
			if got := b.config(12); !slices.Equal(got, x.want) {
				t.Errorf("stored %q, not %q", got, x.want)
			}
			if got := b.rows(`SELECT key FROM nodeconfig WHERE node_id <> 12`); len(got) > 0 {
				t.Errorf("others got %q", got)
			}
		})
	}
}

func TestSocketWordsOfClientsAreLogged(t *testing.T) {
	b := newLiveBed(t)
	c := b.join("viewer", means{})
	for event, level := range map[string]string{"message": "info", "error": "error"} {
		b.log.take()
		c.emit(event, `"a line\nand another","`+strings.Repeat("x", 10_000)+`"`)
		got := b.log.take()
		if !strings.Contains(got, `"level":"`+level+`"`) || !strings.Contains(got, `a line\\\\nand another`) || len(got) > 1000 {
			t.Errorf("%s: %s", event, got)
		}
	}
}

// TestSocketJoinRoomIsNoMore: it let everybody listen everywhere.
func TestSocketJoinRoomIsNoMore(t *testing.T) {
	b := newLiveBed(t)
	c := b.join("noperm", means{})
	if got := c.emit("join_room", `"collaboration_1"`); got != "[]" {
		t.Errorf("answered %s", got)
	}
	if got := b.s.live.tasks.Sockets(c.socket())[0].Rooms(); len(got) > 0 {
		t.Errorf("is in %v", got)
	}
}
