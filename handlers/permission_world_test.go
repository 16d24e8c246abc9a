package handlers

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"vserver/queries"
	"vserver/queries/dbtest"
)

// world is what the permission tests know of their database by themselves: the fixture
// of bed, and beside it somebody and something for every relation:
//
//	organizations  5 Foreign, 6 Far, 7 Late (a member of 1 to 4 without a node there)
//	collaborations 4 ELSEWHERE (5, 6, 7), 5 EMPTY (2, 3) and 6 BARE (5) without nodes
//	users          19 chief (Root, of 2), 20 stranger (Viewer, of 5), 21 holder (of 2,
//	               with a role of 5), 25 to 77 rule_1 to rule_53 (of 2, with one rule),
//	               78 and on: of 2, with the rules of worldPairs and a name such as pair_9_15
//	nodes          22 node_foreign (5 in 4), 23 node_loose (7, nowhere),
//	               24 node_left (3 in 2, which 3 is no member of)
//	roles          11 of 2, 12 of 5, 13 of 3, 14 of 5 that holder has: all with few rules
//	tasks          2 by 3 in ZEPPELIN, 3 in PIPELINE, 4 in SLIPPERS, 5 in ELSEWHERE,
//	               6 in ZEPPELIN, ended; 7 below 1
//
// All nodes are online but node_iknl_p.
type world struct {
	rules         []string             // "node GLOBAL VIEW" and so on; the rule with the id 1 is the first
	roles         map[int64]worldRole  // by id
	organizations []int64              //
	members       map[int64][]int64    // organizations of a collaboration
	users         map[int64]worldUser  //
	nodes         map[int64]worldNode  //
	tasks         map[int64]worldTask  //
	results       map[int64]worldPiece //
	ports         map[int64]int64      // the result
}

type worldRole struct {
	name         string
	organization int64 // 0: a default role
	rules        []int64
}

type worldUser struct {
	name         string
	organization int64
	roles, rules []int64
}

type worldNode struct {
	name                        string
	organization, collaboration int64
}

type worldTask struct {
	collaboration, run, parent, initiator, user int64
	ended                                       bool
}

type worldPiece struct{ task, organization int64 }

// worldPairs are sets of rules that no role has: who sees collaborations does not see what is
// in them, and who sees tasks does not see their results.
var worldPairs = [][]int64{
	{9, 15}, {9, 16}, {9, 14}, {9, 2}, {9, 1}, {10, 15}, {10, 14}, {10, 2}, {10, 1}, {9, 21}, {20, 27}, {21, 26}, {21, 47}, {28, 39}, {29, 38},
}

// pairName is the name of a user with some rules.
func pairName(rules []int64) string { return fmt.Sprintf("pair_%d_%d", rules[0], rules[1]) }

// defaultRoles are in the order of their ids and of no column.
var defaultRoles = []string{"Root", "container", "node", "Viewer", "Researcher", "Organization Admin", "Collaboration Admin"}

