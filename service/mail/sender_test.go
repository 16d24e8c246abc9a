package mail

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"vserver/service/config"
	"vserver/service/core"
	"vserver/service/mail/mailtest"
	"vserver/service/promise"
)

// through makes a sender for a port of a mail server, with an account there.
func through(port int, way, ca string) *Sender {
	return New(config.Config{SMTP: config.SMTP{
		Configured: true, Server: "localhost", Port: port, TLS: way, CA: ca, From: "vserver@example.org",
		Username: mailtest.User, Password: mailtest.Password,
	}})
}

func letter() Letter {
	return Letter{To: "all@example.org", ID: "id-of-a-mail", Text: Compose("en", core.PasswordRecovery, core.MailFacts{
		Name: "Zoë", Token: "TOKEN-" + strings.Repeat("X", 300), Lasts: time.Hour, At: time.Now(),
	}, Places{Support: "help@example.org"})}
}

// wants checks how a try ended: where, and with which words.
func wants(t *testing.T, err error, at step, words string) *Failure {
	t.Helper()
	var f *Failure
	if !errors.As(err, &f) || f.Step != at || !regexp.MustCompile(words).MatchString(err.Error()) {
		t.Fatalf("got %v, want a failure at %s with %s", err, at, words)
	}
	return f
}

// TestRealMailServers sends through Postfix and Exim in every way that the settings have.
func TestRealMailServers(t *testing.T) {
	mailtest.Each(t, func(t *testing.T, m *mailtest.MTA) {
		count := 0
		arrives := func(t *testing.T, s *Sender) mailtest.Mail {
			t.Helper()
			if err := s.Send(t.Context(), letter()); err != nil {
				t.Fatalf("%v\n%s", err, m.Log())
			}
			count++
			return m.Arrived(t, "all", count)[count-1]
		}
		for name, s := range map[string]*Sender{
			"STARTTLS":          through(m.StartTLS, config.StartTLS, m.CA),
			"implicit":          through(m.TLS, config.ImplicitTLS, m.CA),
			"only LOGIN":        through(m.LoginOnly, config.StartTLS, m.CA),
			"a pinned file":     through(m.StartTLS, config.StartTLS, m.Own),
			"no TLS, no log-in": {smtp: config.SMTP{Server: "localhost", Port: m.Plain, TLS: config.NoTLS, Username: "x"}, from: "vserver@example.org", patience: usual},
			"by address": {smtp: config.SMTP{
				Server: "127.0.0.1", Port: m.StartTLS, TLS: config.StartTLS, CA: m.CA, Username: mailtest.User, Password: mailtest.Password,
			}, from: "vserver@example.org", patience: usual},
		} {
			t.Run(name, func(t *testing.T) { complete(t, arrives(t, s)) })
		}
		probe := func(name string, s *Sender, at step, words string) {
			t.Run(name, func(t *testing.T) {
				if f := wants(t, s.Send(t.Context(), letter()), at, words); f.Final || f.Doubtful {
					t.Errorf("it is not tried again: %+v", f)
				}
				wants(t, s.Probe(t.Context()), at, words)
			})
		}
		probe("unknown authority", through(m.StartTLS, config.StartTLS, ""), securing, "unknown authority.*smtp.tls to none, or smtp.ca")
		probe("another name", through(m.OtherName, config.StartTLS, m.CA), securing, "mail.other.example, not localhost.*smtp.tls to none, or smtp.ca")
		probe("TLS where there is STARTTLS", through(m.StartTLS, config.ImplicitTLS, m.CA), securing, "first record does not look like a TLS handshake.*smtp.tls to starttls")
		probe("no STARTTLS", through(m.Plain, config.StartTLS, m.CA), securing, "50[0-9].*does not offer STARTTLS")
		wrong := through(m.StartTLS, config.StartTLS, m.CA)
		wrong.smtp.Password = "wrong"
		probe("wrong password", wrong, loggingIn, "535")
		probe("no log-in without TLS", through(m.Plain, config.NoTLS, ""), loggingIn, "no way to log in")
		t.Run("probe", func(t *testing.T) {
			if err := through(m.StartTLS, config.StartTLS, m.CA).Probe(t.Context()); err != nil {
				t.Error(err)
			}
		})
		t.Run("show", func(t *testing.T) { shown(t, through(m.StartTLS, config.StartTLS, m.CA)) })
	})
}

