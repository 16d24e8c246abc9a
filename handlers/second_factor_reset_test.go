package handlers

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"vserver/service/core"
)

// newFactorBed is a bed on which every user has a second factor, whose server sends mail.
func newFactorBed(t *testing.T) *bed {
	set := withFactor()
	set.Mail = true
	return newBedWith(t, set)
}

// resetFactor asks for a new secret with a token.
func resetFactor(token any, want int, has string) row {
	return row{method: "POST", path: "/recover/2fa/reset", body: map[string]any{"reset_token": token}, want: want, has: has}
}

func withToken(token string, r row) row {
	r.header = map[string]string{"Authorization": "Bearer " + token}
	return r
}

// tokensOf logs somebody in with a code, and returns the tokens.
func (b *bed) tokensOf(t *testing.T, name string, code any) (access, refresh string) {
	t.Helper()
	reply := b.send(t, withCode(name, code, 200, ""))
	var in sessionJSON
	if err := json.Unmarshal(reply.Body.Bytes(), &in); err != nil || in.AccessToken == "" {
		t.Fatalf("%d %s", reply.Code, reply.Body)
	}
	return in.AccessToken, in.RefreshToken
}

// kinds are the occasions of mails that wait.
func (b *bed) kinds(t *testing.T) (all []core.MailKind) {
	for _, m := range b.mails(t) {
		all = append(all, m.Kind)
	}
	return all
}

// TestSecondFactorIsFollowed through everything that happens to it: set-up, log-ins, drift, a code twice, a lock, recovery codes,
// a lost authenticator, and a new secret.
func TestSecondFactorIsFollowed(t *testing.T) {
	b := newFactorBed(t)
	shown := scanned(t, b.send(t, logIn("viewer", "Passw0rd!", 200)))
	access, refresh := b.tokensOf(t, "viewer", b.codeAt(shown.Secret, -1))
	if got := b.kinds(t); !slices.Equal(got, []core.MailKind{core.SecondFactorChanged}) {
		t.Errorf("mails about %v", got)
	}
	b.run(
		row{name: "asked", method: "POST", path: "/token/user", body: logIn("viewer", "Passw0rd!", 200).body, want: 200, has: asksForCode},
		withCode("viewer", b.codeAt(shown.Secret, 0), 200, `{"access_token":"*"}`),
		withCode("viewer", b.codeAt(shown.Secret, 0), 401, wrongCodeMsg),
	)
	reply := b.send(t, withToken(access, row{method: "POST", path: "/second-factor/recovery-codes", body: map[string]string{"mfa_code": b.codeAt(shown.Secret, 1)}}))
	var made struct {
		Codes []string `json:"recovery_codes"`
	}
	if err := json.Unmarshal(reply.Body.Bytes(), &made); err != nil || len(made.Codes) != 10 {
		t.Fatalf("%d %s", reply.Code, reply.Body)
	}
	b.run(withCode("viewer", made.Codes[0], 200, `{"access_token":"*"}`))
	for range 5 {
		b.run(withCode("viewer", made.Codes[0], 401, wrongCodeMsg))
	}
	b.run(
		withCode("viewer", made.Codes[1], 401, failedMsg),
		withToken(refresh, row{name: "refresh in a lock", method: "POST", path: "/token/refresh", want: 200}),
	)
	if reply := b.sendFrom(t, withCode("viewer", made.Codes[1], 200, ""), here); reply.Code != http.StatusOK {
		t.Errorf("from elsewhere: %d %s", reply.Code, reply.Body)
	}
	if got := b.kinds(t); !slices.Equal(got, []core.MailKind{core.AccountLocked}) {
		t.Errorf("mails about %v", got)
	}
	b.ago(5, 15*time.Minute+time.Second)

	token := b.mailed(t, lostFactor("viewer", "Passw0rd!"))
	b.run(withToken(access, row{name: "until then", method: "GET", path: "/user/5", want: 200}))
	fresh := scanned(t, b.send(t, resetFactor(token, 200, "")))
	if fresh.Secret == shown.Secret || !strings.Contains(fresh.URI, ":viewer?secret="+fresh.Secret+"&issuer=") {
		t.Errorf("the new secret: %+v", fresh)
	}
	if got := b.kinds(t); !slices.Equal(got, []core.MailKind{core.SecondFactorChanged}) || !slices.Contains(b.closed, 5) {
		t.Errorf("mails about %v, closed are %v", got, b.closed)
	}
	b.again(5)
	b.run(
		resetFactor(token, 400, `{"msg":"Invalid recovery token!"}`),
		withToken(access, row{name: "access", method: "GET", path: "/user/5", want: 401, has: `{"msg":"Token has been revoked"}`}),
		withToken(refresh, row{name: "refresh", method: "POST", path: "/token/refresh", want: 401, has: `{"msg":"Token has been revoked"}`}),
		row{name: "the secret is shown once", method: "POST", path: "/token/user", body: logIn("viewer", "Passw0rd!", 200).body, want: 200, has: asksForCode},
		withCode("viewer", b.codeAt(shown.Secret, 1), 401, wrongCodeMsg),
		withCode("viewer", made.Codes[2], 401, wrongCodeMsg),
		withCode("viewer", b.codeAt(fresh.Secret, 0), 200, `{"access_token":"*"}`),
	)
	log := b.log.take()
	for _, secret := range append([]string{shown.Secret, fresh.Secret, token, access}, made.Codes...) {
		if strings.Contains(log, secret) {
			t.Errorf("the log has %s: %s", secret, log)
		}
	}
}

