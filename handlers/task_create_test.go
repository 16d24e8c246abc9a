package handlers

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"vserver/service/access"
)

// post is a row that makes a task.
func post(as, body string, want int, has string, events ...string) row {
	return row{as: as, method: "POST", path: "/task", body: body, want: want, has: has, events: events}
}

// created are the events of a new task.
func created(task, run, collaboration, organization int) []string {
	room := fmt.Sprintf("collaboration_%d ", collaboration)
	return []string{
		room + fmt.Sprintf(`task_created {"task_id":%d,"run_id":%d,"collaboration_id":%d,"init_org_id":%d}`, task, run, collaboration, organization),
		room + fmt.Sprintf("new_task %d", task),
	}
}

func TestCreateTask(t *testing.T) {
	b := newBed(t)
	b.run(
		post("researcher", `{"name":"my task","description":"what\nit does","image":"img:1","database":"default","collaboration_id":1,
			"organizations":[{"id":2,"input":"aW4="},{"id":3,"input":""},{"id":4}]}`, 201,
			`{"id":2,"name":"my task","description":"what\nit does","image":"img:1","database":"default","run_id":2,"collaboration":{"id":1},
			"initiator":2,"init_user":6,"parent":null,"children":null,"complete":false,"status":"pending","created_at":"*","finished_at":null,
			"results":[{"id":4,"link":"/api/result/4","methods":["GET","PATCH"]},{"id":5},{"id":6}]}`, created(2, 2, 1, 2)...),
		row{as: "root", method: "GET", path: "/task/2/result", want: 200, has: `[
			{"organization":2,"status":"pending","input":"aW4=","result":null,"log":null,"started_at":null,"finished_at":null,"assigned_at":"*"},
			{"organization":3,"input":""},{"organization":4,"input":null}]`},
		// what is left out is empty, an explicit null stays null
		post("researcher", `{"collaboration_id":"1","organizations":[{"id":2}]}`, 201,
			`{"id":3,"run_id":3,"name":"","description":"","image":"","database":""}`, created(3, 3, 1, 2)...),
		post("researcher", `{"collaboration_id":1,"organizations":[{"id":2}],"name":null,"description":null,"image":null,"database":null}`, 201,
			`{"id":4,"name":null,"description":null,"image":null,"database":null}`, created(4, 4, 1, 2)...),
		post("researcher", `{"collaboration_id":1,"organizations":[]}`, 201,
			`{"id":5,"complete":true,"status":"unknown","results":null}`, created(5, 5, 1, 2)...),
		// `master` is ignored, whatever it is
		post("researcher", `{"collaboration_id":1,"organizations":[{"id":2},{"id":3}],"master":true}`, 201, `{"id":6,"results":[{},{}]}`, created(6, 6, 1, 2)...),
		post("researcher", `{"collaboration_id":1,"organizations":[{"id":3}],"master":{"a":1}}`, 201, `{"id":7}`, created(7, 7, 1, 2)...),
		post("big_admin", `{"collaboration_id":3,"organizations":[{"id":3}]}`, 201, `{"initiator":4,"init_user":4}`, created(8, 8, 3, 4)...),
		row{as: "root", method: "GET", path: "/task/8", want: 200, has: `{"id":8,"run_id":8,"status":"pending","results":[{"id":12}]}`},
	)
	b.counts(t)
}

