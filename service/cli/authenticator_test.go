package cli_test

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
	"github.com/rogpeppe/go-internal/testscript"
)

// authenticate logs a user in with a code of an authenticator, whose secret is kept in $SECRET. What a
// log-in or a reset shows, it scans.
func authenticate(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 || neg {
		ts.Fatalf("usage: authenticate USERNAME PASSWORD")
	}
	ts.Setenv("TOKEN", "")
	if scan(ts, send(ts, "/token/user", map[string]string{"username": args[0], "password": args[1]})) == "" {
		ts.Fatalf("no authenticator has a secret")
	}
	now := uint64(time.Now().Unix() / 30)
	for _, step := range []uint64{now - 1, now, now + 1} { // one that was used does not work again
		code, err := hotp.GenerateCodeCustom(ts.Getenv("SECRET"), step, hotp.ValidateOpts{Digits: 6, Algorithm: otp.AlgorithmSHA1})
		ts.Check(err)
		reply := send(ts, "/token/user", map[string]string{"username": args[0], "password": args[1], "mfa_code": code})
		if token := reply["access_token"]; token != "" {
			ts.Setenv("TOKEN", token)
			return
		}
	}
	ts.Fatalf("no code is right")
}

// resetfactor has the authenticator scan what the token in a file gets.
func resetfactor(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 || neg {
		ts.Fatalf("usage: resetfactor FILE")
	}
	reply := send(ts, "/recover/2fa/reset", map[string]string{"reset_token": ts.ReadFile(args[0])})
	if reply["otp_secret"] == "" {
		ts.Fatalf("got %v", reply)
	}
	scan(ts, reply)
}

func scan(ts *testscript.TestScript, reply map[string]string) string {
	if secret := reply["otp_secret"]; secret != "" {
		ts.Setenv("SECRET", secret)
	}
	return ts.Getenv("SECRET")
}

func send(ts *testscript.TestScript, path string, body map[string]string) map[string]string {
	text, err := json.Marshal(body)
	ts.Check(err)
	_, reply := call(ts, http.MethodPost, path, text)
	var got map[string]string
	ts.Check(json.Unmarshal(reply, &got))
	return got
}
