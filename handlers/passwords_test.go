package handlers

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"vserver/service/core"
)

// changing is a request to change somebody's own password.
func changing(as, current, fresh string, want int, msg string) row {
	has := ""
	if msg != "" {
		has = fmt.Sprintf(`{"msg":%q}`, msg)
	}
	return row{as: as, method: "PATCH", path: "/password/change", want: want, has: has,
		body: map[string]string{"current_password": current, "new_password": fresh}}
}

func logIn(name, password string, want int) row {
	return row{name: name, method: "POST", path: "/token/user", want: want, body: map[string]string{"username": name, "password": password}}
}

const wrongCurrent = "Your current password is not correct!"

func TestPasswordIsChanged(t *testing.T) {
	b := newBed(t)
	patch := func(body string, want int, has string) row {
		return row{as: "noperm", method: "PATCH", path: "/password/change", body: body, want: want, has: has}
	}
	const (
		noCurrent = `{"msg":"Your current password is missing"}`
		noNew     = `{"msg":"Your new password is missing!"}`
	)
	b.run(
		patch(``, 400, `{"msg":"*"}`),
		patch(`{x`, 400, `{"message":"The browser (or proxy) sent a request that this server could not understand."}`),
		patch(`[]`, 400, `{"msg":"*"}`),
		patch(`{}`, 400, noCurrent),
		patch(`{"current_password":null,"new_password":"x"}`, 400, noCurrent),
		patch(`{"current_password":"","new_password":"x"}`, 400, noCurrent),
		patch(`{"current_password":5,"new_password":"x"}`, 400, noCurrent),
		patch(`{"current_password":"x"}`, 400, noNew),
		patch(`{"current_password":"x","new_password":""}`, 400, noNew),
		patch(`{"current_password":"x","new_password":["a"]}`, 400, noNew),
		patch(`{"current_password":"Passw0rd!","new_password":"a\u0000"}`, 400, `{"msg":"*"}`),
		changing("noperm", "wrong", "weak", 401, wrongCurrent),
		changing("noperm", "Passw0rd!", "Passw0rd!", 400, "New password is the same as current password!"),
		changing("noperm", "Passw0rd!", "passw0rd!", 400, "Password should contain at least one uppercase letter"),
		logIn("noperm", "Passw0rd!", 200),
		changing("noperm", "Passw0rd!", "An0ther one", 200, "The password has been changed successfully!"),
		logIn("noperm", "Passw0rd!", 401),
		logIn("noperm", "An0ther one", 200),
		row{as: "node_iknl_z", method: "PATCH", path: "/password/change", body: `{}`, want: 403},
		row{as: "container", method: "PATCH", path: "/password/change", body: `{}`, want: 403},
		row{method: "PATCH", path: "/password/change", body: `{}`, want: 401},
	)
}

// bcrypt reads 72 bytes: a new password that differs only after them would be the
// same.
func TestLongPasswordsDifferWhereItCounts(t *testing.T) {
	b := newBed(t)
	long := "Passw0rd!" + string(make72())
	b.run(
		changing("viewer", "Passw0rd!", long, 200, ""),
		changing("viewer", long, long+"x", 400, "New password is the same as current password!"),
		logIn("viewer", long, 200),
	)
}

func make72() []byte {
	b := make([]byte, 72)
	for i := range b {
		b[i] = 'a' + byte(i%26)
	}
	return b
}

