package config_test

import (
	"strings"
	"testing"

	"vserver/service/config"
)

// Nothing that a file turns on is told to have no effect.
func TestWhatIsTurnedOnHasAnEffect(t *testing.T) {
	for _, line := range []string{
		"    two_factor_auth: 'True'", "    smtp: {server: mail.example.org, port: 587, username: a@example.org}", "    smtp:",
		"    support_email: a@example.org", "    email_token_validity_minutes: 5", "    allow_drop_all: true",
		"    vpn_server: {url: 'https://a', redirect_url: a, client_id: a, client_secret: a, portal_username: a, portal_userpass: a}",
	} {
		if _, warnings, err := loadText(edited(line), nil); err != nil || len(warnings) > 0 {
			t.Errorf("%s: %v %v", line, warnings, err)
		}
	}
}

// A wipe is allowed in prod, and warned of.
func TestWipeInProdIsWarnedOf(t *testing.T) {
	f, err := config.Parse("t.yaml", []byte(strings.ReplaceAll(base, "  test:", "  prod:")))
	if err != nil {
		t.Fatal(err)
	}
	_, warnings, err := f.Load("prod", nothing)
	if err != nil || len(warnings) != 1 || warnings[0].Line != 9 || !strings.Contains(warnings[0].String(), "allow_drop_all: is on in environment prod: one import can remove all data") {
		t.Errorf("%v %v", warnings, err)
	}
}

// What keeps mails from arriving is told before the first one is missed.
func TestDoubtsAboutMailAreTold(t *testing.T) {
	for smtp, want := range map[string]string{
		"{server: m.example.org, port: 587, username: a@example.org, password: x}":           "",
		"{server: m.example.org, port: 587, username: apikey, password: x}":                  "smtp: names no sender: mails come from support@vantage6.ai, which mail servers may refuse; set smtp.from",
		"{server: m.example.org, port: 587}":                                                 "smtp: names no sender: ",
		"{server: localhost, from: a@example.org}":                                           "smtp: has port 1025, where test servers without TLS listen: to such a one no mail goes out unless smtp.tls is none",
		"{server: localhost, from: a@example.org, tls: none}":                                "",
		"{server: localhost, from: a@example.org, MAIL_USE_TLS: false}":                      "",
		"{server: m.example.org, port: 25, username: a@example.org, password: x, tls: none}": "smtp: sends password and tokens to m.example.org without TLS: others may read them; set smtp.tls",
		"{server: 127.0.0.2, port: 25, username: a@example.org, password: x, tls: none}":     "",
		"{server: m.example.org, port: 25, username: '', from: a@example.org, password: x}":  "smtp: has a password and no username: nobody logs in at the mail server",
	} {
		_, warnings, err := loadText(edited("    smtp: "+smtp), nil)
		var all []string
		for _, w := range warnings {
			all = append(all, strings.TrimPrefix(w.String(), "t.yaml:20: environments.test."))
		}
		if got := strings.Join(all, "\n"); err != nil || (got == "") != (want == "") || !strings.HasPrefix(got, want) {
			t.Errorf("%s: %v\n got %s\nwant %s", smtp, err, got, want)
		}
	}
}
