package handlers

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestResultLists(t *testing.T) {
	b := newBed(t)
	b.addTasks()
	get := func(as, query string, want int, has string) row {
		return row{as: as, method: "GET", path: "/result" + query, want: want, has: has}
	}
	b.run(
		// the result of a task in no collaboration is in no list
		get("root", "", 200, `[{"id":7},{"id":6},{"id":5},{"id":4},{"id":3},{"id":2},{"id":1}]`),
		get("viewer_big", "", 200, `[{"id":7},{"id":6},{"id":5},{"id":4},{"id":3},{"id":2},{"id":1}]`),
		get("researcher_small", "", 200, `[{"id":7},{"id":6},{"id":3},{"id":2},{"id":1}]`),
		get("noperm", "", 401, denied),
		get("node_iknl_z", "", 200, `[{"id":7},{"id":6},{"id":3},{"id":2},{"id":1}]`),
		get("node_big_p", "", 200, `[{"id":5},{"id":4}]`),
		get("container", "", 200, `[{"id":7},{"id":6},{"id":3},{"id":2},{"id":1}]`),
		// filters
		get("root", "?task_id=1", 200, `[{"id":3},{"id":2},{"id":1}]`),
		get("viewer", "?task_id=3", 200, `[]`),
		get("root", "?task_id=5", 200, `[]`),
		get("root", "?organization_id=2", 200, `[{"id":4},{"id":1}]`),
		get("researcher_small", "?organization_id=2", 200, `[{"id":1}]`),
		get("root", "?organization_id=4&task_id=4", 200, `[{"id":7}]`),
		get("root", "?port=8888", 200, `[{"id":6},{"id":4}]`),
		get("researcher_small", "?port=8888", 200, `[{"id":6}]`),
		get("root", "?port=1", 200, `[]`),
		get("root", "?state=open", 200, `[{"id":7},{"id":5},{"id":3},{"id":2},{"id":1}]`),
		get("root", "?state=closed", 200, `[{},{},{},{},{},{},{}]`),
		get("viewer_big", "?state=open&page=1&per_page=2", 200, `[{"id":7},{"id":5}]`),
		get("root", "?node_id=16", 200, `[{"id":5}]`),
		get("root", "?node_id=15&state=open", 200, `[]`),
		get("root", "?node_id=16&organization_id=2", 200, `[]`),
		get("root", "?node_id=99", 200, `[]`),
		get("researcher_small", "?node_id=16", 200, `[]`),
		get("root", "?assigned_from=2026-02-01&assigned_till=2026-02-28", 200, `[{"id":5},{"id":4}]`),
		get("root", "?started_from=2026-02-02+00:00:01", 200, `[{"id":6},{"id":5}]`),
		get("root", "?started_till=2026-02-02", 200, `[{"id":4}]`),
		get("root", "?finished_from=2026-02-03T00:00:00.25", 200, `[{"id":6},{"id":4}]`),
		get("root", "?finished_till=2026-02-03T01:00:00.25%2B01:00", 200, `[{"id":4}]`),
		get("root", "?finished_till=2026-02-03", 200, `[]`),
		get("root", "?finished_till=soon", 400, `{"msg":"*"}`),
		get("root", "?task_id=one", 400, `{"msg":"task_id has to be a whole number"}`),
		get("root", "?per_page=3&page=2", 200, `[{"id":4},{"id":3},{"id":2}]`),
		// what nodes ask for
		get("node_iknl_z", "?state=open&include=task&node_id=12", 200, `[{"id":1,"input":"aW4=","result":null,"organization":{"id":2,"link":"/api/organization/2"},
			"node":{"id":12,"name":"node_iknl_z","ip":null,"status":null,"config":[]},"ports":[],
			"task":{"id":1,"name":"first","image":"hello-world","run_id":1,"database":"default","parent":null,"initiator":2,"init_user":2,"children":[{"id":4}],
				"complete":false,"status":"pending","collaboration":{"id":1}}}]`),
		get("node_big_z", "?state=open&include=task&node_id=14&task_id=4", 200, `[{"id":7,"task":{"id":4,"parent":{"id":1,"link":"/api/task/1"}}}]`),
		get("node_big_z", "?state=open&include=task&node_id=14", 200, `[{"id":7},{"id":3}]`),
		get("node_big_z", "?state=open&include=task&node_id=14&task_id=2", 200, `[]`),
		get("node_big_z", "?state=open&node_id=16", 200, `[]`),
		get("viewer", "?include=metadata&include=task&page=1&per_page=1", 200, `{"data":[{"id":7,"task":{"id":4}}],
			"links":{"next":"/api/result?include=metadata&include=task&page=2&per_page=1"}}`),
	)
	var rows []map[string]map[string]any
	_ = json.Unmarshal(b.send(t, get("root", "?include=task&task_id=1", 200, "")).Body.Bytes(), &rows)
	if _, has := rows[0]["task"]["results"]; has || rows[0]["task"]["id"] == nil {
		t.Errorf("an embedded task has no results of its own: %v", rows[0]["task"])
	}
	for _, as := range []string{"root", "viewer", "viewer_big", "node_big_p", "container"} {
		for _, filter := range []string{
			"", "&state=open", "&organization_id=4", "&task_id=1", "&node_id=14", "&node_id=14&state=open", "&port=8888", "&assigned_from=2026-02-01", "&finished_from=2020-01-01",
		} {
			b.samePages(t, as, "/result?x=1"+filter)
		}
		if as != "node_big_p" {
			b.samePages(t, as, "/task/1/result?x=1")
		}
	}
}

