package access

import (
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"vserver/service/fault"
)

func TestPermissionsAreCalledAfterTheirPairs(t *testing.T) {
	for _, p := range []Permission{
		ViewNodes{}, EditNodes{}, CreateNodes{}, DeleteNodes{}, ViewCollaborations{}, EditCollaborations{}, CreateCollaborations{},
		DeleteCollaborations{}, ViewOrganizations{}, EditOrganizations{}, CreateOrganizations{}, ViewTasks{}, CreateTasks{}, DeleteTasks{},
		ViewResults{}, ViewUsers{}, EditUsers{}, CreateUsers{}, DeleteUsers{}, ViewRoles{}, EditRoles{}, CreateRoles{}, DeleteRoles{},
		ViewPorts{}, CreateEvents{},
	} {
		pair := p.pair()
		name := strings.ToLower(strings.TrimPrefix(fmt.Sprintf("%T", p), "access."))
		if want := strings.ToLower(pair.Operation.String() + string(pair.Resource) + "s"); name != want || pair.Only != 0 {
			t.Errorf("%s stands for %s", name, want)
		}
		known := false
		for _, r := range Rules {
			known = known || r.Resource == pair.Resource && r.Operation == pair.Operation
		}
		if !known {
			t.Errorf("no rule gives %s", name)
		}
	}
}

func TestItselfIsOnlyItsKind(t *testing.T) {
	for _, kind := range []Kind{User, Node, Container} {
		a := Actor{Kind: kind, ID: 7, Rules: All}
		user, err1 := Judge[UserItself](a)
		node, err2 := Judge[NodeItself](a)
		if fault.Is(err1, fault.WrongKind) != (kind != User) || fault.Is(err2, fault.WrongKind) != (kind != Node) {
			t.Errorf("a %s: %v, %v", kind, err1, err2)
		}
		if (user.Actor().ID == 7) != (kind == User) || (node.Actor().ID == 7) != (kind == Node) {
			t.Errorf("a %s that was refused is in the grant all the same", kind)
		}
		if user.Any(Own, Organization, Collaboration, Global) || node.Any(Own, Organization, Collaboration, Global) {
			t.Errorf("being itself gives a %s a scope", kind)
		}
	}
}

func TestEmbeddedRowsAreJudgedForThemselves(t *testing.T) {
	g, err := Judge[ViewResults](Actor{Kind: User, OrganizationID: 2, Rules: Of(20, 27)}) // every task, own results
	if err != nil {
		t.Fatal(err)
	}
	if tasks := Embedded[ViewTasks](g); !tasks.Has(Global) || tasks.Has(Organization) || tasks.Actor().OrganizationID != 2 {
		t.Errorf("got %+v", tasks)
	}
	if users := Embedded[ViewUsers](g); users.Any(Own, Organization, Collaboration, Global) {
		t.Errorf("got %+v", users)
	}
	supposed, err := Suppose(Actor{Kind: User, Rules: All}, PairOf[ViewResults]())
	if tasks := Embedded[ViewTasks](supposed); err != nil || !supposed.Has(Global) || tasks.made {
		t.Errorf("a supposition has a grant within: %v", err)
	}
	if tasks := Embedded[ViewTasks](Grant[ViewResults]{}); tasks.made {
		t.Error("a grant that nobody judged has another one within")
	}
}

