package takeover

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/pquerna/otp/totp"

	"vserver/queries"
	"vserver/queries/dbtest"
)

// TestEveryFileIsTakenOverAndBack: every row is there under its id, with what it said, the old file stays as it was, and
// the way back puts it in its place.
func TestEveryFileIsTakenOverAndBack(t *testing.T) {
	onSQLite(t)
	for _, name := range dbtest.ReferenceFiles {
		t.Run(name, func(t *testing.T) {
			p := newPatient(t, name)
			r := p.take(Options{})
			p.wantRows(queries.Source{Engine: queries.SQLite, Path: r.Kept})
			if left, _ := filepath.Glob(filepath.Join(p.inst.DataDir, ".old.sqlite*")); left != nil {
				t.Errorf("%v is left", left)
			}
			if wanted, err := Wanted(t.Context(), p.inst); wanted || err != nil {
				t.Errorf("it wants a takeover again: %v, %v", wanted, err)
			}
			u, err := Back(t.Context(), p.inst)
			if err != nil || len(u.Left) != 0 {
				t.Fatal(u, err)
			}
			info, err := os.Stat(p.inst.Database.Path)
			if err != nil || info.Mode().Perm() != 0o640 || sum(t, p.inst.Database.Path) != p.before {
				t.Errorf("after the way back: %v, %v", info.Mode(), err)
			}
		})
	}
}

// wantRows compares the new tables with the old ones.
func (p *patient) wantRows(old queries.Source) {
	p.Helper()
	same := func(statement, oldStatement string) {
		p.Helper()
		got, want := fmt.Sprint(p.query(p.src(), statement)), fmt.Sprint(p.query(old, oldStatement))
		if got != want {
			p.Errorf("%s:\n%.300s\nwant\n%.300s", statement, got, want)
		}
	}
	equal := func(statement string) { p.Helper(); same(statement, statement) }
	equal(`SELECT id, name, domain, address1, address2, zipcode, country FROM organization ORDER BY id`)
	same(`SELECT id, hex(public_key), public_key IS NULL FROM organization ORDER BY id`, `SELECT id, hex(_public_key), _public_key IS NULL FROM organization ORDER BY id`)
	same(`SELECT id, name, encrypted FROM collaboration ORDER BY id`, `SELECT id, name, coalesce(encrypted, 0) FROM collaboration ORDER BY id`)
	same(`SELECT organization_id, collaboration_id FROM member ORDER BY 1, 2`, `SELECT DISTINCT organization_id, collaboration_id FROM Member ORDER BY 1, 2`)
	equal(`SELECT id, type, ip, status FROM authenticatable ORDER BY id`)
	equal(`SELECT id, username, password, firstname, lastname, email, organization_id FROM "user" ORDER BY id`)
	equal(`SELECT id, name, organization_id, CASE name WHEN 'twin' THEN NULL ELSE collaboration_id END FROM node ORDER BY id`)
	same(`SELECT node_id, hash FROM node_old_key ORDER BY 1`, `SELECT id, api_key FROM node WHERE api_key IS NOT NULL AND name <> 'twin' ORDER BY 1`)
	same(`SELECT user_id, role_id FROM user_role ORDER BY 1, 2`, `SELECT DISTINCT user_id, role_id FROM Permission ORDER BY 1, 2`)
	same(`SELECT user_id, rule_id FROM user_rule ORDER BY 1, 2`, `SELECT DISTINCT user_id, rule_id FROM UserPermission ORDER BY 1, 2`)
	equal(`SELECT id, name, description, image, collaboration_id, run_id, parent_id, "database", initiator_id FROM task ORDER BY id`)
	equal(`SELECT id, task_id, organization_id, replace(replace(assigned_at, 'T', ' '), 'Z', ''), replace(replace(started_at, 'T', ' '), 'Z', ''),
		replace(replace(finished_at, 'T', ' '), 'Z', '') FROM result ORDER BY id`)
	same(`SELECT r.id, hex(coalesce(p.input, (SELECT group_concat(CAST(c.bytes AS TEXT), '' ORDER BY c.number) FROM stream s JOIN chunk c ON c.stream_id = s.id
		WHERE s.result_id = r.id AND s.part = 'input'))), hex(p.result), p.result IS NULL, hex(p.log), p.log IS NULL FROM result r JOIN payload p ON p.result_id = r.id ORDER BY r.id`,
		`SELECT id, hex(input), hex(result), result IS NULL, hex(log), log IS NULL FROM result ORDER BY id`)
	p.wantRowsOfLaterReleases(old, same)
}