func TestOneResult(t *testing.T) {
	b := newBed(t)
	b.addTasks()
	get := func(as, path string, want int, has string) row {
		return row{as: as, method: "GET", path: "/result/" + path, want: want, has: has}
	}
	b.run(
		get("viewer", "4?state=open&include=task&node_id=2", 200, `{"id":4,"input":"aW4=","result":"b3V0","log":"all fine","status":"completed",
			"assigned_at":"2026-02-01T00:00:00+00:00","started_at":"2026-02-02T00:00:00+00:00","finished_at":"2026-02-03T00:00:00.250000+00:00",
			"organization":{"id":2,"link":"/api/organization/2","methods":["GET","PATCH"]},"task":{"id":2,"name":"second"},
			"node":{"id":15},"ports":[{"id":1},{"id":2}]}`),
		get("viewer", "4", 200, `{"task":{"id":2,"link":"/api/task/2","methods":["DELETE","GET"]}}`),
		get("viewer", "4?include=metadata&include=task", 200, `{"task":{"id":2,"name":"second"}}`),
		get("viewer", "99", 404, `{"msg":"Result id=99 not found!"}`),
		get("noperm", "99", 404, ""),
		get("noperm", "4", 401, denied),
		get("researcher_small", "4", 401, denied),
		get("viewer", "8", 401, denied),
		get("root", "8", 200, `{"node":{},"task":{"id":5}}`),
		get("node_iknl_z", "6", 200, `{"id":6}`),
		get("node_iknl_z", "4", 401, denied),
		get("container", "6", 200, `{"id":6}`),
		get("container", "4", 401, denied),
	)
	b.hold(t, 26) // every result, no task
	b.run(get("noperm", "4?include=task", 200, `{"task":{"id":2,"link":"/api/task/2"}}`))
	b.run(
		row{as: "root", method: "DELETE", path: "/node/15", want: 200},
		get("root", "4", 200, `{"node":{},"ports":[{"id":1},{"id":2}]}`),
		row{name: "without a node it is still listed", as: "viewer", method: "GET", path: "/result?task_id=2", want: 200, has: `[{"id":5},{"id":4,"node":{}}]`},
	)
}