// complete checks a mail that arrived.
func complete(t *testing.T, got mailtest.Mail) {
	t.Helper()
	want := letter()
	if got.Subject != want.Subject || strings.TrimSpace(got.Plain) != strings.TrimSpace(strings.ReplaceAll(want.Plain, "\r\n", "\n")) ||
		strings.TrimSpace(got.HTML) != strings.TrimSpace(strings.ReplaceAll(want.HTML, "\r\n", "\n")) {
		t.Errorf("it arrived as\n%s", got.Raw)
	}
	if got.Token() != "TOKEN-"+strings.Repeat("X", 300) {
		t.Errorf("its token is %q", got.Token())
	}
	host, _ := os.Hostname()
	for name, want := range map[string]string{
		"From": "<vserver@example.org>", "To": "<all@example.org>", "Message-Id": "<id-of-a-mail@example.org>", "Auto-Submitted": "auto-generated",
		"User-Agent": "", "X-Mailer": "",
	} {
		if v := got.Header.Get(name); v != want {
			t.Errorf("%s is %q, want %q", name, v, want)
		}
	}
	if date, err := got.Header.Date(); err != nil || time.Since(date) > time.Hour {
		t.Error(date, err)
	}
	_, own, _ := strings.Cut(got.Raw[strings.LastIndex(got.Raw, "Received:"):], "\n")
	_, ours, _ := strings.Cut(own, "Date:")
	if strings.Contains(strings.ToLower(own), "go-mail") || len(host) > 3 && strings.Contains(ours, host) {
		t.Errorf("it names this machine or a program:\n%s", got.Raw)
	}
}

// shown checks the conversation that a person sees.
func shown(t *testing.T, s *Sender) {
	t.Helper()
	var all []string
	s.Show = func(line string) { all = append(all, line) }
	if err := s.Send(t.Context(), letter()); err != nil {
		t.Fatal(err)
	}
	text := strings.Join(all, "\n")
	for _, want := range []string{"> EHLO ", "> STARTTLS\n< 220", "< 235", "> MAIL FROM:<vserver@example.org>", "> RCPT TO:<all@example.org>\n< 250", "> QUIT"} {
		if !strings.Contains(text, want) {
			t.Errorf("the conversation has no %q:\n%s", want, text)
		}
	}
	if strings.Contains(text, "1234") || strings.Contains(text, "TOKEN") || strings.Contains(text, "c3dvcmQ") {
		t.Errorf("the conversation shows a secret:\n%s", text)
	}
}

// to makes a sender for a scripted server, that does not wait for long.
func to(s *mailtest.Script, way string) *Sender {
	sender := through(s.Port, way, s.CA)
	sender.patience = patience{connect: promise.Patience, greet: promise.Patience, deliver: promise.Patience}
	if len(s.Offers) == 0 || !strings.Contains(strings.Join(s.Offers, " "), "AUTH") {
		sender.smtp.Password = ""
	}
	return sender
}

