package handlers

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"vserver/queries"
	"vserver/queries/dbtest"
	"vserver/service/core"
	"vserver/service/fault"
	"vserver/service/promise"
)

// aKey is a key of a request, of its own for each number.
func aKey(n int) string { return fmt.Sprintf("a-random-key-%08d", n) }

// withKey gives a row a key.
func withKey(key string, r row) row {
	r.header = map[string]string{keyHeader: key}
	return r
}

func replayed(reply *httptest.ResponseRecorder) bool {
	return reply.Header().Get(replayedHeader) == "true"
}

// TestRequestsAreCarriedOutOnce sends a request of every route that takes a key twice: the second answer is the first
// one, and nothing happens.
func TestRequestsAreCarriedOutOnce(t *testing.T) {
	b := newBed(t)
	b.change(t, `UPDATE authenticatable SET status = 'online' WHERE id = 13`)
	left := map[string]bool{}
	for _, r := range b.s.routes() {
		if r.once {
			left[r.method+" "+r.path] = true
		}
	}
	ask := func(pattern, as, path, body string) row {
		method, _, _ := strings.Cut(pattern, " ")
		if !left[pattern] {
			t.Errorf("%s takes no key, or is asked twice", pattern)
		}
		delete(left, pattern)
		return row{as: as, method: method, path: path, body: body}
	}
	for i, r := range []row{
		ask("POST /organization", "root", "/organization", `{"name":"new","public_key":"a2V5"}`),                                 // 5
		ask("PATCH /organization/:id", "root", "/organization/5", `{"address1":"a"}`),                                            //
		ask("POST /collaboration", "root", "/collaboration", `{"name":"C","organization_ids":[2,3]}`),                            // 4
		ask("PATCH /collaboration/:id", "root", "/collaboration/4", `{"encrypted":false,"organization_ids":[2,4]}`),              //
		ask("POST /collaboration/:id/organization", "root", "/collaboration/4/organization", `{"id":3}`),                         //
		ask("DELETE /collaboration/:id/organization", "root", "/collaboration/4/organization", `{"id":4}`),                       //
		ask("POST /node", "root", "/node", `{"collaboration_id":4,"organization_id":3}`),                                         // 19
		ask("PATCH /node/:id", "root", "/node/19", `{"name":"n"}`),                                                               //
		ask("POST /recover/node", "root", "/recover/node", `{"id":19}`),                                                          //
		ask("POST /collaboration/:id/node", "root", "/collaboration/4/node", `{"id":15}`),                                        //
		ask("DELETE /collaboration/:id/node", "root", "/collaboration/4/node", `{"id":15}`),                                      //
		ask("POST /user", "root", "/user", person("organization_id", "3")),                                                       // 20
		ask("PATCH /user/:id", "root", "/user/20", `{"firstname":"G","roles":[4]}`),                                              //
		ask("POST /user/:id/unlock", "root", "/user/20/unlock", ``),                                                              //
		ask("POST /user/:id/invite", "root", "/user/20/invite", `{"by":"link"}`),                                                 //
		ask("POST /role", "root", "/role", `{"name":"r","description":"","rules":[1,2]}`),                                        // 11
		ask("PATCH /role/:id", "root", "/role/11", `{"description":"d"}`),                                                        //
		ask("POST /role/:id/rule/:rule_id", "root", "/role/11/rule/3", ``),                                                       //
		ask("DELETE /role/:id/rule/:rule_id", "root", "/role/11/rule/3", ``),                                                     //
		ask("DELETE /role/:id", "root", "/role/11", ``),                                                                          //
		ask("POST /task", "researcher", "/task", `{"collaboration_id":1,"image":"i","organizations":[{"id":2,"input":"aW4="}]}`), // 2
		ask("PATCH /result/:id", "node_iknl_z", "/result/4", `{"result":"b3V0","finished_at":"2026-01-31T12:00:00.123456"}`),     //
		ask("POST /port", "node_iknl_z", "/port", `{"port":5000,"result_id":1}`),                                                 //
		ask("DELETE /port", "node_iknl_z", "/port?result_id=1", ``),                                                              //
		ask("POST /kill/task", "root", "/kill/task", `{"id":1}`),                                                                 //
		ask("POST /kill/node/tasks", "root", "/kill/node/tasks", `{"id":13}`),                                                    //
		ask("DELETE /task/:id", "root", "/task/2", ``),                                                                           //
		ask("DELETE /node/:id", "root", "/node/19", ``),                                                                          //
		ask("DELETE /user/:id", "root", "/user/20", ``),                                                                          //
		ask("DELETE /collaboration/:id", "root", "/collaboration/4", ``),                                                         //
	} {
		r = withKey(aKey(i), r)
		t.Run(r.method+" "+r.path, func(t *testing.T) {
			first := b.send(t, r)
			if first.Code > 201 || replayed(first) {
				t.Fatalf("the first time: %d %s", first.Code, first.Body)
			}
			happened := b.number(t, `SELECT COALESCE(MAX(id), 0) FROM event`)
			second := b.send(t, r)
			if second.Code != first.Code || !bytes.Equal(second.Body.Bytes(), first.Body.Bytes()) || !replayed(second) {
				t.Errorf("again: %d %s\nfirst: %d %s", second.Code, second.Body, first.Code, first.Body)
			}
			b.check(t, row{method: r.method}, second)
			if n := b.number(t, `SELECT COALESCE(MAX(id), 0) FROM event`); n != happened {
				t.Errorf("something happened again: event %d", n)
			}
		})
	}
	for name := range left {
		t.Errorf("nobody asked %s", name)
	}
}