func TestResultsOfATask(t *testing.T) {
	b := newBed(t)
	b.addTasks()
	get := func(as, path string, want int, has string) row {
		return row{as: as, method: "GET", path: "/task/" + path, want: want, has: has}
	}
	b.run(
		get("viewer", "2/result", 200, `[{"id":4,"organization":2,"task":2,"input":"aW4=","node":{"id":15},"ports":[{"id":1,"port":8888,"label":"http"},{"id":2}]},
			{"id":5,"organization":4,"task":2,"node":{"id":16},"ports":[]}]`),
		get("viewer", "1/result?page=2&per_page=2&include=metadata", 200, `{"data":[{"id":3}],"links":{"last":"/api/task/1/result?page=2&per_page=2&include=metadata"}}`),
		get("viewer", "3/result", 401, denied),
		get("root", "3/result", 200, `[]`),
		get("root", "5/result", 200, `[{"id":8,"node":{}}]`),
		get("viewer", "99/result", 404, `{"msg":"Task id=99 not found"}`),
		get("noperm", "1/result", 401, denied),
		get("node_iknl_z", "1/result", 403, ""),
		get("container", "4/result", 200, `[{"id":6},{"id":7}]`),
		get("container", "2/result", 401, denied),
	)
}

func patch(as, id, body string, want int, has string, events ...string) row {
	return row{as: as, method: "PATCH", path: "/result/" + id, body: body, want: want, has: has, events: events}
}

func TestChangeResult(t *testing.T) {
	b := newBed(t)
	b.addTasks()
	const news = `collaboration_1 status_update {"result_id":1}`
	b.run(
		patch("node_iknl_z", "99", `{`, 404, `{"msg":"Result id=99 not found!"}`),
		patch("node_small_z", "1", `{`, 401, `{"msg":"This is not your result to PATCH!"}`),
		patch("node_iknl_p", "1", `{}`, 401, `{"msg":"This is not your result to PATCH!"}`), // the same organization in another collaboration
		patch("researcher", "1", `{}`, 403, ""),
		patch("container", "1", `{}`, 403, ""),
		patch("node_iknl_p", "4", `{`, 400, `{"msg":"Cannot update an already finished result!"}`),
		patch("node_iknl_z", "1", `{`, 400, `{"message":"*"}`),
		patch("node_iknl_z", "1", ``, 400, ""),
		patch("node_iknl_z", "1", `{"started_at":"yesterday"}`, 400, ""),
		patch("node_iknl_z", "1", `{"started_at":5}`, 400, ""),
		patch("node_iknl_z", "1", `{"finished_at":"0000-01-01T00:00:00"}`, 400, ""),
		patch("node_iknl_z", "1", `{"finished_at":"9999-12-31T23:00:00-12:00"}`, 400, ""),
		patch("node_iknl_z", "1", `{"status":7}`, 400, ""),
		patch("node_iknl_z", "1", `{"result":{"a":1}}`, 400, ""),
		patch("node_iknl_z", "1", `{"log":["x"]}`, 400, ""),
		// nothing said is nothing changed, but it is news
		patch("node_iknl_z", "1", `{}`, 200, `{"id":1,"status":"pending","started_at":null,"input":"aW4="}`, news),
		patch("node_iknl_z", "1", `{"started_at":"2026-01-02T03:04:05.678901"}`, 200,
			`{"started_at":"2026-01-02T03:04:05.678901+00:00","status":"pending","finished_at":null,"organization":{"id":2},"task":{"id":1,"link":"/api/task/1"}}`, news),
		patch("node_iknl_z", "1", `{"status":"initializing"}`, 200, `{"status":"initializing","started_at":"2026-01-02T03:04:05.678901+00:00"}`, news),
		patch("node_iknl_z", "1", `{"status":null,"started_at":null,"finished_at":"","result":null,"log":null}`, 200, `{"status":"initializing","finished_at":null}`, news),
		patch("node_iknl_z", "1", `{"started_at":"2026-01-02T03:04:05"}`, 200, `{"started_at":"2026-01-02T03:04:05+00:00"}`, news),
		patch("node_iknl_z", "1", `{"started_at":"2026-01-02T05:04:05.5+02:00"}`, 200, `{"started_at":"2026-01-02T03:04:05.500000+00:00"}`, news),
		patch("node_iknl_z", "1", `{"started_at":"2026-01-02T03:04:05Z"}`, 200, `{"started_at":"2026-01-02T03:04:05+00:00"}`, news),
		patch("node_iknl_z", "1", `{"status":"some other word"}`, 200, `{"status":"some other word"}`, news),
		patch("node_iknl_z", "1", `{"log":"first"}`, 200, `{"log":"first","result":null,"input":"aW4="}`, news),
		patch("node_iknl_z", "1", `{"result":"b3V0"}`, 200, `{"log":"first","result":"b3V0","input":"aW4="}`, news),
		patch("node_iknl_z", "1", `{"status":"completed","log":"last","finished_at":"2026-01-02T04:00:00.000001"}`, 200,
			`{"status":"completed","log":"last","result":"b3V0","finished_at":"2026-01-02T04:00:00.000001+00:00"}`, news),
		patch("node_iknl_z", "1", `{"status":"active"}`, 400, `{"msg":"Cannot update an already finished result!"}`),
		patch("node_iknl_z", "1", `{`, 400, `{"msg":"Cannot update an already finished result!"}`),
		row{as: "root", method: "GET", path: "/result/1", want: 200, has: `{"status":"completed","log":"last","result":"b3V0","input":"aW4="}`},
		// an organization that left has nothing to say any more
		row{as: "root", method: "DELETE", path: "/collaboration/1/organization", body: `{"id":3}`, want: 200},
		patch("node_small_z", "2", `{"status":"active"}`, 401, `{"msg":"This is not your result to PATCH!"}`),
	)
}

