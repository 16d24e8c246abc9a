package handlers

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"vserver/queries/dbtest"
	"vserver/service/access"
	"vserver/service/promise"
)

// ascent is somebody who tries to rise by calls at random, with all accounts that
// came of it.
type ascent struct {
	*bed
	raw   *sql.DB
	rnd   *rand.Rand
	actor int64
	// before is what everybody held when the sequence began, by user.
	before map[int64]access.Set
	made   int             // accounts ever made, for their names
	mine   []int64         // the actor and the accounts that it made in this sequence
	calls  []string        // of this sequence
	worked map[string]bool // routes that changed something
}

func newAscent(t *testing.T, as string, seed uint64) *ascent {
	t.Helper()
	_, id := accountOf(as)
	a := &ascent{bed: newBed(t), rnd: rand.New(rand.NewPCG(seed, 19)), actor: id, worked: map[string]bool{}}
	var err error
	if a.raw, err = dbtest.SQL(a.src); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.raw.Close() })
	return a
}

// held reads what every user holds, from the tables and not through the server.
func (a *ascent) held() map[int64]access.Set {
	a.Helper()
	rows, err := a.raw.QueryContext(a.Context(), `SELECT u.id, COALESCE(SUM(CAST(1 AS BIGINT) << CAST(h.rule_id - 1 AS INTEGER)), 0)
		FROM "user" u LEFT JOIN (SELECT user_id, rule_id FROM user_rule UNION
			SELECT uo.user_id, rr.rule_id FROM user_role uo JOIN role_rule rr ON rr.role_id = uo.role_id) h ON h.user_id = u.id
		GROUP BY u.id`)
	if err != nil {
		a.Fatal(err)
	}
	defer rows.Close()
	all := map[int64]access.Set{}
	for rows.Next() {
		var user, rules int64
		if err := rows.Scan(&user, &rules); err != nil {
			a.Fatal(err)
		}
		all[user] = access.Set(rules)
	}
	if rows.Err() != nil {
		a.Fatal(rows.Err())
	}
	return all
}

// step makes one call as the actor or one of its accounts, and reports whether it was
// let through.
func (a *ascent) step(routes []route) bool {
	a.Helper()
	r := routes[a.rnd.IntN(len(routes))]
	path := regexp.MustCompile(`:\w+`).ReplaceAllStringFunc(r.path, func(name string) string { return itoa(a.id(r, name)) })
	if r.method == "DELETE" && path == "/user/"+itoa(a.actor) {
		return false // there is nothing to gain by it
	}
	as := a.mine[a.rnd.IntN(len(a.mine))]
	body := a.body(r)
	token := a.sign(claims{Subject: fmt.Appendf(nil, "%d", as), ClientType: "user", Type: accessToken}, time.Hour)
	reply := a.send(a.T, row{method: r.method, path: path, body: body, header: map[string]string{"Authorization": "Bearer " + token}})
	a.calls = append(a.calls, fmt.Sprintf("%d: %s %s %s -> %d %.200s", as, r.method, path, body, reply.Code, reply.Body))
	if reply.Code >= 500 {
		a.Fatalf("a server error:\n%s", strings.Join(a.calls, "\n"))
	}
	if reply.Code >= 300 {
		return false
	}
	a.worked[r.method+" "+r.path] = true
	var made struct{ ID int64 }
	if r.method == "POST" && r.path == "/user" && json.Unmarshal(reply.Body.Bytes(), &made) == nil {
		a.mine = append(a.mine, made.ID)
	}
	return true
}

// id is an id at random.
func (a *ascent) id(r route, name string) int64 {
	switch {
	case name == ":rule_id":
		return 1 + a.rnd.Int64N(53)
	case strings.HasPrefix(r.path, "/role"):
		return 1 + a.rnd.Int64N(14)
	case a.rnd.IntN(3) == 0:
		return a.mine[a.rnd.IntN(len(a.mine))]
	}
	return 1 + a.rnd.Int64N(14)
}

func (a *ascent) ids(most int64) []int64 {
	list := []int64{}
	for range 1 + a.rnd.IntN(2) {
		list = append(list, 1+a.rnd.Int64N(most))
	}
	return list
}