func TestAdvisory_T03_RefreshTokensDieWithThePassword(t *testing.T) {
	b := newBed(t)
	j := b.session(t, logIn("viewer", "Passw0rd!", 200))
	bearing := func(token string) map[string]string {
		return map[string]string{"Authorization": "Bearer " + j[token].(string)}
	}
	refresh := func(token string, want int, msg string) row {
		return row{method: "POST", path: "/token/refresh", header: bearing(token), want: want, has: fmt.Sprintf(`{"msg":%q}`, msg)}
	}
	own := row{method: "GET", path: "/user/5", header: bearing("access_token"), want: 200}
	b.run(
		row{method: "POST", path: "/token/refresh", header: bearing("refresh_token"), want: 200, has: `{"user_url":"/api/user/5"}`},
		changing("viewer", "wrong", "An0ther one", 401, wrongCurrent),
		row{name: "a refused change ends nothing", method: "POST", path: "/token/refresh", header: bearing("refresh_token"), want: 200},
		changing("viewer", "Passw0rd!", "An0ther one", 200, ""),
		refresh("refresh_token", 401, "Token has been revoked"),
		own,
		refresh("access_token", 422, "Only refresh tokens are allowed"),
	)
	j = b.session(t, logIn("viewer", "An0ther one", 200))
	b.run(
		row{method: "POST", path: "/token/refresh", header: bearing("refresh_token"), want: 200},
		row{as: "viewer", method: "DELETE", path: "/user/5", want: 200},
		refresh("refresh_token", 401, "Error loading the user 5"),
		row{method: "GET", path: "/user/5", header: bearing("access_token"), want: 401, has: `{"msg":"Error loading the user 5"}`},
	)
}

// failures reads the counter of a user.
func (b *bed) failures(user int) int64 {
	b.Helper()
	return b.number(b.T, fmt.Sprintf(`SELECT COALESCE(failed_login_attempts, 0) FROM "user" WHERE id = %d`, user))
}

// ago moves a user's last failures.
func (b *bed) ago(user int, d time.Duration) {
	b.Helper()
	at := time.Now().Add(-d).UTC().Format("2006-01-02T15:04:05.000000Z")
	b.change(b.T, fmt.Sprintf(`UPDATE "user" SET last_login_attempt = '%s' WHERE id = %d`, at, user),
		fmt.Sprintf(`UPDATE failed_login SET last_attempt = '%s' WHERE user_id = %d`, at, user))
}

func TestAdvisory_T20_OneCounterForLogInAndChangeOfPassword(t *testing.T) {
	b := newBed(t)
	locked := []row{
		logIn("viewer", "Passw0rd!", 401),
		changing("viewer", "Passw0rd!", "An0ther one", 401, wrongCurrent),
		changing("viewer", "wrong", "An0ther one", 401, wrongCurrent),
		logIn("viewer", "wrong", 401),
	}
	b.run(
		logIn("viewer", "wrong", 401),
		changing("viewer", "wrong", "An0ther one", 401, wrongCurrent),
		logIn("viewer", "Passw0rd!", 200),
	)
	if n := b.failures(5); n != 0 {
		t.Errorf("a log-in leaves %d failures, want none", n)
	}
	b.run(
		logIn("viewer", "wrong", 401),
		changing("viewer", "wrong1", "An0ther one", 401, wrongCurrent),
		logIn("viewer", "wrong", 401),
		changing("viewer", "wrong2", "An0ther one", 401, wrongCurrent),
		changing("viewer", "Passw0rd!", "weak", 400, ""),
		changing("viewer", "wrong3", "An0ther one", 401, wrongCurrent),
	)
	b.run(locked...)
	b.run(row{name: "tokens go on working", as: "viewer", method: "GET", path: "/user/5", want: 200})
	if n := b.failures(5); n != 5 {
		t.Errorf("%d failures are counted, want 5: none while locked", n)
	}
	b.ago(5, 15*time.Minute-10*time.Second)
	b.run(locked...)
	b.ago(5, 15*time.Minute+time.Second)
	b.run(changing("viewer", "wrong4", "An0ther one", 401, wrongCurrent))
	if n := b.failures(5); n != 1 {
		t.Errorf("%d failures after the lock has ended, want 1", n)
	}
	b.run(changing("viewer", "Passw0rd!", "An0ther one", 200, ""), logIn("viewer", "An0ther one", 200))
}

