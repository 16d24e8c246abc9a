package core

import (
	"encoding/base32"
	"strings"
	"testing"
	"time"
)

// TestCodesAreThoseOfRFC6238: its examples, of eight digits, end in the codes of six.
func TestCodesAreThoseOfRFC6238(t *testing.T) {
	secret := base32.StdEncoding.EncodeToString([]byte("12345678901234567890"))
	for at, code := range map[int64]string{
		59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130",
	} {
		if step, err := stepOf(secret, code, time.Unix(at, 0), 0); err != nil || step != at/30 {
			t.Errorf("at %d: %d %v", at, step, err)
		}
	}
}

// TestCodesOfOnePeriodEitherSide holds for each second of three periods, and for both ends of the middle one.
func TestCodesOfOnePeriodEitherSide(t *testing.T) {
	secret := base32.StdEncoding.EncodeToString([]byte("12345678901234567890"))
	const made = 1111111110 // begins a period, that of 050471
	for off := int64(-61); off <= 61; off++ {
		want := int64(0)
		if off >= -30 && off < 60 {
			want = made / 30
		}
		if step, err := stepOf(secret, "050471", time.Unix(made+off, 0), 0); err != nil || step != want {
			t.Errorf("%d seconds off: %d %v, want %d", off, step, err, want)
		}
	}
	for last, want := range map[int64]int64{made/30 - 1: made / 30, made / 30: 0, made/30 + 1: 0} {
		if step, err := stepOf(secret, "050471", time.Unix(made, 0), last); err != nil || step != want {
			t.Errorf("after period %d: %d %v, want %d", last, step, err, want)
		}
	}
}

// TestSecretsAreAsTheReferenceMakesThem: 160 bits in 32 characters.
func TestSecretsAreAsTheReferenceMakesThem(t *testing.T) {
	a, b := newSecret(), newSecret()
	if len(a) != 32 || strings.Trim(a, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567") != "" || a == b {
		t.Errorf("%s %s", a, b)
	}
}

// TestURIOfAnAuthenticator has names escaped as Python escapes them, which authenticators have seen.
func TestURIOfAnAuthenticator(t *testing.T) {
	const head, tail = "otpauth://totp/vantage6%20%28petronas%29:", "?secret=ABC&issuer=vantage6%20%28petronas%29"
	for name, want := range map[string]string{
		"root": "root", "a@b.org": "a%40b.org", "a:b+c=d&e f": "a%3Ab%2Bc%3Dd%26e%20f", "é-_.~": "%C3%A9-_.~", "a/b?c#d%": "a%2Fb%3Fc%23d%25", "": "Secret",
	} {
		if got := setUpURI(name, "ABC"); got != head+want+tail {
			t.Errorf("%q: %s", name, got)
		}
	}
}

// TestSealedSecretsOpenForTheirUserAndKeyOnly, and a text that was never sealed is what it says.
func TestSealedSecretsOpenForTheirUserAndKeyOnly(t *testing.T) {
	one, err1 := newSealer([]byte("one key that is long enough to be"))
	two, err2 := newSealer([]byte("two key that is long enough to be"))
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	stored := one.seal(7, "SECRET")
	if again := one.seal(7, "SECRET"); again == stored || strings.Contains(stored, "SECRET") || !strings.HasPrefix(stored, sealedMark) {
		t.Errorf("sealed twice: %s %s", stored, again)
	}
	if secret, err := one.unseal(7, stored); err != nil || secret != "SECRET" {
		t.Errorf("%q %v", secret, err)
	}
	for name, open := range map[string]func() (string, error){
		"another user": func() (string, error) { return one.unseal(8, stored) },
		"another key":  func() (string, error) { return two.unseal(7, stored) },
		"changed":      func() (string, error) { return one.unseal(7, stored[:len(stored)-2]+"AA") },
		"cut":          func() (string, error) { return one.unseal(7, stored[:10]) },
	} {
		if secret, err := open(); err == nil || secret != "" {
			t.Errorf("%s: %q", name, secret)
		}
	}
	if secret, err := one.unseal(7, "JBSWY3DP"); err != nil || secret != "JBSWY3DP" {
		t.Errorf("%q %v", secret, err)
	}
	if one.digest(7, "code") == two.digest(7, "code") || one.digest(7, "code") == one.digest(8, "code") {
		t.Error("digests of different keys or users are equal")
	}
}

// TestSpentCodesAreForgottenWhenTheyAreOld, and no sooner.
func TestSpentCodesAreForgottenWhenTheyAreOld(t *testing.T) {
	s := newSpentCodes()
	s.add(1, 100)
	s.add(2, 103)
	if s.last(1) != 100 || s.last(2) != 103 || s.last(3) != 0 {
		t.Error(s.by)
	}
	s.add(2, 104)
	if len(s.by) != 1 {
		t.Error(s.by)
	}
}