// body has fields that are asked for somewhere, some of them left out.
func (a *ascent) body(r route) string {
	a.made++
	name := fmt.Sprintf("n%d", a.made)
	fields := map[string]any{
		"roles": a.ids(12), "rules": a.ids(53), "organization_id": a.rnd.IntN(5), "id": a.rnd.IntN(20), "collaboration_id": 1 + a.rnd.IntN(3),
		"organization_ids": a.ids(4), "email": name + "@example.org", "is_admin": true, "current_password": "Passw0rd!", "new_password": "Passw0rd!1",
	}
	for f := range fields {
		if a.rnd.IntN(3) > 0 {
			delete(fields, f)
		}
	}
	if r.method == "PATCH" && a.rnd.IntN(4) > 0 {
		fields = map[string]any{"roles": a.ids(12)}
		if a.rnd.IntN(2) == 0 {
			fields = map[string]any{"rules": a.ids(53)}
		}
	}
	if r.method == "POST" {
		for f, v := range map[string]any{
			"username": name, "firstname": "f", "lastname": "l", "password": "Passw0rd!", "email": name, "name": name, "description": "d",
		} {
			fields[f] = v
		}
	}
	b, err := json.Marshal(fields)
	if err != nil {
		a.Fatal(err)
	}
	return string(b)
}

// climb runs one sequence and checks that nobody holds more than before, but for
// what the actor could give.
func (a *ascent) climb(routes []route) {
	a.Helper()
	a.mine, a.calls = []int64{a.actor}, nil
	through := 0
	for range 1 + a.rnd.IntN(4) {
		if a.step(routes) {
			through++
		}
	}
	if through == 0 {
		return
	}
	after := a.held()
	for user, set := range after {
		allowed := a.before[user] | a.before[a.actor]
		if user == a.actor {
			allowed = a.before[a.actor]
		}
		if rule, lacks := allowed.Lacks(set); lacks {
			a.Fatalf("user %d got rule %d:\n%s", user, rule.ID, strings.Join(a.calls, "\n"))
		}
	}
	a.before = after
}

func TestAdvisory_T19_NobodyWidensTheirOwnRights(t *testing.T) {
	const beds = 2
	sequences := 80
	if promise.Long() {
		sequences = 5000
	}
	worked := map[string]bool{}
	for _, as := range []string{"noperm", "viewer", "researcher", "orgadmin", "colladmin", "researcher_small"} {
		for seed := range uint64(beds) {
			t.Run(fmt.Sprint(as, seed), func(t *testing.T) {
				a := newAscent(t, as, seed)
				// A role that the actor could fill, and one that it holds.
				a.change(t, `INSERT INTO role (name, organization_id) VALUES ('theirs', 2), ('held', 2)`,
					fmt.Sprintf(`INSERT INTO user_role (user_id, role_id) VALUES (%d, 12)`, a.actor),
					`INSERT INTO role_rule (role_id, rule_id) VALUES (12, 43), (12, 33)`)
				a.tryAll(sequences)
				for r := range a.worked {
					worked[r] = true
				}
			})
		}
	}
	for _, r := range []string{"POST /user", "PATCH /user/:id", "DELETE /user/:id", "POST /role", "PATCH /role/:id", "POST /role/:id/rule/:rule_id"} {
		if !worked[r] {
			t.Errorf("%s was never let through: the test tries too little", r)
		}
	}
}

// tryAll climbs many times, as long as the actor is there.
func (a *ascent) tryAll(sequences int) {
	a.Helper()
	routes := a.tempting()
	a.before = a.held()
	for range sequences {
		a.climb(routes)
		if _, there := a.before[a.actor]; !there {
			return
		}
	}
}

// tempting lists what a user may try; what is about rights comes more often, what
// hands them out most often.
func (a *ascent) tempting() []route {
	var list []route
	for _, r := range a.s.routes() {
		if r.who&access.User == 0 || r.method == "GET" {
			continue
		}
		times := 1
		if r.pair.Resource == access.Users || r.pair.Resource == access.Roles {
			times = map[string]int{"PATCH": 20, "POST": 10, "DELETE": 3}[r.method]
		}
		list = append(list, slices.Repeat([]route{r}, times)...)
	}
	return list
}

// The oracle of the test above sees it when somebody is given a rule.
func TestHeldRulesAreSeen(t *testing.T) {
	a := newAscent(t, "noperm", 0)
	if set := a.held()[9]; set != 0 {
		t.Fatalf("noperm holds %b", set)
	}
	// a rule of its own lets it see every node, a role its organization
	node, organization := row{as: "noperm", method: "GET", path: "/node/18"}, row{as: "noperm", method: "GET", path: "/organization/2"}
	node.want, organization.want = 401, 401
	a.run(node, organization, row{as: "root", method: "PATCH", path: "/user/9", body: `{"rules":[1],"roles":[4]}`, want: 200})
	node.want, organization.want = 200, 200
	a.run(node, organization)
	if set := a.held()[9]; set != access.Of(1, 2, 10, 15, 16, 21, 27, 29, 34, 37, 39, 47, 48) {
		t.Errorf("noperm holds %b", set)
	}
}
