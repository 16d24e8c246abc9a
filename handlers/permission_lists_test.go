package handlers

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"vserver/service/core"
)

// listing is one list as one caller, with the ids that it has to show.
type listing struct {
	path, kind string
	route      string // its key in oracle
	parent     int64
	ids        []int64
}

// listsOf are the lists of the route table with what they hold, by the pages of the
// documentation: what the caller may get directly, and no more (/docs/permissions#nested).
func (w *world) listsOf(c caller) []listing {
	var all []listing
	for _, kind := range slices.Sorted(maps.Keys(objects)) {
		all = append(all, listing{path: "/" + kind, kind: kind, route: "GET /" + kind, ids: w.visible(c, kind, w.all(kind))})
	}
	below := func(parent, kind string, of func(id int64) []int64) {
		for _, id := range w.all(parent) {
			all = append(all, listing{
				path: fmt.Sprintf("/%s/%d/%s", parent, id, kind), kind: kind, route: "GET /" + parent + "/:id/" + kind,
				parent: id, ids: w.visible(c, kind, of(id)),
			})
		}
	}
	below("organization", "collaboration", func(id int64) []int64 { return pick(w.members, func(m []int64) bool { return slices.Contains(m, id) }) })
	below("organization", "node", func(id int64) []int64 { return pick(w.nodes, func(n worldNode) bool { return n.organization == id }) })
	below("collaboration", "organization", func(id int64) []int64 { return w.members[id] })
	below("collaboration", "node", func(id int64) []int64 { return pick(w.nodes, func(n worldNode) bool { return n.collaboration == id }) })
	below("collaboration", "task", func(id int64) []int64 { return pick(w.tasks, func(t worldTask) bool { return t.collaboration == id }) })
	below("task", "result", func(id int64) []int64 { return pick(w.results, func(r worldPiece) bool { return r.task == id }) })
	below("role", "rule", func(id int64) []int64 { return w.roles[id].rules })
	return all
}

