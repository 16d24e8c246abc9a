package handlers

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"vserver/queries/dbtest"
	"vserver/service/core"
)

// TestAdvisory_U14_AttacksAreSeen provokes everything that an attacker leaves behind: each is a
// WARNING with name and address, in one line whatever the name is, and is counted.
func TestAdvisory_U14_AttacksAreSeen(t *testing.T) {
	b := newBedWith(t, core.Settings{MaxFailedAttempts: 2, LockFor: time.Hour})
	const at = "192.0.2.7:9"
	refused := b.s.core.Refused()
	for _, c := range []struct {
		name string
		row  row
		says []string
	}{
		{"no such user", logIn("eve\n\x1b[31m\u202e\u0085", "x", 401), []string{`Refused the password of \"eve\\n\\x1b[31m\\u202e\\u0085\" from 192.0.2.7`}},
		{"a name without end", logIn(strings.Repeat("e", 5000), "x", 401), []string{strings.Repeat("e", 100) + `\"…`}},
		{"wrong password", logIn("viewer", "x", 401), []string{`of \"viewer\" from 192.0.2.7: the password is wrong`}},
		{"the last that is free", logIn("viewer", "x", 401), []string{
			`of \"viewer\" from 192.0.2.7: the password is wrong`,
			`Locked the account \"viewer\" for 192.0.2.7 for 1h0m0s: 2 wrong passwords in a row from there, the last from 192.0.2.7`,
		}},
		{"locked account", logIn("viewer", "Passw0rd!", 401), []string{`of \"viewer\" from 192.0.2.7: the account is locked`}},
		{"initial password", logIn("root", "root", 401), []string{`of \"root\" from 192.0.2.7: it is still the initial one`}},
		{"change of password", changing("researcher", "wrong", "An0ther one", 401, wrongCurrent), []string{`of \"researcher\" from 192.0.2.7: the password is wrong`}},
		{"key of a node", row{method: "POST", path: "/token/node", body: `{"api_key": "guessed"}`}, []string{"Refused a log-in of a node from 192.0.2.7"}},
	} {
		b.log.take()
		if reply := b.sendFrom(t, c.row, at); reply.Code != http.StatusUnauthorized {
			t.Errorf("%s: %d %s", c.name, reply.Code, reply.Body)
		}
		log := b.log.take()
		lines := strings.Split(strings.TrimSpace(log), "\n")
		if len(lines) != len(c.says) {
			t.Errorf("%s: %s", c.name, log)
			continue
		}
		for i, says := range c.says {
			if !strings.Contains(lines[i], says) || !strings.Contains(lines[i], `"level":"warn"`) || len(lines[i]) > 500 {
				t.Errorf("%s: the log says %s, want %s", c.name, lines[i], says)
			}
		}
	}
	for name, c := range map[string]struct{ got, want int64 }{
		"wrong passwords":   {refused.WrongPasswords.Load(), 6},
		"locked for one":    {refused.LockedPairs.Load(), 1},
		"locked accounts":   {refused.LockedAccounts.Load(), 0},
		"initial passwords": {refused.InitialPasswords.Load(), 1},
		"wrong keys":        {refused.WrongKeys.Load(), 1},
	} {
		if c.got != c.want {
			t.Errorf("%s: %d are counted, want %d", name, c.got, c.want)
		}
	}
}

// TestAdvisory_T22_RefusedInitialPasswordsLockNobodyOut: others may try root/root as often
// as they like, and root gets in from this machine.
func TestAdvisory_T22_RefusedInitialPasswordsLockNobodyOut(t *testing.T) {
	b := newBed(t)
	for range 20 {
		b.sendFrom(t, logIn("root", "root", 401), "192.0.2.1:9")
	}
	if reply := b.sendFrom(t, logIn("root", "root", 200), "127.0.0.1:9"); reply.Code != http.StatusOK {
		t.Errorf("got %d %s", reply.Code, reply.Body)
	}
}

// TestAdvisory_U17_LogInWithoutAWrite: on a disk that takes nothing every wrong log-in has
// the same reply, tries are counted and lock, and who has the password gets in. What was
// counted is written when the disk takes it.
func TestAdvisory_U17_LogInWithoutAWrite(t *testing.T) {
	for name, spoil := range map[string]func(*bed, *dbtest.Disk){
		"full":    (*bed).fillDisk,
		"failing": func(_ *bed, disk *dbtest.Disk) { disk.FailAt(1, true) },
	} {
		t.Run(name, func(t *testing.T) {
			b, disk := newBedOnDisk(t, core.Settings{})
			const here = "127.0.0.1:9"
			b.sendFrom(t, logIn("root", "wrong", 401), here) // to be forgiven
			for range 5 {
				b.send(t, logIn("researcher", "wrong", 401))
			}
			first := b.send(t, logIn("nobody", "wrong", 401))
			spoil(b, disk)
			for try := range 5 {
				for _, user := range []string{"viewer", "nobody", "researcher"} {
					if reply := b.send(t, logIn(user, "wrong", 401)); !sameReply(first, reply) {
						t.Errorf("try %d of %s: %d %s", try, user, reply.Code, reply.Body)
					}
				}
			}
			if reply := b.send(t, logIn("viewer", "Passw0rd!", 401)); !sameReply(first, reply) {
				t.Errorf("the right password after five wrong ones: %d %s", reply.Code, reply.Body)
			}
			for range 2 {
				if reply := b.sendFrom(t, logIn("root", "root", 200), here); reply.Code != http.StatusOK {
					t.Errorf("root: %d %s", reply.Code, reply.Body)
				}
			}
			if n := b.failures(5); n != 0 {
				t.Fatalf("%d failures are written: that is no test", n)
			}
			disk.Heal()
			if err := b.s.core.FlushFailures(t.Context()); err != nil {
				t.Fatal(err)
			}
			if viewer, root := b.failures(5), b.failures(1); viewer != 5 || root != 0 {
				t.Errorf("%d failures of the viewer and %d of root are written, want 5 and 0", viewer, root)
			}
			if reply := b.send(t, logIn("viewer", "Passw0rd!", 401)); reply.Code != http.StatusUnauthorized {
				t.Errorf("the locked account: %d %s", reply.Code, reply.Body)
			}
		})
	}
}

// A log of bounded size keeps what was attempted: that the disk is full is no news every few
// seconds.
func TestFullDiskIsLoggedWhenItBeginsAndEnds(t *testing.T) {
	b, disk := newBedOnDisk(t, core.Settings{}, func(o *Options) { o.Periods.Flush = time.Hour })
	b.fillDisk(disk)
	b.send(t, logIn("researcher", "wrong", 401))
	b.log.take()
	for range 5 {
		b.s.live.flush(t.Context())
	}
	if said := b.log.take(); strings.Count(said, "Wrong passwords could not be stored") != 1 {
		t.Errorf("five tries are logged so: %s", said)
	}
	disk.Heal()
	for range 2 {
		b.s.live.flush(t.Context())
	}
	if said := b.log.take(); strings.Count(said, "Wrong passwords are stored again") != 1 {
		t.Errorf("the end is logged so: %s", said)
	}
}

// fillDisk leaves no room, not even within files.
func (b *bed) fillDisk(disk *dbtest.Disk) {
	b.Helper()
	disk.Fill()
	for i := range 1000 {
		reply := b.send(b.T, row{as: "root", method: "POST", path: "/organization", body: fmt.Sprintf(`{"name": "more %d"}`, i)})
		if reply.Code == http.StatusInsufficientStorage {
			return
		}
	}
	b.Fatal("the disk is never full")
}