// TestAdvisory_T01_WrongLogInsTellNothingOfASecondFactor: without the password nobody learns who has one, and a lock by codes
// is none to see.
func TestAdvisory_T01_WrongLogInsTellNothingOfASecondFactor(t *testing.T) {
	b := newBedWith(t, withFactor())
	b.enrol(5, aSecret)
	b.enrol(6, aSecret)
	b.send(t, logIn("noperm", "Passw0rd!", 200)) // waits for its first code
	for range 5 {
		b.send(t, withCode("researcher", "000000", 401, ""))
	}
	first := b.send(t, logIn("nobody", "wrong", 401))
	for _, name := range []string{"viewer", "researcher", "noperm", "orgadmin", "nobody"} {
		for what, r := range map[string]row{
			"no code": logIn(name, "wrong", 401),
			"a code": {method: "POST", path: "/token/user", body: map[string]any{
				"username": name, "password": "wrong", "mfa_code": b.codeAt(aSecret, 0),
			}},
		} {
			if reply := b.send(t, r); !sameReply(first, reply) {
				t.Errorf("%s, %s: %d %s", name, what, reply.Code, reply.Body)
			}
		}
	}
	if reply := b.send(t, withCode("researcher", b.codeAt(aSecret, 0), 401, "")); !sameReply(first, reply) {
		t.Errorf("locked, with both right: %d %s", reply.Code, reply.Body)
	}
}

// TestAdvisory_T18_MailboxIsNoSecondFactor: a password that was reset by mail leaves the second factor, and a token for
// the one is worth nothing for the other.
func TestAdvisory_T18_MailboxIsNoSecondFactor(t *testing.T) {
	const fresh = "An0ther one"
	b := newFactorBed(t)
	b.enrol(5, aSecret)
	token := b.mailed(t, lost("viewer"))
	b.run(
		resetFactor(token, 400, `{"msg":"Invalid recovery token!"}`),
		reset(token, fresh, 200, textReset),
		row{name: "still asked", method: "POST", path: "/token/user", body: logIn("viewer", fresh, 200).body, want: 200, has: asksForCode},
	)
	if reply := b.send(t, lostFactor("viewer", "Passw0rd!")); reply.Code != http.StatusOK || slices.Contains(b.kinds(t), core.SecondFactorRecovery) {
		t.Error("the former password brings a token")
	}
	first := b.mailed(t, lostFactor("viewer", fresh))
	b.change(t, `DELETE FROM mail`)
	second := b.mailed(t, lostFactor("viewer", fresh))
	b.run(
		reset(second, fresh, 400, textNoToken),
		resetFactor(first, 400, `{"msg":"Invalid recovery token!"}`), // the newest only
		resetFactor(second, 200, `{"qr_uri":"*","otp_secret":"*","msg":"*"}`),
		resetFactor(second, 400, `{"msg":"Invalid recovery token!"}`),
	)
	b.change(t, `DELETE FROM mail`)
	late := b.mailed(t, lostFactor("viewer", fresh))
	b.ages(t, time.Second)
	b.run(resetFactor(late, 401, `{"msg":"Token has expired"}`))
	for _, odd := range []any{nil, "", 5, true, []string{"x"}, map[string]string{}} {
		b.run(resetFactor(odd, 400, `{"msg":"The reset token is missing!"}`))
	}
	b.run(
		row{name: "no body", method: "POST", path: "/recover/2fa/reset", want: 400},
		resetFactor("x", 400, `{"msg":"Invalid recovery token!"}`),
		resetFactor(b.token("viewer"), 400, `{"msg":"Invalid recovery token!"}`),
		resetFactor(strings.Repeat("x", 100_000), 400, `{"msg":"Invalid recovery token!"}`),
	)
}

// TestSecondFactorIsResetWithoutASwitch: the token that an administrator prints works whether or not the second factor is asked
// for, and is not used up where no key is.
func TestSecondFactorIsResetWithoutASwitch(t *testing.T) {
	set := withFactor()
	set.SecondFactor = false
	b := newBedWith(t, set)
	token, _, err := b.s.core.IssueToken(t.Context(), "viewer", core.ForSecondFactor)
	if err != nil {
		t.Fatal(err)
	}
	bare := newBedOn(t, b.src, core.Settings{})
	bare.run(resetFactor(token, 400, `{"msg":"This server cannot keep second factors: its administrator has to give it a key"}`))
	b.run(
		resetFactor(token, 200, `{"qr_uri":"*"}`),
		logIn("viewer", "Passw0rd!", 200),
	)
}