// TestKeysOfRequests: a key is of one caller and one request, and one that was refused has none.
func TestKeysOfRequests(t *testing.T) {
	b := newBed(t)
	const key = "8e03978e-40d5-43dd-bc93-6894a57f9324"
	organization := func(as, name string, want int, has string) row {
		return row{as: as, method: "POST", path: "/organization", body: `{"name":"` + name + `"}`, want: want, has: has}
	}
	port := func(as string, want int, has string) row {
		return row{as: as, method: "POST", path: "/port", body: `{"port":5000,"result_id":1}`, want: want, has: has}
	}
	const other = `{"msg":"The Idempotency-Key belongs to another request that you sent: every request needs a new one"}`
	b.run(
		withKey("too-short", organization("root", "new", 400, `{"msg":"An Idempotency-Key has 16 to 255 characters, such as a random UUID"}`)),
		withKey(strings.Repeat("x", 256), organization("root", "new", 400, `{"msg":"*"}`)),
		withKey("of more words than one", organization("root", "new", 400, `{"msg":"An Idempotency-Key is one word of ASCII characters"}`)),
		withKey("", organization("root", "new", 400, `{"msg":"*"}`)),
		withKey("not-of-ascii-\xc3\xbcber-32", organization("root", "new", 400, `{"msg":"*"}`)),
		withKey(key, organization("root", "12", 400, `{"msg":"*"}`)),
		withKey(key, organization("", "new", 401, ``)),
		withKey(key, organization("node_iknl_z", "new", 403, ``)),
		withKey(key, organization("root", "new", 201, `{"id":5,"name":"new"}`)),
		withKey(key, organization("root", "new", 201, `{"id":5,"name":"new"}`)),
		withKey(key, organization("root", "newer", 422, other)),
		withKey(key, row{as: "root", method: "POST", path: "/role", body: `{"name":"new"}`, want: 422, has: other}),
		withKey(key, row{as: "root", method: "DELETE", path: "/role/8", want: 422, has: other}),
		withKey(key, row{as: "root", method: "GET", path: "/organization/5", want: 200}),
		withKey(key, row{method: "POST", path: "/token/user", body: `{"username":"admin","password":"Passw0rd!"}`, want: 200}),
		// others may have the same key
		withKey(key, organization("admin", "new", 201, `{"id":6,"name":"new"}`)),
		organization("root", "new", 201, `{"id":7,"name":"new"}`),
		withKey(key, port("node_iknl_z", 201, `{"id":1}`)),
		withKey(key, port("node_iknl_z", 201, `{"id":1}`)),
		withKey(key, row{as: "node_iknl_z", method: "DELETE", path: "/port?result_id=1", want: 422, has: other}),
		withKey("another-random-key", row{as: "node_iknl_z", method: "DELETE", path: "/port?result_id=1", want: 200}),
		withKey("another-random-key", row{as: "node_iknl_z", method: "DELETE", path: "/port?result_id=2", want: 422, has: other}),
	)
	task := row{as: "container", method: "POST", path: "/task", want: 201, has: `{"id":2,"parent":{"id":1}}`,
		body: `{"collaboration_id":1,"image":"hello-world","organizations":[{"id":2}]}`, events: created(2, 1, 1, 2)}
	b.run(withKey(key, task))
	task.events = nil
	b.run(withKey(key, task))
	if n := b.number(t, `SELECT COUNT(*) FROM request_key`); n != 5 {
		t.Errorf("%d keys are kept, want those of 5 requests", n)
	}
	// who has lost rights meanwhile
	b.change(t, `DELETE FROM user_role WHERE user_id = 2`, `INSERT INTO user_role (user_id, role_id) VALUES (2, 4)`)
	b.run(withKey(key, organization("admin", "new", 401, `{"msg":"*"}`)))
}

