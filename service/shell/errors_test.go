package shell_test

import (
	"context"
	"io"
	"slices"
	"strings"
	"testing"

	"vserver/queries"
	"vserver/service/bus"
	"vserver/service/core"
	"vserver/service/shell"
)

// What the database refuses is said in a line, undone as a whole, and stands in
// nobody's way afterwards.
func TestConstraints(t *testing.T) {
	for name, c := range map[string]struct{ code, want string }{
		"username":      {"db.User(username='root').save()", "there is another User with the same username"},
		"email":         {"db.User(username='x', email='root@domain.ext').save()", "there is another User with the same email"},
		"collaboration": {"for i in range(2):\n    db.Collaboration(name='c').save()", "there is another Collaboration with the same name"},
		"node": {
			"o = db.Organization.get(1)\nc = db.Collaboration(name='c')\nfor i in range(2):\n    db.Node(organization=o, collaboration=c).save()",
			"there is another Node with the same organization_id and collaboration_id",
		},
		"API key": {"for i in range(2):\n    db.Node(api_key='k').save()", "there is another Node with the same api_key"},
		"rule":    {"db.Rule(name='node', scope=Scope.GLOBAL, operation=Operation.VIEW).save()", "there is another Rule with the same name and scope and operation"},
		"no such row": {
			"db.User(username='x', organization_id=99).save()",
			"what this User refers to is not in the database",
		},
		"check": {"db.Rule(name='x').save()", "Rule: operation has no value that the database could take"},
		"change": {
			"u = db.User(username='x')\nu.save()\nu.username = 'root'\nu.save()",
			"there is another User with the same username",
		},
		"within a list": {
			"r = db.Role(name='x', users=[db.User(username='root')])\nr.save()",
			"there is another User with the same username",
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newFixture(t)
			before := strings.Count(c.code, "\n") + 1
			_, faults := b.run(c.code)
			if want := "IntegrityError: " + c.want + " (line "; !strings.HasPrefix(faults, want) || strings.Count(faults, "\n") != 1 {
				t.Errorf("%d lines of code give %s", before, faults)
			}
			if c.want != "" && name == "within a list" && b.stored("SELECT COUNT(*) FROM role WHERE name = 'x'") != "0" {
				t.Error("half of it was stored")
			}
			b.does("o = db.Organization(name='after')\no.save()")
		})
	}
}

// After a fault new objects can be put right and saved again; changes of stored ones
// are given up.
func TestAfterAFault(t *testing.T) {
	b := newFixture(t)
	b.does("org = db.Organization.get(1)\nuser = db.User(username='root', organization=org, roles=[db.Role.get(3)])\norg.name = 'changed'\norg.users")
	if _, faults := b.run("user.save()"); !strings.Contains(faults, "IntegrityError") {
		t.Fatal(faults)
	}
	b.says("org.name, user.id, user.username, len(user.roles)", "('root', None, 'root', 1)")
	b.does("user.username = 'john'\nuser.save()")
	b.says("[u.username for u in org.users], [r.id for r in user.roles], org.name", "(['root', 'john'], [3], 'root')")
	b.says("len(db.User.get())", "2")
}

