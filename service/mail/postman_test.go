package mail

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"vserver/queries"
	"vserver/queries/dbtest"
	"vserver/service/bus"
	"vserver/service/config"
	"vserver/service/core"
	"vserver/service/mail/mailtest"
	"vserver/service/promise"
)

// withUser is a database with a user anna.
var withUser = dbtest.Template{Build: func(ctx context.Context, src queries.Source) error {
	db, err := queries.Open(ctx, src)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	c, err := core.New(ctx, db, bus.New(zerolog.Nop()), zerolog.Nop(), core.Settings{PasswordCost: 4, RootPassword: "A-strong-passw0rd!"})
	if err != nil {
		return err
	}
	name, email := "anna", "all@example.org"
	return c.Administer(ctx, func(ctx context.Context, t *core.Tx) error {
		return t.AddUsers(ctx, &queries.User{Username: &name, Email: &email})
	})
}}

// office is a queue with its postman, who works until the test ends, or stop.
type office struct {
	*testing.T
	*core.Core
	db   *queries.DB
	log  bytes.Buffer
	mu   sync.Mutex
	stop func()
}

// Write takes a line of the log.
func (o *office) Write(line []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.log.Write(line)
}

func (o *office) said() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.log.String()
}

func newOffice(t *testing.T, src queries.Source, life time.Duration) *office {
	t.Helper()
	db, err := queries.Open(t.Context(), src)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	o := &office{T: t, db: db, stop: func() {}}
	o.Core, err = core.New(t.Context(), db, bus.New(zerolog.Nop()), zerolog.New(o), core.Settings{PasswordCost: 4, Mail: true, RecoveryLife: life})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// work has a postman send through a server.
func (o *office) work(s *Sender) {
	p := NewPostman(o.Core, s, Places{Support: "help@example.org"}, zerolog.New(o))
	p.firstWait, p.look = 10*time.Millisecond, 5*time.Millisecond
	ctx, cancel := context.WithCancel(o.Context())
	var done sync.WaitGroup
	done.Go(func() { p.Run(ctx) })
	o.stop = func() {
		began := time.Now()
		cancel()
		done.Wait()
		if took := time.Since(began); took > promise.Within(2*time.Second) {
			o.Errorf("the end took %s", took)
		}
	}
	o.Cleanup(func() { o.stop() })
}

func (o *office) ask() {
	o.Helper()
	name := "anna"
	if err := o.AskForPassword(o.Context(), &name, nil, core.Origin{Language: "en"}); err != nil {
		o.Fatal(err)
	}
}

// until waits for something.
func (o *office) until(what string, is func() bool) {
	o.Helper()
	for end := time.Now().Add(promise.Patience); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			o.Fatalf("not yet: %s\n%s", what, o.said())
		}
	}
}

// done waits until nothing has to be sent any more.
func (o *office) done() {
	o.Helper()
	o.until("all mails are done", func() bool {
		n, err := o.WaitingMails(o.Context())
		if err != nil {
			o.Fatal(err)
		}
		return n == 0 && strings.Contains(o.said(), "a mail about")
	})
}

func tokenIn(t *testing.T, raw string) string {
	t.Helper()
	return mailtest.Parse(t, raw).Token()
}

// answers gives one answer after the other to what begins with a word, then the usual one.
func answers(verb string, list ...string) func(string) string {
	var mu sync.Mutex
	return func(line string) string {
		mu.Lock()
		defer mu.Unlock()
		if !strings.HasPrefix(line, verb) || len(list) == 0 {
			return ""
		}
		first := list[0]
		list = list[1:]
		return first
	}
}

// TestMailIsTriedAgain until the server takes it: by greylisting, when it is busy, and
// when it closes the connection.
func TestMailIsTriedAgain(t *testing.T) {
	o := newOffice(t, withUser.Copy(t), time.Hour)
	server := (&mailtest.Script{Answer: answers("RCPT", "450 later", "421 closing", "close", "450 later")}).Start(t)
	o.work(to(server, config.NoTLS))
	o.ask()
	o.done()
	if n := len(server.Mails()); n != 1 {
		t.Errorf("%d mails arrived", n)
	}
	if n := strings.Count(o.said(), "Could not send a mail about password recovery to user"); n != 4 {
		t.Errorf("the log tells of %d failures, want 4:\n%s", n, o.said())
	}
	for _, wait := range []string{"RCPT", "450", "421", "next try is in"} {
		if wait != "RCPT" && !strings.Contains(o.said(), wait) {
			t.Errorf("the log does not tell of %q:\n%s", wait, o.said())
		}
	}
	if strings.Contains(o.said(), tokenIn(t, server.Mails()[0])) {
		t.Error("the log has the token")
	}
}

