package handlers

import (
	"fmt"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"vserver/queries"
	"vserver/service/promise"
)

// addMany puts 1,300 tasks with a result each into the collaborations 1 to 3, by turns.
func (b *bed) addMany() {
	b.Helper()
	const numbers = `WITH RECURSIVE n (i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i <= 1300) `
	b.change(b.T,
		`INSERT INTO task (id, name, collaboration_id, run_id, initiator_id) `+numbers+`SELECT i, 'many', 1 + i % 3, i, 4 FROM n`,
		`INSERT INTO result (id, task_id, organization_id, status) `+numbers+`SELECT i + 2, i, 4, 'pending' FROM n`,
		`INSERT INTO payload (result_id, input) `+numbers+`SELECT i + 2, `+b.octets("aW4=")+` FROM n`)
}

// TestLongListsComeInParts reads lists that are longer than what is held at once.
func TestLongListsComeInParts(t *testing.T) {
	b := newBed(t)
	b.addMany()
	for _, c := range []struct {
		as, path string
		rows     int
		up       bool // oldest first
	}{
		{as: "root", path: "/task?x=1", rows: 1301},
		{as: "viewer_big", path: "/task?x=1", rows: 1301},
		{as: "viewer_big", path: "/task?page=1&per_page=1250", rows: 1250},
		{as: "viewer_big", path: "/task?page=2&per_page=650", rows: 650},
		{as: "viewer", path: "/task?name=many", rows: 866},
		{as: "node_big_z", path: "/task?include=results", rows: 434},
		{as: "root", path: "/collaboration/1/task?x=1", rows: 434, up: true},
		{as: "root", path: "/collaboration/1/task?page=1&per_page=1000", rows: 434, up: true},
		{as: "root", path: "/result?x=1", rows: 1303},
		{as: "viewer_big", path: "/result?include=task", rows: 1303},
		{as: "viewer_big", path: "/result?organization_id=4", rows: 1301},
		{as: "node_big_p", path: "/result?state=open&node_id=16", rows: 433},
	} {
		reply := b.send(t, row{as: c.as, method: "GET", path: c.path})
		var rows []map[string]any
		got(t, reply, &rows)
		if len(rows) != c.rows {
			t.Errorf("%s as %s: %d rows, want %d", c.path, c.as, len(rows), c.rows)
		}
		for i := 1; i < len(rows); i++ {
			if after := rows[i]["id"].(float64) > rows[i-1]["id"].(float64); after != c.up {
				t.Errorf("%s as %s: %v after %v", c.path, c.as, rows[i]["id"], rows[i-1]["id"])
			}
		}
		if total := reply.Header()["total-count"][0]; !strings.Contains(c.path, "per_page") && total != fmt.Sprint(c.rows) {
			t.Errorf("%s as %s: total-count %s", c.path, c.as, total)
		}
		if ct := reply.Header().Get("Content-Type"); ct != "application/json" {
			t.Errorf("%s: content type %q", c.path, ct)
		}
		if whole := reply.Header().Get("Content-Length") != ""; whole != (c.rows < 500 && !strings.Contains(c.path, "results")) {
			t.Errorf("%s as %s: sent at once is %v", c.path, c.as, whole)
		}
	}
	b.run(
		row{as: "root", method: "GET", path: "/task?include=metadata&status=none", want: 200, has: `{"data":[]}`},
		row{as: "root", method: "HEAD", path: "/task", want: 200},
	)
	var envelope struct {
		Data  []map[string]any
		Links map[string]string
	}
	got(t, b.send(t, row{as: "root", method: "GET", path: "/task?include=metadata&include=results&page=1&per_page=700"}), &envelope)
	if len(envelope.Data) != 700 || envelope.Links["next"] == "" || len(envelope.Data[650]["results"].([]any)) != 1 {
		t.Errorf("the envelope holds %d rows, links %v", len(envelope.Data), envelope.Links)
	}
}