// TestRequestsAtOnceAreCarriedOutOnce sends the same request at the same time.
func TestRequestsAtOnceAreCarriedOutOnce(t *testing.T) {
	b := newBed(t)
	task := row{as: "researcher", method: "POST", path: "/task", body: `{"collaboration_id":1,"organizations":[{"id":2,"input":"aW4="}]}`}
	rows := slices.Repeat([]row{withKey(aKey(1), task)}, 8)
	if codes := b.atOnce(t, rows...); codes[0] != 201 || codes[7] != 201 {
		t.Errorf("got %v", codes)
	}
	if n := b.number(t, `SELECT COUNT(*) FROM task`); n != 2 {
		t.Errorf("%d tasks, want that of the fixture and one", n)
	}
	rows[0].body = `{"collaboration_id":2,"organizations":[{"id":2}]}`
	for i := range rows {
		rows[i].header = map[string]string{keyHeader: aKey(2)}
	}
	if codes := b.atOnce(t, rows...); codes[0] != 201 || codes[7] != 422 || slices.Contains(codes[1:7], 500) {
		t.Errorf("with another among them: %v", codes)
	}
	if n := b.number(t, `SELECT COUNT(*) FROM task`); n != 3 {
		t.Errorf("%d tasks, want 3", n)
	}
}

// besideItself has a request come twice, which share a commit with what comes third: that has the first caller go away.
// It returns the answer to the second one.
func (b *bed) besideItself(r row, third func(goAway func())) *httptest.ResponseRecorder {
	b.Helper()
	if b.db.Engine != queries.SQLite {
		b.Skip("skipped: on Postgres each transaction has a commit of its own")
	}
	holding, going := make(chan struct{}), make(chan struct{})
	ctx, goAway := context.WithCancel(b.Context())
	defer goAway()
	var all sync.WaitGroup
	all.Go(func() {
		err := b.db.InTx(b.Context(), func(context.Context, *queries.Tx) error { close(holding); <-going; return nil })
		if err != nil {
			b.Error(err)
		}
	})
	<-holding
	queued := func(n int) {
		eventually(b.T, fmt.Sprintf("%d wait for the writer", n), func() bool { return waitForWriter() == n+1 })
	}
	var second *httptest.ResponseRecorder
	all.Go(func() {
		defer func() { _ = recover() }() // a node that goes away is cut
		b.sendWithin(ctx, b.T, r, "192.0.2.1:4711")
	})
	queued(1)
	all.Go(func() { second = b.send(b.T, r) })
	queued(2)
	all.Go(func() { third(goAway) })
	queued(3)
	close(going)
	all.Wait()
	return second
}