// TestAdministratorForgetsSecondFactors: of one user or of all; the next log-in sets up a new one, and log-ins of before end.
func TestAdministratorForgetsSecondFactors(t *testing.T) {
	b := newFactorBed(t)
	b.enrol(5, aSecret)
	b.enrol(6, aSecret)
	access, _ := b.tokensOf(t, "viewer", b.codeAt(aSecret, 0))
	if had, err := b.s.core.ForgetSecondFactor(t.Context(), "viewer"); err != nil || !had {
		t.Fatal(had, err)
	}
	if had, err := b.s.core.ForgetSecondFactor(t.Context(), "viewer"); err != nil || had {
		t.Error("there was one twice", had, err)
	}
	if _, err := b.s.core.ForgetSecondFactor(t.Context(), "nobody"); err == nil {
		t.Error("nobody has none")
	}
	b.run(withToken(access, row{name: "access", method: "GET", path: "/user/5", want: 401}))
	scanned(t, b.send(t, logIn("viewer", "Passw0rd!", 200)))
	b.run(withCode("researcher", b.codeAt(aSecret, 0), 200, `{"access_token":"*"}`))
	if got := b.kinds(t); !slices.Equal(got, []core.MailKind{core.SecondFactorChanged}) {
		t.Errorf("mails about %v", got)
	}

	// Another key is refused, until everything that is sealed with the former one is forgotten.
	set := withFactor()
	set.Key = core.Key{Name: "another", Read: func(bool) ([]byte, error) { return []byte("another key that is long enough too"), nil }}
	other := newBedOn(t, b.src, set)
	err := other.s.core.SecondFactorReady(t.Context())
	if err == nil || !strings.Contains(err.Error(), "that of another") || !strings.Contains(err.Error(), "reset-2fa --all") {
		t.Fatalf("another key: %v", err)
	}
	if n, err := other.s.core.ForgetSecondFactors(t.Context()); err != nil || n != 1 {
		t.Fatal(n, err)
	}
	if err := other.s.core.SecondFactorReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	shown := scanned(t, other.send(t, logIn("researcher", "Passw0rd!", 200)))
	other.run(withCode("researcher", b.codeAt(shown.Secret, 0), 200, `{"access_token":"*"}`))
}

// TestPythonClientWithASecondFactor sends what the client of 3.7 and 3.11 does, in its order.
func TestPythonClientWithASecondFactor(t *testing.T) {
	b := newFactorBed(t)
	authenticate := func(more map[string]any) row {
		body := map[string]any{"username": "viewer", "password": "Passw0rd!"}
		for k, v := range more {
			body[k] = v
		}
		return row{method: "POST", path: "/token/user", body: body}
	}
	// authenticate: qr_uri means set-up, access_token a log-in, else msg is told; above 200 is a failure.
	first := b.send(t, authenticate(nil))
	shown := scanned(t, first)
	for i, c := range []struct {
		more map[string]any
		want int
		key  string
	}{
		{nil, 200, "qr_uri"},
		{map[string]any{"mfa_code": b.codeAt(shown.Secret, -1)}, 200, "access_token"},
		{nil, 200, "msg"},
		{map[string]any{"mfa_code": json.RawMessage(strings.TrimLeft(b.codeAt(shown.Secret, 0), "0"))}, 200, "access_token"},
		{map[string]any{"mfa_code": nil}, 200, "msg"},
		{map[string]any{"mfa_code": "1"}, 401, "msg"},
	} {
		reply := b.send(t, authenticate(c.more))
		var got map[string]any
		if err := json.Unmarshal(reply.Body.Bytes(), &got); err != nil || reply.Code != c.want || got[c.key] == nil {
			t.Errorf("step %d: %d %s, want %d with %s", i, reply.Code, reply.Body, c.want, c.key)
		}
	}
	b.mails(t)
	// util.reset_two_factor_auth and util.set_two_factor_auth.
	token := b.mailed(t, row{method: "POST", path: "/recover/2fa/lost", body: map[string]any{"username": "viewer", "email": nil, "password": "Passw0rd!"}})
	fresh := scanned(t, b.send(t, row{method: "POST", path: "/recover/2fa/reset", body: map[string]any{"reset_token": token}}))
	if reply := b.send(t, authenticate(map[string]any{"mfa_code": b.codeAt(fresh.Secret, 0)})); reply.Code != 200 || !strings.Contains(fmt.Sprint(reply.Body), "refresh_token") {
		t.Errorf("with the new secret: %d %s", reply.Code, reply.Body)
	}
}