// TestAdvisory_T20_ARepeatedChangeCountsOnce: the web UI sends a request that was answered
// 401 once more after a refresh.
func TestAdvisory_T20_ARepeatedChangeCountsOnce(t *testing.T) {
	b := newBed(t)
	for _, c := range []struct {
		sent row
		want int64
	}{
		{changing("viewer", "wrong", "An0ther one", 401, wrongCurrent), 1},
		{changing("viewer", "wrong", "An0ther one", 401, wrongCurrent), 1},
		{changing("viewer", "wrong", "An0ther two", 401, wrongCurrent), 1},
		{changing("viewer", "wronger", "An0ther one", 401, wrongCurrent), 2},
		{logIn("viewer", "wronger", 401), 3},
		{logIn("viewer", "wronger", 401), 4},
		{changing("viewer", "wronger", "An0ther one", 401, wrongCurrent), 4},
		{changing("admin", "wronger", "An0ther one", 401, wrongCurrent), 4},
	} {
		b.run(c.sent)
		if n := b.failures(5); n != c.want {
			t.Errorf("%v: %d failures, want %d", c.sent.body, n, c.want)
		}
	}
	if n := b.failures(2); n != 1 {
		t.Errorf("another account's same value counts %d", n)
	}
}

func TestAdvisory_T20_PolicyOfTheConfigurationCounts(t *testing.T) {
	b := newBedWith(t, core.Settings{MaxFailedAttempts: 2, LockFor: time.Minute})
	b.run(
		logIn("viewer", "wrong", 401),
		changing("viewer", "wrong", "An0ther one", 401, wrongCurrent),
		logIn("viewer", "Passw0rd!", 401),
	)
	b.ago(5, time.Minute+time.Second)
	b.run(logIn("viewer", "Passw0rd!", 200))
	for name, statements := range map[string][]string{
		"no moment is stored": {`UPDATE "user" SET failed_login_attempts = 99, last_login_attempt = NULL WHERE id = 5`, `DELETE FROM failed_login`},
		"the clock was set back": {
			`UPDATE "user" SET failed_login_attempts = 99, last_login_attempt = '2990-01-01T00:00:00.000000Z' WHERE id = 5`, `DELETE FROM failed_login`,
			`INSERT INTO failed_login (user_id, network, attempts, last_attempt) VALUES (5, '192.0.2.1', 99, '2990-01-01T00:00:00.000000Z')`,
		},
		"nothing was counted": {`UPDATE "user" SET failed_login_attempts = NULL WHERE id = 5`},
		"the shell took them back": {
			`DELETE FROM failed_login`, fmt.Sprintf(`INSERT INTO failed_login (user_id, network, attempts, last_attempt) VALUES (5, '192.0.2.1', 99, '%s')`, time.Now().UTC().Format("2006-01-02T15:04:05.000000Z")),
			`UPDATE "user" SET failed_login_attempts = 0 WHERE id = 5`,
		},
	} {
		b.change(t, statements...)
		b.run(row{name: name, as: "viewer", method: "GET", path: "/user/5", want: 200}, logIn("viewer", "wrong", 401))
		if n := b.failures(5); n != 1 {
			t.Errorf("%s: %d failures, want 1", name, n)
		}
		b.change(t, statements...)
		b.run(logIn("viewer", "Passw0rd!", 200))
	}
}

// Guesses at the same time are no way round the count.
func TestAdvisory_T20_GuessesAtTheSameTimeAreCounted(t *testing.T) {
	b := newBed(t)
	var wg sync.WaitGroup
	replies := make([]*httptest.ResponseRecorder, 16)
	for i := range replies {
		wg.Go(func() {
			if i%2 == 0 {
				replies[i] = b.send(t, logIn("viewer", "wrong", 401))
			} else {
				replies[i] = b.send(t, changing("viewer", "wrong", "An0ther one", 401, ""))
			}
		})
	}
	wg.Wait()
	for i, r := range replies {
		if r.Code != http.StatusUnauthorized {
			t.Errorf("guess %d: %d %s", i, r.Code, r.Body)
		}
	}
	if n := b.failures(5); n != 5 {
		t.Errorf("%d failures are counted, want 5", n)
	}
	b.run(logIn("viewer", "Passw0rd!", 401))
}
