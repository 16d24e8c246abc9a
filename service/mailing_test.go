package service

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"vserver/service/config"
	"vserver/service/mail/mailtest"
	"vserver/service/promise"
)

// mailing is an instance that sends mail through a server.
func mailing(t *testing.T, smtp config.SMTP) config.Instance {
	t.Helper()
	inst := configured(t)
	smtp.Configured, smtp.From = true, "vserver@example.org"
	inst.Config.SMTP, inst.Config.SupportEmail, inst.Config.EmailTokenLife = smtp, "help@example.org", time.Hour
	return inst
}

// withPerson adds a user anna and returns its access token.
func (r *running) withPerson() {
	r.Helper()
	person := map[string]any{
		"username": "anna", "password": "Passw0rd!", "firstname": "Anna", "lastname": "Berg", "email": "all@example.org", "organization_id": 1, "roles": []int{4},
	}
	if status, body := r.call("POST", "/api/user", r.logIn(), person); status != http.StatusCreated {
		r.Fatalf("%d %s", status, body)
	}
}

// logsIn reports whether a password is right.
func (r *running) logsIn(password string) bool {
	r.Helper()
	status, _ := r.call("POST", "/api/token/user", "", about("username", "anna", "password", password))
	return status == http.StatusOK
}

// TestLostPasswordComesByMail follows a user from the lost password to the mail that really
// arrived, and in again with its token.
func TestLostPasswordComesByMail(t *testing.T) {
	mailtest.Each(t, func(t *testing.T, m *mailtest.MTA) {
		inst := mailing(t, config.SMTP{
			Server: "localhost", Port: m.StartTLS, CA: m.CA, UseTLS: true, Username: mailtest.User, Password: mailtest.Password,
		})
		inst.Config.Metrics = &config.Metrics{IP: "127.0.0.1", Port: freePort(t)}
		r := start(t, inst)
		r.withPerson()
		for range 3 {
			if status, body := r.call("POST", "/api/recover/lost", "", about("username", "anna")); status != http.StatusOK {
				t.Fatalf("%d %s", status, body)
			}
		}
		got := m.Arrived(t, "all", 1)[0]
		if got.Subject != "Set a new password" || !strings.Contains(got.Plain, "Hello Anna,") || !strings.Contains(got.Plain, "within 1 hour") {
			t.Errorf("it says\n%s\n%s", got.Subject, got.Plain)
		}
		status, body := r.call("POST", "/api/recover/reset", "", about("reset_token", got.Token(), "password", "An0ther one"))
		if status != http.StatusOK || r.logsIn("Passw0rd!") || !r.logsIn("An0ther one") {
			t.Errorf("%d %s", status, body)
		}
		if told := m.Arrived(t, "all", 2)[1]; told.Subject != "Your password was changed" || !strings.Contains(told.Plain, "from the address 127.0.0.1") {
			t.Errorf("it says\n%s\n%s", told.Subject, told.Plain)
		}
		r.measures(inst, "vserver_mails_total{outcome=\"sent\"} 2", "vserver_mails_total{outcome=\"left_out\"} 2", "vserver_mails_total{outcome=\"given_up\"} 0", "vserver_mails_waiting 0")
		if err := r.wait(); err != nil {
			t.Fatal(err)
		}
		log := content(t, inst.LogFile)
		if strings.Contains(log, got.Token()) || strings.Contains(log, mailtest.Password) {
			t.Error("the log has the token or the password of the mail server")
		}
		for _, line := range []string{"Mail goes out through localhost:", "Sent a mail about password recovery to user", "Left out a mail about password recovery to user \"anna\": the user had 1 within an hour"} {
			if !strings.Contains(log, line) {
				t.Errorf("the log does not say %q:\n%s", line, log)
			}
		}
	})
}

