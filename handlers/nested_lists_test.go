package handlers

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// nestedCallers are people of the fixture, and sets of rules that no role has; those
// are held by user noperm.
var nestedCallers = []struct {
	as    string
	rules []int64
}{
	{as: "root"},
	{as: "admin"},
	{as: "viewer"},
	{as: "researcher"},
	{as: "orgadmin"},
	{as: "colladmin"},
	{as: "researcher_small"},
	{as: "viewer_big"},
	{as: "node_iknl_z"},
	{as: "node_iknl_p"},
	{as: "node_small_s"},
	{as: "container"},
	{as: "container:13"},
	{"noperm", nil},
	{"noperm", []int64{9}},          // every collaboration, nothing in it
	{"noperm", []int64{9, 15}},      // and the own organization
	{"noperm", []int64{9, 16}},      // and its partners
	{"noperm", []int64{9, 2}},       // and the own nodes
	{"noperm", []int64{9, 1, 14}},   // and all of both
	{"noperm", []int64{10, 14}},     // own collaborations, every organization
	{"noperm", []int64{10, 1}},      // own collaborations, every node
	{"noperm", []int64{1}},          // nodes without collaborations
	{"noperm", []int64{10, 20, 27}}, // every task, own results
	{"noperm", []int64{9, 21, 26}},  // own tasks, every result
	{"noperm", []int64{26}},
	{"noperm", []int64{20}},
	{"noperm", []int64{21}},
	{"noperm", []int64{39}},
	{"noperm", []int64{38}},
}

// TestAdvisory_T07_NestedRoutesShowNoMore takes every nested list of the route table
// and compares, for each kind of caller, its rows with what the caller gets directly.
func TestAdvisory_T07_NestedRoutesShowNoMore(t *testing.T) {
	b := newBed(t)
	b.change(t,
		`INSERT INTO organization (name) VALUES ('outside')`,
		`INSERT INTO task (name, collaboration_id, run_id, initiator_id) VALUES ('second', 2, 2, 2), ('third', 3, 3, 4)`,
		`INSERT INTO result (task_id, organization_id) VALUES (2, 4), (3, 3)`,
	)
	shown := map[string]int{}
	for _, c := range nestedCallers {
		b.hold(t, c.rules...)
		for _, r := range b.s.routes() {
			parts := strings.Split(strings.TrimPrefix(r.path, "/"), "/")
			if r.method != http.MethodGet || len(parts) != 3 || parts[1] != ":id" {
				continue
			}
			for id := 1; id <= 8; id++ {
				path := fmt.Sprintf("/%s/%d/%s", parts[0], id, parts[2])
				reply := b.send(t, row{as: c.as, method: r.method, path: path})
				if reply.Code != http.StatusOK || reply.Body.Bytes()[0] != '[' {
					continue // refused, or no list
				}
				shown[r.path] += b.isDirect(t, c.as, path, parts[2], reply.Body.Bytes())
			}
		}
	}
	for _, path := range []string{
		"/organization/:id/collaboration", "/organization/:id/node", "/collaboration/:id/organization", "/collaboration/:id/node",
		"/collaboration/:id/task", "/task/:id/result", "/role/:id/rule",
	} {
		if shown[path] < 20 {
			t.Errorf("%s showed only %d rows to all callers together", path, shown[path])
		}
	}
}

// TestAdvisory_T07_ChangesShowNoMore does the same with the lists that changes of a
// collaboration answer with.
func TestAdvisory_T07_ChangesShowNoMore(t *testing.T) {
	b := newBed(t)
	for _, views := range [][]int64{nil, {15}, {16}, {14}, {2}, {1}, {10}, {9, 14, 1}} {
		b.hold(t, slices.Concat([]int64{11, 13}, views)...)
		for _, r := range []row{
			{method: "POST", path: "/collaboration/3/organization", body: `{"id":1}`},
			{method: "DELETE", path: "/collaboration/3/organization", body: `{"id":1}`},
			{method: "DELETE", path: "/collaboration/1/node", body: `{"id":12}`},
			{method: "POST", path: "/collaboration/1/node", body: `{"id":12}`},
		} {
			r.as = "noperm"
			reply := b.send(t, r)
			if reply.Code >= 300 {
				t.Fatalf("%s %s: %d %s", r.method, r.path, reply.Code, reply.Body)
			}
			if reply.Body.Bytes()[0] == '[' {
				kind := r.path[strings.LastIndexByte(r.path, '/')+1:]
				b.isDirect(t, r.as, r.method+" "+r.path, kind, reply.Body.Bytes())
			}
		}
	}
}

// hold gives user noperm these rules and no other.
func (b *bed) hold(t *testing.T, rules ...int64) {
	t.Helper()
	b.change(t, `DELETE FROM user_rule WHERE user_id = 9`)
	b.grant("noperm", rules...)
}

// isDirect checks that every row of a list is one that its reader may get by itself,
// with nothing in it that it would not have there. It returns the number of rows.
func (b *bed) isDirect(t *testing.T, as, path, kind string, list []byte) int {
	t.Helper()
	var rows []map[string]any
	if err := json.Unmarshal(list, &rows); err != nil {
		t.Fatalf("%s: %v: %s", path, err, list)
	}
	for _, nested := range rows {
		reply := b.send(t, row{as: as, method: "GET", path: fmt.Sprintf("/%s/%v", kind, nested["id"])})
		if reply.Code != http.StatusOK {
			t.Errorf("%s sees %s %v in %s, but directly gets %d", as, kind, nested["id"], path, reply.Code)
			continue
		}
		var direct map[string]any
		if err := json.Unmarshal(reply.Body.Bytes(), &direct); err != nil {
			t.Fatal(err)
		}
		for _, key := range slices.Sorted(maps.Keys(nested)) {
			if v, ok := direct[key]; !ok || !noMore(nested[key], v) {
				t.Errorf("%s of %s %v in %s is %v, directly %v", key, kind, nested["id"], path, nested[key], v)
			}
		}
	}
	return len(rows)
}

// noMore reports whether a nested value says nothing beyond the direct one: it is the
// same, or plain ids in place of objects.
func noMore(nested, direct any) bool {
	switch n := nested.(type) {
	case float64:
		if d, ok := direct.(map[string]any); ok {
			return d["id"] == n
		}
	case []any:
		d, ok := direct.([]any)
		return ok && len(d) == len(n) && (len(n) == 0 || reflect.DeepEqual(n, d) || reflect.TypeOf(n[0]).Kind() == reflect.Float64)
	}
	return reflect.DeepEqual(nested, direct)
}
