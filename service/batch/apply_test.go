package batch_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"vserver/queries"
	"vserver/queries/dbtest"
	"vserver/service/access"
	"vserver/service/batch"
	"vserver/service/core"
	"vserver/service/fault"
)

// The import file of the recorded conversations makes the rows of /docs/import#effects,
// with its ids, and the second time nothing. That of the documentation is taken
// after a drop, below.
func TestKnownFile(t *testing.T) {
	b := newBed(t)
	file := read(t, "testdata/fixtures.yaml")
	report, err := b.imports(file, batch.Options{})
	if err != nil || len(file.Warnings) > 0 {
		t.Fatal(err, file.Warnings)
	}
	counts := ""
	for _, k := range batch.Kinds() {
		counts += fmt.Sprintf("%s %d ", k, report.Count(batch.Created, k))
	}
	if counts != "organization 3 role 3 user 6 collaboration 3 node 7 task 4 result 9 " || len(report.Changes) != 35 {
		t.Errorf("the report counts %s", counts)
	}
	b.wants(fixtureRows)
	b.wants(map[string]string{`SELECT email FROM "user" WHERE id > 5 ORDER BY id`: "stan@small-organization.example, admin@big-organization.example"})
	again, err := b.imports(file, batch.Options{})
	if err != nil || again.Count(batch.Unchanged, "") != 22 || len(again.Changes) != 22 {
		t.Errorf("the second time: %+v, %v", again, err)
	}
	b.wants(fixtureRows)
}

var fixtureRows = map[string]string{
	"SELECT id, name, domain, address1, zipcode, country FROM organization ORDER BY id": "1 root <nil> <nil> <nil> <nil>, " +
		"2 IKNL iknl.nl Godebaldkwartier 419 3511DT Netherlands, " +
		"3 Small Organization small-organization.example Big Ambitions Drive 4 1234AB Nowhereland, " +
		"4 Big Organization big-organization.example Offshore Accounting Drive 19 54331 Nowhereland",
	"SELECT COUNT(*) FROM organization WHERE address2 IS NULL": "4",
	"SELECT id, username, firstname, organization_id FROM \"user\" ORDER BY id": "1 root <nil> 1, 2 admin admin 2, 3 frank@iknl.nl Frank 2, " +
		"4 melle@iknl.nl Melle 2, 5 admin@small-organization.example admin 3, 6 stan Stan 3, 7 admin@big-organization.example admin 4",
	"SELECT user_id, role_id FROM user_role ORDER BY user_id": "1 1, 2 8, 3 8, 4 8, 5 9, 6 9, 7 10",
	"SELECT r.id, r.name, r.organization_id, COUNT(*) FROM role r JOIN role_rule rr ON rr.role_id = r.id WHERE r.id > 7 GROUP BY r.id, r.name, r.organization_id ORDER BY r.id": "8 super 2 53, 9 super 3 53, 10 super 4 53",
	"SELECT COUNT(*) FROM user_rule": "0",
	"SELECT id, name, organization_id, collaboration_id FROM node ORDER BY id": "8 IKNL - ZEPPELIN Node 2 1, 9 Small Organization - ZEPPELIN Node 3 1, " +
		"10 Big Organization - ZEPPELIN Node 4 1, 11 IKNL - PIPELINE Node 2 2, 12 Big Organization - PIPELINE Node 4 2, " +
		"13 Small Organization - SLIPPERS Node 3 3, 14 Big Organization - SLIPPERS Node 4 3",
	"SELECT type, COUNT(*) FROM authenticatable GROUP BY type ORDER BY type":                                                                             "node 7, user 7",
	"SELECT id, name, CASE WHEN encrypted THEN 1 ELSE 0 END, (SELECT SUM(tasks) FROM extent WHERE collaboration_id = id) FROM collaboration ORDER BY id": "1 ZEPPELIN 0 1, 2 PIPELINE 0 1, 3 SLIPPERS 0 2",
	"SELECT collaboration_id, organization_id FROM member ORDER BY 1, 2":                                                                                 "1 2, 1 3, 1 4, 2 2, 2 4, 3 3, 3 4",
	"SELECT id, name, description, image, collaboration_id, run_id, parent_id, database, initiator_id, init_user_id FROM task ORDER BY id": "1 Example task <nil> hello-world 1 1 <nil> <nil> 2 <nil>, " +
		"2 Example task <nil> hello-world 2 2 <nil> <nil> 2 <nil>, 3 Example task <nil> hello-world 3 3 <nil> <nil> 3 <nil>, " +
		"4 Example task <nil> hello-world 3 4 <nil> <nil> 3 <nil>",
	"SELECT r.id, r.task_id, r.organization_id, r.status, p.input, p.result FROM result r JOIN payload p ON p.result_id = r.id ORDER BY r.id": "1 1 2 pending c29tZXRoaW5n <nil>, " +
		"2 1 3 pending c29tZXRoaW5n <nil>, 3 1 4 pending c29tZXRoaW5n <nil>, 4 2 2 pending c29tZXRoaW5n <nil>, 5 2 4 pending c29tZXRoaW5n <nil>, " +
		"6 3 3 pending c29tZXRoaW5n <nil>, 7 3 4 pending c29tZXRoaW5n <nil>, 8 4 3 pending c29tZXRoaW5n <nil>, 9 4 4 pending c29tZXRoaW5n <nil>",
	"SELECT COUNT(*) FROM result WHERE assigned_at IS NOT NULL AND started_at IS NULL AND finished_at IS NULL": "9",
	"SELECT MAX(run_id) FROM task": "4",
	"SELECT COUNT(*), COUNT(DISTINCT public_key) FROM organization WHERE public_key IS NOT NULL": "3 1",
}

