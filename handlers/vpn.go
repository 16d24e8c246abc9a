package handlers

import (
	"net/http"

	"vserver/service/access"
	"vserver/service/core"
)

func (s *Server) vpnRoutes() []route {
	return []route{
		{method: "GET", path: "/vpn", who: access.Node, portal: true, endpoint: requires[access.NodeItself](s.handleVPN)},
		{method: "POST", path: "/vpn/update", who: access.Node, portal: true, endpoint: requires[access.NodeItself](s.handleRenewVPN)},
		{method: "GET", path: "/vpn/algorithm/addresses", who: access.Container, judges: core.ListsInCollaborations, endpoint: requires[access.ViewPorts](s.handleAddresses)},
	}
}

// vpnJSON is an OpenVPN configuration on the wire (/docs/vpn#get).
type vpnJSON struct {
	Config string `json:"ovpn_config"`
}

func (s *Server) handleVPN(k *call, g access.Grant[access.NodeItself]) error {
	text, err := s.core.VPNConfiguration(k.ctx, g)
	if err != nil {
		return err
	}
	return k.replySecret(http.StatusOK, vpnJSON{text})
}

func (s *Server) handleRenewVPN(k *call, g access.Grant[access.NodeItself]) error {
	text, err := s.core.RenewVPN(k.ctx, g, sent(k.body, func(b *body) string {
		if text := b.text("vpn_config", unbounded); text != nil {
			return *text
		}
		return ""
	}))
	if err != nil {
		return err
	}
	return k.replySecret(http.StatusOK, vpnJSON{text})
}

// addressJSON is where an algorithm listens in the VPN (/docs/vpn#addresses).
type addressJSON struct {
	Port           *int64  `json:"port"`
	Label          *string `json:"label"`
	IP             *string `json:"ip"`
	OrganizationID *int64  `json:"organization_id"`
	TaskID         int64   `json:"task_id"`
	ParentID       *int64  `json:"parent_id"`
}

func (s *Server) handleAddresses(k *call, g access.Grant[access.ViewPorts]) error {
	f := k.filters()
	want := core.AddressFilter{
		Label:           f.text("label"),
		IncludeChildren: f.flag("include_children"), IncludeParent: f.flag("include_parent"),
		OnlyChildren: f.flag("only_children"), OnlyParent: f.flag("only_parent"),
	}
	if f.err() != nil {
		return f.err()
	}
	rows, err := s.core.Addresses(k.ctx, g, want)
	if err != nil {
		return err
	}
	return k.reply(http.StatusOK, map[string][]addressJSON{"addresses": each(rows, func(a core.Address) addressJSON { return addressJSON(a) })})
}
