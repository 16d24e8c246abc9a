package handlers

import (
	"fmt"
	"net/http"
	"testing"
	"time"
)

const (
	here   = "198.51.100.7:9" // where the owner of an account is
	there  = "203.0.113.5:9"  // where an attacker is
	proxy  = "192.0.2.99:9"   // nobody listed it
	nobody = "203.0.113.77:9" // from where nobody was wrong yet
)

// forwarding is a request through a proxy that nobody listed.
func forwarding(r row) row {
	r.header = map[string]string{"X-Forwarded-For": "10.1.2.3"}
	return r
}

// TestAdvisory_U13_NobodyIsLockedOutFromAfar: wrong passwords lock an account for their own address; its owner goes on
// elsewhere, and that does not help whoever guesses.
func TestAdvisory_U13_NobodyIsLockedOutFromAfar(t *testing.T) {
	b := newBed(t)
	for range 20 {
		b.sendFrom(t, logIn("viewer", "wrong", 401), there)
	}
	try := func(what, from string, r row) {
		t.Helper()
		if reply := b.sendFrom(t, r, from); reply.Code != r.want {
			t.Errorf("%s: %d %s, want %d", what, reply.Code, reply.Body, r.want)
		}
	}
	right, wrong := logIn("viewer", "Passw0rd!", 200), logIn("viewer", "wrong", 401)
	refused := right
	refused.want = 401
	try("the attacker guesses right", there, refused)
	try("the owner", here, right)
	try("the attacker after the owner got in", there, refused)
	if n := b.failures(5); n != 5 {
		t.Errorf("%d failures are kept, want those of the attacker", n)
	}
	for range 4 {
		try("the owner mistypes", here, wrong)
	}
	try("the owner then", here, right)
	if n := b.failures(5); n != 5 {
		t.Errorf("%d failures are kept after the owner mistyped, want those of the attacker", n)
	}
	b.ago(5, 15*time.Minute+time.Second)
	try("the attacker after the lock", there, right)
}

// TestAdvisory_U13_IPv6IsLockedByNetwork: whoever has an address has all beside it.
func TestAdvisory_U13_IPv6IsLockedByNetwork(t *testing.T) {
	b := newBed(t)
	for i := range 5 {
		b.sendFrom(t, logIn("viewer", "wrong", 401), fmt.Sprintf("[2001:db8:1:1::%d]:9", i+1))
	}
	if reply := b.sendFrom(t, logIn("viewer", "Passw0rd!", 401), "[2001:db8:1:1::99]:9"); reply.Code != http.StatusUnauthorized {
		t.Errorf("an address beside those: %d", reply.Code)
	}
	if reply := b.sendFrom(t, logIn("viewer", "Passw0rd!", 200), "[2001:db8:1:2::1]:9"); reply.Code != http.StatusOK {
		t.Errorf("another network: %d", reply.Code)
	}
}