// TestServersThatMisbehave: what is tried again and what is not, and that no connection
// stays behind.
func TestServersThatMisbehave(t *testing.T) {
	said := func(verb, answer string) func(string) string {
		return func(line string) string {
			if strings.HasPrefix(strings.ToUpper(line), verb) {
				return answer
			}
			return ""
		}
	}
	type outcome struct {
		at              step
		words           string
		final, doubtful bool
	}
	for name, c := range map[string]struct {
		script *mailtest.Script
		way    string
		waits  patience // where it is not for as long as it takes
		want   outcome  // no step: it is sent
	}{
		"well behaved":                {},
		"greylisting":                 {script: &mailtest.Script{Answer: said("RCPT", "450 4.2.0 come back in five minutes")}, want: outcome{at: sending, words: "450.*five minutes"}},
		"busy":                        {script: &mailtest.Script{Greeting: "421 too busy"}, want: outcome{at: greeting, words: "421"}},
		"not for us":                  {script: &mailtest.Script{Greeting: "554 no"}, want: outcome{at: greeting, words: "554"}},
		"no such mailbox":             {script: &mailtest.Script{Answer: said("RCPT", "550 5.1.1 no such user")}, want: outcome{at: sending, words: "all@example.org: 550", final: true}},
		"no such sender":              {script: &mailtest.Script{Answer: said("MAIL", "553 not yours")}, want: outcome{at: sending, words: "vserver@example.org: 553"}},
		"mail refused":                {script: &mailtest.Script{Taken: func(string) string { return "554 spam" }}, want: outcome{at: sending, words: "554", final: true}},
		"mail refused for now":        {script: &mailtest.Script{Taken: func(string) string { return "451 later" }}, want: outcome{at: sending, words: "451"}},
		"disk full":                   {script: &mailtest.Script{Answer: said("DATA", "452 no room")}, want: outcome{at: sending, words: "452"}},
		"closed before it has it":     {script: &mailtest.Script{Answer: said("DATA", "close")}, want: outcome{at: sending, words: "EOF"}},
		"closed before it says so":    {script: &mailtest.Script{Taken: func(string) string { return "close" }}, want: outcome{at: sending, words: "EOF", doubtful: true}},
		"silent before it says so":    {script: &mailtest.Script{Taken: func(string) string { return "silence" }}, waits: patience{deliver: 2 * time.Second}, want: outcome{at: sending, words: "timeout", doubtful: true}},
		"closed after it":             {script: &mailtest.Script{Answer: said("QUIT", "close")}},
		"RSET and NOOP are unknown":   {script: &mailtest.Script{Answer: func(line string) string { return map[string]string{"RSET": "502 what?", "NOOP": "502 what?"}[line] }}},
		"QUIT is never answered":      {script: &mailtest.Script{Answer: said("QUIT", "silence")}},
		"silent":                      {script: &mailtest.Script{Greeting: "silence"}, waits: patience{greet: 200 * time.Millisecond}, want: outcome{at: greeting, words: "timeout"}},
		"slow":                        {script: &mailtest.Script{Answer: func(string) string { return mailtest.After(100*time.Millisecond, "") }}},
		"tarpit":                      {script: &mailtest.Script{Answer: func(string) string { return mailtest.After(time.Second, "") }}, waits: patience{greet: 200 * time.Millisecond}, want: outcome{at: greeting, words: "timeout"}},
		"STARTTLS in small letters":   {script: &mailtest.Script{Secure: true, Offers: []string{"starttls"}}, way: config.StartTLS},
		"STARTTLS not now":            {script: &mailtest.Script{Secure: true, Answer: said("STARTTLS", "454 not now")}, way: config.StartTLS, want: outcome{at: securing, words: "454"}},
		"STARTTLS, then it is closed": {script: &mailtest.Script{Secure: true, Answer: said("STARTTLS", "close")}, way: config.StartTLS, want: outcome{at: securing, words: "EOF"}},
		"no EHLO":                     {script: &mailtest.Script{Answer: said("EHLO", "500 what?")}},
		"letters that it cannot take": {},
	} {
		t.Run(name, func(t *testing.T) {
			if c.way == "" {
				c.way = config.NoTLS
			}
			if c.script == nil {
				c.script = &mailtest.Script{}
			}
			server := c.script.Start(t)
			l := letter()
			if strings.HasPrefix(name, "letters") {
				l.To, c.want = "zoë@example.org", outcome{at: sending, words: "letters that this mail server does not take", final: true}
			}
			s := to(server, c.way)
			s.patience.greet, s.patience.deliver = cmp.Or(c.waits.greet, s.patience.greet), cmp.Or(c.waits.deliver, s.patience.deliver)
			before := time.Now()
			err := s.Send(t.Context(), l)
			if c.want.at == "" {
				if err != nil || len(server.Mails()) != 1 {
					t.Errorf("%v, %d mails", err, len(server.Mails()))
				}
			} else if f := wants(t, err, c.want.at, c.want.words); f.Final != c.want.final || f.Doubtful != c.want.doubtful {
				t.Errorf("got %+v", f)
			}
			if took := time.Since(before); took > promise.Within(5*time.Second) {
				t.Errorf("it took %s", took)
			}
			noneLeft(t, server)
		})
	}
	t.Run("away", func(t *testing.T) {
		s := through(1, config.NoTLS, "")
		wants(t, s.Send(t.Context(), letter()), connecting, "refused")
		s.smtp.Server = "no.such.host.invalid"
		wants(t, s.Send(t.Context(), letter()), connecting, "no.such.host.invalid")
	})
}

// noneLeft waits until a server has no connection any more.
func noneLeft(t *testing.T, server *mailtest.Script) {
	t.Helper()
	for end := time.Now().Add(promise.Patience); ; time.Sleep(5 * time.Millisecond) {
		open, total := server.Connections()
		if open == 0 && total > 0 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%d connections of %d are still there", open, total)
		}
	}
}

