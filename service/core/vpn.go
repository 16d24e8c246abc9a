package core

import (
	"context"
	"errors"

	"vserver/service/access"
	"vserver/service/fault"
	"vserver/service/vpn"
)

// Texts of VPN (/docs/vpn#faults). Renewing lacks the last sentence, as in the reference.
const (
	textNoVPN        = "This server does not support VPN"
	textVPNRefused   = "Could not obtain VPN configuration because the vantage6 server could not authorize to the VPN portal."
	textVPNSettings  = "Could not obtain VPN configuration because the vantage6 server is not properly configured for VPN."
	textVPNUnusable  = "Could not obtain VPN configuration because the VPN portal gave no usable answer."
	textVPNAway      = "VPN server unreachable"
	askAdministrator = "Please contact your server administrator"
)

// VPNConfiguration returns an OpenVPN configuration with a key pair for the calling node
// (/docs/vpn#get).
func (c *Core) VPNConfiguration(ctx context.Context, g access.Grant[access.NodeItself]) (string, error) {
	if c.set.VPN == nil {
		return "", fault.New(fault.Unsupported, textNoVPN)
	}
	text, err := c.set.VPN.Configuration(ctx)
	if err != nil {
		return "", vpnFault(err, true)
	}
	c.log.Info().Int64("node", g.Actor().ID).Msg("A node got a VPN configuration")
	return text, nil
}

// RenewVPN returns the OpenVPN configuration of the calling node with a new key pair
// (/docs/vpn#update).
func (c *Core) RenewVPN(ctx context.Context, g access.Grant[access.NodeItself], current Sent[string]) (string, error) {
	switch {
	case c.set.VPN == nil:
		return "", fault.New(fault.Unsupported, textNoVPN)
	case current.Fault != nil:
		return "", current.Fault
	case current.Fields == "":
		return "", fault.New(fault.Invalid, "vpn_config is missing!")
	}
	text, err := c.set.VPN.Renew(ctx, current.Fields)
	if err != nil {
		return "", vpnFault(err, false)
	}
	c.log.Info().Int64("node", g.Actor().ID).Msg("A node got a new key pair for its VPN")
	return text, nil
}

// vpnFault is what a node is told of a failure; what the portal said is for the log
// alone.
func vpnFault(err error, advise bool) error {
	failed, ok := errors.AsType[*vpn.Failure](err)
	if !ok {
		return err
	}
	kind, text, end := fault.Upstream, textVPNUnusable, "."
	switch failed.Cause {
	case vpn.Unconfigured:
		text, advise = textVPNSettings, true
	case vpn.Refused:
		text = textVPNRefused
	case vpn.Unreachable:
		kind, text, end = fault.Busy, textVPNAway, ""
		if advise {
			text += "."
		}
	case vpn.Unusable:
	}
	if advise {
		text += " " + askAdministrator + end
	}
	return fault.Wrap(kind, err, "%s", text)
}