// TestAdvisory_U13_ManyAddressesLockTheAccount: ten times the number from anywhere lock it for everybody, with the
// reply of a wrong password, and no more than that is kept.
func TestAdvisory_U13_ManyAddressesLockTheAccount(t *testing.T) {
	b := newBed(t)
	refused := b.s.core.Refused()
	for i := range 49 {
		b.sendFrom(t, logIn("viewer", "wrong", 401), fmt.Sprintf("203.0.113.%d:9", i))
	}
	if reply := b.sendFrom(t, logIn("viewer", "Passw0rd!", 200), nobody); reply.Code != http.StatusOK {
		t.Fatalf("one too few: %d %s", reply.Code, reply.Body)
	}
	first := b.sendFrom(t, logIn("nobody", "wrong", 401), nobody)
	for i := range 60 {
		b.sendFrom(t, logIn("viewer", "wrong", 401), fmt.Sprintf("203.0.114.%d:9", i))
	}
	if reply := b.sendFrom(t, logIn("viewer", "Passw0rd!", 401), nobody); !sameReply(first, reply) {
		t.Errorf("locked for everybody: %d %s", reply.Code, reply.Body)
	}
	if n, rows := b.failures(5), b.number(t, `SELECT COUNT(*) FROM failed_login`); n != 50 || rows != 50 {
		t.Errorf("%d failures in %d rows are kept, want 50", n, rows)
	}
	if pairs, whole := refused.LockedPairs.Load(), refused.LockedAccounts.Load(); pairs != 0 || whole != 1 {
		t.Errorf("%d locks for an address and %d of an account are counted", pairs, whole)
	}
	b.ago(5, 15*time.Minute+time.Second)
	if reply := b.sendFrom(t, logIn("viewer", "Passw0rd!", 200), nobody); reply.Code != http.StatusOK {
		t.Errorf("after the lock: %d %s", reply.Code, reply.Body)
	}
	b.sendFrom(t, logIn("viewer", "wrong", 401), there)
	if n, rows := b.failures(5), b.number(t, `SELECT COUNT(*) FROM failed_login`); n != 1 || rows != 1 {
		t.Errorf("%d failures in %d rows are kept after the lock, want 1", n, rows)
	}
	b.run(row{as: "root", method: "DELETE", path: "/user/5", want: 200})
	if rows := b.number(t, `SELECT COUNT(*) FROM failed_login`); rows != 0 {
		t.Errorf("%d rows outlive the account", rows)
	}
}

// TestAdvisory_U13_BehindAnUnlistedProxyTheOldNumberCounts: all addresses are one there, and whoever only pretends
// to be behind a proxy locks nobody else out.
func TestAdvisory_U13_BehindAnUnlistedProxyTheOldNumberCounts(t *testing.T) {
	b := newBed(t)
	for i := range 5 {
		b.sendFrom(t, forwarding(logIn("viewer", "wrong", 401)), fmt.Sprintf("192.0.2.%d:9", 90+i))
	}
	if reply := b.sendFrom(t, forwarding(logIn("viewer", "Passw0rd!", 401)), proxy); reply.Code != http.StatusUnauthorized {
		t.Errorf("behind a proxy: %d %s", reply.Code, reply.Body)
	}
	if reply := b.sendFrom(t, logIn("viewer", "Passw0rd!", 200), here); reply.Code != http.StatusOK {
		t.Errorf("without a proxy: %d %s", reply.Code, reply.Body)
	}
}

// TestAdvisory_U13_UnlockLiftsEveryLock looks at what is listed, and lifts it.
func TestAdvisory_U13_UnlockLiftsEveryLock(t *testing.T) {
	b := newBed(t)
	b.sendFrom(t, logIn("admin", "wrong", 401), there)
	for i := range 46 {
		b.sendFrom(t, logIn("viewer", "wrong", 401), fmt.Sprintf("203.0.114.%d:9", i))
	}
	for range 5 {
		b.sendFrom(t, logIn("viewer", "wrong", 401), there)
	}
	list, err := b.s.core.FailedAccounts(t.Context())
	if err != nil || len(list) != 2 || list[0].Username != "admin" || list[0].Locked() || list[0].Failures != 1 {
		t.Fatalf("%+v %v", list, err)
	}
	if v := list[1]; v.Until == nil || v.Failures != 50 || len(v.From) != 47 || v.From[0].Network != "203.0.113.5" || v.From[0].Failures != 4 {
		t.Errorf("%+v", v)
	}
	if _, err := b.s.core.Unlock(t.Context(), "viewer"); err != nil {
		t.Fatal(err)
	}
	if list, err := b.s.core.FailedAccounts(t.Context()); err != nil || len(list) != 1 {
		t.Errorf("after unlocking: %+v %v", list, err)
	}
	if reply := b.sendFrom(t, logIn("viewer", "Passw0rd!", 200), there); reply.Code != http.StatusOK {
		t.Errorf("after unlocking: %d %s", reply.Code, reply.Body)
	}
	if _, err := b.s.core.Unlock(t.Context(), "nobody"); err == nil {
		t.Error("nobody is unlocked")
	}
}