// TestEndOfTheServerWaitsForNoMailServer cuts off what is on its way.
func TestEndOfTheServerWaitsForNoMailServer(t *testing.T) {
	for name, script := range map[string]*mailtest.Script{
		"at the greeting": {Greeting: "silence"},
		"within a mail":   {Taken: func(string) string { return "silence" }},
		"within TLS":      {Secure: true, Answer: func(line string) string { return map[string]string{"STARTTLS": "silence"}[line] }},
	} {
		t.Run(name, func(t *testing.T) {
			server := script.Start(t)
			way := config.NoTLS
			if script.Secure {
				way = config.StartTLS
			}
			s := to(server, way)
			s.patience = patience{time.Hour, time.Hour, time.Hour}
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- s.Send(ctx, letter()) }()
			for {
				if _, total := server.Connections(); total > 0 {
					break
				}
				time.Sleep(time.Millisecond)
			}
			time.Sleep(100 * time.Millisecond)
			cancel()
			select {
			case err := <-ended:
				if !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
			case <-time.After(promise.Within(2 * time.Second)):
				t.Error("it still waits")
			}
			noneLeft(t, server)
		})
	}
}

// TestWaysToLogIn: the simple ways first, another one on another connection when one is
// refused, and never more than there are.
func TestWaysToLogIn(t *testing.T) {
	for name, c := range map[string]struct {
		offers  string
		way     string
		accepts string // the way that is not refused; none when empty
		tried   string
		words   string
	}{
		"PLAIN comes first":           {offers: "AUTH SCRAM-SHA-256 CRAM-MD5 NTLM LOGIN PLAIN", accepts: "PLAIN", tried: "PLAIN"},
		"only LOGIN":                  {offers: "AUTH LOGIN", accepts: "LOGIN", tried: "LOGIN"},
		"PLAIN is refused":            {offers: "AUTH CRAM-MD5 LOGIN PLAIN", accepts: "LOGIN", tried: "PLAIN LOGIN"},
		"two blanks, small letters":   {offers: "AUTH login  plain", accepts: "PLAIN", tried: "PLAIN"},
		"an old form":                 {offers: "AUTH=PLAIN LOGIN", accepts: "PLAIN", tried: "PLAIN"},
		"all are refused":             {offers: "AUTH LOGIN PLAIN", tried: "PLAIN LOGIN", words: "535"},
		"only what is unknown":        {offers: "AUTH NTLM XOAUTH2", words: "no way to log in that is known here: NTLM XOAUTH2"},
		"without TLS":                 {offers: "AUTH PLAIN CRAM-MD5", way: config.NoTLS, accepts: "CRAM-MD5", tried: "CRAM-MD5"},
		"PLAIN alone without TLS":     {offers: "AUTH PLAIN", way: config.NoTLS, accepts: "PLAIN", tried: "PLAIN"},
		"nothing offered without TLS": {offers: "AUTHX", way: config.NoTLS, words: "no way to log in"},
	} {
		t.Run(name, func(t *testing.T) {
			way := c.way
			if way == "" {
				way = config.StartTLS
			}
			script := &mailtest.Script{Secure: way == config.StartTLS, Offers: []string{c.offers}, Answer: checking(c.accepts)}
			server := script.Start(t)
			err := to(server, way).Send(t.Context(), letter())
			if (err == nil) != (c.words == "") || err != nil && !strings.Contains(err.Error(), c.words) {
				t.Errorf("got %v, want %q\n%s", err, c.words, strings.Join(server.Said(), "\n"))
			}
			var tried []string
			for _, line := range server.Said() {
				if rest, ok := strings.CutPrefix(line, "AUTH "); ok {
					word, _, _ := strings.Cut(rest, " ")
					tried = append(tried, word)
				}
			}
			if got := strings.Join(tried, " "); got != c.tried {
				t.Errorf("tried %q, want %q", got, c.tried)
			}
			noneLeft(t, server)
		})
	}
}

// checking answers log-ins: one way is right, all others are refused.
func checking(accepts string) func(line string) string {
	var questions []string // that are still asked
	return func(line string) string {
		if rest, ok := strings.CutPrefix(line, "AUTH "); ok {
			way, _, _ := strings.Cut(rest, " ")
			if way != accepts {
				return "535 no"
			}
			questions = map[string][]string{"LOGIN": {"334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6", "235 welcome"}, "CRAM-MD5": {"334 PGFAYj4=", "235 welcome"}}[way]
		}
		if len(questions) == 0 {
			return ""
		}
		next := questions[0]
		questions = questions[1:]
		return next
	}
}