// columns are those of the table of rules, as places in defaultRoles.
var columns = []int{0, 3, 4, 5, 6, 2, 1}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{
		roles:         map[int64]worldRole{},
		organizations: []int64{1, 2, 3, 4, 5, 6, 7},
		members: map[int64][]int64{
			1: {2, 3, 4, 7}, 2: {2, 4, 7}, 3: {3, 4, 7}, 4: {5, 6, 7}, 5: {2, 3}, 6: {5},
		},
		users: map[int64]worldUser{
			1:  {name: "root", organization: 1, roles: []int64{1}},
			19: {name: "chief", organization: 2, roles: []int64{1}},
			20: {name: "stranger", organization: 5, roles: []int64{4}},
			21: {name: "holder", organization: 2, roles: []int64{14}},
		},
		nodes: map[int64]worldNode{22: {"node_foreign", 5, 4}, 23: {"node_loose", 7, 0}, 24: {"node_left", 3, 2}},
		tasks: map[int64]worldTask{
			1: {collaboration: 1, run: 1, initiator: 2, user: 2},
			2: {collaboration: 1, run: 2, initiator: 3, user: 3},
			3: {collaboration: 2, run: 3, initiator: 2, user: 6},
			4: {collaboration: 3, run: 4, initiator: 4, user: 4},
			5: {collaboration: 4, run: 5, initiator: 5, user: 20},
			6: {collaboration: 1, run: 6, initiator: 2, user: 6, ended: true},
			7: {collaboration: 1, run: 1, parent: 1, initiator: 2, user: 2},
		},
		results: map[int64]worldPiece{
			1: {1, 2}, 2: {1, 3}, 3: {1, 4}, 4: {2, 2}, 5: {2, 3}, 6: {3, 2}, 7: {3, 4}, 8: {4, 3}, 9: {5, 5}, 10: {5, 6}, 11: {6, 2}, 12: {7, 3},
		},
		ports: map[int64]int64{1: 1, 2: 4, 3: 6, 4: 8, 5: 9, 6: 12},
	}
	w.readRules(t)
	for i, u := range fixtureUsers {
		p := worldUser{name: u.name, organization: int64(u.organization)}
		if u.role > 0 {
			p.roles = []int64{int64(u.role)}
		}
		w.users[int64(i+2)] = p
	}
	for i, n := range fixtureNodes {
		w.nodes[int64(i+12)] = worldNode{n.name, int64(n.organization), int64(n.collaboration)}
	}
	for i := range w.rules {
		w.users[int64(25+i)] = worldUser{name: fmt.Sprintf("rule_%d", i+1), organization: 2, rules: []int64{int64(i + 1)}}
	}
	for i, rules := range worldPairs {
		w.users[int64(78+i)] = worldUser{name: pairName(rules), organization: 2, rules: rules}
	}
	return w
}