// logsIn proves that a password and the API keys of the fixture are taken.
func (b *bed) logsIn() {
	b.Helper()
	who, err := b.core.LogIn(b.Context(), "frank@iknl.nl", "password", nil, core.Origin{})
	if err != nil || who.ID != 3 || who.Rules != access.All {
		b.Errorf("frank: %+v, %v", who, err)
	}
	for i := range 7 {
		who, err := b.core.LogInNode(b.Context(), fmt.Sprintf("123e4567-e89b-12d3-a456-42661417400%d", i+1), core.Origin{})
		if err != nil || who.ID != int64(8+i) {
			b.Errorf("node %d: %+v, %v", 8+i, who, err)
		}
	}
}

// rsaKey is a public key as a node uploads it.
const rsaKey = "LS0tLS1CRUdJTiBQVUJMSUMgS0VZLS0tLS0KTUlHZk1BMEdDU3FHU0liM0RRRUJBUVVBQTRHTkFEQ0JpUUtCZ1FEbms0NVZ5SUVvT2paemxWZ1k0THptTzJ4MQpTYkx0Y1hSZTI5c05FMHFzeXdnYStWTk9BWk1XSXBYZXpDTzAwUGkrZ3NYSzJXQ3A4b3g5QVYzSkdlOGVIV3NFClBjdmhsd2hTSEVCMmlEWExYa3BhNUFwRXAwelZCRXorQ0hDekJIS28zTktlUy96VjZrdmdHamNQUThDWENiUmsKZTRRTWJTTHUrdHAzMGpBeG1RSURBUUFCCi0tLS0tRU5EIFBVQkxJQyBLRVktLS0tLQo="

const small = `
organizations:
- {name: A, domain: a.example, address1: Street 1, address2: , zipcode: 1, country: X, public_key: ` + rsaKey + `, users: [
    {username: ann, firstname: Ann, email: ann@a.example}, {username: bob, roles: [Viewer, super]}]}
collaborations:
- name: C
  participants: [{name: A, api_key: 00000000-0000-0000-0000-000000000001}]
  tasks: [image]
`