// TestNamesFromPagesMakeTheSameLists reads lists that are filtered by name, before the names are in pages and afterwards,
// with some that have changed since.
func TestNamesFromPagesMakeTheSameLists(t *testing.T) {
	b := newBed(t)
	b.addMany()
	b.change(t, `UPDATE task SET name = 'Other ' || id WHERE id % 4 = 0`)
	callers := []string{"viewer_big", "node_big_z"}
	if promise.Long() {
		callers = append(callers, "root", "viewer")
	}
	read := func() (answers []string) {
		for _, as := range callers {
			for _, query := range []string{
				"name=many", "name=%25AN%25", "name=%25", "name=other%201_%25&page=1&per_page=10", "name=other%25&page=3&per_page=50", "name=%25y&collaboration_id=2&page=1",
				"name=other%25&include=results", "name=none", "name=many&page=900", "name=many&page=1&include=metadata", "name=many%5C", "name=other%25&run_id=8",
			} {
				reply := b.send(t, row{as: as, method: "GET", path: "/task?" + query})
				answers = append(answers, fmt.Sprint(as, " ", query, " ", reply.Code, reply.Header()["total-count"], reply.Header()["Link"], reply.Body))
			}
		}
		return answers
	}
	same := func(want []string) {
		t.Helper()
		for i, got := range read() {
			if got != want[i] {
				t.Errorf("from pages:\n%.900s\nelse:\n%.900s", got, want[i])
			}
		}
	}
	before := read()
	if err := b.db.WriteNames(t.Context(), queries.NamePaging{Size: 100, Behind: 50}); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := b.db.FindNamed(t.Context(), queries.NameSearch{Pattern: "many", Limit: 10}); !ok || err != nil {
		t.Fatal("there are no pages", err)
	}
	same(before)
	b.change(t, `UPDATE task SET name = 'changed' WHERE id % 5 = 0`, `UPDATE task SET name = 'many' WHERE id % 10 = 0`, `DELETE FROM task WHERE id % 7 = 0`)
	changed := read()
	b.change(t, `DELETE FROM name_page`)
	same(changed)
}

// TestTasksWithinResultsAreWhatTheyAreAlone: what is told of a task beside an open result is what its own route tells, whether
// other results of it have ended, or tasks lie below it, or not.
func TestTasksWithinResultsAreWhatTheyAreAlone(t *testing.T) {
	b := newBed(t)
	b.addMany()
	b.change(t,
		`INSERT INTO result (id, task_id, organization_id, status) SELECT 5000 + id, id, 3, 'pending' FROM task WHERE id < 400`,
		`UPDATE result SET finished_at = '2026-02-03T04:05:06.000000Z', status = 'completed' WHERE id % 3 = 0`,
		`UPDATE task SET parent_id = 7 WHERE id IN (300, 301, 1200)`, `UPDATE task SET parent_id = 9 WHERE id = 302`,
		`DELETE FROM node WHERE id = (SELECT MAX(id) FROM node)`)
	for _, path := range []string{"/result?include=task", "/result?include=task&state=open", "/result?include=task&page=2&per_page=40"} {
		var rows []map[string]any
		got(t, b.send(t, row{as: "root", method: "GET", path: path}), &rows)
		for i := range rows {
			if i%37 != 0 && i > 20 {
				continue
			}
			within := rows[i]["task"].(map[string]any)
			var alone, result map[string]any
			got(t, b.send(t, row{as: "root", method: "GET", path: fmt.Sprint("/task/", within["id"])}), &alone)
			delete(alone, "results")
			if !reflect.DeepEqual(within, alone) {
				t.Errorf("%s: task %v, alone %v", path, within, alone)
			}
			got(t, b.send(t, row{as: "root", method: "GET", path: fmt.Sprint("/result/", rows[i]["id"])}), &result)
			if !reflect.DeepEqual(rows[i]["node"], result["node"]) {
				t.Errorf("%s: node %v, alone %v", path, rows[i]["node"], result["node"])
			}
		}
	}
}

// TestLargeResultsComeInParts reads results that are far larger than what is held at once:
// their exact length is known all the same.
func TestLargeResultsComeInParts(t *testing.T) {
	b := newBed(t)
	large := strings.Repeat("QUJD", 1<<19)
	for i := 1; i <= 3; i++ {
		if reply := b.send(t, patch(fixtureNodes[i-1].name, fmt.Sprint(i), `{"result":"`+large+`","log":"x"}`, 200, "")); reply.Code != http.StatusOK {
			t.Fatal(reply.Code)
		}
	}
	for _, path := range []string{"/result", "/task/1/result", "/result?page=1&per_page=3"} {
		reply := b.send(t, row{as: "root", method: "GET", path: path})
		var rows []resultJSON
		got(t, reply, &rows)
		for _, r := range rows {
			if r.Result != large || r.Log != "x" || r.Input != "aW4=" {
				t.Errorf("%s: result %d changed on its way", path, r.ID)
			}
		}
		length := reply.Header().Get("Content-Length")
		if len(rows) != 3 || reply.Header()["total-count"][0] != "3" || length != strconv.Itoa(reply.Body.Len()) {
			t.Errorf("%s: %d rows, %d bytes, headers %v", path, len(rows), reply.Body.Len(), reply.Header())
		}
	}
}