// TestOldNodesFinishWithoutAStatus is about /docs/results#life.
func TestOldNodesFinishWithoutAStatus(t *testing.T) {
	for before, after := range map[string]string{
		"pending": `"completed"`, "initializing": `"completed"`, "active": `"completed"`, "failed": `"failed"`, "start failed": `"start failed"`, "": `""`,
	} {
		t.Run("from "+before, func(t *testing.T) {
			b := newBed(t)
			b.change(t, `UPDATE result SET status = '`+before+`' WHERE id = 1`)
			b.run(
				patch("node_iknl_z", "1", `{"started_at":"2026-01-01T00:00:00.1"}`, 200, `{"status":"`+before+`"}`, `collaboration_1 status_update {"result_id":1}`),
				patch("node_iknl_z", "1", `{"result":"b3V0","log":"","finished_at":"2026-01-02T00:00:00.1"}`, 200, `{"status":`+after+`,"log":""}`,
					`collaboration_1 status_update {"result_id":1}`),
			)
		})
	}
	b := newBed(t)
	b.change(t, `UPDATE result SET status = NULL WHERE id = 1`)
	b.run(patch("node_iknl_z", "1", `{"finished_at":"2026-01-02T00:00:00.1"}`, 200, `{"status":null}`, `collaboration_1 status_update {"result_id":1}`))
}

// TestOneEndCounts finishes a result several times at once.
func TestOneEndCounts(t *testing.T) {
	b := newBed(t)
	var codes [6]int
	var all sync.WaitGroup
	for i := range codes {
		all.Go(func() {
			codes[i] = b.send(t, patch("node_iknl_z", "1", fmt.Sprintf(`{"log":"%d","finished_at":"2026-01-02T00:00:00"}`, i), 0, "")).Code
		})
	}
	all.Wait()
	fine := 0
	for _, c := range codes {
		if c == 200 {
			fine++
		} else if c != 400 {
			t.Errorf("got %d", c)
		}
	}
	if fine != 1 {
		t.Errorf("%d ends were taken: %v", fine, codes)
	}
}

// opaques are texts that a server might be tempted to look into.
func opaques() map[string]string {
	return map[string]string{
		"a pickle":            base64.StdEncoding.EncodeToString([]byte("\x80\x04\x95\x1f\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x8c\x06system\x93\x94\x8c\x02id\x85R.")),
		"a bare pickle":       "cposix\nsystem\n(S'id'\ntR.",
		"a YAML tag":          "!!python/object/apply:os.system ['id']",
		"HTML":                `<script>alert("x")</script>&amp;<img src=x onerror='y'>`,
		"bytes in base64":     base64.StdEncoding.EncodeToString([]byte{0xff, 0xfe, 0x00, 0xc3, 0x28, 0xed, 0xa0, 0x80}),
		"control characters":  everyControl(),
		"R's last word":       "done\x00",
		"no ASCII":            "é\u2028\u2029\ufeff\ufffd𝒳👩‍🔬\u202e",
		"JSON":                `{"a": 1, "b": [null, 1.50, "\u00e9"]}`,
		"escapes":             `\u0000 \ud800 \\ \/ \n`,
		"a template":          `{{7*7}} ${7*7} %s %(x)s`,
		"SQL":                 `'; DROP TABLE task; --`,
		"white space":         "  \n\t ",
		"a date":              "2026-01-02T03:04:05",
		"a number":            "1e400",
		"nearly encrypted":    "YWI=$YWI=",
		"nearly encrypted, 4": "YWI=$YWI=$YWI=$YWI=",
	}
}