func TestImportAddsWhatIsMissing(t *testing.T) {
	b := newBed(t)
	b.must(small)
	more := strings.Replace(small, "]}\ncoll", ", {username: cid}]}\n- {name: B, domain: , address1: , address2: , zipcode: , country: }\ncoll", 1)
	more = strings.Replace(more, "000000000001}", "000000000001}, {name: B, api_key: 00000000-0000-0000-0000-000000000002}, "+
		"{name: root, api_key: 00000000-0000-0000-0000-000000000003}", 1)
	report := b.must(more)
	var created []string
	for _, c := range report.Changes {
		if c.Verdict == batch.Created {
			created = append(created, string(c.Kind)+" "+c.Name)
		}
	}
	want := "user cid, organization B, role super of B, node B - C Node, node root - C Node"
	if got := strings.Join(created, ", "); got != want {
		t.Errorf("created %s, want %s", got, want)
	}
	b.wants(map[string]string{
		"SELECT organization_id FROM member ORDER BY 1":                          "1, 2, 3",
		"SELECT COUNT(*) FROM task":                                              "1",
		"SELECT user_id, role_id FROM user_role WHERE user_id > 1 ORDER BY 1, 2": "2 8, 3 4, 3 8, 5 8",
	})
}

func TestImportTellsTheServer(t *testing.T) {
	b := newBed(t)
	b.must(small)
	if b.news.Load() != 1 {
		t.Errorf("%d messages after an import, want one about rights", b.news.Load())
	}
	b.must(small)
	if b.news.Load() != 1 {
		t.Errorf("%d messages after an import that changed nothing", b.news.Load())
	}
}

// The input of an example task is base64, as every client and algorithm reads it, and
// its results wait for their nodes like those of any other task.
func TestExampleTasksCanBeReadAndWait(t *testing.T) {
	b := newBed(t)
	b.must(small)
	input, err := base64.StdEncoding.DecodeString(b.rows("SELECT input FROM payload"))
	if err != nil || string(input) != "something" {
		t.Errorf("the input is %q, %v", input, err)
	}
	b.wants(map[string]string{
		"SELECT status, CASE WHEN finished_at IS NULL THEN 'open' END FROM result": "pending open",
	})
}

// Earlier releases stored the bare text and no status. What they made stays as it is.
func TestImportChangesNothingThatAnEarlierReleaseMade(t *testing.T) {
	b := newBed(t)
	b.must(small)
	for _, earlier := range []string{"UPDATE payload SET input = " + dbtest.Octets(b.src, "something"), "UPDATE result SET status = NULL"} {
		if _, err := b.sql.ExecContext(t.Context(), earlier); err != nil {
			t.Fatal(err)
		}
	}
	before, inputs := b.everything(), b.rows("SELECT * FROM payload")
	if report := b.must(small); report.Count(batch.Created, "") > 0 {
		t.Errorf("%+v", report)
	}
	if b.everything() != before || b.rows("SELECT * FROM payload") != inputs {
		t.Errorf("before %s\nafter  %s", before, b.everything())
	}
}

