package config

import "vserver/service/yaml"

// VPN is the block `vpn_server`. A block with a gap is kept, since the endpoints
// then answer 500 and not 501 (contract 20 on GET vpn); see Complete.
type VPN struct {
	URL            string
	RedirectURL    string
	ClientID       string
	ClientSecret   Secret
	PortalUsername string
	PortalUserpass Secret
}

// Complete reports whether all six keys have a value.
func (v VPN) Complete() bool {
	return v.URL != "" && v.RedirectURL != "" && v.ClientID != "" &&
		v.ClientSecret != "" && v.PortalUsername != "" && v.PortalUserpass != ""
}

func vpnSettings() []Setting {
	return []Setting{
		{
			Key: "vpn_server", NotYet: "this release has no VPN endpoints",
			Help:     "An eduVPN server, for algorithms that talk to each other directly.",
			Question: ask("vpn", "Do you want to add a VPN server?", "no"), at: func(c *Config) any { return optional(&c.VPN) }, then: vpnOff,
		},
		{Key: "vpn_server.url", Sample: "https://vpn.example.org", Question: ask("vpn-url", "VPN server URL:", ""), at: func(c *Config) any { return &c.VPN.URL }},
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
	}
}

func vpnOff(b *yaml.Block, name string, _ *Config) {
	if v, there := b.Ask(name); there && v.Null() {
		b.Note(name, "has no value: the VPN endpoints are off")
	}
}

// vpnGaps warns of missing values. Such a file started before, so it is no fault.
func vpnGaps(b *yaml.Block, _ string, c *Config) {
	if !c.VPN.Complete() {
		b.Warn(b.Line, b.Path, "needs a value for each of url, portal_username, portal_userpass, client_id, client_secret, redirect_url")
	}
}