// TestOneRecipient: what users have as address is one mailbox, or no mail goes out.
func TestOneRecipient(t *testing.T) {
	for text, want := range map[string]string{
		"a@example.org": "a@example.org", "a@bücher.example": "a@xn--bcher-kva.example", "zoë@example.org": "zoë@example.org",
		"": "", "bob": "", "a@x.example, b@y.example": "", "Name <a@x.example>": "", "<a@x.example>": "", " a@x.example": "", "a@x.example ": "",
		"a@x.example\r\nBcc: b@y.example": "", "a@x.example\n": "", "a@": "", "@x.example": "", "a b@x.example": "", "a..b@x.example": "",
		"group: a@x.example;": "", "a@x.example (b)": "", "a@ex\u2024ample..org": "",
	} {
		if got, err := ParseAddress(text); got != want || (err == nil) != (want != "") {
			t.Errorf("%q: got %q, %v", text, got, err)
		}
	}
	server := (&mailtest.Script{}).Start(t)
	l := letter()
	l.To = "a@x.example, b@y.example"
	if f := wants(t, to(server, config.NoTLS).Send(t.Context(), l), sending, "is not the address of one mailbox"); !f.Final {
		t.Error("it is tried again")
	}
	if _, total := server.Connections(); total != 0 {
		t.Error("the mail server was asked")
	}
}

// TestNameForStrangers: mail servers refuse names without a dot, as containers have.
func TestNameForStrangers(t *testing.T) {
	for name, ok := range map[string]bool{
		"mail.example.org": true, "a-b.example": true, "vm": false, "localhost": false, "under_score.example": false, "a..b": false,
		"-a.example": false, "a.example.": false, "": false,
	} {
		if fullName().MatchString(name) != ok {
			t.Errorf("%q: got %v", name, !ok)
		}
	}
	server := (&mailtest.Script{}).Start(t)
	if err := to(server, config.NoTLS).Send(t.Context(), letter()); err != nil {
		t.Fatal(err)
	}
	name := strings.TrimPrefix(server.Said()[0], "EHLO ")
	if !fullName().MatchString(name) && name != "[127.0.0.1]" && name != "[IPv6:::1]" {
		t.Errorf("it greets as %q", name)
	}
}

// TestSenderIsAnAddress wherever the settings come from.
func TestSenderIsAnAddress(t *testing.T) {
	for _, c := range []struct{ from, user, support, want string }{
		{"v@example.org", "u@example.org", "s@example.org", "v@example.org"},
		{"", "u@example.org", "s@example.org", "u@example.org"},
		{"", "apikey", "s@example.org", "s@example.org"},
		{"", "bob", "bob", "support@vantage6.ai"},
		{"v@bücher.example", "", "", "v@xn--bcher-kva.example"},
	} {
		s := New(config.Config{SMTP: config.SMTP{From: c.from, Username: c.user}, SupportEmail: c.support})
		if s.From() != c.want {
			t.Errorf("%+v: got %s", c, s.From())
		}
	}
}