// Run ids go on from the highest that a task has, whoever gave it.
func TestRunsGoOnFromTheHighest(t *testing.T) {
	b := newBed(t)
	run, name := int64(50), "by hand"
	err := b.core.Administer(t.Context(), func(ctx context.Context, tx *core.Tx) error {
		return tx.AddTask(ctx, &queries.Task{Name: &name, RunID: &run})
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.imports(read(t, "testdata/fixtures.yaml"), batch.Options{}); err != nil {
		t.Fatal(err)
	}
	b.wants(map[string]string{"SELECT run_id FROM task ORDER BY id": "50, 51, 52, 53, 54"})
}

func TestWhatDiffers(t *testing.T) {
	for name, c := range map[string]struct {
		before string // SQL
		from   string // in the file
		to     string
		kind   batch.Kind
		line   int
		text   string
	}{
		"address":      {"", "Street 1", "Street 2", batch.Organization, 3, `address1 is "Street 1" in the database, "Street 2" in the file`},
		"cleared":      {"", "domain: a.example", "domain: ", batch.Organization, 3, `domain is "a.example" in the database, nothing in the file`},
		"public key":   {"", rsaKey, "LS0tLS1CRUdJTiBQVUJMSUMgS0VZLS0tLS0KTUlHZk1BMEdDU3FHU0liM0RRRUJBUVVBQTRHTkFEQ0JpUUtCZ1FEbms0NVZ5SUVvT2paemxWZ1k0THptTzJ4MQpTYkx0Y1hSZTI5c05FMHFzeXdnYStWTk9BWk1XSXBYZXpDTzAwUGkrZ3NYSzJXQ3A4b3g5QVYzSkdlOGVIV3NFClBjdmhsd2hTSEVCMmlEWExYa3BhNUFwRXAwelZCRXorQ0hDekJIS28zTktlUy96VjZrdmdHamNQUThDWENiUmsKZTRRTWJTTHUrdHAzMGpBeG1RSURBUUFCCi0tLS0tRU5EIFBVQkxJQyBLRVktLS0tLQ==", batch.Organization, 3, "public_key is another one in the database"},
		"first name":   {"", "firstname: Ann", "firstname: Anna", batch.User, 4, `firstname is "Ann" in the database, "Anna" in the file`},
		"e-mail":       {"", "ann@a.example", "a@a.example", batch.User, 4, `email is "ann@a.example" in the database, "a@a.example" in the file`},
		"roles":        {"", "Viewer, super", "super", batch.User, 4, "the user has other roles in the database"},
		"role removed": {"DELETE FROM user_role WHERE user_id = 2", "", "", batch.User, 4, "the user lacks the role super in the database"},
		"rules": {
			"DELETE FROM role_rule WHERE role_id = 8 AND rule_id < 3", "", "", batch.Role, 3,
			"the role lacks 2 of the 53 rules in the database",
		},
		"organization of a user": {
			`UPDATE "user" SET organization_id = 1 WHERE id = 3`, "", "", batch.User, 4,
			"the user belongs to another organization in the database",
		},
		"encrypted":    {"", "tasks: [image]", "encrypted: no", batch.Collaboration, 8, "encrypted is true in the database, false in the file"},
		"API key":      {"", "0001}", "0009}", batch.Node, 7, "the node has another api_key in the database"},
		"not a member": {"DELETE FROM member", "", "", batch.Node, 7, "A is no member of the collaboration in the database"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBed(t)
			b.must(small)
			if c.before != "" {
				if _, err := b.sql.ExecContext(t.Context(), c.before); err != nil {
					t.Fatal(err)
				}
			}
			before := b.everything()
			text := strings.Replace(small, c.from, c.to, 1) + "- {name: new, encrypted: true}\n"
			report, err := b.imports(parse(t, text), batch.Options{})
			if err != nil || report.Count(batch.Differs, "") != 1 {
				t.Fatalf("%+v, %v", report, err)
			}
			for _, d := range report.Changes {
				if d.Verdict == batch.Differs && (d.Kind != c.kind || d.Line != c.line || d.Text != c.text) {
					t.Errorf("got %+v", d)
				}
			}
			if after := b.everything(); after != before {
				t.Errorf("an import that differs changed the database:\n%s\n%s", before, after)
			}
		})
	}
}

// What the file does not say, or what nodes and users change themselves, is not
// compared.
func TestWhatIsNotCompared(t *testing.T) {
	for name, c := range map[string]struct{ before, from, to string }{
		"password":           {"", "firstname: Ann,", "firstname: Ann, password: changed,"},
		"no public key":      {"", "public_key: " + rsaKey + ",", ""},
		"no e-mail":          {"", ", email: ann@a.example", ""},
		"another role":       {"INSERT INTO user_role (user_id, role_id) VALUES (2, 4)", "", ""},
		"no tasks":           {"", "tasks: [image]", ""},
		"more tasks":         {"", "[image]", "[image, image]"},
		"name of a node":     {"UPDATE node SET name = 'other'", "", ""},
		"a second namesake":  {"INSERT INTO organization (name) VALUES ('A')", "", ""},
		"role of all":        {"INSERT INTO role (name) VALUES ('super')", "", ""},
		"role of all, named": {"INSERT INTO role (name) VALUES ('super')", "Viewer, super", "super, Viewer"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBed(t)
			b.must(small)
			if c.before != "" {
				if _, err := b.sql.ExecContext(t.Context(), c.before); err != nil {
					t.Fatal(err)
				}
			}
			report := b.must(strings.Replace(small, c.from, c.to, 1))
			if report.Count(batch.Created, "") != 0 {
				t.Errorf("%+v", report)
			}
		})
	}
}