func TestFaultsOfStatements(t *testing.T) {
	b := newFixture(t)
	b.does(world)
	for code, want := range map[string]string{
		"nope":                                      "NameError: name 'nope' is not defined (line 1)",
		"\n\ndb.Nope":                               "AttributeError: module has no .Nope field or method",
		"org.nope":                                  "AttributeError: Organization has no .nope field or method",
		"org.nope = 1":                              "AttributeError: an Organization has no column or relation nope; db.Organization.help() lists them (line 1)",
		"org.save = 1":                              "AttributeError: save of an Organization cannot be set (line 1)",
		"db.User(nope=1)":                           "TypeError: 'nope' is an invalid keyword argument for User (line 1)",
		"db.User(id=1)":                             "AttributeError: id of a User cannot be set: the database gives it (line 1)",
		"db.User(organization=1)":                   "TypeError: organization of a User: 1 is no Organization (line 1)",
		"db.User(organization=db.Role.get(1))":      "is no Organization (line 1)",
		"db.User(roles=1)":                          "TypeError: roles of a User: 1 is no list of Role (line 1)",
		"db.User(roles=[1])":                        "TypeError: roles of a User: 1 is no Role (line 1)",
		"user.roles.append(1)\nuser.save()":         "TypeError: roles of a User: 1 is no Role (line 2)",
		"task.run_id = 'x'":                         "TypeError: run_id of a Task: 'x' is no whole number (line 1)",
		"collab.encrypted = None":                   "TypeError: encrypted of a Collaboration: None is no truth value (line 1)",
		"result.finished_at = 'soon'":               "TypeError: finished_at of a Result: 'soon' is no datetime (line 1)",
		"result.input = [len]":                      "TypeError: input of a Result: [<built-in function len>] has no form in JSON (line 1)",
		"rule = db.Rule.get(1)\nrule.scope = 'glo'": "TypeError: scope of a Rule: 'glo' is no Scope (line 2)",
		"Scope('glo')":                              "TypeError: 'enum' object is not callable; behind the dot of Scope are COLLABORATION, GLOBAL, ORGANIZATION, OWN (line 1)",
		"Scope['GLOBAL']":                           "TypeError: unhandled index operation enum[string]; write a member, as in Scope.GLOBAL (line 1)",
		"[s for s in Scope]":                        "TypeError: enum value is not iterable; write its members, as in [Scope.OWN, Scope.GLOBAL] (line 1)",
		"org.users[9]":                              "IndexError: list index 9 out of range",
		"{}['x']":                                   "KeyError: key \"x\" not in dict",
		"1/0":                                       "ZeroDivisionError: floating-point division by zero (line 1)",
		"1 + 'a'":                                   "TypeError: unknown binary op: int + string",
		"def f():\n    return f()\n\nf()":           "RecursionError: function f called recursively",
		"x = (":                                     "SyntaxError: got end of file",
		"x = 'a":                                    "SyntaxError: a text is not closed in its line; a text over several lines stands in \"\"\" (line 1)",
		"class X:\n    pass":                        "SyntaxError: got class",
		"import os":                                 "ModuleNotFoundError: No module named 'os'; this shell has datetime, db, json, uuid",
		"from uuid import x":                        "ImportError: cannot import name 'x' from 'uuid'; it has uuid1, uuid4 (line 1)",
		"f'{1:x5}'":                                 "SyntaxError: an f-string takes no format after : here; write str(…) or repr(…), and strftime(…) of a date (line 1)",
		"from uuid import uuid1\nuuid1().hex":       "AttributeError: string has no .hex field or method; write replace(\"-\", \"\") (line 2)",
		"datetime.datetime(2024, 2, 30)":            "ValueError: there is no such date (line 1)",
		"datetime.timedelta(days=1)":                "AttributeError: datetime has no timedelta here; compare with a date, as in datetime.datetime(2024, 5, 31) (line 1)",
		"from datetime import timedelta":            "AttributeError: datetime has no timedelta here; compare with a date",
		"datetime.datetime.fromisoformat('x')":      "AttributeError: datetime.datetime has no fromisoformat here; write datetime.datetime(2024, 5, 31), or set the column to the text itself (line 1)",
		"datetime.datetime.now().timestamp()":       "AttributeError: datetime.datetime has no timestamp here; write strftime('%s') (line 1)",
		"datetime.datetime.now() - 1":               "TypeError: dates are compared here, not calculated with: compare with a date, as in datetime.datetime(2024, 5, 31) (line 1)",
		"db.User.get('x')":                          "TypeError: 'x' is no whole number (line 1)",
		"db.User.get(1, 2)":                         "TypeError: get: got 2 arguments, want at most 1",
		"uuid()":                                    "TypeError: 'module' object is not callable; behind the dot of uuid are uuid1, uuid4 (line 1)",
		"a = db.Task()\nb = db.Task(parent=a)\na.parent = b\nb.save()": "CircularDependencyError: new objects refer to each other; save one of them first (line 4)",
	} {
		_, faults := b.run(code)
		if !strings.Contains(faults, want) || strings.Count(faults, "\n") != 1 {
			t.Errorf("%s\ngives %s\nwant  %s", code, faults, want)
		}
	}
	b.says("1", "1")
}