// measures waits until the metrics have lines.
func (r *running) measures(inst config.Instance, lines ...string) {
	r.Helper()
	for end := time.Now().Add(promise.Patience); ; time.Sleep(5 * time.Millisecond) {
		reply, err := http.Get(fmt.Sprintf("http://%s:%d/metrics", inst.Config.Metrics.IP, inst.Config.Metrics.Port))
		if err != nil {
			r.Fatal(err)
		}
		text, err := io.ReadAll(reply.Body)
		_ = reply.Body.Close()
		if err != nil {
			r.Fatal(err)
		}
		missing := slices.DeleteFunc(slices.Clone(lines), func(line string) bool { return strings.Contains(string(text), "\n"+line+"\n") })
		if len(missing) == 0 {
			return
		}
		if time.Now().After(end) {
			r.Fatalf("the metrics have no %q:\n%s", missing, text)
		}
	}
}

// TestMailServerIsAway: requests are answered and the server ends as if it were there, and
// what it was to tell goes out once it is.
func TestMailServerIsAway(t *testing.T) {
	silent := (&mailtest.Script{Greeting: "silence"}).Start(t)
	inst := mailing(t, config.SMTP{Server: "localhost", Port: silent.Port, TLS: config.NoTLS})
	r := start(t, inst)
	r.withPerson()
	began := time.Now()
	status, body := r.call("POST", "/api/recover/lost", "", about("email", "all@example.org"))
	if took := time.Since(began); status != http.StatusOK || took > promise.Within(time.Second) {
		t.Fatalf("%d %s after %s", status, body, took)
	}
	for end := time.Now().Add(promise.Patience); ; time.Sleep(5 * time.Millisecond) {
		if _, total := silent.Connections(); total > 0 {
			break
		}
		if time.Now().After(end) {
			t.Fatal("nobody asked the mail server")
		}
	}
	began = time.Now()
	if err := r.wait(); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took > promise.Within(2*time.Second) {
		t.Errorf("the end took %s", took)
	}

	well := (&mailtest.Script{}).Start(t)
	inst.Config.SMTP.Port = well.Port
	again := start(t, inst)
	for end := time.Now().Add(promise.Patience); len(well.Mails()) == 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the mail of before did not go out")
		}
	}
	token := mailtest.Parse(t, well.Mails()[0]).Token()
	if status, body := again.call("POST", "/api/recover/reset", "", about("reset_token", token, "password", "An0ther one")); status != http.StatusOK {
		t.Errorf("%d %s", status, body)
	}
}

// TestRelayOfThisMachineIsNamed: a certificate that the relay made itself does not pass, and
// the log says which settings help.
func TestRelayOfThisMachineIsNamed(t *testing.T) {
	relay := (&mailtest.Script{Secure: true}).Start(t)
	inst := mailing(t, config.SMTP{Server: "localhost", Port: relay.Port, UseTLS: true})
	r := start(t, inst)
	r.withPerson()
	r.call("POST", "/api/recover/lost", "", about("username", "anna"))
	for end := time.Now().Add(promise.Patience); ; time.Sleep(5 * time.Millisecond) {
		text, err := os.ReadFile(inst.LogFile)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "set smtp.tls to none, or smtp.ca to the file of its certificate") {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("the log says\n%s", text)
		}
	}
	if len(relay.Mails()) != 0 {
		t.Error("a mail went out")
	}
}

// TestLanguageOfMails is that of who asks.
func TestLanguageOfMails(t *testing.T) {
	server := (&mailtest.Script{}).Start(t)
	r := start(t, mailing(t, config.SMTP{Server: "localhost", Port: server.Port, TLS: config.NoTLS}))
	r.withPerson()
	text, _ := json.Marshal(about("username", "anna"))
	req, err := http.NewRequestWithContext(t.Context(), "POST", "http://"+r.address+"/api/recover/lost", strings.NewReader(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept-Language", "nl-NL, en;q=0.5")
	reply, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = reply.Body.Close()
	for end := time.Now().Add(promise.Patience); len(server.Mails()) == 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("no mail came")
		}
	}
	if got := mailtest.Parse(t, server.Mails()[0]); !strings.Contains(got.Plain, "Beste Anna,") || got.Subject != "Stel een nieuw wachtwoord in" {
		t.Errorf("it says\n%s\n%s", got.Subject, got.Plain)
	}
}
