package access

import (
	"strconv"
	"strings"
	"testing"

	"vserver/service/fault"
)

// marks is who holds what in a fresh database (/docs/permissions#table), as a table of
// its own: R Root, V Viewer, Re Researcher, OA Organization Admin, CA Collaboration
// Admin, N node, C container.
const marks = `
id resource      scope         operation R V Re OA CA N C
1  node          GLOBAL        VIEW      x - -  -  x  - -
2  node          ORGANIZATION  VIEW      x x x  x  x  x x
3  node          GLOBAL        EDIT      x - -  -  -  - -
4  node          ORGANIZATION  EDIT      x - -  x  x  x -
5  node          GLOBAL        CREATE    x - -  -  x  - -
6  node          ORGANIZATION  CREATE    x - -  x  x  - -
7  node          GLOBAL        DELETE    x - -  -  x  - -
8  node          ORGANIZATION  DELETE    x - -  -  -  - -
9  collaboration GLOBAL        VIEW      x - -  -  x  - -
10 collaboration ORGANIZATION  VIEW      x x x  x  x  x x
11 collaboration GLOBAL        EDIT      x - -  -  x  - -
12 collaboration GLOBAL        CREATE    x - -  -  -  - -
13 collaboration GLOBAL        DELETE    x - -  -  -  - -
14 organization  GLOBAL        VIEW      x - -  -  x  - -
15 organization  ORGANIZATION  VIEW      x x x  x  x  x x
16 organization  COLLABORATION VIEW      x x x  x  x  x x
17 organization  GLOBAL        EDIT      x - -  -  x  - -
18 organization  ORGANIZATION  EDIT      x - -  x  x  x -
19 organization  GLOBAL        CREATE    x - -  -  -  - -
20 task          GLOBAL        VIEW      x - -  -  -  - -
21 task          ORGANIZATION  VIEW      x x x  x  x  x x
22 task          GLOBAL        CREATE    x - -  -  -  - -
23 task          ORGANIZATION  CREATE    x - x  x  x  - -
24 task          GLOBAL        DELETE    x - -  -  -  - -
25 task          ORGANIZATION  DELETE    x - x  x  x  - -
26 result        GLOBAL        VIEW      x - -  -  -  - -
27 result        ORGANIZATION  VIEW      x x x  x  x  x x
28 user          GLOBAL        VIEW      x - -  -  x  - -
29 user          ORGANIZATION  VIEW      x x x  x  x  - -
30 user          GLOBAL        CREATE    x - -  -  x  - -
31 user          ORGANIZATION  CREATE    x - -  x  x  - -
32 user          GLOBAL        EDIT      x - -  -  x  - -
33 user          ORGANIZATION  EDIT      x - -  x  x  - -
34 user          OWN           EDIT      x x x  x  x  - -
35 user          GLOBAL        DELETE    x - -  -  -  - -
36 user          ORGANIZATION  DELETE    x - -  x  x  - -
37 user          OWN           DELETE    x x x  x  x  - -
38 role          GLOBAL        VIEW      x - -  -  x  - -
39 role          ORGANIZATION  VIEW      x x x  x  x  - -
40 role          GLOBAL        CREATE    x - -  -  -  - -
41 role          ORGANIZATION  CREATE    x - -  x  x  - -
42 role          GLOBAL        EDIT      x - -  -  -  - -
43 role          ORGANIZATION  EDIT      x - -  x  x  - -
44 role          GLOBAL        DELETE    x - -  -  -  - -
45 role          ORGANIZATION  DELETE    x - -  x  x  - -
46 port          GLOBAL        VIEW      x - -  -  -  - -
47 port          ORGANIZATION  VIEW      x x x  x  x  x x
48 event         ORGANIZATION  VIEW      x x x  x  x  - -
49 event         COLLABORATION VIEW      x - -  -  x  - -
50 event         GLOBAL        VIEW      x - -  -  -  - -
51 event         ORGANIZATION  CREATE    x - -  x  x  - -
52 event         COLLABORATION CREATE    x - -  -  x  - -
53 event         GLOBAL        CREATE    x - -  -  -  - -
`

// triple is a rule as the wire names it.
type triple struct{ resource, scope, operation string }

