package service_test

import (
	"fmt"
	"go/ast"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// ungranted are the use cases that take no grant, each with its reason.
var ungranted = map[string]string{
	"Healthy":                 "says nothing but whether the database answers",
	"Identify":                "finds who a token names, before anybody is judged",
	"IdentifyContainer":       "the same for containers",
	"LogIn":                   "finds who calls, before anybody is judged",
	"LogInNode":               "the same for nodes",
	"RoleNames":               "what a token mentions about the user who has just logged in",
	"Standings":               "judges the live connections of accounts",
	"Arrive":                  "the live channel about a connection that it has let in",
	"Greet":                   "the same",
	"Depart":                  "the same",
	"NoteSeen":                "the same, and each request about its caller",
	"NoteSeenAt":              "the same",
	"FlushSeen":               "the program's own work",
	"SettlePresence":          "the program's own work",
	"Join":                    "the program's own work",
	"KeepPeers":               "the program's own work",
	"SettleAbsent":            "the program's own work",
	"AllOffline":              "the program's own work",
	"RemindOfInitialPassword": "the program's own work",
	"SecondFactorReady":       "the program's own work",
	"SealSecrets":             "the program's own work",
	"CompleteRoles":           "for the operator, who holds the database",
	"TakenOver":               "tells the time of a takeover",
	"WatchForeignChanges":     "the program's own work",
	"FlushFailures":           "the program's own work",
	"KeepDrafts":              "the program's own work",
	"Tend":                    "the program's own work",
	"TendExtents":             "the program's own work",
	"ForgetRequestKeys":       "the program's own work",
	"Repeatable":              "tells callers what they did themselves, after a use case judged it",
	"Tally":                   "the program's own work",
	"ForgetEvents":            "the program's own work",
	"HoldUntil":               "tells the time",
	"TextLimit":               "tells a setting",
	"Hold":                    "repeats what is judged by itself",
	"ReceiveText":             "keeps what comes in; a use case that is judged takes it over",
	"Pieces":                  "reads on in a text of a result that a judged use case returned",
	"Refused":                 "counts for the operator, who holds the database",
	"Waiting":                 "counts for the operator, who holds the database",
	"TurnedAway":              "counts for the operator, who holds the database",
	"AskForPassword":          "from who cannot log in; tells nothing, and mails to the user alone",
	"AskForSecondFactor":      "the same",
	"ResetPassword":           "takes a token that was mailed to the user",
	"ResolveRecoveries":       "the program's own work",
	"MailReady":               "the program's own work",
	"TakeMails":               "the program's own work",
	"CloseMail":               "the program's own work",
	"PostponeMail":            "the program's own work",
	"ForgetMails":             "the program's own work",
	"WaitingMails":            "counts for the operator, who holds the database",
	"MailsLeftOut":            "counts for the operator, who holds the database",
	"IssueToken":              "for the operator, who holds the database",
	"SetPassword":             "for the operator, who holds the database",
	"FailedAccounts":          "for the operator, who holds the database",
	"Unlock":                  "for the operator, who holds the database",
	"ExplainUser":             "for the operator, who holds the database",
	"WhoMay":                  "for the operator, who holds the database",
	"Usernames":               "for the operator, who holds the database",
	"ResetSecondFactor":       "takes a token that was mailed to the user",
	"ForgetSecondFactor":      "for the operator, who holds the database",
	"ForgetSecondFactors":     "for the operator, who holds the database",
	"Remember":                "touches no data",
	"Listen":                  "the program's own work",
	"NodesOnline":             "for the operator, who holds the database",
	"NodeKeys":                "for the operator, who holds the database",
	"Administer":              "for the operator, who holds the database",
	"HighestRun":              "for the operator, who holds the database",
	"HashRootPassword":        "touches no data",
	"HashNewPassword":         "touches no data",
	"HashPassword":            "touches no data",
	"OldKeysLeft":             "a number for the operator",
	"CompareKeysBy":           "touches no data",
	"ConvertGivenKeys":        "for the operator, who holds the database",
	"PasswordMatches":         "touches no data",
	"DigestAPIKey":            "touches no data",
}

// unguarded names what would let somebody past the judgement: grants that are made
// outside access, judgements that no entrance makes, use cases and handlers that ask
// for no grant or do not use it.
func unguarded(sources []source, exempt map[string]string) []string {
	var wrong []string
	there := map[string]bool{}
	for _, s := range written(sources, true) {
		if s.room() == "service/access" {
			continue
		}
		ast.Inspect(s.file, func(n ast.Node) bool {
			note := func(text string) {
				wrong = append(wrong, fmt.Sprintf("%s: %s", s.fset.Position(n.Pos()), text))
			}
			switch n := n.(type) {
			case *ast.SelectorExpr:
				if s.room() != "handlers" && dotted(n) == "access.Judge" {
					note("only an entrance judges")
				}
			case *ast.CompositeLit:
				if isGrant(n.Type) {
					note("only access makes a grant")
				}
			case *ast.ValueSpec:
				if isGrant(n.Type) {
					note("only access makes a grant")
				}
			case *ast.CallExpr:
				if dotted(n.Fun) == "new" && isGrant(n.Args[0]) {
					note("only access makes a grant")
				}
			}
			return true
		})
		for _, f := range functions(s) {
			given := grantOf(f)
			there[f.Name.Name] = there[f.Name.Name] || s.room() == "service/core"
			switch {
			case s.room() == "service/core" && receiver(f) == "Core." && f.Name.IsExported() && given == "" && exempt[f.Name.Name] == "":
				wrong = append(wrong, fmt.Sprintf("%s: %s asks for no grant", s.path, f.Name.Name))
			case s.room() == "service/core" && receiver(f) == "Core." && given == "_",
				s.room() == "handlers" && given != "" && !uses(f.Body, given):
				wrong = append(wrong, fmt.Sprintf("%s: %s does not use its grant", s.path, f.Name.Name))
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(exempt)) {
		if !there[name] {
			wrong = append(wrong, name+" is no use case any more")
		}
	}
	return wrong
}

// isGrant reports whether a type is a grant.
func isGrant(e ast.Expr) bool {
	index, ok := e.(*ast.IndexExpr)
	return ok && dotted(index.X) == "access.Grant"
}

// grantOf returns the name of a function's parameter that is a grant, "" for none.
func grantOf(f *ast.FuncDecl) string {
	for _, p := range f.Type.Params.List {
		if (isGrant(p.Type) || dotted(p.Type) == "access.AnyGrant") && len(p.Names) == 1 {
			return p.Names[0].Name
		}
	}
	return ""
}

// uses reports whether a handler hands its grant to a use case.
func uses(body ast.Node, name string) bool {
	used := false
	ast.Inspect(body, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		if _, of := called(call.Fun); strings.HasSuffix(of, ".core") {
			used = used || slices.ContainsFunc(call.Args, func(arg ast.Expr) bool { return dotted(arg) == name })
		}
		return true
	})
	return used
}

func TestHouse_EveryUseCaseAsksForItsGrant(t *testing.T) {
	_, sources := openHouse(t)
	report(t, unguarded(sources, ungranted))
}

func TestHouse_MissingGrantsAreNoticed(t *testing.T) {
	const head = "import \"vserver/service/access\"\n"
	sources, err := load(fstest.MapFS{
		"service/core/c.go": {Data: []byte("package core\n" + head +
			"func (c *Core) Bare() {}\nfunc (c *Core) Free() {}\nfunc (c *Core) bare() {}\nfunc (c *Core) Blind(_ access.Grant[access.ViewTasks]) {}\n" +
			"func (c *Core) Right(g access.Grant[access.ViewTasks]) { access.Embedded[access.ViewNodes](g) }\n" +
			"func f(a access.Actor) { access.Judge[access.ViewTasks](a) }\n" +
			"var x = access.Grant[access.ViewTasks]{}\nfunc g() { var y access.Grant[access.ViewTasks]; new(access.Grant[access.ViewTasks]) }\n")},
		"handlers/h.go": {Data: []byte("package handlers\n" + head +
			"func (s *S) right(g access.Grant[access.ViewTasks]) { s.core.Tasks(g); access.Judge[access.ViewTasks](a) }\n" +
			"func (s *S) blind(g access.Grant[access.ViewTasks]) { s.core.Tasks(); s.other(g) }\n")},
		"service/access/a.go": {Data: []byte("package access\nvar x = Grant[P]{}\n")},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"handlers/h.go: blind does not use its grant",
		"service/core/c.go:8:26: only an entrance judges",
		"service/core/c.go:9:9: only access makes a grant",
		"service/core/c.go:10:16: only access makes a grant",
		"service/core/c.go:10:50: only access makes a grant",
		"service/core/c.go: Bare asks for no grant",
		"service/core/c.go: Blind does not use its grant",
		"Gone is no use case any more",
	}
	if got := unguarded(sources, map[string]string{"Free": "a reason", "Gone": "a reason"}); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
