package cli_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"vserver/service/mail/mailtest"
)

// TestMailTest shows what a mail server says, and no password.
func TestMailTest(t *testing.T) {
	mailtest.Each(t, func(t *testing.T, m *mailtest.MTA) {
		h := newHome(t)
		file := filepath.Join(h.dir, ".config", "vantage6", "server", "doc.yaml")
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		block := fmt.Sprintf("port: %d\n      server: localhost\n      from: vserver@example.org\n      ca: %s\n      username: %s\n      password: %s\n",
			m.StartTLS, m.CA, mailtest.User, mailtest.Password)
		text = regexp.MustCompile(`port: 587\s+server: \S+\s+username: \S+\s+password: \S+\n`).ReplaceAll(text, []byte(block))
		if err := os.WriteFile(file, text, 0o600); err != nil {
			t.Fatal(err)
		}
		said := h.vserver("mail", "test", "-n", "doc", "--user", "-e", "test", "all@example.org")
		for _, line := range []string{"> EHLO ", "< 250", "> STARTTLS", "> RCPT TO:<all@example.org>", "has taken the mail to all@example.org"} {
			if !strings.Contains(said, line) {
				t.Errorf("it does not say %q:\n%s", line, said)
			}
		}
		if strings.Contains(said, mailtest.Password) {
			t.Errorf("it says the password:\n%s", said)
		}
		if got := m.Arrived(t, "all", 1)[0]; got.Subject != "Mail of the server doc" || !strings.Contains(got.Plain, "your-support@email.com") {
			t.Errorf("there arrived\n%s\n%s", got.Subject, got.Plain)
		}
		if doctor := h.vserver("doctor", "-n", "doc", "--user", "-e", "test"); !strings.Contains(doctor, "takes mail from vserver@example.org") {
			t.Errorf("the doctor says\n%s", doctor)
		}
		if list := m.Arrived(t, "all", 1); len(list) != 1 {
			t.Errorf("the doctor has sent a mail: there are %d", len(list))
		}
	})
}