func TestOwnership(t *testing.T) {
	id := func(n int64) *int64 { return &n }
	user := Actor{Kind: User, ID: 5, OrganizationID: 2}
	node := Actor{Kind: Node, ID: 5, OrganizationID: 2, CollaborationID: 3}
	container := Actor{Kind: Container, ID: 5, OrganizationID: 2, CollaborationID: 3, Image: "i"}
	detached := Actor{Kind: Node, ID: 5, OrganizationID: 2}
	can := func(a Actor, p Pair, rules ...int64) judgement {
		a.Rules = Of(rules...)
		return judgeFor(a, p)
	}
	editUsers, editNodes := PairOf[EditUsers](), PairOf[EditNodes]()
	for name, c := range map[string]struct{ got, want bool }{
		"own account":                       {user.IsSelf(5), true},
		"another account":                   {user.IsSelf(6), false},
		"a container has no account":        {container.IsSelf(5), false},
		"a node works for its organization": {node.WorksFor(id(2), id(3)), true},
		"not for another one":               {node.WorksFor(id(1), id(3)), false},
		"not elsewhere":                     {node.WorksFor(id(2), id(4)), false},
		"nowhere":                           {detached.WorksFor(id(2), id(0)), false},
		"nowhere at all":                    {detached.WorksIn(nil), false},
		"a container goes on":               {container.MayContinue("i", id(3)), true},
		"not with another image":            {container.MayContinue("j", id(3)), false},
		"not elsewhere either":              {container.MayContinue("i", id(4)), false},
		"a node is no container":            {node.MayContinue("", id(3)), false},
		"own account by its rule":           {can(user, editUsers, 34).CoversUser(5, nil), true},
		"a colleague's not":                 {can(user, editUsers, 34).CoversUser(6, id(2)), false},
		"own account without a rule":        {can(user, editUsers).CoversUser(5, id(2)), false},
		"a colleague":                       {can(user, editUsers, 33).CoversUser(6, id(2)), true},
		"a stranger":                        {can(user, editUsers, 33).CoversUser(6, id(1)), false},
		"anybody":                           {can(user, editUsers, 32).CoversUser(6, nil), true},
		"own node":                          {can(user, editNodes, 4).CoversNode(6, id(2)), true},
		"a node changes itself":             {can(node, editNodes, 4).CoversNode(5, id(2)), true},
		"not its neighbour":                 {can(node, editNodes, 3, 4).CoversNode(6, id(2)), false},
		"a user moves a node":               {can(user, editNodes, 4).MayMoveNode(false), true},
		"not to another organization":       {can(user, editNodes, 4).MayMoveNode(true), false},
		"everywhere by the global rule":     {can(user, editNodes, 3).MayMoveNode(true), true},
		"a node stays where it is":          {can(node, editNodes, 3, 4).MayMoveNode(false), false},
		"a node sees only its organization": {can(node, PairOf[ViewNodes](), 1).CoversOrganization(1), false},
		"and that one":                      {can(node, PairOf[ViewNodes](), 1).CoversOrganization(2), true},
		"a user sees all":                   {can(user, PairOf[ViewNodes](), 1).CoversOrganization(1), true},
		"nobody without a rule":             {can(node, PairOf[ViewNodes]()).CoversOrganization(2), false},
	} {
		if c.got != c.want {
			t.Errorf("%s: %v", name, c.got)
		}
	}
}

// compiled finds what a package that the room needs, or the room itself, shows of itself
// to those who import it.
func compiled(t *testing.T) importer.Lookup {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-export", "-deps", "-f", "{{.ImportPath}}={{.Export}}", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for line := range strings.Lines(string(out)) {
		name, file, _ := strings.Cut(strings.TrimSpace(line), "=")
		files[name] = file
	}
	return func(name string) (io.ReadCloser, error) { return os.Open(files[name]) }
}

// TestGrantsOfAnotherPermissionDoNotCompile tries to get into a use case with the
// wrong grant in every way that Go has.
func TestGrantsOfAnotherPermissionDoNotCompile(t *testing.T) {
	fset := token.NewFileSet()
	our := importer.ForCompiler(fset, "gc", compiled(t))
	check := func(line string) error {
		file, err := parser.ParseFile(fset, "x.go", `package x
import "vserver/service/access"
func deleteTask(access.Grant[access.DeleteTasks]) {}
func f(g access.Grant[access.ViewTasks], right access.Grant[access.DeleteTasks], a access.Actor) { `+line+` }`, 0)
		if err != nil {
			t.Fatal(err)
		}
		_, err = (&types.Config{Importer: our}).Check("x", fset, []*ast.File{file}, nil)
		return err
	}
	if err := check("deleteTask(right)"); err != nil {
		t.Fatalf("the right grant is refused: %v", err)
	}
	for _, line := range []string{
		"deleteTask(g)",
		"deleteTask(access.Grant[access.DeleteTasks](g))",
		"var other access.AnyGrant = g; deleteTask(other)",
		"deleteTask(access.Embedded[access.DeleteTasks](g))",
		"s, _ := access.Suppose(a, access.PairOf[access.DeleteTasks]()); deleteTask(s)",
		"s, _ := access.Suppose(a, access.PairOf[access.DeleteTasks]()); deleteTask(access.Grant[access.DeleteTasks](s))",
		"deleteTask(access.Grant[access.DeleteTasks]{judgement: g.judgement})",
		"deleteTask(access.Grant[access.DeleteTasks]{g.judged()})",
	} {
		if err := check(line); err == nil {
			t.Errorf("%s compiles", line)
		}
	}
}