// What another process changes shows after the next save, and what it deleted can
// be told from what never was.
func TestOthersChange(t *testing.T) {
	b := newFixture(t)
	b.does(world)
	other := b.another()
	if out, faults := other.run("o = db.Organization.get(2)\no.country = 'Norway'\no.save()\ndb.Node.get(3).delete()"); faults != "" {
		t.Fatal(out, faults)
	}
	b.does("org.name = 'new'\nuser.lastname = 'L'\nuser.save()")
	b.says("org.name, org.country, org.nodes", "('new', 'Norway', [])")
	b.says("node.name", "ObjectDeletedError: the Node with id 3 is not in the database any more (line 1)")
	b.says("node.save()", "ObjectDeletedError: the Node with id 3 is not in the database any more (line 1)")
	b.says("print(node)", "<Node 3: 'n', organization: new, collaboration: c, api_key: "+b.core.DigestAPIKey("key")+" >")
	if got := b.stored("SELECT name, country FROM organization WHERE id = 2"); got != "new Norway" {
		t.Errorf("stored is %s", got)
	}
}

// another is a session of another process on the same database.
func (b *fixture) another() *fixture {
	b.Helper()
	other := &fixture{T: b.T, src: b.src}
	var err error
	if other.db, err = queries.Open(b.Context(), b.src); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = other.db.Close() })
	if other.core, err = newCore(b.Context(), other.db); err != nil {
		b.Fatal(err)
	}
	other.shell = shell.New(other.core, other.db, shell.Options{Out: &other.out, Err: &other.err})
	return other
}

// A save leaves alone what it was not asked to change.
func TestSaveWritesWhatWasSet(t *testing.T) {
	b := newFixture(t)
	b.does(world)
	b.does("node.name, result.input, user.username")
	other := b.another()
	if _, faults := other.run("n = db.Node.get(3)\nn.status = 'online'\nn.save()\nr = db.Result.get(1)\nr.log = 'l'\nr.save()"); faults != "" {
		t.Fatal(faults)
	}
	b.does("node.name = 'renamed'\nresult.status = 'active'\nnode.save()")
	if got := b.stored(`SELECT n.name, a.status, r.status, p.log FROM node n JOIN authenticatable a ON a.id = n.id, result r JOIN payload p ON p.result_id = r.id`); got != "renamed online active l" {
		t.Errorf("stored is %s", got)
	}
}

// Inputs, results and logs keep every control character and halves of surrogate pairs;
// what is no text at all is refused.
func TestOpaqueTextsStayWhatTheyAre(t *testing.T) {
	b := newFixture(t)
	b.does(world)
	b.does(`result.log = 'done\x00\x1b\u0085'
result.result = b'a\xed\xa0\x80z'
result.save()`)
	b.does("other = db.Result(task=task, input=db.Result.get(1).result, log=db.Result.get(1).log)\nother.save()")
	if got := b.stored(`SELECT r.id, p.input, p.result, p.log FROM result r JOIN payload p ON p.result_id = r.id ORDER BY r.id DESC`); !strings.HasPrefix(got, "2 a\xed\xa0\x80z <nil> done\x00\x1b\u0085, ") {
		t.Errorf("stored is %q", got)
	}
	b.says("db.Result.get(2).log, db.Result.get(2).input", `('done\x00\x1b\u0085', 'a\ud800z')`)
	for _, code := range []string{"result.log = b'\\xff'", "org.name = b'\\xed\\xa0\\x80'"} {
		if _, faults := b.run(code); !strings.Contains(faults, "no characters") {
			t.Errorf("%s: %s", code, faults)
		}
	}
}

