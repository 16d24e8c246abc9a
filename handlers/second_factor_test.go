package handlers

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"

	"vserver/queries/dbtest"
	"vserver/service/core"
)

const (
	asksForCode  = `{"msg":"Please include your two-factor authentication code"}`
	wrongCodeMsg = `{"msg":"Your two-factor authentication code is incorrect!"}`
	failedMsg    = `{"msg":"Failed to login"}`
	// aSecret is one as the reference makes and stores them.
	aSecret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
)

// withFactor are the settings of a server on which every user has a second factor.
func withFactor() core.Settings {
	return core.Settings{SecondFactor: true, Key: core.Key{Name: "the test", Read: func(bool) ([]byte, error) {
		return []byte("a key that is long enough to seal"), nil
	}}}
}

// withCode is a log-in with a code, as JSON has it.
func withCode(name string, code any, want int, has string) row {
	return row{name: fmt.Sprintf("%s with %v", name, code), method: "POST", path: "/token/user", want: want, has: has, body: map[string]any{
		"username": name, "password": "Passw0rd!", "mfa_code": code,
	}}
}

// codeAt is what an authenticator shows now, or so many periods later.
func codeAt(t *testing.T, secret string, later int) string {
	t.Helper()
	return codeOf(t, secret, period()+int64(later))
}