// Faults that only the database shows: named with their lines, all of them, and
// nothing is written.
func TestFaultsOfTheDatabase(t *testing.T) {
	b := newBed(t)
	b.must(small)
	before := b.everything()
	_, err := b.imports(parse(t, `
organizations:
- {name: new, domain: , address1: , address2: , zipcode: , country: , users: [
    {username: u, email: ann@a.example}, {username: v, roles: [Viewer, Nobody]}]}
collaborations:
- name: D
  participants: [
    {name: A, api_key: 00000000-0000-0000-0000-000000000001},
    {name: Nowhere, api_key: 00000000-0000-0000-0000-000000000002}]
`), batch.Options{})
	want := `x.yaml:4: the e-mail address of user u is that of user ann in the database
x.yaml:4: organization new has no role Nobody, and no default role is called so
x.yaml:8: the api_key of node A - D Node is that of node "A - C Node" in the database
x.yaml:9: there is no organization Nowhere, neither in this file nor in the database`
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
	if after := b.everything(); after != before {
		t.Error("a faulty import changed the database")
	}
}

func TestDryRunChangesNothing(t *testing.T) {
	b := newBed(t)
	for _, o := range []batch.Options{{DryRun: true}, {DryRun: true, DropAll: true, AllowDropAll: true}} {
		before := b.everything()
		report, err := b.imports(parse(t, small), o)
		if err != nil || report.Count(batch.Created, "") != 8 {
			t.Errorf("%+v: %+v, %v", o, report, err)
		}
		if after := b.everything(); after != before || b.news.Load() > 0 {
			t.Errorf("%+v: %d messages\n%s\n%s", o, b.news.Load(), before, after)
		}
	}
}

func TestDropAll(t *testing.T) {
	b := newBed(t)
	b.must(small)
	before := b.everything()
	_, err := b.imports(parse(t, small), batch.Options{DropAll: true})
	if !errors.Is(err, batch.ErrNotAllowed) || b.everything() != before {
		t.Errorf("not allowed: %v", err)
	}
	node, err := b.core.LogInNode(t.Context(), "00000000-0000-0000-0000-000000000001", core.Origin{})
	if err != nil {
		t.Fatal(err)
	}
	o := batch.Options{DropAll: true, AllowDropAll: true}
	_, err = b.imports(parse(t, small+"- {name: D, participants: [{name: Nowhere, api_key: 00000000-0000-0000-0000-000000000002}]}"), o)
	if err == nil || b.everything() != before {
		t.Errorf("a fault after the drop: %v", err)
	}
	if _, err := b.imports(read(t, "testdata/documentation.yaml"), o); err != nil {
		t.Fatal(err)
	}
	b.wants(fixtureRows)
	b.logsIn()
	if _, err := b.core.LogIn(t.Context(), "root", "root", nil, core.Origin{Here: true}); err != nil {
		t.Errorf("root: %v", err)
	}
	if now, err := b.core.Identify(t.Context(), access.User, node.ID); err != nil || now.Era == node.Era || now.Generation == node.Generation {
		t.Errorf("a token of an account that is gone fits its heir: %+v, %v", now, err)
	}
}

// A file that is applied twice at the same time is applied once.
func TestTwoImportsAtOnce(t *testing.T) {
	b := newBed(t)
	text := strings.Replace(small, "firstname: Ann", "password: x", 1)
	var both sync.WaitGroup
	for range 2 {
		both.Go(func() {
			if _, err := parse(t, text).Apply(t.Context(), b.core, batch.Options{}); err != nil {
				t.Errorf("%v", err)
			}
		})
	}
	both.Wait()
	b.wants(map[string]string{`SELECT COUNT(*) FROM organization`: "2", `SELECT COUNT(*) FROM "user"`: "3", "SELECT COUNT(*) FROM node": "1"})
}