// all are the ids of a kind.
func (w *world) all(kind string) []int64 {
	var ids []int64
	for id := int64(1); id < 200; id++ {
		if w.exists(kind, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// visible leaves those that the caller may get directly.
func (w *world) visible(c caller, kind string, ids []int64) []int64 {
	a := oracle["GET /"+kind+"/:id"]
	seen := []int64{}
	for _, id := range ids {
		if w.expects(a, c, id, 0) == a.good {
			seen = append(seen, id)
		}
	}
	slices.Sort(seen)
	return seen
}

// pick returns the keys of values that fit.
func pick[V any](all map[int64]V, fits func(V) bool) []int64 {
	var ids []int64
	for id, v := range all {
		if fits(v) {
			ids = append(ids, id)
		}
	}
	return ids
}

// reading reads as one caller.
type reading struct {
	*matrix
	b      *bed
	c      caller
	direct map[string]bool
}

func (r *reading) get(path string) *httptest.ResponseRecorder {
	q := row{method: "GET", path: path}
	if t := r.token(r.b, r.c); t != "" {
		q.header = map[string]string{"Authorization": "Bearer " + t}
	}
	return r.b.send(r.b.T, q)
}

// may reports whether the caller gets an object by its own route.
func (r *reading) may(kind string, id int64) bool {
	path := fmt.Sprintf("/%s/%d", kind, id)
	ok, known := r.direct[path]
	if !known {
		ok = r.get(path).Code == 200
		r.direct[path] = ok
	}
	return ok
}

// idsIn reads the ids of a list, sorted.
func (r *reading) idsIn(path string, reply *httptest.ResponseRecorder) ([]int64, []map[string]json.RawMessage) {
	var rows []map[string]json.RawMessage
	if err := json.Unmarshal(reply.Body.Bytes(), &rows); err != nil {
		r.b.Fatalf("%s: %v: %.200s", path, err, reply.Body)
	}
	ids := []int64{}
	for _, row := range rows {
		var id int64
		if err := json.Unmarshal(row["id"], &id); err != nil {
			r.b.Fatalf("%s: %v", path, err)
		}
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids, rows
}

// check compares a list with the oracle and with what the caller gets directly. It returns
// the number of rows.
func (r *reading) check(l listing) int {
	want := r.w.expects(oracle[l.route], r.c, l.parent, 0)
	reply := r.get(l.path)
	if reply.Code != want {
		r.b.Errorf("%s as %s: got %d %.200s, want %d", l.path, r.c.name, reply.Code, reply.Body, want)
		return 0
	}
	if reply.Code != 200 {
		return 0
	}
	ids, rows := r.idsIn(l.path, reply)
	if !slices.Equal(ids, l.ids) {
		r.b.Errorf("%s as %s shows %v, not %v", l.path, r.c.name, ids, l.ids)
	}
	if total := reply.Header()["total-count"]; total != nil && total[0] != itoa(int64(len(ids))) {
		r.b.Errorf("%s as %s counts %v, shows %d", l.path, r.c.name, total, len(ids))
	}
	for _, id := range ids {
		if !r.may(l.kind, id) {
			r.b.Errorf("%s as %s shows %s %d, which directly is refused", l.path, r.c.name, l.kind, id)
		}
	}
	if l.parent == 0 && slices.Contains(callersOfRoles, r.c.name) { // the oracle is asked about the others
		for _, id := range r.w.all(l.kind) {
			if !slices.Contains(ids, id) && r.may(l.kind, id) {
				r.b.Errorf("%s as %s lacks %s %d, which directly is shown", l.path, r.c.name, l.kind, id)
			}
		}
	}
	r.checkHolders(l, ids, rows)
	return len(ids)
}

// checkHolders compares the users that a role or rule names with those that the caller may see.
func (r *reading) checkHolders(l listing, ids []int64, rows []map[string]json.RawMessage) {
	if l.kind != "role" && l.kind != "rule" {
		return
	}
	for i, row := range rows {
		var users []struct{ ID int64 }
		if err := json.Unmarshal(row["users"], &users); err != nil {
			r.b.Fatal(err)
		}
		got := []int64{}
		for _, u := range users {
			got = append(got, u.ID)
		}
		want := pick(r.w.users, func(u worldUser) bool {
			return slices.Contains(map[string][]int64{"role": u.roles, "rule": u.rules}[l.kind], ids[i])
		})
		if want = r.w.visible(r.c, "user", want); !slices.Equal(got, want) {
			r.b.Errorf("%s %d as %s names the users %v, not %v", l.kind, ids[i], r.c.name, got, want)
		}
	}
}

// narrowing are the filters of lists by the id of something that the caller may not see.
var narrowing = map[string][]string{
	"organization":  {"collaboration_id"},
	"collaboration": {"organization_id"},
	"node":          {"organization_id", "collaboration_id"},
	"user":          {"organization_id", "role_id", "rule_id"},
	"role":          {"organization_id", "user_id", "rule_id"},
	"task":          {"collaboration_id", "initiator_id", "init_user_id", "parent_id", "run_id", "result_id"},
	"result":        {"task_id", "organization_id", "node_id"},
	"port":          {"result_id", "task_id", "run_id"},
}

// checkFilters asks for lists by ids of everything: none shows what the list as a whole does
// not, nor counts it. It returns the number of rows.
func (r *reading) checkFilters() int {
	shown := 0
	for kind, filters := range narrowing {
		visible := r.w.visible(r.c, kind, r.w.all(kind))
		for _, filter := range filters {
			for _, id := range []int64{1, 2, 3, 4, 5, 9, 12, 22} {
				path := fmt.Sprintf("/%s?%s=%d", kind, filter, id)
				reply := r.get(path)
				if reply.Code != 200 {
					continue
				}
				ids, _ := r.idsIn(path, reply)
				for _, id := range ids {
					if !slices.Contains(visible, id) {
						r.b.Errorf("%s as %s shows %d", path, r.c.name, id)
					}
				}
				if total := reply.Header()["total-count"]; !slices.Equal(total, []string{itoa(int64(len(ids)))}) {
					r.b.Errorf("%s as %s counts %v, shows %d", path, r.c.name, total, len(ids))
				}
				shown += len(ids)
			}
		}
	}
	return shown
}

// checkIncludes looks at the results within tasks and the tasks within results: embedded
// where the caller may get them directly, links elsewhere.
func (r *reading) checkIncludes() (embedded, links int) {
	for _, q := range []struct{ path, field, kind string }{
		{"/task?include=results", "results", "result"}, {"/result?include=task", "task", "task"},
	} {
		reply := r.get(q.path)
		if reply.Code != 200 {
			continue
		}
		for _, o := range inner(r.b.T, reply.Body.Bytes(), q.field) {
			id := int64(o["id"].(float64))
			_, link := o["link"]
			if r.may(q.kind, id) == link {
				r.b.Errorf("%s as %s: %s %d is embedded: %v, and directly the opposite", q.path, r.c.name, q.kind, id, !link)
			}
			if link {
				links++
			} else {
				embedded++
			}
		}
	}
	return embedded, links
}

// TestPermissionLists reads every list as everybody: it shows what the caller may get
// directly, all of it and nothing else.
func TestPermissionLists(t *testing.T) {
	m := newMatrix(t)
	b := newBedOn(t, worldFixture.Copy(t), core.Settings{})
	lists, filtered, rows, embedded, links := 0, 0, map[string]int{}, 0, 0
	callers := slices.Clone(callersOfRoles)
	for _, rules := range worldPairs {
		callers = append(callers, pairName(rules))
	}
	for i, rule := range m.w.rules {
		if strings.HasSuffix(rule, " VIEW") {
			callers = append(callers, fmt.Sprintf("rule_%d", i+1))
		}
	}
	for _, name := range callers {
		r := &reading{m, b, m.w.caller(name), map[string]bool{}}
		for _, l := range m.w.listsOf(r.c) {
			lists++
			rows[l.route] += r.check(l)
		}
		filtered += r.checkFilters()
		e, l := r.checkIncludes()
		embedded, links = embedded+e, links+l
	}
	for route, n := range rows {
		if n < 20 {
			t.Errorf("%s showed only %d rows to all together", route, n)
		}
	}
	if embedded < 50 || links < 20 {
		t.Errorf("only %d embedded objects and %d links", embedded, links)
	}
	if filtered < 1000 {
		t.Errorf("filters showed only %d rows", filtered)
	}
	t.Logf("%d lists with %d rows to %d callers, %d rows by filters, %d embedded objects, %d links in their place",
		lists, sum(rows), len(callers), filtered, embedded, links)
}

func sum(counts map[string]int) int {
	n := 0
	for _, c := range counts {
		n += c
	}
	return n
}