// everyControl returns all control characters, each between two letters.
func everyControl() string {
	var s strings.Builder
	for r := range rune(0xa0) {
		if unicode.IsControl(r) {
			s.WriteString("a" + string(r))
		}
	}
	return s.String() + "b"
}

// TestAdvisory_T04_TextsAreOpaque sends inputs, results and logs of every kind and
// compares what comes back, everywhere where it does.
func TestAdvisory_T04_TextsAreOpaque(t *testing.T) {
	b := newBed(t)
	for name, text := range opaques() {
		t.Run(name, func(t *testing.T) {
			body, _ := json.Marshal(map[string]any{"collaboration_id": 1, "organizations": []any{map[string]any{"id": 2, "input": text}}})
			var task struct {
				Results []struct{ ID int }
			}
			got(t, b.send(t, row{as: "researcher", method: "POST", path: "/task", body: string(body)}), &task)
			result := fmt.Sprintf("/result/%d", task.Results[0].ID)
			body, _ = json.Marshal(map[string]any{"result": text, "log": text, "finished_at": "2026-01-01T00:00:00"})
			var r resultJSON
			same := func(from string, has resultJSON) {
				for what, v := range map[string]any{"input": has.Input, "result": has.Result, "log": has.Log} {
					if v != text {
						t.Errorf("%s from %s is %q, not %q", what, from, v, text)
					}
				}
			}
			got(t, b.send(t, row{as: "node_iknl_z", method: "PATCH", path: result, body: string(body)}), &r)
			same("PATCH", r)
			got(t, b.send(t, row{as: "root", method: "GET", path: result}), &r)
			same("GET", r)
			var list []resultJSON
			got(t, b.send(t, row{as: "root", method: "GET", path: "/result?page=1&per_page=1"}), &list)
			same("the list", list[0])
			var full struct{ Results []resultJSON }
			got(t, b.send(t, row{as: "root", method: "GET", path: fmt.Sprintf("/task?include=results&result_id=%d", task.Results[0].ID) + "&page=1&per_page=1"}), &[]any{&full})
			same("the task", full.Results[0])
		})
	}
}

// TestAdvisory_T04_HalvesComeBackAsTheirEscapes: half of a surrogate pair is no
// character, and still what a program may have written.
func TestAdvisory_T04_HalvesComeBackAsTheirEscapes(t *testing.T) {
	b := newBed(t)
	for _, text := range []string{`\ud800`, `\udfff`, `\udc00\ud800`, `x\ud83dy\ude00`, `\u0000\ud800\"\\\\u0041`, `\ud83d\ud83d`, `\\\\ud800\udbff`} {
		for _, r := range []row{
			post("researcher", `{"collaboration_id":1,"organizations":[{"id":2,"input":"`+text+`"}]}`, 201, ""),
			patch("node_iknl_z", "1", `{"result":"`+text+`","log":"`+text+`"}`, 200, ""),
		} {
			if reply := b.send(t, r); reply.Code != r.want {
				t.Errorf("%s %s with %s: %d %s", r.method, r.path, text, reply.Code, reply.Body)
			}
		}
		reply := b.send(t, row{as: "root", method: "GET", path: "/result?task_id=1&organization_id=2"}).Body.String()
		for _, field := range []string{"result", "log"} {
			if !strings.Contains(reply, `"`+field+`":"`+text+`"`) {
				t.Errorf("%s came back as %s", text, reply)
			}
		}
		reply = b.send(t, row{as: "root", method: "GET", path: "/result?page=1&per_page=1"}).Body.String()
		if !strings.Contains(reply, `"input":"`+text+`"`) {
			t.Errorf("input %s came back as %s", text, reply)
		}
	}
	pair := post("researcher", `{"collaboration_id":1,"organizations":[{"id":2,"input":"\ud83d\ude00"}]}`, 201, "")
	b.send(t, pair)
	b.run(row{as: "root", method: "GET", path: "/result?page=1&per_page=1", want: 200, has: `[{"input":"😀"}]`})
}