// TestMailOutlivesTheServer: what could not be sent before the end goes out after the next
// start, with the token that it had.
func TestMailOutlivesTheServer(t *testing.T) {
	src := withUser.Copy(t)
	first := newOffice(t, src, time.Hour)
	silent := (&mailtest.Script{Greeting: "silence"}).Start(t)
	first.work(to(silent, config.NoTLS))
	first.ask()
	first.until("it is on its way", func() bool { _, total := silent.Connections(); return total > 0 })
	first.stop()
	var before string
	raw, err := dbtest.SQL(src)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	if err := raw.QueryRowContext(t.Context(), "SELECT content FROM mail").Scan(&before); err != nil {
		t.Fatal(err)
	}
	if err := first.db.Close(); err != nil {
		t.Fatal(err)
	}

	second := newOffice(t, src, time.Hour)
	server := (&mailtest.Script{}).Start(t)
	second.work(to(server, config.NoTLS))
	second.done()
	token := tokenIn(t, server.Mails()[0])
	if token == "" || !strings.Contains(before, token) {
		t.Errorf("the token is %q, in the queue there was %s", token, before)
	}
	if err := second.ResetPassword(t.Context(), token, "A-strong-passw0rd!", core.Origin{}); err != nil {
		t.Error(err)
	}
	var after string
	if err := raw.QueryRowContext(t.Context(), "SELECT content FROM mail WHERE kind = 'password recovery'").Scan(&after); err != nil || after != "" {
		t.Errorf("of a mail that is sent %q stays, %v", after, err)
	}
}

// TestWhatNobodyKnowsIsSentOnceMore: a server that closes the connection before it says
// that it has a mail gets it twice at most, as the same mail.
func TestWhatNobodyKnowsIsSentOnceMore(t *testing.T) {
	o := newOffice(t, withUser.Copy(t), time.Hour)
	server := (&mailtest.Script{Taken: func(string) string { return "close" }}).Start(t)
	o.work(to(server, config.NoTLS))
	o.ask()
	o.done()
	list := server.Mails()
	if len(list) != 2 || !strings.Contains(o.said(), "Gave up a mail about password recovery") || !strings.Contains(o.said(), "nobody knows whether it arrived") {
		t.Fatalf("%d mails, want 2\n%s", len(list), o.said())
	}
	one, two := mailtest.Parse(t, list[0]), mailtest.Parse(t, list[1])
	if one.Token() != two.Token() || one.Header.Get("Message-Id") != two.Header.Get("Message-Id") || one.Header.Get("Message-Id") == "" {
		t.Errorf("they are two mails:\n%s\n%s", one.Raw, two.Raw)
	}
}

// TestMailIsGivenUp: when it is refused for good, when its token ends, and after a day.
func TestMailIsGivenUp(t *testing.T) {
	for name, c := range map[string]struct {
		life   time.Duration
		script *mailtest.Script
		email  string
		why    string
		tries  int
	}{
		"no such mailbox": {time.Hour, &mailtest.Script{Answer: answers("RCPT", "550 no such user")}, "", "550", 1},
		"no address":      {time.Hour, &mailtest.Script{}, "a@x.example, b@x.example", "is not the address of one mailbox", 0},
		"the token ends":  {300 * time.Millisecond, &mailtest.Script{Greeting: "421 busy"}, "", "421|its time is over", -1},
	} {
		t.Run(name, func(t *testing.T) {
			src := withUser.Copy(t)
			o := newOffice(t, src, c.life)
			if c.email != "" {
				raw, err := dbtest.SQL(src)
				if err != nil {
					t.Fatal(err)
				}
				defer raw.Close()
				if _, err := raw.ExecContext(t.Context(), fmt.Sprintf(`UPDATE "user" SET email = '%s' WHERE username = 'anna'`, c.email)); err != nil {
					t.Fatal(err)
				}
			}
			server := c.script.Start(t)
			o.work(to(server, config.NoTLS))
			o.ask()
			o.done()
			said := o.said()
			line := said[max(strings.LastIndex(said, "Gave up"), 0):]
			found := false
			for why := range strings.SplitSeq(c.why, "|") {
				found = found || strings.Contains(line, why)
			}
			if !strings.HasPrefix(line, "Gave up a mail about password recovery to user") || !found {
				t.Errorf("the log says\n%s", said)
			}
			if _, total := server.Connections(); c.tries >= 0 && total != c.tries || c.tries < 0 && total < 2 {
				t.Errorf("%d tries", total)
			}
		})
	}
}