// marked reads the table: the id of each triple, and for each column the triples
// that are marked in it.
func marked(t *testing.T) (ids map[triple]int64, holders map[string]map[triple]bool) {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(marks), "\n")
	columns := strings.Fields(lines[0])[4:]
	ids, holders = map[triple]int64{}, map[string]map[triple]bool{}
	for _, c := range columns {
		holders[c] = map[triple]bool{}
	}
	for _, l := range lines[1:] {
		f := strings.Fields(l)
		id, err := strconv.ParseInt(f[0], 10, 64)
		if err != nil || len(f) != 4+len(columns) {
			t.Fatalf("the row %q is not whole", l)
		}
		r := triple{f[1], f[2], f[3]}
		ids[r] = id
		for i, c := range columns {
			if f[4+i] == "x" {
				holders[c][r] = true
			}
		}
	}
	return ids, holders
}

// everyTriple calls f with all that could be asked, whether there is such a rule or
// not.
func everyTriple(f func(r Resource, s Scope, o Operation, name triple)) {
	for _, r := range []Resource{Nodes, Collaborations, Organizations, Tasks, Results, Users, Roles, Ports, Events} {
		for s := Own; s <= Global; s++ {
			for o := View; o <= Delete; o++ {
				f(r, s, o, triple{string(r), s.String(), o.String()})
			}
		}
	}
}

func TestRulesAreThoseOfTheTable(t *testing.T) {
	ids, _ := marked(t)
	if len(ids) != 53 || len(Rules) != 53 {
		t.Fatalf("the table has %d rules, the program %d; want 53", len(ids), len(Rules))
	}
	everyTriple(func(_ Resource, _ Scope, _ Operation, name triple) {
		if got := Number(name.resource, name.scope, name.operation); got != ids[name] {
			t.Errorf("%v has id %d, want %d", name, got, ids[name])
		}
	})
	for i, r := range Rules {
		if r.ID != int64(i+1) || r.Description == "" {
			t.Errorf("rule at place %d: id %d, description %q", i+1, r.ID, r.Description)
		}
	}
}

func TestDefaultRolesHoldWhatTheTableMarks(t *testing.T) {
	_, holders := marked(t)
	for i, want := range []struct {
		column, role string
		rules        int
	}{
		{"R", "Root", 53}, {"C", "container", 7}, {"N", "node", 9}, {"V", "Viewer", 12}, {"Re", "Researcher", 14},
		{"OA", "Organization Admin", 24}, {"CA", "Collaboration Admin", 37},
	} {
		role := DefaultRoles()[i]
		if role.Name != want.role {
			t.Fatalf("role %d is %q, want %q", i+1, role.Name, want.role)
		}
		held := 0
		everyTriple(func(r Resource, s Scope, o Operation, name triple) {
			has := role.Rules.Has(r, s, o)
			if has != holders[want.column][name] {
				t.Errorf("%s, %v: %v, want %v", want.role, name, has, !has)
			}
			if has {
				held++
			}
		})
		if held != want.rules {
			t.Errorf("%s holds %d rules, want %d", want.role, held, want.rules)
		}
	}
	if n := len(DefaultRoles()); n != 7 {
		t.Errorf("there are %d default roles, want 7", n)
	}
}

func TestNoRuleImpliesAnother(t *testing.T) {
	for _, held := range Rules {
		a := Actor{Rules: Of(held.ID)}
		everyTriple(func(r Resource, s Scope, o Operation, name triple) {
			want := held.Resource == r && held.Scope == s && held.Operation == o
			if got := judgeFor(a, Pair{Resource: r, Operation: o}).Has(s); got != want {
				t.Errorf("who holds only rule %d is judged %v for %v", held.ID, got, name)
			}
		})
	}
}

func TestGrantThatNobodyJudgedAllowsNothing(t *testing.T) {
	for s := Own; s <= Global; s++ {
		if (Grant[ViewTasks]{}).Has(s) {
			t.Errorf("an empty grant has scope %v", s)
		}
	}
	if (Grant[ViewTasks]{}).Any(Own, Organization, Collaboration, Global) {
		t.Error("an empty grant has a scope")
	}
}