// TestTextsThatAreNoneAreRefused sends bytes that are no UTF-8 to every field of every
// route, and halves of surrogate pairs to every field that is neither input, result nor log.
func TestTextsThatAreNoneAreRefused(t *testing.T) {
	b, _ := newVPNBed(t)
	before := b.state(t)
	for _, r := range b.s.routes() {
		var fields map[string]json.RawMessage
		if sane[r.method+" "+r.path] == "" {
			continue
		}
		if err := json.Unmarshal([]byte(sane[r.method+" "+r.path]), &fields); err != nil {
			t.Fatal(err)
		}
		path := strings.NewReplacer(":rule_id", "2", ":id", "2").Replace(r.path)
		switch {
		case r.path == "/node/:id":
			path = "/node/12"
		case r.path == "/role/:id":
			path = "/role/8"
		case r.path == "/result/:id":
			path = "/result/1"
		}
		for name, good := range fields {
			for _, bad := range []string{"\xff", "J\xfcrgen", "\xed\xa0\x80", "\xc0\x80", `x\ud800`, `\udc00\ud800`} {
				opaque := r.path == "/result/:id" && (name == "result" || name == "log")
				if strings.Contains(bad, `\`) && (opaque || good[0] != '"' || name == "mfa_code") {
					continue
				}
				sent := strings.Replace(sane[r.method+" "+r.path], `"`+name+`": `, `"`+name+`": "`+bad+`", "was": `, 1)
				reply := b.send(t, row{as: callerOf(r), method: r.method, path: path, body: sent})
				named := r.who != anyone || !utf8.ValidString(sent) // a log-in has one text for all that is missing
				if reply.Code != http.StatusBadRequest || named && !strings.Contains(reply.Body.String(), name) {
					t.Errorf("%s %s with %q in %s: %d %s", r.method, r.path, bad, name, reply.Code, reply.Body)
				}
				if strings.Contains(reply.Body.String(), "\ufffd") {
					t.Errorf("%s %s with %q in %s: %s", r.method, r.path, bad, name, reply.Body)
				}
			}
		}
	}
	b.run(
		post("researcher", "{\"collaboration_id\":1,\"organizations\":[{\"id\":2,\"input\":\"\xe9\"}]}", 400, `{"msg":"organizations: has bytes that are no UTF-8"}`),
		post("researcher", "{\"collaboration_id\":1,\"organizations\":[{\"id\":2,\"input\":{\"a\":\"\xe9\"}}]}", 400, `{"msg":"organizations: has bytes that are no UTF-8"}`),
		post("researcher", "{\"collaboration_id\":1,\"organizations\":[{\"id\":2}],\"na\xe9\":1}", 400, `{"msg":"The JSON body has bytes that are no UTF-8"}`),
		row{as: "root", method: "GET", path: "/user?username=J%FCrgen", want: 400, has: `{"msg":"username has bytes that are no UTF-8"}`},
		row{as: "root", method: "GET", path: "/result?state=%FF", want: 400, has: `{"msg":"state has bytes that are no UTF-8"}`},
		row{as: "root", method: "GET", path: "/node?x%FF=1", want: 400},
		row{as: "root", method: "GET", path: "/organization", header: map[string]string{"X-Forwarded-For": "10.0.0.\xb9"}, want: 400, has: `{"msg":"The header X-Forwarded-For has bytes that are no UTF-8"}`},
		row{method: "GET", path: "/organization", header: map[string]string{"Authorization": "Bearer \xff"}, want: 400},
	)
	if after := b.state(t); after != before {
		t.Errorf("something was written: %s, before %s", after, before)
	}
}

// TestLargeTextsPass sends more than other routes take.
func TestLargeTextsPass(t *testing.T) {
	b := newBed(t)
	text := strings.Repeat("QUJD", 4<<20)
	var r resultJSON
	got(t, b.send(t, patch("node_iknl_z", "1", `{"result":"`+text+`"}`, 200, "")), &r)
	if r.Result != text {
		t.Error("a large result changed on its way")
	}
	reply := b.send(t, post("researcher", `{"collaboration_id":1,"organizations":[{"id":2,"input":"`+text+`"}]}`, 201, ""))
	if reply.Code != 201 {
		t.Errorf("a large input: %d %.200s", reply.Code, reply.Body)
	}
}

// TestAdvisory_T12_FormsFitTheCollaboration sends plain and encrypted forms into both
// kinds of collaboration, from users, containers and nodes.
func TestAdvisory_T12_FormsFitTheCollaboration(t *testing.T) {
	const key = "QUJDRA==$QUJDRA==$"
	forms := []struct {
		text      string
		encrypted bool
	}{
		{key + "QUJD", true}, {key, true}, {"QQ==$QQ==$QUI=", true}, {"QUJD$+/+/$QUJD", true},
		{"QUJD", false}, {"hello", false}, {"$$", false}, {"$$QUJD", false}, {"QUJD$$QUJD", false}, {key + "QUJ", false}, {key + "QUJD$", false},
		{"QUJD$QUJD", false}, {key + "QU_D", false}, {key + "QUJD\n", false}, {" " + key, false}, {key + "QU==JD==", false}, {key + "Q===", false},
		{key + "====", false}, {`{"a": 1}`, false},
	}
	for _, encrypted := range []bool{true, false} {
		b := newBed(t)
		b.change(t, fmt.Sprintf(`UPDATE collaboration SET encrypted = %v WHERE id = 1`, encrypted))
		for _, f := range forms {
			text, _ := json.Marshal(f.text)
			body := fmt.Sprintf(`{"collaboration_id":1,"image":"hello-world","organizations":[{"id":3,"input":null},{"id":2,"input":%s}]}`, text)
			before := b.state(t)
			for _, r := range []row{
				{as: "researcher", method: "POST", path: "/task", body: body, want: 201},
				{as: "container", method: "POST", path: "/task", body: body, want: 201},
				patch("node_iknl_z", "1", fmt.Sprintf(`{"result":%s,"log":"plain","status":"active"}`, text), 200, ""),
			} {
				if f.encrypted != encrypted {
					r.want = 400
				}
				if reply := b.send(t, r); reply.Code != r.want {
					t.Errorf("%s %s as %s, encrypted %v, %q: %d %s", r.method, r.path, r.as, encrypted, f.text, reply.Code, reply.Body)
				}
				if r.want == 400 && (len(b.sent) > 0 || b.state(t) != before) {
					t.Errorf("%s as %s left something of %q", r.path, r.as, f.text)
				}
			}
		}
		b.change(t, `UPDATE result SET finished_at = NULL WHERE id = 1`)
		for _, body := range []string{`{"result":""}`, `{"result":null}`, `{"log":"QUJD"}`} {
			if reply := b.send(t, patch("node_iknl_z", "1", body, 200, "")); reply.Code != 200 {
				t.Errorf("%s, encrypted %v: %d %s", body, encrypted, reply.Code, reply.Body)
			}
		}
		for _, input := range []string{`""`, `null`} {
			if reply := b.send(t, post("researcher", `{"collaboration_id":1,"organizations":[{"id":2,"input":`+input+`}]}`, 201, "")); reply.Code != 201 {
				t.Errorf("input %s, encrypted %v: %d %s", input, encrypted, reply.Code, reply.Body)
			}
		}
	}
	b := newBed(t)
	b.run(
		row{as: "root", method: "PATCH", path: "/collaboration/1", body: `{"encrypted":true}`, want: 200},
		post("researcher", `{"collaboration_id":1,"organizations":[{"id":2,"input":{"a":1}}]}`, 400, ""),
		patch("node_iknl_z", "1", `{"result":"b3V0","finished_at":"2026-01-01T00:00:00"}`, 400, ""), // what still runs in the other form
	)
}