func TestTaskIsRefused(t *testing.T) {
	b := newBed(t)
	b.change(t, `INSERT INTO member (organization_id, collaboration_id) VALUES (1, 2)`) // has no node there
	const outside = `{"msg":"At least one of the supplied organizations in not within the collaboration."}`
	one := func(field string) string { return `{"collaboration_id":1,"organizations":[{"id":2}],` + field + `}` }
	b.run(
		// the body, before anything is looked up
		post("researcher", ``, 400, ""),
		post("researcher", `{}`, 400, `{"msg":"*"}`),
		post("researcher", `{"collaboration_id":1}`, 400, `{"msg":"*"}`),
		post("researcher", `{"organizations":[]}`, 400, ""),
		post("researcher", `{"collaboration_id":null,"organizations":[]}`, 400, ""),
		post("researcher", `{"collaboration_id":99,"organizations":null}`, 400, ""),
		post("researcher", `{"collaboration_id":"x","organizations":[]}`, 400, ""),
		post("researcher", `{"collaboration_id":1.5,"organizations":[]}`, 400, ""),
		post("researcher", `{"collaboration_id":99,"organizations":{"id":2}}`, 400, ""),
		post("researcher", `{"collaboration_id":99,"organizations":[2]}`, 400, ""),
		post("researcher", `{"collaboration_id":99,"organizations":[null]}`, 400, ""),
		post("researcher", `{"collaboration_id":99,"organizations":[{"id":2,"input":5}]}`, 400, ""),
		post("researcher", `{"collaboration_id":99,"organizations":[{"id":2,"input":[1]}]}`, 400, ""),
		post("researcher", `{"collaboration_id":99,"organizations":[{"id":2,"input":true}]}`, 400, ""),
		post("researcher", `{"collaboration_id":99,"organizations":[{"id":2,"input":"a\u0000b"}]}`, 404, ""),
		post("researcher", `{"collaboration_id":99,"organizations":[],"database":["default"]}`, 400, ""),
		post("researcher", `{"collaboration_id":99,"organizations":[],"name":5}`, 400, ""),
		// then in the order of the contract
		post("noperm", `{"collaboration_id":99,"organizations":[{"id":99}]}`, 404, `{"msg":"Collaboration id=99 not found!"}`),
		post("noperm", `{"collaboration_id":2,"organizations":[{"id":3}]}`, 400, outside),
		post("researcher", `{"collaboration_id":1,"organizations":[{"id":"2"}]}`, 400, outside),
		post("researcher", `{"collaboration_id":1,"organizations":[{"input":"x"}]}`, 400, outside),
		post("researcher", `{"collaboration_id":1,"organizations":[{"id":true}]}`, 400, outside),
		post("researcher", `{"collaboration_id":1,"organizations":[{"id":2},{"id":0}]}`, 400, outside),
		post("noperm", `{"collaboration_id":2,"organizations":[{"id":1},{"id":2}]}`, 400,
			`{"msg":"Cannot create this task because there are no nodes registered for the following organization(s): 1."}`),
		post("researcher", `{"collaboration_id":1,"organizations":[{"id":3},{"id":2},{"id":3}]}`, 400,
			`{"msg":"Cannot create this task because organization 3 is listed more than once."}`),
		post("root", `{"collaboration_id":1,"organizations":[{"id":2}]}`, 401,
			`{"msg":"You can only create tasks for collaborations you are participating in!"}`),
		post("researcher", `{"collaboration_id":3,"organizations":[{"id":3}]}`, 401,
			`{"msg":"You can only create tasks for collaborations you are participating in!"}`),
		post("viewer", one(`"name":"x"`), 401, denied),
		post("noperm", one(`"name":"x"`), 401, denied),
		post("node_iknl_z", one(`"name":"x"`), 403, ""),
		post("", one(`"name":"x"`), 401, ""),
		row{as: "root", method: "GET", path: "/task", want: 200, has: `[{"id":1}]`},
	)
}

// TestAdvisory_T09_TaskFieldsAreBounded sends texts at and past their limits.
func TestAdvisory_T09_TaskFieldsAreBounded(t *testing.T) {
	b := newBed(t)
	for _, c := range []struct {
		field string
		limit int
		lines bool
	}{{"name", 1000, false}, {"image", 2000, false}, {"database", 1000, false}, {"description", 100_000, true}} {
		try := func(value string, want int) {
			body, err := json.Marshal(map[string]any{"collaboration_id": 1, "organizations": []any{}, c.field: value})
			if err != nil {
				t.Fatal(err)
			}
			if reply := b.send(t, row{as: "researcher", method: "POST", path: "/task", body: string(body)}); reply.Code != want {
				t.Errorf("%s of %d bytes %.20q: %d %.200s, want %d", c.field, len(value), value, reply.Code, reply.Body, want)
			}
		}
		before := b.number(t, `SELECT COUNT(*) FROM task`)
		for _, bad := range []string{strings.Repeat("ä", c.limit+1), "a\x00b", "a\x1bb", "\x7f", "a\vb", "a\bb"} {
			try(bad, 400)
		}
		for _, line := range []string{"a\nb", "a\rb", "a\tb"} {
			if !c.lines {
				try(line, 400)
			}
		}
		if after := b.number(t, `SELECT COUNT(*) FROM task`); after != before {
			t.Errorf("refused values of %s left %d tasks", c.field, after-before)
		}
		try(strings.Repeat("ä", c.limit), 201)
		try("", 201)
		if c.lines {
			try("a\tb\r\nc", 201)
		}
	}
}

