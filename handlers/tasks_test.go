package handlers

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// addTasks puts more tasks beside the fixture's:
//
//	2 in PIPELINE by 4 (user 4), run 2, results 4 of 2 (completed) and 5 of 4 (active)
//	3 in SLIPPERS by 3 (user 3), run 3, without results
//	4 below task 1, results 6 of 3 (crashed) and 7 of 4 (pending)
//	5 in no collaboration, run 5, result 8 of 2 (completed)
func (b *bed) addTasks() {
	b.Helper()
	b.change(b.T,
		`INSERT INTO task (name, description, image, database, collaboration_id, run_id, parent_id, initiator_id, init_user_id, created_at) VALUES
			('second', 'über', 'img:2', 'other', 2, 2, NULL, 4, 4, '2026-02-01T00:00:00.000000Z'),
			('third', 'a%b', 'img:3', 'default', 3, 3, NULL, 3, 3, '2026-03-01T00:00:00.500000Z'),
			('sub', 'A_b', 'hello-world', 'default', 1, 1, 1, 2, 2, NULL),
			('lost', NULL, NULL, NULL, NULL, 5, NULL, NULL, NULL, NULL)`,
		`INSERT INTO result (task_id, organization_id, status, assigned_at, started_at, finished_at) VALUES
			(2, 2, 'completed', '2026-02-01T00:00:00.000000Z', '2026-02-02T00:00:00.000000Z', '2026-02-03T00:00:00.250000Z'),
			(2, 4, 'active', '2026-02-01T00:00:00.000000Z', '2026-02-02T12:00:00.000000Z', NULL),
			(4, 3, 'crashed', '2026-03-01T00:00:00.000000Z', '2026-03-02T00:00:00.000000Z', '2026-03-03T00:00:00.000000Z'),
			(4, 4, 'pending', '2026-03-01T00:00:00.000000Z', NULL, NULL),
			(5, 2, 'completed', '2026-03-01T00:00:00.000000Z', NULL, '2026-03-05T00:00:00.000000Z')`,
		`INSERT INTO payload (result_id, input, result, log) VALUES (4, `+b.octets("aW4=")+`, `+b.octets("b3V0")+`, `+b.octets("all fine")+`)`,
		`INSERT INTO algorithmport (port, result_id, label) VALUES (8888, 4, 'http'), (8889, 4, NULL), (8888, 6, 'x')`,
		`UPDATE counter SET value = 5 WHERE name = 'run'`,
	)
}

