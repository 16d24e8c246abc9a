package upkeep

import (
	"strings"
	"testing"

	"vserver/service/config"
	"vserver/service/vpn/vpntest"
)

// Doctor logs in to the portal, says which step fails and what to do, and gets no
// certificate.
func TestDoctorLogsInToTheVPNPortal(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*vpntest.Portal, *config.VPN)
		want   Verdict
		text   string
	}{
		"right":          {func(*vpntest.Portal, *config.VPN) {}, Sound, `profile "internet"`},
		"gap":            {func(_ *vpntest.Portal, v *config.VPN) { v.ClientID = "" }, Failure, "vpn_server needs a value for client_id"},
		"wrong password": {func(_ *vpntest.Portal, v *config.VPN) { v.PortalUserpass = "canary" }, Failure, "log-in at the VPN portal"},
		"bare host":      {func(p *vpntest.Portal, v *config.VPN) { v.URL = p.Root() }, Failure, "/vpn-user-portal\""},
		"no client":      {func(p *vpntest.Portal, _ *config.VPN) { p.Clients = nil }, Failure, "authorization at the VPN portal"},
		"wrong secret":   {func(_ *vpntest.Portal, v *config.VPN) { v.ClientSecret = "canary" }, Failure, "access token at the VPN portal"},
		"no profile":     {func(p *vpntest.Portal, _ *config.VPN) { p.Profiles = nil }, Failure, "list of profiles at the VPN portal"},
		"vanished":       {func(p *vpntest.Portal, _ *config.VPN) { p.Faults.ProfileVanished = true }, Failure, "profile at the VPN portal"},
		"not trusted":    {func(_ *vpntest.Portal, v *config.VPN) { v.CA = "" }, Doubt, "certificate"},
		"away":           {func(_ *vpntest.Portal, v *config.VPN) { v.URL = "https://127.0.0.1:1" }, Doubt, "there is no connection"},
	} {
		p := vpntest.Start(t)
		set := config.VPN{
			URL: p.URL(), RedirectURL: vpntest.RedirectURL, ClientID: vpntest.Client, ClientSecret: vpntest.Secret,
			PortalUsername: vpntest.User, PortalUserpass: vpntest.Password, CA: p.CAFile,
		}
		p.Change(func(p *vpntest.Portal) { c.change(p, &set) })
		found := (examination{inst: config.Instance{Config: config.Config{VPN: &set}}}).vpn(t.Context())
		if len(found) != 1 || found[0].Verdict != c.want || !strings.Contains(found[0].Text, c.text) ||
			(found[0].Advice == "") != (c.want == Sound) || strings.Contains(found[0].Text, "canary") || p.Issued() != 0 {
			t.Errorf("%s: %+v, %d key pairs", name, found, p.Issued())
		}
	}
	if found := (examination{}).vpn(t.Context()); len(found) != 1 || found[0].Verdict != Skipped {
		t.Errorf("without a portal: %+v", found)
	}
}