// TestAdvisory_T08_OriginIsDerived sends what a caller must not decide.
func TestAdvisory_T08_OriginIsDerived(t *testing.T) {
	b := newBed(t)
	b.change(t, `INSERT INTO collaboration (name, encrypted) VALUES ('OTHER', FALSE)`)
	const forged = `"parent_id":1,"parent":1,"run_id":77,"initiator":4,"initiator_id":4,"init_org":4,"init_user":3,"init_user_id":3,"id":99,"status":"completed","created_at":"2000-01-01"`
	const invalid = `{"msg":"Container-token is not valid"}`
	sub := func(as, image string, collaboration, want int, has string, events ...string) row {
		return post(as, fmt.Sprintf(`{"image":%q,"collaboration_id":%d,"organizations":[{"id":4}],%s}`, image, collaboration, forged), want, has, events...)
	}
	b.run(
		sub("researcher", "x", 1, 201, `{"id":2,"run_id":2,"parent":null,"initiator":2,"init_user":6,"status":"pending"}`, created(2, 2, 1, 2)...),
		sub("container:13", "hello-world", 1, 201, `{"id":3,"run_id":1,"parent":{"id":1},"initiator":3,"init_user":2}`, created(3, 1, 1, 3)...),
		sub("container", "hello-world", 1, 201, `{"id":4,"run_id":1,"parent":{"id":1},"initiator":2,"init_user":2}`, created(4, 1, 1, 2)...),
		sub("container", "evil.example/hello-world", 1, 401, invalid),
		sub("container", "hello-world:latest", 1, 401, invalid),
		sub("container", "Hello-World", 1, 401, invalid),
		sub("container", "", 1, 401, invalid),
		post("container", `{"image":null,"collaboration_id":1,"organizations":[]}`, 401, invalid),
		sub("container", "hello-world", 2, 401, invalid),
		sub("container", "hello-world", 3, 401, `{"msg":"You can only create tasks for collaborations you are participating in!"}`),
		row{as: "root", method: "GET", path: "/task/1", want: 200, has: `{"children":[{"id":3},{"id":4}]}`},
		row{as: "container", method: "GET", path: "/task?parent_id=1", want: 200, has: `[{"id":4},{"id":3}]`},
	)
}

// TestAdvisory_T23_ContainerTokensEnd ends the task or the place of a container in
// every way there is and asks everything that a container may ask.
func TestAdvisory_T23_ContainerTokensEnd(t *testing.T) {
	finish := func(id, node string) row {
		return row{as: node, method: "PATCH", path: "/result/" + id, body: `{"finished_at":"2026-01-01T00:00:00.1"}`}
	}
	root := func(method, path, body string) row { return row{as: "root", method: method, path: path, body: body} }
	for name, rows := range map[string][]row{
		"the task ends":             {finish("1", "node_iknl_z"), finish("2", "node_small_z"), finish("3", "node_big_z")},
		"the task is killed":        {{as: "orgadmin", method: "POST", path: "/kill/task", body: `{"id":1}`}},
		"the task is deleted":       {root("DELETE", "/task/1", "")},
		"the node is deleted":       {root("DELETE", "/node/12", "")},
		"the node is detached":      {root("DELETE", "/collaboration/1/node", `{"id":12}`)},
		"the node is moved":         {root("DELETE", "/node/15", ""), root("POST", "/collaboration/2/node", `{"id":12}`)},
		"the collaboration is gone": {root("DELETE", "/collaboration/1", "")},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBed(t)
			b.send(t, row{as: "container", method: "GET", path: "/task/1"})
			for _, r := range rows {
				if reply := b.send(t, r); reply.Code >= 300 {
					t.Fatalf("%s %s: %d %s", r.method, r.path, reply.Code, reply.Body)
				}
			}
			asked := 0
			for _, r := range b.s.routes() {
				if r.who&access.Container == 0 {
					continue
				}
				asked++
				path := strings.ReplaceAll(r.path, ":id", "1")
				b.run(row{
					as: "container", method: r.method, path: path, body: `{"collaboration_id":1,"organizations":[],"image":"hello-world"}`,
					want: 401, has: `{"msg":"Container-token is not valid"}`,
				})
			}
			if asked < 12 {
				t.Errorf("only %d routes take containers", asked)
			}
		})
	}
}