// Lists are saved with their owner, from both sides.
func TestLists(t *testing.T) {
	b := newFixture(t)
	b.does(world)
	b.does("user.roles.remove(db.Role.get(4))\nuser.rules = []\nuser.save()")
	b.says("[r.id for r in user.roles], user.rules", "([8], [])")
	b.does("role.users.append(db.User.get(1))\nrole.rules.clear()\nrole.save()")
	b.says("[u.id for u in role.users], role.rules, [r.id for r in db.User.get(1).roles]", "([1, 2], [], [1, 8])")
	b.does("other = db.Organization(name='o')\nother.users = org.users\nother.collaborations.append(collab)\nother.save()")
	b.says("[u.id for u in other.users], org.users, user.organization.name, [o.id for o in collab.organizations]", "([2], [], 'o', [2, 3])")
	b.does("other.users.remove(user)\nother.save()")
	b.says("user.organization, user.organization_id", "(None, None)")
	b.does("org.users.append(user)\nother.users = [user]\nother.save()")
	b.says("user.organization in [org, other]", "True")
	b.does("db.User.get(1).rules.append(db.Rule.get(5))\norg.save()")
	b.says("db.User.get(1).rules", "[<Rule 5: 'node', operation: Operation.CREATE, scope: Scope.GLOBAL>]")
}

// Every save and every delete is one transaction that the running servers notice.
func TestChangesAreCounted(t *testing.T) {
	b := newFixture(t)
	for _, code := range []string{"o = db.Organization()\no.save()", "o.name = 'x'\no.save()", "o.delete()"} {
		before := b.stored("SELECT value FROM counter WHERE name = 'changes'")
		b.does(code)
		if after := b.stored("SELECT value FROM counter WHERE name = 'changes'"); after == before || after == "" {
			t.Errorf("%s is not counted: %s after %s", code, after, before)
		}
	}
}

// Nobody is told of what is made here, as the documentation warns
// (/docs/developing#acceptance, row 139): the only news are that rights may have changed.
func TestNothingIsAnnounced(t *testing.T) {
	b := newFixture(t)
	var topics []string
	b.core.Listen(func(m bus.Message) { topics = append(topics, m.Topic) })
	b.does(world)
	b.does("task.delete()")
	if len(topics) != 5 || slices.ContainsFunc(topics, func(topic string) bool { return topic != core.TopicRights }) {
		t.Errorf("announced is %q", topics)
	}
}

// No secret is shown, or stored, in clear, from the moment on that it is set.
func TestSecrets(t *testing.T) {
	const clear = "S3cret-in-clear"
	b := newFixture(t)
	var shown strings.Builder
	for _, code := range []string{
		"user = db.User(username='x', password='" + clear + "')", "user.password", "user", "print(user.password, [user])", "user.save()",
		"user.password", "user.password = '" + clear + "2'", "user.password", "user.save()", "user.set_password('" + clear + "3')",
		"node = db.Node(name='n', api_key='" + clear + "4')", "node", "node.save()", "node.api_key", "db.Node.get()",
		"user.password = None", "user.email = 'root@domain.ext'", "user.password = '" + clear + "5'", "user.save()", "user.nope = 1",
	} {
		out, faults := b.run(code)
		shown.WriteString(out + faults)
	}
	if strings.Contains(shown.String(), clear) || strings.Count(shown.String(), "'$2b$04$") < 3 {
		t.Errorf("it shows\n%s", shown.String())
	}
	all := ""
	for _, query := range []string{`SELECT * FROM "user"`, "SELECT * FROM node", "SELECT * FROM authenticatable", "SELECT * FROM counter"} {
		all += b.stored(query)
	}
	if strings.Contains(all, clear) || !strings.Contains(all, "$2b$04$") {
		t.Errorf("it stores %s", all)
	}
}