func TestTaskLists(t *testing.T) {
	b := newBed(t)
	b.addTasks()
	get := func(as, query string, want int, has string) row {
		return row{as: as, method: "GET", path: "/task" + query, want: want, has: has}
	}
	b.run(
		get("root", "", 200, `[{"id":5},{"id":4},{"id":3},{"id":2},{"id":1}]`),
		get("colladmin", "", 200, `[{"id":4},{"id":2},{"id":1}]`),
		get("viewer_big", "", 200, `[{"id":4},{"id":3},{"id":2},{"id":1}]`),
		get("researcher_small", "", 200, `[{"id":4},{"id":3},{"id":1}]`),
		get("noperm", "", 401, denied),
		get("node_iknl_z", "", 200, `[{"id":4},{"id":1}]`),
		get("node_iknl_p", "", 200, `[{"id":2}]`),
		get("container", "", 200, `[{"id":4},{"id":1}]`),
		// filters
		get("root", "?initiator_id=2", 200, `[{"id":4},{"id":1}]`),
		get("root", "?init_user_id=4", 200, `[{"id":2}]`),
		get("root", "?collaboration_id=3", 200, `[{"id":3}]`),
		get("root", "?collaboration_id=99", 200, `[]`),
		get("viewer", "?collaboration_id=3", 200, `[]`),
		get("viewer", "?collaboration_id=2", 200, `[{"id":2}]`),
		get("viewer_big", "?collaboration_id=1&initiator_id=2", 200, `[{"id":4},{"id":1}]`),
		get("viewer_big", "?collaboration_id=2&initiator_id=2", 200, `[]`),
		get("root", "?parent_id=1", 200, `[{"id":4}]`),
		get("viewer_big", "?parent_id=1", 200, `[{"id":4}]`),
		get("root", "?run_id=1", 200, `[{"id":4},{"id":1}]`),
		get("viewer", "?run_id=3", 200, `[]`),
		get("container", "?run_id=1", 200, `[{"id":4},{"id":1}]`),
		get("container", "?run_id=2", 200, `[]`),
		get("container", "?collaboration_id=2", 200, `[]`),
		get("root", "?name=SEC%25", 200, `[{"id":2}]`),
		get("root", "?name=sec", 200, `[]`),
		get("viewer_big", "?name=%25i%25", 200, `[{"id":3},{"id":1}]`),
		get("root", "?image=img:_", 200, `[{"id":3},{"id":2}]`),
		get("root", "?description=a%5C%25b", 200, `[{"id":3}]`),
		get("root", "?description=a_b", 200, `[{"id":4},{"id":3}]`),
		get("root", "?description=a%5C_b", 200, `[{"id":4}]`),
		get("root", "?database=other", 200, `[{"id":2}]`),
		get("root", "?result_id=6", 200, `[{"id":4}]`),
		get("viewer", "?result_id=6", 200, `[{"id":4}]`),
		get("viewer", "?result_id=8", 200, `[]`),
		get("root", "?result_id=99", 200, `[]`),
		get("root", "?created_after=2999-01-01", 200, `[]`),
		get("root", "?created_before=1999-01-01T12:00:00", 200, `[]`),
		get("root", "?created_after=yesterday", 400, `{"msg":"created_after has to be a date like 2026-01-31 or 2026-01-31T12:00:00"}`),
		get("root", "?status=pending", 200, `[{"id":1}]`),
		get("root", "?status=PEND%25", 200, `[{"id":1}]`),
		get("viewer_big", "?status=%25e%25", 200, `[{"id":4},{"id":2},{"id":1}]`),
		get("root", "?status=unknown", 200, `[{"id":3}]`),
		get("root", "?status=completed", 200, `[{"id":5}]`),
		get("root", "?run_id=x", 400, `{"msg":"run_id has to be a whole number"}`),
		get("root", "?run_id=&name=", 200, `[{"id":5},{"id":4},{"id":3},{"id":2},{"id":1}]`),
		get("root", "?state=open&node_id=12&unknown=1", 200, `[{"id":5},{"id":4},{"id":3},{"id":2},{"id":1}]`), // leaked by clients
		get("root", "?page=0", 400, `{"msg":"page needs to be >= 1"}`),
		get("root", "?page=1&per_page=x", 400, `{"msg":"per_page needs to be >= 1"}`),
		row{method: "GET", path: "/task", want: 401},
	)
}

// TestTaskPages compares, for everybody and many filters, every page with the list
// that is not paged, and the total with its length.
func TestTaskPages(t *testing.T) {
	b := newBed(t)
	b.addTasks()
	for i := range 60 {
		b.change(t, fmt.Sprintf(`INSERT INTO task (name, collaboration_id, run_id, initiator_id, init_user_id, parent_id)
			VALUES ('t%d', %d, %d, %d, 3, %d)`, i, 1+i*i%3, 6+i%7, 2+i%3, 1+i%2))
	}
	for _, as := range []string{"root", "viewer", "viewer_big", "researcher_small", "node_big_s", "container"} {
		for _, filter := range []string{
			"", "&collaboration_id=1", "&collaboration_id=3", "&name=t%252", "&name=t1_", "&initiator_id=3", "&init_user_id=3", "&run_id=8",
			"&parent_id=2", "&status=unknown", "&collaboration_id=1&initiator_id=3", "&name=nobody",
		} {
			filter = strings.ReplaceAll(filter, "%25", "%")
			b.samePages(t, as, "/task?x=1"+filter)
		}
	}
	b.samePages(t, "viewer_big", "/collaboration/3/task?x=1")
	b.samePages(t, "node_big_s", "/collaboration/3/task?x=1")
}

