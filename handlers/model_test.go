package handlers

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"vserver/service/access"
	"vserver/service/promise"
)

// TestReliability_R14_TheServerDoesWhatTheModelDoes makes calls at random and compares every answer with the model's,
// and now and then everything that is stored. VSERVER_SEED repeats the calls of a run that failed.
func TestReliability_R14_TheServerDoesWhatTheModelDoes(t *testing.T) {
	const audit = 1000
	seed, long := uint64(14), promise.Long()
	if long {
		seed = rand.Uint64()
	}
	if s := os.Getenv("VSERVER_SEED"); s != "" {
		var err error
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	m := newModel(t, seed)
	steps := 4_000
	if long {
		steps = 1_000_000
	}
	worked, through := map[string]bool{}, 0
	for i := range steps {
		name, s := m.draw()
		if fault := m.take(s); fault != "" {
			t.Fatalf("step %d of VSERVER_SEED=%d: %s\nafter\n%s", i, seed, fault, strings.Join(m.recent, "\n"))
		}
		if s.want < 300 {
			worked[name] = true
			through++
		}
		if (i+1)%audit == 0 {
			if fault := m.audit(); fault != "" {
				t.Fatalf("audit after step %d of VSERVER_SEED=%d: %s\nafter\n%s", i, seed, fault, strings.Join(m.recent, "\n"))
			}
		}
	}
	if through < steps/4 {
		t.Errorf("only %d of %d calls were let through", through, steps)
	}
	for _, c := range modelCalls() {
		if long && !worked[c.name] {
			t.Errorf("%s was never let through", c.name)
		}
	}
}

// step is one call and what the model says about it.
type step struct {
	as           party
	method, path string
	body         fields
	want         int
	// then does in the model what the call did, and tells in what the reply differs, "" when in nothing. It is not
	// asked when the call is refused.
	then func(answer) string
}

// answer is the reply to a call that was let through.
type answer struct {
	body   any
	header http.Header
}

// object returns the reply as an object, an empty one when it is none.
func (a answer) object() map[string]any {
	o, _ := a.body.(map[string]any)
	return o
}

// id returns the id in an object of a reply.
func id(o any) int64 {
	object, _ := o.(map[string]any)
	n, _ := object["id"].(float64)
	return int64(n)
}

// modelCall makes a kind of step, as often as its weight is of the sum of all.
type modelCall struct {
	name   string
	weight int
	who    access.Kind // whom it is for
	make   func(*model, party) step
}

func (m *model) draw() (string, step) {
	if len(m.next) == 0 && m.rnd.IntN(100) == 0 {
		m.probe()
	}
	if len(m.next) > 0 {
		s := m.next[0]()
		m.next = m.next[1:]
		return "probe", s
	}
	calls := modelCalls()
	sum := 0
	for _, c := range calls {
		sum += c.weight
	}
	n := m.rnd.IntN(sum)
	for _, c := range calls {
		if n -= c.weight; n < 0 {
			p := m.caller()
			for p.kind&c.who == 0 && m.rnd.IntN(8) > 0 {
				p = m.caller()
			}
			return c.name, c.make(m, p)
		}
	}
	panic("the weights changed")
}

// take makes the call of a step and tells what is wrong about its answer.
func (m *model) take(s step) string {
	row := row{method: s.method, path: s.path, header: map[string]string{"Authorization": "Bearer " + s.as.token}}
	if s.body != nil {
		row.body = s.body
	}
	reply := m.send(m.T, row)
	m.remember(s, reply)
	if reply.Code != s.want {
		return fmt.Sprintf("want %d", s.want)
	}
	if s.want >= 300 || s.then == nil {
		return ""
	}
	a := answer{header: reply.Header()}
	if err := json.Unmarshal(reply.Body.Bytes(), &a.body); err != nil {
		return err.Error()
	}
	return s.then(a)
}

// remember keeps the last steps for the report of a failure.
func (m *model) remember(s step, reply *httptest.ResponseRecorder) {
	body := ""
	if s.body != nil {
		raw, _ := json.Marshal(s.body)
		body = " " + string(raw)
	}
	m.recent = append(m.recent, fmt.Sprintf("  %s: %s %s%s -> %d %.300s", s.as, s.method, s.path, body, reply.Code, reply.Body))
	m.recent = m.recent[max(0, len(m.recent)-20):]
}

// judge returns the status that a call is answered with: those of dead tokens and of the wrong kind of caller come first,
// then the first of the refusals, in the order of the contract.
func (m *model) judge(p party, who access.Kind, ok int, refusals ...int) int {
	switch {
	case p.dead:
		return 401
	case p.kind&who == 0:
		return 403
	}
	for _, status := range refusals {
		if status != 0 {
			return status
		}
	}
	return ok
}

// unless is a refusal when something does not hold.
func unless(holds bool, status int) int {
	if holds {
		return 0
	}
	return status
}

func known[R any](rows map[int64]*R, id int64) bool { return rows[id] != nil }

// compare returns where a reply lacks something of what the model shows.
func compare(want, got any) string {
	raw, err := json.Marshal(want)
	if err != nil {
		return err.Error()
	}
	var plain any
	if err := json.Unmarshal(raw, &plain); err != nil {
		return err.Error()
	}
	if d := differs(plain, bare(got), "reply"); d != "" {
		return fmt.Sprintf("%s; want %s", d, raw)
	}
	return ""
}

// bare puts null for empty objects, so that they differ from others.
func bare(v any) any {
	switch v := v.(type) {
	case map[string]any:
		if len(v) == 0 {
			return nil
		}
		for k := range v {
			v[k] = bare(v[k])
		}
	case []any:
		for i := range v {
			v[i] = bare(v[i])
		}
	}
	return v
}

// made takes over the id of a new row, which no row of its kind has ever had.
func (m *model) made(kind string, id int64) string {
	if id <= m.newest[kind] {
		return fmt.Sprintf("%s %d is no new id, there was %d", kind, id, m.newest[kind])
	}
	m.newest[kind] = id
	return ""
}

// audit compares all that is stored with the model, as root sees it.
func (m *model) audit() string {
	root := m.account(access.User, 1)
	for _, list := range []step{
		m.whole(root, "/organization", sorted(m.organizations, nil), m.organizationRow),
		m.whole(root, "/collaboration", sorted(m.collaborations, nil), m.collaborationRow),
		m.whole(root, "/node", sorted(m.nodes, nil), m.nodeRow),
		m.whole(root, "/user", sorted(m.users, nil), m.userRow),
		m.whole(root, "/role", sorted(m.roles, nil), m.roleRow),
		m.whole(root, "/task?include=results", down(sorted(m.tasks, nil)), m.taskWithResults),
		m.whole(root, "/result?include=task", down(sorted(m.results, nil)), m.resultWithTask),
	} {
		if fault := m.take(list); fault != "" {
			return fault
		}
	}
	m.counts(m.T)
	if n, want := m.number(m.T, `SELECT COUNT(*) FROM authenticatable`), len(m.users)+len(m.nodes); n != int64(want) {
		return fmt.Sprintf("%d accounts, want %d", n, want)
	}
	m.log.take() // nobody reads it, and it grows
	return ""
}

// whole is a step that reads a list in one piece.
func (m *model) whole(p party, path string, ids []int64, show func(int64, party) fields) step {
	return step{as: p, method: "GET", path: path, want: 200, then: m.lists(p, ids, ids, false, show)}
}

// lists compares the reply with the rows of a page and the number of all rows.
func (m *model) lists(p party, all, page []int64, envelope bool, show func(int64, party) fields) func(answer) string {
	return func(a answer) string {
		if total := a.header["total-count"]; len(total) != 1 || total[0] != strconv.Itoa(len(all)) {
			return fmt.Sprintf("total-count %v, want %d", total, len(all))
		}
		if envelope {
			a.body = a.object()["data"]
		}
		return m.rowsAre(p, page, show)(a)
	}
}

// rowsAre compares the reply with some rows.
func (m *model) rowsAre(p party, ids []int64, show func(int64, party) fields) func(answer) string {
	return func(a answer) string {
		got, isList := a.body.([]any)
		var shown []int64
		for _, row := range got {
			shown = append(shown, id(row))
		}
		if !isList || !slices.Equal(shown, ids) {
			return fmt.Sprintf("the reply has %v, want %v", shown, ids)
		}
		for i, row := range got {
			if d := compare(show(ids[i], p), row); d != "" {
				return d
			}
		}
		return ""
	}
}

func down(ids []int64) []int64 {
	slices.Reverse(ids)
	return ids
}
