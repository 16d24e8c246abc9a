package takeover

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"vserver/queries/dbtest"
	"vserver/service/promise"
)

// TestOddRowsAreKeptAndTold: each oddity becomes what the documentation says, whatever else there is.
func TestOddRowsAreKeptAndTold(t *testing.T) {
	onSQLite(t)
	for times, list := range map[string]map[string]oddity{"once": odds, "twice": doubled} {
		for name, odd := range list {
			if !promise.Long() {
				break // all at once tell the same in less time
			}
			t.Run(name+" "+times, func(t *testing.T) {
				p := newPatient(t, dbtest.Reference3111, odd.change...)
				p.wantTold(p.lookAndTake(), odd)
			})
		}
	}
	var changes []string
	for name, odd := range odds {
		if name != "node seen last" {
			changes = append(changes, odd.change...)
		}
	}
	p := newPatient(t, dbtest.Reference3111, changes...)
	lists := p.lookAndTake()
	for name, odd := range odds {
		if name != "node seen last" {
			p.wantTold(lists, odd)
		}
	}
}

// oddity is something that no table of ours takes as it is.
type oddity struct {
	change []string
	told   string // of a change, with its count in front
	query  string
	want   string
}

// lookAndTake returns what a look and then the takeover tell.
func (p *patient) lookAndTake() [][]Change {
	p.Helper()
	looked, err := Look(p.Context(), p.inst, utc)
	p.must(err)
	return [][]Change{looked.Changes, p.take(Options{}).Changes}
}

func (p *patient) wantTold(lists [][]Change, odd oddity) {
	p.Helper()
	for _, list := range lists {
		if odd.told != "" && !slices.ContainsFunc(list, func(c Change) bool { return strings.HasPrefix(fmt.Sprint(c.Count, " ", c.What), odd.told) }) {
			p.Errorf("%q is not told: %+v", odd.told, list)
		}
	}
	if got := fmt.Sprint(p.query(p.src(), odd.query)); got != odd.want {
		p.Errorf("%s: it is %s, want %s", odd.query, got, odd.want)
	}
}