// samePages checks a list read page by page against the list read at once.
func (b *bed) samePages(t *testing.T, as, path string) {
	t.Helper()
	var all []map[string]any
	reply := b.send(t, row{as: as, method: "GET", path: path})
	got(t, reply, &all)
	total := fmt.Sprint(len(all))
	if h := reply.Header()["total-count"][0]; h != total {
		t.Errorf("%s as %s: total-count %s of %s rows", path, as, h, total)
	}
	for _, size := range []int{1, 7, 100} {
		var paged []map[string]any
		for page := 1; page == 1 || len(paged) < len(all) && page < 100; page++ {
			var part []map[string]any
			reply := b.send(t, row{as: as, method: "GET", path: fmt.Sprintf("%s&page=%d&per_page=%d", path, page, size)})
			got(t, reply, &part)
			if h := reply.Header()["total-count"][0]; h != total {
				t.Errorf("%s as %s, page %d of %d: total-count %s, want %s", path, as, page, size, h, total)
			}
			paged = append(paged, part...)
		}
		if idsOf(paged) != idsOf(all) {
			t.Errorf("%s as %s by %d:\n%s, at once\n%s", path, as, size, idsOf(paged), idsOf(all))
		}
	}
	var none []any
	if got(t, b.send(t, row{as: as, method: "GET", path: path + "&page=1000&per_page=1000"}), &none); len(none) > 0 {
		t.Errorf("%s as %s: rows past the end", path, as)
	}
}

func idsOf(rows []map[string]any) string {
	var s []string
	for _, r := range rows {
		s = append(s, fmt.Sprint(r["id"]))
	}
	return strings.Join(s, " ")
}

func TestOneTask(t *testing.T) {
	b := newBed(t)
	b.addTasks()
	get := func(as, path string, want int, has string) row {
		return row{as: as, method: "GET", path: "/task/" + path, want: want, has: has}
	}
	b.run(
		get("root", "1", 200, `{"id":1,"name":"first","description":"","image":"hello-world","database":"default","run_id":1,
			"collaboration":{"id":1,"link":"/api/collaboration/1","methods":["DELETE","GET","PATCH"]},"initiator":2,"init_user":2,"parent":null,
			"children":[{"id":4,"link":"/api/task/4","methods":["DELETE","GET"]}],"complete":false,"status":"pending","created_at":null,"finished_at":null,
			"results":[{"id":1,"link":"/api/result/1","methods":["GET","PATCH"]},{"id":2},{"id":3}]}`),
		get("viewer", "2", 200, `{"complete":false,"status":"active","created_at":"2026-02-01T00:00:00+00:00","finished_at":null,"children":null}`),
		get("root", "3", 200, `{"complete":true,"status":"unknown","results":null,"finished_at":null,"created_at":"2026-03-01T00:00:00.500000+00:00"}`),
		get("viewer", "4", 200, `{"parent":{"id":1,"link":"/api/task/1"},"status":"failed","complete":false}`),
		get("root", "5", 200, `{"name":"lost","description":null,"image":null,"database":null,"collaboration":null,"initiator":null,"init_user":null,
			"complete":true,"status":"completed","finished_at":"2026-03-05T00:00:00+00:00"}`),
		get("viewer", "5", 401, denied),
		get("viewer", "3", 401, denied),
		get("viewer", "99", 404, `{"msg":"task id=99 is not found"}`),
		get("noperm", "99", 404, `{"msg":"task id=99 is not found"}`),
		get("noperm", "1", 401, denied),
		get("node_iknl_z", "1", 200, `{"initiator":2}`),
		get("node_iknl_z", "2", 401, denied), // another collaboration of its organization
		get("container", "4", 200, `{"id":4}`),
		get("container", "2", 401, denied),
		get("root", "x", 404, ""),
		// results in full
		get("viewer", "2?include=results", 200, `{"results":[
			{"id":4,"organization":2,"input":"aW4=","result":"b3V0","log":"all fine","status":"completed","assigned_at":"2026-02-01T00:00:00+00:00",
			 "started_at":"2026-02-02T00:00:00+00:00","finished_at":"2026-02-03T00:00:00.250000+00:00",
			 "node":{"id":15,"name":"node_iknl_p","ip":null,"status":null},"ports":[{"id":1,"port":8888,"label":"http"},{"id":2,"port":8889,"label":null}]},
			{"id":5,"organization":4,"input":null,"result":null,"log":null,"ports":[],"finished_at":null}]}`),
		get("viewer", "2?include=metadata&include=result", 200, `{"id":2,"results":[{"organization":2},{"organization":4}]}`),
		get("root", "3?include=results", 200, `{"results":[]}`),
		row{as: "viewer_big", method: "GET", path: "/task?include=metadata&include=result&page=1", want: 200, has: `{"data":[
			{"id":4,"results":[{"id":6,"organization":3},{"id":7}]},{"id":3,"results":[]},{"id":2,"results":[{"id":4},{"id":5}]},{"id":1,"results":[{"id":1},{"id":2},{"id":3}]}]}`},
	)
	b.hold(t, 20) // every task, no result
	b.run(
		get("noperm", "2?include=results", 200, `{"results":[{"id":4,"link":"/api/result/4"},{"id":5,"link":"/api/result/5"}]}`),
		row{as: "noperm", method: "GET", path: "/task?include=results&run_id=3", want: 200, has: `[{"id":3,"results":null}]`},
	)
}

