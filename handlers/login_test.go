package handlers

import (
	"maps"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"vserver/queries/dbtest"
	"vserver/service/bus"
	"vserver/service/core"
)

// sameReply compares all that a caller sees.
func sameReply(a, b *httptest.ResponseRecorder) bool {
	return a.Code == b.Code && a.Body.String() == b.Body.String() &&
		maps.EqualFunc(a.Header(), b.Header(), func(x, y []string) bool { return strings.Join(x, "\n") == strings.Join(y, "\n") })
}

func TestAdvisory_T01_WrongLogInsTellNothing(t *testing.T) {
	b := newBed(t)
	for range 5 {
		b.send(t, logIn("researcher", "wrong", 401))
	}
	first := b.send(t, logIn("viewer", "wrong", 401))
	if first.Code != 401 || first.Body.String() != `{"msg":"Failed to login"}` {
		t.Fatalf("got %d %s", first.Code, first.Body)
	}
	for i := range 20 {
		for who, name := range map[string]string{"existing": "viewer", "missing": "nobody", "locked": "researcher"} {
			if reply := b.send(t, logIn(name, "wrong", 401)); !sameReply(first, reply) {
				t.Errorf("try %d of the %s user: %d %s %v, not %v", i, who, reply.Code, reply.Body, reply.Header(), first.Header())
			}
		}
	}
	for name, password := range map[string]string{"viewer": "Passw0rd!", "researcher": "Passw0rd!", "nobody": "Passw0rd!"} {
		if reply := b.send(t, logIn(name, password, 401)); !sameReply(first, reply) {
			t.Errorf("the right password of %s: %d %s", name, reply.Code, reply.Body)
		}
	}
	b.change(t, `UPDATE "user" SET password = NULL WHERE id = 9`)
	if reply := b.send(t, logIn("noperm", "", 400)); reply.Code != 400 {
		t.Errorf("an empty password: %d %s", reply.Code, reply.Body)
	}
	if reply := b.send(t, logIn("noperm", "x", 401)); !sameReply(first, reply) {
		t.Errorf("a user without password: %d %s", reply.Code, reply.Body)
	}
}

// Hashes that the reference stored are as good as ours.
func TestHashesOfTheReferenceLogIn(t *testing.T) {
	b := newBed(t)
	b.change(t, `UPDATE "user" SET password = '`+strings.Replace(passwordHash, "$2a$", "$2b$", 1)+`' WHERE id = 5`)
	b.run(logIn("viewer", "Passw0rd!", 200), logIn("viewer", "passw0rd!", 401))
}

func TestAdvisory_T22_InitialPasswordWorksFromThisMachineOnly(t *testing.T) {
	proxy := func(o *Options) { o.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")} }
	for _, c := range []struct {
		name    string
		set     core.Settings
		change  func(*Options)
		from    string
		headers map[string]string
		want    int
	}{
		{name: "this machine", from: "127.0.0.1:9", want: 200},
		{name: "this machine, IPv6", from: "[::1]:9", want: 200},
		{name: "this machine, IPv4 within IPv6", from: "[::ffff:127.0.0.1]:9", want: 200},
		{name: "another machine", from: "192.0.2.1:9", want: 401},
		{name: "another machine that says otherwise", from: "192.0.2.1:9", headers: map[string]string{"X-Forwarded-For": "127.0.0.1"}, want: 401},
		{name: "forwarded by nobody we trust", from: "127.0.0.1:9", headers: map[string]string{"X-Forwarded-For": "127.0.0.1"}, want: 401},
		{name: "forwarded, by another header", from: "127.0.0.1:9", headers: map[string]string{"Forwarded": "for=127.0.0.1"}, want: 401},
		{name: "forwarded, by a third", from: "127.0.0.1:9", headers: map[string]string{"X-Real-IP": "127.0.0.1"}, want: 401},
		{name: "a trusted proxy speaks for this machine", change: proxy, from: "127.0.0.1:9", headers: map[string]string{"X-Forwarded-For": "127.0.0.1"}, want: 200},
		{name: "a trusted proxy speaks for another", change: proxy, from: "127.0.0.1:9", headers: map[string]string{"X-Forwarded-For": "198.51.100.7"}, want: 401},
		{name: "a trusted proxy repeats a lie", change: proxy, from: "127.0.0.1:9", headers: map[string]string{"X-Forwarded-For": "127.0.0.1, 198.51.100.7"}, want: 401},
		{name: "the environments dev and test", set: core.Settings{RootFromAnywhere: true}, from: "192.0.2.1:9", want: 200},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBedWith(t, c.set)
			if c.change != nil {
				b = newBedWith(t, c.set, c.change)
			}
			r := logIn("root", "root", c.want)
			r.header = c.headers
			reply := b.sendFrom(t, r, c.from)
			if reply.Code != c.want {
				t.Fatalf("got %d %s", reply.Code, reply.Body)
			}
			if c.want == 200 {
				return
			}
			if wrong := b.sendFrom(t, logIn("root", "wrong", 401), c.from); !sameReply(reply, wrong) {
				t.Errorf("the reply is not that of a wrong password: %s", reply.Body)
			}
			if n := b.failures(1); n != 1 {
				t.Errorf("%d failures are counted, want the one that was a guess", n)
			}
			if log := b.log.take(); !strings.Contains(log, "password/change") {
				t.Errorf("the log does not say what to do: %s", log)
			}
		})
	}
}