// wantRowsOfLaterReleases compares what not every generation has.
func (p *patient) wantRowsOfLaterReleases(old queries.Source, same func(string, string)) {
	p.Helper()
	has := func(table, column string) bool {
		return len(p.query(old, `SELECT 1 FROM pragma_table_info(?) WHERE name = ?`, table, column)) > 0
	}
	if has("algorithmport", "id") {
		same(`SELECT id, port, result_id, label FROM algorithmport ORDER BY id`, `SELECT id, port, result_id, label FROM algorithmport ORDER BY id`)
	}
	if has("result", "status") {
		same(`SELECT id, status FROM result ORDER BY id`, `SELECT id, status FROM result ORDER BY id`)
	}
	if has("nodeconfig", "id") {
		same(`SELECT id, node_id, key, value FROM nodeconfig ORDER BY id`, `SELECT id, node_id, key, value FROM nodeconfig ORDER BY id`)
	}
	if has("user", "otp_secret") {
		same(`SELECT id, coalesce(otp_secret, otp_pending) IS NULL FROM "user" ORDER BY id`, `SELECT id, otp_secret IS NULL FROM "user" ORDER BY id`)
	}
	if has("user", "failed_login_attempts") {
		same(`SELECT id, failed_login_attempts FROM "user" ORDER BY id`, `SELECT id, coalesce(failed_login_attempts, 0) FROM "user" ORDER BY id`)
	}
}

// TestEverybodyGoesOnAfterATakeover: users log in with their passwords, lists say what the old rows say, tokens of the
// old server are good, but for those of the node that lost its place.
func TestEverybodyGoesOnAfterATakeover(t *testing.T) {
	onSQLite(t)
	for _, name := range []string{dbtest.Reference373, dbtest.Reference304} {
		t.Run(name, func(t *testing.T) {
			p := newPatient(t, name)
			p.take(Options{})
			p.goOn(name == dbtest.Reference373)
		})
	}
}

// goOn looks at a server on a database that was taken over.
func (p *patient) goOn(all bool) {
	p.Helper()
	stop := p.serve()
	root := ""
	for user, known := range p.told.Users {
		here := p.query(p.src(), fmt.Sprintf(`SELECT id FROM "user" WHERE username = '%s'`, user))
		if len(here) == 0 || !all && user != "root" && user != "longpw" {
			continue
		}
		status, reply := p.call("POST", "/token/user", "", map[string]any{"username": user, "password": known.Password})
		if status != 200 {
			p.Errorf("%s logs in: %d %v", user, status, reply)
			continue
		}
		if user == "root" {
			root, _ = reply.(map[string]any)["access_token"].(string)
		}
	}
	for path, table := range map[string]string{
		"/organization": "organization", "/collaboration": "collaboration", "/node": "node", "/user": `"user"`, "/role": "role", "/task": "task",
		"/result": "result WHERE collaboration_id IS NOT NULL",
	} {
		status, reply := p.call("GET", path, root, nil)
		list, _ := reply.([]any)
		if want := len(p.query(p.src(), "SELECT 1 FROM "+table)); status != 200 || len(list) != want {
			p.Errorf("GET %s: %d, %d rows of %d", path, status, len(list), want)
		}
	}
	p.wantOldTokens()
	stop()
	if engine := p.src().Engine; engine == queries.SQLite {
		if _, err := queries.VerifySQLite(p.inst.Database.Path); err != nil {
			p.Error(err)
		}
	}
}

// wantOldTokens uses tokens that the 3.x server signed.
func (p *patient) wantOldTokens() {
	p.Helper()
	now := time.Now()
	twin := int(p.query(p.src(), `SELECT id FROM node WHERE name = 'twin'`)[0][0].(int64))
	for _, c := range []struct {
		what, kind, client, path string
		sub                      int
		issued                   time.Time
		more                     jwt.MapClaims
		want                     int
	}{
		{"access of a user", "access", "user", "/user/18", 18, now.Add(-time.Hour), jwt.MapClaims{"exp": now.Add(time.Hour).Unix()}, 200},
		{"access that ended", "access", "user", "/user/18", 18, now.Add(-9 * time.Hour), jwt.MapClaims{"exp": now.Add(-time.Hour).Unix()}, 401},
		{"refresh of a user, old", "refresh", "user", "/token/refresh", 18, now.Add(-900 * time.Hour), nil, 200},
		{"refresh of a node", "refresh", "node", "/token/refresh", 8, now.Add(-900 * time.Hour), nil, 200},
		{"access of the twin", "access", "node", fmt.Sprint("/node/", twin), twin, now.Add(-time.Hour), nil, 401},
		{"refresh of the twin", "refresh", "node", "/token/refresh", twin, now.Add(-time.Hour), nil, 401},
		{"access of who was deleted", "access", "user", "/user/26", 26, now.Add(-time.Hour), nil, 401},
	} {
		method := "GET"
		if c.kind == "refresh" {
			method = "POST"
		}
		if status, reply := p.call(method, c.path, p.oldToken(c.kind, c.client, c.sub, c.issued, c.more), nil); status != c.want {
			p.Errorf("%s: %d %v", c.what, status, reply)
		}
	}
}