// TestAdvisory_T23_ContainersReachTheirRunOnly shows a container what lies beside its
// run in the same collaboration.
func TestAdvisory_T23_ContainersReachTheirRunOnly(t *testing.T) {
	b := newBed(t)
	b.addTasks()
	b.change(t, `INSERT INTO task (name, collaboration_id, run_id, initiator_id) VALUES ('beside', 1, 6, 2)`,
		`INSERT INTO result (task_id, organization_id, status) VALUES (6, 2, 'pending')`, `INSERT INTO algorithmport (port, result_id) VALUES (1, 9)`)
	get := func(path string, want int, has string) row {
		return row{as: "container", method: "GET", path: path, want: want, has: has}
	}
	b.run(
		get("/task", 200, `[{"id":4},{"id":1}]`),
		get("/task?page=1&per_page=1&include=results", 200, `[{"id":4,"results":[{"id":6},{"id":7}]}]`),
		get("/task/6", 401, denied),
		get("/task/6/result", 401, denied),
		get("/task/4/result", 200, `[{"id":6},{"id":7}]`),
		get("/result", 200, `[{"id":7},{"id":6},{"id":3},{"id":2},{"id":1}]`),
		get("/result?task_id=6", 200, `[]`),
		get("/result?node_id=12", 200, `[{"id":1}]`),
		get("/result/9", 401, denied),
		get("/result/6?include=task", 200, `{"task":{"id":4,"parent":{"id":1}}}`),
		get("/port", 200, `[{"id":3}]`),
		get("/port?run_id=6", 200, `[]`),
		get("/port/4", 401, denied),
		get("/port/3", 200, ""),
		get("/collaboration/2", 401, denied),
	)
}

// TestPoliciesOfNodes checks the courtesy check of /docs/nodes#policies.
func TestPoliciesOfNodes(t *testing.T) {
	const refused = `{"msg":"Cannot create this task because one of the nodes that you are trying to send this task to does not allow you to create tasks."}`
	to := func(organization string) string {
		return `{"collaboration_id":1,"image":"hello-world","organizations":[{"id":` + organization + `}]}`
	}
	for _, c := range []struct {
		name, policy string
		researcher   int // user 6 of organization 2, IKNL
	}{
		{"none", `('encryption', '0'), ('allowed_algorithms', 'other')`, 201},
		{"the user", `('allowed_users', '3'), ('allowed_users', '6')`, 201},
		{"another user", `('allowed_users', '3')`, 400},
		{"a word as user", `('allowed_users', 'researcher')`, 400},
		{"the organization", `('allowed_orgs', '2')`, 201},
		{"its name", `('allowed_orgs', 'Small'), ('allowed_orgs', 'IKNL')`, 201},
		{"another name", `('allowed_orgs', 'Small')`, 400},
		{"another organization", `('allowed_orgs', '22')`, 400},
		{"one of both", `('allowed_users', '3'), ('allowed_orgs', '2')`, 201},
		{"nothing", `('allowed_orgs', NULL)`, 400},
		{"a huge number", `('allowed_orgs', '99999999999999999999')`, 400},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBed(t)
			b.change(t, `INSERT INTO nodeconfig (node_id, key, value) SELECT 13, column1, column2 FROM (VALUES `+c.policy+`) AS v`)
			has, events := "", created(2, 2, 1, 2)
			if c.researcher == 400 {
				has, events = refused, nil
			}
			b.run(post("researcher", to("3"), c.researcher, has, events...))
			// The policies of nodes that get nothing do not count, nor do any for containers.
			for _, r := range []row{post("researcher", to("2"), 201, ""), post("container", to("3"), 201, "")} {
				if reply := b.send(t, r); reply.Code != r.want {
					t.Errorf("%s to another node: %d %s", r.as, reply.Code, reply.Body)
				}
			}
		})
	}
}

// TestRunsAreNumberedForGood creates tasks at the same time, deletes the newest, and
// creates again.
func TestRunsAreNumberedForGood(t *testing.T) {
	b := newBed(t)
	var replies [24]*httptest.ResponseRecorder
	var all sync.WaitGroup
	for i := range replies {
		all.Go(func() {
			replies[i] = b.send(t, post("researcher", `{"collaboration_id":1,"organizations":[{"id":2}]}`, 201, ""))
		})
	}
	all.Wait()
	runs := map[int64]bool{}
	var last int64 // the result of the last task: whoever has the higher task may have the lower result
	for _, reply := range replies {
		var task struct {
			ID      int64
			RunID   int64 `json:"run_id"`
			Results []struct{ ID int64 }
		}
		got(t, reply, &task)
		runs[task.RunID] = true
		if task.ID == 25 {
			last = task.Results[0].ID
		}
	}
	if len(runs) != len(replies) {
		t.Errorf("%d tasks share %d runs", len(replies), len(runs))
	}
	b.run(
		row{as: "root", method: "DELETE", path: "/task/25", want: 200, events: []string{
			fmt.Sprintf(`collaboration_1 kill_containers {"kill_list":[{"task_id":25,"result_id":%d,"organization_id":2}],"collaboration_id":1}`, last),
		}},
		post("researcher", `{"collaboration_id":1,"organizations":[]}`, 201, `{"run_id":26}`, created(26, 26, 1, 2)...),
	)
	// an import or an older program may have used higher numbers
	b.change(t, `UPDATE task SET run_id = 100 WHERE id = 2`)
	b.run(post("researcher", `{"collaboration_id":1,"organizations":[]}`, 201, `{"run_id":101}`, created(27, 101, 1, 2)...))
	b.counts(t)
}