func codeOf(t *testing.T, secret string, period int64) string {
	t.Helper()
	code, err := hotp.GenerateCodeCustom(secret, uint64(period), hotp.ValidateOpts{Digits: 6, Algorithm: otp.AlgorithmSHA1})
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// period is the number of the present period of 30 seconds.
func period() int64 { return time.Now().Unix() / 30 }

// codeAt is what an authenticator shows, or so many periods later, all of one period until codes count anew: a test whose
// requests fall into two periods tells the same codes from each other as one that is quicker.
func (b *bed) codeAt(secret string, later int) string {
	b.Helper()
	const ample = 5 // seconds
	if b.period == 0 {
		for b.period = period(); (time.Now().Unix()+ample)/30 != b.period; b.period = period() {
			time.Sleep(100 * time.Millisecond)
		}
	}
	return codeOf(b.T, secret, b.period+int64(later))
}

// wrongFor is a code that is not right now, nor soon.
func wrongFor(t *testing.T, secret string) string {
	t.Helper()
	var right []string
	for later := -2; later <= 3; later++ {
		right = append(right, codeAt(t, secret, later))
	}
	for i := range 10 {
		if code := fmt.Sprintf("00000%d", i); !slices.Contains(right, code) {
			return code
		}
	}
	t.Fatal("every code is right")
	return ""
}

// enrol gives a user of the fixture a secret as the reference stores it.
func (b *bed) enrol(user int, secret string) {
	b.Helper()
	b.period = 0
	b.change(b.T, fmt.Sprintf(`UPDATE "user" SET otp_secret = '%s', otp_step = NULL WHERE id = %d`, secret, user))
}

// again has the codes of a user accepted once more.
func (b *bed) again(user int) {
	b.Helper()
	b.period = 0
	b.change(b.T, fmt.Sprintf(`UPDATE "user" SET otp_step = NULL WHERE id = %d`, user))
}

// scanned is what a log-in shows for an authenticator.
func scanned(t *testing.T, reply *httptest.ResponseRecorder) setUpJSON {
	t.Helper()
	var shown setUpJSON
	if err := json.Unmarshal(reply.Body.Bytes(), &shown); err != nil || reply.Code != http.StatusOK || len(shown.Secret) != 32 || shown.Msg == "" {
		t.Fatalf("%d %s", reply.Code, reply.Body)
	}
	return shown
}

// TestSecondFactorIsKeptOnceConfirmed: the first log-in shows a secret, every further one shows
// the same until one has its code; then nobody sees it again, and it is sealed in the database.
func TestSecondFactorIsKeptOnceConfirmed(t *testing.T) {
	b := newBedWith(t, withFactor())
	var shown [8]setUpJSON
	var all sync.WaitGroup
	for i := range shown {
		all.Go(func() { shown[i] = scanned(t, b.send(t, logIn("viewer", "Passw0rd!", 200))) })
	}
	all.Wait()
	secret := shown[0].Secret
	for _, s := range shown {
		if s != shown[0] {
			t.Errorf("log-ins at the same time show %s and %s", s.Secret, secret)
		}
	}
	if want := "otpauth://totp/vantage6%20%28petronas%29:viewer?secret=" + secret + "&issuer=vantage6%20%28petronas%29"; shown[0].URI != want {
		t.Errorf("got %s, want %s", shown[0].URI, want)
	}
	if n := b.number(t, `SELECT COUNT(*) FROM "user" WHERE otp_secret IS NOT NULL`); n != 0 {
		t.Error("a secret is kept before it is confirmed")
	}
	reply := b.send(t, withCode("viewer", wrongFor(t, secret), 401, ""))
	if reply.Code != 401 || reply.Body.String() != wrongCodeMsg {
		t.Errorf("a wrong code: %d %s", reply.Code, reply.Body)
	}
	if again := scanned(t, b.send(t, logIn("viewer", "Passw0rd!", 200))); again != shown[0] {
		t.Error("after a wrong code another secret is shown")
	}
	reply = b.send(t, withCode("viewer", b.codeAt(secret, 0), 200, ""))
	if reply.Code != 200 || strings.Count(strings.Join(reply.Header()["jwt-token"], ""), ".") != 2 {
		t.Fatalf("the first code: %d %s", reply.Code, reply.Body)
	}
	contains(t, reply.Body.Bytes(), `{"access_token":"*","refresh_token":"*","user_url":"/api/user/5","refresh_url":"/api/token/refresh"}`)
	if n := b.failures(5); n != 0 {
		t.Errorf("%d failures are left after a whole log-in", n)
	}
	b.run(row{method: "POST", path: "/token/user", body: logIn("viewer", "Passw0rd!", 200).body, want: 200, has: asksForCode})
	sealed := b.number(t, `SELECT COUNT(*) FROM "user" WHERE otp_secret LIKE 'v1:%' AND otp_pending IS NULL AND otp_secret NOT LIKE '%`+secret+`%'`)
	if sealed != 1 {
		t.Error("the secret is not sealed in the database")
	}
	b.run(row{as: "root", method: "GET", path: "/user/5", want: 200, has: `{"otp_secret":null}`})
}

// TestSecretThatNobodyConfirmedEnds: what was shown an hour ago to who had the password is not what the user scans.
func TestSecretThatNobodyConfirmedEnds(t *testing.T) {
	b := newBedWith(t, withFactor())
	first := scanned(t, b.send(t, logIn("viewer", "Passw0rd!", 200)))
	at := time.Now().Add(-time.Hour).UTC().Format("2006-01-02T15:04:05.000000Z")
	b.change(t, `UPDATE "user" SET otp_pending_at = '`+at+`' WHERE id = 5`)
	second := scanned(t, b.send(t, withCode("viewer", b.codeAt(first.Secret, 0), 200, "")))
	if second.Secret == first.Secret {
		t.Error("the same secret is shown after an hour")
	}
	b.run(withCode("viewer", b.codeAt(second.Secret, 0), 200, `{"access_token":"*"}`))
}

// TestCodesOfTheReferencesSecrets: a stored secret works unchanged, one period either side, and is sealed by a start.
func TestCodesOfTheReferencesSecrets(t *testing.T) {
	b := newBedWith(t, withFactor())
	for _, start := range []bool{false, true} {
		b.enrol(5, aSecret)
		if start {
			if err := b.s.core.SecondFactorReady(t.Context()); err != nil {
				t.Fatal(err)
			}
			if n := b.number(t, `SELECT COUNT(*) FROM "user" WHERE otp_secret LIKE 'v1:%'`); n != 1 {
				t.Error("a start does not seal what is stored")
			}
		}
		for later, want := range map[int]int{-2: 401, -1: 200, 0: 200, 1: 200, 2: 401} {
			for judged := int64(0); judged != period(); {
				judged = period() // the server judges in the period of the code, or it is tried again
				b.again(5)
				got := b.send(t, withCode("viewer", codeAt(t, aSecret, later), want, "")).Code
				if got != want && judged == period() {
					t.Errorf("the code of period %d: %d, want %d", later, got, want)
				}
			}
			b.change(t, `DELETE FROM failed_login`, `UPDATE "user" SET failed_login_attempts = 0`)
		}
	}
	for _, secret := range []string{strings.ToLower(aSecret), aSecret[:8], aSecret[:16], aSecret[:26], aSecret[:31]} {
		b.enrol(5, secret)
		b.run(withCode("viewer", b.codeAt(secret, 0), 200, `{"access_token":"*"}`))
	}
}

// TestSecretsOfWhichNobodyCanMakeCodes: their users are told that the code is wrong, and the log says what to do.
func TestSecretsOfWhichNobodyCanMakeCodes(t *testing.T) {
	b := newBedWith(t, withFactor())
	for _, secret := range []string{"JBSW Y3DP EHPK", "JBSW-Y3DP", "0189", "J", "JBS", "====", "v1:AAAA", "v1:!"} {
		b.enrol(5, secret)
		b.change(t, `DELETE FROM failed_login`, `UPDATE "user" SET failed_login_attempts = 0`)
		b.log.take()
		b.run(
			withCode("viewer", "123456", 401, wrongCodeMsg),
			row{name: "no code", method: "POST", path: "/token/user", body: logIn("viewer", "Passw0rd!", 200).body, want: 200, has: asksForCode},
		)
		if log := b.log.take(); !strings.Contains(log, "reset-2fa") || !strings.Contains(log, `\"viewer\"`) {
			t.Errorf("%s: the log says %s", secret, log)
		}
	}
}

// TestAdvisory_U1_EmptySecretLetsNobodyIn: a secret without characters is none, and its code is public.
func TestAdvisory_U1_EmptySecretLetsNobodyIn(t *testing.T) {
	for _, secret := range []string{"", " ", "\t\n"} {
		b := newBedWith(t, withFactor())
		b.enrol(5, secret)
		shown := scanned(t, b.send(t, withCode("viewer", b.codeAt("", 0), 200, "")))
		b.run(withCode("viewer", b.codeAt(shown.Secret, 0), 200, `{"access_token":"*"}`))
	}
}

// TestOddCodes: whatever a code is, it is answered below 500, and right only when it is one.
func TestOddCodes(t *testing.T) {
	b := newBedWith(t, withFactor())
	b.enrol(5, aSecret)
	code := b.codeAt(aSecret, 0)
	digits := []rune(code)
	wide := strings.Map(func(r rune) rune { return r - '0' + '０' }, code)
	type jsonText = json.RawMessage
	for _, c := range []struct {
		code any
		want int
		has  string
	}{
		{code, 200, `{"access_token":"*"}`},
		{jsonText(strings.TrimLeft(code, "0")), 200, `{"access_token":"*"}`},
		{wide, 200, `{"access_token":"*"}`},
		{" " + code + "\n", 200, `{"access_token":"*"}`},
		{code[:3] + " " + code[3:], 200, `{"access_token":"*"}`},
		{"\u00a0" + code, 200, `{"access_token":"*"}`},
		{nil, 200, asksForCode}, {"", 200, asksForCode}, {0, 200, asksForCode}, {jsonText("0.0"), 200, asksForCode}, {jsonText("-0"), 200, asksForCode},
		{jsonText(strings.TrimLeft(code, "0") + ".0"), 401, wrongCodeMsg}, {jsonText("1e5"), 401, wrongCodeMsg}, {-123456, 401, wrongCodeMsg},
		{jsonText(strings.Repeat("9", 400)), 401, wrongCodeMsg}, {true, 401, wrongCodeMsg}, {false, 401, wrongCodeMsg},
		{[]string{code}, 401, wrongCodeMsg}, {[]string{}, 401, wrongCodeMsg}, {map[string]string{"a": code}, 401, wrongCodeMsg},
		{"abc", 401, wrongCodeMsg}, {code + "0", 401, wrongCodeMsg}, {code[1:], 401, wrongCodeMsg}, {" ", 401, wrongCodeMsg},
		{strings.Repeat(" ", 200) + code, 401, wrongCodeMsg}, {strings.Repeat("9", 100_000), 401, wrongCodeMsg},
		{"\x00" + code, 401, wrongCodeMsg}, {jsonText(`"\ud800` + code + `"`), 401, wrongCodeMsg},
		{string([]rune{'²', '³', '¹', '²', '³', '¹'}), 401, wrongCodeMsg}, {"٠١٢٣٤٥", 401, wrongCodeMsg}, {string(digits) + "\u0301", 401, wrongCodeMsg},
		{"0123456789", 401, wrongCodeMsg}, {"abcde-fghjk", 401, wrongCodeMsg},
	} {
		b.again(5)
		b.change(t, `DELETE FROM failed_login`, `UPDATE "user" SET failed_login_attempts = 0`)
		b.run(withCode("viewer", c.code, c.want, c.has))
	}
	off := newBed(t)
	off.enrol(5, aSecret)
	for _, code := range []any{"", "abc", []string{}, true} {
		off.run(withCode("viewer", code, 200, `{"access_token":"*"}`))
	}
}

// TestAdvisory_U1_CodesWorkOnce: a code that was accepted is wrong from then on, and so is one of an earlier period.
func TestAdvisory_U1_CodesWorkOnce(t *testing.T) {
	b := newBedWith(t, withFactor())
	b.enrol(5, aSecret)
	code := b.codeAt(aSecret, 0)
	b.run(
		withCode("viewer", code, 200, `{"access_token":"*"}`),
		withCode("viewer", code, 401, wrongCodeMsg),
		withCode("viewer", b.codeAt(aSecret, -1), 401, wrongCodeMsg),
		withCode("viewer", b.codeAt(aSecret, 1), 200, `{"access_token":"*"}`),
		withCode("viewer", b.codeAt(aSecret, 1), 401, wrongCodeMsg),
		withCode("viewer", b.codeAt(aSecret, 0), 401, wrongCodeMsg),
	)
	// Another server on the database, or this one after a start, knows it too.
	other := newBedOn(t, b.src, withFactor())
	other.run(withCode("viewer", b.codeAt(aSecret, 1), 401, wrongCodeMsg))
	b.again(5)
	code = b.codeAt(aSecret, 0)
	var got [8]int
	var all sync.WaitGroup
	for i := range got {
		all.Go(func() {
			got[i] = b.sendFrom(t, withCode("viewer", code, 200, ""), fmt.Sprintf("198.51.100.%d:9", i)).Code
		})
	}
	all.Wait()
	slices.Sort(got[:])
	if got[0] != 200 || got[1] != 401 {
		t.Errorf("one code eight times at once: %v", got)
	}
}

// TestAdvisory_U1_FiveWrongCodesLock: the sixth try is locked, whatever it is, also when they come at once, and the password
// in between takes none of them back.
func TestAdvisory_U1_FiveWrongCodesLock(t *testing.T) {
	b := newBedWith(t, withFactor())
	b.enrol(5, aSecret)
	wrong := wrongFor(t, aSecret)
	for range 5 {
		b.run(
			withCode("viewer", wrong, 401, wrongCodeMsg),
		)
		if b.failures(5) < 5 {
			b.run(row{name: "no code", method: "POST", path: "/token/user", body: logIn("viewer", "Passw0rd!", 200).body, want: 200, has: asksForCode})
		}
	}
	b.run(
		withCode("viewer", b.codeAt(aSecret, 0), 401, failedMsg),
		row{name: "no code", method: "POST", path: "/token/user", body: logIn("viewer", "Passw0rd!", 401).body, want: 401, has: failedMsg},
		row{name: "no such user", method: "POST", path: "/token/user", body: logIn("nobody", "Passw0rd!", 401).body, want: 401, has: failedMsg},
	)
	if n := b.failures(5); n != 5 {
		t.Errorf("%d failures are counted, want 5", n)
	}
	if log := b.log.take(); !strings.Contains(log, `Refused the code of \"viewer\" from 192.0.2.1: it is wrong`) ||
		!strings.Contains(log, "5 wrong passwords or codes in a row from there") || b.s.core.Refused().WrongCodes.Load() != 5 {
		t.Errorf("%d wrong codes are counted, the log says %s", b.s.core.Refused().WrongCodes.Load(), log)
	}
	b.ago(5, 15*time.Minute+time.Second)
	b.run(withCode("viewer", b.codeAt(aSecret, 0), 200, `{"access_token":"*"}`))

	b.enrol(6, aSecret)
	var all sync.WaitGroup
	var mu sync.Mutex
	said := map[string]int{}
	for range 40 {
		all.Go(func() {
			reply := b.send(t, withCode("researcher", wrong, 401, ""))
			mu.Lock()
			defer mu.Unlock()
			said[reply.Body.String()]++
		})
	}
	all.Wait()
	if !maps.Equal(said, map[string]int{wrongCodeMsg: 5, failedMsg: 35}) {
		t.Errorf("forty guesses at once: %v", said)
	}
}

// TestAdvisory_T20_CodesCountWithPasswords: any five of both lock, and only a whole log-in takes them back.
func TestAdvisory_T20_CodesCountWithPasswords(t *testing.T) {
	b := newBedWith(t, withFactor())
	b.enrol(5, aSecret)
	wrong := wrongFor(t, aSecret)
	b.run(
		withCode("viewer", wrong, 401, wrongCodeMsg),
		logIn("viewer", "wrong", 401),
		changing("viewer", "wrong", "An0ther one", 401, wrongCurrent),
		withCode("viewer", wrong, 401, wrongCodeMsg),
	)
	b.run(withCode("viewer", b.codeAt(aSecret, 0), 200, `{"access_token":"*"}`))
	if n := b.failures(5); n != 0 {
		t.Errorf("%d failures are left after a whole log-in", n)
	}
	b.run(
		withCode("viewer", wrong, 401, wrongCodeMsg),
		logIn("viewer", "wrong", 401),
		changing("viewer", "wrong again", "An0ther one", 401, wrongCurrent),
		withCode("viewer", wrong, 401, wrongCodeMsg),
		logIn("viewer", "wrong", 401),
		withCode("viewer", b.codeAt(aSecret, 1), 401, failedMsg),
		changing("viewer", "Passw0rd!", "An0ther one", 401, wrongCurrent),
	)
}

// TestRecoveryCodes are made with a fresh code, work once each in place of one, and are worth nothing to others.
func TestRecoveryCodes(t *testing.T) {
	b := newBedWith(t, withFactor())
	make := func(as string, code any, want int, has string) row {
		return row{name: fmt.Sprint(code), as: as, method: "POST", path: "/second-factor/recovery-codes", body: map[string]any{"mfa_code": code}, want: want, has: has}
	}
	b.enrol(5, aSecret)
	b.enrol(6, aSecret)
	b.run(
		row{as: "viewer", method: "GET", path: "/second-factor", want: 200, has: `{"required":true,"confirmed":true,"recovery_codes":0}`},
		row{as: "noperm", method: "GET", path: "/second-factor", want: 200, has: `{"required":true,"confirmed":false,"recovery_codes":0}`},
		make("noperm", "123456", 400, `{"msg":"You have no second factor yet: log in with a code of your authenticator first"}`),
		make("viewer", nil, 400, `{"msg":"mfa_code: a code of your authenticator is needed"}`),
		make("viewer", wrongFor(t, aSecret), 401, wrongCodeMsg),
		make("viewer", wrongFor(t, aSecret), 401, wrongCodeMsg), // as a web UI repeats it
		make("node_iknl_z", "123456", 403, ""),
	)
	if n := b.failures(5); n != 1 {
		t.Errorf("%d failures are counted, want 1", n)
	}
	var made, later struct {
		Codes []string `json:"recovery_codes"`
	}
	reply := b.send(t, make("viewer", b.codeAt(aSecret, 0), 201, ""))
	if err := json.Unmarshal(reply.Body.Bytes(), &made); err != nil || reply.Code != 201 || reply.Header().Get("Cache-Control") != "no-store" {
		t.Fatalf("%d %s", reply.Code, reply.Body)
	}
	if len(made.Codes) != 10 || len(slices.Compact(slices.Sorted(slices.Values(made.Codes)))) != 10 {
		t.Fatalf("the codes are %q", made.Codes)
	}
	for _, code := range made.Codes {
		if n := b.number(t, `SELECT COUNT(*) FROM recovery_code WHERE digest LIKE '%`+strings.ReplaceAll(code, "-", "")+`%'`); n != 0 {
			t.Error("a code stands in the database")
		}
	}
	b.run(
		withCode("viewer", b.codeAt(aSecret, 0), 401, wrongCodeMsg), // it made the recovery codes
		withCode("viewer", made.Codes[0], 200, `{"access_token":"*"}`),
		withCode("viewer", made.Codes[0], 401, wrongCodeMsg),
		withCode("researcher", made.Codes[1], 401, wrongCodeMsg),
		withCode("viewer", strings.ToUpper(strings.ReplaceAll(made.Codes[1], "-", " ")), 200, `{"access_token":"*"}`),
		make("viewer", made.Codes[2], 401, wrongCodeMsg),
		row{as: "viewer", method: "GET", path: "/second-factor", want: 200, has: `{"recovery_codes":8}`},
	)
	if log := b.log.take(); !strings.Contains(log, "with a recovery code") {
		t.Errorf("the log does not tell of it: %s", log)
	}
	reply = b.send(t, make("viewer", b.codeAt(aSecret, 1), 201, ""))
	if err := json.Unmarshal(reply.Body.Bytes(), &later); err != nil || len(later.Codes) != 10 {
		t.Fatalf("%d %s", reply.Code, reply.Body)
	}
	b.run(
		withCode("viewer", made.Codes[3], 401, wrongCodeMsg), // earlier ones end
		withCode("viewer", later.Codes[0], 200, `{"access_token":"*"}`),
	)
	for range 5 {
		b.send(t, withCode("viewer", "00000-00000", 401, ""))
	}
	b.run(withCode("viewer", later.Codes[1], 401, failedMsg))
	b.run(row{as: "root", method: "DELETE", path: "/user/5", want: 200})
	if n := b.number(t, `SELECT COUNT(*) FROM recovery_code`); n != 0 {
		t.Errorf("%d codes outlive their user", n)
	}
	newBed(t).run(make("viewer", "123456", 400, `{"msg":"Two-factor authentication is not in use on this server"}`))
}

// TestAdvisory_U17_SecondFactorWithoutAWrite: on a full disk a code works once, wrong ones count and lock, and what has to be
// stored is refused with the reason.
func TestAdvisory_U17_SecondFactorWithoutAWrite(t *testing.T) {
	for name, spoil := range map[string]func(*bed, *dbtest.Disk){
		"full":    (*bed).fillDisk,
		"failing": func(_ *bed, disk *dbtest.Disk) { disk.FailAt(1, true) },
	} {
		t.Run(name, func(t *testing.T) {
			b, disk := newBedOnDisk(t, withFactor())
			b.enrol(5, aSecret)
			b.enrol(6, aSecret)
			if err := b.s.core.SecondFactorReady(t.Context()); err != nil {
				t.Fatal(err)
			}
			pending := scanned(t, b.send(t, logIn("noperm", "Passw0rd!", 200)))
			spoil(b, disk)
			code := b.codeAt(aSecret, 0)
			if b.send(t, withCode("viewer", code, 200, "")).Code != 200 || b.send(t, withCode("viewer", code, 401, "")).Code != 401 {
				t.Error("a code does not work exactly once")
			}
			for range 5 {
				b.send(t, withCode("researcher", wrongFor(t, aSecret), 401, ""))
			}
			if reply := b.send(t, withCode("researcher", b.codeAt(aSecret, 0), 401, "")); reply.Code != 401 || reply.Body.String() != failedMsg {
				t.Errorf("after five wrong codes: %d %s", reply.Code, reply.Body)
			}
			for what, r := range map[string]row{
				"a first log-in": logIn("orgadmin", "Passw0rd!", 507), "a first code": withCode("noperm", b.codeAt(pending.Secret, 0), 507, ""),
				"recovery codes": {as: "viewer", method: "POST", path: "/second-factor/recovery-codes", body: map[string]string{"mfa_code": b.codeAt(aSecret, 1)}},
			} {
				if reply := b.send(t, r); reply.Code != 507 && name == "full" || reply.Code < 500 {
					t.Errorf("%s: %d %s", what, reply.Code, reply.Body)
				}
			}
			disk.Heal()
			if reply := b.send(t, withCode("noperm", b.codeAt(pending.Secret, 0), 200, "")); reply.Code != 200 {
				t.Errorf("the first code, when there is room: %d %s", reply.Code, reply.Body)
			}
		})
	}
}

// TestSecondFactorIsNoBusinessOfNodes: only users have one.
func TestSecondFactorIsNoBusinessOfNodes(t *testing.T) {
	b := newBedWith(t, withFactor())
	b.run(row{method: "POST", path: "/token/node", body: `{"api_key": "key-12"}`, want: 200, has: `{"access_token":"*"}`})
}