// TestRefreshTokensOfUsersEndTwoDaysAfterATakeover: one that was issued long before is good until then only.
func TestRefreshTokensOfUsersEndTwoDaysAfterATakeover(t *testing.T) {
	onSQLite(t)
	p := newPatient(t, dbtest.Reference3111)
	p.take(Options{})
	for ago, want := range map[time.Duration]int{47 * time.Hour: 200, 49 * time.Hour: 401} {
		p.exec(fmt.Sprintf(`UPDATE counter SET value = %d WHERE name = 'taken_over'`, time.Now().Add(-ago).Unix()))
		stop := p.serve()
		token := p.oldToken("refresh", "user", 18, time.Now().Add(-900*time.Hour), nil)
		if status, reply := p.call("POST", "/token/refresh", token, nil); status != want {
			t.Errorf("%v after the takeover: %d %v", ago, status, reply)
		}
		stop()
	}
}

// exec changes the database that the instance has now.
func (p *patient) exec(statements ...string) {
	p.Helper()
	db, err := dbtest.SQL(p.src())
	p.must(err)
	for _, statement := range statements {
		if _, err := db.ExecContext(p.Context(), statement); err != nil {
			p.Fatalf("%s: %v", statement, err)
		}
	}
	p.must(db.Close())
}

// TestSecondFactorsGoOn: a secret works after a takeover, and whoever never used one is asked to set one up.
func TestSecondFactorsGoOn(t *testing.T) {
	onSQLite(t)
	p := newPatient(t, dbtest.Reference373, `UPDATE authenticatable SET last_seen = '2026-11-29 07:00:00' WHERE id = 17`,
		`UPDATE "user" SET otp_secret = (SELECT otp_secret FROM "user" WHERE id = 24) WHERE id = 17`)
	p.configure(p.inst.DataDir, "sqlite:///"+p.inst.Database.Path, "  two_factor_auth: true\n")
	p.take(Options{})
	for _, row := range p.query(p.src(), `SELECT coalesce(otp_secret, otp_pending) FROM "user" WHERE coalesce(otp_secret, otp_pending) IS NOT NULL`) {
		if text, _ := row[0].(string); !strings.HasPrefix(text, "v1:") {
			t.Errorf("a secret is stored as %s", text)
		}
	}
	p.serve()
	logIn := func(user string, code any) (int, string) {
		body := map[string]any{"username": user, "password": p.told.Users[user].Password}
		if code != nil {
			body["mfa_code"] = code
		}
		status, reply := p.call("POST", "/token/user", "", body)
		return status, fmt.Sprint(reply)
	}
	code := func(secret string) string {
		text, err := totp.GenerateCode(secret, time.Now())
		p.must(err)
		return text
	}
	secret := p.told.Users["totp"].Secret
	if status, reply := logIn("direct", nil); status == 200 && strings.Contains(reply, "access_token") || strings.Contains(reply, secret) {
		t.Errorf("with a confirmed secret the password alone: %d %s", status, reply)
	}
	for user, secret := range map[string]string{"direct": secret, "totp": secret} {
		if status, reply := logIn(user, code(secret)); status != 200 || !strings.Contains(reply, "access_token") {
			t.Errorf("%s with a code: %d %s", user, status, reply)
		}
	}
	if status, reply := logIn("totp-open", nil); status != 200 || !strings.Contains(reply, "qr_uri") {
		t.Errorf("who never used a code: %d %s", status, reply)
	}
}