func TestNobodyHandsOutWhatTheyLack(t *testing.T) {
	a := Actor{Rules: Of(2, 4, 30)}
	for _, c := range []struct {
		set  Set
		want string
	}{
		{0, ""},
		{Of(2, 30), ""},
		{Of(1, 3), "You don't have the rule (node, Scope.GLOBAL, Operation.VIEW)"},
		{Of(2, 53, 31, 4), "You don't have the rule (user, Scope.ORGANIZATION, Operation.CREATE)"},
		{All, "You don't have the rule (node, Scope.GLOBAL, Operation.VIEW)"},
	} {
		err := a.MustHold(c.set)
		if c.want == "" {
			if err != nil {
				t.Errorf("%b: %v", c.set, err)
			}
			continue
		}
		if !fault.Is(err, fault.Denied) || err.Error() != c.want {
			t.Errorf("%b: got %v, want %s", c.set, err, c.want)
		}
	}
}

func TestOnlyTheOwnOrganizationIsOnesOwn(t *testing.T) {
	of := func(id int64) *int64 { return &id }
	for _, c := range []struct {
		actor int64
		asked *int64
		want  bool
	}{
		{2, of(2), true}, {2, of(3), false}, {2, nil, false}, {0, nil, false}, {0, of(0), false},
	} {
		if got := (Actor{OrganizationID: c.actor}).BelongsTo(c.asked); got != c.want {
			t.Errorf("actor of %d, organization %v: %v", c.actor, c.asked, got)
		}
	}
}

func TestSightOfLists(t *testing.T) {
	const organization, collaboration, run = 2, 3, 4
	global, own := Of(20), Of(21) // view tasks
	for _, c := range []struct {
		name                             string
		kind                             Kind
		rules                            Set
		denied                           bool
		organization, collaboration, run int64 // 0: not bounded
	}{
		{"user who sees all", User, global, false, 0, 0, 0},
		{"user who sees the organization's", User, own, false, organization, 0, 0},
		{"user who sees none", User, 0, true, 0, 0, 0},
		{"node", Node, own, false, organization, collaboration, 0},
		{"node with a global rule", Node, global, false, organization, collaboration, 0},
		{"container", Container, own, false, organization, collaboration, run},
		{"container with a global rule", Container, global, false, organization, collaboration, run},
		{"container without a rule", Container, 0, true, 0, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := Actor{Kind: c.kind, OrganizationID: organization, CollaborationID: collaboration, RunID: run, Rules: c.rules}
			s, err := judgeFor(a, PairOf[ViewTasks]()).Sight()
			if fault.Is(err, fault.Denied) != c.denied {
				t.Fatalf("got %v", err)
			}
			for _, bound := range []struct {
				got  *int64
				want int64
			}{{s.OrganizationID, c.organization}, {s.CollaborationID, c.collaboration}, {s.RunID, c.run}} {
				if got := deref(bound.got); got != bound.want {
					t.Errorf("bounded to %d, want %d", got, bound.want)
				}
			}
		})
	}
}

func deref(p *int64) int64 {
	if p == nil {
		return 0
	}
	return *p
}

func TestReservedAndLockedNames(t *testing.T) {
	for _, c := range []struct {
		name             string
		reserved, locked bool
	}{
		{"Root", true, true}, {"node", true, true}, {"container", true, true}, {"Viewer", true, false},
		{"Researcher", true, false}, {"Organization Admin", true, false}, {"Collaboration Admin", true, false},
		{"root", false, false}, {"Node", false, false}, {"super", false, false}, {"", false, false},
	} {
		if Reserved(c.name) != c.reserved || Locked(c.name) != c.locked {
			t.Errorf("%q: reserved %v, locked %v", c.name, Reserved(c.name), Locked(c.name))
		}
	}
}

func TestKindsAreSpelledExactly(t *testing.T) {
	for _, k := range []Kind{User, Node, Container} {
		if ParseKind(k.String()) != k {
			t.Errorf("%v is not read back", k)
		}
	}
	for _, s := range []string{"", "User", "users", "robot"} {
		if ParseKind(s) != 0 {
			t.Errorf("%q is taken for a kind", s)
		}
	}
}