func TestAdvisory_T22_ChangedPasswordWorksFromAnywhere(t *testing.T) {
	b := newBed(t)
	b.run(
		changing("root", "root", "An0ther one", 200, ""),
		logIn("root", "An0ther one", 200),
		logIn("root", "root", 401),
	)
	b.change(t, `UPDATE "user" SET initial_password = TRUE WHERE id = 5`)
	b.run(logIn("viewer", "Passw0rd!", 401))
}

func TestAdvisory_T22_PasswordOfTheFirstStart(t *testing.T) {
	var empty dbtest.Template
	for _, c := range []struct{ set, password, from string }{
		{"", "root", "127.0.0.1:9"},
		{"Ch0sen by the operator", "Ch0sen by the operator", "192.0.2.1:9"},
	} {
		db := empty.OpenCopy(t)
		start := func() *bed {
			b := &bed{T: t, db: db, log: &journal{}}
			set := core.Settings{MaxFailedAttempts: 5, RootPassword: c.set, PasswordCost: leastCost}
			k, err := core.New(t.Context(), db, bus.New(zerolog.Nop()), zerolog.New(b.log), set)
			if err != nil {
				t.Fatal(err)
			}
			b.s = New(k, zerolog.Nop(), Options{APIPath: "/api", Secret: []byte(testSecret)})
			t.Cleanup(b.close)
			return b
		}
		b := start()
		if reply := b.sendFrom(t, logIn("root", c.password, 200), c.from); reply.Code != 200 {
			t.Errorf("password %q: %d %s", c.password, reply.Code, reply.Body)
		}
		if log := b.log.take(); !strings.Contains(log, "root") || c.set != "" && strings.Contains(log, c.set) {
			t.Errorf("the log of a first start: %s", log)
		}
		start()
		if users, err := db.CountUsers(t.Context()); users != 1 || err != nil {
			t.Errorf("the second start: %d users, %v", users, err)
		}
	}
}

// Who renames or deletes the first user is rid of it for good.
func TestAdvisory_T22_RootDoesNotComeBack(t *testing.T) {
	b := newBed(t)
	again := func() {
		t.Helper()
		if _, err := core.New(t.Context(), b.db, bus.New(zerolog.Nop()), zerolog.Nop(), core.Settings{PasswordCost: leastCost}); err != nil {
			t.Fatal(err)
		}
		if n := b.number(t, `SELECT COUNT(*) FROM "user" WHERE username = 'root'`); n != 0 {
			t.Error("root is back")
		}
		if n := b.number(t, `SELECT COUNT(*) FROM organization`); n != 4 {
			t.Errorf("there are %d organizations, want the 4 of before", n)
		}
	}
	b.run(row{as: "root", method: "PATCH", path: "/user/1", body: `{"username":"boss"}`, want: 200})
	again()
	b.run(
		row{as: "root", method: "PATCH", path: "/user/2", body: `{"roles":[1,8]}`, want: 200},
		row{as: "root", method: "DELETE", path: "/user/1", want: 200},
	)
	again()
}