var odds = map[string]oddity{
	"pair thrice": {[]string{`INSERT INTO Member VALUES (2, 9), (2, 9)`}, "3 pairs of Member", `SELECT COUNT(*) FROM member WHERE organization_id = 2 AND collaboration_id = 9`, "[[1]]"},
	"half a pair": {[]string{`INSERT INTO Permission VALUES (NULL, 3), (999, 4)`}, "2 rows of Permission", `SELECT COUNT(*) FROM leftover WHERE origin = 'Permission'`, "[[2]]"},
	"node seen last": {
		[]string{`UPDATE authenticatable SET last_seen = '2026-11-29 09:00:00' WHERE id = 34`}, "1 nodes whose", `SELECT id, collaboration_id FROM node WHERE id IN (5, 34)`, "[[5 <nil>] [34 1]]",
	},
	"three nodes of a pair": {
		[]string{`INSERT INTO authenticatable (id, type) VALUES (50, 'node')`, `INSERT INTO node VALUES (50, 'third', 'x', 1, 2)`}, "2 nodes whose", `SELECT id, collaboration_id FROM node WHERE id IN (5, 34, 50)`, "[[5 1] [34 <nil>] [50 <nil>]]",
	},
	"no encryption told": {[]string{`UPDATE collaboration SET encrypted = NULL WHERE id = 5`}, "1 collaborations that do not say", `SELECT encrypted FROM collaboration WHERE id = 5`, "[[0]]"},
	"orphans":            {[]string{`DELETE FROM task WHERE id = 3`}, "3 result.task_id of a row that is not there", `SELECT id, task_id FROM result WHERE id = 5`, "[[5 <nil>]]"},
	"child of nobody":    {[]string{`UPDATE task SET parent_id = 999 WHERE id = 16`}, "1 task.parent_id of a row", `SELECT parent_id FROM task WHERE id = 16`, "[[<nil>]]"},
	"no time":            {[]string{`UPDATE result SET started_at = 'yesterday' WHERE id = 5`}, "1 result.started_at that is no time", `SELECT started_at, (SELECT content FROM leftover WHERE origin = 'result.started_at') FROM result WHERE id = 5`, `[[<nil> {"id":5,"value":"yesterday"}]]`},
	"no number":          {[]string{`UPDATE task SET run_id = 'many' WHERE id = 5`}, "1 task.run_id that is no number", `SELECT run_id FROM task WHERE id = 5`, "[[<nil>]]"},
	"bytes as a name":    {[]string{`UPDATE organization SET name = x'c3bc' WHERE id = 2`}, "", `SELECT name FROM organization WHERE id = 2`, "[[ü]]"},
	"no text":            {[]string{`UPDATE organization SET name = CAST(x'61ff62' AS TEXT) WHERE id = 3`}, "1 organization.name with bytes", `SELECT name FROM organization WHERE id = 3`, "[[a\uFFFDb]]"},
	"rule twice":         {[]string{`INSERT INTO rule SELECT 900, name, operation, scope, description FROM rule WHERE id = 1`, `INSERT INTO UserPermission VALUES (900, 18)`}, "1 rows of rule: another", `SELECT rule_id FROM user_rule WHERE user_id = 18`, "[[1]]"},
	"config of no node":  {[]string{`DELETE FROM node WHERE id = 8`, `DELETE FROM authenticatable WHERE id = 8`}, "11 rows of nodeconfig", `SELECT COUNT(*) FROM nodeconfig`, "[[0]]"},
	"user without account": {
		[]string{`INSERT INTO "user" (id, username) VALUES (70, 'bare')`}, "1 users without a row", `SELECT type FROM authenticatable WHERE id = 70`, "[[user]]",
	},
	"account of nobody": {[]string{`INSERT INTO authenticatable (id) VALUES (71)`}, "1 rows of authenticatable of no user", `SELECT type FROM authenticatable WHERE id = 71`, "[[unknown]]"},
	"user of nothing":   {[]string{`UPDATE "user" SET username = NULL, email = NULL, password = NULL WHERE id = 19`}, "", `SELECT username, email, password FROM "user" WHERE id = 19`, "[[<nil> <nil> <nil>]]"},
	"node without key":  {[]string{`UPDATE node SET api_key = NULL WHERE id = 11`}, "", `SELECT COUNT(*) FROM node_old_key WHERE node_id = 11`, "[[0]]"},
	"task of nothing":   {[]string{`UPDATE task SET name = NULL, image = NULL, "database" = NULL WHERE id = 4`}, "", `SELECT name, image, "database" FROM task WHERE id = 4`, "[[<nil> <nil> <nil>]]"},
	"names twice":       {[]string{`UPDATE organization SET name = 'same' WHERE id IN (4, 5)`, `UPDATE role SET name = 'same' WHERE id IN (11, 12)`}, "", `SELECT COUNT(*) FROM organization WHERE name = 'same'`, "[[2]]"},
	"ends before it began": {
		[]string{`UPDATE result SET started_at = '2024-01-02 10:00:00', finished_at = '2024-01-02 09:00:00.5' WHERE id = 6`}, "",
		`SELECT started_at, finished_at FROM result WHERE id = 6`, "[[2024-01-02T10:00:00.000000Z 2024-01-02T09:00:00.500000Z]]",
	},
	"empty key and status": {
		[]string{`UPDATE organization SET _public_key = x'' WHERE id = 2`, `UPDATE result SET status = '', result = '' WHERE id = 7`}, "",
		`SELECT length(o.public_key), r.status, length(p.result) FROM organization o, result r, payload p WHERE o.id = 2 AND r.id = 7 AND p.result_id = 7`, "[[0  0]]",
	},
	"ports of nothing": {[]string{`UPDATE algorithmport SET result_id = NULL WHERE id = 1`}, "", `SELECT result_id FROM algorithmport WHERE id = 1`, "[[<nil>]]"},
}

// doubled are oddities that are there twice, which has each be told once.
var doubled = map[string]oddity{
	"no encryption told": {[]string{`UPDATE collaboration SET encrypted = NULL WHERE id IN (3, 5)`}, "2 collaborations that do not say", `SELECT encrypted FROM collaboration WHERE id IN (3, 5)`, "[[0] [0]]"},
	"half a pair":        {[]string{`INSERT INTO Permission VALUES (NULL, 3), (999, 4)`, `INSERT INTO Permission VALUES (NULL, 3), (999, 4)`}, "4 rows of Permission", `SELECT COUNT(*) FROM leftover WHERE origin = 'Permission'`, "[[4]]"},
	"orphans":            {[]string{`DELETE FROM task WHERE id IN (3, 5)`}, "6 result.task_id of a row that is not there", `SELECT id, task_id FROM result WHERE id IN (5, 10)`, "[[5 <nil>] [10 <nil>]]"},
	"child of nobody":    {[]string{`UPDATE task SET parent_id = 999 WHERE id IN (14, 16)`}, "2 task.parent_id of a row", `SELECT parent_id FROM task WHERE id IN (14, 16)`, "[[<nil>] [<nil>]]"},
	"no time":            {[]string{`UPDATE result SET started_at = 'yesterday' WHERE id IN (5, 10)`}, "2 result.started_at that is no time", `SELECT COUNT(*) FROM leftover WHERE origin = 'result.started_at'`, `[[2]]`},
	"no number":          {[]string{`UPDATE task SET run_id = 'many' WHERE id IN (5, 6)`}, "2 task.run_id that is no number", `SELECT run_id FROM task WHERE id IN (5, 6)`, "[[<nil>] [<nil>]]"},
	"no text":            {[]string{`UPDATE organization SET name = CAST(x'61ff62' AS TEXT) WHERE id IN (3, 4)`}, "2 organization.name with bytes", `SELECT name FROM organization WHERE id IN (3, 4)`, "[[a\uFFFDb] [a\uFFFDb]]"},
	"rule thrice": {
		[]string{`INSERT INTO rule SELECT 900, name, operation, scope, description FROM rule WHERE id = 1`, `INSERT INTO rule SELECT 901, name, operation, scope, description FROM rule WHERE id = 1`, `INSERT INTO UserPermission VALUES (900, 18), (901, 18)`},
		"2 rows of rule: another", `SELECT rule_id FROM user_rule WHERE user_id = 18`, "[[1]]",
	},
	"user without account": {[]string{`INSERT INTO "user" (id, username) VALUES (70, 'bare'), (72, 'barer')`}, "2 users without a row", `SELECT type FROM authenticatable WHERE id IN (70, 72)`, "[[user] [user]]"},
	"account of nobody":    {[]string{`INSERT INTO authenticatable (id) VALUES (71), (73)`}, "2 rows of authenticatable of no user", `SELECT type FROM authenticatable WHERE id IN (71, 73)`, "[[unknown] [unknown]]"},
	"two pairs of nodes": {
		[]string{`INSERT INTO authenticatable (id, type) VALUES (50, 'node')`, `INSERT INTO node VALUES (50, 'third', 'x', 4, 4)`}, "2 nodes whose", `SELECT id, collaboration_id FROM node WHERE id IN (12, 50)`, "[[12 4] [50 <nil>]]",
	},
}