// TestTextsSayTheSame in both languages, as text and as HTML, whatever names hold.
func TestTextsSayTheSame(t *testing.T) {
	facts := core.MailFacts{
		Name: "<b>Zoë</b>\r\nX", Token: "TOKEN", Lasts: 90 * time.Minute, Attempts: 5, From: "192.0.2.1", At: time.Date(2026, 1, 2, 3, 4, 0, 0, time.UTC),
	}
	tags := regexp.MustCompile(`(?s)<title>.*?</title>|<[^>]*>`)
	for _, kind := range []core.MailKind{core.PasswordRecovery, core.SecondFactorRecovery, core.AccountLocked, core.PasswordChanged, core.SecondFactorChanged, core.Invitation} {
		for _, language := range []string{"en", "nl", "xx"} {
			text := Compose(language, kind, facts, Places{Support: "help@example.org"})
			page := strings.NewReplacer("&lt;", "<", "&gt;", ">", "&#34;", `"`, "&#39;", "'", "&amp;", "&").Replace(tags.ReplaceAllString(strings.ReplaceAll(text.HTML, "<!DOCTYPE html>", ""), ""))
			if a, b := strings.Join(strings.Fields(text.Plain), " "), strings.Join(strings.Fields(page), " "); a != b {
				t.Errorf("%s, %s: text and HTML differ:\n%s\n%s", kind, language, a, b)
			}
			if strings.Contains(text.HTML, "<b>") || !strings.Contains(text.Plain, " <b>Zoë</b> X,\r\n") {
				t.Errorf("%s: the name stands there as it is:\n%s\n%s", kind, text.Plain, text.HTML)
			}
			if strings.Contains(text.Plain+text.Subject, "%") || text.Subject == "" || !strings.Contains(text.Plain, "help@example.org") {
				t.Errorf("%s, %s:\n%s\n%s", kind, language, text.Subject, text.Plain)
			}
			withToken := kind == core.PasswordRecovery || kind == core.SecondFactorRecovery || kind == core.Invitation
			if strings.Contains(text.Plain, "\r\n\r\nTOKEN\r\n\r\n") != withToken {
				t.Errorf("%s: the token does not stand alone:\n%s", kind, text.Plain)
			}
			if strings.Contains(text.Plain, "http") {
				t.Errorf("%s: there is a link:\n%s", kind, text.Plain)
			}
		}
	}
	for d, want := range map[time.Duration]string{time.Second: "1 minute", time.Hour: "1 hour", 90 * time.Minute: "90 minutes", 2 * time.Hour: "2 hours", 24 * time.Hour: "24 hours", 7 * 24 * time.Hour: "7 days", 5 * time.Minute: "5 minutes"} {
		if got := english().lasts(d); got != want {
			t.Errorf("%s: got %s", d, got)
		}
	}
	locked := Compose("nl", core.AccountLocked, core.MailFacts{Name: "A", Attempts: 50, Everywhere: true, Lasts: 15 * time.Minute}, Places{Support: "h@x"})
	if !strings.Contains(locked.Plain, "50 keer") || !strings.Contains(locked.Plain, "15 minuten lang helemaal niet") || !strings.Contains(locked.Plain, "onbekend") {
		t.Error(locked.Plain)
	}
}

// TestMailsLeadToThePage: below a token stands where it is entered, and nowhere else.
func TestMailsLeadToThePage(t *testing.T) {
	at := Places{Support: "help@example.org", Page: "https://fl.example.org/a&b/"}
	for _, c := range []struct {
		language string
		kind     core.MailKind
		plain    string
	}{
		{"en", core.PasswordRecovery, "\r\nTOKEN\r\n\r\nEnter it here, under “I have a token”: https://fl.example.org/a&b/\r\n"},
		{"nl", core.SecondFactorRecovery, "\r\nTOKEN\r\n\r\nVoer de code hier in, onder “Ik heb een token”: https://fl.example.org/a&b/\r\n"},
		{"en", core.Invitation, "\r\nTOKEN\r\n\r\nEnter it here, under “I have a token”: https://fl.example.org/a&b/\r\n"},
		{"en", core.PasswordChanged, ""},
	} {
		text := Compose(c.language, c.kind, core.MailFacts{Name: "Anna", Token: "TOKEN", Lasts: time.Hour}, at)
		link := strings.Count(text.HTML, `<a href="https://fl.example.org/a&amp;b/">https://fl.example.org/a&amp;b/</a></p>`)
		if c.plain != "" && (!strings.Contains(text.Plain, c.plain) || link != 1) || c.plain == "" && strings.Contains(text.Plain+text.HTML, "fl.example.org") {
			t.Errorf("%s in %s: %s\n%s", c.kind, c.language, text.Plain, text.HTML)
		}
	}
}

func ExampleCompose() {
	text := Compose("en", core.PasswordRecovery, core.MailFacts{Name: "Anna", Token: "ABCDEFGHIJKLMNOPQRSTUVWXYZ", Lasts: time.Hour}, Places{Support: "help@example.org"})
	fmt.Println(text.Subject)
	fmt.Println(strings.ReplaceAll(text.Plain, "\r\n", "\n"))
	// Output:
	// Set a new password
	// Hello Anna,
	//
	// somebody asked for a new password for your account. With this token you can set one within 1 hour:
	//
	// ABCDEFGHIJKLMNOPQRSTUVWXYZ
	//
	// In Python: client.util.set_my_password(token, new_password). The token works once, and only the newest one does.
	//
	// If it was not you who asked, you need not do anything: your password stays as it is.
	//
	// Do you need help? Write to help@example.org.
}