// TestNoticeIsGivenUpAfterADay, whatever kept it from being sent.
func TestNoticeIsGivenUpAfterADay(t *testing.T) {
	src := withUser.Copy(t)
	o := newOffice(t, src, time.Hour)
	if err := o.SetPassword(t.Context(), "anna", "An0ther one"); err != nil {
		t.Fatal(err)
	}
	list, err := o.TakeMails(t.Context(), 9, 0)
	if err != nil || len(list) != 1 || list[0].Kind != core.PasswordChanged || time.Until(list[0].Expires).Round(time.Hour) != 24*time.Hour {
		t.Fatalf("%+v %v", list, err)
	}
	raw, err := dbtest.SQL(src)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	if _, err := raw.ExecContext(t.Context(), "UPDATE mail SET expires_at = created_at"); err != nil {
		t.Fatal(err)
	}
	server := (&mailtest.Script{}).Start(t)
	o.work(to(server, config.NoTLS))
	o.done()
	if _, total := server.Connections(); total != 0 || !strings.Contains(o.said(), "Gave up a mail about password changed to user \\\"anna\\\" after 2 tries: its time is over") {
		t.Errorf("%d connections\n%s", total, o.said())
	}
}

// TestWaitsGrow from half a minute to an hour, and leave room before the end.
func TestWaitsGrow(t *testing.T) {
	p := NewPostman(nil, nil, Places{}, zerolog.Nop())
	var all []string
	for tries := range int64(10) {
		all = append(all, p.wait(tries+1).String())
	}
	if got := strings.Join(all, " "); got != "30s 1m0s 2m0s 4m0s 8m0s 16m0s 32m0s 1h0m0s 1h0m0s 1h0m0s" {
		t.Error(got)
	}
}

// TestFewMailsAtATime: a mail server that takes its time has four connections at most, and
// gets all mails.
func TestFewMailsAtATime(t *testing.T) {
	src := withUser.Copy(t)
	o := newOffice(t, src, time.Hour)
	var mu sync.Mutex
	now, most := 0, 0
	server := (&mailtest.Script{Taken: func(string) string {
		mu.Lock()
		now++
		most = max(most, now)
		mu.Unlock()
		answer := mailtest.After(20*time.Millisecond, "250 taken")
		mu.Lock()
		defer mu.Unlock()
		now--
		return answer
	}}).Start(t)
	err := o.Administer(t.Context(), func(ctx context.Context, tx *core.Tx) error {
		var users []*queries.User
		for i := range 12 {
			name, email := fmt.Sprintf("u%d", i), fmt.Sprintf("u%d@example.org", i)
			users = append(users, &queries.User{Username: &name, Email: &email})
		}
		return tx.AddUsers(ctx, users...)
	})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 12 {
		name := fmt.Sprintf("u%d", i)
		if err := o.AskForPassword(t.Context(), &name, nil, core.Origin{}); err != nil {
			t.Fatal(err)
		}
	}
	o.work(to(server, config.NoTLS))
	o.until("all arrived", func() bool { return len(server.Mails()) == 12 })
	o.done()
	if mu.Lock(); most > mostAtOnce {
		t.Errorf("%d were on their way at a time", most)
	}
	mu.Unlock()
}

// TestServersShareTheQueue: each mail is sent by one of them.
func TestServersShareTheQueue(t *testing.T) {
	src := withUser.Copy(t)
	if src.Engine != queries.Postgres {
		t.Skip("skipped: SQLite has one server")
	}
	server := (&mailtest.Script{}).Start(t)
	one, two := newOffice(t, src, time.Hour), newOffice(t, src, time.Hour)
	one.work(to(server, config.NoTLS))
	two.work(to(server, config.NoTLS))
	for i := range 20 {
		name, email := fmt.Sprintf("u%d", i), fmt.Sprintf("u%d@example.org", i)
		err := one.Administer(t.Context(), func(ctx context.Context, tx *core.Tx) error {
			return tx.AddUsers(ctx, &queries.User{Username: &name, Email: &email})
		})
		if err == nil {
			err = one.AskForPassword(t.Context(), &name, nil, core.Origin{})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	one.until("all arrived", func() bool { return len(server.Mails()) >= 20 })
	one.done()
	if n := len(server.Mails()); n != 20 {
		t.Errorf("%d mails for 20 requests", n)
	}
	if a, b := strings.Count(one.said(), "Sent a mail"), strings.Count(two.said(), "Sent a mail"); a == 0 || b == 0 {
		t.Logf("one sent %d, the other %d", a, b)
	}
}