// TestFilesOfEveryMakeAreTakenOver: without columns that a generation lacks, in other modes of SQLite, with a log or a journal
// of a crash beside them, with things of somebody else in them.
func TestFilesOfEveryMakeAreTakenOver(t *testing.T) {
	onSQLite(t)
	wanted := append([]made{}, makes...)
	if promise.Long() {
		for _, column := range []string{"otp_secret", "failed_login_attempts", "last_login_attempt"} {
			wanted = append(wanted, made{dbtest.Reference3111, []string{`ALTER TABLE "user" DROP COLUMN ` + column}})
		}
		wanted = append(wanted, made{dbtest.ReferenceUpgraded, []string{`ALTER TABLE task DROP COLUMN init_user_id`}})
		for _, mode := range []string{"persist", "truncate", "memory", "off"} {
			wanted = append(wanted, made{dbtest.Reference3111, []string{`PRAGMA journal_mode=` + mode, `UPDATE task SET name = 'again' WHERE id = 1`}})
		}
	}
	for _, m := range wanted {
		t.Run(m.change[0], func(t *testing.T) {
			p := newPatient(t, m.file, m.change...)
			old := p.src()
			rows := fmt.Sprint(p.query(old, `SELECT id, task_id, organization_id FROM result ORDER BY id`), p.query(old, `SELECT id, name FROM task ORDER BY id`))
			p.before = sum(t, old.Path)
			p.take(Options{})
			if got := fmt.Sprint(p.query(p.src(), `SELECT id, task_id, organization_id FROM result ORDER BY id`), p.query(p.src(), `SELECT id, name FROM task ORDER BY id`)); got != rows {
				t.Errorf("the rows are\n%s\nwant\n%s", got, rows)
			}
			_, err := Back(t.Context(), p.inst)
			p.must(err)
			if sum(t, old.Path) != p.before {
				t.Error("the way back did not restore the file")
			}
		})
	}
}

// made is a file with changes.
type made struct {
	file   string
	change []string
}

var makes = []made{
	{dbtest.Reference3111, []string{`ALTER TABLE task DROP COLUMN created_at`}},
	{dbtest.Reference3111, []string{`DROP TABLE nodeconfig`}},
	{dbtest.Reference3111, []string{`ALTER TABLE result DROP COLUMN status`, `DROP TABLE nodeconfig`}},
	{dbtest.Reference3111, []string{
		`CREATE TABLE u AS SELECT id, username, password, firstname, lastname, email, organization_id, failed_login_attempts, last_login_attempt FROM "user"`,
		`DROP TABLE "user"`, `ALTER TABLE u RENAME TO "user"`,
	}},
	{dbtest.Reference3111, []string{`DROP TABLE algorithmport`, `ALTER TABLE result ADD COLUMN port INTEGER`, `UPDATE result SET port = 8888 WHERE id = 5`}},
	{dbtest.Reference3111, []string{`PRAGMA page_size=32768`, `VACUUM`}},
	{dbtest.Reference3111, []string{`PRAGMA auto_vacuum=full`, `VACUUM`}},
	{dbtest.Reference3111, []string{`PRAGMA journal_mode=wal`}},
	{dbtest.Reference3111, []string{
		`CREATE TABLE mine (x)`, `CREATE TRIGGER t AFTER UPDATE ON result BEGIN INSERT INTO mine VALUES (1); END`, `CREATE INDEX i ON result (status)`, `CREATE VIEW v AS SELECT * FROM task`,
	}},
}