func TestTasksOfACollaboration(t *testing.T) {
	b := newBed(t)
	b.addTasks()
	get := func(as, path string, want int, has string) row {
		return row{as: as, method: "GET", path: "/collaboration/" + path, want: want, has: has}
	}
	b.run(
		get("root", "1/task", 200, `[{"id":1},{"id":4}]`),
		get("viewer", "1/task?page=2&per_page=1&include=metadata&include=results", 200, `{"data":[{"id":4,"results":[{"id":6,"link":"/api/result/6"},{"id":7}]}],
			"links":{"previous":"/api/collaboration/1/task?page=1&per_page=1&include=metadata&include=results"}}`),
		get("viewer", "3/task", 401, denied),
		get("viewer", "99/task", 404, `{"msg":"Collaboration id=99 can not be found"}`),
		get("noperm", "1/task", 401, denied),
		get("node_iknl_z", "1/task", 200, `[{"id":1},{"id":4}]`),
		get("node_iknl_z", "2/task", 401, denied),
		get("container", "1/task", 403, ""),
		get("root", "1/task?page=0", 400, ""),
	)
}

func TestDeleteTask(t *testing.T) {
	b := newBed(t)
	b.addTasks()
	remove := func(as, id string, want int, has string, events ...string) row {
		return row{as: as, method: "DELETE", path: "/task/" + id, want: want, has: has, events: events}
	}
	b.run(
		remove("viewer", "1", 401, denied),
		remove("viewer", "99", 404, `{"msg":"task id=99 not found"}`),
		remove("researcher", "3", 401, denied),
		remove("researcher", "5", 401, denied),
		remove("node_iknl_z", "1", 403, ""),
		remove("container", "1", 403, ""),
		remove("researcher", "1", 200, `{"msg":"task id=1 and its result successfully deleted"}`,
			`collaboration_1 kill_containers {"kill_list":[{"task_id":1,"result_id":1,"organization_id":2},{"task_id":1,"result_id":2,"organization_id":3},`+
				`{"task_id":1,"result_id":3,"organization_id":4},{"task_id":4,"result_id":7,"organization_id":4}],"collaboration_id":1}`),
		remove("researcher", "1", 404, ""),
		remove("root", "3", 200, ""), // nothing runs, nothing is said
		remove("root", "5", 200, `{"msg":"task id=5 and its result successfully deleted"}`),
		row{as: "root", method: "GET", path: "/task", want: 200, has: `[{"id":4,"parent":null,"run_id":1},{"id":2}]`},
		row{as: "root", method: "GET", path: "/collaboration/1", want: 200, has: `{"tasks":[{"id":4}]}`},
		remove("researcher", "4", 200, ""), // as web UIs do, which delete what was below
	)
}

// TestAdvisory_T06_TasksLeaveNothing deletes a task: what ran below it is killed and stays,
// without a parent and in its run.
func TestAdvisory_T06_TasksLeaveNothing(t *testing.T) {
	b := newBed(t)
	b.addTasks()
	b.change(t, `INSERT INTO task (name, collaboration_id, run_id, parent_id) VALUES ('grandchild', 1, 1, 4)`,
		`INSERT INTO result (task_id, organization_id) VALUES (6, 2)`, `INSERT INTO payload (result_id, log) VALUES (9, `+b.octets("x")+`)`,
		`INSERT INTO algorithmport (port, result_id) VALUES (1, 9)`)
	if reply := b.send(t, row{as: "root", method: "DELETE", path: "/task/1"}); reply.Code != http.StatusOK {
		t.Fatalf("%d %s", reply.Code, reply.Body)
	}
	for _, path := range []string{"/task/1", "/task/1/result", "/result/1", "/result/2", "/result/3"} {
		if reply := b.send(t, row{as: "root", method: "GET", path: path}); reply.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, reply.Code)
		}
	}
	for what, want := range map[string]int64{"task": 5, "result": 6, "payload": 2, "algorithmport": 4} {
		if n := b.number(t, `SELECT COUNT(*) FROM `+what); n != want {
			t.Errorf("%d rows of %s are left, want %d", n, what, want)
		}
	}
	b.run(
		row{as: "root", method: "GET", path: "/task/4", want: 200, has: `{"id":4,"parent":null,"run_id":1,"children":[{"id":6}],"complete":true}`},
		row{as: "root", method: "GET", path: "/task/6", want: 200, has: `{"id":6,"parent":{"id":4},"run_id":1,"complete":true}`},
		row{as: "root", method: "GET", path: "/result/6", want: 200, has: `{"status":"crashed"}`},
		row{as: "root", method: "GET", path: "/result/7", want: 200, has: `{"status":"killed by user"}`},
		row{as: "root", method: "GET", path: "/result/9", want: 200, has: `{"status":"killed by user","log":"x"}`},
		row{as: "container", method: "GET", path: "/task", want: 401, has: `{"msg":"Container-token is not valid"}`},
	)
	b.counts(t)
}