// waitForWriter is how many have told the writer of SQLite what to do, and wait for it.
func waitForWriter() int {
	all, n := make([]byte, 4<<20), 0
	for stack := range strings.SplitSeq(string(all[:runtime.Stack(all, true)]), "\n\n") {
		state, _, _ := strings.Cut(stack, "\n")
		if strings.Contains(state, "[select") && strings.Contains(stack, "queries.(*writer).do(") {
			n++
		}
	}
	return n
}

// TestWhatIsUndoneIsNotRecalled: a request that finds the same one under way answers with what that did only when that
// is stored.
func TestWhatIsUndoneIsNotRecalled(t *testing.T) {
	t.Run("alone", func(t *testing.T) {
		b := newBed(t)
		reply := b.besideItself(withKey(aKey(1), row{as: "root", method: "POST", path: "/recover/node", body: `{"id":12}`}),
			func(goAway func()) {
				_ = b.db.InTx(b.Context(), func(context.Context, *queries.Tx) error { goAway(); return errors.New("undone") })
			})
		if reply.Code != http.StatusOK {
			t.Fatalf("%d %s", reply.Code, reply.Body)
		}
		if replayed(reply) {
			t.Error("it was carried out just now")
		}
		b.run(row{name: "with the key", method: "POST", path: "/token/node", body: reply.Body.String(), want: 200})
		again := b.send(t, withKey(aKey(1), row{as: "root", method: "POST", path: "/recover/node", body: `{"id":12}`}))
		if again.Body.String() != reply.Body.String() || !replayed(again) {
			t.Errorf("again: %d %s, first %s", again.Code, again.Body, reply.Body)
		}
	})
	t.Run("with what shared its commit", func(t *testing.T) {
		b, disk := newBedOnDisk(t, core.Settings{HoldFor: promise.Patience})
		result := withKey(aKey(2), row{as: "node_iknl_z", method: "PATCH", path: "/result/1", body: `{"result":"b3V0","finished_at":"2026-01-31T12:00:00.123456"}`})
		reply := b.besideItself(result, func(goAway func()) {
			err := b.db.InTx(b.Context(), func(ctx context.Context, tx *queries.Tx) error {
				goAway()
				long := strings.Repeat("x", 8<<20)
				_, err := tx.InsertOrganization(ctx, queries.InsertOrganizationParams{Name: &long})
				disk.Fill()
				return err
			})
			if !fault.Is(err, fault.Full) {
				t.Error("there was room:", err)
			}
			disk.Heal()
		})
		if reply.Code != http.StatusOK {
			t.Fatalf("%d %s", reply.Code, reply.Body)
		}
		if n := b.number(t, `SELECT COUNT(*) FROM result WHERE id = 1 AND finished_at IS NOT NULL`); n != 1 {
			t.Error("a node was told that its result is stored, and it is not")
		}
	})
}

// TestKeyThatIsForgottenMeanwhile is claimed by another request, and gone by the time when that is looked at.
func TestKeyThatIsForgottenMeanwhile(t *testing.T) {
	b := newBed(t)
	ignore := []string{`CREATE TRIGGER t BEFORE INSERT ON request_key BEGIN SELECT RAISE(IGNORE); END`}
	if b.db.Engine == queries.Postgres {
		ignore = []string{
			`CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END; $$`,
			`CREATE TRIGGER t BEFORE INSERT ON request_key FOR EACH ROW EXECUTE FUNCTION f()`,
		}
	}
	b.change(t, ignore...)
	b.run(withKey(aKey(1), row{as: "root", method: "POST", path: "/organization", body: `{"name":"new"}`, want: 503, has: `{"msg":"*"}`}))
}