// A new password or key ends what the old one opened, and works.
func TestNewSecretsEndSessions(t *testing.T) {
	b := newFixture(t)
	b.does(world)
	generations := func() string {
		return b.stored("SELECT id, refresh_generation, access_era FROM authenticatable ORDER BY id")
	}
	if got := generations(); got != "1 0 0, 2 1 0, 3 1 1" {
		t.Errorf("at first: %s", got)
	}
	b.does("user.password = 'N3w-password'\nuser.save()\nnode.api_key = 'x'\nnode.save()\nnode.name = 'm'\nnode.save()")
	if got := generations(); got != "1 0 0, 2 2 0, 3 2 2" {
		t.Errorf("then: %s", got)
	}
	for password, want := range map[string]bool{"pw": false, "N3w-password": true} {
		if _, err := b.core.LogIn(b.Context(), "john", password, nil, core.Origin{}); (err == nil) != want {
			t.Errorf("log-in with %s: %v", password, err)
		}
	}
	for key, want := range map[string]bool{"key": false, "x": true} {
		if _, err := b.core.LogInNode(b.Context(), key, core.Origin{}); (err == nil) != want {
			t.Errorf("log-in with key %s: %v", key, err)
		}
	}
	b.does("root = db.User.get(1)\nroot.password = 'root2'\nroot.save()")
	if _, err := b.core.LogIn(b.Context(), "root", "root2", nil, core.Origin{}); err != nil {
		t.Errorf("the first user from another machine: %v", err)
	}
	b.says("user.set_password('weak')", "'Password too short: use at least 8 characters with mixed lowercase, uppercase, numbers and special characters'")
	b.says("user.set_password('G00d-password')", "")
	b.says("user.check_password('G00d-password')", "True")
}

// A second factor is stored sealed, and a new one ends what the old one opened.
func TestSecondFactorIsSealed(t *testing.T) {
	b := newFixture(t)
	b.does(world)
	const secrets = `SELECT COUNT(*) FROM "user" WHERE otp_secret LIKE 'v1:%' AND otp_secret NOT LIKE '%JBSWY3DPEHPK3PXP%'`
	b.does("user.otp_secret = 'JBSWY3DPEHPK3PXP'\nuser.save()")
	if got := b.stored(secrets); got != "1" {
		t.Errorf("%s sealed secrets are stored", got)
	}
	b.says("user.otp_secret[:3], user.otp_secret == 'JBSWY3DPEHPK3PXP'", "('v1:', False)")
	b.does("user.firstname = 'J'\nuser.save()\ndb.User(username='made', otp_secret='JBSWY3DPEHPK3PXP').save()")
	if got := b.stored(secrets); got != "2" {
		t.Errorf("%s sealed secrets are stored", got)
	}
	b.says("user.otp_secret = 'no base32'\nuser.save()", "OperationalError: otp_secret must be base32 (line 2)")
	before := b.stored("SELECT access_era FROM authenticatable WHERE id = 2")
	b.does("user.otp_secret = None\nuser.save()")
	b.says("user.otp_secret == None", "True")
	if after := b.stored("SELECT access_era FROM authenticatable WHERE id = 2"); after == before {
		t.Error("log-ins go on")
	}
}