// TestAdvisory_U10_HalfATaskIsNone lets every write of a new task fail in turn.
func TestAdvisory_U10_HalfATaskIsNone(t *testing.T) {
	b := newBed(t)
	if !b.lite() {
		t.Skip("the faults are triggers of SQLite; the transactions of Postgres end the same way")
	}
	const body = `{"collaboration_id":1,"organizations":[{"id":2,"input":"YQ=="},{"id":3,"input":"Yg=="}],"image":"hello-world"}`
	for _, c := range []struct{ as, trigger string }{
		{"researcher", `BEFORE UPDATE ON counter`},
		{"researcher", `BEFORE INSERT ON task`},
		{"researcher", `AFTER INSERT ON task`},
		{"researcher", `BEFORE UPDATE OF tasks ON extent WHEN NEW.tasks <> OLD.tasks`},
		{"researcher", `BEFORE INSERT ON result`},
		{"researcher", `AFTER INSERT ON result WHEN NEW.organization_id = 3`},
		{"researcher", `BEFORE INSERT ON payload`},
		{"researcher", `AFTER INSERT ON payload WHEN NEW.input = CAST('Yg==' AS BLOB)`},
		{"container", `AFTER INSERT ON result WHEN NEW.organization_id = 3`},
	} {
		b.change(t, `CREATE TRIGGER fault `+c.trigger+` BEGIN SELECT RAISE(ABORT, 'the disk says no'); END`)
		before := b.state(t)
		b.run(post(c.as, body, 500, `{"msg":"An unexpected error occurred on the server!"}`))
		if after := b.state(t); after != before {
			t.Errorf("%s left something: %s, before %s", c.trigger, after, before)
		}
		b.change(t, `DROP TRIGGER fault`)
	}
	b.run(post("researcher", body, 201, `{"id":2,"run_id":2}`, created(2, 2, 1, 2)...))
}

// TestAdvisory_U10_HalfADeletionIsNone does the same with deletions and kills.
func TestAdvisory_U10_HalfADeletionIsNone(t *testing.T) {
	b := newBed(t)
	if !b.lite() {
		t.Skip("the faults are triggers of SQLite; the transactions of Postgres end the same way")
	}
	b.addTasks()
	b.change(t, `INSERT INTO algorithmport (port, result_id) VALUES (8080, 1)`)
	for _, trigger := range []string{
		`AFTER UPDATE OF finished_at ON result WHEN NEW.id = 7`, `BEFORE DELETE ON algorithmport`, `BEFORE DELETE ON payload`,
		`AFTER DELETE ON result WHEN OLD.id = 3`, `BEFORE DELETE ON task WHEN OLD.id = 1`, `BEFORE UPDATE OF parent_id ON task WHEN OLD.id = 4`,
	} {
		b.change(t, `CREATE TRIGGER fault `+trigger+` BEGIN SELECT RAISE(ABORT, 'the disk says no'); END`)
		before := b.state(t)
		b.run(row{as: "root", method: "DELETE", path: "/task/1", want: 500})
		if strings.Contains(trigger, "finished_at") {
			b.run(row{as: "root", method: "POST", path: "/kill/task", body: `{"id":1}`, want: 500})
		}
		if after := b.state(t); after != before {
			t.Errorf("%s left something: %s, before %s", trigger, after, before)
		}
		b.change(t, `DROP TRIGGER fault`)
	}
}

// lite reports whether the bed stands on SQLite.
func (b *bed) lite() bool { return b.src.Path != "" }

// state describes all rows that tasks are made of.
func (b *bed) state(t *testing.T) string {
	t.Helper()
	var s bytes.Buffer
	for _, q := range []string{
		`SELECT COUNT(*) FROM task`, `SELECT COUNT(*) FROM result`, `SELECT COUNT(*) FROM result WHERE finished_at IS NULL`,
		`SELECT COUNT(*) FROM payload`, `SELECT COUNT(*) FROM algorithmport`, `SELECT value FROM counter WHERE name = 'run'`,
		`SELECT SUM(tasks) FROM extent`, `SELECT SUM(results) FROM extent`,
	} {
		fmt.Fprintf(&s, "%d ", b.number(t, q))
	}
	return s.String()
}
