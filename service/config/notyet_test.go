package config_test

import (
	"strings"
	"testing"

	"vserver/service/config"
)

// notYet are the settings of what this release does not do.
var notYet = []string{"two_factor_auth"}

// Where such a setting is turned on, every reader of the file is told, at its line.
func TestWhatIsNotThereIsToldAtItsKey(t *testing.T) {
	for name, tc := range map[string]struct{ line, want string }{
		"second factor":        {"    two_factor_auth: 'True'", "20: two_factor_auth: has no effect yet: this release asks for the password alone, not for a second factor"},
		"no second factor":     {"    two_factor_auth: no", ""},
		"mail":                 {"    smtp: {server: mail.example.org, port: 587, username: a@example.org}", ""},
		"no mail":              {"    smtp:", ""},
		"support":              {"    support_email: a@example.org", ""},
		"life of mailed token": {"    email_token_validity_minutes: 5", ""},
		"wipe in test":         {"    allow_drop_all: true", ""},
	} {
		_, warnings, err := loadText(edited(tc.line), nil)
		var got []string
		for _, w := range warnings {
			got = append(got, strings.ReplaceAll(strings.TrimPrefix(w.String(), "t.yaml:"), "environments.test.", ""))
		}
		all := strings.Join(got, "\n")
		if err != nil || len(got) > 1 || (all == "") != (tc.want == "") || !strings.HasPrefix(all, tc.want) {
			t.Errorf("%s: %v\n got %s\nwant %s", name, err, all, tc.want)
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

// The example, the documentation and the questions of a new file offer nothing that is
// not there, and a new file does not turn it on by itself.
func TestNothingIsOfferedThatIsNotThere(t *testing.T) {
	told := map[string]bool{}
	for _, s := range config.Settings() {
		told[s.Key] = strings.Contains(s.Help, "Has no effect yet: ")
		if q := s.Question; told[s.Key] && q != nil && (!strings.Contains(q.Note, "Has no effect yet: ") || q.Standard != "no") {
			t.Errorf("%s is asked for with %+v", s.Key, q)
		}
	}
	for _, key := range notYet {
		if !told[key] {
			t.Errorf("%s is described as if it had an effect", key)
		}
		for line := range strings.Lines(config.Reference()) {
			if strings.HasPrefix(line, "| `"+key+"`") && !strings.Contains(line, "Has no effect yet") {
				t.Errorf("the documentation says %s", line)
			}
		}
		before, _, _ := strings.Cut(config.Example(), "#"+key+":")
		if _, comment, _ := strings.Cut(before[strings.LastIndex(before, "\n\n")+1:], "\n"); !strings.Contains(comment, "# Has no effect yet: ") {
			t.Errorf("the example says of %s: %s", key, comment)
		}
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
