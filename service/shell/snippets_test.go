package shell_test

import (
	"os"
	"strings"
	"testing"

	"vserver/service/access"
	"vserver/service/core"
)

// The statements of the documentation's Shell section run in one session on a fresh
// database as they stand there. Only the name of the new user and the placeholder of
// an existing one are other ones (/docs/developing#acceptance, row 153).
func TestSnippetsOfTheDocumentation(t *testing.T) {
	b := newFixture(t)
	out := b.does(snippets(t))
	for _, want := range []string{
		"<Rule 1: 'node', operation: Operation.VIEW, scope: Scope.GLOBAL>\n",
		"<Role 3: 'node', description: NODE, 0 user(s)>\n",
		"[<Result 1: 'some-name', organization: IKNL, collaboration: collaboration-name, is_complete: False>, " +
			"<Result 2: 'some-name', organization: IKNL, collaboration: collaboration-name, is_complete: False>]\n[]\n<Result 1: 'some-name'",
	} {
		if !strings.Contains(out+"\n", b.filled(want)) {
			t.Errorf("the output lacks %s:\n%s", want, out)
		}
	}
	for query, want := range map[string]string{
		`SELECT id, name, country FROM organization ORDER BY id`:                                                                                            "1 root <nil>, 2 IKNL Netherlands, 3 IKNL Netherlands",
		`SELECT id, name, organization_id FROM role WHERE id > 7`:                                                                                           "8 role-name <nil>",
		`SELECT role_id, rule_id FROM role_rule WHERE role_id > 7`:                                                                                          "8 1",
		`SELECT user_id, rule_id FROM user_rule`:                                                                                                            "1 1",
		`SELECT user_id, role_id FROM user_role WHERE user_id > 1`:                                                                                          "2 3",
		`SELECT id, firstname, lastname, organization_id FROM "user" ORDER BY id`:                                                                           "1 Brandnew <nil> 1, 2 John Doe 2",
		`SELECT id, name, CASE WHEN encrypted THEN 1 ELSE 0 END FROM collaboration`:                                                                         "1 collaboration-name 0",
		`SELECT organization_id, collaboration_id FROM member ORDER BY 1`:                                                                                   "2 1, 3 1",
		`SELECT id, name, organization_id, collaboration_id FROM node`:                                                                                      "3 IKNL Node - Collaboration collaboration-name 2 1",
		`SELECT id, run_id, parent_id, database, initiator_id, init_user_id FROM task`:                                                                      "1 1 <nil> default 2 <nil>, 2 1 1 default 2 <nil>",
		`SELECT r.id, r.task_id, r.organization_id, r.collaboration_id, r.status, p.input FROM result r JOIN payload p ON p.result_id = r.id ORDER BY r.id`: "1 1 2 1 <nil> {}, 2 1 3 1 <nil> {}",
		`SELECT COUNT(*) FROM result WHERE assigned_at IS NOT NULL AND finished_at IS NULL`:                                                                 "2",
		`SELECT value FROM counter WHERE name = 'run'`:                                                                                                      "1",
		`SELECT SUM(tasks), SUM(results) FROM extent`:                                                                                                       "2 2",
	} {
		if got := b.stored(query); got != want {
			t.Errorf("%s\ngives %s\nwant  %s", query, got, want)
		}
	}
	b.snippetsLogIn(out)
}

// snippetsLogIn tries the credentials that the documentation's statements make.
func (b *fixture) snippetsLogIn(out string) {
	b.Helper()
	for username, password := range map[string]string{"root": "something-new", "john": "super-secret"} {
		who, err := b.core.LogIn(b.Context(), username, password, nil, core.Origin{})
		if err != nil || username == "john" && who.Rules != access.Of(2, 4, 10, 15, 16, 18, 21, 27, 47) {
			b.Errorf("%s: %+v, %v", username, who, err)
		}
	}
	if _, err := b.core.LogIn(b.Context(), "root", "root", nil, core.Origin{Here: true}); err == nil {
		b.Error("the old password works")
	}
	var key string
	for line := range strings.Lines(out) {
		if line = strings.TrimSpace(line); strings.Count(line, "-") == 4 && len(line) == 36 {
			key = line
		}
	}
	if who, err := b.core.LogInNode(b.Context(), key, core.Origin{}); err != nil || who.ID != 3 || who.CollaborationID != 1 {
		b.Errorf("the node with key %q: %+v, %v", key, who, err)
	}
}

func snippets(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("testdata/snippets.py")
	if err != nil {
		t.Fatal(err)
	}
	return strings.NewReplacer(`username="root",`, `username="john",`, "some-existing-username", "root").Replace(string(text))
}

// As the documentation has it, the new user would take a name that is in use. That
// is said, and the session goes on.
func TestSnippetWithANameInUse(t *testing.T) {
	b := newFixture(t)
	_, faults := b.run(strings.Replace(snippets(t), `username="john"`, `username="root"`, 1))
	if faults != "IntegrityError: there is another User with the same username (line 88)\n" {
		t.Errorf("got %s", faults)
	}
	if got := b.stored(`SELECT COUNT(*) FROM result`); got != "2" {
		t.Errorf("%s results, the session did not go on", got)
	}
}