func TestProgressAndCancel(t *testing.T) {
	b := newBed(t)
	users := make([]string, 3)
	for i := range users {
		users[i] = fmt.Sprintf("{username: u%d, password: p}", i)
	}
	text := "organizations:\n- {name: A, domain: , address1: , address2: , zipcode: , country: , users: [" + strings.Join(users, ",") + "]}\n"
	ctx, cancel := context.WithCancel(t.Context())
	_, err := parse(t, text).Apply(ctx, b.core, batch.Options{Progress: func(batch.Stage, int, int) { cancel() }})
	if !errors.Is(err, context.Canceled) || b.rows("SELECT COUNT(*) FROM organization") != "1" {
		t.Errorf("cancelled: %v", err)
	}
	var told []string
	_, err = parse(t, text).Apply(t.Context(), b.core, batch.Options{Progress: func(s batch.Stage, done, total int) {
		told = append(told, fmt.Sprintf("%s %d/%d", s, done, total))
	}})
	want := "hashing passwords 1/3, hashing passwords 2/3, hashing passwords 3/3, writing users 3/3"
	if got := strings.Join(told, ", "); err != nil || got != want {
		t.Errorf("got %s, %v", got, err)
	}
}

// Names arrive as they are, whatever characters they have.
func TestNamesOfAllKinds(t *testing.T) {
	b := newBed(t)
	text := `
organizations:
- {name: "a \"b\" \\ 'c' {\u00e9\u4e16\U0001F600} <&> %_", domain: "", address1: 1.50, address2: 0x1F, zipcode: 007, country: NO, users: [{username: "u\"\\/é"}]}
`
	b.must(text)
	b.wants(map[string]string{
		"SELECT name, domain, address1, address2, zipcode, country FROM organization WHERE id = 2": `a "b" \ 'c' {é世😀} <&> %_  1.50 0x1F 007 NO`,
		`SELECT username, password FROM "user" WHERE id = 2`:                                       `u"\/é <nil>`,
	})
	if report := b.must(text); report.Count(batch.Unchanged, "") != 3 {
		t.Errorf("%+v", report)
	}
}

// BenchmarkManyUsers imports 100,000 users without passwords into a new database:
// what an import costs beside bcrypt.
func BenchmarkManyUsers(b *testing.B) {
	var text strings.Builder
	text.WriteString("organizations:\n- name: A\n  domain:\n  address1:\n  address2:\n  zipcode:\n  country:\n  users:\n")
	for i := range 100_000 {
		fmt.Fprintf(&text, "  - username: user%06d\n    firstname: First\n    lastname: Last\n    email: user%06d@a.example\n", i, i)
	}
	for b.Loop() {
		b.StopTimer()
		c := newCore(b)
		b.StartTimer()
		report, err := parse(b, text.String()).Apply(b.Context(), c, batch.Options{})
		if err != nil || report.Count(batch.Created, batch.User) != 100_000 {
			b.Fatal(err)
		}
	}
}

func newCore(t testing.TB) *core.Core {
	t.Helper()
	_, c := open(t, started.Copy(t))
	return c
}

// TestPanicWhileHashingIsAnError: passwords are hashed beside the import, where a panic would
// end the program without a word. Nothing is stored.
func TestPanicWhileHashingIsAnError(t *testing.T) {
	b := newBed(t)
	text := "organizations:\n- {name: A, domain: , address1: , address2: , zipcode: , country: , users: [{username: u, password: p}, {username: v, password: p}]}\n"
	_, err := parse(t, text).Apply(t.Context(), b.core, batch.Options{Progress: func(stage batch.Stage, _, _ int) {
		if stage == batch.Hashing {
			panic("a fault of ours")
		}
	}})
	var p *fault.Panic
	if !errors.As(err, &p) || b.rows("SELECT COUNT(*) FROM organization") != "1" {
		t.Errorf("%v", err)
	}
}
