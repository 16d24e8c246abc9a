package config

import (
	"net/netip"
	"net/url"
	"strings"

	"vserver/service/yaml"
)

// VPN is the block `vpn_server`. A block with a gap is kept, since the endpoints
// then answer 500 and not 501 (/docs/vpn#faults); see Unusable.
type VPN struct {
	URL            string
	RedirectURL    string
	ClientID       string
	ClientSecret   Secret
	PortalUsername string
	PortalUserpass Secret
	CA             string // file with certificates that are trusted beside the system's; empty for none
}

// Unusable says why no portal can be asked with these settings, empty when one can: a key
// without value, or an address that would carry the password in the clear.
func (v VPN) Unusable() string {
	var missing []string
	for _, key := range []struct{ name, value string }{
		{"url", v.URL}, {"portal_username", v.PortalUsername}, {"portal_userpass", v.PortalUserpass.Reveal()},
		{"client_id", v.ClientID}, {"client_secret", v.ClientSecret.Reveal()}, {"redirect_url", v.RedirectURL},
	} {
		if key.value == "" {
			missing = append(missing, key.name)
		}
	}
	if len(missing) > 0 {
		return "needs a value for " + strings.Join(missing, ", ")
	}
	return unusablePortal(v.URL)
}

// unusablePortal judges `vpn_server.url`.
func unusablePortal(text string) string {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http":
		return "needs a url such as https://vpn.example.org/vpn-user-portal"
	case u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return "needs a url without user, password, ? and #"
	case u.Scheme == "http" && !onLoopback(u.Hostname()):
		return "needs a url with https: over http anybody on the way reads the password; only a portal on this machine may do without"
	}
	return ""
}

// onLoopback reports whether a name or address is that of this machine itself.
func onLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback() || strings.EqualFold(host, "localhost")
}

func vpnSettings() []Setting {
	return []Setting{
		{
			Key:      "vpn_server",
			Help:     "An eduVPN portal of release 2.x, for algorithms that talk to each other directly;\nall six keys are needed. A stock portal is at /vpn-user-portal of its host.",
			Question: ask("vpn", "Do you want to add a VPN server?", "no"), at: func(c *Config) any { return optional(&c.VPN) }, then: vpnOff,
		},
		{
			Key: "vpn_server.url", Sample: "https://vpn.example.org/vpn-user-portal", Question: ask("vpn-url", "VPN server URL:", ""),
			at: func(c *Config) any { return &c.VPN.URL },
		},
		{Key: "vpn_server.portal_username", Sample: "portal", Question: ask("vpn-portal-username", "VPN portal username:", ""), at: func(c *Config) any { return &c.VPN.PortalUsername }},
		{
			Key: "vpn_server.portal_userpass", Sample: "change-this",
			Question: ask("vpn-portal-password-file", "VPN portal password:", ""), at: func(c *Config) any { return &c.VPN.PortalUserpass },
		},
		{Key: "vpn_server.client_id", Sample: "client", Question: ask("vpn-client-username", "VPN client username:", ""), at: func(c *Config) any { return &c.VPN.ClientID }},
		{Key: "vpn_server.client_secret", Sample: "change-this", Question: ask("vpn-client-password-file", "VPN client password:", ""), at: func(c *Config) any { return &c.VPN.ClientSecret }},
		{
			Key: "vpn_server.redirect_url", Sample: "http://localhost",
			Question: ask("vpn-redirect-url", "Redirect url (should be local address of UI):", "http://localhost"), at: func(c *Config) any { return &c.VPN.RedirectURL }, then: vpnGaps,
		},
		{
			Key: "vpn_server.ca", Sample: "vpn-ca.pem",
			Help: "File with the certificate of the authority that signed the portal's, in PEM, for\none that this machine does not trust anyway; a relative path starts at this file.",
			at:   func(c *Config) any { return &c.VPN.CA }, check: beside,
		},
	}
}

func vpnOff(b *yaml.Block, name string, _ *Config) {
	if v, there := b.Ask(name); there && v.Null() {
		b.Note(name, "has no value: the VPN endpoints are off")
	}
}

// vpnGaps warns of what no portal can be asked with. Such a file started before, so it
// is no fault.
func vpnGaps(b *yaml.Block, _ string, c *Config) {
	if why := c.VPN.Unusable(); why != "" {
		b.Warn(b.Line, b.Path, "%s; until then nodes get no VPN", why)
	}
}
