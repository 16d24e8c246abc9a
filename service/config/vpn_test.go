package config_test

import (
	"path/filepath"
	"strings"
	"testing"
)

// What no portal can be asked with is told at the block, and stops no start: such a file
// started before.
func TestUnusableVPNIsWarnedOf(t *testing.T) {
	const whole = "url: https://h/vpn-user-portal, redirect_url: r, client_id: c, client_secret: s, portal_username: p, portal_userpass: x"
	for name, c := range map[string]struct{ old, changed, want string }{
		"whole":             {"", "", ""},
		"bare host":         {"https://h/vpn-user-portal", "https://h", ""},
		"loopback":          {"https://h", "http://localhost:8080", ""},
		"loopback 4":        {"https://h", "http://127.0.0.1", ""},
		"loopback 6":        {"https://h/vpn-user-portal", "'http://[::1]:80'", ""},
		"http":              {"https://h", "http://h", "needs a url with https: "},
		"a name like that":  {"https://h", "http://localhost.example.org", "needs a url with https: "},
		"no scheme":         {"https://h", "h", "needs a url such as https://vpn.example.org/vpn-user-portal"},
		"another scheme":    {"https://h", "ftp://h", "needs a url such as "},
		"no host":           {"https://h/vpn-user-portal", "https://", "needs a url such as "},
		"user in it":        {"https://h", "https://me:canary@h", "needs a url without user, password, ? and #"},
		"query":             {"https://h/vpn-user-portal", "'https://h/vpn-user-portal?'", "needs a url without user, password, ? and #"},
		"no client_id":      {"client_id: c, ", "", "needs a value for client_id"},
		"empty redirect":    {"redirect_url: r", "redirect_url: ''", "needs a value for redirect_url"},
		"two without value": {"portal_username: p, portal_userpass: x", "portal_username: ''", "needs a value for portal_username, portal_userpass"},
	} {
		line := "    vpn_server: {" + strings.Replace(whole, c.old, c.changed, 1) + "}"
		got, warnings, err := loadText(edited(line), nil)
		text := ""
		for _, w := range warnings {
			text += strings.TrimPrefix(w.String(), "t.yaml:20: environments.test.vpn_server: ")
		}
		if err != nil || got.VPN == nil || (c.want == "") != (text == "") || !strings.HasPrefix(text, c.want) || strings.Contains(text, "canary") {
			t.Errorf("%s: %v %q, want %q", name, err, text, c.want)
		}
		if c.want != "" && !strings.HasSuffix(text, "; until then nodes get no VPN") {
			t.Errorf("%s: %q", name, text)
		}
	}
}

// A relative path of the authority's file starts at the configuration.
func TestAuthorityOfThePortalIsBesideTheFile(t *testing.T) {
	c, _, err := loadText(edited("    vpn_server: {ca: ca.pem}"), nil)
	if err != nil || filepath.Base(c.VPN.CA) != "ca.pem" {
		t.Errorf("%v %q", err, c.VPN.CA)
	}
	c, _, err = loadText(edited("    vpn_server: {ca: /etc/ca.pem}"), nil)
	if err != nil || c.VPN.CA != "/etc/ca.pem" {
		t.Errorf("%v %q", err, c.VPN.CA)
	}
}