// counts checks the counters that triggers keep against the rows.
func (b *bed) counts(t *testing.T) {
	t.Helper()
	for _, q := range []string{
		`SELECT COUNT(*) FROM collaboration c WHERE (SELECT COALESCE(SUM(y.tasks), 0) FROM extent y WHERE y.collaboration_id = c.id) <> (SELECT COUNT(*) FROM task t WHERE t.collaboration_id = c.id)`,
		`SELECT COUNT(*) FROM collaboration c WHERE (SELECT COALESCE(SUM(y.results), 0) FROM extent y WHERE y.collaboration_id = c.id) <> (
			SELECT COUNT(*) FROM result r JOIN task t ON t.id = r.task_id WHERE t.collaboration_id = c.id)`,
		`SELECT COUNT(*) FROM result r LEFT JOIN task t ON t.id = r.task_id
			WHERE COALESCE(r.collaboration_id, 0) <> COALESCE(t.collaboration_id, 0)`,
		`SELECT COUNT(*) FROM task t WHERE t.status <> (
			SELECT CASE WHEN COUNT(r.status) = 0 THEN 'unknown'
				WHEN COUNT(*) > SUM(CASE WHEN r.status IN ('active', 'initializing', 'pending', 'completed') THEN 1 ELSE 0 END) THEN 'failed'
				WHEN SUM(CASE WHEN r.status = 'active' THEN 1 ELSE 0 END) > 0 THEN 'active'
				WHEN SUM(CASE WHEN r.status = 'initializing' THEN 1 ELSE 0 END) > 0 THEN 'initializing'
				WHEN SUM(CASE WHEN r.status = 'pending' THEN 1 ELSE 0 END) > 0 THEN 'pending' ELSE 'completed' END
			FROM result r WHERE r.task_id = t.id)`,
	} {
		if n := b.number(t, q); n != 0 {
			t.Errorf("%d rows are counted wrongly: %s", n, q)
		}
	}
}

// TestCountersFollowTheRows moves tasks and results about in every way that the
// database allows.
func TestCountersFollowTheRows(t *testing.T) {
	b := newBed(t)
	b.addTasks()
	b.counts(t)
	for _, s := range []string{
		`UPDATE task SET collaboration_id = 3 WHERE id = 1`,
		`UPDATE task SET collaboration_id = NULL WHERE id = 2`,
		`UPDATE task SET collaboration_id = 2 WHERE id = 5`,
		`UPDATE result SET task_id = 5 WHERE id = 1`,
		`UPDATE result SET task_id = NULL WHERE id = 2`,
		`DELETE FROM result WHERE id = 3`,
		`DELETE FROM task WHERE id = 4`,
		`INSERT INTO result (task_id, organization_id, collaboration_id) VALUES (5, 2, 2)`,
		`DELETE FROM collaboration WHERE id = 2`,
	} {
		b.change(t, s)
		b.counts(t)
		if t.Failed() {
			t.Fatal(s)
		}
	}
}