// TestLongTextsOfRepeatedRequests: what came again is stored once.
func TestLongTextsOfRepeatedRequests(t *testing.T) {
	b := newBed(t)
	long := strings.Repeat("bG9uZw==", 400_000)
	task := func(input string) row {
		return row{as: "researcher", method: "POST", path: "/task", body: `{"collaboration_id":1,"organizations":[{"id":2,"input":"` + input + `"}]}`}
	}
	b.succeed(withKey(aKey(1), task(long)), withKey(aKey(1), task(long)))
	if reply := b.send(t, withKey(aKey(1), task(long+"x"))); reply.Code != 422 {
		t.Errorf("with another input: %d %s", reply.Code, reply.Body)
	}
	result := patch("node_iknl_z", "4", `{"result":"`+long+`","finished_at":"2026-01-31T12:00:00.123456"}`, 200, "")
	b.succeed(withKey(aKey(2), result))
	if reply := b.send(t, withKey(aKey(2), result)); reply.Code != 200 || !replayed(reply) || !strings.Contains(reply.Body.String(), long) {
		t.Errorf("a result again: %d %.300s", reply.Code, reply.Body)
	}
	if n := b.number(t, `SELECT COUNT(*) FROM task`); n != 2 || b.loose() != 0 {
		t.Errorf("%d tasks, want 2; %d texts belong to nothing", n, b.loose())
	}
}

// TestKeysAreForgotten: after a day, and when a caller has newer ones. What a request left cannot be read without its key.
func TestKeysAreForgotten(t *testing.T) {
	b := newBed(t)
	node := withKey(aKey(1), row{as: "root", method: "POST", path: "/recover/node", body: `{"id":12}`})
	first := b.send(t, node)
	secret := strings.Split(first.Body.String(), `"`)[3]
	raw, err := dbtest.SQL(b.src)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	var stored []byte
	if err := raw.QueryRowContext(t.Context(), `SELECT outcome FROM request_key`).Scan(&stored); err != nil {
		t.Fatal(err)
	}
	if len(secret) != 36 || len(stored) < len(secret) || bytes.Contains(stored, []byte(secret)) || bytes.Contains(stored, []byte("Rules")) {
		t.Errorf("of %s is stored %q", secret, stored)
	}
	forget := func(before time.Time, most, left int64) {
		if err := b.s.core.ForgetRequestKeys(t.Context(), before, most); err != nil {
			t.Fatal(err)
		}
		if n := b.number(t, `SELECT COUNT(*) FROM request_key`); n != left {
			t.Errorf("%d keys are left, want %d", n, left)
		}
	}
	b.succeed(withKey(aKey(2), node), withKey(aKey(3), node))
	b.succeed(withKey(aKey(2), row{as: "node_small_z", method: "POST", path: "/port", body: `{"port":1,"result_id":2}`}))
	forget(time.Now().Add(-time.Minute), 3, 4)
	forget(time.Now().Add(-time.Minute), 2, 3)
	forget(time.Now().Add(time.Minute), 2, 0)
	if again := b.send(t, node); again.Code != http.StatusOK || replayed(again) || again.Body.String() == first.Body.String() {
		t.Errorf("a forgotten request: %d %s", again.Code, again.Body)
	}
}

// TestKeysAreDescribed compares the routes that take a key with the document.
func TestKeysAreDescribed(t *testing.T) {
	doc := description(t)
	for _, r := range (&Server{}).routes() {
		name := r.method + " " + templated(r.path)
		headers := parametersOf(doc, name, "header")
		if _, described := headers[keyHeader]; r.once != described {
			t.Errorf("%s takes a key: %t, described: %t", name, r.once, described)
		}
	}
}