func TestLanguage(t *testing.T) {
	b := newFixture(t)
	for code, want := range map[string]string{
		"x = 1; x; x + 1": "1\n2", "None": "", "7\n_ + 1": "7\n8", "print('a', 1, [None, 'b'], sep='-', end='!\\n')": "a-1-[None, 'b']!",
		"str(1.5), str(), repr('a'), str([1, 'a'])": "('1.5', '', \"'a'\", \"[1, 'a']\")",
		"d = datetime.datetime(2024, 5, 6, 7, 8, 9, 10)\nd, str(d), d.isoformat(), d.year, d.strftime('%d.%m.%y %f %%')":                            "(datetime.datetime(2024, 5, 6, 7, 8, 9, 10), '2024-05-06 07:08:09.000010', '2024-05-06T07:08:09.000010', 2024, '06.05.24 000010 %')",
		"import json\njson.loads(json.dumps({'a': [1]}))":                                                                                           "{'a': [1]}",
		"import uuid\nfrom uuid import uuid1, uuid4\nlen(str(uuid1())), len(uuid.uuid4()), uuid1() != uuid1(), type(uuid1())":                       "(36, 36, True, 'string')",
		"from vantage6.server import db as d\nfrom vantage6.server.model.rule import Scope as S, Operation\nd is db, S is Scope, S is not d":        "(True, True, True)",
		"import datetime as dt\nfrom datetime import datetime as d\ndt.datetime(2024, 1, 1) == d(2024, 1, 1)":                                       "True",
		"import datetime\ndatetime.datetime.now() > datetime.datetime(2024, 1, 1), [datetime.datetime.utcnow()][0] < datetime.datetime(2024, 1, 1)": "(True, False)",
		"name = 'é'\nf'{1 + 1} {name} {datetime.datetime(2024, 5, 6).strftime(\"%Y\")} {True} {[name]}{{}}'":                                        "\"2 é 2024 True ['é']{}\"",
		"d = datetime.datetime(2024, 5, 6, 7, 8, 9)\nd.strftime('%A %-d %B, %j %V %I %p %T %z é'), f\"{d}\"":                                        "('Monday 6 May, 127 19 07 AM 07:08:09 +0000 é', '2024-05-06 07:08:09')",
		"total = 0\nfor i in range(3):\n    total += i\n\n    total += 1\ntotal":                                                                    "6",
		"def f(x):\n    return x * 2\nf(4)": "8", "while True:\n    break\n1": "1",
		"sorted([r.id for r in db.Role.get() if 'iewer' in r.name or r.name is None])": "[4]",
		"ctx.name, ctx.environment": "('', '')",
	} {
		b.says(code, want)
	}
	help := b.does("help(Scope)\nhelp(1)\nhelp(db.Role.get(1))")
	if !strings.Contains(help, "<enum 'Scope'>\n\nBehind the dot: COLLABORATION, GLOBAL, ORGANIZATION, OWN\n") || !strings.Contains(help, "Table: role\n") {
		t.Errorf("help says %s", help)
	}
}

func TestExit(t *testing.T) {
	b := newFixture(t)
	for code, want := range map[string]int{
		"exit\n1": 0, "quit()\n1": 0, "exit(3)\n1": 3, "exit('why')": 1, "nope\n": 1, "nope\nexit(0)": 0, "1": 0, "": 0, "if True:\n    exit(2)\n": 2,
	} {
		b.out.Reset()
		got, err := b.shell.Script(t.Context(), strings.NewReader(code))
		if got != want || err != nil || code != "1" && b.out.Len() > 0 {
			t.Errorf("%q ends with %d, %v, having said %q", code, got, err, b.out.String())
		}
	}
}

// A session ends with its context, in the middle of a statement too.
func TestInterrupt(t *testing.T) {
	b := newFixture(t)
	ctx, cancel := context.WithCancel(t.Context())
	read := make(chan struct{})
	go func() {
		<-read
		cancel()
	}()
	code, err := b.shell.Script(ctx, &slowly{text: "while True:\n    x = 1\n", read: read})
	if code != 1 || err == nil || !strings.Contains(b.err.String(), "KeyboardInterrupt") {
		t.Errorf("ended with %d, %v, %s", code, err, b.err.String())
	}
}

// slowly is a text that tells when it was read.
type slowly struct {
	text string
	read chan struct{}
}

func (s *slowly) Read(p []byte) (int, error) {
	if s.text == "" {
		close(s.read)
		return 0, io.EOF
	}
	n := copy(p, s.text)
	s.text = s.text[n:]
	return n, nil
}