// TestStatusIsKept compares the status of tasks with what their results say after each of many changes by chance.
func TestStatusIsKept(t *testing.T) {
	b := newBed(t)
	b.addTasks()
	const changes = 120
	chance := rand.New(rand.NewPCG(13, 14))
	states := []string{`NULL`, `'pending'`, `'initializing'`, `'active'`, `'completed'`, `'failed'`, `'unknown'`, `''`}
	for range changes {
		state := states[chance.IntN(len(states))]
		task, other, result := 1+chance.IntN(7), 1+chance.IntN(7), 1+chance.IntN(40)
		some := fmt.Sprintf(`id %% %d = %d`, 2+chance.IntN(5), chance.IntN(2))
		s := []string{
			fmt.Sprintf(`INSERT INTO result (task_id, organization_id, status) SELECT id, 2, %s FROM task WHERE id = %d`, state, task),
			fmt.Sprintf(`INSERT INTO result (task_id, status) SELECT t.id, %s FROM task t WHERE t.%s UNION ALL SELECT t.id, 'pending' FROM task t`, state, some),
			fmt.Sprintf(`UPDATE result SET status = %s WHERE id = %d`, state, result),
			fmt.Sprintf(`UPDATE result SET status = %s WHERE %s`, state, some),
			fmt.Sprintf(`UPDATE result SET task_id = (SELECT id FROM task WHERE id = %d), status = %s WHERE %s`, other, state, some),
			fmt.Sprintf(`DELETE FROM result WHERE %s`, some),
			fmt.Sprintf(`DELETE FROM result WHERE task_id = %d`, task),
			fmt.Sprintf(`DELETE FROM task WHERE id = %d`, task),
			`INSERT INTO task (name, collaboration_id) VALUES ('another', 1)`,
		}[chance.IntN(9)]
		b.change(t, s)
		if b.counts(t); t.Failed() {
			t.Fatal(s)
		}
	}
}

// TestStatusIsTheSameInSQL gives tasks every mixture of two states and compares what
// the filter finds with what the tasks say.
func TestStatusIsTheSameInSQL(t *testing.T) {
	b := newBed(t)
	states := []string{`NULL`, `'pending'`, `'initializing'`, `'active'`, `'completed'`, `'failed'`, `'killed by user'`, `''`, `'Active'`}
	var tasks, results []string
	id := 2
	for i, one := range states {
		for _, two := range states[i:] {
			tasks = append(tasks, fmt.Sprintf(`(%d, 1)`, id))
			results = append(results, fmt.Sprintf(`(%d, 2, %s), (%d, 3, %s)`, id, one, id, two))
			id++
		}
	}
	b.change(t, `INSERT INTO task (id, collaboration_id) VALUES `+strings.Join(tasks, ","),
		`INSERT INTO result (task_id, organization_id, status) VALUES `+strings.Join(results, ","))
	var all []fullTaskJSON
	got(t, b.send(t, row{as: "root", method: "GET", path: "/task"}), &all)
	want := map[string]int{}
	for _, task := range all {
		want[task.Status]++
	}
	if len(want) != 6 || len(all) != id-1 {
		t.Errorf("not every status was reached: %v", want)
	}
	for status, n := range want {
		var found []fullTaskJSON
		got(t, b.send(t, row{as: "root", method: "GET", path: "/task?status=" + status}), &found)
		if len(found) != n {
			t.Errorf("%d tasks say %q, the filter finds %d", n, status, len(found))
		}
	}
}

// TestTasksByDate: the first moment is included, the second is not, and the total counts what is listed.
func TestTasksByDate(t *testing.T) {
	b := newBed(t)
	b.change(t, `UPDATE task SET created_at = '2026-03-01T12:00:00.000000Z' WHERE id = 1`)
	for query, want := range map[string]string{
		"created_after=2026-03-01T12:00:00":                                   `[{"id":1}]`,
		"created_after=2026-03-01T12:00:01":                                   `[]`,
		"created_before=2026-03-01T12:00:00&created_after=2026-01-01":         `[]`,
		"created_before=2026-03-01T13:00:01%2B01:00&created_after=2026-01-01": `[{"id":1}]`,
		"created_after=2026-01-01&initiator_id=2":                             `[{"id":1}]`,
	} {
		b.run(row{as: "root", method: "GET", path: "/task?" + query, want: 200, has: want})
		reply := b.send(t, row{as: "root", method: "GET", path: "/task?page=1&" + query})
		if total, want := reply.Header()["total-count"], strconv.Itoa(strings.Count(want, "id")); !slices.Equal(total, []string{want}) {
			t.Errorf("%s: total-count %v, want %s", query, total, want)
		}
	}
}
