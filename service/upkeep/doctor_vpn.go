package upkeep

import (
	"context"
	"errors"
	"fmt"

	"vserver/service/vpn"
)

// vpn logs in to the portal and goes all the way but for a key pair. A portal that is away
// may come back, so that it is no more than a doubt.
func (e examination) vpn(ctx context.Context) []Finding {
	set := e.inst.Config.VPN
	if set == nil {
		return skipped("vpn_server is not configured")
	}
	profile, err := vpn.New(*set).Check(ctx)
	failed, ok := errors.AsType[*vpn.Failure](err)
	switch {
	case err == nil:
		return sound("the VPN portal lets this server in; nodes get its profile %q", profile)
	case !ok:
		return failing("ask again", err)
	case failed.Cause == vpn.Unreachable:
		return []Finding{{
			Verdict: Doubt, Text: err.Error(),
			Advice: "check url of vpn_server, its ca, the firewall, and that the portal runs; until then nodes get no VPN",
		}}
	}
	return failing(fmt.Sprintf("%s; until then nodes get no VPN", vpnAdvice[failed.Step]), err)
}

// vpnAdvice is what to do about a step that failed.
var vpnAdvice = map[vpn.Step]string{
	vpn.Settings:  "correct vpn_server in the configuration",
	vpn.LogIn:     "check url, portal_username and portal_userpass of vpn_server, and the log of the portal",
	vpn.Authorize: "check client_id and redirect_url of vpn_server, and in the portal that the client needs no approval and that its user has neither a second factor nor is disabled",
	vpn.Token:     "check client_secret of vpn_server",
	vpn.Profiles:  "give the portal a profile that its user may use, and look at the log of the portal",
	vpn.Profile:   "look at the log of the portal",
	vpn.KeyPair:   "look at the log of the portal",
}