// readRules reads the table of rules and default roles off the page of the documentation.
func (w *world) readRules(t *testing.T) {
	t.Helper()
	page, err := os.ReadFile("../embed/docs/permissions.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(page), "{#table}")
	table, _, _ = strings.Cut(table, "\n## ")
	all := []int64{}
	by := map[int][]int64{}
	for line := range strings.Lines(table) {
		cells := strings.Split(line, "|")
		if len(cells) != 11 || strings.TrimSpace(cells[1]) != itoa(int64(len(w.rules)+1)) {
			continue
		}
		w.rules = append(w.rules, strings.TrimSpace(cells[2]))
		id := int64(len(w.rules))
		all = append(all, id)
		for i, role := range columns {
			if strings.TrimSpace(cells[3+i]) == "x" {
				by[role] = append(by[role], id)
			}
		}
	}
	if len(w.rules) != 53 {
		t.Fatalf("the page lists %d rules", len(w.rules))
	}
	for i, name := range defaultRoles {
		w.roles[int64(i+1)] = worldRole{name: name, rules: by[i]}
	}
	for i, organization := range []int64{2, 3, 4} {
		w.roles[int64(8+i)] = worldRole{"super", organization, all}
	}
	w.roles[11] = worldRole{"light", 2, []int64{2, 21}}
	w.roles[12] = worldRole{"light", 5, []int64{2}}
	w.roles[13] = worldRole{"light", 3, []int64{2}}
	w.roles[14] = worldRole{"lent", 5, []int64{2}}
}

// held is what a user holds, by id of the rule.
func (w *world) held(user int64) map[int64]bool {
	set := map[int64]bool{}
	for _, role := range w.users[user].roles {
		for _, r := range w.roles[role].rules {
			set[r] = true
		}
	}
	for _, r := range w.users[user].rules {
		set[r] = true
	}
	return set
}

func (w *world) member(organization, collaboration int64) bool {
	return slices.Contains(w.members[collaboration], organization)
}

// partners reports whether two organizations share a collaboration.
func (w *world) partners(a, b int64) bool {
	for collaboration := range w.members {
		if w.member(a, collaboration) && w.member(b, collaboration) {
			return true
		}
	}
	return false
}

// worldFixture is the database of newWorld.
var worldFixture = dbtest.Template{Build: buildWorld}

func buildWorld(ctx context.Context, src queries.Source) error {
	if err := buildFixture(ctx, src); err != nil {
		return err
	}
	raw, err := dbtest.SQL(src)
	if err != nil {
		return err
	}
	defer func() { _ = raw.Close() }()
	for _, s := range worldStatements(src) {
		if _, err := raw.ExecContext(ctx, s); err != nil {
			return fmt.Errorf("%s: %w", s, err)
		}
	}
	return nil
}

func worldStatements(src queries.Source) []string {
	list := []string{
		`INSERT INTO organization (name) VALUES ('Foreign'), ('Far'), ('Late')`,
		`INSERT INTO collaboration (name, encrypted) VALUES ('ELSEWHERE', FALSE), ('EMPTY', FALSE), ('BARE', FALSE)`,
		`INSERT INTO member (collaboration_id, organization_id) VALUES (4, 5), (4, 6), (1, 7), (2, 7), (3, 7), (4, 7), (5, 2), (5, 3), (6, 5)`,
		`INSERT INTO role (name, description, organization_id) VALUES ('light', 'd', 2), ('light', 'd', 5), ('light', 'd', 3), ('lent', 'd', 5)`,
		`INSERT INTO role_rule (role_id, rule_id) VALUES (11, 2), (11, 21), (12, 2), (13, 2), (14, 2)`,
		`INSERT INTO authenticatable (type) VALUES ('user'), ('user'), ('user'), ('node'), ('node'), ('node')`,
		worldUserRow(19, "chief", 2), worldUserRow(20, "stranger", 5), worldUserRow(21, "holder", 2),
		`INSERT INTO user_role (user_id, role_id) VALUES (19, 1), (20, 4), (21, 14)`,
		`INSERT INTO node (id, name, organization_id, collaboration_id) VALUES (22, 'node_foreign', 5, 4), (23, 'node_loose', 7, NULL), (24, 'node_left', 3, 2)`,
		`UPDATE authenticatable SET status = 'online' WHERE type = 'node' AND id <> 15`,
	}
	for i := range 53 {
		list = append(list, `INSERT INTO authenticatable (type) VALUES ('user')`, worldUserRow(25+i, fmt.Sprintf("rule_%d", i+1), 2),
			fmt.Sprintf(`INSERT INTO user_rule (user_id, rule_id) VALUES (%d, %d)`, 25+i, i+1))
	}
	for i, rules := range worldPairs {
		list = append(list, `INSERT INTO authenticatable (type) VALUES ('user')`, worldUserRow(78+i, pairName(rules), 2),
			fmt.Sprintf(`INSERT INTO user_rule (user_id, rule_id) VALUES (%d, %d), (%d, %d)`, 78+i, rules[0], 78+i, rules[1]))
	}
	return append(list,
		`INSERT INTO task (name, description, image, database, collaboration_id, run_id, parent_id, initiator_id, init_user_id) VALUES
			('second', '', 'hello-world', 'default', 1, 2, NULL, 3, 3), ('third', '', 'hello-world', 'default', 2, 3, NULL, 2, 6),
			('fourth', '', 'hello-world', 'default', 3, 4, NULL, 4, 4), ('fifth', '', 'hello-world', 'default', 4, 5, NULL, 5, 20),
			('sixth', '', 'hello-world', 'default', 1, 6, NULL, 2, 6), ('seventh', '', 'hello-world', 'default', 1, 1, 1, 2, 2)`,
		`UPDATE counter SET value = 6 WHERE name = 'run'`,
		`INSERT INTO result (task_id, organization_id, status) VALUES
			(2, 2, 'pending'), (2, 3, 'pending'), (3, 2, 'pending'), (3, 4, 'pending'), (4, 3, 'pending'), (5, 5, 'pending'), (5, 6, 'pending'),
			(6, 2, 'completed'), (7, 3, 'pending')`,
		`UPDATE result SET finished_at = '2026-01-02T03:04:05.000000Z' WHERE id = 11`,
		`INSERT INTO payload (result_id, input) SELECT id, `+dbtest.Octets(src, "aW4=")+` FROM result WHERE id > 3`,
		`INSERT INTO algorithmport (port, result_id, label) VALUES (8001, 1, 'l'), (8002, 4, 'l'), (8003, 6, 'l'), (8004, 8, 'l'), (8005, 9, 'l'), (8006, 12, 'l')`)
}

func worldUserRow(id int, name string, organization int) string {
	return fmt.Sprintf(`INSERT INTO "user" (id, username, password, firstname, lastname, email, organization_id)
		VALUES (%d, '%s', '%s', 'First', 'Last', '%s@example.org', %d)`, id, name, passwordHash, name, organization)
}