// TestTakeoverMendsLocalTimes: the two kinds of times that the old server wrote in its own zone become UTC, the others are.
func TestTakeoverMendsLocalTimes(t *testing.T) {
	onSQLite(t)
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Skip(err)
	}
	p := newPatient(t, dbtest.Reference373, `UPDATE result SET finished_at = '2023-02-03 04:05:07' WHERE id IN (5, 14)`)
	p.take(Options{Zone: zone})
	got := fmt.Sprint(p.query(p.src(), `SELECT finished_at FROM result WHERE id IN (5, 14) UNION ALL SELECT last_login_attempt FROM "user" WHERE id = 22`))
	if want := "[[2023-02-03T04:05:07.000000Z] [2023-02-03T09:05:07.000000Z] [2026-11-29T11:40:55.862848Z]]"; got != want {
		t.Errorf("the times are %s, want %s", got, want)
	}
}

// TestCompleteRoles: --complete-roles gives what later releases gave to roles of their names, and nothing to others.
func TestCompleteRoles(t *testing.T) {
	onSQLite(t)
	count := `SELECT r.id, (SELECT COUNT(*) FROM role_rule x WHERE x.role_id = r.id) FROM role r ORDER BY r.id`
	p := newPatient(t, dbtest.ReferenceUpgraded)
	if r := p.take(Options{}); len(r.Lacking) != 6 {
		t.Errorf("lacking: %+v", r.Lacking)
	}
	if got, want := fmt.Sprint(p.query(p.src(), count)), "[[1 7] [2 9] [3 53] [4 11] [5 13] [6 23] [7 32] [8 47] [9 47] [10 7] [11 6] [12 0] [13 0] [14 0] [15 3]]"; got != want {
		t.Errorf("left alone: %s, want %s", got, want)
	}
	p = newPatient(t, dbtest.ReferenceUpgraded)
	p.take(Options{Complete: true})
	if got, want := fmt.Sprint(p.query(p.src(), count)), "[[1 7] [2 9] [3 53] [4 12] [5 14] [6 25] [7 38] [8 53] [9 53] [10 7] [11 6] [12 0] [13 0] [14 0] [15 3]]"; got != want {
		t.Errorf("completed: %s, want %s", got, want)
	}
}

// TestWayBackTellsWhatItLeavesOut: rows that were made since, and results that ended since, are counted and written to a file.
func TestWayBackTellsWhatItLeavesOut(t *testing.T) {
	onSQLite(t)
	p := newPatient(t, dbtest.Reference3111)
	p.take(Options{})
	p.exec(`UPDATE counter SET value = value - 10 WHERE name = 'taken_over'`,
		`INSERT INTO task (name, collaboration_id) VALUES ('new', 4)`, `INSERT INTO result (task_id, organization_id) SELECT MAX(id), 2 FROM task`,
		`INSERT INTO payload (result_id, input) SELECT MAX(id), CAST('abc' AS BLOB) FROM result`,
		`UPDATE result SET finished_at = '`+queries.Now().Format("2006-01-02T15:04:05.000000Z")+`' WHERE id = 10`)
	u, err := Back(t.Context(), p.inst)
	p.must(err)
	if got, want := fmt.Sprint(u.Left), "[{task 1 0} {result 2 0} {payload 2 0}]"; got != want {
		t.Errorf("left out: %s, want %s", got, want)
	}
	text, err := os.ReadFile(u.File)
	p.must(err)
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	var first struct {
		Table string
		Row   map[string]any
	}
	p.must(json.Unmarshal([]byte(lines[0]), &first))
	if len(lines) != 5 || first.Table != "task" || first.Row["name"] != "new" || !strings.Contains(string(text), `"input":"abc"`) {
		t.Errorf("the file has\n%s", text)
	}
	if sum(t, p.inst.Database.Path) != p.before {
		t.Error("the old file is not in its place")
	}
}

// TestTakeoverRefusesWhatIsInUse: a lock, and a file that is written to, keep it away; nothing is changed or left.
func TestTakeoverRefusesWhatIsInUse(t *testing.T) {
	onSQLite(t)
	t.Parallel() // it waits for the lock
	p := newPatient(t, dbtest.Reference373)
	db, err := sql.Open("sqlite3", "file:"+p.inst.Database.Path)
	p.must(err)
	db.SetMaxOpenConns(1)
	_, err = db.ExecContext(t.Context(), `BEGIN EXCLUSIVE`)
	p.must(err)
	_, err = Do(t.Context(), p.inst, utc)
	if !errors.Is(err, queries.ErrInUse) {
		t.Errorf("with a lock: %v", err)
	}
	_, err = db.ExecContext(t.Context(), `ROLLBACK`)
	p.must(errors.Join(err, db.Close()))
	if sum(t, p.inst.Database.Path) != p.before {
		t.Error("it has changed")
	}
}
