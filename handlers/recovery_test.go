package handlers

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"vserver/queries"
	"vserver/service/core"
	"vserver/service/fault"
	"vserver/service/promise"
)

// newMailBed is a bed whose server sends mail; nobody takes it out of the queue but the test.
func newMailBed(t *testing.T) *bed { return newBedWith(t, core.Settings{Mail: true}) }

// mails takes all that wait to be sent, after everybody was looked for who asked for one.
func (b *bed) mails(t *testing.T) []core.Mail {
	t.Helper()
	if err := b.s.core.ResolveRecoveries(t.Context()); err != nil {
		t.Fatal(err)
	}
	list, err := b.s.core.TakeMails(t.Context(), 1000, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range list {
		if err := b.s.core.CloseMail(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	return list
}

// mailed asks for a mail and returns its token.
func (b *bed) mailed(t *testing.T, ask row) string {
	t.Helper()
	if reply := b.send(t, ask); reply.Code != http.StatusOK {
		t.Fatalf("%d %s", reply.Code, reply.Body)
	}
	list := b.mails(t)
	if len(list) != 1 || list[0].Facts.Token == "" {
		t.Fatalf("got %+v, want one mail with a token", list)
	}
	return list[0].Facts.Token
}

const (
	textLost       = "If the username or email is in our database you will soon receive an email."
	textLostFactor = "If you sent a correct combination of username/email andpassword, you will soon receive an email."
)

func lost(name string) row {
	return row{name: name, method: "POST", path: "/recover/lost", body: map[string]any{"username": name, "email": nil}, want: 200, has: fmt.Sprintf(`{"msg":%q}`, textLost)}
}

func lostFactor(name, password string) row {
	return row{name: name, method: "POST", path: "/recover/2fa/lost", want: 200, has: fmt.Sprintf(`{"msg":%q}`, textLostFactor),
		body: map[string]any{"username": name, "email": nil, "password": password}}
}

func reset(token, password string, want int, msg string) row {
	return row{method: "POST", path: "/recover/reset", want: want, has: fmt.Sprintf(`{"msg":%q}`, msg),
		body: map[string]string{"reset_token": token, "password": password}}
}

const (
	textReset   = "The password has successfully been reset!"
	textNoToken = "Invalid recovery token!"
)

// ages lets time pass for mails and tokens.
func (b *bed) ages(t *testing.T, d time.Duration) {
	t.Helper()
	at := time.Now().Add(-d).UTC().Format("2006-01-02T15:04:05.000000Z")
	b.change(t, fmt.Sprintf(`UPDATE mail SET created_at = '%s'`, at), fmt.Sprintf(`UPDATE recovery SET expires_at = '%s'`, at))
}

func TestRecoveryBodies(t *testing.T) {
	b := newMailBed(t)
	var rows []row
	add := func(path, body string, want int, msg string) {
		rows = append(rows, row{name: body, method: "POST", path: path, body: body, want: want, has: fmt.Sprintf(`{"msg":%q}`, msg)})
	}
	const nobody, noToken, noPassword = "No username or email provided!", "The reset token and/or password is missing!", "No password provided!"
	for _, path := range []string{"/recover/lost", "/recover/2fa/lost"} {
		add(path, ``, 400, "*")
		add(path, `[]`, 400, "*")
		add(path, `{}`, 400, nobody)
		add(path, `{"username":null,"email":""}`, 400, nobody)
		add(path, `{"username":["viewer"]}`, 400, "*")
		add(path, `{"username":5}`, 400, "*")
		add(path, `{"email":{"a":1}}`, 400, "*")
		add(path, `{"username":"`+strings.Repeat("x", 1001)+`"}`, 400, "*")
		add(path, `{"username":"a\u0000"}`, 400, "*")
	}
	add("/recover/lost", `{"username":"viewer"}`, 200, textLost)
	add("/recover/lost", `{"username":"","email":"researcher@example.org"}`, 200, textLost)
	add("/recover/lost", `{"username":"nobody","email":"admin@example.org"}`, 200, textLost)
	add("/recover/lost", `{"email":"VIEWER@example.org"}`, 200, textLost)
	add("/recover/2fa/lost", `{"username":"viewer"}`, 400, noPassword)
	add("/recover/2fa/lost", `{"username":"viewer","password":5}`, 400, noPassword)
	add("/recover/2fa/lost", `{"password":"x"}`, 400, nobody)
	add("/recover/reset", `{}`, 400, noToken)
	add("/recover/reset", `{"reset_token":"x"}`, 400, noToken)
	add("/recover/reset", `{"password":"x"}`, 400, noToken)
	add("/recover/reset", `{"reset_token":5,"password":"x"}`, 400, noToken)
	add("/recover/reset", `{"reset_token":"x","password":""}`, 400, noToken)
	add("/recover/reset", `{"reset_token":"x","password":"Passw0rd!"}`, 400, textNoToken)
	b.run(rows...)
	var to []string
	for _, m := range b.mails(t) {
		to = append(to, m.Recipient)
	}
	if slices.Sort(to); !slices.Equal(to, []string{"researcher@example.org", "viewer@example.org"}) {
		t.Errorf("mails go to %q: a username comes before an address, and both are exact", to)
	}
}

// TestPasswordIsRecovered follows a user who lost the password and was locked out.
func TestPasswordIsRecovered(t *testing.T) {
	b := newMailBed(t)
	j := b.session(t, logIn("viewer", "Passw0rd!", 200))
	bearing := func(token string) map[string]string {
		return map[string]string{"Authorization": "Bearer " + j[token].(string)}
	}
	for range 5 {
		b.send(t, logIn("viewer", "wrong", 401))
	}
	b.run(logIn("viewer", "Passw0rd!", 401))
	b.mails(t) // about the lock
	token := b.mailed(t, lost("viewer"))
	b.run(
		reset(token, "short", 400, "Password too short: use at least 8 characters with mixed lowercase, uppercase, numbers and special characters"),
		row{name: "a refused password ends nothing", method: "GET", path: "/user/5", header: bearing("access_token"), want: 200},
		reset("  "+token+"\n", "An0ther one", 200, textReset),
	)
	if len(b.closed) != 1 || b.closed[0] != 5 {
		t.Errorf("connections of %v were ended, want those of 5", b.closed)
	}
	b.run(
		row{method: "GET", path: "/user/5", header: bearing("access_token"), want: 401, has: `{"msg":"Token has been revoked"}`},
		row{method: "POST", path: "/token/refresh", header: bearing("refresh_token"), want: 401, has: `{"msg":"Token has been revoked"}`},
		logIn("viewer", "Passw0rd!", 401),
		logIn("viewer", "An0ther one", 200),
	)
	list := b.mails(t)
	if len(list) != 1 || list[0].Kind != core.PasswordChanged || list[0].Facts.From != "192.0.2.1" {
		t.Errorf("got %+v, want the notice of a new password", list)
	}
}

// TestAdvisory_T16_MailsAreFew asks again and again.
func TestAdvisory_T16_MailsAreFew(t *testing.T) {
	times := 100
	if promise.Long() {
		times = 1000
	}
	t.Run("for one account", func(t *testing.T) {
		b := newMailBed(t)
		replies, sent := map[string]int{}, 0
		for i := range times {
			r := b.sendFrom(t, lost("viewer"), fmt.Sprintf("192.0.2.%d:1", i%250))
			replies[fmt.Sprint(r.Code, r.Header(), r.Body)]++
			if i%10 == 9 {
				sent += len(b.mails(t))
			}
		}
		if len(replies) != 1 {
			t.Errorf("%d kinds of replies: %v", len(replies), replies)
		}
		if sent != 1 {
			t.Errorf("%d mails for %d requests", sent, times)
		}
		b.mailed(t, lostFactor("viewer", "Passw0rd!")) // counts on its own
		b.send(t, lostFactor("viewer", "Passw0rd!"))
		if list := b.mails(t); len(list) != 0 {
			t.Errorf("%d more mails about the second factor", len(list))
		}
		b.ages(t, time.Hour+time.Second)
		b.mailed(t, lost("viewer"))
	})
	t.Run("for one address", func(t *testing.T) {
		b := newMailBed(t)
		for i := range 25 {
			b.change(t, `INSERT INTO authenticatable (type) VALUES ('user')`,
				fmt.Sprintf(`INSERT INTO "user" (id, username, email) VALUES (%d, 'many%d', 'many%d@example.org')`, 19+i, i, i))
			b.sendFrom(t, lost(fmt.Sprintf("many%d", i)), "198.51.100.7:1")
		}
		if list := b.mails(t); len(list) != 20 {
			t.Errorf("%d mails for one address in an hour, want 20", len(list))
		}
		b.sendFrom(t, lost("many24"), "198.51.100.8:1")
		if list := b.mails(t); len(list) != 1 {
			t.Errorf("%d mails for another address, want 1", len(list))
		}
	})
}

// TestAdvisory_T17_RecoveryTellsNothing compares the replies about an existing, a missing, a
// locked and an addressless user, and one that had its mail, and the time they take. What a
// short run on a busy machine can tell is whether there is work for one of them only; the long
// run wants the middle times within two percent.
func TestAdvisory_T17_RecoveryTellsNothing(t *testing.T) {
	t.Run("password", func(t *testing.T) { compareRecoveries(t, lost, leastCost, 4000) })
	t.Run("second factor", func(t *testing.T) {
		compareRecoveries(t, func(name string) row { return lostFactor(name, "wrong") }, 12, 250)
	})
	t.Run("right and wrong", func(t *testing.T) {
		b := newMailBed(t)
		right := fmt.Sprint(b.send(t, lostFactor("viewer", "Passw0rd!")).Body)
		if wrong := fmt.Sprint(b.send(t, lostFactor("viewer", "wrong")).Body); right != wrong {
			t.Errorf("the right password is answered %s, a wrong one %s", right, wrong)
		}
		if list := b.mails(t); len(list) != 1 || list[0].Kind != core.SecondFactorRecovery {
			t.Errorf("got %+v, want one mail for who knew the password", list)
		}
	})
}

func compareRecoveries(t *testing.T, ask func(name string) row, cost, rounds int) {
	t.Helper()
	most := 1.02
	if !promise.Long() {
		cost, rounds, most = min(cost, 8), 9, 10
	}
	b := newBedWith(t, core.Settings{Mail: true, PasswordCost: cost, MaxFailedAttempts: 1_000_000, LockFor: time.Hour})
	b.hashedAt(cost)
	now := time.Now().UTC().Format("2006-01-02T15:04:05.000000Z")
	b.change(t, `UPDATE "user" SET email = NULL WHERE username = 'orgadmin'`,
		fmt.Sprintf(`UPDATE "user" SET failed_login_attempts = 10000000, last_login_attempt = '%s' WHERE username = 'researcher'`, now))
	b.send(t, lost("colladmin"))
	b.mails(t)
	names := []string{"viewer", "nobody", "researcher", "orgadmin", "colladmin"}
	took, replies := map[string][]time.Duration{}, map[string]bool{}
	for range rounds {
		for _, i := range rand.Perm(len(names)) { // what goes on in the background may slow down the next one
			name := names[i]
			began := time.Now()
			r := b.send(t, ask(name))
			took[name] = append(took[name], time.Since(began))
			replies[fmt.Sprint(r.Code, r.Header(), r.Body)] = true
			b.mails(t) // in the background, else
		}
	}
	if len(replies) != 1 {
		t.Errorf("%d kinds of replies: %v", len(replies), replies)
	}
	var middles []time.Duration
	for _, name := range names {
		slices.Sort(took[name])
		middles = append(middles, took[name][rounds/2])
	}
	ratio := float64(slices.Max(middles)) / float64(slices.Min(middles))
	t.Logf("middle times %v of %v, ratio %.3f", middles, names, ratio)
	if ratio > most {
		t.Errorf("it takes %.3f times as long for one user as for another: %v of %v", ratio, middles, names)
	}
}

// TestAdvisory_T20_LostSecondFactorCounts: a wrong password counts as at a log-in.
func TestAdvisory_T20_LostSecondFactorCounts(t *testing.T) {
	b := newMailBed(t)
	for range 5 {
		b.send(t, lostFactor("viewer", "wrong"))
	}
	b.run(logIn("viewer", "Passw0rd!", 401), lostFactor("viewer", "Passw0rd!"))
	if n := b.failures(5); n != 5 {
		t.Errorf("%d failures are counted, want 5", n)
	}
	for _, m := range b.mails(t) {
		if m.Kind != core.AccountLocked {
			t.Errorf("a locked account got a mail about %s", m.Kind)
		}
	}
}

// TestAdvisory_T18_TokensAreBound: a token is good once, for one purpose, for a time, while it is
// the newest one, and while its user reads the mails of the address that it went to.
func TestAdvisory_T18_TokensAreBound(t *testing.T) {
	const fresh = "An0ther one"
	refused := func(token string, want int, msg string) []row {
		return []row{reset(token, fresh, want, msg), logIn("viewer", "Passw0rd!", 200)}
	}
	for name, c := range map[string]func(t *testing.T, b *bed){
		"once": func(t *testing.T, b *bed) {
			token := b.mailed(t, lost("viewer"))
			b.run(reset(token, fresh, 200, textReset), reset(token, "Passw0rd!", 400, textNoToken), logIn("viewer", fresh, 200))
		},
		"one purpose": func(t *testing.T, b *bed) {
			b.run(refused(b.mailed(t, lostFactor("viewer", "Passw0rd!")), 400, textNoToken)...)
		},
		"the newest": func(t *testing.T, b *bed) {
			first := b.mailed(t, lost("viewer"))
			b.change(t, `DELETE FROM mail`)
			second := b.mailed(t, lost("viewer"))
			b.run(append(refused(first, 400, textNoToken), reset(second, fresh, 200, textReset))...)
		},
		"the purposes do not meet": func(t *testing.T, b *bed) {
			token := b.mailed(t, lost("viewer"))
			b.mailed(t, lostFactor("viewer", "Passw0rd!"))
			b.run(reset(token, fresh, 200, textReset))
		},
		"a time": func(t *testing.T, b *bed) {
			token := b.mailed(t, lost("viewer"))
			b.ages(t, time.Second)
			b.run(refused(token, 401, "Token has expired")...)
		},
		"another address": func(t *testing.T, b *bed) {
			token := b.mailed(t, lost("viewer"))
			b.run(row{as: "viewer", method: "PATCH", path: "/user/5", body: `{"lastname":"L"}`, want: 200})
			b.run(row{as: "viewer", method: "PATCH", path: "/user/5", body: `{"email":"safe@example.org"}`, want: 200})
			b.run(refused(token, 400, textNoToken)...)
		},
		"another password": func(t *testing.T, b *bed) {
			token := b.mailed(t, lost("viewer"))
			b.run(changing("viewer", "Passw0rd!", "Th1rd one", 200, ""), reset(token, fresh, 400, textNoToken), logIn("viewer", "Th1rd one", 200))
		},
		"another field": func(t *testing.T, b *bed) {
			token := b.mailed(t, lost("viewer"))
			b.run(row{as: "viewer", method: "PATCH", path: "/user/5", body: `{"lastname":"L"}`, want: 200}, reset(token, fresh, 200, textReset))
		},
		"its user": func(t *testing.T, b *bed) {
			token := b.mailed(t, lost("viewer"))
			b.run(row{as: "viewer", method: "DELETE", path: "/user/5", want: 200}, reset(token, fresh, 400, textNoToken))
		},
		"no log-in": func(t *testing.T, b *bed) {
			token := b.mailed(t, lost("viewer"))
			b.run(row{method: "GET", path: "/user/5", header: map[string]string{"Authorization": "Bearer " + token}, want: 422})
		},
		"no token of the API": func(t *testing.T, b *bed) {
			b.run(refused(b.token("viewer"), 400, textNoToken)...)
		},
		"all at once": func(t *testing.T, b *bed) {
			token := b.mailed(t, lost("viewer"))
			var done sync.WaitGroup
			codes := make([]int, 4)
			for i := range codes {
				done.Go(func() { codes[i] = b.send(t, reset(token, fmt.Sprintf("An0ther %d", i), 0, "")).Code })
			}
			done.Wait()
			if slices.Sort(codes); !slices.Equal(codes, []int{200, 400, 400, 400}) {
				t.Errorf("four tries at a time are answered %v", codes)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newMailBed(t)
			b.T = t
			c(t, b)
		})
	}
}

// TestTokensOfOperators are for users whom no mail reaches, and need no mail server.
func TestTokensOfOperators(t *testing.T) {
	b := newBed(t)
	token, until, err := b.s.core.IssueToken(t.Context(), "viewer", core.ForPassword)
	if err != nil || time.Until(until) > time.Hour || time.Until(until) < 59*time.Minute {
		t.Fatal(token, until, err)
	}
	b.run(reset(token, "An0ther one", 200, textReset), reset(token, "An0ther one", 400, textNoToken))
	if _, _, err := b.s.core.IssueToken(t.Context(), "nobody", core.ForPassword); !fault.Is(err, fault.Missing) {
		t.Error(err)
	}
	if err := b.s.core.SetPassword(t.Context(), "viewer", "weak"); !fault.Is(err, fault.Invalid) {
		t.Error(err)
	}
	if err := b.s.core.SetPassword(t.Context(), "viewer", "F1fth one"); err != nil {
		t.Fatal(err)
	}
	b.run(logIn("viewer", "An0ther one", 401), logIn("viewer", "F1fth one", 200))
	b.run(lost("viewer"))
	if list := b.mails(t); len(list) != 0 {
		t.Errorf("a server without mail has %+v to send", list)
	}
	if n := b.number(t, `SELECT COUNT(*) FROM recovery_request`); n != 0 {
		t.Errorf("%d requests wait on a server without mail", n)
	}
}

// TestUsersAreTold: once about a lock, and of every new password.
func TestUsersAreTold(t *testing.T) {
	b := newMailBed(t)
	wrong := logIn("viewer", "wrong", 401)
	wrong.header = map[string]string{"Accept-Language": "nl-NL,nl;q=0.9,en;q=0.5"}
	for range 4 {
		b.send(t, wrong)
	}
	if list := b.mails(t); len(list) != 0 {
		t.Errorf("before the lock there is %+v", list)
	}
	for range 6 {
		b.send(t, wrong)
	}
	list := b.mails(t)
	if len(list) != 1 {
		t.Fatalf("got %+v, want one mail about the lock", list)
	}
	m := list[0]
	if m.Kind != core.AccountLocked || m.Language != "nl" || m.Recipient != "viewer@example.org" || m.Facts.Attempts != 5 ||
		m.Facts.From != "192.0.2.1" || m.Facts.Lasts != 15*time.Minute || m.Facts.Name != "First" || time.Since(m.Facts.At) > time.Minute {
		t.Errorf("got %+v", m)
	}
	for i := range 5 {
		b.sendFrom(t, wrong, fmt.Sprintf("192.0.2.%d:1", 10+i/5))
	}
	if list := b.mails(t); len(list) != 0 {
		t.Errorf("another address locked it within the hour: %+v", list)
	}
	for i := range 11 {
		b.run(changing("admin", fmt.Sprintf("Passw0rd!%s", strings.Repeat("x", i)), fmt.Sprintf("Passw0rd!%s", strings.Repeat("x", i+1)), 200, ""))
	}
	if list := b.mails(t); len(list) != 10 || list[0].Kind != core.PasswordChanged {
		t.Errorf("%d mails about 11 new passwords, want 10", len(list))
	}
}

// TestMailIsQueuedWithItsCause: a transaction that fails queues nothing, and uses up no token.
func TestMailIsQueuedWithItsCause(t *testing.T) {
	b := newMailBed(t)
	token := b.mailed(t, lost("viewer"))
	broken := errors.New("broken")
	err := b.db.InTx(t.Context(), func(ctx context.Context, tx *queries.Tx) error {
		if n, err := tx.UseRecovery(ctx, "none"); n != 0 || err != nil {
			t.Error(n, err)
		}
		return broken
	})
	if !errors.Is(err, broken) {
		t.Fatal(err)
	}
	b.change(t, `DELETE FROM mail`)
	// The notice is the last statement of the reset: without its table nothing of it stays.
	b.change(t, `ALTER TABLE mail RENAME TO away`)
	if reply := b.send(t, reset(token, "An0ther one", 0, "")); reply.Code != 500 {
		t.Errorf("%d %s", reply.Code, reply.Body)
	}
	b.change(t, `ALTER TABLE away RENAME TO mail`)
	b.run(logIn("viewer", "Passw0rd!", 200), reset(token, "An0ther one", 200, textReset), logIn("viewer", "An0ther one", 200))
}

func TestLanguages(t *testing.T) {
	for header, want := range map[string]string{
		"": "en", "*": "en", "fr": "en", "nl": "nl", "NL-be": "nl", "en;q=0.4, nl;q=0.5": "nl", "fr, nl;q=0.1": "nl",
		"nl;q=0": "en", "nl;q=x": "en", "de, en, nl": "en", "nlx": "en", ";;,,q=1": "en",
	} {
		if got := languageOf(http.Header{"Accept-Language": {header}}); got != want {
			t.Errorf("%q: got %s, want %s", header, got, want)
		}
	}
}
